"""The state machine: every fault of docs/reliability.md as a rule, in any order, against oracles for venues."""

from collections import Counter
from decimal import Decimal
from typing import ClassVar

import msgspec
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gateways.errors import Unknown
from gateways.standards import (
    AmendOrder,
    CancelOrder,
    OrderStatus,
    PlaceOrder,
    RejectReason,
)
from oms.hedge.policy import How, Leg, Limits, OnFailure, Policy, Rung
from oms.orders import Role
from tests.machine.desk import STEPS, VENUES, Desk
from tests.machine.end import come_to_rest
from tests.machine.fates import FATES, amend_meets, cancel_meets, immediate, part_of, place_meets, unsaid_of
from tests.machine.oracle import TICKER, Mood
from tests.put_away import orders_away

D = Decimal
IOC = Rung(how=How.IOC, slippage_bps=D(8))
JOIN = Rung(how=How.JOIN, for_ms=700)
POLICIES = (
    Policy(),
    Policy(),
    Policy(trigger_after_ms=800),
    Policy(rungs=(IOC,)),
    Policy(rungs=(JOIN, IOC, Rung())),
    Policy(rungs=(JOIN, Rung(how=How.JOIN, for_ms=300))),
    Policy(above_quantity=D(2)),
    Policy(above_value=D(70)),
    Policy(rungs=(IOC,), on_failure=OnFailure.ESCALATE),
    Policy(on_failure=OnFailure.UNWIND),
    Policy(rungs=(JOIN, IOC), trigger_after_ms=300, on_failure=OnFailure.ESCALATE),
)
RATIOS = (D(-1), D(-1), D("-0.5"), D("-0.3"), D(-2))
REASONS = tuple(reason for reason in RejectReason if reason is not RejectReason.UNREACHABLE)
CHANNELS = ("both", "both", "trades", "orders", "none")

number = st.integers(0, 1 << 16)
venues = st.sampled_from(VENUES)


def some(items, index):
    """One of the items; None where there are none. A high index means a recent one."""
    return items[-1 - index % len(items)] if items else None


