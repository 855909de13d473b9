"""The guard in a running desk: orders and amends are judged when they are sent, by all that is under way."""

import asyncio
from decimal import Decimal

import msgspec
import pytest

from gateways.errors import Rejected, Unknown
from gateways.standards import OrderStatus, PositionUpdate
from oms.hedge.policy import Limits as EngineLimits
from oms.journal import MemoryJournal
from oms.limits import BaseLimits, DeskLimits, InstrumentLimits, Limit, Limits, VenueLimits, Verdict, Window
from oms.risk.day import NS_PER_DAY, Day, DayRecord
from oms.risk.facts import Held, Today
from oms.risk.holdings import SETTLED_NS, Holdings
from oms.risk.verdict import OverLimit, Reason, Unconfirmed
from tests.oms.stub_venue import StubVenue, desk, virtual

D = Decimal
X = ("a", "X")


def each(**limits):
    return Limits(each=InstrumentLimits(**{name: Limit(hard=D(end)) for name, end in limits.items()}))


async def reasons(sending):
    with pytest.raises(OverLimit) as refused:
        await sending
    return list(dict.fromkeys(each.reason for each in refused.value.breaches))


# ------------------------------------------------------------------- placing


@virtual
async def test_an_order_over_a_limit_never_reaches_the_venue():
    """It is refused by its reason, nothing is entered or journaled, and the next one within the limit goes."""
    async with desk(risk=each(order_quantity="1")) as made:
        known = len(list(made.journal.records()))
        assert await reasons(made.maker("1.001")) == [Reason.ORDER_QUANTITY]
        assert made.a.asked("place") == []
        assert len(list(made.journal.records())) == known
        await made.maker("1")
        assert len(made.a.asked("place")) == 1


@virtual
async def test_a_soft_limit_asks_and_the_confirmed_order_goes():
    """Unconfirmed is a Denied of its own, so that who called can ask."""
    limits = Limits(each=InstrumentLimits(order_quantity=Limit(soft=D(1))))
    async with desk(risk=limits) as made:
        request = {"exc": "a", "ticker": "X", "amount": "2", "price": "99"}
        with pytest.raises(Unconfirmed):
            await made.oms.limit_order(request)
        assert made.a.asked("place") == []
        await made.oms.limit_order(request, confirmed=True)
        assert len(made.a.asked("place")) == 1


@virtual
async def test_orders_sent_at_once_count_for_each_other():
    """Two that fit one by one and not together: one of them goes, though no venue has answered yet."""
    async with desk(risk=each(position_quantity="1.5")) as made:
        answers = await asyncio.gather(*(made.maker("1", "99") for _ in range(2)), return_exceptions=True)
        assert sorted(type(answer).__name__ for answer in answers) == ["OverLimit", "str"]
        assert len(made.a.asked("place")) == 1


@virtual
async def test_an_order_is_judged_by_what_is_true_after_it_waited_for_its_book():
    """While it waited for the first book another one took the room."""
    async with desk(risk=each(position_quantity="1.5")) as made:
        opened = asyncio.Event()

        async def slowly(ticker):
            await opened.wait()
            made.a.subscribed.append(ticker)

        made.a.script["subscribe"].append(slowly)
        waiting = asyncio.ensure_future(made.maker("1", "99"))
        await asyncio.sleep(0.1)
        made.a.position["X"] = D(1)
        made.a.send(PositionUpdate(venue="a", ticker="X", amount=D(1)))
        opened.set()
        assert await reasons(waiting) == [Reason.POSITION_QUANTITY]


@virtual
async def test_an_unknown_order_counts_until_it_is_proven_absent():
    """No answer came: the order may rest, and takes its room."""
    async with desk(risk=each(position_quantity="1.5")) as made:
        made.a.script["place"].append(Unknown("a", "no answer"))
        with pytest.raises(Unknown):
            await made.maker("1", "99")
        assert await reasons(made.maker("1", "98")) == [Reason.POSITION_QUANTITY]
        await made.until(lambda: not made.oms.page.working())
        await made.maker("1", "98")


