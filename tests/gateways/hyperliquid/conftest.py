"""Contracts, keys, a scripted server and a venue connected to it: what tests of this gateway start from."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from gateways.contracts import Contracts
from gateways.hyperliquid.translate import contracts_of
from gateways.hyperliquid.venue import HyperliquidVenue
from gateways.hyperliquid.wire import Asset
from gateways.standards import Credentials
from gateways.venue import Endpoints
from tests.gateways.hyperliquid.messages import NOW_MS
from tests.gateways.hyperliquid.scripted import ScriptedServer
from tests.gateways.listening import Desk, Facts

ASSETS = [
    Asset(name="BTC", sz_decimals=5),
    Asset(name="ETH", sz_decimals=4),
    Asset(name="SOL", sz_decimals=2),
    Asset(name="kPEPE", sz_decimals=0),
    Asset(name="OLD", sz_decimals=1, is_delisted=True),
]
SECRET = "0x" + "00" * 31 + "01"
ADDRESS = "0x7e5f4552091a69125d5dfcb7b8c2659029395bdf"


@pytest.fixture
def contracts() -> Contracts:
    """The universe BTC, ETH, SOL, kPEPE, OLD (delisted), asset ids 0 to 4."""
    return Contracts("hl", contracts_of("hl", ASSETS))


@pytest.fixture
def credentials() -> Credentials:
    """The account of the private key 1."""
    return Credentials(ADDRESS.upper().replace("0X", "0x"), SECRET)


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    """A scripted server on a free port."""
    scripted = ScriptedServer(Facts())
    await scripted.start()
    yield scripted
    await scripted.stop()


@pytest.fixture
def recorder(server: ScriptedServer) -> Desk:
    """Who is told of everything."""
    return Desk(server.facts)


def make(server: ScriptedServer, **changes: Any) -> HyperliquidVenue:
    """A venue at the server, its clock standing still."""
    endpoints = Endpoints(rest=server.rest, ws=server.ws, key=ADDRESS, secret=SECRET)
    options: dict[str, Any] = {"clock_ns": lambda: NOW_MS * 1_000_000, "connect_timeout": 5.0, "reply_timeout": 5.0}
    return HyperliquidVenue("hl", endpoints, **{**options, **changes})


@pytest.fixture
async def venue(server: ScriptedServer, recorder: Desk) -> AsyncIterator[HyperliquidVenue]:
    """A connected venue."""
    connected = make(server)
    await connected.connect(recorder.sink, recorder)
    yield connected
    await connected.close()
