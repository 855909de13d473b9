"""A checkpoint tells all that the records before it tell (I6), whatever happened, and stays small."""

from decimal import Decimal
from itertools import count

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateways.standards import ZERO, OrderStatus, OrderUpdate, PlaceOrder, RejectReason
from oms.absence import Absence
from oms.checkpoint import (
    BookRow,
    ChildRow,
    ClaimRow,
    MakerRow,
    ObligationRow,
    ShareRow,
    checkpoint,
    digest,
    restore,
)
from oms.clock import ManualClock
from oms.evidence import Entered, Evidence
from oms.hedge import events as e
from oms.hedge.dispatch import JOURNALED
from oms.hedge.kernel import Kernel
from oms.hedge.policy import How, Leg, OnFailure, Policy, Rung
from oms.hedge.state import Child, Claim, HedgeBook, Maker, Obligation, Share
from oms.journal import JournalError, MemoryJournal
from oms.oid_evidence import OidFilled
from oms.orders import OrdersPage, Role
from oms.recovery import replay, restore_orders
from tests.oms.test_kernel_properties import Desk, steps

D = Decimal


class JournalingDesk(Desk):
    """The desk of the kernel's properties, which journals as the OMS does."""

    def __init__(self):
        self.clock = ManualClock(now_ns=1000)
        self.journal = MemoryJournal(self.clock)
        self.journal.append("Session", desk=1, session_ms=1)
        super().__init__()

    def apply(self, event):
        self.record(event)
        commands = super().apply(event)
        for command in commands:
            if isinstance(command, e.SendChild):
                self.journal.append("Intended", command.intended(event.ts_ns))
                self.journal.append(
                    "ChildSent", e.ChildSent(child=command.child, ts_ns=event.ts_ns, accept_until_ns=event.ts_ns + 9)
                )
                super().apply(e.ChildSent(child=command.child, ts_ns=event.ts_ns, accept_until_ns=event.ts_ns + 9))
            elif isinstance(command, e.CancelChild):
                self.journal.append("ChildCancelling", e.ChildCancelling(child=command.child, ts_ns=event.ts_ns))
        return commands

    def record(self, event):
        match event:
            case e.MakerPlaced():
                self.journal.append("MakerPlaced", event)
                order = PlaceOrder(ticker=event.ticker, cloid=event.maker, amount=D(5), price=D("100.10"))
                self.enter(event.venue, Role.MAKER, order, event.ts_ns)
            case e.MakerFilled():
                self.see(event.maker, OrderStatus.PARTIAL, event.filled, event)
            case e.ChildSeen():
                status = OrderStatus.CANCELLED if event.done else OrderStatus.PARTIAL
                self.see(event.child, status, event.filled, event)
            case e.ChildUnknown():
                self.see(event.child, OrderStatus.UNKNOWN, ZERO, event)
            case _ if isinstance(event, JOURNALED):
                self.journal.append(type(event).__name__, event)
            case _:
                pass

    def enter(self, venue, role, order, ts_ns):
        self.journal.append("Entered", Entered(venue=venue, role=role, order=order, ts_ns=ts_ns))

    def see(self, key, status, filled, event):
        evidence = Evidence(
            key=key, status=status, filled=filled, ts_ns=event.ts_ns, reason=getattr(event, "reason", None),
            text=getattr(event, "text", ""), average_price=D("100.05") if filled else None,
            oids=(OidFilled(f"{len(key)}{key[1:]}", filled, None),),
        )  # fmt: skip
        self.journal.append("Evidence", evidence)

    def run(self, schedule):
        for step in schedule:
            self.clock.advance(1000)
            self.step(*step)
            if step[0] == "time" and step[1] % 4 == 0:
                self.journal.append("Session", desk=1, session_ms=step[1])
            elif step[0] == "time" and step[1] % 4 == 1:
                self.journal.append("Recovered")
        return list(self.journal.records())


def past_of(records):
    return replay(records, Kernel(lambda: "no new ones"))


