"""Contracts and keys that every test of this gateway starts from."""

from decimal import Decimal

import pytest

from gateways.contracts import Contracts
from gateways.hyperliquid.translate import contracts_of
from gateways.hyperliquid.wire import Asset
from gateways.standards import Credentials

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


def d(text: str) -> Decimal:
    """A decimal, short."""
    return Decimal(text)
