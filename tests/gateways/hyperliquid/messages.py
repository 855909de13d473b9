"""Orders of ours and messages of the venue, written by hand from its documentation, for the tests of the venue."""

from decimal import Decimal
from typing import Any

import msgspec

from gateways.hyperliquid.signing import Signature, recover
from gateways.standards import OrderKind, PlaceOrder

D = Decimal
CLOID = "ab" * 16
NOW_MS = 1_700_000_000_000


def statuses(*items: Any) -> dict[str, Any]:
    """An exchange answer."""
    return {"status": "ok", "response": {"type": "order", "data": {"statuses": list(items)}}}


def buy(**changes: Any) -> PlaceOrder:
    """A post-only buy of 0.5 ETH at 2500."""
    fields: dict[str, Any] = {"ticker": "ETH", "cloid": CLOID, "amount": D("0.5"), "price": D(2500), "post_only": True}
    return PlaceOrder(**{**fields, **changes})


def market(amount: str = "0.5") -> PlaceOrder:
    """A market order without a price."""
    return PlaceOrder(ticker="ETH", cloid=CLOID, amount=D(amount), kind=OrderKind.MARKET)


def wire_order(**changes: Any) -> dict[str, Any]:
    """A resting buy of 4 ETH as the info endpoint has it."""
    row = {
        "coin": "ETH", "side": "B", "limitPx": "2500.0", "sz": "4.0", "oid": 77, "timestamp": NOW_MS, "origSz": "4.0",
        "cloid": "0x" + CLOID, "orderType": "Limit", "tif": "Gtc", "reduceOnly": False,
    }  # fmt: skip
    return {**row, **changes}


def wire_fill(tid: int, sz: str, time: int = NOW_MS, **changes: Any) -> dict[str, Any]:
    """A fill of that order."""
    row = {
        "coin": "ETH", "px": "2500.0", "sz": sz, "side": "B", "time": time, "oid": 77, "tid": tid, "crossed": False,
        "fee": "0.1", "feeToken": "USDC", "dir": "Open Long", "startPosition": "0.0", "hash": "0x01",
    }  # fmt: skip
    return {**row, **changes}


def signer(payload: dict[str, Any]) -> str:
    """Who signed what the server got."""
    signature = msgspec.convert(payload["signature"], Signature)
    return recover(
        signature, payload["action"], payload["nonce"], payload["vaultAddress"], payload["expiresAfter"],
        is_mainnet=False,
    )  # fmt: skip
