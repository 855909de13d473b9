"""A desk that puts its finished orders away behaves as one that keeps them all, whatever comes late (Hypothesis)."""

import asyncio
from decimal import Decimal
from itertools import count

from hypothesis import given, settings
from hypothesis import strategies as st

from gateways.standards import ZERO, Contract, FillEvent, OrderStatus, OrderUpdate, PlaceOrder
from oms.archive import Archive
from oms.clock import ManualClock
from oms.evidence import Entered, evidence_of, hedge_event
from oms.hedge import events as e
from oms.hedge.dispatch import order_of
from oms.hedge.kernel import Kernel
from oms.hedge.policy import Leg, Limits
from oms.journal import MemoryJournal
from oms.order_store import OrderStore
from oms.orders import Order, Role
from oms.put_away import Kept, PutAway
from oms.recovery import replay, restore_orders
from oms.upkeep import follow
from tests.put_away import orders_away

D = Decimal
S = OrderStatus
LOT = D("0.1")
SPEC = Contract(
    venue="b", ticker="X", base="X", quote="USDT", tick_size=D("0.01"), lot_size=LOT, min_quantity=LOT,
    min_notional=ZERO,
)  # fmt: skip
PRICE = D(100)
FOR_EVER_S = 1e9
CHANNELS = ("orders", "both", "trades")

number = st.integers(0, 40)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("maker"), st.sampled_from([1, 1, -1]), st.booleans()),
        st.tuples(st.just("fill"), number, st.integers(1, 9)),
        st.tuples(st.just("fill"), number, st.integers(1, 9)),
        st.tuples(st.just("end"), number, st.booleans()),
        st.tuples(st.just("all end"), st.none(), st.none()),
        st.tuples(st.just("again"), number, st.none()),
        st.tuples(st.just("named"), number, st.none()),
        st.tuples(st.just("away"), st.integers(0, 3), st.none()),
        st.tuples(st.just("away"), st.just(0), st.none()),
        st.tuples(st.just("restart"), st.none(), st.none()),
        st.tuples(st.just("forfeit"), st.none(), st.none()),
        st.tuples(st.just("reopen"), st.integers(1, 5), st.none()),
    ),
    max_size=50,
)


class Real:
    """An order as its venue has it."""

    def __init__(self, key, venue, amount):
        self.key, self.venue, self.amount = key, venue, amount
        self.filled = ZERO
        self.status = S.NEW


