"""The subscriptions of the Hyperliquid paper front: what is heard first, market news, posts and life signs."""

import json
from typing import Any

import pytest

from gateways.paper.front import Push
from tests.gateways.paper.hyperliquid_session import ACCOUNT, HOUSE, Session, heard, order, placing

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


# ------------------------------------------------------------ subscriptions


@pytest.mark.parametrize(
    ("kind", "first"),
    [
        ("userFills", {"isSnapshot": True, "user": ACCOUNT, "fills": []}),
        ("userFundings", {"isSnapshot": True, "user": ACCOUNT, "fundings": []}),
        (
            "userNonFundingLedgerUpdates",
            {"isSnapshot": True, "user": ACCOUNT, "nonFundingLedgerUpdates": []},
        ),
        ("openOrders", {"dex": "", "user": ACCOUNT, "orders": []}),
    ],
)
def test_first_message_of_an_account(session: Session, kind: str, first: object) -> None:
    """A subscriber hears at once what stands, the past marked as a snapshot."""
    assert session.subscribe(kind, user=ACCOUNT) == [{"channel": kind, "data": first}]


@pytest.mark.parametrize("kind", ["orderUpdates", "userEvents", "notification"])
def test_channels_that_only_tell_news(session: Session, kind: str) -> None:
    """These begin with nothing: what is open must be asked."""
    session.place()
    assert session.subscribe(kind, user=ACCOUNT) == []


def test_echo_has_the_books_options_and_a_lower_address(session: Session) -> None:
    """The echo of a book names its options; an address is echoed in lower case."""
    book, _ = session.say({"method": "subscribe", "subscription": {"type": "l2Book", "coin": "BTC"}})
    assert book["data"] == {
        "method": "subscribe",
        "subscription": {"type": "l2Book", "coin": "BTC", "nSigFigs": None, "mantissa": None},
    }
    wanted = {"type": "orderUpdates", "user": "0x" + ACCOUNT[2:].upper()}
    [echo] = session.say({"method": "subscribe", "subscription": wanted})
    assert echo["data"]["subscription"] == {"type": "orderUpdates", "user": ACCOUNT}


def test_twice_is_once(session: Session) -> None:
    """A second subscription of the same is an error, and so is an end without a beginning."""
    wanted = {"type": "bbo", "coin": "BTC"}
    session.say({"method": "subscribe", "subscription": wanted})
    [again] = session.say({"method": "subscribe", "subscription": wanted})
    assert again == {"channel": "error", "data": 'Already subscribed: {"type":"bbo","coin":"BTC"}'}
    [ended] = session.say({"method": "unsubscribe", "subscription": wanted})
    assert ended == {"channel": "subscriptionResponse", "data": {"method": "unsubscribe", "subscription": wanted}}
    [over] = session.say({"method": "unsubscribe", "subscription": wanted})
    assert over["data"].startswith("Already unsubscribed: ")


def test_an_ended_subscription_is_silent(session: Session) -> None:
    """Nothing is pushed after the end of a subscription, or of a connection."""
    session.subscribe("bbo", coin="BTC")
    session.subscribe("trades", coin="BTC")
    session.say({"method": "unsubscribe", "subscription": {"type": "bbo", "coin": "BTC"}})
    session.place(price="60010", tif="Ioc")
    assert channels(session.news()) == ["trades"]
    session.front.ws_closed(1)
    session.place(price="60010", tif="Ioc")
    assert session.news() == []


@pytest.mark.parametrize(
    ("wanted", "text"),
    [
        ({"type": "l2Book", "coin": "NOPE"}, 'Invalid subscription {"type":"l2Book","coin":"NOPE"}'),
        ({"type": "orderUpdates"}, 'Invalid subscription {"type":"orderUpdates"}'),
        ({"type": "liquidations"}, "Error parsing JSON into valid websocket request: "),
    ],
)
def test_impossible_subscriptions(session: Session, wanted: dict[str, str], text: str) -> None:
    """What cannot be subscribed to is said on the channel ``error``."""
    [error] = session.say({"method": "subscribe", "subscription": wanted})
    assert error["channel"] == "error"
    assert error["data"].startswith(text)


def test_at_most_ten_users(session: Session) -> None:
    """An eleventh account is refused, over all connections."""
    session.front.ws_open(2, "/ws", "")
    for index in range(10):
        session.subscribe("orderUpdates", user=f"0x{index:040x}")
    session.subscribe("userFills", user=f"0x{3:040x}")
    asked = json.dumps({"method": "subscribe", "subscription": {"type": "userFills", "user": OTHER}})
    [error] = heard(session.front.ws_message(2, asked))
    assert error == {"channel": "error", "data": "Cannot track more than 10 total users."}


# ------------------------------------------------------------ market


def test_books_wait_for_the_tick(session: Session) -> None:
    """A book is pushed whole at once, and after changes at the next tick, once."""
    [first] = session.subscribe("l2Book", coin="BTC")
    assert first["data"]["levels"][0] == [{"px": "60000.0", "sz": "0.5", "n": 1}]
    assert session.tick() == []
    session.quote("59990", is_buy=True)
    session.quote("59980", is_buy=True)
    assert session.news() == []
    [book] = session.tick()
    assert [level["px"] for level in book["data"]["levels"][0]] == ["60000.0", "59990.0", "59980.0"]
    assert session.tick() == []


