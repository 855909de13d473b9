"""The dead man's switches: armed where makers rest, told again, taken back, and never over a hedge that rests."""

import asyncio
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateways.errors import Rejected, Unavailable, Unknown
from gateways.standards import OrderKind, OrderStatus, PlaceOrder, TimeInForce
from gateways.venue import DeadMan
from oms.dead_man import REFUSED_S, rests, scope_of, to_guard
from oms.hedge.kernel import Kernel
from oms.hedge.policy import How, Rung
from oms.memory_journal import MemoryJournal
from oms.orders import Order, Role
from tests.oms.stub_venue import StubVenue, contract, desk, virtual

D = Decimal
ACCOUNT = DeadMan(shortest_s=5, longest_s=120)
CONTRACT = DeadMan(shortest_s=5, longest_s=120, per_contract=True)
JOIN = {"exc": "b", "ticker": "X", "rungs": (Rung(how=How.JOIN, for_ms=60_000), Rung())}
SECONDS = 30


class GuardedVenue(StubVenue):
    """Cancels what rests when its time is over, as a venue does; tells how it was asked."""

    def __init__(self, alias, clock, terms, contracts=()):
        super().__init__(alias, clock, contracts, dead_mans_switch=terms)
        self.acts_at = {}

    def script_switch(self, verb, *said):
        self.script[verb].extend(said)

    async def arm_dead_man(self, seconds, ticker):
        await self._do("arm", (seconds, ticker), self._set)

    async def disarm_dead_man(self, ticker):
        await self._do("disarm", ticker, lambda _: self.acts_at.pop(ticker, None))

    def _set(self, asked):
        seconds, ticker = asked
        self.acts_at[ticker] = self._clock.time() + seconds

    def acts(self):
        """Do what is due by now: what rests in the scope is cancelled."""
        for ticker, when in list(self.acts_at.items()):
            if when <= self._clock.time():
                del self.acts_at[ticker]
                for cloid, held in self.held.items():
                    if ticker in {None, held.order.ticker} and not held.status.terminal:
                        self.end(cloid)

    def verbs(self, *names):
        return [name for name, _ in self.calls if name in names]


def venues(terms=ACCOUNT, *, other=None):
    """Venue a (makers) with a switch, and b, which has ``other`` or none."""
    loop = asyncio.get_running_loop()
    a = GuardedVenue("a", loop, terms, (contract("a"), contract("a", "Y")))
    return {"a": a, "b": GuardedVenue("b", loop, other)}


def guarded(terms=ACCOUNT, *, other=None, **settings):
    return desk(venues=venues(terms, other=other), dead_man_s=SECONDS, **settings)


# ------------------------------------------------------------------ where makers rest


@virtual
@pytest.mark.parametrize(("terms", "scope"), [(ACCOUNT, None), (CONTRACT, "X")])
async def test_it_is_armed_while_makers_rest_and_told_again(terms, scope):
    """Within a second of the maker, and three times in its time; the maker outlives it; then it is taken back."""
    async with guarded(terms) as made:
        assert made.a.asked("arm") == []
        maker = await made.maker()
        await asyncio.sleep(1)
        assert made.a.asked("arm") == [(SECONDS, scope)]
        assert made.oms.health.row("a").guarded_until_ns > made.loop.now_ns() + (SECONDS - 2) * 10**9
        for _ in range(10 * SECONDS):
            await asyncio.sleep(1)
            made.a.acts()
        assert made.a.held[maker].status is OrderStatus.NEW
        assert 28 <= len(made.a.asked("arm")) <= 32
        await made.oms.cancel_order("a", "X", cloid=maker)
        await asyncio.sleep(1)
        assert made.a.asked("disarm") == [scope]
        assert made.oms.health.row("a").guarded_until_ns == 0
        assert [one.event for one in made.alerts if one.event in {"armed", "disarmed"}] == ["armed", "disarmed"]


@virtual
async def test_it_is_off_unless_it_is_set_and_where_a_venue_has_none():
    """No setting, no capability, no maker: nothing is asked."""
    async with desk(venues=venues()) as made:
        await made.maker()
        await asyncio.sleep(60)
        assert made.a.verbs("arm", "disarm") == []
    async with guarded() as made:
        await made.oms.limit_order({"exc": "a", "ticker": "X", "amount": "1", "price": "99"})
        await asyncio.sleep(60)
        assert made.a.verbs("arm", "disarm") == []
        assert made.b.verbs("arm", "disarm") == []


