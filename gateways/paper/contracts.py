"""The contracts of the paper venues, with the rules that the real venues publish for them.

Sources: Binance USD-M ``GET /fapi/v1/exchangeInfo`` (filters PRICE_FILTER, LOT_SIZE, MARKET_LOT_SIZE, MIN_NOTIONAL,
PERCENT_PRICE); Hyperliquid ``{"type": "meta"}`` (szDecimals, the asset index is the place in the universe) and its
"Tick and lot size" page (five significant figures, at most ``6 - szDecimals`` decimals; minimum value 10 USDC); OKX
``GET /api/v5/public/instruments`` (lotSz, minSz, maxLmtSz and maxMktSz are in contracts of ctVal base units); Bybit
``GET /v5/market/instruments-info`` (priceFilter, lotSizeFilter).
"""

from collections.abc import Callable, Collection
from decimal import Decimal

import msgspec

from gateways.contracts import Contracts
from gateways.paper.exchange import PaperExchange
from gateways.standards import Contract

DEFAULT_MONEY = Decimal(1_000_000)
"""What a user's account opens with, in the quote asset."""


class VenueRules(msgspec.Struct, frozen=True, kw_only=True):
    """What makes one paper exchange differ from another. Fees are fractions of the notional."""

    name: str
    quote_asset: str
    maker_fee: Decimal
    taker_fee: Decimal
    contracts: tuple[Contract, ...]
    price_bands: dict[str, Decimal] = {}
    """By ticker, how far a limit price may be worse than the mark, as a fraction of it."""
    max_open_orders: int = 200
    """Most open orders of an account in one contract."""


def _binance(base: str, *, tick: str, lot: str, minimum: str, maximum: str, market_maximum: str) -> Contract:
    return Contract(
        venue="binance",
        ticker=f"{base}USDT",
        base=base,
        quote="USDT",
        tick_size=Decimal(tick),
        lot_size=Decimal(lot),
        min_quantity=Decimal(lot),
        min_notional=Decimal(minimum),
        max_quantity=Decimal(maximum),
        market_max_quantity=Decimal(market_maximum),
    )


def _hyperliquid(base: str, size_decimals: int, index: int) -> Contract:
    lot = Decimal(1).scaleb(-size_decimals)
    return Contract(
        venue="hyperliquid",
        ticker=base,
        base=base,
        quote="USDC",
        tick_size=Decimal(1).scaleb(size_decimals - 6),
        lot_size=lot,
        min_quantity=lot,
        min_notional=Decimal(10),
        significant_digits=5,
        venue_id=str(index),
    )


def _bybit(base: str, *, tick: str, lot: str, maximum: str, market_maximum: str, bundle: int = 1) -> Contract:
    """A perpetual of bundles of ``bundle`` base units; tick, lot and maxima are those of bundles."""
    return Contract(
        venue="bybit",
        ticker=f"{'' if bundle == 1 else bundle}{base}USDT",
        base=base,
        quote="USDT",
        tick_size=Decimal(tick) / bundle if bundle > 1 else Decimal(tick),
        lot_size=Decimal(lot) * bundle,
        min_quantity=Decimal(lot) * bundle,
        min_notional=Decimal(5),
        max_quantity=Decimal(maximum) * bundle,
        market_max_quantity=Decimal(market_maximum) * bundle,
        multiplier=Decimal(bundle),
    )


def _okx(base: str, code: int, *, unit: str, tick: str, lot: str, market_maximum: str) -> Contract:
    """A swap of ``unit`` base units a contract; ``lot`` and ``market_maximum`` are in contracts."""
    multiplier = Decimal(unit)
    return Contract(
        venue="okx",
        ticker=f"{base}-USDT-SWAP",
        base=base,
        quote="USDT",
        tick_size=Decimal(tick),
        lot_size=Decimal(lot) * multiplier,
        min_quantity=Decimal(lot) * multiplier,
        min_notional=Decimal(0),
        max_quantity=Decimal(100_000_000) * multiplier,
        market_max_quantity=Decimal(market_maximum) * multiplier,
        multiplier=multiplier,
        venue_id=str(code),
    )


