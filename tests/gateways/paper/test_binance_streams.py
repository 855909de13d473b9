"""The paper Binance front's websockets: user data, market data and the websocket API."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateways.paper.binance_limits import RateLimits
from tests.gateways.paper.binance_client import KEY, LIMIT, OTHER_KEY, PaperClient

ORDER = "/fapi/v1/order"
MARKET = {"type": "MARKET", "price": "", "timeInForce": ""}
HOUR_MS = 3_600_000


@pytest.fixture
def client() -> PaperClient:
    """A client of a venue with 25 levels a side around BTC 95,000."""
    made = PaperClient()
    made.ladder()
    return made


def kinds(messages: list[Any]) -> list[str]:
    """The event types, with the execution type of order updates."""
    return [f"{message['e']} {message['o']['x']}" if "o" in message else str(message["e"]) for message in messages]


# ------------------------------------------------------------------ user data


@pytest.mark.parametrize(
    ("path", "query", "wrapped"),
    [
        ("/private/ws", "listenKey={key}", False),
        ("/private/ws/{key}", "", False),
        ("/ws/{key}", "", False),
        ("/private/stream", "listenKey={key}", True),
        ("/private/stream", "streams={key}", True),
        ("/stream", "streams={key}", True),
    ],
)
def test_a_listen_key_opens_the_user_stream_in_every_form(
    client: PaperClient, path: str, query: str, *, wrapped: bool
) -> None:
    """Each way in which clients open the stream is told of orders, wrapped on the stream paths only."""
    key = client.ask("POST", "/fapi/v1/listenKey")["listenKey"]
    stream = client.connect(path.format(key=key), query.format(key=key))
    order = client.order()
    (message,) = client.heard(stream)
    assert set(message) == ({"stream", "data"} if wrapped else {"e", "E", "T", "o"})
    if wrapped:
        assert message["stream"] == key
        message = message["data"]
    assert message["o"]["i"] == order["orderId"]


def test_a_subscription_opens_the_user_stream(client: PaperClient) -> None:
    """A bare private connection hears nothing until it subscribes to its listen key, and nothing after it leaves."""
    key = client.ask("POST", "/fapi/v1/listenKey")["listenKey"]
    stream = client.connect("/private/stream")
    client.order()
    assert client.heard(stream) == []
    assert client.say(stream, {"method": "SUBSCRIBE", "params": [key], "id": "x"}) == {"result": None, "id": "x"}
    client.order()
    assert [message["data"]["e"] for message in client.heard(stream)] == ["ORDER_TRADE_UPDATE"]
    client.say(stream, {"method": "UNSUBSCRIBE", "params": [key], "id": 2})
    client.order()
    assert client.heard(stream) == []


def test_an_unknown_listen_key_is_refused(client: PaperClient) -> None:
    """A connection with a key that is none is closed; a subscription to one is an error."""
    assert client.connect("/private/ws", "listenKey=none") in client.closed
    assert client.connect("/nothing") in client.closed
    stream = client.connect("/private/stream")
    assert client.say(stream, {"method": "SUBSCRIBE", "params": ["none"], "id": 1})["error"]["code"] == -1125


def test_a_taker_fill_is_told_in_the_venues_order(client: PaperClient) -> None:
    """TRADE_LITE precedes NEW, the position precedes the trade, and the trades add up to the order."""
    stream = client.stream()
    client.order(**MARKET, quantity="0.7", newClientOrderId="mine")
    messages = client.heard(stream)
    assert kinds(messages) == [
        "TRADE_LITE",
        "TRADE_LITE",
        "ORDER_TRADE_UPDATE NEW",
        "ACCOUNT_UPDATE",
        "ORDER_TRADE_UPDATE TRADE",
        "ACCOUNT_UPDATE",
        "ORDER_TRADE_UPDATE TRADE",
    ]
    trades = [message["o"] for message in messages if message["e"] == "ORDER_TRADE_UPDATE"][1:]
    assert [(trade["l"], trade["z"], trade["L"], trade["X"]) for trade in trades] == [
        ("0.500", "0.500", "95000.10", "PARTIALLY_FILLED"),
        ("0.200", "0.700", "95000.20", "FILLED"),
    ]
    assert [message["t"] for message in messages[:2]] == [trade["t"] for trade in trades]
    positions = [message["a"]["P"][0] for message in messages if message["e"] == "ACCOUNT_UPDATE"]
    assert [position["pa"] for position in positions] == ["0.500", "0.700"]
    wallets = [Decimal(message["a"]["B"][0]["wb"]) for message in messages if message["e"] == "ACCOUNT_UPDATE"]
    assert wallets[0] - wallets[1] == Decimal(trades[1]["n"]) == Decimal("95000.2") * Decimal("0.2") * Decimal("0.0005")


def test_a_maker_fill_has_every_documented_field(client: PaperClient) -> None:
    """The push of a resting order's fill is the venue's, field by field."""
    stream = client.stream()
    order = client.order(timeInForce="GTX", price="95000.0", newClientOrderId="mine", quantity="0.01")
    client.heard(stream)
    client.house("BTCUSDT", is_buy=False, price="95000.0", quantity="0.004")
    lite, account, update = client.heard(stream)
    (trade,) = client.ask("GET", "/fapi/v1/userTrades", symbol="BTCUSDT")
    assert update == {
        "e": "ORDER_TRADE_UPDATE",
        "T": client.now_ms,
        "E": client.now_ms,
        "o": {
            "s": "BTCUSDT",
            "c": "mine",
            "S": "BUY",
            "o": "LIMIT",
            "f": "GTX",
            "q": "0.010",
            "p": "95000.00",
            "ap": "95000.00000",
            "sp": "0",
            "x": "TRADE",
            "X": "PARTIALLY_FILLED",
            "i": order["orderId"],
            "l": "0.004",
            "z": "0.004",
            "L": "95000.00",
            "n": "0.07600000",
            "N": "USDT",
            "T": client.now_ms,
            "t": trade["id"],
            "b": "570",
            "a": "0",
            "m": True,
            "R": False,
            "wt": "CONTRACT_PRICE",
            "ot": "LIMIT",
            "ps": "BOTH",
            "cp": False,
            "rp": "0.00000000",
            "pP": False,
            "si": 0,
            "ss": 0,
            "V": "EXPIRE_MAKER",
            "pm": "NONE",
            "gtd": 0,
        },
    }
    assert (lite["e"], lite["m"], lite["i"], lite["l"]) == ("TRADE_LITE", True, order["orderId"], "0.004")
    assert account["a"]["m"] == "ORDER"
    assert account["a"]["P"][0]["cr"] == "0.00000000"
    assert set(account["a"]["P"][0]) == {"s", "pa", "ep", "cr", "up", "mt", "iw", "ps", "ma", "bep"}


def test_an_orders_other_ends_are_told(client: PaperClient) -> None:
    """Amend, cancel, expiry of an IOC rest and self-trade prevention each have their execution type and status."""
    stream = client.stream()
    order = client.order(newClientOrderId="mine")
    named = {"symbol": "BTCUSDT", "orderId": order["orderId"]}
    client.ask("PUT", ORDER, **named, side="BUY", quantity="0.02", price="93000")
    client.ask("DELETE", ORDER, **named)
    client.order(timeInForce="IOC", price="95000.0")
    client.order(price="95000.0", quantity="0.01")
    client.order(side="SELL", price="95000.0", quantity="0.01", timeInForce="IOC")
    updates = [message["o"] for message in client.heard(stream) if message["e"] == "ORDER_TRADE_UPDATE"]
    assert [(update["x"], update["X"]) for update in updates] == [
        ("NEW", "NEW"),
        ("AMENDMENT", "NEW"),
        ("CANCELED", "CANCELED"),
        ("NEW", "NEW"),
        ("EXPIRED", "EXPIRED"),
        ("NEW", "NEW"),
        ("NEW", "NEW"),
        ("EXPIRED", "EXPIRED_IN_MATCH"),
        ("EXPIRED", "EXPIRED"),
    ]
    assert updates[1]["q"] == "0.020"


def test_an_account_hears_only_of_itself(client: PaperClient) -> None:
    """Another account's orders and fills are not on the stream, even where they trade with each other."""
    stream = client.stream()
    client.order(price="95000.0", timeInForce="GTX")
    client.heard(stream)
    client.order(key=OTHER_KEY, price="94990.0")
    assert client.heard(stream) == []
    client.order(key=OTHER_KEY, side="SELL", price="95000.0", quantity="0.51")
    messages = client.heard(stream)
    assert kinds(messages) == ["TRADE_LITE", "ACCOUNT_UPDATE", "ORDER_TRADE_UPDATE TRADE"]
    assert messages[2]["o"]["m"] is True


