"""What a match and the end of an order do to the accounts and the records of a paper exchange. Pure."""

from collections.abc import Callable
from decimal import Decimal

import msgspec

from gateways.paper.account import Account
from gateways.paper.orders import CLOSED_KEPT, LiveOrder, OrderRecords
from gateways.paper.records import (
    BalanceChanged,
    Happening,
    NewOrder,
    OrderChanged,
    OrderEvent,
    PaperBalance,
    PaperFill,
    PaperOrder,
    PaperPosition,
    PositionChanged,
    Refused,
)
from gateways.standards import ZERO, OrderStatus, RejectReason

_FEE_STEP = Decimal("1e-8")


class Clearing:
    """The accounts, their orders and what happened to them; the only writer of both.

    ``mark`` gives a contract's mark price, zero before there is any. ``happened`` gathers what the accounts that are
    not the house's should be told of.
    """

    def __init__(
        self,
        *,
        asset: str,
        maker_fee: Decimal,
        taker_fee: Decimal,
        leverage: Decimal,
        mark: Callable[[str], Decimal],
        happened: Callable[[Happening], None],
    ) -> None:
        self.accounts: dict[str, Account] = {}
        self.records: dict[str, OrderRecords] = {}
        self.fees = ZERO
        """All that was charged."""
        self._asset = asset
        self._maker_fee = maker_fee
        self._taker_fee = taker_fee
        self._leverage = leverage
        self._mark = mark
        self._happened = happened
        self._live: dict[int, LiveOrder] = {}
        self._last_order_id = 0

    def open_account(self, account: str, money: Decimal, *, house: bool) -> None:
        """Open an account. Raises ValueError where there is one of that name."""
        if account in self.accounts:
            raise ValueError(f"account {account} is already open")
        self.accounts[account] = Account(account, self._asset, money, house=house)
        self.records[account] = OrderRecords(closed_kept=0 if house else CLOSED_KEPT)
        if not house:
            self._happened(BalanceChanged(self.balance(account), "DEPOSIT"))

    def balance(self, account: str) -> PaperBalance:
        """The account's money at the marks."""
        return self.accounts[account].balance(self._mark, self._leverage)

    def position(self, account: str, ticker: str) -> PaperPosition:
        """A position at the mark."""
        return self.accounts[account].position(ticker, self._mark(ticker))

    def money(self) -> Decimal:
        """All wallets and fees less the cost of what is open: constant but for deposits."""
        return sum((account.wallet - account.cost() for account in self.accounts.values()), self.fees)

    def live(self, order_id: int) -> LiveOrder:
        """The open order of that id."""
        return self._live[order_id]

    def register(self, account: str, new: NewOrder, now_ns: int) -> LiveOrder:
        """Give an order its id and hold its margin."""
        self._last_order_id += 1
        order = LiveOrder(self._last_order_id, account, new, now_ns)
        self.records[account].add(order)
        self._live[order.order_id] = order
        self.hold(order, order.quantity)
        return order

    def hold(self, order: LiveOrder, quantity: Decimal) -> None:
        """Count a quantity of an open order into its account's margin, or (negative) out of it."""
        if not order.new.reduce_only:
            self.accounts[order.account].hold(order.new.ticker, quantity, is_buy=order.new.is_buy)

    def execute(
        self, order: LiveOrder, quantity: Decimal, price: Decimal, trade_id: int, now_ns: int, *, is_maker: bool
    ) -> None:
        """Fill an order: fee, money, position, records."""
        new, owner = order.new, self.accounts[order.account]
        fee = (quantity * price * (self._maker_fee if is_maker else self._taker_fee)).quantize(_FEE_STEP)
        start = owner.amount(new.ticker)
        self.hold(order, -quantity)
        order.fill(quantity, price, now_ns)
        realised = owner.execute(new.ticker, quantity if new.is_buy else -quantity, price, fee)
        self.fees += fee
        if not owner.house:
            fill = PaperFill(
                trade_id=trade_id,
                account=order.account,
                order_id=order.order_id,
                client_id=new.client_id,
                ticker=new.ticker,
                is_buy=new.is_buy,
                quantity=quantity,
                price=price,
                fee=fee,
                fee_asset=self._asset,
                is_maker=is_maker,
                ts_ns=now_ns,
                start_position=start,
                realised=realised,
                forced=new.extra.get("forced", ""),
            )
            owner.fills.append(fill)
            self._happened(BalanceChanged(self.balance(order.account), "ORDER"))
            self._happened(PositionChanged(self.position(order.account, new.ticker)))
            self.tell(order, "TRADE", fill)
        if order.status is OrderStatus.FILLED:
            self._close(order)

    def correct(self, by: str, account: str, trade_id: int, quantity: Decimal) -> None:
        """Make an account's fill smaller after the fact, at its price and against ``by``. Raises Refused."""
        owner = self.accounts[account]
        for place, fill in enumerate(owner.fills):
            if fill.trade_id == trade_id and ZERO < quantity < fill.quantity:
                owner.fills[place] = msgspec.structs.replace(fill, quantity=quantity)
                taken = fill.quantity - quantity if fill.is_buy else quantity - fill.quantity
                owner.execute(fill.ticker, -taken, fill.price, ZERO)
                self.accounts[by].execute(fill.ticker, taken, fill.price, ZERO)
                return
        raise Refused(RejectReason.OTHER, f"There is no trade {trade_id} of more than {quantity}.")

    def end(self, order: LiveOrder, status: OrderStatus, reason: RejectReason | None, now_ns: int) -> PaperOrder:
        """Close an order with what was filled of it: CANCELLED or EXPIRED."""
        self.hold(order, -order.remaining)
        order.end(status, now_ns, reason)
        self._close(order)
        self.tell(order, "CANCELED" if status is OrderStatus.CANCELLED else "EXPIRED")
        return order.snapshot()

    def tell(self, order: LiveOrder, event: OrderEvent, fill: PaperFill | None = None) -> None:
        """Say that an order changed."""
        if not self.accounts[order.account].house:
            self._happened(OrderChanged(order=order.snapshot(), event=event, fill=fill))

    def stranded(self, account: str, ticker: str) -> list[LiveOrder]:
        """The open reduce-only orders that have no position left to reduce."""
        owner = self.accounts[account]
        return [
            order
            for order in self.records[account].open(ticker)
            if order.new.reduce_only and not owner.reducible(ticker, is_buy=order.new.is_buy)
        ]

    def _close(self, order: LiveOrder) -> None:
        self.records[order.account].close(order)
        del self._live[order.order_id]
