"""The OMS facade on venues written by hand: every name does what it says, and every answer of a venue is survived."""

import asyncio
from decimal import Decimal

import pytest

from gateways.errors import Denied, Rejected, Unknown
from gateways.standards import (
    BalanceUpdate,
    MarkUpdate,
    OrderKind,
    OrderStatus,
    PriceRule,
    PriceSide,
    RejectReason,
)
from oms import cloid
from oms.deltas import HedgeDelta
from oms.fills import FillsPage
from oms.hedge.policy import How, Rung
from oms.orders import Order, Role
from oms.system import OMS
from tests.oms.stub_venue import StubVenue, contract, desk, virtual

D = Decimal
S = OrderStatus

NAMES = (
    "init", "hedge_order", "limit_order", "market_order", "cancel_order", "orders_mirror", "positions_mirror",
    "account_fills_mirror", "orders_peek", "positions_peek", "fills_peek", "orders_get", "orders_get_all",
    "positions_get", "positions_get_all", "positions_get_net_base", "get_balance", "get_all_balances",
    "contract_specs", "lot_precision", "price_precision", "min_notional", "common_lot_precision",
    "common_price_precision", "common_min_notional", "rounded_lots", "rounded_lots_floor", "rounded_lots_ceil",
    "rounded_price", "rounded_price_floor", "rounded_price_ceil", "lagged_price", "rand_cloid",
    "add_clock_callback", "cloid_query", "oid_query", "get_all_equities", "get_funding_info",
    "update_exchange_contracts", "hedge_portfolio_delta", "cleanup",
)  # fmt: skip


def names_of_order(**fields):
    return {"exc": "a", "ticker": "X", "amount": "1", "price": "99", **fields}


# ------------------------------------------------------------------ the names


@pytest.mark.parametrize("name", NAMES)
def test_the_facade_has_every_name_that_its_users_know(name):
    """The names are a promise: each is there, callable and documented."""
    method = getattr(OMS, name)
    assert callable(method)
    assert method.__doc__


@virtual
async def test_pages_are_read_without_asking_and_asked_fresh_by_get():
    """``peek`` reads the mirror and asks nobody; ``get`` asks, and the mirror learns from answers that agree."""
    async with desk() as made:
        oms, key = made.oms, await made.maker("1", "99")
        made.b.position["X"] = D(7)
        asked = len(made.b.calls)
        assert [order.key for order in oms.orders_peek("a")] == [key]
        assert oms.orders_peek("b") == []
        assert oms.positions_peek() == []
        assert len(made.b.calls) == asked
        assert [row.amount for row in await oms.positions_get("b")] == [D(7)]
        await made.until(lambda: [row.amount for row in oms.positions_peek("b")] == [D(7)])
        assert {exc: len(rows) for exc, rows in (await oms.positions_get_all()).items()} == {"a": 0, "b": 1}
        assert oms.positions_get_net_base() == {"X": D(7)}
        assert [update.cloid for update in await oms.orders_get("a")] == [key]
        assert {exc: len(rows) for exc, rows in (await oms.orders_get_all()).items()} == {"a": 1, "b": 0}
        assert (await oms.get_balance("a"))[0].total == D(1000)
        assert list(await oms.get_all_balances()) == ["a", "b"]
        assert await oms.get_all_equities() == {"a": D(1000), "b": D(1000)}
        made.a.trade(key, "1")
        assert [fill.amount for fill in oms.fills_peek("a")] == [D(1)]


@virtual
async def test_orders_are_asked_for_by_client_id_and_by_venue_id():
    """Both queries say what the venue says now."""
    async with desk() as made:
        key = await made.maker("1", "99")
        oid = made.a.held[key].oid
        assert (await made.oms.cloid_query("a", "X", key)).oid == oid
        assert (await made.oms.oid_query("a", "X", oid)).cloid == key


