"""What clients ask of the paper OKX front by websocket: login, subscriptions, order entry, pings, and their limits."""

from typing import Any

import msgspec
import pytest

from gateways.standards import Credentials
from tests.gateways.paper.okx_client import CODE, LIMIT, OTHER, OWNER, TICKER, PaperClient

BY_CODE = {**{name: value for name, value in LIMIT.items() if name != "instId"}, "instIdCode": CODE}
ORDERS = {"channel": "orders", "instType": "SWAP"}


@pytest.fixture
def client() -> PaperClient:
    """A client of a venue with 25 levels a side around BTC 95,000."""
    made = PaperClient()
    made.ladder()
    return made


# ------------------------------------------------------------------ connection and login


def test_another_path_is_closed(client: PaperClient) -> None:
    """There are three addresses."""
    assert client.connect("else") in client.closed
    assert not {client.connect(place) for place in ("public", "private", "business")} & client.closed


def test_a_login_is_confirmed(client: PaperClient) -> None:
    """With its connection's id; the time may be written as a number."""
    connection = client.connect("private")
    assert client.login(connection) == {"event": "login", "code": "0", "msg": "", "connId": "00000001"}
    seconds = client.now_ns // 1_000_000_000
    assert client.login(connection, timestamp=seconds)["event"] == "login"


@pytest.mark.parametrize(
    ("owner", "ahead_s", "code"),
    [
        (msgspec.structs.replace(OWNER, key="nobody"), 0, "60005"),
        (msgspec.structs.replace(OWNER, passphrase="wrong"), 0, "60024"),
        (msgspec.structs.replace(OWNER, secret="wrong"), 0, "60007"),
        (OWNER, 31, "60006"),
        (OWNER, -31, "60006"),
    ],
)
def test_a_login_that_proves_nothing_is_refused(
    client: PaperClient, owner: Credentials, ahead_s: int, code: str
) -> None:
    """Key, passphrase, signature and time are each verified; the connection stays, and stays nobody's."""
    connection = client.connect("private")
    answer = client.login(connection, owner=owner, ahead_s=ahead_s)
    assert (answer["event"], answer["code"]) == ("error", code)
    assert client.subscribe(connection, ORDERS)[0]["code"] == "60011"
    assert client.say(connection, {"id": "1", "op": "order", "args": [BY_CODE]})[0]["code"] == "60011"
    assert client.login(connection)["event"] == "login"


def test_a_silent_connection_is_closed(client: PaperClient) -> None:
    """Thirty seconds without a word from either side; a ping is one."""
    quiet, pinging = client.connect("private"), client.connect("private")
    for _ in range(3):
        client.wait(15_000)
        assert client.say(pinging, "ping") == ["pong"]
    assert client.closed == {quiet}


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("{", "60012"),
        ("[]", "60012"),
        ({"op": "subscribe"}, "60012"),
        ({"op": "subscribe", "args": ["books"]}, "60013"),
        ({"op": "dance", "args": [{}]}, "60019"),
    ],
)
def test_a_message_that_is_no_request_is_refused(client: PaperClient, message: object, code: str) -> None:
    """An error event, and the connection stays."""
    connection = client.connect("public")
    (answer,) = client.say(connection, message)
    assert (answer["event"], answer["code"], answer["connId"]) == ("error", code, "00000001")
    assert client.say(connection, "ping") == ["pong"]


def test_subscriptions_are_counted(client: PaperClient) -> None:
    """480 subscribe, unsubscribe and login requests an hour and connection."""
    connection = client.connect("public")
    for _ in range(240):
        client.subscribe(connection, {"channel": "trades", "instId": TICKER})
        client.say(connection, {"op": "unsubscribe", "args": [{"channel": "trades", "instId": TICKER}]})
    assert client.subscribe(connection, {"channel": "trades", "instId": TICKER})[0]["code"] == "60014"
    assert client.subscribe(client.connect(), {"channel": "trades", "instId": TICKER})[0]["event"] == "subscribe"


# ------------------------------------------------------------------ subscriptions


@pytest.mark.parametrize(
    ("place", "channel", "code"),
    [
        ("public", {"channel": "nothing", "instId": TICKER}, "60018"),
        ("public", {"channel": "books", "instId": "NONE"}, "60018"),
        ("public", {"channel": "trades-all", "instId": TICKER}, "60018"),
        ("public", ORDERS, "60018"),
        ("private", {"channel": "books", "instId": TICKER}, "60018"),
        ("private", {"channel": "orders"}, "60027"),
        ("private", {"channel": "orders", "instType": "STOCK"}, "60018"),
        ("public", {"channel": "books-l2-tbt", "instId": TICKER}, "64003"),
    ],
)
def test_a_channel_that_is_not_there_is_refused(
    client: PaperClient, place: str, channel: dict[str, str], code: str
) -> None:
    """Of another address, of no such name or contract, or for larger traders."""
    connection = client.connect(place)
    if place == "private":
        client.login(connection)
    (answer,) = client.say(connection, {"id": "s1", "op": "subscribe", "args": [channel]})
    assert (answer["event"], answer["code"], answer["id"]) == ("error", code, "s1")


