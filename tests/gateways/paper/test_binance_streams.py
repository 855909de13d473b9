"""The paper Binance front's market data streams and subscriptions."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.gateways.paper.binance_client import PaperClient

MARKET = {"type": "MARKET", "price": "", "timeInForce": ""}


@pytest.fixture
def client() -> PaperClient:
    """A client of a venue with 25 levels a side around BTC 95,000."""
    made = PaperClient()
    made.ladder()
    return made


class LocalBook:
    """A book kept from a snapshot and diff events as the venue documents it."""

    def __init__(self, snapshot: dict[str, Any]) -> None:
        self.last = snapshot["lastUpdateId"]
        self.previous: int | None = None
        self.sides = {"b": dict(snapshot["bids"]), "a": dict(snapshot["asks"])}

    def take(self, event: dict[str, Any]) -> None:
        """Apply an event; a gap in the chain fails."""
        if event["u"] < self.last:
            return
        if self.previous is None:
            assert event["pu"] <= self.last <= event["u"]
        else:
            assert event["pu"] == self.previous
        assert event["pu"] < event["U"] <= event["u"]
        self.previous = event["u"]
        for side, levels in self.sides.items():
            for price, quantity in event[side]:
                if Decimal(quantity):
                    levels[price] = quantity
                else:
                    levels.pop(price, None)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(st.booleans(), st.integers(-8, 8), st.integers(1, 9), st.sampled_from([0, 30, 100, 250])),
        min_size=1,
        max_size=40,
    ),
    st.integers(0, 39),
    st.sampled_from(["@100ms", "@250ms", "@500ms", ""]),
)
def test_a_local_book_follows_the_diff_stream(
    orders: list[tuple[bool, int, int, int]], snapshot_after: int, speed: str
) -> None:
    """From a snapshot taken at any moment, the diff events build the venue's book, with an unbroken ``pu`` chain."""
    client = PaperClient()
    client.ladder(levels=5, step="1")
    stream = client.connect("/public/ws")
    client.say(stream, {"method": "SUBSCRIBE", "params": [f"btcusdt@depth{speed}"], "id": 1})
    book: LocalBook | None = None
    for place, (is_buy, offset, quantity, pause) in enumerate(orders):
        client.house("BTCUSDT", is_buy=is_buy, price=str(95000 + offset), quantity=f"0.{quantity}")
        if place == snapshot_after:
            book = LocalBook(client.public("/fapi/v1/depth", symbol="BTCUSDT", limit=100))
        client.wait(pause)
    book = book or LocalBook(client.public("/fapi/v1/depth", symbol="BTCUSDT", limit=100))
    client.wait(500)
    for event in client.heard(stream):
        assert (event["e"], event["s"]) == ("depthUpdate", "BTCUSDT")
        book.take(event)
    truth = client.public("/fapi/v1/depth", symbol="BTCUSDT", limit=100)
    assert {"b": dict(truth["bids"]), "a": dict(truth["asks"])} == book.sides


def test_depth_is_told_at_its_speed_and_only_when_it_changed(client: PaperClient) -> None:
    """A quiet book sends nothing, a changing one an event each period, a partial stream its whole levels."""
    fast = client.connect("/public/ws/btcusdt@depth@100ms")
    slow = client.connect("/public/stream", "streams=btcusdt@depth5@500ms")
    client.wait(100)
    assert client.heard(fast) == []
    for price in ("94000", "94001", "94002", "94003", "94004"):
        client.house("BTCUSDT", is_buy=True, price=price, quantity="1")
        client.wait(100)
    assert [event["b"] for event in client.heard(fast)] == [[[f"9400{n}.00", "1.000"]] for n in range(5)]
    (event,) = client.heard(slow)
    assert event["stream"] == "btcusdt@depth5@500ms"
    assert (len(event["data"]["b"]), event["data"]["b"][0]) == (5, ["94999.90", "0.500"])


def test_trades_are_told_one_by_one_and_together(client: PaperClient) -> None:
    """``@trade`` tells every fill, ``@aggTrade`` one message for each price that a taker went through."""
    client.quote("BTCUSDT", [], [("95000.1", "0.1")])
    each = client.connect("/public/ws/btcusdt@trade")
    together = client.connect("/market/ws/btcusdt@aggTrade")
    client.order(**MARKET, quantity="0.8")
    trades, aggregates = client.heard(each), client.heard(together)
    assert [(trade["p"], trade["q"], trade["m"]) for trade in trades] == [
        ("95000.10", "0.500", False),
        ("95000.10", "0.100", False),
        ("95000.20", "0.200", False),
    ]
    assert [(item["p"], item["q"], item["f"], item["l"]) for item in aggregates] == [
        ("95000.10", "0.600", trades[0]["t"], trades[1]["t"]),
        ("95000.20", "0.200", trades[2]["t"], trades[2]["t"]),
    ]
    assert aggregates[1]["a"] == aggregates[0]["a"] + 1