@virtual
async def test_contracts_by_the_names_of_old():
    """Lots, ticks and minimums of one contract, and what several have in common."""
    loop = asyncio.get_running_loop()
    venues = {
        "a": StubVenue("a", loop, (contract("a", lot="0.002", minimum="5"),)),
        "b": StubVenue("b", loop, (contract("b", lot="0.003", minimum="10"),)),
    }
    async with desk(venues=venues) as made:
        oms, both = made.oms, (("a", "X"), ("b", "X"))
        assert oms.contract_specs("a", "X").base == "X"
        assert (oms.lot_precision("a", "X"), oms.common_lot_precision(*both)) == (D("0.002"), D("0.006"))
        assert (oms.price_precision("a", "X"), oms.common_price_precision(*both)) == (D("0.1"), D("0.1"))
        assert (oms.min_notional("a", "X"), oms.common_min_notional(*both)) == (D(5), D(10))
        lots = [oms.rounded_lots, oms.rounded_lots_floor, oms.rounded_lots_ceil]
        assert [rounded("a", "X", D("-0.0031")) for rounded in lots] == [D("-0.004"), D("-0.002"), D("-0.004")]
        prices = [oms.rounded_price, oms.rounded_price_floor, oms.rounded_price_ceil]
        assert [rounded("a", "X", D("10.06")) for rounded in prices] == [D("10.1"), D("10.0"), D("10.1")]
        with pytest.raises(Denied, match="'Y'"):
            oms.contract_specs("a", "Y")


@virtual
async def test_new_contract_rules_hold_for_the_next_hedge():
    """A lot that changed at the venue is known after ``update_exchange_contracts``."""
    async with desk() as made:
        maker = await made.maker()
        made.b.contracts = StubVenue("b", made.loop, (contract("b", lot="0.5"),)).contracts
        await made.oms.update_exchange_contracts("b")
        made.a.trade(maker, "0.7")
        await made.until(lambda: made.book.hedged == D("-0.5"))
        assert made.oms.hedge_balance == {"b": {"X": D("-0.2")}}
        assert made.oms.hedge_book["b"]["X"].waits == "under the lot of 0.5"


@virtual
async def test_prices_of_the_past_and_of_funding():
    """``lagged_price`` is the mid as it was seen then, None before anything was seen."""
    async with desk() as made:
        await made.oms.watch("a", "X")
        await asyncio.sleep(1)
        made.a.quote("110")
        await asyncio.sleep(1)
        assert made.oms.lagged_price("a", "X", 1500) == D(100)
        assert made.oms.lagged_price("a", "X", 100) == D(110)
        assert made.oms.lagged_price("a", "X", 60_000) is None
        assert made.oms.get_funding_info("a", "X") is None
        made.a.send(MarkUpdate(venue="a", ticker="X", mark=D(109), funding_rate=D("0.0001")))
        assert made.oms.get_funding_info("a", "X").funding_rate == D("0.0001")


@virtual
async def test_a_clock_callback_is_called_at_its_pace_until_the_end():
    """The callback gets the time; it ends with the desk."""
    times = []

    async def tick(now_ns):
        times.append(now_ns)

    async with desk() as made:
        made.oms.add_clock_callback(1.0, tick)
        await asyncio.sleep(3.5)
        assert len(times) == 3
    await asyncio.sleep(5)
    assert len(times) == 3


@virtual
async def test_client_ids_are_fresh_and_name_the_desk():
    """``rand_cloid`` never repeats itself."""
    async with desk() as made:
        drawn = {made.oms.rand_cloid() for _ in range(1000)}
        assert len(drawn) == 1000
        assert all(cloid.parse(each).desk == made.oms.cloids.desk for each in drawn)


@virtual
async def test_mirrors_tell_of_orders_positions_and_fills():
    """Handlers registered for one venue hear of that venue alone, in order, each change once."""
    async with desk() as made:
        orders, deltas, fills, positions = [], [], [], []

        async def note(kept, what):
            kept.append(what)

        made.oms.orders_mirror("a", lambda order: note(orders, order.status), lambda delta: note(deltas, delta))
        made.oms.account_fills_mirror("a", lambda fill: note(fills, fill.amount))
        made.oms.positions_mirror("b", lambda position: note(positions, position.amount))
        key = await made.maker("2", "99")
        made.a.trade(key, "1")
        made.a.trade(key, "1")
        await made.until(lambda: made.oms.idle)
        await made.oms.positions_get("b")
        await made.until(lambda: made.oms.deltas.idle)
        assert orders == [S.PENDING, S.NEW, S.PARTIAL, S.FILLED]
        assert [delta.last_fill for delta in deltas] == [0, 0, 1, 1]
        assert fills == [1, 1]
        assert positions == [-2]