RULES: dict[str, VenueRules] = {
    "binance": VenueRules(
        name="binance",
        quote_asset="USDT",
        maker_fee=Decimal("0.0002"),
        taker_fee=Decimal("0.0005"),
        contracts=(
            _binance("BTC", tick="0.10", lot="0.001", minimum="100", maximum="1000", market_maximum="120"),
            _binance("ETH", tick="0.01", lot="0.001", minimum="20", maximum="10000", market_maximum="2000"),
            _binance("SOL", tick="0.0100", lot="0.01", minimum="5", maximum="1000000", market_maximum="5000"),
            _binance("FXS", tick="0.001", lot="0.1", minimum="5", maximum="1000000", market_maximum="20000"),
        ),
        price_bands={
            "BTCUSDT": Decimal("0.05"),
            "ETHUSDT": Decimal("0.05"),
            "SOLUSDT": Decimal("0.05"),
            "FXSUSDT": Decimal("0.15"),
        },
    ),
    "bybit": VenueRules(
        name="bybit",
        quote_asset="USDT",
        maker_fee=Decimal("0.0002"),
        taker_fee=Decimal("0.00055"),
        contracts=(
            _bybit("BTC", tick="0.10", lot="0.001", maximum="1190", market_maximum="500"),
            _bybit("ETH", tick="0.01", lot="0.01", maximum="7240", market_maximum="4000"),
            _bybit("SOL", tick="0.010", lot="0.1", maximum="79770", market_maximum="32000"),
            _bybit("FXS", tick="0.001", lot="0.1", maximum="100000", market_maximum="20000"),
            _bybit("PEPE", tick="0.0000001", lot="100", maximum="100000000", market_maximum="20000000", bundle=1000),
        ),
        price_bands=dict.fromkeys(("BTCUSDT", "ETHUSDT", "SOLUSDT", "FXSUSDT", "1000PEPEUSDT"), Decimal("0.05")),
        max_open_orders=500,
    ),
    "hyperliquid": VenueRules(
        name="hyperliquid",
        quote_asset="USDC",
        maker_fee=Decimal("0.00015"),
        taker_fee=Decimal("0.00045"),
        contracts=(
            _hyperliquid("BTC", 5, 0),
            _hyperliquid("ETH", 4, 1),
            _hyperliquid("SOL", 2, 5),
            _hyperliquid("FXS", 1, 30),
        ),
        price_bands=dict.fromkeys(("BTC", "ETH", "SOL", "FXS"), Decimal("0.95")),
        max_open_orders=1_000,
    ),
    "okx": VenueRules(
        name="okx",
        quote_asset="USDT",
        maker_fee=Decimal("0.0002"),
        taker_fee=Decimal("0.0005"),
        contracts=(
            _okx("BTC", 10459, unit="0.01", tick="0.1", lot="0.01", market_maximum="12000"),
            _okx("ETH", 10461, unit="0.1", tick="0.01", lot="0.01", market_maximum="20000"),
            _okx("SOL", 20211, unit="1", tick="0.01", lot="0.01", market_maximum="50000"),
            _okx("FXS", 20457, unit="1", tick="0.001", lot="0.1", market_maximum="20000"),
            _okx("DOGE", 10464, unit="1000", tick="0.00001", lot="0.01", market_maximum="20000"),
        ),
        price_bands=dict.fromkeys(
            ("BTC-USDT-SWAP", "ETH-USDT-SWAP", "SOL-USDT-SWAP", "FXS-USDT-SWAP", "DOGE-USDT-SWAP"), Decimal("0.05")
        ),
        max_open_orders=500,
    ),
}


def paper_exchange(
    kind: str, *, now_ns: Callable[[], int], bases: Collection[str] | None = None,
    contracts: Collection[Contract] | None = None,
) -> PaperExchange:  # fmt: skip
    """A paper exchange under the rules of venue ``kind`` (a key of RULES), without accounts or orders.

    ``contracts``: those that it lists; None for those of RULES. ``bases``: of these only those of these base assets.
    """
    rules = RULES[kind]
    listed = rules.contracts if contracts is None else contracts
    return PaperExchange(
        rules.name,
        Contracts(rules.name, (each for each in listed if bases is None or each.base in bases)),
        now_ns=now_ns,
        quote_asset=rules.quote_asset,
        maker_fee=rules.maker_fee,
        taker_fee=rules.taker_fee,
        price_bands=rules.price_bands,
        max_open_orders=rules.max_open_orders,
    )
