"""What the Hyperliquid paper front tells an account of its orders, fills and state."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateways.paper.exchange import NewOrder
from gateways.standards import OrderStatus
from tests.gateways.paper.hyperliquid_session import ACCOUNT, CLOID, HOUSE, START_MS, Session, order, placing

OTHER = "0x" + "33" * 20


@pytest.fixture
def session() -> Session:
    return Session()


def channels(messages: list[Any]) -> list[str]:
    return [message["channel"] for message in messages]


def words(messages: list[Any]) -> list[tuple[int, str, str]]:
    """Oid, status and open size of every order update."""
    return [
        (update["order"]["oid"], update["status"], update["order"]["sz"])
        for message in messages
        if message["channel"] == "orderUpdates"
        for update in message["data"]
    ]


# ------------------------------------------------------------ order and fills


def test_life_of_a_resting_order(session: Session) -> None:
    """A resting order is told open, then filled; a partial fill is told by its fill alone."""
    session.subscribe("orderUpdates", user=ACCOUNT)
    session.subscribe("userFills", user=ACCOUNT)
    oid = session.place(price="60005", size="0.03", cloid=CLOID)["resting"]["oid"]
    assert session.news() == [
        {
            "channel": "orderUpdates",
            "data": [
                {
                    "order": {
                        "coin": "BTC",
                        "side": "B",
                        "limitPx": "60005.0",
                        "sz": "0.03",
                        "oid": oid,
                        "timestamp": START_MS,
                        "origSz": "0.03",
                        "cloid": CLOID,
                    },
                    "status": "open",
                    "statusTimestamp": START_MS,
                }
            ],
        }
    ]
    session.quote("60005", is_buy=False, quantity="0.01")
    [partial] = session.news()
    assert partial["channel"] == "userFills"
    assert set(partial["data"]) == {"user", "fills"}
    [fill] = partial["data"]["fills"]
    assert (fill["oid"], fill["cloid"], fill["sz"], fill["crossed"]) == (oid, CLOID, "0.01", False)
    session.now_ms += 7
    session.quote("60005", is_buy=False, quantity="0.02")
    filled, fills = session.news()
    assert words([filled]) == [(oid, "filled", "0.0")]
    assert filled["data"][0]["statusTimestamp"] == START_MS + 7
    assert fills["data"]["fills"][0]["sz"] == "0.02"


def test_partial_fill_shows_in_open_orders_only(session: Session) -> None:
    """While an order is open ``orderStatus`` says its size at the placing; the open orders say what is left."""
    oid = session.place(price="60005", size="0.03")["resting"]["oid"]
    session.quote("60005", is_buy=False, quantity="0.01")
    assert session.mine("orderStatus", oid=oid)["order"]["order"]["sz"] == "0.03"
    assert [one["sz"] for one in session.mine("openOrders")] == ["0.02"]
    session.act({"type": "cancel", "cancels": [{"a": 0, "o": oid}]})
    ended = session.mine("orderStatus", oid=oid)["order"]
    assert (ended["status"], ended["order"]["sz"]) == ("canceled", "0.02")


def test_replacement_is_told_in_one_message(session: Session) -> None:
    """A replacement is told as the old oid canceled and the new one open, both with the cloid."""
    session.subscribe("orderUpdates", user=ACCOUNT)
    old = session.place(cloid=CLOID)["resting"]["oid"]
    session.news()
    change = {"oid": old, "order": order(price="50001", cloid=CLOID)}
    new = session.statuses({"type": "batchModify", "modifies": [change]})[0]["resting"]["oid"]
    [message] = session.news()
    assert words([message]) == [(old, "canceled", "0.01"), (new, "open", "0.01")]
    assert {update["order"]["cloid"] for update in message["data"]} == {CLOID}


def test_orders_that_never_rest_are_never_open(session: Session) -> None:
    """An Ioc or a crossing Alo is told once, as it ended."""
    session.subscribe("orderUpdates", user=ACCOUNT)
    session.statuses(placing(order(tif="Ioc"), order(price="60010", tif="Alo"), order(price="60010", tif="Ioc")))
    told = [(word, size) for _, word, size in words(session.news())]
    assert told == [("iocCancelRejected", "0.01"), ("badAloPxRejected", "0.01"), ("filled", "0.0")]


def test_timed_cancel_is_told_as_such(session: Session) -> None:
    """Orders that the timed cancel ends are told ``scheduledCancel``."""
    session.subscribe("orderUpdates", user=ACCOUNT)
    oid = session.place()["resting"]["oid"]
    session.act({"type": "scheduleCancel", "time": START_MS + 5_000})
    session.news()
    session.now_ms += 5_000
    session.tick()
    assert words(session.news()) == [(oid, "scheduledCancel", "0.01")]


def test_events_channel_is_called_user(session: Session) -> None:
    """``userEvents`` is heard on the channel ``user``, with the same fills as ``userFills``."""
    session.subscribe("userEvents", user=ACCOUNT)
    session.subscribe("userFills", user=ACCOUNT)
    session.place(price="60010", tif="Ioc")
    events, fills = session.news()
    assert events == {"channel": "user", "data": {"fills": fills["data"]["fills"]}}


def test_snapshot_of_fills_is_marked(session: Session) -> None:
    """A new subscriber is told of the past with ``isSnapshot``, so that it is not booked again."""
    session.place(price="60010", tif="Ioc")
    session.news()
    [snapshot] = session.subscribe("userFills", user=ACCOUNT)
    assert snapshot["data"]["isSnapshot"] is True
    assert [fill["sz"] for fill in snapshot["data"]["fills"]] == ["0.01"]
    assert session.news() == []


def test_accounts_hear_only_of_themselves(session: Session) -> None:
    """Another account's orders are not told."""
    session.subscribe("orderUpdates", user=OTHER)
    session.subscribe("userFills", user=OTHER)
    session.place(price="60010", tif="Ioc")
    assert session.news() == []