class Desk:
    """Page, kernel and journal of a desk, without the shell around them; it puts away only when told to."""

    def __init__(self, *, keeps):
        self.keeps = keeps
        self.clock = ManualClock(now_ns=1000)
        self.archive = Archive()
        self.names = count(1)
        self.journal = MemoryJournal(self.clock, archive=self.archive)
        self.journal.append("Session", desk=1, session_ms=1)
        self.open(b"")

    def open(self, image):
        """Start on what the journal holds."""
        if image:
            self.journal = MemoryJournal(self.clock, image, archive=self.archive)
        self.kernel = Kernel(lambda: f"h{next(self.names)}", Limits(max_failures=10**6))
        self.store = self.page = OrderStore(self.kernel, self.archive)
        past = replay(self.journal.records(), self.kernel, self.archive)
        restore_orders(past, self.store)
        self.store.begin(past.upto)
        self.kernel.book("b", "X")
        now = self.clock.now_ns()
        commands = self.kernel.apply(e.Specified(contract=SPEC, ts_ns=now))
        commands += self.kernel.apply(e.Priced(venue="b", ticker="X", bid=PRICE, ask=PRICE + 1, ts_ns=now))
        return self.decided(commands)

    def act(self, event):
        """The operator's, or a placement: checked, journaled, applied."""
        self.kernel.check(event)
        self.journal.append(type(event).__name__, event)
        return self.decided(self.kernel.apply(event))

    def decided(self, commands):
        for each in commands:
            if isinstance(each, e.SendChild):
                self.journal.append("Intended", each.intended(self.clock.now_ns()))
        return self.carry_out(commands)

    def enter(self, venue, order, role):
        if role is Role.MAKER:
            entered = Entered(venue=venue, role=role, order=order, ts_ns=self.clock.now_ns())
            self.journal.append("Entered", entered)
        self.store.register(
            Order(key=order.cloid, cloid=order.cloid, venue=venue, ticker="X", role=role, amount=order.amount,
                  price=order.price, kind=order.kind, tif=order.tif, ts_created_ns=self.clock.now_ns())
        )  # fmt: skip

    def carry_out(self, commands):
        for command in commands:
            if isinstance(command, e.SendChild):
                self.enter(command.venue, order_of(command), Role.HEDGE)
        return commands

    def take(self, told):
        """What a venue says, as the intake takes it."""
        now = self.clock.now_ns()
        delta = self.store.upsert(told, now)
        if delta is None:
            return []
        evidence = evidence_of(self.store, delta.after)
        commands = self.kernel.apply(hedge_event(self.kernel, evidence))
        sent = [("Intended", each.intended(now)) for each in commands if isinstance(each, e.SendChild)]
        self.journal.append_with("Evidence", evidence, sent)
        return self.carry_out(commands)

    def leave(self, kept):
        if not self.keeps:
            self.put_away = PutAway(self, Kept(kept, FOR_EVER_S))
            asyncio.run(follow(self))

    def whole(self):
        """All that it knows of its orders and books, the orders brought back."""
        for each in orders_away(self):
            assert self.store.get(each.key) is not None
        kernel, book = self.kernel, self.kernel.books["b", "X"]
        return (
            {key: (maker.filled, maker.legs) for key, maker in kernel.makers.items()},
            {key: (child.state, child.cum, child.claims) for key, child in kernel.children.items()},
            dict(book.shares), list(book.obligations), book.latest,
            {order.key: (order.status, order.filled, order.amount) for order in self.store.orders()},
        )  # fmt: skip

    def journaled(self):
        """What a restart would know, the orders brought back."""
        kernel = Kernel(lambda: "no new ones")
        past = replay(self.journal.records(), kernel, self.archive)
        past.bring_all_back(self.archive)
        evidence = {key: (each.status, each.filled, each.oids) for key, each in past.evidence.items()}
        return past.entered, evidence, {key: maker.filled for key, maker in kernel.makers.items()}

    def sums(self):
        book = self.kernel.books["b", "X"]
        return book.target, book.hedged, book.in_flight, book.balance, book.forfeited, list(book.obligations)


