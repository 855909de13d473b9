"""Binance's own words, which python-binance and the official SDK hand out as they come.

Source: the venue's pages "Event: Order Update", "Event: Balance and Position Update", "Account Trade List".
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from tests.conformance.client import FillTold, OrderTold, PositionTold, Told

_STATUS = {"NEW": "open", "PARTIALLY_FILLED": "open", "FILLED": "filled", "CANCELED": "canceled", "EXPIRED": "refused"}


def read_event(event: Mapping[str, Any], ticker: str) -> Iterable[Told]:
    """What an event of the user stream says of a contract."""
    if event["e"] == "ACCOUNT_UPDATE":
        return [PositionTold(amount=Decimal(each["pa"])) for each in event["a"]["P"] if each["s"] == ticker]
    if event["e"] != "ORDER_TRADE_UPDATE" or event["o"]["s"] != ticker:
        return []
    order = event["o"]
    told: list[Told] = [
        OrderTold(
            client_id=order["c"], status=_STATUS[order["X"]], quantity=Decimal(order["q"]), price=Decimal(order["p"])
        )
    ]
    if order["x"] == "TRADE":
        told.append(
            FillTold(
                client_id=order["c"], trade_id=str(order["t"]), amount=_signed(order["l"], is_buy=order["S"] == "BUY")
            )
        )
    return told


def fill_of(trade: Mapping[str, Any], client_id: str) -> FillTold:
    """A row of the account's trades."""
    return FillTold(
        client_id=client_id, trade_id=str(trade["id"]), amount=_signed(trade["qty"], is_buy=trade["side"] == "BUY")
    )


def _signed(quantity: str, *, is_buy: bool) -> Decimal:
    return Decimal(quantity) if is_buy else -Decimal(quantity)
