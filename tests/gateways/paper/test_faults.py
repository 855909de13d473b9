"""The faulty front without sockets: what each fault lets through, holds back, or makes of a request, and its counts."""

import json
from decimal import Decimal

import pytest

from gateways.paper.contracts import paper_exchange
from gateways.paper.control import Control, truth_of
from gateways.paper.dialects import BinanceDialect, HyperliquidDialect
from gateways.paper.fault_plan import SUMMARIES, Fault, Faults, Rule, Verb, strikes
from gateways.paper.faults import FaultyFront
from gateways.paper.front import HttpReply, Push
from gateways.paper.market import FLOW
from gateways.paper.quoter import MAKER
from gateways.paper.records import NewOrder, OrderChanged, Refused
from gateways.standards import RejectReason

D = Decimal
USER = "user"
START_NS = 1_800_000_000_000_000_000
SECOND = 1_000_000_000


class PlainFront:
    """A front that speaks of orders in a Binance-like form on connection 1 and takes anything as an order."""

    def __init__(self, exchange):
        self.exchange = exchange
        self.carried_out = []
        self.hastened = 0

    def http(self, method, path, query, headers, body):
        self.carried_out.append((method, path))
        return HttpReply(body=f"answer {len(self.carried_out)}".encode())

    def ws_open(self, connection, path, query):
        return []

    def ws_message(self, connection, text):
        self.carried_out.append(text)
        return [Push(connection=connection, text="taken")]

    def ws_closed(self, connection):
        pass

    def happened(self, happenings):
        changes = [each for each in happenings if isinstance(each, OrderChanged)]
        said = [
            {"x": one.event, "X": one.order.status.value, "z": f"{one.order.filled.normalize():f}"} for one in changes
        ]
        told = [json.dumps({"e": "ORDER_TRADE_UPDATE", "o": each}, separators=(",", ":")) for each in said]
        return [Push(connection=1, text=text) for text in told]

    def tick(self):
        return []

    def expire_listen_keys(self):
        self.hastened += 1


class Venue:
    """A faulty front on an exchange with quotes, and a clock that moves when told."""

    def __init__(self, seed=1):
        self.now_ns = START_NS
        self.exchange = paper_exchange("binance", now_ns=lambda: self.now_ns)
        self.exchange.open_account(USER, D(1_000_000))
        for house in (MAKER, FLOW):
            self.exchange.open_account(house, D(0), house=True)
        for is_buy, price in ((True, "2699"), (False, "2701")):
            self.exchange.submit(
                MAKER, NewOrder(ticker="ETHUSDT", is_buy=is_buy, quantity=D("5"), price=D(price))
            )  # fmt: skip
        self.inner = PlainFront(self.exchange)
        self.faults = Faults(seed=seed, now_ns=lambda: self.now_ns)
        self.front = FaultyFront(self.inner, self.exchange, self.faults, lambda: self.now_ns)
        self.front.ws_open(1, "/private/ws", "listenKey=" + "k" * 64)
        self.front.ws_open(2, "/ws-fapi/v1", "")
        self.exchange.drain()

    def on(self, fault, **fields):
        self.faults.switch(Rule(fault=Fault(fault), **fields))

    def rest(self, client_id="c" * 32, quantity="1", price="2600"):
        new = NewOrder(ticker="ETHUSDT", client_id=client_id, is_buy=True, quantity=D(quantity), price=D(price))
        return self.exchange.submit(USER, new)

    def news(self):
        return [push.text for push in self.front.happened(self.exchange.drain())]

    def later(self, seconds):
        self.now_ns += int(seconds * SECOND)
        return self.front.tick()

    def ask(self, method="order.place", **params):
        request = {"id": "q", "method": method, "params": {"symbol": "ETHUSDT", **params}}
        return self.front.ws_message(2, json.dumps(request))

    def place(self, **params):
        return self.ask(side="BUY", quantity="1", newClientOrderId="d" * 32, **params)

    def post(self):
        return self.front.http("POST", "/fapi/v1/order", "symbol=ETHUSDT&side=BUY&quantity=1", {}, b"")


@pytest.fixture
def venue():
    return Venue()