def in_sum(kernel):
    """What decides, without when: the same for a desk that lived and for one that read of it."""
    return {
        key: (
            book.target, book.hedged, book.in_flight, book.forfeited, book.balance, book.unknown, book.hold,
            book.failures,
            {name: (share.hedged, share.in_flight, share.waiting, share.netted, share.forfeited)
             for name, share in book.shares.items()},
            sorted((child.cloid, child.state, child.cum) for child in book.open_children.values()),
        )
        for key, book in kernel.books.items()
    }  # fmt: skip


def told_in_two(records, cut):
    """Replay a checkpoint taken at ``cut``, as a journal holds it, and the records after it."""
    journal = MemoryJournal(ManualClock())
    begin(journal, past_of(records[:cut]).checkpoint())
    return past_of([*journal.records(), *records[cut:]])


def begin(journal, saved):
    journal.begin_segment(journal.draft(saved, journal.mark()))


@settings(max_examples=120, deadline=None)
@given(steps, st.data())
def test_a_checkpoint_and_what_follows_tell_what_all_records_tell(schedule, data):
    """I6: replay(all) == replay(checkpoint + what follows), in full, wherever the checkpoint is taken."""
    records = JournalingDesk().run(schedule)
    cut = data.draw(st.integers(0, len(records)))
    whole = past_of(records)
    assert past_of(records).digest == whole.digest, "the same journal tells the same"
    again = told_in_two(records, cut)
    assert again.digest == whole.digest
    assert (again.entered, again.evidence, again.started_ns) == (whole.entered, whole.evidence, whole.started_ns)
    assert (again.last_ns, again.in_touch) == (whole.last_ns, whole.in_touch)
    assert again.kernel.makers == whole.kernel.makers
    assert again.kernel.children == whole.kernel.children
    assert again.kernel.books == whole.kernel.books


@settings(max_examples=80, deadline=None)
@given(steps, steps)
def test_a_desk_goes_on_from_a_checkpoint_as_if_nothing_had_been(before, after):
    """The kernel restored decides what the living one decides: the same hedges for the same events."""
    lived = Desk()
    for step in before:
        lived.step(*step)
    restored, numbers = Desk(), count(len(lived.sent) + 1)
    restored.kernel = Kernel(lambda: f"c{next(numbers)}", lived.kernel.limits)
    restore(checkpoint(lived.kernel, {}, {}), restored.kernel)
    old, new = lived.book, restored.book
    new.contract, new.bid, new.ask, new.ts_quote_ns = old.contract, old.bid, old.ask, old.ts_quote_ns
    restored.filled, restored.cum, restored.sent = list(lived.filled), dict(lived.cum), dict(lived.sent)
    restored.unconfirmed = list(lived.unconfirmed)
    for step in after:
        lived.step(*step)
        restored.step(*step)
    assert list(restored.sent.values()) == list(lived.sent.values())
    assert digest(restored.kernel, {}, {}) == digest(lived.kernel, {}, {})


@settings(max_examples=80, deadline=None)
@given(steps)
def test_what_a_journal_tells_is_what_the_desk_had(schedule):
    """I6: a desk that was killed is told the sums, the hedges in flight and the holds that it had."""
    desk = JournalingDesk()
    assert in_sum(past_of(desk.run(schedule)).kernel) == in_sum(desk.kernel)


@settings(max_examples=80, deadline=None)
@given(steps, st.data())
def test_a_checkpoint_in_the_middle_tells_nothing_twice(schedule, data):
    """Who reads all segments reads checkpoints on the way: they add nothing to what was told before them."""
    records = JournalingDesk().run(schedule)
    cut = data.draw(st.integers(2, len(records)))
    journal = MemoryJournal(ManualClock())
    begin(journal, past_of(records[:cut]).checkpoint())
    head = list(journal.records())
    assert past_of([*records[:cut], *head, *records[cut:]]).digest == past_of(records).digest