def test_state_follows_a_fill(session: Session) -> None:
    """The state of an account is pushed when something happens to it, and every five seconds."""
    session.subscribe("clearinghouseState", user=ACCOUNT)
    session.tick()
    session.place(price="60010", tif="Ioc")
    [state] = session.news()
    assert state["data"]["user"] == ACCOUNT
    assert state["data"]["clearinghouseState"]["assetPositions"][0]["position"]["szi"] == "0.01"
    session.now_ms += 4_999
    assert session.tick() == []
    session.now_ms += 1
    assert channels(session.tick()) == ["clearinghouseState"]


def test_web_data_holds_the_whole_account(session: Session) -> None:
    """``webData2`` has the state, the open orders and the market in one message."""
    session.place()
    [message] = session.subscribe("webData2", user=ACCOUNT)
    data = message["data"]
    assert data["user"] == ACCOUNT
    assert [one["limitPx"] for one in data["openOrders"]] == ["50000.0"]
    assert len(data["assetCtxs"]) == len(data["meta"]["universe"])


# ------------------------------------------------------------ invariants


_STEP = st.tuples(
    st.sampled_from(["place", "cancel", "replace", "house"]),
    st.booleans(),
    st.integers(59_990, 60_020),
    st.integers(1, 30),
    st.sampled_from(["Gtc", "Alo", "Ioc"]),
)


@given(st.lists(_STEP, max_size=25))
def test_fills_told_are_the_position(steps: list[tuple[str, bool, int, int, str]]) -> None:
    """The signed sum of all fills that were pushed is the position, and each oid's fills are what it lost in size."""
    session = Session()
    session.subscribe("orderUpdates", user=ACCOUNT)
    session.subscribe("userFills", user=ACCOUNT)
    told: list[Any] = []
    for act, buy, price, size, tif in steps:
        quantity = str(Decimal(size) / 1000)
        resting = session.exchange.open_orders(ACCOUNT)
        if act == "house":
            session.exchange.submit(
                HOUSE, NewOrder(ticker="BTC", is_buy=buy, quantity=Decimal(quantity), price=Decimal(price))
            )
        elif act == "place" or not resting:
            session.place(buy=buy, price=str(price), size=quantity, tif=tif)
        elif act == "cancel":
            session.act({"type": "cancel", "cancels": [{"a": 0, "o": resting[0].order_id}]})
        else:
            changed = order(buy=resting[0].is_buy, price=str(price), size=quantity)
            session.act({"type": "modify", "oid": resting[0].order_id, "order": changed})
        told.extend(session.news())
        session.now_ms += 60_000
    fills = [fill for message in told if message["channel"] == "userFills" for fill in message["data"]["fills"]]
    signed = [Decimal(fill["sz"]) * (1 if fill["side"] == "B" else -1) for fill in fills]
    assert sum(signed, Decimal(0)) == session.exchange.position(ACCOUNT, "BTC").amount
    last = {update[0]: update for update in words(told)}
    for placed in session.exchange.orders(ACCOUNT):
        _, word, size_left = last[placed.order_id]
        filled = sum((Decimal(fill["sz"]) for fill in fills if fill["oid"] == placed.order_id), Decimal(0))
        assert filled == placed.filled
        is_open = placed.status in {OrderStatus.NEW, OrderStatus.PARTIAL}
        assert (word == "open") is is_open
        if not is_open:
            assert Decimal(size_left) == placed.quantity - filled
