"""Batches on the paper venues over sockets: each item's fate is what the exchange's books say of it."""

import itertools
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from gateways.contracts import round_price
from gateways.errors import Denied, Rejected, Unknown, VenueError
from gateways.paper.fault_plan import Fault, Rule, Verb
from gateways.paper.sockets import PaperServer, PaperVenue, running
from gateways.router import make_venue
from gateways.standards import CancelOrder, OrderStatus, OrderUpdate, PlaceOrder, RejectReason
from gateways.venue import Venue
from tests.gateways.listening import Desk

D = Decimal
TICKERS = {
    "binance": ("ETHUSDT", "BTCUSDT"),
    "bybit": ("ETHUSDT", "BTCUSDT"),
    "hyperliquid": ("ETH", "BTC"),
    "okx": ("ETH-USDT-SWAP", "BTC-USDT-SWAP"),
}
SIZES = (D("0.05"), D("0.002"))
PER_SECOND = {"bybit": 10}
"""Orders and cancels of batches that an account of the paper venue may send in a second, where it is few."""

_numbers = itertools.count(1)


class Trial:
    """One venue on its paper exchange."""

    def __init__(self, kind: str, paper: PaperVenue, venue: Venue, desk: Desk) -> None:
        self.kind, self.paper, self.venue, self.desk = kind, paper, venue, desk
        self.account = paper.credentials.key

    def order(self, number: int = 0, away: str = "0.9", **changes: Any) -> PlaceOrder:
        """A post-only bid far below the market in one of two contracts, under a fresh id."""
        ticker = TICKERS[self.kind][number % 2]
        mark = self.paper.exchange.mark(ticker)
        assert mark is not None
        price = round_price(self.venue.contracts[ticker], mark * D(away))
        cloid = f"{next(_numbers):032x}"
        fields: dict[str, Any] = {"ticker": ticker, "cloid": cloid, "amount": SIZES[number % 2], "price": price}
        return PlaceOrder(**{**fields, "post_only": True, **changes})

    def resting(self) -> set[str]:
        """The ids of the orders that rest on the exchange, as we write them."""
        open_orders = self.paper.exchange.open_orders(self.account)
        return {str(each.client_id).removeprefix("0x") for each in open_orders}

    def known(self, cloid: str) -> int:
        """How many orders the exchange ever had under an id."""
        everything = (
            each for ticker in TICKERS[self.kind] for each in self.paper.exchange.orders(self.account, ticker)
        )
        return sum(str(each.client_id).removeprefix("0x") == cloid for each in everything)

    def batches(self, verb: str) -> int:
        """How many batches left."""
        return sum(each[0].replace(" ", "") == f"{verb}batch" for each in self.desk.requests)

    def fault(self, fault: Fault, verb: Verb) -> None:
        """Let a fault strike the next request."""
        self.paper.faulty.faults.switch(Rule(fault=fault, verb=verb))


@pytest.fixture(params=sorted(TICKERS))
async def trial(request: pytest.FixtureRequest) -> AsyncIterator[Trial]:
    """Each venue in turn, its answers awaited for a second at most."""
    kind, desk = request.param, Desk()
    timeouts = {"reply_timeout": 1.0} if kind == "hyperliquid" else {"reply_timeout_s": 1.0}
    async with running(PaperServer([kind], seed=5)) as server:
        made = make_venue(kind, server.endpoints[kind])
        venue = type(made)(kind, server.endpoints[kind], **timeouts)
        await venue.connect(desk.sink, desk)
        try:
            yield Trial(kind, server.venues[kind], venue, desk)
        finally:
            await venue.close()


def statuses(desk: Desk, cloid: str) -> list[OrderStatus | None]:
    """What the stream and the replies said of an order."""
    return [each.status for each in desk.events if isinstance(each, OrderUpdate) and each.cloid == cloid]


async def test_each_order_has_its_own_fate(trial: Trial) -> None:
    """One would trade although post-only, one is no order at all; the others rest, in both contracts."""
    orders = [trial.order(number) for number in range(6)]
    orders[1] = trial.order(1, away="1.02")
    orders[4] = trial.order(4, ticker="NOSUCH")
    outcomes = await trial.venue.place_many(orders)
    assert type(outcomes[4]) is Denied
    if trial.kind in {"okx", "bybit"}:  # taken, and cancelled by the matching engine
        await trial.desk.until(lambda: OrderStatus.CANCELLED in statuses(trial.desk, orders[1].cloid))
    else:
        assert isinstance(outcomes[1], Rejected)
        assert outcomes[1].reason is RejectReason.POST_ONLY
    for place in (0, 2, 3, 5):
        outcome = outcomes[place]
        assert isinstance(outcome, OrderUpdate), outcome
        assert (outcome.cloid, outcome.ticker) == (orders[place].cloid, orders[place].ticker)
        found = await trial.venue.order(orders[place].ticker, oid=outcome.oid)
        assert found.cloid == orders[place].cloid
    assert trial.resting() == {orders[place].cloid for place in (0, 2, 3, 5)}
    assert trial.batches("place") == 1