@virtual
async def test_a_fill_that_one_channel_tells_counts_before_the_others_do():
    """The order has grown, no trade and no position came yet: what was working is held now."""
    async with desk(risk=each(position_quantity="1.5")) as made:
        key = await made.maker("1", "99")
        made.a.trade(key, "1", tell=("order",))
        assert made.oms.positions.get("a", "X") == 0
        assert await reasons(made.maker("1", "98")) == [Reason.POSITION_QUANTITY]


@virtual
async def test_room_for_a_hedge_is_taken_when_its_maker_is_sent():
    """The hedge's contract is full with what works there: its maker is refused, the hedge of one that rests is not."""
    limits = Limits(instruments={("b", "X"): InstrumentLimits(position_quantity=Limit(hard=D("1.5")))})
    async with desk(risk=limits) as made:
        key = await made.maker("1", "99")
        assert await reasons(made.maker("1", "98")) == [Reason.POSITION_QUANTITY]
        await made.oms.limit_order({"exc": "b", "ticker": "X", "amount": "-0.5", "price": "105"})
        made.b.position["X"] = D(-30)
        made.b.send(PositionUpdate(venue="b", ticker="X", amount=D(-30)))
        made.a.trade(key, "1")
        await made.until(lambda: made.hedges() == [D(-1)])


@virtual
async def test_cancels_flatten_and_reduce_only_orders_pass_whatever_is_broken():
    """Every limit is zero: the way out is open."""
    zero = Limit(hard=D(0))
    async with desk() as made:
        key = await made.maker("1", "99")
        made.a.position["X"] = D(2)
        made.a.send(PositionUpdate(venue="a", ticker="X", amount=D(2)))
        made.oms.guard.limits = Limits(
            each=InstrumentLimits(position_quantity=zero, position_notional=zero, open_orders=zero),
            venues={"a": VenueLimits(daily_turnover=zero, daily_loss=zero, orders_per_second=zero)},
            desk=DeskLimits(open_orders=zero, orders_per_second=zero), each_base=BaseLimits(net_quantity=zero),
        )  # fmt: skip
        assert Reason.POSITION_QUANTITY in await reasons(made.maker("1", "98"))
        await made.oms.cancel_order("a", "X", cloid=key)
        assert (await made.oms.flatten("a", "X")).done


@virtual
async def test_a_double_press_is_refused_and_a_retry_of_a_refused_order_is_not():
    """The same order within the window; one that the venue refused was none."""
    limits = Limits(each=InstrumentLimits(duplicate_s=Window(hard=D(1))))
    async with desk(risk=limits) as made:
        made.a.script["place"].append(Rejected("a", "no"))
        with pytest.raises(Rejected):
            await made.maker("1", "99")
        await made.maker("1", "99")
        assert await reasons(made.maker("1", "99")) == [Reason.DUPLICATE]
        await made.maker("1", "98.9")
        await asyncio.sleep(1)
        await made.maker("1", "99")


@virtual
async def test_a_double_press_over_a_restart_is_one_too():
    """What was sent lately is taken from the journal."""
    limits = Limits(each=InstrumentLimits(duplicate_s=Window(hard=D(60))))
    venues = {alias: StubVenue(alias, asyncio.get_running_loop()) for alias in ("a", "b")}
    async with desk(risk=limits, venues=venues) as made:
        await made.maker("1", "99")
        image = made.journal.image
    journal = MemoryJournal(made.loop, image)
    async with desk(risk=limits, venues=venues, journal=journal) as again:
        assert await reasons(again.maker("1", "99")) == [Reason.DUPLICATE]


@virtual
async def test_a_market_order_of_a_venue_without_them_is_sent_within_its_collar():
    """Its limit through the market is the collar, not the venue's own slippage."""
    limits = each(collar_mid_bps="50")
    loop = asyncio.get_running_loop()
    venues = {
        "a": StubVenue("a", loop, market_orders=False, market_slippage=D("0.05")), "b": StubVenue("b", loop),
    }  # fmt: skip
    async with desk(risk=limits, venues=venues) as made:
        for amount in ("1", "-1"):
            await made.oms.market_order({"exc": "a", "ticker": "X", "amount": amount})
        await made.oms.market_order({"exc": "b", "ticker": "X", "amount": "1"})
        assert [order.price for order in made.a.asked("place")] == [D("100.5"), D("99.5")]
        assert [order.price for order in made.b.asked("place")] == [None]


