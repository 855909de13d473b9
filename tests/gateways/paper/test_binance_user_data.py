"""The paper Binance front's user data: listen keys, and what a stream tells of its account."""

import json
from decimal import Decimal
from typing import Any

import pytest

from tests.gateways.paper.binance_client import KEY, OTHER_KEY, PaperClient

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


def test_an_expired_key_is_no_subscription(client: PaperClient) -> None:
    """A connection that outlives its listen key is no longer subscribed to it."""
    stream = client.connect("/private/stream")
    key = client.ask("POST", "/fapi/v1/listenKey")["listenKey"]
    client.say(stream, {"method": "SUBSCRIBE", "params": [key], "id": 1})
    client.wait(HOUR_MS)
    assert [message["data"]["e"] for message in client.heard(stream)] == ["listenKeyExpired"]
    assert client.say(stream, {"method": "LIST_SUBSCRIPTIONS", "id": 2})["result"] == []


def test_profit_taken_adds_up_in_the_account_update(client: PaperClient) -> None:
    """``cr`` is all the profit taken in the contract so far, ``rp`` that of the fill, both before fees."""
    stream = client.stream()
    client.order(**MARKET, quantity="0.1")
    client.order(**MARKET, side="SELL", quantity="0.05")
    client.order(**MARKET, side="SELL", quantity="0.05")
    messages = client.heard(stream)
    taken = [message["a"]["P"][0]["cr"] for message in messages if message["e"] == "ACCOUNT_UPDATE"]
    profits = [message["o"]["rp"] for message in messages if kinds([message]) == ["ORDER_TRADE_UPDATE TRADE"]]
    assert [Decimal(text) for text in profits] == [0, Decimal("-0.01"), Decimal("-0.01")]
    assert [Decimal(text) for text in taken] == [0, Decimal("-0.01"), Decimal("-0.02")]


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