def test_without_a_rule_everything_passes(venue):
    """A front without faults is the front itself."""
    assert venue.place() == [Push(connection=2, text="taken")]
    assert venue.post().body == b"answer 2"
    venue.rest()
    assert len(venue.news()) == 1
    assert venue.front.next_due_ns() is None
    assert not venue.faults.counts


def test_a_duplicated_message_comes_twice_and_again_later(venue):
    """At once and after the delay, the same to the byte."""
    venue.on("push_duplicated", delay=0.1)
    venue.rest()
    first, second = venue.news()
    assert first == second
    assert venue.front.next_due_ns() == START_NS + SECOND // 10
    assert [push.text for push in venue.later(0.1)] == [first]


def test_a_reordered_message_is_overtaken_a_delayed_one_is_not(venue):
    """Reordered: those after it come first. Delayed: those after it wait behind it, in order."""
    venue.on("push_reordered", delay=0.1)
    venue.rest()
    venue.exchange.meet(FLOW, USER, "ETHUSDT", client_id="c" * 32, quantity=D("0.4"))
    [trade] = venue.news()
    assert '"TRADE"' in trade
    assert '"NEW"' in venue.later(0.1)[0].text

    venue.on("push_delayed", delay=0.1)
    venue.exchange.meet(FLOW, USER, "ETHUSDT", client_id="c" * 32, quantity=D("0.3"))
    venue.exchange.meet(FLOW, USER, "ETHUSDT", client_id="c" * 32, quantity=D("0.3"))
    assert venue.news() == []
    assert ['"z":"0.7"' in push.text for push in venue.later(0.1)] == [True, False]
    assert venue.faults.counts == {Fault.PUSH_REORDERED: 1, Fault.PUSH_DELAYED: 1}


def test_lost_messages_are_counted_and_only_of_their_kind(venue):
    """An order message is not a fill message; what is lost never comes."""
    venue.on("fill_push_lost", count=5)
    venue.rest()
    assert len(venue.news()) == 1
    venue.on("order_push_lost", count=1)
    venue.exchange.cancel_all(USER)
    assert venue.news() == []
    assert venue.later(60) == []
    assert venue.faults.counts == {Fault.ORDER_PUSH_LOST: 1}


def test_a_status_that_nobody_knows(venue):
    """The status is another word, the sizes stay."""
    venue.on("status_unknown")
    venue.rest()
    [text] = venue.news()
    assert json.loads(text)["o"] == {"x": "NEW", "X": "HALF_DONE", "z": "0"}


@pytest.mark.parametrize(
    ("fault", "carried_out", "answers"),
    [
        ("answer_lost", 1, []),
        ("refused_answer_lost", 0, []),
        ("cut_before", 0, [Push(connection=2, close=True)]),
        ("cut_during", 1, [Push(connection=2, close=True)]),
        ("cut_after", 1, [Push(connection=2, text="taken"), Push(connection=2, close=True)]),
    ],
)
def test_a_request_over_the_websocket(venue, fault, carried_out, answers):
    """Whether it is carried out and what is answered, exactly."""
    venue.on(fault)
    assert venue.place() == answers
    assert len(venue.inner.carried_out) == carried_out
    assert venue.place() == [Push(connection=2, text="taken")], "it struck once"


@pytest.mark.parametrize(
    ("fault", "carried_out", "fate", "status"),
    [
        ("answer_lost", 1, "lost", 200),
        ("refused_answer_lost", 0, "lost", 200),
        ("cut_before", 0, "cut", 200),
        ("cut_during", 1, "cut", 200),
        ("answer_5xx", 1, "sent", 503),
        ("answer_unknown", 1, "sent", 408),
    ],
)
def test_a_request_by_http(venue, fault, carried_out, fate, status):
    """The same by the other way; the shell is told what becomes of the answer."""
    venue.on(fault)
    reply = venue.post()
    assert (len(venue.inner.carried_out), reply.fate, reply.status) == (carried_out, fate, status)
    assert venue.post().body.startswith(b"answer")


def test_an_answer_that_is_late_and_a_request_that_is_accepted_late(venue):
    """A late answer was carried out at once; what is accepted late when it is due, and nobody is told."""
    venue.on("answer_late", delay=0.2)
    assert venue.place() == []
    assert len(venue.inner.carried_out) == 1
    assert venue.later(0.2) == [Push(connection=2, text="taken")]
    venue.on("accepted_late", delay=2.0)
    assert venue.place() == []
    assert len(venue.inner.carried_out) == 1
    assert venue.later(2.0) == []
    assert len(venue.inner.carried_out) == 2