# ------------------------------------------------------------------ amending


@virtual
async def test_an_amend_over_a_limit_never_reaches_the_venue():
    """Size, price and position are judged as of a new order in its place."""
    async with desk(risk=each(position_quantity="2", collar_mid_bps="100")) as made:
        key = await made.maker("1", "99")
        assert await reasons(made.oms.amend_order(key, amount=D("2.1"))) == [Reason.POSITION_QUANTITY]
        assert await reasons(made.oms.amend_order(key, price=D("101.5"))) == [Reason.COLLAR_MID]
        assert made.a.asked("amend") == []
        await made.oms.amend_order(key, amount=D(2))
        await made.oms.amend_order(key, amount=D("0.5"))


@virtual
async def test_while_an_amend_is_under_way_the_larger_size_counts():
    """Neither the old nor the new one is certain; once it is known the room is free again."""
    async with desk(risk=each(position_quantity="3")) as made:
        key = await made.maker("1", "99")
        answered = asyncio.Event()

        async def late(request):
            await answered.wait()
            held = made.a.held[request.cloid]
            held.amount, held.price = request.amount, request.price
            return made.a.say(held)

        made.a.script["amend"].append(late)
        amending = asyncio.ensure_future(made.oms.amend_order(key, amount=D("2.5")))
        await asyncio.sleep(0.01)
        assert await reasons(made.maker("1", "98")) == [Reason.POSITION_QUANTITY]
        answered.set()
        await amending
        assert await reasons(made.maker("1", "98")) == [Reason.POSITION_QUANTITY]
        await made.oms.amend_order(key, amount=D(1))
        await made.maker("1", "98")


@virtual
async def test_an_amend_that_was_refused_takes_no_room_and_an_unknown_one_keeps_it():
    """A definite no leaves the order as it was."""
    async with desk(risk=each(position_quantity="3")) as made:
        key = await made.maker("1", "99")
        made.a.script["amend"].append(Rejected("a", "no"))
        with pytest.raises(Rejected):
            await made.oms.amend_order(key, amount=D("2.5"))
        await made.maker("1", "98")
        made.a.script["amend"].append(Unknown("a", "no answer"))
        with pytest.raises(Unknown):
            await made.oms.amend_order(key, amount=D("1.9"))
        assert await reasons(made.maker("1", "97")) == [Reason.POSITION_QUANTITY]
        await made.oms.cancel_order("a", "X", cloid=key)
        await made.maker("1", "97")


@virtual
async def test_where_an_amend_replaces_the_order_both_may_fill():
    """The old one could fill just before the new one stands: both have to fit."""
    loop = asyncio.get_running_loop()
    venues = {"a": StubVenue("a", loop, amend_keeps_oid=False), "b": StubVenue("b", loop)}
    async with desk(risk=each(position_quantity="3"), venues=venues) as made:
        key = await made.maker("2", "99")
        assert await reasons(made.oms.amend_order(key, price=D("98.9"))) == [Reason.POSITION_QUANTITY]
        await made.oms.amend_order(key, amount=D(1))
        await made.oms.amend_order(key, price=D("98.9"))


# ------------------------------------------------------------------ unhedged


@virtual
async def test_too_much_unhedged_in_all_books_stops_every_maker():
    """I10 for the desk: over the sum, makers of all books are cancelled and new ones refused; back under, taken."""
    limits = Limits(desk=DeskLimits(unhedged_notional=Limit(hard=D(50))))
    broken = []
    async with desk(risk=limits, limits=EngineLimits(max_failures=99)) as made:
        made.oms.guard.add_breach_callback(broken.append)
        first, other = await made.maker("1", "99"), await made.maker("1", "98")
        made.b.script["hedge"].extend([Rejected("b", "not now")] * 3)
        made.a.trade(first, "1")
        await made.until(lambda: made.oms.page.get(other).status is OrderStatus.CANCELLED)
        assert made.oms.kernel.cap.reached
        assert await reasons(made.maker("0.1", "97")) == [Reason.UNHEDGED]
        await made.until(lambda: made.book.hedged == D(-1))
        assert not made.oms.kernel.cap.reached
        await made.maker("0.1", "97")
        assert len(broken) == 1


