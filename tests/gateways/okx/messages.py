"""Messages as the OKX v5 documentation has them, with fields to change."""

from typing import Any

CLOID = "0123456789abcdef0123456789abcdef"
ETH = "ETH-USDT-SWAP"


def instrument(name: str = ETH, **fields: Any) -> dict[str, Any]:
    """A row of "Get instruments"."""
    return {
        "instId": name,
        "instType": "SWAP",
        "instIdCode": 10461,
        "ctType": "linear",
        "ctVal": "0.1",
        "ctMult": "1",
        "ctValCcy": "ETH",
        "settleCcy": "USDT",
        "tickSz": "0.01",
        "lotSz": "0.01",
        "minSz": "0.01",
        "maxLmtSz": "100000000",
        "maxMktSz": "12000",
        "state": "live",
        **fields,
    }


def order(**fields: Any) -> dict[str, Any]:
    """An order to sell 20 contracts of a tenth of an ether at 2500."""
    return {
        "instType": "SWAP",
        "instId": ETH,
        "ordId": "312269865356374016",
        "clOrdId": CLOID,
        "side": "sell",
        "ordType": "limit",
        "sz": "20",
        "px": "2500",
        "accFillSz": "0",
        "avgPx": "",
        "state": "live",
        "fillSz": "0",
        "fillPx": "",
        "tradeId": "",
        "fillFee": "0",
        "fillFeeCcy": "",
        "fillTime": "",
        "execType": "",
        "category": "normal",
        "reduceOnly": "false",
        "cancelSource": "",
        "amendResult": "",
        "reqId": "",
        "code": "0",
        "msg": "",
        "uTime": "1700000000123",
        "cTime": "1700000000000",
        **fields,
    }


def filled(**fields: Any) -> dict[str, Any]:
    """The same order with 5 contracts filled, as a maker."""
    return order(
        **{
            "state": "partially_filled",
            "accFillSz": "5",
            "avgPx": "2500",
            "fillSz": "5",
            "fillPx": "2500",
            "tradeId": "242589207",
            "fillFee": "-0.25",
            "fillFeeCcy": "USDT",
            "fillTime": "1700000000111",
            "execType": "M",
            **fields,
        }
    )


def push(channel: str, *rows: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A push of a channel."""
    return {"arg": {"channel": channel, "instId": ETH}, **fields, "data": list(rows)}


def orders_push(*rows: dict[str, Any]) -> dict[str, Any]:
    """A push of the orders channel."""
    return {"arg": {"channel": "orders", "instType": "SWAP", "uid": "77982378738415879"}, "data": list(rows)}


def trade_row(number: int = 1, **fields: Any) -> dict[str, Any]:
    """A row of "Get transaction details": 5 contracts sold, the fee taken."""
    return {
        "instType": "SWAP",
        "instId": ETH,
        "ordId": "312269865356374016",
        "clOrdId": CLOID,
        "tradeId": str(number),
        "billId": str(10**18 + number),
        "side": "sell",
        "fillSz": "5",
        "fillPx": "2500",
        "fee": "-0.25",
        "feeCcy": "USDT",
        "execType": "T",
        "subType": "4",
        "fillTime": str(1_700_000_000_000 + number),
        "ts": str(1_700_000_000_001 + number),
        **fields,
    }


def book_row(seq: int, previous: int, **fields: Any) -> dict[str, Any]:
    """A row of the order book channel."""
    return {
        "asks": [["2501", "30", "0", "3"]],
        "bids": [["2500", "10", "0", "1"]],
        "ts": "1700000000000",
        "checksum": 0,
        "seqId": seq,
        "prevSeqId": previous,
        **fields,
    }


def taken(**fields: Any) -> dict[str, Any]:
    """The receipt of an order request that was taken."""
    return {
        "ordId": "312269865356374016",
        "clOrdId": CLOID,
        "tag": "",
        "ts": "1700000000050",
        "sCode": "0",
        "sMsg": "",
        **fields,
    }
