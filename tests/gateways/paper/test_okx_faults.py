"""The faults on the paper OKX front: what its dialect reads, and what each of them makes of requests and messages."""

import json
from decimal import Decimal

import pytest

from gateways.paper.dialects import Asked
from gateways.paper.fault_plan import REJECTS, Fault, Faults, Rule, Verb
from gateways.paper.faults import FaultyFront
from gateways.paper.okx.dialect import OkxDialect
from tests.gateways.paper.okx_client import CODE, LIMIT, MARKET, OWNER, TICKER, PaperClient, refusal

D = Decimal
ORDERS = {"channel": "orders", "instType": "SWAP"}
BY_CODE = {**{name: value for name, value in LIMIT.items() if name != "instId"}, "instIdCode": CODE}
QUOTER, FLOW = "house:maker", "house:flow"


class FaultyClient(PaperClient):
    """A client of a faulty front, with the quotes of the house that faults act on."""

    def __init__(self) -> None:
        super().__init__()
        for house in (QUOTER, FLOW):
            self.exchange.open_account(house, D(0), house=True)
        for place in range(1, 11):
            for sign in (-1, 1):
                price = str(D(95_000) + D(sign * place) / 10)
                self.house(TICKER, is_buy=sign < 0, price=price, quantity="0.5", account=QUOTER)
        self.faults = Faults(seed=1, now_ns=lambda: self.now_ns)
        self.front = FaultyFront(self.front, self.exchange, self.faults, lambda: self.now_ns)  # type: ignore[assignment]

    def fault(self, fault: Fault, **rule: object) -> None:
        """Switch a fault on."""
        self.faults.switch(Rule(fault=fault, **rule))  # type: ignore[arg-type]


@pytest.fixture
def client() -> FaultyClient:
    """A client of a faulty venue with ten levels a side around BTC 95,000."""
    return FaultyClient()


@pytest.fixture
def dialect(client: FaultyClient) -> OkxDialect:
    return OkxDialect(client.exchange.contracts)


# ------------------------------------------------------------------ what the dialect reads


def test_requests_are_read_by_both_ways(dialect: OkxDialect) -> None:
    """Verb, contract, ids, side, and the quantity in base units."""
    order = {**LIMIT, "clOrdId": "mine", "sz": "7"}
    by_http = dialect.asked_http("POST", "/api/v5/trade/order", "", json.dumps(order).encode())
    batch = dialect.asked_http("POST", "/api/v5/trade/batch-orders", "", json.dumps([order, LIMIT]).encode())
    request = {"id": "9", "op": "order", "args": [{**BY_CODE, "clOrdId": "mine", "sz": "7"}]}
    by_socket = dialect.asked_ws(json.dumps(request))
    expected = Asked(verb=Verb.PLACE, ticker=TICKER, client_id="mine", is_buy=True, quantity=D("0.07"))
    assert by_http == batch == expected
    assert by_socket is not None
    assert (by_socket.ticker, by_socket.quantity, by_socket.request_id) == (
        TICKER,
        D("0.07"),
        {"id": "9", "op": "order"},
    )
    cancel = dialect.asked_http("POST", "/api/v5/trade/cancel-order", "", b'{"instId":"BTC-USDT-SWAP","ordId":"12"}')
    assert cancel is not None
    assert (cancel.verb, cancel.order_id, cancel.quantity) == (Verb.CANCEL, 12, None)


@pytest.mark.parametrize(
    ("path", "verb"),
    [
        ("trade/order", Verb.ORDER),
        ("trade/orders-pending", Verb.OPEN_ORDERS),
        ("trade/fills", Verb.FILLS),
        ("trade/fills-history", Verb.FILLS),
        ("account/positions", Verb.POSITIONS),
        ("account/balance", Verb.BALANCES),
        ("public/instruments", Verb.CONTRACTS),
    ],
)
def test_questions_are_told_apart_by_what_they_ask(dialect: OkxDialect, path: str, verb: Verb) -> None:
    """The same question again is the same; of another contract or page it is another."""
    one, same, other = (
        dialect.asked_http("GET", f"/api/v5/{path}", query, b"")
        for query in (f"instId={TICKER}&begin=1", f"instId={TICKER}&begin=2", f"instId={TICKER}&after=3")
    )
    assert one is not None
    assert one == same != other
    assert one.verb is verb


def test_what_is_nobodys_own_is_left_to_the_front(dialect: OkxDialect) -> None:
    """Market data, pings, logins, and what cannot be read."""
    assert dialect.asked_http("GET", "/api/v5/market/books", f"instId={TICKER}", b"") is None
    assert dialect.asked_http("GET", "/api/v5/public/time", "", b"") is None
    for text in ("ping", "no json", '{"op":"login","args":[{}]}', "[]", '{"op":"subscribe","args":[]}'):
        assert dialect.asked_ws(text) is None
    read = dialect.asked_http("POST", "/api/v5/trade/order", "", b"no json")
    assert read == Asked(verb=Verb.PLACE, is_buy=False)


