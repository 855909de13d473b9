"""What the tests of the OKX gateway share: contracts as the venue publishes them."""

from collections.abc import AsyncIterator

import pytest

from gateways.contracts import Contracts
from gateways.okx.instruments import instruments
from tests.gateways.okx.messages import instrument
from tests.gateways.okx.stub_exchange import Stub, exchange


@pytest.fixture
def contracts() -> Contracts:
    """ETH-USDT-SWAP, of a tenth of an ether, and PEPE-USDT-SWAP, of ten million."""
    pepe = instrument(
        "PEPE-USDT-SWAP", ctVal="1000000", ctMult="10", ctValCcy="PEPE", lotSz="0.1", minSz="0.1", tickSz="0.00000001"
    )
    return Contracts("okx", instruments([instrument(), pepe], "okx"))


@pytest.fixture
async def stub() -> AsyncIterator[Stub]:
    """A scripted exchange that serves, and the endpoints to reach it."""
    async with exchange() as made:
        yield made
