"""What the tests of the Bybit gateway share: contracts as the venue publishes them, a scripted exchange."""

from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from gateways.contracts import Contracts
from tests.contracts import swap
from tests.gateways.bybit.stub_exchange import Stub, exchange

D = Decimal


@pytest.fixture
def contracts() -> Contracts:
    """ETHUSDT, and 1000PEPEUSDT, whose unit is a thousand of ours."""
    pepe = swap("bybit", "1000PEPEUSDT", "PEPE", lot="100000", tick_size=D("0.0000000001"), multiplier=D(1000))
    return Contracts("bybit", [swap("bybit", "ETHUSDT", "ETH", lot="0.01"), pepe])


@pytest.fixture
async def stub() -> AsyncIterator[Stub]:
    """A scripted exchange that serves, and the endpoints to reach it."""
    async with exchange() as made:
        yield made