def test_only_the_wanted_events_are_sent(client: PaperClient) -> None:
    """``events`` in the address leaves out the other user data events."""
    key = client.ask("POST", "/fapi/v1/listenKey")["listenKey"]
    stream = client.connect("/private/ws", f"listenKey={key}&events=ORDER_TRADE_UPDATE")
    client.order(**MARKET, quantity="0.1")
    assert kinds(client.heard(stream)) == ["ORDER_TRADE_UPDATE NEW", "ORDER_TRADE_UPDATE TRADE"]


def test_a_listen_key_lives_an_hour_unless_kept_alive(client: PaperClient) -> None:
    """Keepalive extends the key; after an hour without it the stream says so and ends; a new key differs."""
    headers = {"x-mbx-apikey": KEY}
    key = json.loads(client.http("POST", "/fapi/v1/listenKey", headers=headers).body)["listenKey"]
    assert len(key) == 64
    stream = client.connect("/private/ws", f"listenKey={key}")
    client.wait(HOUR_MS - 1)
    assert json.loads(client.http("PUT", "/fapi/v1/listenKey", headers=headers).body)["listenKey"] == key
    client.wait(HOUR_MS - 1)
    assert client.heard(stream) == []
    client.wait(1)
    assert client.heard(stream) == [{"e": "listenKeyExpired", "E": client.now_ms, "listenKey": key}]
    assert json.loads(client.http("PUT", "/fapi/v1/listenKey", headers=headers).body)["code"] == -1125
    client.order()
    assert client.heard(stream) == []
    assert client.ask("POST", "/fapi/v1/listenKey")["listenKey"] != key


