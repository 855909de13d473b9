"""Faults on the paper Bybit front: what its dialect reads, and what each fault makes of its requests and messages."""

import json
from typing import Any

import pytest

from gateways.bybit import bodies, decode
from gateways.paper.bybit.dialect import BybitDialect
from gateways.paper.fault_plan import REJECTS, Fault, Faults, Rule, Verb
from gateways.paper.faults import FaultyFront
from gateways.paper.market import FLOW
from gateways.standards import OrderUpdate, Reject, RejectReason
from tests.gateways.paper.bybit_client import KEY, LIMIT, TICKER, PaperClient, code_of
from tests.gateways.paper.front_client import MONEY

CREATE, CANCEL = "/v5/order/create", "/v5/order/cancel"
NAMED = {"category": "linear", "symbol": TICKER}


class FaultyClient(PaperClient):
    """A client of a venue that fails as its plan says."""

    def __init__(self) -> None:
        super().__init__()
        self.plan = Faults(seed=1, now_ns=lambda: self.now_ns)
        self.faulty = FaultyFront(self.front, self.exchange, self.plan, lambda: self.now_ns)
        self.front = self.faulty  # type: ignore[assignment]  # the shells use it like the front itself

    def on(self, fault: str, **rule: Any) -> None:
        """Switch a fault on."""
        self.plan.switch(Rule(fault=Fault(fault), **rule))


@pytest.fixture
def client() -> FaultyClient:
    """A client of a venue with 25 levels a side around BTC 95,000."""
    made = FaultyClient()
    made.ladder()
    return made


# ------------------------------------------------------------------ reading


@pytest.mark.parametrize(
    ("path", "query", "verb"),
    [
        ("/v5/order/realtime", "category=linear&settleCoin=USDT", Verb.OPEN_ORDERS),
        ("/v5/order/realtime", "category=linear&symbol=BTCUSDT&orderLinkId=x", Verb.ORDER),
        ("/v5/order/history", "category=linear&orderId=x", Verb.ORDER),
        ("/v5/execution/list", "category=linear", Verb.FILLS),
        ("/v5/position/list", "category=linear", Verb.POSITIONS),
        ("/v5/account/wallet-balance", "accountType=UNIFIED", Verb.BALANCES),
        ("/v5/market/instruments-info", "category=linear", Verb.CONTRACTS),
    ],
)
def test_questions_are_known_by_their_path(client: FaultyClient, path: str, query: str, verb: Verb) -> None:
    """And what is nobody's own is left alone."""
    dialect = BybitDialect(client.exchange.contracts)
    asked = dialect.asked_http("GET", path, query, b"")
    assert asked is not None
    assert asked.verb is verb
    assert dialect.asked_http("GET", "/v5/market/time", "", b"") is None


def test_two_questions_are_the_same_whatever_the_times(client: FaultyClient) -> None:
    """A stale answer of fills is that of the same contract and page; the time asked from does not matter."""
    dialect = BybitDialect(client.exchange.contracts)

    def question(query: str) -> str:
        asked = dialect.asked_http("GET", "/v5/execution/list", query, b"")
        assert asked is not None
        return asked.question

    assert question("symbol=BTCUSDT&startTime=1") == question("symbol=BTCUSDT&startTime=2")
    assert len({question("symbol=BTCUSDT"), question("symbol=ETHUSDT"), question("symbol=BTCUSDT&cursor=2")}) == 3


def test_an_order_request_is_read_the_same_by_both_ways(client: FaultyClient) -> None:
    """Contract, side, ids and quantity, that of a bundle in base units."""
    dialect = BybitDialect(client.exchange.contracts)
    order = client.order()
    fields = {**LIMIT, "symbol": "1000PEPEUSDT", "qty": "200", "orderId": order["orderId"], "orderLinkId": "mine"}
    by_http = dialect.asked_http("POST", CREATE, "", json.dumps(fields).encode())
    by_socket = dialect.asked_ws(json.dumps({"reqId": "r", "op": "order.create", "args": [fields]}))
    for asked in (by_http, by_socket):
        assert asked is not None
        assert (asked.verb, asked.ticker, asked.is_buy, asked.client_id) == (Verb.PLACE, "1000PEPEUSDT", True, "mine")
        assert (asked.quantity, asked.order_id) == (200_000, client.exchange.open_orders(KEY)[0].order_id)
    assert dialect.asked_ws("[") is None
    assert dialect.asked_ws('{"op":"ping"}') is None


# ---------------------------------------------------------- what is answered


