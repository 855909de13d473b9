"""What OKX v5 shows of orders and positions beside the exchange's own records, gathered fill by fill. Pure."""

from collections import OrderedDict
from decimal import Decimal

from gateways.paper.records import PaperFill
from gateways.standards import ZERO

ORDERS_KEPT = 100_000

BY_USER, BY_SWITCH = "1", "20"
"""Why an order was cancelled (``cancelSource``): its owner asked, or the dead man's switch was triggered."""


class OrderTally:
    """What the fills of one order cost and earned; all amounts are quote units, ``fee`` charged when positive."""

    __slots__ = ("cancel_source", "fee", "last", "realised")

    def __init__(self) -> None:
        self.fee = ZERO
        self.realised = ZERO
        self.last: PaperFill | None = None
        self.cancel_source = BY_USER

    def add(self, fill: PaperFill) -> None:
        """Count a fill."""
        self.fee += fill.fee
        self.realised += fill.realised
        self.last = fill


class PositionTally:
    """What one contract's fills cost and earned over the account's life."""

    __slots__ = ("fee", "opened_ns", "realised", "trade_id", "updated_ns")

    def __init__(self) -> None:
        self.fee = ZERO
        self.realised = ZERO
        self.trade_id = 0
        self.opened_ns = 0
        self.updated_ns = 0

    def add(self, fill: PaperFill) -> None:
        """Count a fill; a position that was flat is a new one."""
        if fill.start_position == ZERO:
            self.fee, self.realised, self.opened_ns = ZERO, ZERO, fill.ts_ns
        self.fee += fill.fee
        self.realised += fill.realised
        self.trade_id = max(self.trade_id, fill.trade_id)
        self.updated_ns = max(self.updated_ns, fill.ts_ns)

    @property
    def gained(self) -> Decimal:
        """The profit taken, after fees."""
        return self.realised - self.fee


class Tallies:
    """The tallies of all accounts. The oldest orders are forgotten first, as the exchange does."""

    def __init__(self) -> None:
        self._orders: OrderedDict[int, OrderTally] = OrderedDict()
        self._positions: dict[tuple[str, str], PositionTally] = {}

    def add(self, fill: PaperFill) -> None:
        """Count a fill in its order and its position."""
        self.order(fill.order_id).add(fill)
        self.position(fill.account, fill.ticker).add(fill)

    def order(self, order_id: int) -> OrderTally:
        """The tally of one order, made when first asked for."""
        found = self._orders.get(order_id)
        if found is None:
            found = self._orders[order_id] = OrderTally()
            if len(self._orders) > ORDERS_KEPT:
                self._orders.popitem(last=False)
        return found

    def position(self, account: str, ticker: str) -> PositionTally:
        """The tally of one position, made when first asked for."""
        return self._positions.setdefault((account, ticker), PositionTally())
