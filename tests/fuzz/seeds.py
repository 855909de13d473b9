"""The messages that are damaged: what the venues sent, where it lies beside the project, and what we wrote by hand.

The recorded messages are in ``../shared/wire``; without them the hand-written ones, after the venues' documentation,
are all there is.
"""

import json
from functools import cache
from typing import Any

from tests.gateways.binance import messages as binance
from tests.gateways.bybit import messages as bybit
from tests.gateways.hyperliquid import stream_messages as hyperliquid
from tests.gateways.okx import messages as okx
from tests.recordings import WIRE, manifest

KINDS = ("binance", "bybit", "hyperliquid", "okx")

LARGEST = 6_000
"""Bytes of a recorded message that is taken: a longer one repeats its shapes."""

_FOLDERS = {"binance": "binance_usdm"}

_HYPERLIQUID_CONTEXT = {"markPx": "2500.1", "oraclePx": "2500.2", "funding": "0.0001"}
_HYPERLIQUID_UNIVERSE = {"universe": [{"name": "ETH", "szDecimals": 4}, {"name": "kPEPE", "szDecimals": 0}]}
_HYPERLIQUID_CHANGE = {"order": hyperliquid.order(), "status": "open", "statusTimestamp": 1}
_LEVEL = {"px": "2500.1", "sz": "1.5", "n": 2}

