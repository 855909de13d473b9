"""The kernel's invariants under any schedule of fills, answers, silence, prices and time (Hypothesis)."""

from decimal import Decimal
from itertools import count

from hypothesis import given, settings
from hypothesis import strategies as st

from gateways.contracts import is_multiple
from gateways.standards import ZERO, Contract, RejectReason
from oms.hedge import events as e
from oms.hedge.kernel import Kernel
from oms.hedge.policy import How, Leg, Limits, Policy, Rung
from oms.hedge.state import ChildState

D = Decimal
MS = 1_000_000
LOT = D("0.1")
MINIMUM = D(5)

SPEC = Contract(
    venue="b", ticker="X", base="X", quote="USDT", tick_size=D("0.01"), lot_size=LOT, min_quantity=LOT,
    min_notional=MINIMUM,
)  # fmt: skip
IOC = Rung(how=How.IOC, slippage_bps=D(8))
POLICIES = [
    Policy(), Policy(trigger_after_ms=300), Policy(rungs=(IOC,)), Policy(rungs=(Rung(how=How.JOIN, for_ms=300), IOC)),
]  # fmt: skip

steps = st.lists(
    st.one_of(
        st.tuples(st.just("fill"), st.integers(0, 3), st.integers(1, 400)),
        st.tuples(st.just("answer"), st.integers(0, 30), st.integers(0, 10)),
        st.tuples(st.just("end"), st.integers(0, 30), st.integers(0, 10)),
        st.tuples(st.just("refuse"), st.integers(0, 30), st.sampled_from([RejectReason.OTHER, RejectReason.LOT])),
        st.tuples(st.just("confirm"), st.integers(0, 30), st.integers(0, 10)),
        st.tuples(st.just("silence"), st.integers(0, 30), st.none()),
        st.tuples(st.just("absent"), st.integers(0, 30), st.none()),
        st.tuples(st.just("late"), st.integers(0, 30), st.integers(0, 10)),
        st.tuples(st.just("price"), st.integers(5, 200), st.none()),
        st.tuples(st.just("time"), st.integers(1, 6000), st.none()),
        st.tuples(st.just("forfeit"), st.none(), st.none()),
    ),
    max_size=60,
)


class Desk:
    """Drives a kernel and keeps what really happened, apart from it."""

    def __init__(self, *, one_sided=False):
        numbers = count(1)
        self.kernel = Kernel(lambda: f"c{next(numbers)}", Limits(max_failures=10**6))
        self.signs = [1, 1, 1, 1] if one_sided else [1, -1, 1, -1]
        self.filled = [ZERO] * 4
        self.cum: dict[str, Decimal] = {}
        self.sent: dict[str, e.SendChild] = {}
        self.unconfirmed: list[str] = []
        """Orders that rested and were told ended: the venue was not asked yet what they filled last."""
        self.kernel.book("b", "X")
        self.apply(e.Specified(contract=SPEC, ts_ns=1))
        self.apply(e.Priced(venue="b", ticker="X", bid=D(50), ask=D("50.1"), ts_ns=1))
        for number in range(4):
            leg = Leg(venue="b", ticker="X", ratio=D("-0.5") if number == 2 else D(-1), policy=POLICIES[number])
            self.apply(e.MakerPlaced(maker=f"m{number}", venue="a", ticker="X", legs=(leg,), ts_ns=1))

    @property
    def book(self):
        return self.kernel.books["b", "X"]

    def apply(self, event):
        hedges, rest = self.kernel.decide(event), self.kernel.settle()
        assert not any(isinstance(command, e.SendChild) for command in rest), "no hedge waits for the rest"
        commands = hedges + rest
        for command in commands:
            if isinstance(command, e.SendChild):
                assert command.child not in self.sent, "I3: one order for one intent"
                self.sent[command.child] = command
                self.cum[command.child] = ZERO
        self.check(commands)
        return commands

    def check(self, commands):
        book = self.book
        ratios = [D(-1), D(-1), D("-0.5"), D(-1)]
        target = sum((ratio * filled for ratio, filled in zip(ratios, self.filled, strict=True)), ZERO)
        assert book.target == target, "I4: every fill is in the target"
        assert book.hedged == sum(self.cum.values(), ZERO), "I1: hedged is what the venue filled"
        assert book.target == book.hedged + book.in_flight + book.balance + book.forfeited, "I1"
        assert sum((item.quantity for item in book.obligations), ZERO) == book.balance
        shares = book.shares.values()
        assert sum((share.hedged for share in shares), ZERO) == book.hedged, "I12"
        assert sum((share.in_flight for share in shares), ZERO) == book.in_flight, "I12"
        assert sum((share.netted for share in shares), ZERO) == 0, "I12"
        for (maker, _), share in book.shares.items():
            number = int(maker[1:])
            parts = share.hedged + share.in_flight + share.waiting + share.netted + share.forfeited
            assert parts == ratios[number] * self.filled[number], "I12: a maker's parts add up to its target"
        for command in commands:
            if isinstance(command, e.SendChild):
                assert is_multiple(command.amount, LOT), "I2: a lot multiple"
                assert abs(command.amount) * book.bid >= MINIMUM, "I2: over the minimum"
                assert sum((part.quantity for part in command.parts), ZERO) == command.amount

    def child(self, number):
        names = list(self.sent)
        return names[number % len(names)] if names else None

    def step(self, kind, first, second):
        now = self.kernel.now_ns + MS
        if kind == "fill":
            self.filled[first] += self.signs[first] * D(second) / 100
            self.apply(e.MakerFilled(maker=f"m{first}", filled=self.filled[first], ts_ns=now))
        elif kind == "price":
            self.apply(e.Priced(venue="b", ticker="X", bid=D(first), ask=D(first) + 1, ts_ns=now))
        elif kind == "time":
            self.apply(e.Clocked(ts_ns=now + first * MS))
        elif kind == "forfeit":
            self.apply(e.Forfeited(venue="b", ticker="X", ts_ns=now))
        elif kind == "confirm":
            if self.unconfirmed:
                self.confirm(self.unconfirmed.pop(first % len(self.unconfirmed)), second, now)
        elif (name := self.child(first)) is not None:
            self.step_child(kind, name, second, now)

    def confirm(self, name, tenths, now):
        """Let the venue say how much an order filled: what it filled last comes with the answer."""
        self.cum[name] = max(self.cum[name], self.sent[name].amount * tenths / 10, key=abs)
        self.apply(e.ChildSeen(child=name, filled=self.cum[name], done=True, ts_ns=now))
        self.apply(e.ChildConfirmed(child=name, ts_ns=now))

    def step_child(self, kind, name, second, now):
        child = self.kernel.children[name]
        amount = self.sent[name].amount
        if kind == "silence":
            self.apply(e.ChildUnknown(child=name, ts_ns=now, text="timeout"))
        elif kind == "absent":
            self.apply(e.ChildAbsent(child=name, ts_ns=now))
        elif kind == "refuse":
            if self.cum[name] == 0:
                self.apply(e.ChildSeen(child=name, filled=ZERO, done=True, reason=second, ts_ns=now))
        else:
            late = kind == "late" or child.state is ChildState.DONE
            if late and kind != "late":
                return
            cum = amount * second / 10
            self.cum[name] = max(self.cum[name], cum, key=abs)
            joined = self.sent[name].policy.rung(self.sent[name].rung).how is How.JOIN
            if kind == "end" and joined and name not in self.unconfirmed:  # an end may be told twice, and is one
                self.unconfirmed.append(name)
            self.apply(e.ChildSeen(child=name, filled=cum, done=kind == "end", ts_ns=now))


