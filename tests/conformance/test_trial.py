"""The trial notices: an honest client holds every verb, and each thing that a client can get wrong fails its verb."""

from collections.abc import Callable, Iterable
from decimal import Decimal
from itertools import count
from typing import Any

import pytest

from gateways.paper.contracts import paper_exchange
from gateways.paper.control import Truth, truth_of
from gateways.paper.exchange import NewOrder, OrderChanged, PaperExchange, PositionChanged
from gateways.standards import OrderStatus
from gateways.venue import Endpoints
from tests.conformance.client import Client, FillTold, OrderTold, PositionTold, Told, Wanted
from tests.conformance.table import VERBS, Outcome
from tests.conformance.trial import CROSSING, RESTING, Trial, try_all
from tests.conformance.witness import Witness

ME, HOUSE = "me", "house:flow"
PATIENCE_S = 0.1
_STATUS = {OrderStatus.FILLED: "filled", OrderStatus.CANCELLED: "canceled", OrderStatus.EXPIRED: "refused"}


class Honest(Client):
    """A client that stands on the exchange itself, without a protocol between."""

    name, kind, ticker = "honest", "binance", "BTCUSDT"

    def __init__(self, exchange: PaperExchange) -> None:
        super().__init__(Endpoints(rest="", ws=""))
        self.exchange = exchange

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def best(self) -> tuple[Decimal, Decimal]:
        bid, ask = self.exchange.best(self.ticker)
        assert bid is not None
        assert ask is not None
        return bid.price, ask.price

    async def place(self, order: Wanted) -> None:
        self.exchange.submit(
            ME,
            NewOrder(
                ticker=self.ticker, client_id=order.client_id, is_buy=order.is_buy, quantity=order.quantity,
                price=order.price, post_only=order.price is not None,
            ),
        )  # fmt: skip

    async def amend(self, order: Wanted) -> None:
        assert order.price is not None
        self.exchange.amend(ME, self.ticker, client_id=order.client_id, quantity=order.quantity, price=order.price)

    async def cancel(self, client_id: str) -> None:
        self.exchange.cancel(ME, self.ticker, client_id=client_id)

    async def fills(self, client_id: str) -> list[FillTold]:
        return [_fill(fill) for fill in self.exchange.fills(ME) if fill.client_id == client_id]

    async def position(self) -> Decimal:
        return self.exchange.position(ME, self.ticker).amount

    def read(self, message: Any) -> Iterable[Told]:
        if isinstance(message, PositionChanged):
            return [PositionTold(amount=message.position.amount)]
        order = message.order
        told: list[Told] = [
            OrderTold(
                client_id=order.client_id, status=_STATUS.get(order.status, "open"), quantity=order.quantity,
                price=order.price,
            )
        ]  # fmt: skip
        return [*told, _fill(message.fill)] if message.fill is not None else told

    def told(self) -> list[Told]:
        news = self.exchange.drain()
        self.heard += [each for each in news if isinstance(each, OrderChanged | PositionChanged) and _mine(each)]
        return super().told()


def _mine(news: OrderChanged | PositionChanged) -> bool:
    return (news.order if isinstance(news, OrderChanged) else news.position).account == ME


def _fill(fill: Any) -> FillTold:
    return FillTold(
        client_id=fill.client_id,
        trade_id=str(fill.trade_id),
        amount=fill.quantity if fill.is_buy else -fill.quantity,
    )


class ExchangeWitness(Witness):
    """The records of the exchange, without asking for them."""

    def __init__(self, exchange: PaperExchange) -> None:
        self._exchange = exchange
        self._ticker = Honest.ticker

    async def truth(self) -> Truth:
        return truth_of(self._exchange, ME)

    async def trade_with(self, client_id: str, quantity: Decimal) -> None:
        self._exchange.meet(HOUSE, ME, self._ticker, client_id=client_id, quantity=quantity)


@pytest.fixture
def exchange() -> PaperExchange:
    """An exchange with a book, the house's account and ours."""
    made = paper_exchange("binance", now_ns=count().__next__)
    made.open_account(ME, Decimal(1_000_000))
    made.open_account(HOUSE, Decimal(0), house=True)
    for is_buy, price in ((True, 60_000), (False, 60_010)):
        new = NewOrder(ticker=Honest.ticker, is_buy=is_buy, quantity=Decimal(5), price=Decimal(price))
        made.submit(HOUSE, new)
    return made


