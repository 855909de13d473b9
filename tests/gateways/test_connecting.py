"""Connecting to a scripted exchange and leaving it: what every venue of the same build does alike."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import msgspec
import pytest

from gateways.binance.venue import BinanceVenue
from gateways.bybit.venue import BybitVenue
from gateways.errors import Denied, Rejected, Unavailable
from gateways.okx.venue import OkxVenue
from gateways.standards import RejectReason
from gateways.venue import Channel, Endpoints
from tests.gateways.binance import messages as binance
from tests.gateways.binance import stub_exchange as binance_stub
from tests.gateways.bybit import messages as bybit
from tests.gateways.bybit import stub_exchange as bybit_stub
from tests.gateways.listening import Desk, listening
from tests.gateways.okx import messages as okx
from tests.gateways.okx import stub_exchange as okx_stub
from tests.gateways.scripted_exchange import Answer, ScriptedExchange


class Scripted(msgspec.Struct, frozen=True):
    """A venue's exchange, and where it says what is the same of all."""

    exchange: Callable[[], AbstractAsyncContextManager[tuple[Any, Endpoints]]]
    make: Callable[..., Any]
    ticker: str
    public: str
    """The socket of public data that a contract is asked for on."""
    account: Any
    """The request in which connecting learns of the account."""
    bad_key: Answer
    private: str
    """The socket that tells of orders."""
    order: object
    """Its news of an order."""


SCRIPTED = {
    "binance": Scripted(
        exchange=binance_stub.exchange,
        make=BinanceVenue,
        ticker="ETHUSDT",
        public="market",
        account=("GET", "/fapi/v1/positionSide/dual"),
        bad_key=(401, {"code": -2015, "msg": "Invalid API-key, IP, or permissions"}),
        private="private",
        order=binance.order_update(),
    ),
    "bybit": Scripted(
        exchange=bybit_stub.exchange,
        make=BybitVenue,
        ticker="ETHUSDT",
        public="public",
        account="/v5/position/list",
        bad_key=(200, bybit.answer({}, 10003, "API key is invalid.")),
        private="private",
        order=bybit.push("order", [bybit.order_row()]),
    ),
    "okx": Scripted(
        exchange=okx_stub.exchange,
        make=OkxVenue,
        ticker=okx.ETH,
        public="public",
        account=("GET", "/api/v5/account/config"),
        bad_key=(401, {"code": "50111", "msg": "Invalid OK-ACCESS-KEY", "data": []}),
        private="subscribed",
        order=okx.orders_push(okx.order()),
    ),
}

MODES: list[tuple[str, Answer, str]] = [
    ("binance", (200, {"dualSidePosition": True}), "one-way"),
    ("bybit", (200, bybit.page([bybit.position_row(positionIdx=2)])), "one-way"),
    ("okx", (200, {"code": "0", "msg": "", "data": [{"posMode": "long_short_mode", "acctLv": "2"}]}), "net mode"),
    ("okx", (200, {"code": "0", "msg": "", "data": [{"posMode": "net_mode", "acctLv": "1"}]}), "spot"),
]


class Met(msgspec.Struct, frozen=True):
    """A venue that is not connected yet, and its exchange, which serves."""

    kind: str
    script: Scripted
    stub: Any
    venue: Any


@pytest.fixture(params=sorted(SCRIPTED))
async def met(request: pytest.FixtureRequest) -> AsyncIterator[Met]:
    """Each venue in turn (or the one that a test names)."""
    kind, script = request.param, SCRIPTED[request.param]
    async with script.exchange() as (stub, endpoints):
        yield Met(kind, script, stub, script.make(kind, endpoints))


async def test_what_is_connected_is_told(met: Met) -> None:
    """The private stream, order entry and requests are told to be up, once each."""
    async with listening(met.venue) as (_, desk):
        for channel in (Channel.PRIVATE, Channel.TRADE, Channel.REST):
            assert desk.states_of(channel) == [True]
    assert desk.states_of(Channel.PRIVATE) == [True], "closing on purpose is no news"


async def test_close_is_idempotent_and_ends_every_task(met: Met) -> None:
    """After close nothing of the venue runs; a second close does nothing; a later request is not sent."""
    before = asyncio.all_tasks()
    async with listening(met.venue) as (venue, _):
        await venue.subscribe(met.script.ticker)
        await met.stub.until(lambda: bool(met.stub.received[met.script.public]))
    await venue.close()
    left = {task.get_name() for task in asyncio.all_tasks() - before}
    assert {name for name in left if "stream" in name or name.startswith(met.kind)} == set()
    with pytest.raises(Unavailable):
        await venue.balances()


@pytest.mark.parametrize("kind", sorted(SCRIPTED))
async def test_unreachable_venue_is_unavailable(kind: str) -> None:
    """Nobody listens: connect says so, and leaves nothing behind."""
    async with SCRIPTED[kind].exchange() as (_, endpoints):
        pass
    desk = Desk()
    with pytest.raises(Unavailable):
        await SCRIPTED[kind].make(kind, endpoints).connect(desk.sink, desk)


async def test_refused_key_is_rejected(met: Met) -> None:
    """A wrong key is told as what it is, not as a connection that keeps trying."""
    met.stub.rest[met.script.account] = met.script.bad_key
    desk = Desk()
    with pytest.raises(Rejected) as raised:
        await met.venue.connect(desk.sink, desk)
    assert raised.value.reason is RejectReason.CREDENTIALS


@pytest.mark.parametrize(("met", "account", "words"), MODES, indirect=["met"], ids=[f"{m[0]}-{m[2]}" for m in MODES])
async def test_modes_that_the_desk_does_not_trade_are_denied(met: Met, account: Answer, words: str) -> None:
    """Longs and shorts apart, or no swaps at all: refused before any order."""
    met.stub.rest[met.script.account] = account
    desk = Desk()
    with pytest.raises(Denied, match=words):
        await met.venue.connect(desk.sink, desk)
    assert met.stub.sockets["private"] == []


async def test_a_sink_that_raises_forces_a_reconnect(met: Met) -> None:
    """A message that was not taken in is reported, and reconciled by a new connection."""
    desk = Desk()

    def sink(batch: object) -> None:
        raise ZeroDivisionError

    await met.venue.connect(sink, desk)
    await ScriptedExchange.push(met.stub, met.script.private, met.script.order)
    await desk.until(lambda: desk.states_of(Channel.PRIVATE) == [True, False, True])
    await met.venue.close()
    assert "ZeroDivisionError" in desk.dropped[0]