def test_a_closed_listen_key_is_no_more(client: PaperClient) -> None:
    """Deleting the key silences its streams, and it opens no more of them."""
    key = client.ask("POST", "/fapi/v1/listenKey")["listenKey"]
    stream = client.connect(f"/private/ws/{key}")
    assert client.ask("DELETE", "/fapi/v1/listenKey") == {}
    client.order()
    assert client.heard(stream) == []
    assert client.connect(f"/private/ws/{key}") in client.closed


def test_a_change_of_leverage_is_told(client: PaperClient) -> None:
    """ACCOUNT_CONFIG_UPDATE follows a change of leverage at the latest with the next tick."""
    stream = client.stream()
    client.ask("POST", "/fapi/v1/leverage", symbol="BTCUSDT", leverage=21)
    client.wait(100)
    assert [message["ac"] for message in client.heard(stream)] == [{"s": "BTCUSDT", "l": 21}]


# ------------------------------------------------------------------ market data


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


def test_a_closed_connection_is_sent_nothing(client: PaperClient) -> None:
    """After the end of a connection its streams are forgotten."""
    stream = client.connect("/public/ws/btcusdt@depth@100ms/btcusdt@trade")
    client.front.ws_closed(stream)
    client.order(**MARKET, quantity="0.1")
    client.wait(100)
    assert client.heard(stream) == []
    assert client.front.ws_message(stream, "{}") == []


# ------------------------------------------------------------------ the websocket API

PLACE = {name: value for name, value in LIMIT.items() if value}


