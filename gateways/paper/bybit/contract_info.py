"""What Bybit v5 publishes of its contracts: instruments and risk limits. Pure.

Source: the pages Get Instruments Info and Get Risk Limit.
"""

from decimal import Decimal

from gateways.paper.bybit import numbers
from gateways.paper.bybit.records import MAINTENANCE_RATE, Json
from gateways.standards import Contract

LARGEST_LEVERAGE = 100
FUNDING_MINUTES = 480

_LISTED_MS = 1_585_526_400_000
_HIGHEST_PRICE_TICKS = 20_000_000


def instrument(contract: Contract, band: Decimal, *, trading: bool) -> Json:
    """An item of ``instruments-info``. ``band``: how far a limit price may be worse than the mark, as a fraction."""
    tick, bundle = numbers.tick(contract), numbers.plain(contract.multiplier)
    market = contract.market_max_quantity or contract.max_quantity

    def quantity(value: Decimal | None) -> str:
        return "" if value is None else numbers.plain(numbers.bundled(contract, value))

    return {
        "symbol": contract.ticker,
        "contractType": "LinearPerpetual",
        "status": "Trading" if trading else "Closed",
        "baseCoin": contract.base if contract.multiplier == 1 else f"{bundle}{contract.base}",
        "quoteCoin": contract.quote,
        "launchTime": str(_LISTED_MS),
        "deliveryTime": "0",
        "deliveryFeeRate": "",
        "priceScale": numbers.price_scale(contract),
        "leverageFilter": {
            "minLeverage": "1",
            "maxLeverage": f"{LARGEST_LEVERAGE}.00",
            "leverageStep": "0.01",
        },
        "priceFilter": {
            "minPrice": tick,
            "maxPrice": numbers.price(contract, contract.tick_size * _HIGHEST_PRICE_TICKS),
            "tickSize": tick,
        },
        "lotSizeFilter": {
            "maxOrderQty": quantity(contract.max_quantity),
            "minOrderQty": quantity(contract.min_quantity),
            "qtyStep": numbers.lot(contract),
            "postOnlyMaxOrderQty": quantity(contract.max_quantity),
            "maxMktOrderQty": quantity(market),
            "minNotionalValue": numbers.plain(contract.min_notional),
        },
        "unifiedMarginTrade": True,
        "fundingInterval": FUNDING_MINUTES,
        "settleCoin": contract.quote,
        "copyTrading": "none",
        "upperFundingRate": "0.00375",
        "lowerFundingRate": "-0.00375",
        "isPreListing": False,
        "preListingInfo": None,
        "riskParameters": {"priceLimitRatioX": numbers.plain(band), "priceLimitRatioY": numbers.plain(band)},
        "displayName": "",
        "symbolType": "",
    }


def risk_limit(contract: Contract) -> Json:
    """An item of ``risk-limit``: one tier for the whole contract."""
    return {
        "id": 1,
        "symbol": contract.ticker,
        "riskLimitValue": "2000000",
        "maintenanceMargin": numbers.plain(MAINTENANCE_RATE),
        "initialMargin": numbers.plain(Decimal(1) / LARGEST_LEVERAGE),
        "isLowestRisk": 1,
        "maxLeverage": f"{LARGEST_LEVERAGE}.00",
        "mmDeduction": "",
    }