def test_messages_are_told_apart_by_what_they_tell(client: FaultyClient, dialect: OkxDialect) -> None:
    """One channel tells of orders and of executions, in one message."""
    channels = [ORDERS, {"channel": "positions", "instType": "SWAP"}, {"channel": "account"}]
    connection = client.private(*channels, {"channel": "balance_and_position"})
    public = client.connect()
    client.subscribe(public, {"channel": "trades", "instId": TICKER})
    client.order(**MARKET)
    told = {
        number: [dialect.told(push.text) for push in client.pushes if push.connection == number]
        for number in (connection, public)
    }
    assert told == {connection: ["order", "order with its fill", *["account"] * 3], public: [None]}
    assert dialect.told('{"event":"subscribe","arg":{"channel":"orders"}}') is None
    assert dialect.told("pong") is None


# ------------------------------------------------------------------ requests


@pytest.mark.parametrize("fault", [fault for fault in REJECTS if fault is not Fault.REJECT_RATE_LIMIT])
def test_a_refusal_is_its_items_by_both_ways(client: FaultyClient, fault: Fault) -> None:
    """Code 1 and the item's own code, the request's id echoed; nothing was done."""
    client.fault(fault, count=2)
    code = client.declined("trade/order", {**LIMIT, "clOrdId": "mine"})
    reply = client.call(client.private(), "order", {**BY_CODE, "clOrdId": "mine"})
    assert (reply["code"], reply["data"][0]["sCode"], reply["data"][0]["clOrdId"]) == ("1", code, "mine")
    assert client.exchange.orders(OWNER.key) == []


def test_a_refusal_for_rate_is_the_whole_requests(client: FaultyClient) -> None:
    """429 with the time to wait by HTTP, its code by websocket."""
    client.fault(Fault.REJECT_RATE_LIMIT, count=2, retry_after=3)
    reply = client.send("POST", "trade/order", LIMIT)
    assert (refusal(reply), reply.headers["Retry-After"]) == ((429, "50011"), "3")
    assert client.call(client.private(), "order", BY_CODE)["code"] == "50011"


@pytest.mark.parametrize(
    ("fault", "status", "code"), [(Fault.ANSWER_5XX, 503, "50001"), (Fault.ANSWER_UNKNOWN, 400, "50004")]
)
def test_an_answer_that_proves_nothing(client: FaultyClient, fault: Fault, status: int, code: str) -> None:
    """Carried out, and answered in words that leave it open."""
    client.fault(fault, count=2)
    assert refusal(client.send("POST", "trade/order", LIMIT)) == (status, code)
    assert client.call(client.private(), "order", BY_CODE)["code"] == code
    assert len(client.exchange.open_orders(OWNER.key)) == 2


@pytest.mark.parametrize(("fault", "done"), [(Fault.ANSWER_LOST, True), (Fault.REFUSED_ANSWER_LOST, False)])
def test_no_answer(client: FaultyClient, fault: Fault, *, done: bool) -> None:
    """Nothing comes by either way; whether it was carried out only the venue knows."""
    client.fault(fault, count=2)
    assert client.send("POST", "trade/order", LIMIT).fate == "lost"
    assert client.say(client.private(), {"id": "1", "op": "order", "args": [BY_CODE]}) == []
    assert len(client.exchange.open_orders(OWNER.key)) == 2 * done


@pytest.mark.parametrize("fault", [Fault.CUT_BEFORE, Fault.CUT_DURING, Fault.CUT_AFTER])
def test_a_cut_connection(client: FaultyClient, fault: Fault) -> None:
    """Before, during and after; the connection ends and what was done stays done."""
    client.fault(fault, channel="ws")
    connection = client.private()
    pushes = client.front.ws_message(connection, json.dumps({"id": "1", "op": "order", "args": [BY_CODE]}))
    assert (pushes[-1].close, len(pushes)) == (True, 2 if fault is Fault.CUT_AFTER else 1)
    assert len(client.exchange.open_orders(OWNER.key)) == (fault is not Fault.CUT_BEFORE)


def test_an_order_that_is_accepted_late(client: FaultyClient) -> None:
    """No answer, and seconds later it is there and told of."""
    connection = client.private(ORDERS)
    client.fault(Fault.ACCEPTED_LATE, delay=2.0)
    assert client.say(client.private(), {"id": "1", "op": "order", "args": [BY_CODE]}) == []
    client.wait(1_900)
    assert client.heard(connection, "orders") == []
    client.wait(200)
    assert [row["state"] for row in client.heard(connection, "orders")] == ["live"]


def test_a_share_of_the_market_is_left_for_an_order(client: FaultyClient) -> None:
    """The share is of its quantity in base units, although it asks in contracts."""
    client.fault(Fault.IOC_PART_FILLED, share=D("0.5"))
    client.order(clOrdId="mine", ordType="ioc", sz="20", px="95000.1")
    found = client.details(clOrdId="mine")
    assert (found["state"], found["accFillSz"]) == ("canceled", "10")