def test_orders_live_their_life_over_the_websocket_api(client: PaperClient) -> None:
    """Place, change, query and cancel answer as their REST twins do, each with the request's id and status."""
    api = client.connect("/ws-fapi/v1")
    placed = client.call(api, "order.place", **PLACE, newClientOrderId="mine")
    assert (placed["id"], placed["status"], placed["result"]["status"]) == ("a", 200, "NEW")
    assert [(row["rateLimitType"], row["interval"], row["count"]) for row in placed["rateLimits"]] == [
        ("REQUEST_WEIGHT", "MINUTE", 5),
        ("ORDERS", "SECOND", 1),
        ("ORDERS", "MINUTE", 1),
    ]
    named = {"symbol": "BTCUSDT", "origClientOrderId": "mine"}
    changed = client.call(api, "order.modify", **named, side="BUY", quantity="0.02", price="93000")
    assert (changed["result"]["orderId"], changed["result"]["origQty"]) == (placed["result"]["orderId"], "0.020")
    assert client.call(api, "order.status", **named)["result"] == client.ask("GET", ORDER, **named)
    assert client.call(api, "order.cancel", **named)["result"]["status"] == "CANCELED"
    again = client.call(api, "order.cancel", **named)
    assert (again["status"], again["error"]["code"]) == (400, -2011)


def test_the_account_is_told_over_the_websocket_api(client: PaperClient) -> None:
    """Positions and money are those of REST."""
    api = client.connect("/ws-fapi/v1")
    client.order(**MARKET, quantity="0.1")
    (position,) = client.call(api, "v2/account.position")["result"]
    assert (position["symbol"], position["positionAmt"]) == ("BTCUSDT", "0.100")
    assert "unrealizedProfit" in position
    assert client.call(api, "account.balance")["result"] == client.ask("GET", "/fapi/v3/balance")


def test_unsigned_methods_need_no_key(client: PaperClient) -> None:
    """Ping, time and market data are answered to anybody; ids of every kind are echoed."""
    api = client.connect("/ws-fapi/v1", "returnRateLimits=false")
    assert client.say(api, {"id": 7, "method": "time"}) == {
        "id": 7,
        "status": 200,
        "result": {"serverTime": client.now_ms},
    }
    assert client.say(api, {"id": None, "method": "ping"}) == {"id": None, "status": 200, "result": {}}
    answer = client.say(
        api, {"id": 1, "method": "ticker.book", "params": {"symbol": "BTCUSDT", "returnRateLimits": True}}
    )
    assert answer["result"] == client.public("/fapi/v1/ticker/bookTicker", symbol="BTCUSDT")
    assert answer["rateLimits"][0]["rateLimitType"] == "REQUEST_WEIGHT"


@pytest.mark.parametrize(
    ("message", "status", "code"),
    [
        ("{", 400, -1135),
        ("[]", 400, -1135),
        ({"id": 1, "method": "order.dance"}, 400, -1020),
        ({"id": 1, "method": "order.place", "params": []}, 401, -2014),
        ({"id": 1, "method": "order.place", "params": [1]}, 400, -1130),
        ({"id": 1, "method": "order.place", "params": {"apiKey": "nobody"}}, 401, -2015),
        ({"id": 1, "method": "order.place", "params": {"apiKey": KEY}}, 400, -1102),
        ({"id": 1, "method": "order.place", "params": {"apiKey": KEY, "signature": "0"}}, 400, -1022),
    ],
)
def test_unfit_websocket_requests_are_refused(client: PaperClient, message: object, status: int, code: int) -> None:
    """Each refusal is an answer with the venue's code, and no order comes of it."""
    answer = client.say(client.connect("/ws-fapi/v1"), message)
    assert (answer["status"], answer["error"]["code"]) == (status, code)
    assert client.exchange.orders(KEY) == []


def test_a_wrong_secret_places_nothing(client: PaperClient) -> None:
    """The signature over the sorted parameters is verified with the key's secret."""
    api = client.connect("/ws-fapi/v1")
    assert client.call(api, "order.place", secret="wrong", **PLACE)["error"]["code"] == -1022
    assert client.exchange.orders(KEY) == []


def test_the_order_limit_holds_over_the_websocket_api() -> None:
    """The limits are shared with REST, and a refusal says when to come back."""
    client = PaperClient(RateLimits(orders_10s=1))
    client.ladder()
    client.order()
    answer = client.call(client.connect("/ws-fapi/v1"), "order.place", **PLACE)
    assert (answer["status"], answer["error"]["code"]) == (429, -1015)
    assert answer["error"]["data"] == {"serverTime": client.now_ms, "retryAfter": client.now_ms + 10_000}