def test_a_late_fill_of_an_order_long_gone_is_an_obligation():
    """I4 over checkpoints: an order that ended before the last checkpoint fills after all, and its book owes it."""
    desk = JournalingDesk()
    desk.step("fill", 0, 100)
    desk.see("m0", OrderStatus.CANCELLED, desk.filled[0], e.Clocked(ts_ns=5))
    for child in list(desk.sent):
        desk.step_child("end", child, 10, 6)
    past = told_in_two(list(desk.journal.records()), 8)
    assert past.kernel.book("b", "X").balance == 0
    page = OrdersPage()
    restore_orders(past, page)
    update = OrderUpdate(venue="a", ticker="X", oid="20", cloid=None, filled=D("1.75"))
    delta = page.upsert(update, 7)
    assert delta.after.key == "m0", "the venue's order id alone names it"
    assert delta.last_fill == D("0.75")
    past.kernel.replay(e.MakerFilled(maker="m0", filled=delta.after.filled, ts_ns=7))
    assert past.kernel.book("b", "X").balance == D("-0.75")


def test_a_checkpoint_that_does_not_fit_together_is_refused():
    """A row that names what is not there is an error in words, not a desk that knows half."""
    records = JournalingDesk().run([("fill", 0, 400)])
    saved = past_of(records).checkpoint()
    broken = msgspec.structs.replace(saved, makers=saved.makers[:1], books=())
    journal = MemoryJournal(ManualClock())
    begin(journal, broken)
    with pytest.raises(JournalError, match=r"record 0 \(Checkpoint\) does not fit together"):
        past_of(journal.records())


NOW = 1_790_000_000_000_000_000


def hedged_makers(number, policy, journal):
    """Journal makers that were filled, hedged and are done."""
    for each in range(number):
        key, child = f"{each:032x}", f"c{each:031x}"
        legs = (Leg(venue="b", ticker="X", policy=policy),)
        order = PlaceOrder(ticker="X", cloid=key, amount=D("0.5"), price=D("2431.50"))
        parts = (e.Part(key, 0, D("-0.5")),)
        filled = Evidence(
            key=key, status=OrderStatus.FILLED, filled=D("0.5"), ts_ns=NOW, price=D("2431.50"),
            average_price=D("2431.50"), oids=(OidFilled(f"{8_389_765_000 + each}", D("0.5"), D("0.5")),),
        )  # fmt: skip
        journal.append("MakerPlaced", e.MakerPlaced(maker=key, venue="a", ticker="X", legs=legs, ts_ns=NOW))
        journal.append("Entered", Entered(venue="a", role=Role.MAKER, order=order, ts_ns=NOW))
        journal.append("Evidence", msgspec.structs.replace(filled, status=OrderStatus.NEW, filled=ZERO))
        journal.append("Evidence", filled)
        journal.append(
            "Intended",
            e.Intended(
                child=child, venue="b", ticker="X", amount=D("-0.5"), parts=parts, policy=policy, rung=0, ts_ns=NOW
            ),
        )
        journal.append("ChildSent", e.ChildSent(child=child, ts_ns=NOW, accept_until_ns=NOW))
        journal.append("Evidence", msgspec.structs.replace(filled, key=child, filled=D("-0.5")))


def test_an_order_takes_few_bytes_in_a_checkpoint():
    """A maker with its hedge takes less than a third of what its records took, with all that decides."""
    sizes = []
    for number in (1, 101):
        journal = MemoryJournal(ManualClock(now_ns=NOW))
        hedged_makers(number, Policy(rungs=(Rung(how=How.IOC, slippage_bps=D(8)),)), journal)
        saved = past_of(journal.records()).checkpoint()
        sizes.append((len(msgspec.json.encode(saved)), len(journal.image)))
    taken, written = ((many - one) / 100 for one, many in zip(*sizes, strict=True))
    assert taken < 800
    assert taken < written / 3


