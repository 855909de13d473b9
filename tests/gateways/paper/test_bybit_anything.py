"""Whatever a client sends, the paper Bybit front answers; whatever happens on a book, its stream tells it whole."""

import itertools
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateways.paper.bybit import numbers
from gateways.paper.bybit.front import PRIVATE_PATH, PUBLIC_PATH, TRADE_PATH
from gateways.paper.records import NewOrder
from tests.gateways.paper.bybit_client import LIMIT, TICKER, PaperClient
from tests.gateways.paper.front_client import HOUSE

D = Decimal
WORDS = st.sampled_from(
    [
        "linear", "spot", TICKER, "1000PEPEUSDT", "USDT", "Buy", "Sell", "Limit", "Market", "IOC", "PostOnly", "0.01",
        "94000", "95000.1", "-1", "1e400", "NaN", "1%3A0", "7:0", "", "mine", "order", f"orderbook.50.{TICKER}", "ping",
        "auth", "subscribe", "order.create", "order.cancel-batch", "UNIFIED", "1", "D", "true",
    ]
)  # fmt: skip
SCALARS = st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats() | WORDS | st.text(max_size=8)
NAMES = st.sampled_from(
    [
        "category", "symbol", "side", "orderType", "qty", "price", "orderLinkId", "orderId", "timeInForce", "request",
        "limit", "cursor", "settleCoin", "startTime", "endTime", "reduceOnly", "bboSideType", "bboLevel", "op", "args",
        "reqId", "req_id", "header", "X-BAPI-TIMESTAMP", "accountType", "buyLeverage", "sellLeverage", "timeWindow",
        "product", "interval", "status", "openOnly", "mode",
    ]
)  # fmt: skip
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=5), max_leaves=12
)
ROUTES = sorted(PaperClient().front._routes)
PATIENT = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize("route", ROUTES, ids=" ".join)
@PATIENT
@given(fields=st.dictionaries(NAMES, VALUES, max_size=8), usual=st.booleans())
def test_every_request_is_answered(route: tuple[str, str], fields: dict[str, Any], *, usual: bool) -> None:
    """With a code and a text, in the venue's envelope."""
    client = PaperClient()
    client.house(TICKER, is_buy=False, price="95000.1")
    method, path = route
    said = json.loads(client.send(method, path, **{**(LIMIT if usual else {}), **_without_proof(fields)}).body)
    assert set(said) == {"retCode", "retMsg", "result", "retExtInfo", "time"}
    assert said["retMsg"]


def _without_proof(fields: dict[str, Any]) -> dict[str, Any]:
    """A body that can be written as JSON: what a client may well say, however wrong."""
    return json.loads(
        json.dumps(fields, default=str).replace("NaN", "0").replace("-Infinity", "0").replace("Infinity", "0")
    )


@pytest.mark.parametrize("path", [PUBLIC_PATH, PRIVATE_PATH, TRADE_PATH])
@PATIENT
@given(messages=st.lists(st.dictionaries(NAMES, VALUES, max_size=6) | VALUES | st.text(max_size=20), max_size=6))
def test_every_message_is_answered(path: str, messages: list[Any]) -> None:
    """Each with one answer at least, on the connection that asked."""
    client = PaperClient()
    connection = client.connect(path)
    if path != PUBLIC_PATH:
        client.login(connection)
    for message in messages:
        if connection in client.closed:
            break
        text = message if isinstance(message, str) else json.dumps(message)
        pushes = client.front.ws_message(connection, text)
        assert {push.connection for push in pushes} == {connection}
        client.settle(pushes)


@PATIENT
@given(
    steps=st.lists(
        st.tuples(st.booleans(), st.integers(-40, 40), st.integers(0, 3), st.sampled_from([5, 20, 100])), max_size=40
    ),
    depth=st.sampled_from([1, 50]),
)
def test_a_book_stream_applied_is_the_book(steps: list[tuple[bool, int, int, int]], depth: int) -> None:
    """Snapshot and deltas, in turn and without a gap, make the book's levels down to the depth."""
    client = PaperClient()
    client.ladder(levels=3)
    connection = client.market(f"orderbook.{depth}.{TICKER}")
    for is_buy, place, size, milliseconds in steps:
        price = D(95_000) + D("0.1") * place
        if size:
            new = NewOrder(ticker=TICKER, is_buy=is_buy, quantity=D("0.1") * size, price=price)
            client.exchange.submit(HOUSE, new)
        else:
            for order in client.exchange.open_orders(HOUSE, TICKER)[:2]:
                client.exchange.cancel(HOUSE, TICKER, order_id=order.order_id)
        client.settle([])
        client.wait(milliseconds)
    client.wait(100)
    messages = client.heard(connection)
    assert messages[0]["type"] == "snapshot"
    sides: dict[str, dict[str, str]] = {"b": {}, "a": {}}
    for before, message in itertools.pairwise([messages[0], *messages]):
        data = message["data"]
        if message["type"] == "snapshot":
            sides = {"b": {}, "a": {}}
            assert data["u"] == before["data"]["u"]
        else:
            assert data["u"] == before["data"]["u"] + 1
        for name, levels in sides.items():
            levels.update(dict(data[name]))
    book = client.exchange.book(TICKER, depth)
    for name, levels in (("b", book.bids), ("a", book.asks)):
        told = {D(price): D(size) for price, size in sides[name].items() if D(size)}
        assert told == {level.price: level.quantity for level in levels}


@given(number=st.integers(1, 2**40))
def test_an_order_id_leads_back_to_its_order(number: int) -> None:
    """And no other text does."""
    text = numbers.order_id(number)
    assert numbers.order_number(text) == number
    assert numbers.order_number(text.upper()) is None or text.upper() == text
    assert numbers.order_number(numbers.trade_id(number)) is None
