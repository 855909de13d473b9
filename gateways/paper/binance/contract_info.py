"""What Binance USD-M publishes of its contracts: ``exchangeInfo`` and ``leverageBracket``.

Source: the venue's pages Exchange Information and Notional and Leverage Brackets.
"""

from decimal import Decimal

from gateways.paper.binance import numbers
from gateways.paper.binance.limits import RateLimits, describe
from gateways.paper.binance.records import MAX_NOTIONAL, Json
from gateways.paper.exchange import PaperExchange
from gateways.standards import Contract

LARGEST_LEVERAGE = 125
UNBOUNDED = Decimal(1)
"""The price band that PERCENT_PRICE shows where the exchange has none: from nothing to twice the mark."""

_LISTED_MS = 1_569_398_400_000
_PERPETUAL_MS = 4_133_404_800_000
_UNLIMITED = Decimal(1_000_000)
_HIGHEST_PRICE_TICKS = 10_000_000


def exchange_info(exchange: PaperExchange, limits: RateLimits, now_ns: int) -> Json:
    """``GET /fapi/v1/exchangeInfo``."""
    return {
        "timezone": "UTC",
        "serverTime": numbers.milliseconds(now_ns),
        "futuresType": "U_MARGINED",
        "rateLimits": list(describe(limits)),
        "exchangeFilters": [],
        "assets": [{"asset": exchange.quote_asset, "marginAvailable": True, "autoAssetExchange": "0"}],
        "symbols": [_symbol(contract, exchange) for contract in exchange.contracts.values()],
    }


def leverage_brackets(contract: Contract) -> Json:
    """An item of ``GET /fapi/v1/leverageBracket``: one bracket for the whole contract."""
    return {
        "symbol": contract.ticker,
        "notionalCoef": 1.0,
        "brackets": [
            {
                "bracket": 1,
                "initialLeverage": LARGEST_LEVERAGE,
                "notionalCap": int(MAX_NOTIONAL),
                "notionalFloor": 0,
                "maintMarginRatio": 0.004,
                "cum": 0.0,
            }
        ],
    }


def lowest_price(contract: Contract) -> Decimal:
    """PRICE_FILTER.minPrice."""
    return contract.tick_size


def highest_price(contract: Contract) -> Decimal:
    """PRICE_FILTER.maxPrice."""
    return contract.tick_size * _HIGHEST_PRICE_TICKS


def largest_quantity(contract: Contract, *, market: bool) -> Decimal:
    """LOT_SIZE.maxQty, or MARKET_LOT_SIZE.maxQty."""
    limit = contract.max_quantity or _UNLIMITED
    return (contract.market_max_quantity or limit) if market else limit


def _symbol(contract: Contract, exchange: PaperExchange) -> Json:
    return {
        "symbol": contract.ticker,
        "pair": contract.ticker,
        "contractType": "PERPETUAL",
        "deliveryDate": _PERPETUAL_MS,
        "onboardDate": _LISTED_MS,
        "status": "TRADING" if contract.trading else "SETTLING",
        "maintMarginPercent": "2.5000",
        "requiredMarginPercent": "5.0000",
        "baseAsset": contract.base,
        "quoteAsset": contract.quote,
        "marginAsset": contract.quote,
        "pricePrecision": numbers.price_precision(contract),
        "quantityPrecision": numbers.quantity_precision(contract),
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": "COIN",
        "underlyingSubType": [],
        "settlePlan": 0,
        "triggerProtect": "0.0500",
        "liquidationFee": "0.012500",
        "marketTakeBound": "0.05",
        "maxMoveOrderLimit": 10_000,
        "filters": _filters(contract, exchange),
        "orderTypes": ["LIMIT", "MARKET"],
        "timeInForce": ["GTC", "IOC", "FOK", "GTX"],
        "permissionSets": ["GRID", "COPY"],
    }


def _filters(contract: Contract, exchange: PaperExchange) -> list[Json]:
    step = str(contract.lot_size)
    smallest = str(contract.min_quantity)
    band = exchange.price_bands.get(contract.ticker, UNBOUNDED)
    return [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": str(lowest_price(contract)),
            "maxPrice": str(highest_price(contract)),
            "tickSize": str(contract.tick_size),
        },
        {
            "filterType": "LOT_SIZE",
            "minQty": smallest,
            "maxQty": numbers.plain(largest_quantity(contract, market=False)),
            "stepSize": step,
        },
        {
            "filterType": "MARKET_LOT_SIZE",
            "minQty": smallest,
            "maxQty": numbers.plain(largest_quantity(contract, market=True)),
            "stepSize": step,
        },
        {"filterType": "MAX_NUM_ORDERS", "limit": exchange.max_open_orders},
        {"filterType": "MAX_NUM_ALGO_ORDERS", "limit": 0},
        {"filterType": "MIN_NOTIONAL", "notional": numbers.plain(contract.min_notional)},
        {
            "filterType": "PERCENT_PRICE",
            "multiplierUp": f"{1 + band:.4f}",
            "multiplierDown": f"{1 - band:.4f}",
            "multiplierDecimal": "4",
        },
    ]