@virtual
async def test_a_fill_told_again_after_the_fills_page_let_go_of_it_counts_once():
    """The page of fills holds the last ones only; the order knows all of its trades, so nothing is counted anew."""
    async with desk() as made:
        made.oms.fills = FillsPage(kept=1)
        key = await made.maker()
        told = []

        async def on_fill(fill):
            told.append(fill)

        made.oms.account_fills_mirror("a", on_fill)
        made.a.trade(key, "1")
        made.a.trade(key, "2")
        await made.until(lambda: made.oms.idle)
        first = made.a.fills[0]
        assert made.oms.fills.peek("a", "X", first.oid, first.trade_id) is None
        expected, target = made.oms.positions.expected("a", "X"), made.book.target
        made.oms.take(first, made.oms.clock.now_ns())
        await made.until(lambda: made.oms.idle)
        assert (made.oms.positions.expected("a", "X"), made.book.target) == (expected, target)
        assert [fill.amount for fill in told] == [1, 2]


# ------------------------------------------------------------------ placing


@virtual
async def test_typed_requests_and_plain_dicts_are_both_taken_and_refused_alike():
    """One leg or a list of legs; a wrong field is named in one sentence, and nothing is sent."""
    async with desk() as made:
        order = await made.oms.hedge_order(names_of_order(), [{"exc": "b", "ticker": "X", "ratio": "0.5"}])
        assert isinstance(order, Order)
        assert (order.role, order.status) == (Role.MAKER, S.NEW)
        sent = len(made.a.asked("place"))
        for wrong, field in (
            (names_of_order(price=99.5), "price"), (names_of_order(amount="0"), "amount"),
            (names_of_order(prize="1"), "prize"), (names_of_order(price="99.05"), "price"),
        ):  # fmt: skip
            with pytest.raises(Denied, match=field):
                await made.oms.limit_order(wrong)
        with pytest.raises(Denied, match="own contract"):
            await made.oms.hedge_order(names_of_order(), {"exc": "a", "ticker": "X"})
        assert len(made.a.asked("place")) == sent


@virtual
async def test_orders_without_a_hedge_open_no_obligation():
    """Limit and market orders by hand change positions, no book (I13)."""
    async with desk() as made:
        await made.maker()
        resting = await made.oms.limit_order({"exc": "b", "ticker": "X", "amount": "1", "price": "99"})
        market = await made.oms.market_order({"exc": "b", "ticker": "X", "amount": "2"})
        made.b.trade(resting.key, "1")
        assert (market.status, market.role) == (S.FILLED, Role.MANUAL)
        assert (made.book.target, made.book.hedged, made.book.balance) == (0, 0, 0)


@virtual
@pytest.mark.parametrize(
    ("rule", "fields", "price"),
    [
        ("QUEUE_1", {}, "99.9"), ("QUEUE_5", {}, "99.5"), ("OPPONENT_1", {}, "100.1"), ("OPPONENT_10", {}, "101.0"),
        ("QUEUE_5", {"amount": "-1"}, "100.5"), ("QUEUE_1", {"post_only": True}, "99.9"),
    ],
)  # fmt: skip
async def test_a_price_rule_is_read_from_the_book_where_the_venue_has_none(rule, fields, price):
    """The order leaves with the price of that level at that moment."""
    async with desk() as made:
        await made.oms.limit_order({"exc": "a", "ticker": "X", "amount": "1", "price_rule": rule, **fields})
        (sent,) = made.a.asked("place")
        assert (sent.price, sent.price_rule) == (D(price), None)