def test_the_best_prices_are_told_when_they_change(client: PaperClient) -> None:
    """Orders behind the best change nothing; one at the best is told at once, on the contract's stream and on all."""
    one = client.connect("/public/ws/btcusdt@bookTicker")
    every = client.connect("/public/ws/!bookTicker")
    client.house("BTCUSDT", is_buy=True, price="95000.0", quantity="0.3")
    client.house("BTCUSDT", is_buy=True, price="94999.9", quantity="1")
    (message,) = client.heard(one)
    assert [message[name] for name in ("s", "b", "B", "a", "A")] == [
        "BTCUSDT",
        "95000.00",
        "0.300",
        "95000.10",
        "0.500",
    ]
    assert client.heard(every) == [message]


def test_mark_prices_are_told_by_the_second(client: PaperClient) -> None:
    """``@1s`` comes each second, the plain stream each third one."""
    fast = client.connect("/market/ws/btcusdt@markPrice@1s")
    slow = client.connect("/market/ws/btcusdt@markPrice")
    arrays = client.connect("/market/ws/!markPrice@arr@1s")
    for _ in range(60):
        client.wait(100)
    marks = client.heard(fast)
    assert len(marks) == 6
    assert (marks[0]["e"], marks[0]["s"], marks[0]["p"]) == ("markPriceUpdate", "BTCUSDT", "95000.00000000")
    assert marks[0]["T"] > client.now_ms
    assert len(client.heard(slow)) == 2
    assert [item["s"] for item in client.heard(arrays)[0]] == ["BTCUSDT"]


def test_subscriptions_are_kept_by_name(client: PaperClient) -> None:
    """SUBSCRIBE adds once, LIST_SUBSCRIPTIONS tells, UNSUBSCRIBE ends, and a connection takes its category only."""
    stream = client.connect("/market/ws")
    names = ["btcusdt@aggTrade", "btcusdt@markPrice"]
    assert client.say(stream, {"method": "SUBSCRIBE", "params": [*names, *names], "id": 1}) == {"result": None, "id": 1}
    assert client.say(stream, {"method": "LIST_SUBSCRIPTIONS", "id": 2}) == {"result": names, "id": 2}
    client.say(stream, {"method": "UNSUBSCRIBE", "params": names[:1], "id": 3})
    assert client.say(stream, {"method": "LIST_SUBSCRIPTIONS", "id": 4})["result"] == names[1:]
    for wrong in ("btcusdt@depth", "!bookTicker", "a-listen-key"):
        assert client.say(stream, {"method": "SUBSCRIBE", "params": [wrong], "id": 5})["error"]["code"] == 2
    assert client.say(stream, {"method": "SUBSCRIBE", "params": "all", "id": 6})["error"]["code"] == 2
    assert client.say(stream, {"method": "DANCE", "id": 7})["error"]["code"] == 2
    assert client.say(stream, "[1]")["error"]["code"] == 2
    assert client.say(stream, "{")["error"]["code"] == 3
    assert client.say(stream, {"method": "SET_PROPERTY", "params": ["combined", True], "id": 8})["result"] is None
    assert client.say(stream, {"method": "GET_PROPERTY", "params": ["combined"], "id": 9})["result"] is True


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(["/public/ws", "/market/stream", "/private/stream", "/ws", "/ws-fapi/v1"]),
    st.one_of(
        st.text(max_size=20),
        st.sampled_from(
            ["[" * 100_000, '{"id":"\\ud800","method":"ping"}', '{"method":["SUBSCRIBE"]}', '{"id":1e400}']
        ),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.sampled_from(["method", "params", "id", "symbol", "apiKey", "signature"]), inner)
            ),
            max_leaves=8,
        ).map(json.dumps),
        st.builds(
            lambda method, params, number: json.dumps({"method": method, "params": params, "id": number}),
            st.sampled_from(["SUBSCRIBE", "UNSUBSCRIBE", "SET_PROPERTY", "GET_PROPERTY", "order.place", "depth"]),
            st.none() | st.lists(st.text(max_size=5), max_size=3) | st.dictionaries(st.text(max_size=5), st.integers()),
            st.none() | st.integers() | st.text(max_size=5),
        ),
    ),
)
def test_every_message_has_one_answer(path: str, text: str) -> None:
    """Whatever a client says, it is answered once, in JSON, and the connection stays."""
    client = PaperClient()
    connection = client.connect(path)
    assert isinstance(client.say(connection, text), dict)
    assert client.closed == set()


def test_a_closed_connection_is_sent_nothing(client: PaperClient) -> None:
    """After the end of a connection its streams are forgotten."""
    stream = client.connect("/public/ws/btcusdt@depth@100ms/btcusdt@trade")
    client.front.ws_closed(stream)
    client.order(**MARKET, quantity="0.1")
    client.wait(100)
    assert client.heard(stream) == []
    assert client.front.ws_message(stream, "{}") == []
