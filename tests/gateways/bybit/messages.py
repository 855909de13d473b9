"""Messages as the venue's documentation shapes them, written by hand; keywords change their fields."""

from typing import Any

CLOID = "0123456789abcdef0123456789abcdef"
OID = "9a2f6c0e-1111-4222-8333-444455556666"
NOW_MS = 1_700_000_000_000


def order_row(**fields: Any) -> dict[str, Any]:
    row = {
        "category": "linear",
        "symbol": "ETHUSDT",
        "orderId": OID,
        "orderLinkId": CLOID,
        "side": "Sell",
        "positionIdx": 0,
        "orderStatus": "New",
        "cancelType": "UNKNOWN",
        "rejectReason": "EC_NoError",
        "timeInForce": "GTC",
        "price": "2500.5",
        "qty": "2",
        "avgPrice": "",
        "leavesQty": "2",
        "cumExecQty": "0",
        "orderType": "Limit",
        "reduceOnly": False,
        "createType": "CreateByUser",
        "createdTime": "1700000000000",
        "updatedTime": "1700000000007",
    }
    return {**row, **fields}


def execution_row(**fields: Any) -> dict[str, Any]:
    row = {
        "category": "linear",
        "symbol": "ETHUSDT",
        "orderId": OID,
        "orderLinkId": CLOID,
        "side": "Sell",
        "execId": "trade-1",
        "execPrice": "2500.5",
        "execQty": "0.5",
        "execType": "Trade",
        "execFee": "-0.25",
        "feeCurrency": "",
        "isMaker": True,
        "execTime": "1700000000009",
        "createType": "CreateByUser",
        "seq": 7,
    }
    return {**row, **fields}


def position_row(**fields: Any) -> dict[str, Any]:
    row = {
        "category": "linear",
        "symbol": "ETHUSDT",
        "side": "Sell",
        "size": "2",
        "positionIdx": 0,
        "entryPrice": "2400",
        "unrealisedPnl": "-1.5",
        "updatedTime": "1700000000011",
        "seq": 8,
    }
    return {**row, **fields}


def push(topic: str, data: Any, **fields: Any) -> dict[str, Any]:
    return {"topic": topic, "id": "m-1", "creationTime": 1_700_000_000_020, "data": data, **fields}


def public(topic: str, data: Any, kind: str = "snapshot", ts: int = 1_700_000_000_030) -> dict[str, Any]:
    return {"topic": topic, "type": kind, "ts": ts, "data": data}


def book(u: int, bids: Any = (("2500", "1"),), asks: Any = (("2501", "2"),), kind: str = "snapshot") -> dict[str, Any]:
    data = {"s": "ETHUSDT", "b": [list(each) for each in bids], "a": [list(each) for each in asks], "u": u, "seq": u}
    return public("orderbook.50.ETHUSDT", data, kind)


TICKER = {
    "symbol": "ETHUSDT",
    "markPrice": "2500.7",
    "indexPrice": "2500.6",
    "fundingRate": "-0.0001",
    "nextFundingTime": "1700006400000",
    "bid1Price": "2500",
    "bid1Size": "3",
    "ask1Price": "2501",
    "ask1Size": "4",
}


def answer(result: Any, code: int = 0, text: str = "OK", **more: Any) -> dict[str, Any]:
    return {"retCode": code, "retMsg": text, "result": result, "retExtInfo": {}, "time": NOW_MS, **more}


def page(rows: list[Any], cursor: str = "", category: str = "linear") -> dict[str, Any]:
    return answer({"category": category, "list": rows, "nextPageCursor": cursor})


def instrument(symbol: str, base: str, **fields: Any) -> dict[str, Any]:
    row = {
        "symbol": symbol,
        "contractType": "LinearPerpetual",
        "status": "Trading",
        "baseCoin": base,
        "quoteCoin": "USDT",
        "settleCoin": "USDT",
        "priceFilter": {"minPrice": "0.01", "maxPrice": "199999.98", "tickSize": "0.01"},
        "lotSizeFilter": {
            "maxOrderQty": "7240",
            "minOrderQty": "0.01",
            "qtyStep": "0.01",
            "maxMktOrderQty": "724",
            "minNotionalValue": "5",
        },
    }
    return {**row, **fields}