@virtual
async def test_each_contract_has_a_switch_of_its_own_where_the_venue_says_so():
    """One contract's makers do not keep another's switch armed."""
    async with guarded(CONTRACT) as made:
        x = await made.maker()
        await made.maker(ticker="Y")
        await asyncio.sleep(1)
        assert sorted(ticker for _, ticker in made.a.asked("arm")) == ["X", "Y"]
        await made.oms.cancel_order("a", "X", cloid=x)
        await asyncio.sleep(1)
        assert made.a.asked("disarm") == ["X"]
        assert set(made.a.acts_at) == {"Y"}


@virtual
async def test_the_time_is_brought_into_the_venues_range():
    """A venue that takes five seconds at least is not asked for two."""
    async with desk(venues=venues(), dead_man_s=2) as made:
        await made.maker()
        await asyncio.sleep(1)
        assert made.a.asked("arm") == [(5, None)]


# ------------------------------------------------------------------ never over a hedge


@virtual
async def test_a_venue_whose_books_are_hedged_by_joining_is_never_armed():
    """Makers rest there too, and no switch; the other venue's, hedged into at the market, is armed."""
    async with guarded(ACCOUNT, other=ACCOUNT) as made:
        back = {"exc": "a", "ticker": "X"}
        await made.oms.hedge_order({"exc": "b", "ticker": "X", "amount": "1", "price": "90"}, back)
        maker = await made.maker(legs=JOIN)
        await asyncio.sleep(SECONDS)
        made.b.quote("100")
        made.a.trade(maker, "0.5")
        await asyncio.sleep(SECONDS)
        assert made.b.asked("arm") == []
        assert len(made.a.asked("arm")) >= 5
        assert made.hedges()[0] == D("-0.5")


@virtual
async def test_a_switch_is_taken_back_before_a_resting_hedge_is_sent():
    """A fill that comes before the next look at what to guard: the order of the requests says it."""
    async with guarded(ACCOUNT, other=ACCOUNT) as made:
        back = {"exc": "a", "ticker": "X"}
        await made.oms.hedge_order({"exc": "b", "ticker": "X", "amount": "1", "price": "90"}, back)
        await asyncio.sleep(1)
        assert made.b.asked("arm")
        maker = await made.maker(legs=JOIN)
        made.a.trade(maker, "0.5")
        await made.until(made.hedges, 5)
        assert made.b.verbs("arm", "disarm", "hedge") == ["arm", "disarm", "hedge"]
        hedge = next(held for held in made.b.held.values() if held.order.amount < 0)
        for _ in range(2 * SECONDS):
            await asyncio.sleep(0.5)
            made.b.acts()
        assert hedge.status is OrderStatus.NEW


@virtual
@pytest.mark.parametrize("error", [Unknown("b", "no answer"), Unavailable("b", "down")])
async def test_a_resting_hedge_is_not_sent_while_the_switch_may_be_armed(error):
    """The quantity waits in the balance; it goes as soon as the switch is off for certain."""
    async with guarded(ACCOUNT, other=ACCOUNT) as made:
        back = {"exc": "a", "ticker": "X"}
        await made.oms.hedge_order({"exc": "b", "ticker": "X", "amount": "1", "price": "90"}, back)
        await asyncio.sleep(1)
        made.b.script_switch("disarm", error, error)
        maker = await made.maker(legs=JOIN)
        made.a.trade(maker, "0.5")
        await asyncio.sleep(0.1)
        assert made.hedges() == []
        assert made.book.balance == D("-0.5")
        await made.until(made.hedges, 10)
        told = made.b.verbs("disarm", "hedge")
        assert told.index("hedge") >= 3
        assert made.b.acts_at == {}


@virtual
async def test_market_hedges_go_out_under_an_armed_switch_without_a_question():
    """They never rest: nothing is taken back for them."""
    async with guarded(ACCOUNT, other=ACCOUNT) as made:
        back = {"exc": "a", "ticker": "X"}
        await made.oms.hedge_order({"exc": "b", "ticker": "X", "amount": "1", "price": "90"}, back)
        maker = await made.maker()
        await asyncio.sleep(1)
        made.a.trade(maker, "0.5")
        await made.until(lambda: made.hedges() == [D("-0.5")], 1)
        await asyncio.sleep(SECONDS)
        assert made.b.asked("disarm") == []
        assert made.b.acts_at


orders = st.lists(
    st.builds(
        Order,
        key=st.uuids().map(str),
        venue=st.sampled_from(["a", "b"]),
        ticker=st.sampled_from(["X", "Y"]),
        role=st.sampled_from(Role),
        amount=st.just(D(1)),
        kind=st.sampled_from(OrderKind),
        tif=st.sampled_from(TimeInForce),
    ),
    max_size=8,
)