async def test_each_cancel_has_its_own_fate(trial: Trial) -> None:
    """By oid and by cloid, in both contracts; one names an order that is not there, one nothing at all."""
    orders = [trial.order(number) for number in range(6)]
    placed = await trial.venue.place_many(orders)
    cancels = [
        CancelOrder(ticker=order.ticker, cloid=order.cloid)
        if place % 3 == 0
        else CancelOrder(ticker=order.ticker, oid=update.oid)
        for place, (order, update) in enumerate(zip(orders, placed, strict=True))
        if isinstance(update, OrderUpdate)
    ]
    missing = CancelOrder(ticker=TICKERS[trial.kind][0], cloid=f"{next(_numbers):032x}")
    outcomes = await trial.venue.cancel_many([*cancels[:2], missing, CancelOrder(ticker="ETH"), *cancels[2:]])
    refused, nothing = outcomes[2:4]
    assert isinstance(refused, Rejected)
    assert refused.reason is RejectReason.UNKNOWN_ORDER
    assert type(nothing) is Denied
    told = [*outcomes[:2], *outcomes[4:]]
    assert not any(isinstance(each, VenueError) for each in told)
    assert [each.cloid for each in told if each is not None] in ([], [order.cloid for order in orders])
    assert trial.resting() == set()
    assert trial.batches("cancel") > 0


async def test_more_than_a_batch_goes_in_several(trial: Trial) -> None:
    """Split at the venue's largest batch; each item is sent once, and each outcome stands at its place."""
    most = PER_SECOND.get(trial.kind, 24)
    orders = [trial.order(number) for number in range(most)]
    placed = await trial.venue.place_many(orders)
    assert [each.cloid if isinstance(each, OrderUpdate) else each for each in placed] == [each.cloid for each in orders]
    assert all(trial.known(order.cloid) == 1 for order in orders)
    size = trial.venue.capabilities.place_batch
    assert trial.batches("place") == -(-most // size)
    outcomes = await trial.venue.cancel_many([CancelOrder(ticker=each.ticker, cloid=each.cloid) for each in orders])
    assert not any(isinstance(each, VenueError) for each in outcomes)
    assert trial.resting() == set()
    assert all(trial.known(order.cloid) == 1 for order in orders)


async def test_a_batch_of_one_is_a_request_like_any_other(trial: Trial) -> None:
    """It counts as the single request does, and goes its way."""
    order = trial.order()
    (placed,) = await trial.venue.place_many([order])
    assert isinstance(placed, OrderUpdate)
    (cancelled,) = await trial.venue.cancel_many([CancelOrder(ticker=order.ticker, cloid=order.cloid)])
    assert not isinstance(cancelled, VenueError)
    assert trial.batches("place") == trial.batches("cancel") == 0
    assert await trial.venue.place_many([]) == await trial.venue.cancel_many([]) == []


@pytest.mark.parametrize("fault", [Fault.CUT_DURING, Fault.REFUSED_ANSWER_LOST, Fault.ANSWER_UNKNOWN])
async def test_orders_without_an_answer_are_unknown_each(trial: Trial, fault: Fault) -> None:
    """Nothing is sent again by another way, whatever the venue did; a query tells what became of each."""
    orders = [trial.order(2 * number) for number in range(3)]
    trial.fault(fault, Verb.PLACE)
    outcomes = await trial.venue.place_many(orders)
    assert [type(each) for each in outcomes] == [Unknown] * 3
    done = fault is not Fault.REFUSED_ANSWER_LOST
    assert [trial.known(order.cloid) for order in orders] == [int(done)] * 3


@pytest.mark.parametrize("fault", [Fault.CUT_DURING, Fault.REFUSED_ANSWER_LOST])
async def test_cancels_without_an_answer_are_unknown_each(trial: Trial, fault: Fault) -> None:
    """The orders may rest or not: each is to be asked about."""
    orders = [trial.order(2 * number) for number in range(3)]
    await trial.venue.place_many(orders)
    trial.fault(fault, Verb.CANCEL)
    outcomes = await trial.venue.cancel_many([CancelOrder(ticker=each.ticker, cloid=each.cloid) for each in orders])
    assert [type(each) for each in outcomes] == [Unknown] * 3
    assert trial.resting() == (set() if fault is Fault.CUT_DURING else {order.cloid for order in orders})


async def test_a_refusal_of_the_whole_is_that_of_every_item(trial: Trial) -> None:
    """Refused for its rate: definite for each, nothing was placed, and orders are held up."""
    orders = [trial.order(number) for number in range(3)]
    trial.fault(Fault.REJECT_RATE_LIMIT, Verb.PLACE)
    outcomes = await trial.venue.place_many(orders)
    assert all(isinstance(each, Rejected) and each.reason is RejectReason.RATE_LIMIT for each in outcomes)
    assert trial.resting() == set()
