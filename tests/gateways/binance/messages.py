"""Messages written by hand after the venue's documentation: "User Data Streams", "Trade", "Account"."""

from typing import Any

CLOID = "0123456789abcdef0123456789abcdef"


def order_update(**changes: Any) -> dict[str, Any]:
    """An ORDER_TRADE_UPDATE of a resting limit order; ``changes`` are to its ``o``."""
    order = {
        "s": "ETHUSDT",
        "c": CLOID,
        "S": "SELL",
        "o": "LIMIT",
        "f": "GTC",
        "q": "2.000",
        "p": "2500.00",
        "ap": "0",
        "sp": "0",
        "x": "NEW",
        "X": "NEW",
        "i": 8886774,
        "l": "0",
        "z": "0",
        "L": "0",
        "n": "0",
        "N": "USDT",
        "T": 1568879465650,
        "t": 0,
        "b": "0",
        "a": "9.91",
        "m": False,
        "R": False,
        "wt": "CONTRACT_PRICE",
        "ot": "LIMIT",
        "ps": "BOTH",
        "cp": False,
        "rp": "0",
        "pP": False,
        "si": 0,
        "ss": 0,
        "V": "EXPIRE_MAKER",
        "pm": "NONE",
        "gtd": 0,
    }
    return {"e": "ORDER_TRADE_UPDATE", "E": 1568879465651, "T": 1568879465650, "o": {**order, **changes}}


def execution(**changes: Any) -> dict[str, Any]:
    """An ORDER_TRADE_UPDATE of an execution of half of it."""
    filled = {
        "x": "TRADE",
        "X": "PARTIALLY_FILLED",
        "l": "1.000",
        "z": "1.000",
        "L": "2500.10",
        "ap": "2500.10",
        "n": "0.50002",
        "t": 777,
        "m": True,
    }
    return order_update(**{**filled, **changes})


def rest_order(**changes: Any) -> dict[str, Any]:
    """An order as REST states it."""
    order = {
        "orderId": 22542179,
        "symbol": "ETHUSDT",
        "status": "NEW",
        "clientOrderId": CLOID,
        "price": "2500.00",
        "avgPrice": "0.00",
        "origQty": "2.000",
        "executedQty": "0.000",
        "cumQty": "0.000",
        "cumQuote": "0.00000",
        "timeInForce": "GTC",
        "type": "LIMIT",
        "reduceOnly": False,
        "closePosition": False,
        "side": "SELL",
        "positionSide": "BOTH",
        "stopPrice": "0.00",
        "workingType": "CONTRACT_PRICE",
        "priceProtect": False,
        "origType": "LIMIT",
        "priceMatch": "NONE",
        "selfTradePreventionMode": "EXPIRE_MAKER",
        "goodTillDate": 0,
        "updateTime": 1566818724722,
    }
    return {**order, **changes}


def user_trade(**changes: Any) -> dict[str, Any]:
    """One row of ``userTrades``."""
    trade = {
        "buyer": False,
        "commission": "0.50002",
        "commissionAsset": "USDT",
        "id": 777,
        "maker": True,
        "orderId": 22542179,
        "price": "2500.10",
        "qty": "1.000",
        "quoteQty": "2500.10",
        "realizedPnl": "0",
        "side": "SELL",
        "positionSide": "BOTH",
        "symbol": "ETHUSDT",
        "time": 1569514978020,
    }
    return {**trade, **changes}


EXCHANGE_INFO: dict[str, Any] = {
    "timezone": "UTC",
    "serverTime": 1565613908500,
    "futuresType": "U_MARGINED",
    "rateLimits": [
        {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 2400},
        {"rateLimitType": "ORDERS", "interval": "MINUTE", "intervalNum": 1, "limit": 1200},
        {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 300},
    ],
    "exchangeFilters": [],
    "assets": [{"asset": "USDT", "marginAvailable": True, "autoAssetExchange": "-10000"}],
    "symbols": [
        {
            "symbol": "ETHUSDT",
            "pair": "ETHUSDT",
            "contractType": "PERPETUAL",
            "deliveryDate": 4133404800000,
            "onboardDate": 1569398400000,
            "status": "TRADING",
            "baseAsset": "ETH",
            "quoteAsset": "USDT",
            "marginAsset": "USDT",
            "pricePrecision": 2,
            "quantityPrecision": 3,
            "filters": [
                {"filterType": "PRICE_FILTER", "minPrice": "39.86", "maxPrice": "306177", "tickSize": "0.01"},
                {"filterType": "LOT_SIZE", "stepSize": "0.001", "minQty": "0.001", "maxQty": "10000"},
                {"filterType": "MARKET_LOT_SIZE", "stepSize": "0.001", "minQty": "0.001", "maxQty": "2000"},
                {"filterType": "MAX_NUM_ORDERS", "limit": 200},
                {"filterType": "MIN_NOTIONAL", "notional": "20"},
                {"filterType": "PERCENT_PRICE", "multiplierUp": "1.05", "multiplierDown": "0.95"},
            ],
            "orderTypes": ["LIMIT", "MARKET"],
            "timeInForce": ["GTC", "IOC", "FOK", "GTX"],
        }
    ],
}
"""The body of ``exchangeInfo`` with one contract."""


def exchange_symbol(**changes: Any) -> dict[str, Any]:
    """The one contract of EXCHANGE_INFO, changed."""
    return {**EXCHANGE_INFO["symbols"][0], **changes}