def test_each_channel_is_confirmed_for_itself(client: PaperClient) -> None:
    """What was asked for is echoed; private channels say how many connections listen."""
    private = client.private(ORDERS)
    other = client.private()
    confirmed, counted = client.subscribe(other, ORDERS)
    assert confirmed == {"event": "subscribe", "arg": ORDERS, "connId": f"{other:08x}"}
    assert (counted["event"], counted["channel"], counted["connCount"]) == ("channel-conn-count", "orders", "2")
    (ended,) = client.say(private, {"op": "unsubscribe", "args": [ORDERS]})
    assert (ended["event"], ended["arg"]) == ("unsubscribe", ORDERS)
    client.order()
    assert client.heard(private) == []
    assert len(client.heard(other)) == 1


# ------------------------------------------------------------------ order entry


def test_an_order_is_placed_changed_and_cancelled(client: PaperClient) -> None:
    """Each reply echoes id and operation and says when it was taken; the news follows the reply."""
    connection = client.private(ORDERS)
    reply = client.call(connection, "order", {**BY_CODE, "clOrdId": "mine"})
    (receipt,) = reply.pop("data")
    assert (receipt["sCode"], receipt["clOrdId"]) == ("0", "mine")
    times = {"inTime": f"{client.stamp}000", "outTime": f"{client.stamp}000"}
    assert reply == {"id": "7", "op": "order", "code": "0", "msg": "", **times}
    assert client.call(connection, "amend-order", {"instIdCode": CODE, "clOrdId": "mine", "newSz": "2"})["code"] == "0"
    assert client.call(connection, "cancel-order", {"instIdCode": CODE, "ordId": receipt["ordId"]})["code"] == "0"
    told = client.heard(connection, "orders")
    assert [(row["state"], row["sz"], row["amendResult"]) for row in told] == [
        ("live", "1", ""), ("live", "2", "0"), ("canceled", "2", ""),
    ]  # fmt: skip


def test_a_contract_is_named_by_its_code(client: PaperClient) -> None:
    """``instId`` is not read any more: 50014; a code of nothing is 51001."""
    connection = client.private()
    for item, code in ((LIMIT, "50014"), ({**BY_CODE, "instIdCode": 1}, "51001")):
        reply = client.call(connection, "order", item)
        assert (reply["code"], reply["data"][0]["sCode"]) == ("1", code)
    assert client.exchange.orders(OWNER.key) == []


@pytest.mark.parametrize(
    ("op", "item", "code"),
    [
        ("order", {**BY_CODE, "sz": "0"}, "51000"),
        ("amend-order", {"instIdCode": CODE, "clOrdId": "none", "newSz": "2"}, "51503"),
        ("cancel-order", {"instIdCode": CODE, "clOrdId": "none"}, "51400"),
    ],
)
def test_a_refusal_is_its_items(client: PaperClient, op: str, item: dict[str, Any], code: str) -> None:
    """Code 1, and the item says why."""
    reply = client.call(client.private(), op, item)
    assert (reply["code"], reply["data"][0]["sCode"]) == ("1", code)


def test_batches_over_the_websocket(client: PaperClient) -> None:
    """Placed, changed and cancelled at once, each item for itself."""
    connection = client.private()
    items = [{**BY_CODE, "clOrdId": name} for name in ("a", "b")]
    placed = client.call(connection, "batch-orders", *items, {**BY_CODE, "px": "1"})
    assert (placed["code"], [row["sCode"] for row in placed["data"]]) == ("0", ["0", "0", "0"])
    named = [{"instIdCode": CODE, "clOrdId": name} for name in ("a", "b", "none")]
    changed = client.call(connection, "batch-amend-orders", *({**each, "newSz": "2"} for each in named))
    assert (changed["code"], [row["sCode"] for row in changed["data"]]) == ("2", ["0", "0", "51503"])
    gone = client.call(connection, "batch-cancel-orders", *named)
    assert (gone["code"], [row["sCode"] for row in gone["data"]]) == ("2", ["0", "0", "51400"])


def test_a_late_request_is_refused(client: PaperClient) -> None:
    """``expTime`` beside the operation: 50036, and nothing was done."""
    connection = client.private()
    assert client.call(connection, "order", BY_CODE, expTime=str(client.now_ms - 1))["code"] == "50036"
    assert client.exchange.orders(OWNER.key) == []
    assert client.call(connection, "order", BY_CODE, expTime=client.stamp)["code"] == "0"


def test_both_ways_share_the_limits(client: PaperClient) -> None:
    """Sixty orders of a contract in two seconds, by REST and by websocket together."""
    connection = client.private()
    for _ in range(30):
        client.order()
        assert client.call(connection, "order", BY_CODE)["code"] == "0"
    reply = client.call(connection, "order", BY_CODE)
    assert (reply["code"], reply["data"]) == ("50011", [])
    assert client.call(client.private(owner=OTHER), "order", BY_CODE)["code"] == "0"


def test_orders_are_not_taken_on_other_addresses(client: PaperClient) -> None:
    """A public connection cannot log in; the business one takes no orders."""
    assert client.login(client.connect("public"))["code"] == "60008"
    business = client.connect("business")
    client.login(business)
    (answer,) = client.say(business, {"id": "1", "op": "order", "args": [BY_CODE]})
    assert (answer["code"], answer["id"]) == ("60028", "1")