@pytest.mark.parametrize("fault", [fault for fault in Fault if fault.value.startswith("reject")])
def test_a_definite_refusal_is_the_venues_own(venue, fault):
    """Nothing is carried out; the refusal has the venue's code, and a rate limit its pause."""
    venue.on(fault, retry_after=3)
    [push] = venue.place()
    answer = json.loads(push.text)
    assert answer["id"] == "q"
    assert answer["error"]["code"] < 0
    venue.on(fault, retry_after=3)
    reply = venue.post()
    assert reply.status in {400, 429}
    assert reply.headers.get("Retry-After") == ("3" if fault is Fault.REJECT_RATE_LIMIT else None)
    assert venue.inner.carried_out == []


def test_the_liquidity_is_taken_away_before_the_order(venue):
    """Half of what is asked for is left on the other side, and nothing behind it."""
    venue.on("ioc_part_filled")
    venue.place()
    assert venue.exchange.best("ETHUSDT")[1] == (D("2701"), D("0.5"))
    assert venue.exchange.book("ETHUSDT", 10).asks == ((D("2701"), D("0.5")),)


@pytest.mark.parametrize(
    ("fault", "filled"), [("filled_before_cancel", "1"), ("fill_during_cancel", "0.5"), ("fill_after_cancel", "0.5")]
)
def test_a_cancel_that_races_with_a_fill(venue, fault, filled):
    """The market is first; the trade of the last fault is told only later, after the end without it."""
    order = venue.rest()
    venue.news()
    venue.on(fault, delay=0.1)
    venue.ask("order.cancel", orderId=str(order.order_id))
    if fault != "filled_before_cancel":
        venue.exchange.cancel_all(USER)
    told = venue.news()
    assert venue.exchange.order(USER, "ETHUSDT", order_id=order.order_id).filled == D(filled)
    if fault == "fill_after_cancel":
        assert [json.loads(text)["o"] for text in told] == [{"x": "CANCELED", "X": "CANCELLED", "z": "0"}]
        [late] = venue.later(0.1)
        assert json.loads(late.text)["o"]["z"] == "0.5"
    else:
        assert '"TRADE"' in told[0]


def test_a_stale_snapshot_is_the_answer_from_before(venue):
    """While it is on, the same question has the same answer; another has its own."""

    def ask(path):
        return venue.front.http("GET", path, "symbol=ETHUSDT&timestamp=1", {}, b"").body

    assert ask("/fapi/v1/openOrders") == b"answer 1"
    venue.on("snapshot_stale", seconds=5)
    assert ask("/fapi/v1/openOrders") == b"answer 1"
    assert ask("/fapi/v1/userTrades") == b"answer 2", "never asked before: there is nothing that is stale"
    venue.later(5)
    assert ask("/fapi/v1/openOrders") == b"answer 3"
    venue.on("snapshot_fails", lost=True)
    assert venue.front.http("GET", "/fapi/v3/positionRisk", "", {}, b"").fate == "lost"
    venue.on("order_query_fails")
    assert venue.front.http("GET", "/fapi/v1/order", "symbol=ETHUSDT", {}, b"").status == 503


def test_outages(venue):
    """Down: 503 and closed websockets. Refusing: the shell is told. Websockets down: HTTP works. Each for its time."""
    venue.on("venue_down", seconds=1)
    assert venue.post().status == 503
    assert venue.later(0.1) == [Push(connection=1, close=True), Push(connection=2, close=True)]
    assert venue.front.ws_open(3, "/ws", "") == [Push(connection=3, close=True)]
    assert not venue.front.refusing
    venue.later(1)
    assert venue.post().body == b"answer 1"
    venue.on("venue_refuses", seconds=1)
    assert venue.front.refusing
    assert venue.post().fate == "cut"
    venue.later(1)
    assert not venue.front.refusing
    venue.on("websockets_down", seconds=1)
    assert venue.post().body == b"answer 2"
    assert venue.front.ws_open(4, "/ws", "") == [Push(connection=4, close=True)]