@virtual
async def test_each_book_has_the_cap_of_its_contract():
    """The configured value of a contract caps its own book."""
    limits = Limits(instruments={("b", "X"): InstrumentLimits(unhedged_notional=Limit(hard=D(50)))})
    async with desk(risk=limits) as made:
        first, other = await made.maker("1", "99"), await made.maker("1", "98")
        made.b.script["hedge"].extend([Rejected("b", "not now")] * 3)
        made.a.trade(first, "1")
        await made.until(lambda: made.oms.page.get(other).status is OrderStatus.CANCELLED)
        assert made.book.capped


@virtual
async def test_hedgeability_is_judged_by_the_live_book_and_the_live_collateral():
    """The stub's book holds 100 a side within 200 bps, and 1,000 are free."""
    limits = Limits(hedgeability=Verdict.REFUSE, venues={"b": VenueLimits(leverage=Limit(hard=D(5)))})
    leg = {"exc": "b", "ticker": "X", "how": "ioc", "slippage_bps": "50"}
    async with desk(risk=limits) as made:
        await made.oms.watch("b", "X")
        assert await reasons(made.maker("40", "99", leg)) == [Reason.HEDGE_DEPTH]
        assert await reasons(made.maker("51", "99")) == [Reason.HEDGE_MARGIN]
        await made.maker("20", "99", leg)


# ------------------------------------------------------------------- the day


@virtual
async def test_the_days_turnover_survives_a_restart():
    """It is counted from the journaled evidence, hedges too, and the fills told again after the restart add nothing."""
    limits = Limits(desk=DeskLimits(daily_turnover=Limit(hard=D(700))))
    venues = {alias: StubVenue(alias, asyncio.get_running_loop()) for alias in ("a", "b")}
    async with desk(risk=limits, venues=venues) as made:
        key = await made.maker("2", "100")
        made.a.trade(key, "2")
        await made.until(lambda: made.book.hedged == D(-2))
        before = made.oms.guard.day.today(venues, made.oms.guard.price)
        assert (before["a"].turnover, before["b"].turnover) == (D(200), D(200))
        assert await reasons(made.maker("2", "100")) == [Reason.DAILY_TURNOVER]
        image = made.journal.image
    async with desk(risk=limits, venues=venues, journal=MemoryJournal(made.loop, image)) as again:
        assert again.oms.guard.day.today(venues, again.oms.guard.price) == before
        assert await reasons(again.maker("2", "100")) == [Reason.DAILY_TURNOVER]
        again.oms.guard.day.begin(again.oms.clock.now_ns() + NS_PER_DAY)
        await again.maker("1", "100")


@virtual
async def test_a_loss_refuses_what_raises_risk_tells_once_and_ends_with_the_day():
    """Fees, what was sold under its price and what is held at today's price; over it, only what reduces goes."""
    limits = Limits(venues={"a": VenueLimits(daily_loss=Limit(hard=D(20)))})
    broken = []
    async with desk(risk=limits) as made:
        made.oms.guard.add_breach_callback(broken.append)
        await made.oms.watch("a", "X")
        await made.oms.market_order({"exc": "a", "ticker": "X", "amount": "2"})
        made.a.quote("89.9")
        assert await reasons(made.maker("1", "89")) == [Reason.DAILY_LOSS]
        await made.until(lambda: broken)
        await asyncio.sleep(5)
        assert len(broken) == 1
        assert any("was lost today on a" in alert.text for alert in made.alerts)
        await made.oms.market_order({"exc": "a", "ticker": "X", "amount": "-1", "reduce_only": True})
        made.oms.guard.day.begin(made.oms.clock.now_ns() + NS_PER_DAY)
        made.oms.guard.look()
        await made.maker("1", "89")