async def failing(client: Honest) -> set[str]:
    """The verbs that do not hold."""
    outcomes: list[Outcome] = []
    trial = Trial(client, ExchangeWitness(client.exchange), PATIENCE_S)
    await trial.prepare()
    await try_all(trial, outcomes.append)
    assert [outcome.verb for outcome in outcomes] == list(VERBS)
    return {outcome.verb for outcome in outcomes if outcome.reason}


async def test_an_honest_client_holds_every_verb(exchange: PaperExchange) -> None:
    """What is done and told as the exchange has it fails nothing."""
    assert await failing(Honest(exchange)) == set()


async def nothing(*_: object) -> None:
    """Do as if it were done."""


async def no_fills(*_: object) -> list[FillTold]:
    return []


async def flat(*_: object) -> Decimal:
    return Decimal(0)


def untold(kind: type) -> Callable[[Any, Any], Iterable[Told]]:
    """Streams that never tell of something."""
    return lambda self, message: [told for told in Honest.read(self, message) if not isinstance(told, kind)]


def twice(self: Any, message: Any) -> Iterable[Told]:
    """Streams that tell all of it twice."""
    return [*Honest.read(self, message)] * 2


def without_the_amendment(self: Any, message: Any) -> Iterable[Told]:
    """Streams that tell of an order with the terms that it was placed with."""
    for told in Honest.read(self, message):
        changed = isinstance(told, OrderTold) and told.client_id == RESTING and told.quantity == Decimal("0.03")
        if not changed or (isinstance(told, OrderTold) and told.status == "canceled"):
            yield told


@pytest.mark.parametrize(
    ("verb", "wrong", "verbs"),
    [
        ("amend", nothing, {"amend", "orders told"}),
        ("cancel", nothing, {"cancel", "get refused", "orders told"}),
        ("fills", no_fills, {"get filled"}),
        ("position", flat, {"get filled"}),
        ("read", untold(OrderTold), {"get refused", "orders told"}),
        ("read", untold(FillTold), {"fills told"}),
        ("read", untold(PositionTold), {"position told"}),
        ("read", twice, {"fills told"}),
        ("read", without_the_amendment, {"orders told"}),
    ],
)
async def test_what_is_wrong_fails_its_verb(
    exchange: PaperExchange, monkeypatch: pytest.MonkeyPatch, verb: str, wrong: Any, verbs: set[str]
) -> None:
    """A verb that is not done, a query that differs, news untold or told twice: none is taken for what it should be."""
    client = Honest(exchange)
    monkeypatch.setattr(client, verb, wrong.__get__(client))
    assert await failing(client) == verbs


async def test_an_order_that_is_not_placed_fails(exchange: PaperExchange) -> None:
    """All that would have been done with it fails, and the rest goes on."""

    class Forgetful(Honest):
        async def place(self, order: Wanted) -> None:
            if order.client_id != RESTING:
                await super().place(order)

    assert await failing(Forgetful(exchange)) == {"place", "amend", "cancel", "orders told"}


async def test_an_answer_that_is_not_read_is_no_refusal(
    exchange: PaperExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that breaks on the venue's refusal has not been refused."""

    async def broken(client: Honest, client_id: str) -> None:
        if exchange.order(ME, Honest.ticker, client_id=client_id).status.terminal:
            raise KeyError("msg")
        await Honest.cancel(client, client_id)

    client = Honest(exchange)
    monkeypatch.setattr(client, "cancel", broken.__get__(client))
    assert await failing(client) == {"get refused"}


async def test_a_post_only_order_that_takes_fails(exchange: PaperExchange) -> None:
    """A refusal that the venue never made is noticed by what was filled."""

    class Careless(Honest):
        async def place(self, order: Wanted) -> None:
            if order.client_id == CROSSING:
                new = NewOrder(
                    ticker=self.ticker, client_id=CROSSING, is_buy=True, quantity=order.quantity, price=order.price
                )
                self.exchange.submit(ME, new)
                raise AssertionError("refused")
            await super().place(order)

    assert await failing(Careless(exchange)) == {"get refused"}