WRITTEN: dict[str, list[Any]] = {
    "binance": [
        binance.order_update(),
        binance.execution(),
        {"stream": "k", "data": binance.execution()},
        binance.rest_order(),
        [binance.rest_order(), {"code": -1, "msg": ""}],
        [binance.user_trade()],
        binance.EXCHANGE_INFO,
        {"id": "1", "status": 200, "result": [binance.rest_order()]},
        {
            "id": "2",
            "status": 429,
            "error": {"code": -1003, "msg": "no", "data": {"serverTime": 1, "retryAfter": 9}},
            "rateLimits": [
                {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 300, "count": 2}
            ],
        },
        {
            "e": "TRADE_LITE",
            "E": 2,
            "T": 1,
            "s": "ETHUSDT",
            "c": binance.CLOID,
            "S": "SELL",
            "L": "2500.1",
            "l": "1.000",
            "q": "2.000",
            "p": "2500.00",
            "t": 777,
            "i": 8886774,
            "m": True,
        },
        {
            "e": "ACCOUNT_UPDATE",
            "T": 1,
            "a": {"B": [{"a": "USDT", "wb": "1"}], "P": [{"s": "ETHUSDT", "pa": "1", "ep": "2500", "up": "0"}]},
        },
        {"e": "aggTrade", "E": 2, "s": "ETHUSDT", "a": 5, "p": "2500.1", "q": "2", "f": 1, "l": 2, "T": 1, "m": True},
        {"e": "markPriceUpdate", "E": 2, "s": "ETHUSDT", "p": "2500.1", "i": "2500.2", "r": "0.0001", "T": 9},
        {"e": "bookTicker", "u": 4, "E": 2, "T": 1, "s": "ETHUSDT", "b": "2500", "B": "3", "a": "2501", "A": "4"},
        {
            "stream": "ethusdt@depth5",
            "data": {
                "e": "depthUpdate",
                "s": "ETHUSDT",
                "U": 1,
                "u": 2,
                "pu": 0,
                "b": [["2500", "2"]],
                "a": [["2501", "3"]],
            },
        },
        {"lastUpdateId": 1, "E": 2, "T": 1, "bids": [["2500", "2"]], "asks": []},
        {"symbol": "ETHUSDT", "positionAmt": "-1", "entryPrice": "2500", "unRealizedProfit": "1", "updateTime": 1},
        {"asset": "USDT", "balance": "10", "availableBalance": "9", "updateTime": 1},
        {"symbol": "ETHUSDT", "bidPrice": "2500", "bidQty": "1", "askPrice": "2501", "askQty": "1", "time": 1},
        {"symbol": "ETHUSDT", "markPrice": "2500", "indexPrice": "2500", "lastFundingRate": "0.0001", "time": 1},
    ],
    "bybit": [
        bybit.push("order.linear", [bybit.order_row()]),
        bybit.push("execution.linear", [bybit.execution_row()]),
        bybit.push("position.linear", [bybit.position_row()]),
        bybit.push(
            "wallet",
            [
                {
                    "accountType": "UNIFIED",
                    "coin": [
                        {
                            "coin": "USDT",
                            "equity": "9",
                            "walletBalance": "10",
                            "totalOrderIM": "1",
                            "totalPositionIM": "1",
                            "availableToWithdraw": "",
                        }
                    ],
                }
            ],
        ),
        bybit.book(3),
        bybit.public("tickers.ETHUSDT", bybit.TICKER),
        bybit.public(
            "publicTrade.ETHUSDT",
            [{"T": 1, "s": "ETHUSDT", "S": "Buy", "v": "1", "p": "2500", "i": "t-1", "BT": False}],
        ),
        bybit.page([bybit.order_row()]),
        bybit.page([bybit.execution_row()]),
        bybit.page([bybit.position_row()]),
        bybit.page([bybit.instrument("ETHUSDT", "ETH"), bybit.instrument("1000PEPEUSDT", "1000PEPE")]),
        bybit.page([bybit.TICKER]),
        bybit.answer({"s": "ETHUSDT", "b": [["2500", "1"]], "a": [["2501", "1"]], "u": 5, "ts": 1}),
        bybit.answer({"timeSecond": "1700000000", "timeNano": "1700000000000000000"}),
        bybit.answer({"orderId": bybit.OID, "orderLinkId": bybit.CLOID}),
        bybit.answer({}, 10006, "Too many visits"),
        {
            "reqId": "place-1",
            "retCode": 0,
            "retMsg": "OK",
            "op": "order.create",
            "data": {"orderId": bybit.OID, "orderLinkId": bybit.CLOID},
            "header": {
                "Timenow": "1700000000000",
                "X-Bapi-Limit": "20",
                "X-Bapi-Limit-Status": "19",
                "X-Bapi-Limit-Reset-Timestamp": "1700000000001",
            },
            "retExtInfo": {},
        },
        {
            "reqId": "b",
            "retCode": 0,
            "op": "order.create-batch",
            "data": {"list": [{"orderId": bybit.OID, "orderLinkId": bybit.CLOID}]},
            "retExtInfo": {"list": [{"code": 170213, "msg": "no"}]},
        },
        {"success": False, "ret_msg": "no", "op": "auth", "conn_id": "x", "req_id": "auth"},
        {"success": True, "ret_msg": "", "op": "subscribe", "data": {"failTopics": ["a"], "successTopics": []}},
    ],
    "hyperliquid": [
        hyperliquid.order_updates(),
        hyperliquid.user_fills(hyperliquid.fill()),
        {"channel": "user", "data": {"fills": [hyperliquid.fill()]}},
        {"channel": "user", "data": {"nonUserCancel": [{"coin": "ETH", "oid": 5}]}},
        hyperliquid.post("action", {"status": "err", "response": "no"}),
        hyperliquid.post("error", "429 Too many requests"),
        hyperliquid.post("info", {"type": "orderStatus", "data": {"status": "order", "order": _HYPERLIQUID_CHANGE}}),
        hyperliquid.account(),
        {
            "channel": "clearinghouseState",
            "data": {"clearinghouseState": hyperliquid.account(), "user": hyperliquid.ME},
        },
        {"status": "ok", "response": {"type": "order", "data": {"statuses": [{"resting": {"oid": 1}}]}}},
        {
            "status": "ok",
            "response": {
                "type": "order",
                "data": {"statuses": [{"filled": {"totalSz": "1", "avgPx": "2", "oid": 1}}, {"error": "no"}]},
            },
        },
        {"status": "order", "order": _HYPERLIQUID_CHANGE},
        _HYPERLIQUID_UNIVERSE,
        [_HYPERLIQUID_UNIVERSE, [_HYPERLIQUID_CONTEXT, {"markPx": None}]],
        [{**_HYPERLIQUID_UNIVERSE, "collateralToken": 0}],
        [hyperliquid.fill()],
        [hyperliquid.order()],
        [_HYPERLIQUID_CHANGE],
        {"channel": "allDexsAssetCtxs", "data": {"ctxs": [["", [_HYPERLIQUID_CONTEXT]]]}},
        {"channel": "activeAssetCtx", "data": {"coin": "ETH", "ctx": _HYPERLIQUID_CONTEXT}},
        {"channel": "l2Book", "data": {"coin": "ETH", "time": 5, "levels": [[_LEVEL], [_LEVEL]]}},
        {"channel": "bbo", "data": {"coin": "ETH", "time": 5, "bbo": [_LEVEL, None]}},
        {
            "channel": "trades",
            "data": [{"coin": "ETH", "side": "B", "px": "2500", "sz": "1", "time": 1, "tid": 4, "hash": "0x"}],
        },
        {"balances": [{"coin": "HYPE", "token": 150, "total": "5", "hold": "2"}]},
        {"channel": "error", "data": "no"},
    ],
    "okx": [
        okx.orders_push(okx.filled(amendResult="0", reqId="amend1")),
        okx.orders_push(okx.order(amendResult="-1", reqId="amend1", code="51503", msg="no")),
        okx.push("books", okx.book_row(12, 10), action="update"),
        okx.push("books", okx.book_row(12, -1), action="snapshot"),
        okx.push("bbo-tbt", okx.book_row(12, 10)),
        okx.push(
            "positions",
            {"instId": okx.ETH, "pos": "1", "posSide": "net", "avgPx": "1", "upl": "0", "uTime": "1"},
        ),
        okx.push(
            "account", {"details": [{"ccy": "USDT", "cashBal": "1", "availEq": "1", "uTime": "1"}], "totalEq": "1"}
        ),
        okx.push(
            "balance_and_position",
            {
                "balData": [{"ccy": "USDT", "cashBal": "1", "uTime": "1"}],
                "posData": [{"instId": okx.ETH, "pos": "1", "posSide": "short", "uTime": "1"}],
            },
        ),
        okx.push("trades", {"instId": okx.ETH, "tradeId": "9", "px": "1", "sz": "3", "side": "sell", "ts": "1"}),
        okx.push(
            "tickers", {"instId": okx.ETH, "askPx": "2501", "askSz": "1", "bidPx": "2500", "bidSz": "1", "ts": "1"}
        ),
        okx.push("mark-price", {"instId": okx.ETH, "markPx": "1", "ts": "1"}),
        {"arg": {"channel": "instruments"}, "data": [okx.instrument()]},
        {"code": "0", "msg": "", "data": [okx.trade_row()]},
        {"code": "0", "msg": "", "data": [okx.order()]},
        {"code": "0", "msg": "", "data": [okx.instrument()]},
        {"code": "0", "msg": "", "data": [okx.book_row(12, 10)]},
        {"id": "1", "op": "order", "code": "0", "msg": "", "data": [okx.taken()]},
        {"id": "1", "op": "order", "code": "1", "msg": "", "data": [okx.taken(sCode="51008", sMsg="no", ordId="")]},
        {"event": "error", "code": "60012", "msg": "no", "connId": "a"},
        {"event": "login", "code": "0", "msg": "", "connId": "a"},
    ],
}
"""Hand-written messages, by kind of venue: every shape that a venue's gateway reads."""


def recorded(kind: str) -> list[Any]:
    """What the venue sent, parsed; empty where the recordings are not beside the project."""
    folder = _FOLDERS.get(kind, kind) + "/"
    names = [row["file"] for row in manifest() if row["file"].startswith(folder)]
    texts = (path.read_bytes() for path in (WIRE / name for name in names) if path.stat().st_size <= LARGEST)
    return [value for value in map(_parsed, texts) if isinstance(value, dict | list)]


@cache
def seeds(kind: str) -> list[Any]:
    """The messages of a kind of venue to damage. Not to be changed."""
    return WRITTEN[kind] + recorded(kind)


def _parsed(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return None
