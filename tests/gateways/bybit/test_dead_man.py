"""Bybit's protection: a length for the account, and a topic that makes the end of a connection count."""

import pytest

from gateways.errors import Denied, Rejected, Unavailable, Unknown
from gateways.venue import Channel
from tests.gateways.bybit.messages import answer
from tests.gateways.bybit.stub_exchange import Stub, connected

PATH = "/v5/order/disconnected-cancel-all"
TOPIC = "dcp.future"


async def test_it_is_set_once_joined_and_left(stub: Stub) -> None:
    """The length is sent when it changes; asked again nothing is sent; taking it back leaves the topic."""
    exchange, _ = stub
    exchange.rest[PATH] = (200, answer({}))
    async with connected(*stub) as (venue, _):
        for seconds in (30, 30, 40):
            await venue.arm_dead_man(seconds, None)
        assert [sent["timeWindow"] for sent in exchange.sent(PATH)] == [30, 40]
        assert exchange.topics("private").count(TOPIC) == 1
        for _ in range(2):
            await venue.disarm_dead_man(None)
        assert exchange.topics("private", "unsubscribe") == [TOPIC]


async def test_a_connection_that_takes_the_place_of_another_joins_too(stub: Stub) -> None:
    """And sends a heartbeat at once: else the time of the one that was lost would run out."""
    exchange, _ = stub
    exchange.rest[PATH] = (200, answer({}))
    async with connected(*stub) as (venue, desk):
        await venue.arm_dead_man(30, None)
        await exchange.drop("private")
        await exchange.until(lambda: exchange.topics("private").count(TOPIC) == 2)
        await exchange.until(lambda: exchange.received["private"][-1]["op"] == "ping")
        await desk.until(lambda: desk.states_of(Channel.PRIVATE)[-1])


async def test_it_cannot_be_taken_back_without_a_connection(stub: Stub) -> None:
    """The time of the lost connection runs; the next connection joins, and then it can be left."""
    exchange, _ = stub
    exchange.rest[PATH] = (200, answer({}))
    async with connected(*stub) as (venue, desk):
        await venue.arm_dead_man(30, None)
        exchange.refuse_sockets.add("private")
        await exchange.drop("private")
        await desk.until(lambda: not desk.states_of(Channel.PRIVATE)[-1])
        with pytest.raises(Unavailable):
            await venue.disarm_dead_man(None)
        exchange.refuse_sockets.clear()
        await desk.until(lambda: desk.states_of(Channel.PRIVATE)[-1])
        await venue.disarm_dead_man(None)
        assert exchange.topics("private", "unsubscribe") == [TOPIC]


async def test_a_missing_answer_leaves_it_open_until_it_is_taken_back(
    stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The topic may have been joined: to take it back asks the venue, and says nothing less than that."""
    monkeypatch.setattr("gateways.bybit.user_data.OPENING_S", 0.1)
    exchange, _ = stub
    exchange.rest[PATH] = (200, answer({}))
    exchange.unanswered.add(TOPIC)
    async with connected(*stub) as (venue, _):
        with pytest.raises(Unknown):
            await venue.arm_dead_man(30, None)
        exchange.unanswered.clear()
        await venue.disarm_dead_man(None)
        assert exchange.topics("private", "unsubscribe") == [TOPIC]


async def test_what_the_venue_does_not_grant_is_rejected(stub: Stub) -> None:
    """It is for institutions; the topic is not joined then, and a range of its own is denied unsent."""
    exchange, _ = stub
    exchange.rest[PATH] = (200, answer({}, 10005, "Permission denied"))
    async with connected(*stub) as (venue, _):
        with pytest.raises(Rejected):
            await venue.arm_dead_man(30, None)
        with pytest.raises(Denied):
            await venue.arm_dead_man(2, None)
        assert TOPIC not in exchange.topics("private")