class HedgeMachine(RuleBasedStateMachine):
    """One schedule of faults. ``done`` counts what all schedules of the process did."""

    done: ClassVar[Counter] = Counter()

    def __init__(self):
        super().__init__()
        self.desk = None

    @initialize(failures=st.sampled_from([2, 3, 8]), one_sided=st.booleans())
    def open(self, failures, one_sided):
        """Start a desk without a past."""
        self.one_sided = one_sided
        self.desk = Desk(Limits(max_failures=failures, max_backoff_ns=4_000_000_000))

    # ------------------------------------------------------------ P1: makers

    @rule(
        alias=venues, others=st.sampled_from([(1,), (2,), (1, 2)]), lots=st.integers(1, 60), buys=st.booleans(),
        policies=st.tuples(st.integers(0, len(POLICIES) - 1), st.integers(0, len(POLICIES) - 1)),
        ratios=st.tuples(st.integers(0, len(RATIOS) - 1), st.integers(0, len(RATIOS) - 1)),
    )  # fmt: skip
    def place_maker(self, *, alias, others, lots, buys, policies, ratios):
        """P1: a maker with one leg or two goes out."""
        at = VENUES.index(alias)
        legs = tuple(
            Leg(venue=VENUES[(at + step) % 3], ticker=TICKER, ratio=RATIOS[ratio], policy=POLICIES[policy])
            for step, policy, ratio in zip(others, policies, ratios, strict=False)
        )
        quantity = self.desk.venues[alias].contract.lot_size * lots
        buys = buys or self.one_sided
        order = PlaceOrder(
            ticker=TICKER, cloid="", amount=quantity if buys else -quantity, price=D(48) if buys else D(52)
        )
        self.desk.start(self.desk.oms.place(alias, order, legs))

    @precondition(lambda self: any(venue.door for venue in self.desk.venues.values()))
    @rule(index=number, fate=st.sampled_from(FATES), reason=st.sampled_from(REASONS), share=st.integers(1, 10))
    def request_meets_its_fate(self, index, fate, reason, share):
        """P1, P4, P6: what becomes of a request that left the desk."""
        doors = [(venue, parcel) for venue in self.desk.venues.values() for parcel in venue.door]
        venue, parcel = doors[index % len(doors)]
        self.done[f"{type(parcel.request).__name__} {fate}"] += 1
        match parcel.request:
            case PlaceOrder():
                place_meets(self.desk, venue, parcel, fate, reason=reason, share=share)
            case CancelOrder():
                cancel_meets(self.desk, venue, parcel, fate, share=share)
            case AmendOrder():
                amend_meets(self.desk, venue, parcel, fate)
        self.desk.pump()

    @precondition(lambda self: any(venue.door for venue in self.desk.venues.values()))
    @rule(fills=st.booleans())
    def all_goes_well(self, fills):
        """P1 to P5 without a fault: every order that waits is taken, filled if it takes, and told of."""
        for venue in self.desk.venues.values():
            door = [parcel for parcel in venue.door if isinstance(parcel.request, PlaceOrder)]
            for parcel in door:
                takes = fills and immediate(parcel.request)
                place_meets(self.desk, venue, parcel, "filled" if takes else "accepted")
            wire, venue.wire[:] = list(venue.wire), []
            for message in wire:
                self.desk.do(venue.deliver, message)
        self.desk.pump()

    all_goes_well_again = all_goes_well

    def _placing(self):
        return [
            (venue, parcel) for venue in self.desk.venues.values() for parcel in venue.door
            if isinstance(parcel.request, PlaceOrder) and not venue.expired(parcel)
        ]  # fmt: skip

    @precondition(lambda self: self._placing())
    @rule(index=number, early_ms=st.integers(0, 900), mood=st.sampled_from([Mood.LATE, Mood.FAILING]))
    def accepted_at_the_last_moment(self, index, early_ms, mood):
        """P4: no answer, then taken just before it no longer could be, while queries lag or fail (I9)."""
        venue, parcel = some(self._placing(), index)
        parcel.reply(Unknown(venue.alias, "no answer"))
        venue.mood = mood
        self.desk.pump(max(0.0, venue.open_for_s(parcel) - early_ms / 1000))
        if parcel in venue.door and not venue.expired(parcel):
            place_meets(self.desk, venue, parcel, "mute")
            venue.wire.clear()
        self.desk.pump(0.5 if mood is Mood.LATE else 3.0)

    # ------------------------------------------------------------ P2, P5: what trades

    def _working(self):
        return [(venue, real) for venue in self.desk.venues.values() for real in venue.orders.values() if real.rest]

    @precondition(lambda self: self._working())
    @rule(index=number, share=st.integers(1, 10), channels=st.sampled_from(CHANNELS), named=st.booleans())
    def order_trades(self, index, share, channels, named):
        """P2, P5: a working order trades; one channel or both tell of it, or neither."""
        venue, real = some(self._working(), index)
        venue.fill(real, real.now, part_of(real.rest, share), channels=channels, named=named)

    @precondition(lambda self: self._working())
    @rule(index=number, told=st.booleans(), share=st.integers(1, 10))
    def order_ends(self, index, told, share):
        """P5: the venue ends an order with what it has: an IOC's rest, a self-trade, a margin call.

        The end of one that rested may be told with less than it filled.
        """
        venue, real = some(self._working(), index)
        hedge = real.cloid in self.desk.journal.shadow.intents
        unsaid = D(0) if immediate(real.order) else unsaid_of(real, share)
        self.done["ends told with less"] += bool(unsaid)
        venue.end(real, OrderStatus.EXPIRED if hedge else OrderStatus.CANCELLED, told=told, unsaid=unsaid)

    @precondition(lambda self: any(venue.orders for venue in self.desk.venues.values()))
    @rule(index=number, lots=st.integers(1, 9), channels=st.sampled_from(CHANNELS))
    def late_or_over(self, index, lots, channels):
        """P2, P5: a fill after the end, beyond the amount, or of an id that an amend replaced."""
        found = [(venue, real) for venue in self.desk.venues.values() for real in venue.orders.values()]
        self._trades_after_all(*some(found, index), index, lots, channels)

    def _trades_after_all(self, venue, real, index, lots, channels):
        one = real.ids[index % len(real.ids)]
        amount = (venue.contract.lot_size * lots).copy_sign(real.order.amount)
        hedge = self.desk.journal.shadow.intents.get(real.cloid)
        if hedge is not None:
            self.desk.exempt.add((hedge.venue, hedge.ticker))
        if one.ended is None:
            amount = one.amount - one.filled + amount
        venue.fill(real, one, amount, channels=channels)

    # ------------------------------------------------------------ the wire

    def _wires(self):
        return [venue for venue in self.desk.venues.values() if venue.wire]

    @precondition(lambda self: self._wires())
    @rule(which=number, index=number, twice=st.booleans())
    def message_arrives(self, which, index, twice):
        """P2, P5: one message arrives, in whatever order, once or twice at once (I8)."""
        venue = some(self._wires(), which)
        message = venue.wire.pop(index % len(venue.wire))
        crashes = self.desk.crashes
        self.desk.do(venue.deliver, message)
        journal = self.desk.journal
        if twice and not self.desk.starting and self.desk.crashes == crashes:
            self.desk.pump(0.001)
            journal = self.desk.journal
            written = len(journal.written)
            self.desk.do(venue.deliver, message)
            assert journal is not self.desk.journal or len(journal.written) == written, "I8: a duplicate is news"

    @precondition(lambda self: self._wires())
    @rule(which=number, keep=st.booleans())
    def messages_arrive(self, which, keep):
        """P2, P5: all that is on a venue's wire arrives in order; with ``keep`` it will come again."""
        venue = some(self._wires(), which)
        wire = list(venue.wire)
        venue.wire[:] = wire[-3:] if keep else []
        for message in wire:
            self.desk.do(venue.deliver, message)

    @precondition(lambda self: self._wires())
    @rule(which=number, index=number)
    def message_is_lost(self, which, index):
        """P2, P5: a message is lost while the socket lives."""
        venue = some(self._wires(), which)
        venue.wire.pop(index % len(venue.wire))

    # ------------------------------------------------------------ P6: cancels, amends

    def _makers(self):
        return [order for order in self.desk.oms.page.working() if order.role is Role.MAKER]

    @precondition(lambda self: self._makers())
    @rule(index=number)
    def cancel_is_asked_for(self, index):
        """P6: the operator cancels a maker."""
        order = some(self._makers(), index)
        self.desk.start(self.desk.oms.cancel_order(order.venue, order.ticker, cloid=order.key))

    @precondition(lambda self: self._makers())
    @rule(index=number, lots=st.integers(1, 60))
    def amend_is_asked_for(self, index, lots):
        """P6: the operator amends a maker's amount."""
        order = some(self._makers(), index)
        amount = (self.desk.venues[order.venue].contract.lot_size * lots).copy_sign(order.amount)
        self.desk.start(self.desk.oms.amend_order(order.key, amount=amount + order.filled))

    # ------------------------------------------------------------ P7: queries, time, prices

    @rule(alias=venues)
    def reconcile(self, alias):
        """P7: a snapshot of open orders, and the fills since the last known one; it may end an outage."""
        if not self.desk.starting:
            self.desk.start(self.desk.oms.supervisor.reconciler.whole(alias))

    @rule(alias=venues, mood=st.sampled_from(list(Mood)))
    def queries_change(self, alias, mood):
        """P7: queries fail, lag behind, or are well again."""
        self.desk.venues[alias].mood = mood

    @rule(alias=venues, trade=st.booleans(), rest=st.sampled_from([True, True, True, False]))
    def ways_change(self, alias, trade, rest):
        """P4: the ways to a venue fail and come back; without any its books hold at once, until it is reconciled."""
        self.desk.do(self.desk.ways, alias, trade=trade, rest=rest)
        self.done["outages"] += alias in self.desk.oms.kernel.outages

    @rule(ms=st.sampled_from([1, 300, 700, 1_100, 5_100, 6_100, 11_000]))
    def time_passes(self, ms):
        """Delays, ladders, backoffs, timeouts and the resolver's questions fall due."""
        self.desk.pump(ms / 1000)

    @rule(alias=venues, price=st.sampled_from([5, 20, 50, 120]))
    def price_moves(self, alias, price):
        """P3: a price over or under the minimums; also the only fresh quote for a limit hedge."""
        if not self.desk.starting:
            self.desk.do(self.desk.venues[alias].quote, D(price))

    @rule(alias=venues, lot=st.sampled_from(["0.1", "1", "0.3"]), minimum=st.sampled_from(["0", "5", "30"]),
          trading=st.sampled_from([True, True, False]))  # fmt: skip
    def contract_changes(self, alias, lot, minimum, trading):
        """P3: the contract's rules change and are asked for anew."""
        venue = self.desk.venues[alias]
        venue.contract = msgspec.structs.replace(
            venue.contract, lot_size=D(lot), min_quantity=D(lot), min_notional=D(minimum), trading=trading
        )
        if not self.desk.starting:
            self.desk.start(self.desk.oms.update_exchange_contracts(alias))

    @rule(alias=venues, lots=st.integers(1, 9), forced=st.booleans())
    def strangers_trade(self, alias, lots, forced):
        """An order typed by hand, or made by the venue, trades in a hedge contract (I13)."""
        self.desk.venues[alias].stranger(D(lots), forced=forced)

    # ------------------------------------------------------------ P8: the operator

    def _books(self):
        return [book for book in self.desk.oms.kernel.books.values() if book.shares]

    @precondition(lambda self: self._books())
    @rule(index=number, act=st.sampled_from(["pause", "resume", "resume now", "hold", "forfeit", "reopen", "round up",
                                             "part"]), lots=st.integers(1, 5))  # fmt: skip
    def operator_acts(self, index, act, lots):
        """The operator pauses, resumes, forfeits, reopens or rounds up; what is refused changes nothing."""
        book = some(self._books(), index)
        hedge, key = self.desk.oms.hedge, (book.venue, book.ticker)
        before = len(self.desk.journal.written)
        match act:
            case "pause":
                self.desk.do(hedge.pause, *key, "test")
            case "resume" | "resume now":
                self.desk.do(hedge.resume, *key, now=act == "resume now")
            case "hold":
                self.desk.do(hedge.hold, *key, "test")
            case "forfeit":
                self.desk.do(hedge.forfeit, *key, "test")
            case "part":
                self.desk.do(hedge.forfeit, *key, "test", book.balance * lots / 4)
            case "reopen":
                self.desk.exempt.add(key)
                self.desk.do(hedge.reopen, *key, D(lots) if index % 2 else -book.forfeited, "test")
            case "round up":
                self.desk.do(hedge.round_up, *key, "test")
        self.done[f"operator: {act}"] += len(self.desk.journal.written) > before

    def _unknown(self):
        return [child for child in self.desk.oms.kernel.children.values() if child.unsure]

    @precondition(lambda self: self._unknown())
    @rule(index=number)
    def operator_assumes_absent(self, index):
        """The operator takes an unknown hedge as never sent, an unconfirmed end as told, rightly or not."""
        child = some(self._unknown(), index)
        if self.desk.venues[child.book[0]].may_exist(child.cloid):
            self.desk.exempt.add(child.book)
        self.desk.do(self.desk.oms.hedge.assume_absent, child.cloid, "test")

    # ------------------------------------------------------------ the past

    @rule(torn=st.sampled_from([*[None] * 9, *STEPS]))
    def finished_orders_are_put_away(self, torn):
        """A new segment begins without what nothing depends on any more; the process may be killed at any step (I6)."""
        if not self.desk.starting and self.desk.journal.failed is None and self.desk.journal.countdown is None:
            self.done["orders put away"] += max(0, self.desk.put_away(torn))
            self.done[f"put away: {torn or 'whole'}"] += 1

    @precondition(lambda self: self._working())
    @rule()
    def all_that_works_fills(self):
        """P1 to P5 without a fault: makers fill in full and are hedged, so that much is finished."""
        for venue, real in self._working():
            venue.fill(real, real.now, real.rest)
        self.all_goes_well(fills=True)
        self.all_goes_well(fills=True)

    all_that_works_fills_again = all_that_works_fills

    def _away(self):
        found = {each.key for each in orders_away(self.desk.oms)}
        return [
            (venue, real) for venue in self.desk.venues.values() for key, real in venue.orders.items() if key in found
        ]

    @precondition(lambda self: self._away())
    @rule(index=number, lots=st.integers(1, 9), channels=st.sampled_from(CHANNELS))
    def one_put_away_trades(self, index, lots, channels):
        """P2, P5: an order that is in memory no more fills after all (I4)."""
        self.done["trades of orders put away"] += 1
        self._trades_after_all(*some(self._away(), index), index, lots, channels)

    one_put_away_trades_again = one_put_away_trades

    @precondition(lambda self: self._away())
    @rule(index=number)
    def one_put_away_is_named(self, index):
        """The operator names an order that is in memory no more: it comes back as it was."""
        _venue, real = some(self._away(), index)
        assert self.desk.oms.page.find(real.cloid[:8])[0].key == real.cloid

    # ------------------------------------------------------------ crashes

    @rule(how=st.sampled_from(["now", "at a record", "at a record", "disk full"]), records=st.integers(1, 6),
          after=st.booleans(), really=st.integers(0, 2))  # fmt: skip
    def process_is_killed(self, how, records, after, really):
        """P2 to P4: kill -9 between two turns, before the n-th next record or right after it; or a full disk (I6)."""
        if self.desk.starting or really:
            return
        self.done[f"killed: {how}"] += 1
        match how:
            case "now":
                self.desk.crash()
            case "at a record":
                self.desk.journal.countdown, self.desk.journal.after = records, after
            case "disk full":
                self.desk.journal.fail("disk full")

    @precondition(lambda self: self.desk.journal.failed is not None)
    @rule()
    def operator_makes_room(self):
        """The operator starts the desk again with room on the disk."""
        self.desk.crash()

    # ------------------------------------------------------------ always

    @invariant()
    def books_hold(self):
        """I1, I4, I7 to I9, I12, I13 at every step, and I2 at the venue."""
        if self.desk is not None:
            HedgeMachine.done["steps"] += 1
            self.desk.check()

    def teardown(self):
        """I5: when faults stop, every schedule comes to rest on the truth."""
        if self.desk is None:
            return
        try:
            come_to_rest(self.desk)
            HedgeMachine.done["examples"] += 1
        finally:
            self.desk.close()

    # ------------------------------------------------------------ weights: what schedules need most comes more often

    place_maker_again = place_maker
    meets_its_fate_again = request_meets_its_fate
    meets_its_fate_once_more = request_meets_its_fate
    trades_again = order_trades
    trades_once_more = order_trades
    arrive_again = messages_arrive
    time_passes_again = time_passes