@virtual
async def test_a_price_rule_that_the_venue_matches_is_left_to_it_unless_post_only():
    """Native where the venue has it; post-only it is read here where the venue does not take both."""
    rule = PriceRule(PriceSide.QUEUE, 5)
    loop = asyncio.get_running_loop()
    native = StubVenue("a", loop, price_match=frozenset({(PriceSide.QUEUE, 5)}))
    async with desk(venues={"a": native, "b": StubVenue("b", loop)}) as made:
        request = {"exc": "a", "ticker": "X", "amount": "1", "price_rule": "queue5"}
        await made.oms.limit_order(request)
        await made.oms.limit_order({**request, "post_only": True})
        left, read = made.a.asked("place")
        assert (left.price, left.price_rule) == (None, rule)
        assert (read.price, read.price_rule) == (D("99.5"), None)


# ------------------------------------------------------------------ what venues answer


@virtual
async def test_a_hedge_without_an_answer_is_unknown_counted_in_full_and_resolved_by_asking():
    """A timeout proves nothing: no second hedge goes out, and the venue's own word on the order settles it."""
    async with desk() as made:
        maker = await made.maker()

        async def taken_but_silent(order):
            made.b.accept(order)
            await asyncio.Event().wait()

        await asyncio.sleep(1)  # fills of the moment of the baseline would be in it
        made.b.script["hedge"].append(taken_but_silent)
        made.b.script["order"].extend([Unknown("b", "no answer")] * 2)
        made.a.trade(maker, "1")
        await made.until(lambda: made.oms.hedge_book["b"]["X"].unknown == D(-1))
        view = made.oms.hedge_book["b"]["X"]
        assert (view.in_flight, view.balance) == (D(-1), 0)
        made.a.send(made.a.fills[0])  # a duplicate decides nothing
        await made.until(lambda: made.book.hedged == D(-1))
        assert made.hedges() == [D(-1)]
        assert made.b.position["X"] == D(-1)
        await made.oms.reconcile()
        assert (await made.oms.verify()).consistent


@virtual
async def test_a_hedge_that_never_was_is_sent_anew_after_it_can_no_longer_be_accepted():
    """Two "no such order" after the acceptance window, and only then, make it due again (I9)."""
    async with desk() as made:
        maker = await made.maker()
        made.b.script["hedge"].append(Unknown("b", "cut"))
        made.a.trade(maker, "1")
        start = made.loop.time()
        await made.until(lambda: made.book.hedged == D(-1))
        window_s = made.b.capabilities.acceptance_window_ms / 1000
        assert made.loop.time() - start > window_s
        assert made.hedges() == [D(-1), D(-1)]
        assert made.b.position["X"] == D(-1)


@virtual
async def test_a_rejected_hedge_comes_back_and_is_tried_again():
    """A definite refusal puts the quantity into the balance, and after a pause it is sent again."""
    async with desk() as made:
        maker = await made.maker()
        made.b.script["hedge"].append(Rejected("b", "too many requests", reason=RejectReason.RATE_LIMIT))
        made.a.trade(maker, "1")
        await made.until(lambda: made.oms.hedge_balance["b"]["X"] == D(-1))
        await made.until(lambda: made.book.hedged == D(-1))
        assert made.hedges() == [D(-1), D(-1)]


@virtual
async def test_a_hedge_that_asking_again_cannot_mend_holds_its_book_and_stops_its_makers():
    """No margin: the book is on HOLD, its makers are cancelled, the balance stays in sight until the operator acts."""
    async with desk() as made:
        maker = await made.maker("2")
        made.b.script["hedge"].append(Rejected("b", "no margin", reason=RejectReason.MARGIN))
        made.a.trade(maker, "1")
        await made.until(lambda: made.a.held[maker].status is S.CANCELLED)
        assert made.oms.hedge_book["b"]["X"].state == "hold"
        assert made.oms.hedge_balance["b"]["X"] == D(-1)
        made.oms.hedge.resume("b", "X", now=True)
        await made.until(lambda: made.book.hedged == D(-1))


@virtual
async def test_a_half_filled_hedge_returns_its_rest():
    """What an order did not fill is sent again: nothing is lost, nothing is sent twice."""
    async with desk() as made:
        maker = await made.maker()

        async def half(order):
            return made.b.accept(order, filled="-0.5")

        made.b.script["hedge"].append(half)
        made.a.trade(maker, "1")
        await made.until(lambda: made.book.hedged == D(-1))
        assert made.hedges() == [D(-1), D("-0.5")]
        assert made.b.position["X"] == D(-1)


