"""What the tests of the Binance gateway share: contracts as the venue publishes them, and message makers."""

from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from gateways.contracts import Contracts
from gateways.standards import Contract
from tests.gateways.binance.stub_exchange import Stub, exchange


def contract(ticker: str, base: str, **rules: object) -> Contract:
    fields: dict[str, object] = {
        "venue": "binance",
        "ticker": ticker,
        "base": base,
        "quote": "USDT",
        "tick_size": Decimal("0.01"),
        "lot_size": Decimal("0.001"),
        "min_quantity": Decimal("0.001"),
        "min_notional": Decimal(20),
    }
    return Contract(**{**fields, **rules})


@pytest.fixture
def contracts() -> Contracts:
    """ETHUSDT, and 1000PEPEUSDT, whose unit is a thousand of ours."""
    pepe = contract(
        "1000PEPEUSDT",
        "PEPE",
        tick_size=Decimal("0.0000001"),
        lot_size=Decimal(1000),
        min_quantity=Decimal(1000),
        min_notional=Decimal(5),
        multiplier=Decimal(1000),
    )
    return Contracts("binance", [contract("ETHUSDT", "ETH"), pepe])


@pytest.fixture
async def stub() -> AsyncIterator[Stub]:
    """A scripted exchange that serves, and the endpoints to reach it."""
    async with exchange() as made:
        yield made
