"""What may be done to a paper exchange from outside, exactly and at once: the acts of a market, and of a venue.

Tests and drills use them instead of waiting for chance. Pure.
"""

from decimal import Decimal

from gateways.contracts import floor_lots
from gateways.paper.exchange import PaperExchange
from gateways.paper.market import FLOW
from gateways.paper.quoter import MAKER
from gateways.paper.records import NewOrder, PaperOrder, Refused
from gateways.standards import ZERO, RejectReason

_FORCED = {
    "binance": {"liquidation": "autoclose-", "adl": "adl_autoclose", "settlement": "settlement_autoclose-"},
    "hyperliquid": {
        "liquidation": "Liquidated Cross {side}",
        "adl": "Auto-Deleveraging",
        "settlement": "Settlement",
    },
    "bybit": {"liquidation": "CreateByLiq", "adl": "CreateByAdl_PassThrough", "settlement": "CreateBySettle"},
    "okx": {"liquidation": "full_liquidation", "adl": "adl", "settlement": "delivery"},
}
"""How each venue names what it makes itself: Binance by the client id ("Event: Order Update"), Hyperliquid by a fill's
direction ("Info endpoint"), Bybit by how an order was made (``createType``, "Enums Definitions"), OKX by the order's
category ("Order channel")."""


class Acts:
    """The acts on one exchange. Every one raises Refused where the exchange refuses it."""

    def __init__(self, exchange: PaperExchange) -> None:
        self._exchange = exchange
        self._forced = 0

    def fill(self, account: str, ticker: str, client_id: str, quantity: Decimal) -> PaperOrder:
        """Let an aggressor trade with one resting order, whatever stands before it. More than is left overfills it."""
        return self._exchange.meet(FLOW, account, ticker, client_id=client_id, quantity=quantity)

    def aggress(self, ticker: str, quantity: Decimal, *, is_buy: bool, price: Decimal | None = None) -> PaperOrder:
        """Let an aggressor of the house come with a market order, or with a limit order at ``price``."""
        return self._exchange.submit(FLOW, NewOrder(ticker=ticker, is_buy=is_buy, quantity=quantity, price=price))

    def correct(self, account: str, trade_id: int, quantity: Decimal) -> None:
        """Correct a trade to a smaller quantity after the fact. Neither venue has a message for it."""
        self._exchange.correct(FLOW, account, trade_id, quantity)

    def thin(self, ticker: str, leave: Decimal, *, is_buy: bool) -> None:
        """Leave of the house's quotes on a side only ``leave``, floored to the lot, at the best price, for now."""
        best = self._exchange.best(ticker)[0 if is_buy else 1]
        for order in self._exchange.open_orders(MAKER, ticker):
            if order.is_buy == is_buy:
                self._exchange.cancel(MAKER, ticker, order_id=order.order_id)
        quantity = floor_lots(self._exchange.contracts[ticker], leave)
        if best is not None and quantity > 0:
            new = NewOrder(ticker=ticker, is_buy=is_buy, quantity=quantity, price=best.price)
            self._exchange.submit(MAKER, new)

    def force(self, account: str, ticker: str, quantity: Decimal, kind: str) -> PaperOrder:
        """Close ``quantity`` of an account's position at the market, by the venue's own will.

        ``kind``: liquidation, adl or settlement. Raises Refused without a position.
        """
        position = self._exchange.position(account, ticker).amount
        if position == ZERO or kind not in _FORCED[self._exchange.name]:
            raise Refused(RejectReason.REDUCE_ONLY, f"There is no position in {ticker} to end by {kind!r}.")
        self._forced += 1
        word = _FORCED[self._exchange.name][kind].format(side="Long" if position > 0 else "Short")
        by_id = self._exchange.name == "binance"
        new = NewOrder(
            ticker=ticker,
            client_id=f"{word}{self._forced}" if by_id else None,
            is_buy=position < 0,
            quantity=quantity,
            reduce_only=True,
            extra={} if by_id else {"forced": word, "tif": "FrontendMarket"},
        )
        return self._exchange.submit(account, new)
