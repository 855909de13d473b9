"""A paper exchange: accounts trading with one another on price-time priority books. Pure: the clock is passed in."""

from collections.abc import Callable, Mapping
from decimal import Decimal

import msgspec

from gateways.contracts import Contracts
from gateways.paper.account import Account
from gateways.paper.admission import check_band, check_filters, check_margin, check_reduces
from gateways.paper.clearing import Clearing
from gateways.paper.matching import Book, Match, MatchKind, Resting
from gateways.paper.orders import LiveOrder
from gateways.paper.records import (
    BalanceChanged,
    BookChanged,
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
    Traded,
)
from gateways.paper.tape import Tape
from gateways.standards import ZERO, Contract, Level, OrderStatus, RejectReason, TimeInForce

__all__ = [
    "BalanceChanged", "BookChanged", "Happening", "NewOrder", "OrderChanged", "OrderEvent", "PaperBalance",
    "PaperExchange", "PaperFill", "PaperOrder", "PaperPosition", "PositionChanged", "Refused", "Traded",
]  # fmt: skip


class PaperExchange:
    """One venue's matching, accounts and records.

    A fill gives, for the maker's account and then for the taker's: BalanceChanged, PositionChanged, OrderChanged; and
    then Traded. Changes of a book are gathered and given at the end of a ``drain`` (or where ``book()`` is asked).
    ``price_bands``: by ticker, how far a limit price may be worse than the mark, as a fraction. ``leverage`` holds for
    every account and contract.
    """

    def __init__(
        self,
        name: str,
        contracts: Contracts,
        *,
        now_ns: Callable[[], int],
        quote_asset: str,
        maker_fee: Decimal,
        taker_fee: Decimal,
        leverage: Decimal = Decimal(10),
        price_bands: Mapping[str, Decimal] | None = None,
        max_open_orders: int = 200,
    ) -> None:
        self.name = name
        self.contracts = contracts
        self.quote_asset = quote_asset
        self.maker_fee = maker_fee
        self.taker_fee = taker_fee
        self.leverage = leverage
        self.price_bands = dict(price_bands or {})
        self.max_open_orders = max_open_orders
        self._now_ns = now_ns
        self._tapes = {ticker: Tape(ticker) for ticker in contracts}
        self._happenings: list[Happening] = []
        self._halted: set[str] = set()
        self._last_trade_id = 0
        self._clearing = Clearing(
            asset=quote_asset,
            maker_fee=maker_fee,
            taker_fee=taker_fee,
            leverage=leverage,
            mark=self._value,
            happened=self._happenings.append,
        )

    # ------------------------------------------------------------------ set-up

    def open_account(self, account: str, money: Decimal, *, house: bool = False) -> None:
        """Open an account with ``money`` in the quote asset. Raises ValueError for one that is open already.

        ``house``: the market's own, without margin, limits, records or happenings of its own.
        """
        self._clearing.open_account(account, money, house=house)

    def set_mark(self, ticker: str, mark: Decimal) -> None:
        """Set the mark price; without it the mark is the middle of the book."""
        self._tapes[ticker].set_mark(mark)

    def halt(self, ticker: str) -> None:
        """Refuse new orders and amendments in a contract; what rests stays and can be cancelled."""
        self._halted.add(ticker)

    def resume(self, ticker: str) -> None:
        """End a halt."""
        self._halted.discard(ticker)

    def respecify(self, contract: Contract) -> None:
        """Publish and enforce other rules for a contract from now on; what rests stays as it is."""
        self.contracts = Contracts(self.name, {**self.contracts, contract.ticker: contract}.values())

    def trades_now(self, ticker: str) -> bool:
        """Whether new orders are taken in a contract."""
        return ticker not in self._halted and self.contracts[ticker].trading

    # ------------------------------------------------------------------ orders

    def submit(self, account: str, new: NewOrder) -> PaperOrder:
        """Take an order, match it, rest what is left; return it as it then stands.

        A post-only order that would cross ends EXPIRED with reason POST_ONLY. What IOC, FOK and market orders leave
        ends EXPIRED with NO_LIQUIDITY. A reduce-only order fills at most the position; what is over ends EXPIRED with
        REDUCE_ONLY. Raises Refused, and then nothing was done.
        """
        self._admit(self._clearing.accounts[account], new)
        order = self._clearing.register(account, new, self._now_ns())
        book = self._tapes[new.ticker].book
        if new.post_only and new.price is not None and book.crosses(is_buy=new.is_buy, price=new.price):
            return self._clearing.end(order, OrderStatus.EXPIRED, RejectReason.POST_ONLY, self._now_ns())
        self._clearing.tell(order, "NEW")
        return self._match(order)

    def cancel(
        self, account: str, ticker: str, *, order_id: int | None = None, client_id: str | None = None
    ) -> PaperOrder:
        """Cancel an open order. Raises Refused (UNKNOWN_ORDER) when it is not open."""
        return self._cancel(self._open_order(account, ticker, order_id, client_id))

    def amend(
        self,
        account: str,
        ticker: str,
        *,
        order_id: int | None = None,
        client_id: str | None = None,
        quantity: Decimal,
        price: Decimal,
    ) -> PaperOrder:
        """Change an open order to a new total quantity and price: the same id, at the end of the queue.

        As on Binance ("Modify Order"): a quantity not over what is filled, or a post-only order moved where it would
        cross, cancels it. Raises Refused when it is not open, nothing would change, or the new terms are not admitted:
        then it stands as it was.
        """
        order = self._open_order(account, ticker, order_id, client_id)
        if quantity == order.quantity and price == order.price:
            raise Refused(RejectReason.OTHER, "No need to modify the order.")
        terms = msgspec.structs.replace(order.new, quantity=quantity, price=price, client_id=None)
        self._clearing.hold(order, -order.remaining)
        try:
            self._admit(self._clearing.accounts[account], terms, resting=True)
        finally:
            self._clearing.hold(order, order.remaining)
        book = self._tapes[ticker].book
        if quantity <= order.filled:
            return self._cancel(order)
        if order.new.post_only and book.crosses(is_buy=order.new.is_buy, price=price):
            return self._cancel(order, RejectReason.POST_ONLY)
        book.remove(order.order_id)
        self._clearing.hold(order, quantity - order.quantity)
        order.quantity, order.price, order.ts_changed_ns = quantity, price, self._now_ns()
        self._clearing.tell(order, "AMENDED")
        return self._match(order)

    def cancel_all(self, account: str, ticker: str | None = None) -> list[PaperOrder]:
        """Cancel the account's open orders, in one contract or all; return them as they ended."""
        return [self._cancel(order) for order in self._clearing.records[account].open(ticker)]

    def meet(
        self, by: str, account: str, ticker: str, *, quantity: Decimal, client_id: str | None = None,
        order_id: int | None = None,
    ) -> PaperOrder:  # fmt: skip
        """Let the house account ``by`` trade with a resting order at its price, whatever stands before it.

        More than is left of it is an overfill: a fault. Raises Refused (UNKNOWN_ORDER).
        """
        order = self._open_order(account, ticker, order_id, client_id)
        book, over = self._tapes[ticker].book, max(quantity - order.remaining, ZERO)
        self._clearing.hold(order, over)
        new = NewOrder(ticker=ticker, is_buy=not order.new.is_buy, quantity=quantity, price=order.price)
        taker = self._clearing.register(by, new, self._now_ns())
        resting = book.reduce(order.order_id, quantity - over)
        self._apply(taker, Match(resting, quantity, MatchKind.FILL))
        self._end_stranded({account}, ticker)
        return order.snapshot()

    def correct(self, by: str, account: str, trade_id: int, quantity: Decimal) -> None:
        """Correct a trade with the house account ``by`` to a smaller quantity, after the fact: a fault.

        The trade and both positions change, without a happening of their own; the order's own record does not. Raises
        Refused where there is no such trade.
        """
        self._clearing.correct(by, account, trade_id, quantity)

    # ----------------------------------------------------------------- queries

    @property
    def users(self) -> list[str]:
        """The accounts that are not the house's, oldest first."""
        return [name for name, account in self._clearing.accounts.items() if not account.house]

    def order(
        self, account: str, ticker: str, *, order_id: int | None = None, client_id: str | None = None
    ) -> PaperOrder | None:
        """An order, open or closed; by client id the open one that bears it, else the latest that bore it."""
        return self._clearing.records[account].find(ticker, order_id, client_id)

    def open_orders(self, account: str, ticker: str | None = None) -> list[PaperOrder]:
        """The open orders, oldest first."""
        return [order.snapshot() for order in self._clearing.records[account].open(ticker)]

    def orders(self, account: str, ticker: str | None = None, since_ns: int = 0) -> list[PaperOrder]:
        """Open and closed orders created at or after ``since_ns``, oldest first."""
        return list(self._clearing.records[account].since(ticker, since_ns))

    def fills(self, account: str, ticker: str | None = None, since_ns: int = 0) -> list[PaperFill]:
        """The account's fills at or after ``since_ns``, oldest first."""
        found: list[PaperFill] = []
        for fill in reversed(self._clearing.accounts[account].fills):
            if fill.ts_ns < since_ns:
                break
            if ticker is None or fill.ticker == ticker:
                found.append(fill)
        found.reverse()
        return found

    def position(self, account: str, ticker: str) -> PaperPosition:
        """The position in one contract, also when it is zero."""
        return self._clearing.position(account, ticker)

    def positions(self, account: str) -> list[PaperPosition]:
        """The positions that are not zero."""
        return [self.position(account, ticker) for ticker in self._clearing.accounts[account].tickers]

    def balance(self, account: str) -> PaperBalance:
        """The account's money."""
        return self._clearing.balance(account)

    @property
    def fees(self) -> Decimal:
        """All that was charged, in the quote asset."""
        return self._clearing.fees

    def money(self) -> Decimal:
        """All wallets and fees less the cost of what is open: constant but for deposits."""
        return self._clearing.money()

    def book(self, ticker: str, depth: int) -> BookChanged:
        """The best ``depth`` levels a side; ``last_seq`` is the sequence they stand at."""
        self._flush(ticker)
        return self._tapes[ticker].snapshot(depth, self._now_ns())

    def best(self, ticker: str) -> tuple[Level | None, Level | None]:
        """The best bid and ask."""
        book = self._tapes[ticker].book
        return book.best(is_buy=True), book.best(is_buy=False)

    def mark(self, ticker: str) -> Decimal | None:
        """The mark price as set, else the middle of the book, else the last trade; None before there is any."""
        return self._tapes[ticker].mark()

    def trades(self, ticker: str, limit: int) -> list[Traded]:
        """The latest public trades, oldest first."""
        return list(self._tapes[ticker].trades)[-limit:] if limit > 0 else []

    def drain(self) -> list[Happening]:
        """What happened since the last call, in order; the changes of the books last."""
        for ticker in self._tapes:
            self._flush(ticker)
        happenings = self._happenings.copy()
        self._happenings.clear()
        return happenings

    # ---------------------------------------------------------------- the core

    def _admit(self, owner: Account, new: NewOrder, *, resting: bool = False) -> None:
        contract = self.contracts.get(new.ticker)
        if contract is None:
            raise Refused(RejectReason.BAD_REQUEST, f"There is no contract {new.ticker}.")
        if new.ticker in self._halted:
            raise Refused(RejectReason.HALTED, f"Trading in {new.ticker} is halted.")
        mark = self.mark(new.ticker)
        check_filters(contract, new, mark, house=owner.house)
        if owner.house:
            return
        records = self._clearing.records[owner.name]
        if new.price is not None:
            check_band(new.price, is_buy=new.is_buy, mark=mark, band=self.price_bands.get(new.ticker))
        if new.client_id is not None and records.is_open(new.ticker, new.client_id):
            raise Refused(RejectReason.DUPLICATE_CLOID, "ClientOrderId is duplicated.")
        if not resting and records.open_count(new.ticker) >= self.max_open_orders:
            raise Refused(RejectReason.TOO_MANY_ORDERS, "Reach max open order limit.")
        check_reduces(owner, new)
        price = mark if mark is not None else new.price
        if price is None:
            raise Refused(RejectReason.NO_LIQUIDITY, f"There is no price in {new.ticker}.")
        check_margin(
            owner,
            new,
            mark=lambda ticker: price if ticker == new.ticker else self._value(ticker),
            leverage=self.leverage,
            fee=new.quantity * price * self.taker_fee,
        )

    def _open_order(self, account: str, ticker: str, order_id: int | None, client_id: str | None) -> LiveOrder:
        order = self._clearing.records[account].live(ticker, order_id, client_id)
        if order is None:
            raise Refused(RejectReason.UNKNOWN_ORDER, "Unknown order sent.")
        return order

    def _match(self, order: LiveOrder) -> PaperOrder:
        new, owner = order.new, self._clearing.accounts[order.account]
        ticker = new.ticker
        book = self._tapes[ticker].book
        wanted = order.remaining
        if new.reduce_only:
            wanted = min(wanted, owner.reducible(ticker, is_buy=new.is_buy))
        if new.tif is TimeInForce.FOK:
            found = book.available(
                order.account, is_buy=new.is_buy, limit=order.price, enough=wanted, allowance=self._allowance(ticker)
            )
            if found < wanted:
                return self._clearing.end(order, OrderStatus.EXPIRED, RejectReason.NO_LIQUIDITY, self._now_ns())
        touched = {order.account}
        for match in book.take(
            order.account, is_buy=new.is_buy, limit=order.price, quantity=wanted, allowance=self._allowance(ticker)
        ):
            touched.add(match.maker.account)
            self._apply(order, match)
        if order.status is not OrderStatus.FILLED:
            self._settle_rest(order, book)
        self._end_stranded(touched, ticker)
        return order.snapshot()

    def _end_stranded(self, accounts: set[str], ticker: str) -> None:
        for account in accounts:
            for stranded in self._clearing.stranded(account, ticker):
                self._tapes[ticker].book.remove(stranded.order_id)
                self._clearing.end(stranded, OrderStatus.EXPIRED, RejectReason.REDUCE_ONLY, self._now_ns())

    def _allowance(self, ticker: str) -> Callable[[Resting], Decimal]:
        accounts = self._clearing.accounts
        return lambda maker: accounts[maker.account].reducible(ticker, is_buy=maker.is_buy)

    def _apply(self, taker: LiveOrder, match: Match) -> None:
        maker, now = self._clearing.live(match.maker.order_id), self._now_ns()
        if match.kind is not MatchKind.FILL:
            reason = RejectReason.OTHER if match.kind is MatchKind.SELF else RejectReason.REDUCE_ONLY
            self._clearing.end(maker, OrderStatus.EXPIRED, reason, now)
            return
        price, quantity, trade_id = match.maker.price, match.quantity, self._last_trade_id + 1
        self._clearing.execute(maker, quantity, price, trade_id, now, is_maker=True)
        self._clearing.execute(taker, quantity, price, trade_id, now, is_maker=False)
        self.print_trade(taker.new.ticker, quantity, price, is_buy=taker.new.is_buy)

    def print_trade(self, ticker: str, quantity: Decimal, price: Decimal, *, is_buy: bool) -> None:
        """Publish a trade, of whomever; ``is_buy``: its aggressor bought."""
        self._last_trade_id += 1
        now, trade_id = self._now_ns(), self._last_trade_id
        traded = Traded(
            ticker=ticker, trade_id=trade_id, price=price, quantity=quantity, buyer_is_maker=not is_buy, ts_ns=now
        )
        self._tapes[ticker].trades.append(traded)
        self._happenings.append(traded)

    def _settle_rest(self, order: LiveOrder, book: Book) -> None:
        new, owner = order.new, self._clearing.accounts[order.account]
        if new.reduce_only and not owner.reducible(new.ticker, is_buy=new.is_buy):
            self._clearing.end(order, OrderStatus.EXPIRED, RejectReason.REDUCE_ONLY, self._now_ns())
        elif order.price is None or new.tif is not TimeInForce.GTC:
            self._clearing.end(order, OrderStatus.EXPIRED, RejectReason.NO_LIQUIDITY, self._now_ns())
        else:
            book.add(
                Resting(
                    order_id=order.order_id,
                    account=order.account,
                    is_buy=new.is_buy,
                    price=order.price,
                    remaining=order.remaining,
                    reduce_only=new.reduce_only,
                )
            )

    def _cancel(self, order: LiveOrder, reason: RejectReason | None = None) -> PaperOrder:
        self._tapes[order.new.ticker].book.remove(order.order_id)
        return self._clearing.end(order, OrderStatus.CANCELLED, reason, self._now_ns())

    def _value(self, ticker: str) -> Decimal:
        mark = self.mark(ticker)
        return mark if mark is not None else ZERO

    def _flush(self, ticker: str) -> None:
        changed = self._tapes[ticker].changes(self._now_ns())
        if changed is not None:
            self._happenings.append(changed)