def test_private_connections_are_cut_and_listen_keys_hastened(venue):
    """Only the connections that carry an account's own news are cut."""
    venue.on("stream_cut")
    assert venue.later(0.1) == [Push(connection=1, close=True)]
    venue.on("listen_key_expired")
    venue.later(0.1)
    assert venue.inner.hastened == 1


def test_a_closed_connection_gets_nothing_that_was_held_for_it(venue):
    """What is held for a connection goes with it."""
    venue.on("push_reordered", delay=0.1)
    venue.rest()
    assert venue.news() == []
    venue.front.ws_closed(1)
    assert venue.later(1) == []


def test_rules_match_by_verb_ticker_client_id_channel_and_seed():
    """A rule strikes what it names; with a probability the seed decides, the same each time."""
    plan = Faults(seed=1, now_ns=lambda: START_NS)
    plan.switch(Rule(fault=Fault.ANSWER_LOST, verb=Verb.CANCEL, ticker="ETH", client_id="a", channel="ws", count=9))
    right = {"verb": Verb.CANCEL, "ticker": "ETH", "client_id": "a", "channel": "ws"}
    assert plan.strike({Fault.ANSWER_LOST}, **right)
    for name, other in (("verb", Verb.PLACE), ("ticker", "BTC"), ("client_id", "b"), ("channel", "rest")):
        assert plan.strike({Fault.ANSWER_LOST}, **{**right, name: other}) is None
    assert plan.strike({Fault.CUT_DURING}, **right) is None

    def draws(seed):
        drawn = Faults(seed=seed, now_ns=lambda: START_NS)
        drawn.switch(Rule(fault=Fault.PUSH_LOST, probability=0.5))
        return [drawn.strike({Fault.PUSH_LOST}, text="x") is not None for _ in range(64)]

    assert draws(1) == draws(1) != draws(2)
    assert 10 < sum(draws(1)) < 54


def test_every_fault_says_what_it_does_and_what_it_strikes():
    """The table that documentation and the drill are made from is complete."""
    assert set(SUMMARIES) == set(Fault)
    assert strikes(Fault.REJECT_LOT) == {Verb.PLACE}
    assert strikes(Fault.FILL_DURING_CANCEL) == {Verb.CANCEL}


def test_an_overfill_and_an_order_that_the_venue_makes(venue):
    """More than was ordered may fill, and the venue may close a position; money is neither made nor lost."""
    money = venue.exchange.money()
    order = venue.rest(quantity="0.1")
    filled = venue.front.acts.fill(USER, "ETHUSDT", order.client_id, D("0.13"))
    assert (filled.filled, filled.status.value) == (D("0.13"), "FILLED")
    assert venue.exchange.position(USER, "ETHUSDT").amount == D("0.13")
    forced = venue.front.acts.force(USER, "ETHUSDT", D("0.05"), "adl")
    assert forced.client_id.startswith("adl_autoclose")
    assert venue.exchange.position(USER, "ETHUSDT").amount == D("0.08")
    assert venue.exchange.money() == money
    with pytest.raises(Refused):
        venue.front.acts.fill(USER, "ETHUSDT", "nobody's", D(1))
    with pytest.raises(Refused):
        venue.front.acts.force(USER, "BTCUSDT", D(1), "adl")


# ------------------------------------------------------------------ dialects


def test_binance_dialect_reads_requests_and_messages():
    """Both ways of asking, the user data events, and nothing of public data."""
    dialect = BinanceDialect(paper_exchange("binance", now_ns=lambda: 0).contracts)
    asked = dialect.asked_http("DELETE", "/fapi/v1/order", "symbol=ETHUSDT&orderId=12&timestamp=1", b"")
    assert (asked.verb, asked.ticker, asked.order_id) == (Verb.CANCEL, "ETHUSDT", 12)
    assert dialect.asked_http("GET", "/fapi/v1/depth", "symbol=ETHUSDT", b"") is None
    assert dialect.asked_ws('{"method":"ping"}') is None
    assert dialect.asked_ws("no json") is None
    assert dialect.told('{"stream":"k","data":{"e":"TRADE_LITE","E":1}}') == "fill"
    assert dialect.told('{"e":"bookTicker"}') is None
    reply = dialect.refused(RejectReason.MIN_NOTIONAL, 1, asked)
    assert json.loads(reply.body) == {
        "code": -4164, "msg": "Order's notional must be no smaller than 20 (unless you choose reduce only)."
    }  # fmt: skip