@virtual
async def test_a_maker_without_an_answer_is_raised_as_unknown_and_its_fills_are_hedged():
    """The caller learns that it may exist; a fill that comes before any other word of it is hedged (I4)."""
    async with desk() as made:

        async def cut(order):
            made.a.accept(order)
            raise Unknown("a", "cut")

        made.a.script["place"].append(cut)
        with pytest.raises(Unknown):
            await made.maker()
        (key,) = made.a.held
        made.a.trade(key, "1", tell=("fill",))
        await made.until(lambda: made.book.hedged == D(-1))


@virtual
async def test_a_fill_after_the_cancel_is_hedged():
    """A maker is not forgotten when its cancel was asked for, nor when it was confirmed (I4)."""
    async with desk() as made:
        key = await made.maker()

        async def crossed(_):
            made.a.trade(key, "0.4", tell=())
            made.a.end(key, tell=False)

        made.a.script["cancel"].append(crossed)
        await made.oms.cancel_order("a", "X", cloid=key)
        made.a.end(key)
        made.a.send(made.a.fills[0])
        await made.until(lambda: made.book.hedged == D("-0.4"))


@virtual
async def test_a_slow_handler_and_a_broken_one_delay_nobody():
    """The hedge is sent in the turn of the fill, whatever the handlers do; others hear of it at once."""
    async with desk() as made:
        heard = []

        async def slow(_):
            await asyncio.sleep(1000)

        async def broken(_):
            raise RuntimeError("a user's bug")

        async def quick(delta):
            heard.append(delta)

        for handler in (slow, broken, quick):
            made.oms.orders_mirror(None, on_delta=handler)
        maker = await made.maker()
        start = made.loop.time()
        made.a.trade(maker, "1")
        assert made.book.in_flight == D(-1)
        await made.until(lambda: any(delta.after.role is Role.HEDGE for delta in heard))
        assert made.loop.time() - start < 0.1
        lagging, failing, _ = [row for row in made.oms.deltas.subscriptions if row.name.startswith("orders")]
        assert lagging.lag > 0
        assert failing.failures > 0


# ------------------------------------------------------------------ the operator


@virtual
async def test_a_hedge_cancelled_by_hand_pauses_its_book():
    """It must not come right back: the quantity waits until the operator resumes."""
    async with desk() as made:
        maker = await made.maker(legs={"exc": "b", "ticker": "X", "rungs": (Rung(how=How.JOIN, for_ms=60_000), Rung())})
        made.a.trade(maker, "1")
        await made.until(lambda: made.b.asked("hedge"))
        await asyncio.sleep(0.1)
        (child,) = made.book.open_children
        await made.oms.cancel_order("b", "X", cloid=child)
        await asyncio.sleep(5)
        assert made.hedges() == [D(-1)]
        assert made.oms.hedge_balance["b"]["X"] == D(-1)
        assert made.oms.hedge_book["b"]["X"].state == "paused"
        made.oms.hedge.resume("b", "X")
        await made.until(lambda: len(made.hedges()) == 2)


@virtual
async def test_cancelling_what_is_not_known_or_ended_is_refused():
    """A wrong id, a wrong contract and an order that has ended are each said in one sentence."""
    async with desk() as made:
        key = await made.maker("1", "99")
        with pytest.raises(Denied, match="no order"):
            await made.oms.cancel_order("a", "X", cloid="nobody")
        with pytest.raises(Denied, match="no order"):
            await made.oms.cancel_order("b", "X", cloid=key)
        cancelled = await made.oms.cancel_order("a", "X", oid=made.a.held[key].oid)
        assert cancelled.status is S.CANCELLED
        with pytest.raises(Denied, match="CANCELLED already"):
            await made.oms.cancel_order("a", "X", cloid=key)


def holding(**positions):
    """Two venues that hold so much of X before the desk starts."""
    venues = {alias: StubVenue(alias, asyncio.get_running_loop()) for alias in ("a", "b")}
    for alias, amount in positions.items():
        venues[alias].position["X"] = D(amount)
    return venues