@pytest.mark.parametrize(("fault", "reason"), [*REJECTS.items()])
def test_a_definite_refusal_is_the_venues_own(client: FaultyClient, fault: Fault, reason: RejectReason) -> None:
    """By HTTP and by the order entry socket our gateway reads its reason; nothing is carried out."""
    entry = client.entry()
    client.on(fault.value, count=2, retry_after=3)
    reply = client.send("POST", CREATE, **LIMIT)
    refused = bodies.refusal(reply.body, "bybit")
    (by_socket,) = decode.decode(client.enter(entry, "order.create", **LIMIT), client.exchange.contracts)
    for each in (refused, by_socket):
        assert isinstance(each, Reject)
        assert (each.reason, each.definite) == (reason, True)
    assert reply.headers.get("Retry-After") == ("3" if reason is RejectReason.RATE_LIMIT else None)
    assert client.exchange.orders(KEY) == []
    assert code_of(client.send("POST", CREATE, **LIMIT)) == 0


@pytest.mark.parametrize(("fault", "status"), [("answer_5xx", 503), ("answer_unknown", 200)])
def test_an_answer_that_leaves_the_outcome_open(client: FaultyClient, fault: str, status: int) -> None:
    """It was carried out; neither way of saying so is read as a refusal."""
    entry = client.entry()
    client.on(fault, count=2)
    reply = client.send("POST", CREATE, **LIMIT)
    assert reply.status == status
    if status == 200:
        by_http = bodies.refusal(reply.body, "bybit")
        assert by_http is not None
        assert not by_http.definite
    (by_socket,) = decode.decode(client.enter(entry, "order.create", **LIMIT), client.exchange.contracts)
    assert isinstance(by_socket, Reject)
    assert not by_socket.definite
    assert by_socket.request_id == "r1"
    assert len(client.exchange.open_orders(KEY)) == 2


def test_stale_answers_are_those_of_before(client: FaultyClient) -> None:
    """The order that was cancelled since is still said to be open."""
    order = client.order()
    asked = {"category": "linear", "settleCoin": "USDT"}
    assert len(client.get("/v5/order/realtime", **asked)["list"]) == 1
    client.post(CANCEL, **NAMED, orderId=order["orderId"])
    client.on("snapshot_stale")
    assert len(client.get("/v5/order/realtime", **asked)["list"]) == 1
    assert client.get("/v5/order/realtime", **asked)["list"] == []


# -------------------------------------------------------------- what is told


@pytest.mark.parametrize(
    ("fault", "lost"),
    [("order_push_lost", {"order"}), ("fill_push_lost", {"execution"}), ("push_lost", {"execution"})],
)
def test_a_message_is_lost_by_what_it_tells(client: FaultyClient, fault: str, lost: set[str]) -> None:
    """The others of the same fill come."""
    connection = client.private("order", "execution", "position", "wallet")
    client.on(fault)
    client.post(CREATE, **{**LIMIT, "price": "95000.1"})
    came = {message["topic"] for message in client.heard(connection)}
    assert came == {"order", "execution", "position", "wallet"} - lost


def test_a_status_that_nobody_knows(client: FaultyClient) -> None:
    """Our gateway reads the sizes and no status."""
    connection = client.private("order")
    client.on("status_unknown")
    client.order()
    (message,) = client.heard(connection)
    (update,) = decode.decode(message, client.exchange.contracts)
    assert isinstance(update, OrderUpdate)
    assert (update.status, update.label.split()[0]) == (None, "HalfDone")


def test_private_connections_are_cut_and_the_others_stay(client: FaultyClient) -> None:
    """Those of the private path, whoever is logged in elsewhere."""
    private, entry, public = client.private("order"), client.entry(), client.market(f"publicTrade.{TICKER}")
    client.on("stream_cut")
    client.wait(0)
    assert client.closed == {private}
    assert client.say(entry, {"op": "ping"})["retCode"] == 0
    assert client.say(public, {"op": "ping"})["success"]


@pytest.mark.parametrize(
    ("fault", "cancelled", "filled"),
    [
        ("filled_before_cancel", False, "0.010"),
        ("fill_during_cancel", True, "0.005"),
        ("fill_after_cancel", True, "0.005"),
    ],
)
def test_a_cancel_that_races_with_a_fill(client: FaultyClient, fault: str, *, cancelled: bool, filled: str) -> None:
    """The cancel is accepted each time; what was filled is told, of the last fault only later."""
    connection = client.private("order", "execution")
    order = client.order(orderLinkId="mine")
    client.heard(connection)
    client.exchange.open_account(FLOW, MONEY, house=True)
    client.on(fault, delay=0.1)
    client.post(CANCEL, **NAMED, orderId=order["orderId"])
    first = client.heard(connection)
    client.wait(200)
    later = client.heard(connection)
    rows = [row for message in first + later if message["topic"] == "order" for row in message["data"]]
    assert max(row["cumExecQty"] for row in rows) == filled
    assert any(row["orderStatus"] == "Cancelled" for row in rows) == cancelled
    executed = [
        message for message in (later if fault == "fill_after_cancel" else first) if message["topic"] != "order"
    ]
    assert [row["execQty"] for message in executed for row in message["data"]] == [filled]
