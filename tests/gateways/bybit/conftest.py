"""What the tests of the Bybit gateway share: contracts as the venue publishes them."""

from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from gateways.contracts import Contracts
from gateways.standards import Contract
from tests.gateways.bybit.stub_exchange import Stub, exchange


def contract(ticker: str, base: str, **rules: object) -> Contract:
    fields: dict[str, object] = {
        "venue": "bybit",
        "ticker": ticker,
        "base": base,
        "quote": "USDT",
        "tick_size": Decimal("0.01"),
        "lot_size": Decimal("0.01"),
        "min_quantity": Decimal("0.01"),
        "min_notional": Decimal(5),
    }
    return Contract(**{**fields, **rules})


@pytest.fixture
def contracts() -> Contracts:
    """ETHUSDT, and 1000PEPEUSDT, whose unit is a thousand of ours."""
    pepe = contract(
        "1000PEPEUSDT",
        "PEPE",
        tick_size=Decimal("0.0000000001"),
        lot_size=Decimal(100_000),
        min_quantity=Decimal(100_000),
        multiplier=Decimal(1000),
    )
    return Contracts("bybit", [contract("ETHUSDT", "ETH"), pepe])


@pytest.fixture
async def stub() -> AsyncIterator[Stub]:
    """A scripted exchange that serves, and the endpoints to reach it."""
    async with exchange() as made:
        yield made