def test_book_has_twenty_levels(session: Session) -> None:
    """A book has at most twenty levels a side."""
    for step in range(25):
        session.quote(str(59_000 - step), is_buy=True)
    [first] = session.subscribe("l2Book", coin="BTC")
    assert [len(side) for side in first["data"]["levels"]] == [20, 1]


def test_quotes_are_told_when_they_move(session: Session) -> None:
    """``bbo`` is pushed when the best levels change and not when those behind them do."""
    session.subscribe("bbo", coin="BTC")
    session.news()
    session.quote("60001", is_buy=True)
    [quote] = session.news()
    assert quote["data"]["bbo"] == [
        {"px": "60001.0", "sz": "0.5", "n": 1},
        {"px": "60010.0", "sz": "0.5", "n": 1},
    ]
    session.quote("59990", is_buy=True)
    assert session.news() == []


def test_empty_side_of_a_quote_is_null(session: Session) -> None:
    """A side without orders is null."""
    session.exchange.cancel_all(HOUSE)
    session.quote("60001", is_buy=True)
    [quote] = session.subscribe("bbo", coin="BTC")
    assert quote["data"]["bbo"] == [{"px": "60001.0", "sz": "0.5", "n": 1}, None]


def test_trades_name_the_aggressor(session: Session) -> None:
    """A trade's side is the aggressor's; a new subscriber hears the last ones, oldest first."""
    session.subscribe("trades", coin="BTC")
    session.statuses(placing(order(price="60010", tif="Ioc"), order(buy=False, price="60000", tif="Ioc")))
    [news] = session.news()
    assert [(trade["side"], trade["px"]) for trade in news["data"]] == [("B", "60010.0"), ("A", "60000.0")]
    session.say({"method": "unsubscribe", "subscription": {"type": "trades", "coin": "BTC"}})
    [past] = session.subscribe("trades", coin="BTC")
    assert past == news


def test_mids_and_contexts_come_each_second(session: Session) -> None:
    """Mids and contexts are pushed at once and then once a second."""
    [mids] = session.subscribe("allMids")
    [context] = session.subscribe("activeAssetCtx", coin="BTC")
    assert mids["data"] == {"mids": {"BTC": "60005.0"}}
    assert context["data"]["ctx"]["markPx"] == "60005.0"
    session.tick()
    session.now_ms += 999
    assert session.tick() == []
    session.now_ms += 1
    assert channels(session.tick()) == ["allMids", "activeAssetCtx"]


# ------------------------------------------------------------ posts and life signs


def test_ping_and_pong(session: Session) -> None:
    """A ping is answered."""
    assert session.say({"method": "ping"}) == [{"channel": "pong"}]


def test_action_by_post(session: Session) -> None:
    """A signed action over the websocket is answered like over HTTP, under its id; the news come after."""
    session.subscribe("orderUpdates", user=ACCOUNT)
    body = session.signed(placing(order()))
    [answer] = session.say({"method": "post", "id": 7, "request": {"type": "action", "payload": body}})
    oid = session.mine("openOrders")[0]["oid"]
    done = {"status": "ok", "response": {"type": "order", "data": {"statuses": [{"resting": {"oid": oid}}]}}}
    assert answer == {"channel": "post", "data": {"id": 7, "response": {"type": "action", "payload": done}}}
    assert words(session.news()) == [(oid, "open", "0.01")]


def test_question_by_post(session: Session) -> None:
    """A question over the websocket is answered with its type beside the data."""
    asked = {"method": "post", "id": 8, "request": {"type": "info", "payload": {"type": "allMids"}}}
    assert session.say(asked) == [
        {
            "channel": "post",
            "data": {
                "id": 8,
                "response": {"type": "info", "payload": {"type": "allMids", "data": {"BTC": "60005.0"}}},
            },
        }
    ]


def test_unreadable_post_is_an_error_under_its_id(session: Session) -> None:
    """A post whose payload is not read is answered as an error with the status of HTTP."""
    [answer] = session.say({"method": "post", "id": 9, "request": {"type": "action", "payload": {"nonce": 1}}})
    assert answer["data"]["id"] == 9
    assert answer["data"]["response"] == {
        "type": "error",
        "payload": "422 Failed to deserialize the JSON body into the target type",
    }


def test_unreadable_message_is_echoed(session: Session) -> None:
    """What is no request is said so, with its text."""
    assert session.say("hello") == [
        {"channel": "error", "data": "Error parsing JSON into valid websocket request: hello"}
    ]


def test_only_one_path(session: Session) -> None:
    """A websocket elsewhere than ``/ws`` is closed."""
    assert session.front.ws_open(5, "/other", "") == [Push(connection=5, close=True)]


def test_silence_ends_a_connection(session: Session) -> None:
    """A connection that was told nothing for over a minute is closed, once; a pong keeps it."""
    session.now_ms += 60_000
    assert session.front.tick() == []
    session.say({"method": "ping"})
    session.now_ms += 60_000
    assert session.front.tick() == []
    session.now_ms += 1
    assert session.front.tick() == [Push(connection=1, close=True)]
    assert session.front.tick() == []
    assert session.say({"method": "ping"}) == []


def test_two_thousand_messages_a_minute(session: Session) -> None:
    """Messages over the limit are refused until the minute has rolled on."""
    for _ in range(2_000):
        session.say({"method": "ping"})
    assert session.say({"method": "ping"}) == [
        {"channel": "error", "data": "Cannot send more than 2000 messages per minute."}
    ]
    session.now_ms += 60_000
    assert session.say({"method": "ping"}) == [{"channel": "pong"}]