@given(orders, st.sampled_from([ACCOUNT, CONTRACT]))
def test_what_is_guarded_holds_makers_and_no_resting_hedge(working, terms):
    """Every scope has a maker and no hedge that rests; one that is left out lacks the one or has the other."""
    kernel = Kernel(lambda: "")
    scopes = to_guard("a", terms, working, kernel)

    def held(role, scope):
        return [o for o in working if o.role is role and o.venue == "a" and scope_of(terms, "a", o.ticker) == scope]

    for scope in {scope_of(terms, "a", ticker) for ticker in "XY"}:
        resting = [order for order in held(Role.HEDGE, scope) if rests(order)]
        assert (scope in scopes) == bool(held(Role.MAKER, scope) and not resting)


@pytest.mark.parametrize(
    ("order", "stays"),
    [({"price": D(1)}, True), ({"price": D(1), "tif": TimeInForce.IOC}, False), ({"kind": OrderKind.MARKET}, False)],
)
def test_which_orders_rest(order, stays):
    """A limit order without an end of its own does."""
    assert rests(PlaceOrder(ticker="X", cloid="c", amount=D(1), **order)) is stays


# ------------------------------------------------------------------ trouble


@virtual
async def test_a_venue_that_does_not_grant_it_is_asked_seldom_and_said_so_once():
    """The makers rest unguarded, which the operator is told."""
    async with guarded() as made:
        made.a.script_switch("arm", *[Rejected("a", "not enough volume traded")] * 10)
        await made.maker()
        await asyncio.sleep(2 * REFUSED_S[True] + 5)
        assert len(made.a.asked("arm")) == 3
        assert len([one for one in made.alerts if "not enough volume" in one.text]) == 1
        assert made.oms.health.row("a").guarded_until_ns == 0


@virtual
async def test_an_arming_without_an_answer_counts_as_armed_and_is_tried_again():
    """It may have been heard: it must be taken back like any other."""
    async with guarded() as made:
        made.a.script_switch("arm", Unknown("a", "no answer"), Unknown("a", "no answer"))
        maker = await made.maker()
        await asyncio.sleep(3)
        assert len(made.a.asked("arm")) == 3
        await made.oms.cancel_order("a", "X", cloid=maker)
        await asyncio.sleep(1)
        assert made.a.asked("disarm") == [None]


@virtual
async def test_a_switch_that_cannot_be_told_again_acts_and_the_makers_are_gone():
    """The desk lives and is cut off: its makers end, which the private stream says."""
    async with guarded() as made:
        maker = await made.maker()
        await asyncio.sleep(1)
        made.a.script_switch("arm", *[Unavailable("a", "down")] * 10_000)
        for _ in range(SECONDS + 10):
            await asyncio.sleep(1)
            made.a.acts()
        assert made.oms.page.get(maker).status is OrderStatus.CANCELLED
        assert made.oms.switches.armed == {}


# ------------------------------------------------------------------ the end, and the start


@virtual
async def test_an_orderly_stop_takes_it_back():
    """Makers are cancelled first; nothing is left to act."""
    async with guarded() as made:
        await made.maker()
        await asyncio.sleep(1)
        await made.oms.stop()
        assert made.a.verbs("cancel", "disarm") == ["cancel", "disarm"]
        assert made.a.acts_at == {}


@virtual
async def test_a_desk_that_ends_with_makers_on_the_book_leaves_it_armed():
    """Nobody would hedge their fills: they are cancelled when the time is over."""
    async with guarded() as made:
        maker = await made.maker()
        await asyncio.sleep(1)
    assert made.a.asked("disarm") == []
    await asyncio.sleep(SECONDS)
    made.a.acts()
    assert made.a.held[maker].status is OrderStatus.CANCELLED


@virtual
async def test_a_start_takes_back_what_a_session_before_it_left_armed():
    """A hedge that would rest is not sent under the countdown of a desk that died."""
    async with guarded(ACCOUNT, other=ACCOUNT) as first:
        back = {"exc": "a", "ticker": "X"}
        await first.oms.hedge_order({"exc": "b", "ticker": "X", "amount": "1", "price": "90"}, back)
        await first.maker(legs=JOIN)
        image = first.journal.image
    (join,) = first.a.held
    await first.b.arm_dead_man(SECONDS, None)
    first.b.calls.clear()
    first.a.trade(join, "0.5", tell=())
    async with desk(journal=MemoryJournal(first.loop, image), venues=first.venues, dead_man_s=SECONDS) as second:
        await second.until(second.hedges, 10)
        assert second.b.verbs("arm", "disarm", "hedge") == ["disarm", "hedge"]