def test_a_hedge_that_was_to_be_cancelled_still_climbs_after_a_restart():
    """The decision to end a joined hedge is journaled: its end takes the next rung, before a restart and after."""
    ladder = Policy(rungs=(Rung(how=How.JOIN, for_ms=500), Rung()))
    journal = MemoryJournal(ManualClock())
    legs = (Leg(venue="b", ticker="X", policy=ladder),)
    journal.append("MakerPlaced", e.MakerPlaced(maker="m", venue="a", ticker="X", legs=legs, ts_ns=1))
    journal.append("Evidence", Evidence(key="m", status=OrderStatus.PARTIAL, filled=D(1), ts_ns=2))
    parts = (e.Part("m", 0, D(-1)),)
    journal.append(
        "Intended",
        e.Intended(child="c", venue="b", ticker="X", amount=D(-1), parts=parts, policy=ladder, rung=0, ts_ns=2),
    )
    journal.append("Evidence", Evidence(key="c", status=OrderStatus.NEW, filled=ZERO, ts_ns=3))
    journal.append("ChildCancelling", e.ChildCancelling(child="c", ts_ns=10**9))
    records = list(journal.records())
    for past in (past_of(records), told_in_two(records, len(records))):
        past.kernel.replay(e.ChildSeen(child="c", filled=ZERO, done=True, ts_ns=10**9 + 1))
        past.kernel.replay(e.ChildConfirmed(child="c", ts_ns=10**9 + 2))
        book = past.kernel.book("b", "X")
        assert [item.rung for item in book.obligations] == [1]
        assert book.failures == 0


def test_an_escalation_reaches_every_obligation_of_its_policy_after_a_restart():
    """Policies are the same by what they say: a replayed hedge order escalates what waits under its policy."""
    policy = Policy(rungs=(Rung(how=How.IOC, slippage_bps=D(8)),), on_failure=OnFailure.ESCALATE)
    journal = MemoryJournal(ManualClock())
    legs = (Leg(venue="b", ticker="X", policy=policy),)
    journal.append("MakerPlaced", e.MakerPlaced(maker="m", venue="a", ticker="X", legs=legs, ts_ns=1))
    journal.append("Evidence", Evidence(key="m", status=OrderStatus.PARTIAL, filled=D(1), ts_ns=2))
    parts = (e.Part("m", 0, D(-1)),)
    journal.append(
        "Intended",
        e.Intended(child="c", venue="b", ticker="X", amount=D(-1), parts=parts, policy=policy, rung=0, ts_ns=2),
    )
    journal.append("Evidence", Evidence(key="m", status=OrderStatus.PARTIAL, filled=D(3), ts_ns=3))
    kernel = past_of(journal.records()).kernel
    book = kernel.book("b", "X")
    book.failures = kernel.limits.max_failures
    kernel.replay(e.ChildSeen(child="c", filled=ZERO, done=True, reason=RejectReason.OTHER, ts_ns=4))
    assert {item.rung for item in book.obligations} == {-1}
    assert book.balance == D(-3)


def test_everything_that_the_kernel_keeps_was_thought_of():
    """A new field of the kernel's state must be put into the checkpoint, or be named here as told anew by the venue."""
    told_anew = {"contract", "market_slippage", "bid", "ask", "ts_quote_ns", "down"}
    told_anew |= {"waits", "release", "ts_waiting_ns"}
    told_anew |= {"halted"}  # by the trading state, which the checkpoint has
    elsewhere = {"open_children", "shares", "cloid", "unwinding"}
    for kept, row in (
        (HedgeBook, BookRow), (Child, ChildRow), (Maker, MakerRow), (Obligation, ObligationRow), (Claim, ClaimRow),
        (Share, ShareRow),
    ):  # fmt: skip
        missing = set(kept.__struct_fields__) - set(row.__struct_fields__)
        assert missing <= told_anew | elsewhere, f"{kept.__name__} is not kept in full"
    assert set(Absence.__struct_fields__) == {"accept_until_ns", "first_ns"}
    assert set(vars(Kernel(lambda: ""))) == {
        "makers", "children", "books", "now_ns", "limits", "_new_cloid", "_commands", "_apply", "outages", "unwinds",
        "cap", "halted", "_due_ns",
        "_unsettled",
    }  # fmt: skip