@virtual
async def test_fees_are_lost_too_and_come_back_after_a_restart():
    """A fill's fee is charged once, live, and is in the day that the journal keeps."""
    limits = Limits(desk=DeskLimits(daily_loss=Limit(hard=D(10**6))))
    venues = {alias: StubVenue(alias, asyncio.get_running_loop()) for alias in ("a", "b")}
    async with desk(risk=limits, venues=venues) as made:
        key = await made.maker("1", "100")
        fill = made.a.trade(key, "1", tell=())
        charged = msgspec.structs.replace(fill, fee=D("0.3"), fee_asset="USDT")
        made.a.fills[-1] = charged
        made.a.send(charged, charged, made.a.say(made.a.held[key]))
        await made.until(lambda: made.book.hedged == D(-1))
        await asyncio.sleep(2)
        assert made.oms.guard.day.today(venues, made.oms.guard.price)["a"] == Today(D(100), D("0.3"))
        image = made.journal.image
    async with desk(risk=limits, venues=venues, journal=MemoryJournal(made.loop, image)) as again:
        await again.oms.watch("a", "X")
        assert again.oms.guard.day.today(venues, again.oms.guard.price)["a"] == Today(D(100), D("0.3"))


def test_a_day_gains_by_trades_and_by_what_is_held():
    """Cash, holdings at today's price less those of the morning at the morning's price, less fees."""
    day = Day()
    day.begin(5 * NS_PER_DAY)
    day.opened(X, D(2))
    day.priced(lambda _: D(100))
    day.traded(X, D(-1), D(-110), D(110), 5 * NS_PER_DAY + 1)
    day.charged(X, D("0.5"), 5 * NS_PER_DAY + 2)
    assert day.today(["a"], lambda _: D(104)) == {"a": Today(D(110), D("-13.5"))}
    assert Day(day.record).today(["a"], lambda _: D(104)) == {"a": Today(D(110), D("-13.5"))}


def test_a_new_day_begins_with_what_is_held():
    """Yesterday's turnover and loss are gone; what is held is valued from now on."""
    day = Day()
    day.traded(X, D(3), D(300), D(300), 7 * NS_PER_DAY - 1)
    assert day.today(["a"], lambda _: D(90))["a"] == Today(D(300), D(30))
    assert day.begin(7 * NS_PER_DAY)
    assert not day.begin(7 * NS_PER_DAY)
    assert not day.begin(6 * NS_PER_DAY)
    assert day.today(["a"], lambda _: D(90))["a"] == Today(D(0), D(0))
    day.priced(lambda _: D(90))
    assert day.today(["a"], lambda _: D(80))["a"] == Today(D(0), D(30))


def test_a_price_that_becomes_known_later_corrects_the_cost():
    """The growth came without a price: turnover and cash follow when it is told."""
    day = Day(DayRecord(number=1))
    day.traded(X, D(1), D(0), D(0), NS_PER_DAY)
    day.traded(X, D(0), D(100), D(100), NS_PER_DAY)
    assert day.today([], lambda _: D(100)) == {"a": Today(D(100), D(0))}


# ---------------------------------------------------------------- the holdings


def test_what_may_be_held_lies_between_all_that_is_said():
    """The venue's word, the fills, and the orders' growth, which is forgotten when the others agree and it is calm."""
    holdings = Holdings()
    assert holdings.bounds(X, D(1), None, 0) == Held(D(1), D(1))
    holdings.grew(X, D(9), 0)
    holdings.start({X: D(1)})
    holdings.grew(X, D(2), 10)
    assert holdings.bounds(X, D(1), D(2), 11) == Held(D(1), D(3))
    assert holdings.bounds(X, D(5), D(5), 11) == Held(D(3), D(5))
    assert holdings.bounds(X, D(5), D(4), 10 + SETTLED_NS) == Held(D(3), D(5))
    assert holdings.bounds(X, D(5), D(5), 10 + SETTLED_NS) == Held(D(5), D(5))