@pytest.mark.parametrize("named", ["clOrdId", "ordId"])
def test_a_fill_before_a_cancel(client: FaultyClient, named: str) -> None:
    """The order that the cancel names fills first: the cancel is refused."""
    receipt = client.order(clOrdId="mine")
    client.fault(Fault.FILLED_BEFORE_CANCEL)
    assert client.declined("trade/cancel-order", {"instId": TICKER, named: receipt[named]}) == "51400"
    assert client.details(clOrdId="mine")["state"] == "filled"


def test_a_fill_told_after_its_cancel(client: FaultyClient) -> None:
    """The cancel is told with all that was filled, by the venue's own count; the execution itself comes later."""
    connection = client.private(ORDERS)
    client.order(clOrdId="mine")
    client.fault(Fault.FILL_AFTER_CANCEL, delay=0.3, share=D("0.4"))
    client.post("trade/cancel-order", {"instId": TICKER, "clOrdId": "mine"})
    told = client.heard(connection, "orders")
    assert [(row["state"], row["accFillSz"]) for row in told] == [("live", "0"), ("canceled", "0.4")]
    client.wait(300)
    (late,) = client.heard(connection, "orders")
    assert (late["accFillSz"], late["fillSz"], bool(late["tradeId"])) == ("0.4", "0.4", True)
    assert client.details(clOrdId="mine")["accFillSz"] == "0.4"


def test_snapshots_go_stale_and_fail(client: FaultyClient) -> None:
    """Answered as they were, and then not at all; single orders apart."""
    before = client.ask("trade/orders-pending", instType="SWAP")
    client.fault(Fault.SNAPSHOT_STALE)
    client.order(clOrdId="mine")
    assert client.ask("trade/orders-pending", instType="SWAP") == before == []
    assert len(client.ask("trade/orders-pending", instType="SWAP")) == 1
    client.fault(Fault.SNAPSHOT_FAILS)
    assert refusal(client.send("GET", "account/positions")) == (503, "50001")
    client.fault(Fault.ORDER_QUERY_FAILS)
    assert refusal(client.send("GET", "trade/order", {"instId": TICKER, "clOrdId": "mine"})) == (503, "50001")


# ------------------------------------------------------------------ messages


@pytest.mark.parametrize(
    ("fault", "left"),
    [
        (Fault.PUSH_LOST, ["filled"]),
        (Fault.ORDER_PUSH_LOST, ["filled"]),
        (Fault.FILL_PUSH_LOST, ["live"]),
    ],
)
def test_a_lost_message(client: FaultyClient, fault: Fault, left: list[str]) -> None:
    """Of an order the first one, of a fill the first with an execution in it, which tells of its order too."""
    connection = client.private(ORDERS)
    client.fault(fault)
    client.order(**MARKET)
    assert [row["state"] for row in client.heard(connection, "orders")] == left
    if fault is Fault.ORDER_PUSH_LOST:
        client.fault(fault, count=2)
        client.order(**MARKET)
        assert client.heard(connection, "orders") == []


def test_a_status_that_nobody_knows(client: FaultyClient) -> None:
    """The state is a word of no documentation; all else is as it was."""
    connection = client.private(ORDERS)
    client.fault(Fault.STATUS_UNKNOWN)
    client.order(clOrdId="mine")
    (row,) = client.heard(connection, "orders")
    assert (row["state"], row["clOrdId"], row["sz"]) == ("half_done", "mine", "1")


def test_a_cut_stream_is_the_accounts_alone(client: FaultyClient) -> None:
    """Connections that listen to the account end; order entry and public data stay."""
    entry, stream, public = client.private(), client.private(ORDERS), client.connect()
    client.subscribe(public, {"channel": "books", "instId": TICKER})
    client.fault(Fault.STREAM_CUT)
    client.wait(100)
    assert client.closed == {stream}
    assert client.call(entry, "order", BY_CODE)["code"] == "0"


@pytest.mark.parametrize("fault", [Fault.VENUE_DOWN, Fault.WEBSOCKETS_DOWN, Fault.VENUE_REFUSES])
def test_a_venue_that_is_not_there(client: FaultyClient, fault: Fault) -> None:
    """Its websockets drop; HTTP answers 503, works, or ends without an answer."""
    connection = client.private(ORDERS)
    client.fault(fault, seconds=1)
    client.wait(100)
    assert connection in client.closed
    reply = client.send("GET", "account/balance")
    assert (reply.status, reply.fate) == {
        Fault.VENUE_DOWN: (503, "sent"), Fault.WEBSOCKETS_DOWN: (200, "sent"), Fault.VENUE_REFUSES: (200, "cut"),
    }[fault]  # fmt: skip
    client.wait(1_000)
    assert client.connect("private") not in client.closed
