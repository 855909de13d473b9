"""Messages of the websocket, written by hand from the venue's documentation, for the tests of decode."""

import json
from decimal import Decimal
from typing import Any

from gateways.contracts import Contracts
from gateways.hyperliquid.decode import decode

D = Decimal
CLOID = "c0ffee00" * 4
ME = "0x" + "Ab" * 20


def order(**changes: Any) -> dict[str, Any]:
    """One order as the stream has it: 1.5 of 4 ETH left of a buy."""
    row = {
        "coin": "ETH",
        "side": "B",
        "limitPx": "2500.5",
        "sz": "1.5",
        "oid": 77,
        "timestamp": 1_700_000_000_000,
        "origSz": "4.0",
        "cloid": "0x" + CLOID,
    }
    return {**row, **changes}


def order_updates(status: str = "open", **changes: Any) -> dict[str, Any]:
    """An orderUpdates message of one order."""
    row = {"order": order(**changes), "status": status, "statusTimestamp": 1_700_000_000_500}
    return {"channel": "orderUpdates", "data": [row]}


def fill(**changes: Any) -> dict[str, Any]:
    """One sale of 0.5 ETH, as a maker."""
    row = {
        "coin": "ETH",
        "px": "2500.5",
        "sz": "0.5",
        "side": "A",
        "time": 1_700_000_000_700,
        "startPosition": "1.0",
        "dir": "Close Long",
        "closedPnl": "1.0",
        "hash": "0x01",
        "oid": 77,
        "crossed": False,
        "fee": "-0.01",
        "tid": 9001,
        "feeToken": "USDC",
        "cloid": "0x" + CLOID,
    }
    return {**row, **changes}


def user_fills(*rows: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A userFills message."""
    return {"channel": "userFills", "data": {"user": ME, "fills": list(rows), **changes}}


def only(message: Any, contracts: Contracts) -> Any:
    """The single event of a message, the same from text, bytes and parsed JSON."""
    text = json.dumps(message)
    events = decode(text, contracts)
    assert events == decode(text.encode(), contracts) == decode(message, contracts)
    assert len(events) == 1
    return events[0]


def account(**changes: Any) -> dict[str, Any]:
    """An account worth 1050, 50 of it unrealised profit of a short."""
    position = {"coin": "ETH", "szi": "-2.0", "entryPx": "2525", "unrealizedPnl": "50", "positionValue": "5000"}
    state = {
        "assetPositions": [{"type": "oneWay", "position": position}],
        "marginSummary": {"accountValue": "1050", "totalNtlPos": "5000"},
        "withdrawable": "600",
        "time": 7,
    }
    return {**state, **changes}


def post(kind: str, payload: Any) -> dict[str, Any]:
    """A reply to a post."""
    return {"channel": "post", "data": {"id": 5, "response": {"type": kind, "payload": payload}}}