@virtual
async def test_the_portfolio_is_brought_to_zero_on_the_venue_named():
    """One market order for each base asset; what is under the lot stays; a base without a contract is refused."""
    async with desk(venues=holding(a="5.0004", b="-2")) as made:
        with pytest.raises(Denied, match="no venue 'c'"):
            await made.oms.hedge_portfolio_delta({"X": "c"})
        (order,) = await made.oms.hedge_portfolio_delta({"X": "b"})
        assert (order.venue, order.amount, order.kind) == ("b", D(-3), OrderKind.MARKET)
        assert made.b.position["X"] == D(-5)
        assert await made.oms.hedge_portfolio_delta() == []


@virtual
async def test_the_portfolio_is_not_brought_to_zero_by_an_answer_that_may_be_old():
    """An answer against the stream and the fills is traded on when a second one agrees, not before."""
    async with desk(venues=holding(a="5", b="-5")) as made:
        made.b.position["X"] = D(-2)
        with pytest.raises(Denied, match="b answers -2 of X, and -5 is what"):
            await made.oms.hedge_portfolio_delta()
        assert made.hedges() == made.b.asked("place") == []
        await made.until(lambda: made.oms.positions.get("b", "X") == -2)
        (order,) = await made.oms.hedge_portfolio_delta({"X": "b"})
        assert order.amount == D(-3)


@virtual
async def test_the_portfolio_goes_to_the_venue_with_the_most_free_margin():
    """Without a name for it, the money decides."""
    async with desk(venues=holding(a="3")) as made:

        async def rich(_):
            return [BalanceUpdate(venue="b", asset="USDT", total=D(9000), available=D(9000))]

        made.b.script["balances"].append(rich)
        (order,) = await made.oms.hedge_portfolio_delta()
        assert (order.venue, order.amount) == ("b", D(-3))


@virtual
async def test_the_two_phase_stop_cancels_makers_settles_hedges_and_says_what_is_left():
    """After it no maker rests, no hedge is in flight, and each thing that could not be done is a sentence."""
    async with desk() as made:
        maker = await made.maker("2")
        made.a.trade(maker, "0.0005")
        left = await made.oms.stop()
        assert made.a.held[maker].status is S.CANCELLED
        assert left == ["-0.0005 of b:X is not hedged: under the lot of 0.001"]
        with pytest.raises(Denied, match="HEDGE-ONLY"):
            await made.maker()


@virtual
async def test_cleanup_closes_the_venues_and_leaves_orders_resting():
    """It ends the desk's tasks and connections, nothing else."""
    async with desk() as made:
        key = await made.maker("1", "99")
    assert made.a.closed
    assert made.b.closed
    assert made.a.held[key].status is S.NEW


@virtual
async def test_the_snapshots_come_at_their_pace():
    """``refresh_orders_snapshot`` and ``refresh_positions_snapshot`` are the seconds between two of each."""
    async with desk(refresh_orders_snapshot=5.0, refresh_positions_snapshot=20.0) as made:
        orders, positions = len(made.a.asked("open_orders")), len(made.a.asked("positions"))
        await asyncio.sleep(41)
        assert len(made.a.asked("open_orders")) - orders == 8
        assert len(made.a.asked("positions")) - positions == 2


@virtual
async def test_a_private_stream_that_is_back_is_followed_by_a_reconciliation():
    """What was missed while it was away is found at once, and hedged once."""
    async with desk() as made:
        maker = await made.maker()
        made.a.private(connected=False)
        made.a.trade(maker, "1", tell=())
        made.a.private(connected=True)
        await made.until(lambda: made.book.hedged == D(-1), 1)
        assert made.hedges() == [D(-1)]


@virtual
async def test_alerts_are_deltas_that_anybody_may_hear():
    """What the operator must see comes by the same broadcast as the rest."""
    async with desk() as made:
        await made.maker()
        made.oms.hedge.hold("b", "X", "look at it")
        await made.until(lambda: [a.event for a in made.alerts if isinstance(a, HedgeDelta)].count("hold") == 1)