@settings(max_examples=300, deadline=None)
@given(steps)
def test_every_step_of_any_schedule_keeps_the_books(schedule):
    """I1, I2, I3, I4, I12 hold at every step, for opposite makers, delays, unknowns, late fills and forfeits."""
    desk = Desk()
    for step in schedule:
        desk.step(*step)


@settings(max_examples=300, deadline=None)
@given(steps)
def test_with_makers_on_one_side_the_venue_never_holds_more_than_the_target(schedule):
    """I2 at the venue: filled plus what could still fill, unknowns in full, never exceeds the target."""
    desk = Desk(one_sided=True)
    for step in schedule:
        if step[0] in {"late", "forfeit"}:
            continue
        desk.step(*step)
        could = ZERO
        for name, command in desk.sent.items():
            open_still = desk.kernel.children[name].state is not ChildState.DONE
            could += command.amount if open_still else desk.cum[name]
        assert abs(could) <= abs(desk.book.target)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(1, 50), min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_duplicated_and_shuffled_evidence_gives_the_same_target(growths, random):
    """I7, I8: the same cumulative evidence, in any order and repeated, gives the same target."""
    total, sizes = ZERO, []
    for growth in growths:
        total += D(growth) / 10
        sizes.append(total)
    shuffled = sizes * 2
    random.shuffle(shuffled)
    desk = Desk(one_sided=True)
    best = ZERO
    for size in shuffled:
        is_news = size > best
        best = max(best, size)
        desk.filled[0] = best
        commands = desk.apply(e.MakerFilled(maker="m0", filled=size, ts_ns=desk.kernel.now_ns + 1))
        assert is_news or not commands
    assert desk.book.target == -total


@settings(max_examples=200, deadline=None)
@given(steps)
def test_when_faults_stop_every_book_comes_to_rest(schedule):
    """I5: once every hedge order is answered, HOLDs are resumed and time passes, less than a lot or minimum is left."""
    desk = Desk()
    for step in schedule:
        desk.step(*step)
    desk.apply(e.Resumed(venue="b", ticker="X", ts_ns=desk.kernel.now_ns + 1))
    for _ in range(200):
        desk.apply(e.Priced(venue="b", ticker="X", bid=D(50), ask=D(51), ts_ns=desk.kernel.now_ns + 1))
        for name, command in list(desk.sent.items()):
            if desk.kernel.children[name].state is not ChildState.DONE:
                desk.cum[name] = max(desk.cum[name], command.amount, key=abs)
                desk.apply(e.ChildSeen(child=name, filled=command.amount, done=True, ts_ns=desk.kernel.now_ns + 1))
        due = desk.kernel.next_due_ns()
        if due is None and not desk.book.open_children:
            break
        desk.apply(e.Clocked(ts_ns=due or desk.kernel.now_ns + 1))
    assert desk.book.in_flight == 0
    limit = D(50) * (1 - D(8) / 10_000)  # of a sell by IOC: the minimum holds there
    assert abs(desk.book.balance) // LOT * LOT * limit < MINIMUM


@settings(max_examples=200, deadline=None)
@given(steps)
def test_the_same_events_give_the_same_commands(schedule):
    """The kernel is deterministic: no clock, no randomness."""
    first, second = Desk(), Desk()
    for step in schedule:
        first.step(*step)
        second.step(*step)
    assert first.sent == second.sent