def test_hyperliquid_dialect_reads_requests_and_messages():
    """Actions and questions by both ways; a refusal in the venue's own form and words."""
    dialect = HyperliquidDialect(paper_exchange("hyperliquid", now_ns=lambda: 0).contracts)
    order = {"a": 1, "b": False, "p": "2700", "s": "0.1", "r": False, "t": {"limit": {"tif": "Ioc"}}, "c": "0xab"}
    action = {"action": {"type": "order", "orders": [order], "grouping": "na"}, "nonce": 1}
    post = {"method": "post", "id": 7, "request": {"type": "action", "payload": action}}
    for asked in (
        dialect.asked_ws(json.dumps(post)),
        dialect.asked_http("POST", "/exchange", "", json.dumps(action).encode()),
    ):
        assert (asked.verb, asked.ticker, asked.is_buy, asked.quantity) == (Verb.PLACE, "ETH", False, D("0.1"))
        assert asked.client_id == "0xab"
    amend = {"action": {"type": "batchModify", "modifies": [{"oid": 5, "order": order}]}}
    asked = dialect.asked_http("POST", "/exchange", "", json.dumps(amend).encode())
    assert (asked.verb, asked.order_id) == (Verb.AMEND, 5)
    question = dialect.asked_http("POST", "/info", "", b'{"type":"userFillsByTime","user":"0x1","startTime":1}')
    assert question.verb is Verb.FILLS
    assert dialect.told('{"channel":"orderUpdates","data":[]}') == "order"
    assert dialect.told('{"channel":"l2Book","data":{}}') is None
    said = dialect.over_ws(dialect.asked_ws(json.dumps(post)), dialect.refused(RejectReason.TICK, 1, asked))
    assert json.loads(said)["data"]["id"] == 7
    assert "divisible by tick size" in said


# ------------------------------------------------------------------- control


def test_control_switches_acts_and_tells_the_truth(venue):
    """The requests of a test in another process: a rule on, its count, an exact fill, the venue's own books."""
    control = Control(venue.front, venue.exchange)

    def ask(method, what, query="", body=b""):
        reply = control.answer(method, f"/paper/{what}", query, body)
        return reply.status, json.loads(reply.body)

    order = venue.rest()
    assert ask("POST", "faults", body=b'{"fault":"push_lost","count":1}') == (200, {"ok": True})
    fill = {"act": "fill", "ticker": "ETHUSDT", "client_id": order.client_id, "quantity": "0.3"}
    assert ask("POST", "act", body=json.dumps(fill).encode())[0] == 200
    venue.news()
    status, counted = ask("GET", "faults")
    assert (status, counted["counts"]) == (200, {"push_lost": 1})
    assert ask("DELETE", "faults")[0] == 200
    status, books = ask("GET", "books", f"account={USER}")
    assert books == json.loads(json.dumps({
        "fills": {order.client_id: {"ticker": "ETHUSDT", "filled": "0.3", "trades": [1]}},
        "open": {order.client_id: "0.7"}, "placed": {order.client_id: 1}, "positions": {"ETHUSDT": "0.3"},
        "prices": {order.client_id: str(order.price)},
    }))  # fmt: skip
    assert truth_of(venue.exchange, USER).positions == {"ETHUSDT": D("0.3")}


@pytest.mark.parametrize(
    ("method", "what", "body", "status"),
    [
        ("POST", "faults", b'{"fault":"nonsense"}', 400),
        ("POST", "faults", b'{"fault":"push_lost","typo":1}', 400),
        ("POST", "act", b"no json", 400),
        ("POST", "act", b'{"act":"fill","ticker":"ETHUSDT","client_id":"x","quantity":"1"}', 409),
        ("POST", "act", b'{"act":"thin","ticker":"NOTHING","quantity":"1"}', 404),
        ("GET", "nothing", b"", 404),
    ],
)
def test_control_refuses_in_a_sentence(venue, method, what, body, status):
    """What cannot be read, what the exchange refuses, and what is not there."""
    reply = Control(venue.front, venue.exchange).answer(method, f"/paper/{what}", "", body)
    assert reply.status == status
    assert json.loads(reply.body)["error"]