class World:
    """Two desks that are told the same; one keeps every order in memory."""

    def __init__(self, *, restarts):
        self.restarts = restarts
        self.desks = [Desk(keeps=True), Desk(keeps=False)]
        self.real: dict[str, Real] = {}
        self.told = []
        self.trades = count(1)
        self.makers = count(1)

    def both(self, do):
        """Do the same with both; they must do the same."""
        first, second = (do(desk) for desk in self.desks)
        assert first == second, "the same commands"
        assert self.desks[0].sums() == self.desks[1].sums(), "the same books"
        for command in first or ():
            if isinstance(command, e.SendChild):
                self.real[command.child] = Real(command.child, "b", command.amount)
        for desk in self.desks:
            desk.clock.advance(1_000_000)

    def step(self, kind, first, second):
        getattr(self, "step_" + kind.replace(" ", "_"))(first, second)

    def step_maker(self, sign, _rests):
        key = f"m{next(self.makers)}"
        leg = Leg(venue="b", ticker="X", ratio=D(-1))
        order = PlaceOrder(ticker="X", cloid=key, amount=sign * D(1), price=PRICE)

        def place(desk):
            placed = e.MakerPlaced(maker=key, venue="a", ticker="X", legs=(leg,), ts_ns=desk.clock.now_ns())
            desk.act(placed)
            desk.enter("a", order, Role.MAKER)

        self.both(place)
        self.real[key] = Real(key, "a", order.amount)

    def chosen(self, index):
        real = list(self.real.values())
        return real[index % len(real)] if real else None

    def step_fill(self, index, tenths):
        """An order trades, whether it has ended or not, within its amount or beyond."""
        real = self.chosen(index)
        if real is None:
            return
        amount = (tenths * LOT).copy_sign(real.amount)
        real.filled += amount
        if not real.status.terminal:
            real.status = S.FILLED if abs(real.filled) >= abs(real.amount) else S.PARTIAL
        trade = FillEvent(
            venue=real.venue, ticker="X", oid=f"o{real.key}", trade_id=f"t{next(self.trades)}", amount=amount,
            price=PRICE, cloid=None if tenths % 2 else real.key,
        )  # fmt: skip
        # after a restart a journal knows no single trades: there the cumulative size always comes as well
        channel = "both" if self.restarts else CHANNELS[tenths % 3]
        if channel != "trades":
            self.tell(self.update(real))
        if channel != "orders":
            self.tell(trade)

    def update(self, real):
        return OrderUpdate(
            venue=real.venue, ticker="X", oid=f"o{real.key}", cloid=real.key, status=real.status, amount=real.amount,
            filled=real.filled, average_price=PRICE,
        )  # fmt: skip

    def tell(self, told):
        self.told.append(told)
        self.both(lambda desk: desk.take(told))

    def step_end(self, index, fills):
        real = self.chosen(index)
        if real is not None and not real.status.terminal:
            if fills:
                real.filled = max(real.filled, real.amount, key=abs)
            real.status = S.FILLED if fills else S.CANCELLED
            self.tell(self.update(real))

    def step_all_end(self, _first, _second):
        """Every order that is open fills: most of a desk's past is finished."""
        for real in list(self.real.values()):
            if not real.status.terminal:
                real.filled = max(real.filled, real.amount, key=abs)
                real.status = S.FILLED
                self.tell(self.update(real))

    def step_again(self, index, _second):
        if self.told:
            told = self.told[index % len(self.told)]
            self.both(lambda desk: desk.take(told))

    def step_named(self, index, _second):
        """The operator looks at an order: it comes back, and nothing is told of it."""
        real = self.chosen(index)
        if real is not None:
            self.both(lambda desk: desk.page.find(real.key) and None)

    def step_away(self, kept, _second):
        self.both(lambda desk: desk.leave(kept))

    def step_restart(self, _first, _second):
        if self.restarts:
            self.both(lambda desk: desk.open(desk.journal.image))

    def step_forfeit(self, _first, _second):
        self.both(lambda desk: desk.act(e.Forfeited(venue="b", ticker="X", ts_ns=desk.clock.now_ns())))

    def step_reopen(self, tenths, _second):
        if self.real:
            amount = tenths * LOT
            self.both(
                lambda desk: desk.act(e.Reopened(venue="b", ticker="X", amount=amount, ts_ns=desk.clock.now_ns()))
            )


@settings(max_examples=250, deadline=None)
@given(steps, st.booleans())
def test_orders_put_away_change_nothing(schedule, restarts):
    """I4, I8, I12: late fills, overfills, duplicates and restarts lead to the same commands, books, shares and orders.

    The one desk has its finished orders in memory, the other puts them away at any moment, some of them or all.
    """
    world = World(restarts=restarts)
    for step in schedule:
        world.step(*step)
    keeping, putting = world.desks
    assert putting.whole() == keeping.whole()
    assert putting.journaled() == keeping.journaled(), "I6: journal and archive together tell what a journal tells"


def test_the_property_is_about_orders_that_are_away():
    """A schedule in which everything is put away, and then everything fills late."""
    world = World(restarts=True)
    for _ in range(3):
        world.step("maker", 1, True)
    world.step("all end", None, None)
    world.step("all end", None, None)
    world.step("away", 0, None)
    keeping, putting = world.desks
    assert len(keeping.store) == 6
    assert len(putting.store) == 1, "the latest maker stays: what is reopened is for it"
    assert set(putting.kernel.books["b", "X"].shares) == {("m3", 0)}
    world.step("restart", None, None)
    assert len(putting.store) == 1
    for index in range(6):
        world.step("fill", index, 2)
    assert len(putting.store) == len(keeping.store) == 6 + 6, "each brought its order back, and was answered"
    assert putting.kernel.books["b", "X"].target == D("-3.6")
