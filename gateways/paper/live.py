"""A paper book that shows what a real venue's public data tells, and fills what rests on it as that tape would. Pure.

The house has one order at each price that the venue shows, so that orders that take meet the venue's own depth. What of
it they took stays taken until the venue tells another quantity there. Orders that rest wait in a queue of their own
reckoning: before them stands what the venue showed at their price when they came (of several at a price, the earlier
ones too), and it becomes less

* by every trade at that price, which takes from the front;
* to what the venue shows there, where that is less: what is withdrawn is taken to have stood behind as long as it can.

A trade that goes on beyond that fills them, at their price, at most by its own quantity; a trade through their price
fills them before any other. A book can tell of a trade before the trade itself is told: the venue's times tell which
came first, so that no trade moves the queue twice.
"""

from collections.abc import Sequence
from decimal import Decimal

from gateways.contracts import floor_lots, is_on_tick
from gateways.paper.exchange import PaperExchange
from gateways.paper.market import FLOW
from gateways.paper.quoter import MAKER
from gateways.paper.records import NewOrder, PaperOrder, Refused
from gateways.standards import ZERO, Contract, Level, TradeEvent

DEPTH = 100
"""How many levels a side are shown."""


class _Place:
    """A resting order's place in the queue: how much of others stands before it, None while its price is not shown."""

    __slots__ = ("ahead", "price", "quantity", "shown", "shown_ns")

    def __init__(self, order: PaperOrder, ahead: Decimal | None) -> None:
        self.price = order.price
        self.quantity = order.quantity
        self.ahead = ahead
        self.shown = ahead
        self.shown_ns = 0
        """What the venue last showed at the price, and its time for that."""

    def holds(self, order: PaperOrder) -> bool:
        """Whether the order has kept its place: a new price or a larger quantity goes to the end of the queue."""
        return order.price == self.price and order.quantity <= self.quantity

    def shows(self, quantity: Decimal, ts_ns: int) -> None:
        """Take what is shown at the price now. What was shown before, no trade can explain any more."""
        self.settle()
        if self.ahead is None:
            self.ahead = quantity
        self.shown, self.shown_ns = quantity, ts_ns

    def settle(self) -> None:
        """Stand no farther behind than what is shown."""
        if self.ahead is not None and self.shown is not None:
            self.ahead = min(self.ahead, self.shown)


class LiveBook:
    """One contract of an exchange whose house accounts are open. Halted until ``show`` is first called."""

    def __init__(self, exchange: PaperExchange, ticker: str) -> None:
        self._exchange = exchange
        self._ticker = ticker
        self._shown: dict[bool, dict[Decimal, Decimal]] = {True: {}, False: {}}
        self._whole = {True: False, False: False}
        self._quotes: dict[tuple[bool, Decimal], int] = {}
        self._places: dict[int, _Place] = {}
        exchange.halt(ticker)

    @property
    def _contract(self) -> Contract:
        return self._exchange.contracts[self._ticker]

    # ------------------------------------------------------------- what is told

    def show(self, bids: Sequence[Level], asks: Sequence[Level], ts_ns: int) -> None:
        """Show the venue's best levels, best first, as they stood at its time ``ts_ns``. Ends a silence."""
        self._exchange.resume(self._ticker)
        self._see()
        changed: list[tuple[bool, Decimal, Decimal]] = []
        for is_buy, levels in ((True, bids), (False, asks)):
            now = {level.price: level.quantity for level in levels[:DEPTH]}
            before, self._shown[is_buy] = self._shown[is_buy], now
            self._whole[is_buy] = len(levels) < DEPTH
            for price in before.keys() - now.keys():
                self._withdraw(price, is_buy=is_buy)
            changed += [(is_buy, price, quantity) for price, quantity in now.items() if before.get(price) != quantity]
        for is_buy, price, _ in changed:
            self._withdraw(price, is_buy=is_buy)
        for is_buy, price, quantity in changed:
            self._quote(price, quantity, is_buy=is_buy)
        for order, place in self._waiting():
            shown = self._shown_at(order)
            if shown is not None:
                place.shows(shown, ts_ns)

    def trade(self, trade: TradeEvent) -> None:
        """Let a trade of the venue happen here: what it leaves to orders that rest fills them, all of it is printed."""
        self._see()
        is_buy, left, taken = trade.amount > 0, trade.quantity, ZERO
        met = [
            (order, place)
            for order, place in self._waiting()
            if order.is_buy != is_buy and order.price is not None and _reaches(trade.price, order)
        ]
        met.sort(key=lambda pair: (pair[0].price if is_buy else -(pair[0].price or ZERO), pair[0].order_id))
        for order, place in met:
            if order.price == trade.price:
                if place.ahead is None:
                    continue
                if trade.ts_venue_ns > place.shown_ns or not trade.ts_venue_ns:
                    place.settle()
                passed = min(max(place.ahead - taken, ZERO), left)
                taken += passed
                left -= passed
            left -= self._fill(order, left)
        for order, place in met:
            if order.price == trade.price and place.ahead is not None:
                place.ahead = max(place.ahead - taken, ZERO)
        others = left + taken
        if others > 0:
            self._exchange.print_trade(self._ticker, others, trade.price, is_buy=is_buy)

    def mark(self, price: Decimal) -> None:
        """Take the venue's mark."""
        self._exchange.set_mark(self._ticker, price)

    def silence(self) -> None:
        """Know nothing of the venue any more: no quotes, no new orders, until ``show``. What rests keeps its place."""
        self._exchange.halt(self._ticker)
        for is_buy, price in list(self._quotes):
            self._withdraw(price, is_buy=is_buy)
        self._shown = {True: {}, False: {}}

    # ------------------------------------------------------------ what rests here

    def _waiting(self) -> list[tuple[PaperOrder, _Place]]:
        return [(order, self._places[order.order_id]) for order in self._users() if order.order_id in self._places]

    def _users(self) -> list[PaperOrder]:
        return [order for user in self._exchange.users for order in self._exchange.open_orders(user, self._ticker)]

    def _see(self) -> None:
        """Give orders that came since the last look their place behind what was shown until now."""
        before, self._places = self._places, {}
        for order in self._users():
            place = before.get(order.order_id)
            if place is None or not place.holds(order):
                place = _Place(order, self._shown_at(order))
            self._places[order.order_id] = place

    def _shown_at(self, order: PaperOrder) -> Decimal | None:
        """What the venue shows at an order's price, on its side; None where it lies beyond what is shown."""
        shown = self._shown[order.is_buy]
        if order.price is None or not shown:
            return None
        worst = min(shown) if order.is_buy else max(shown)
        beyond = order.price < worst if order.is_buy else order.price > worst
        return None if beyond and not self._whole[order.is_buy] else shown.get(order.price, ZERO)

    def _fill(self, order: PaperOrder, most: Decimal) -> Decimal:
        """Fill as much of an order as there is for it; return how much that is."""
        quantity = min(order.remaining, most)
        if order.reduce_only:
            held = self._exchange.position(order.account, self._ticker).amount
            quantity = min(quantity, max(-held if order.is_buy else held, ZERO))
        if quantity <= 0:
            return ZERO
        try:
            self._exchange.meet(FLOW, order.account, self._ticker, order_id=order.order_id, quantity=quantity)
        except Refused:  # a fill before this one in the same trade has ended it
            return ZERO
        return quantity

    # -------------------------------------------------------------- the house's

    def _quote(self, price: Decimal, quantity: Decimal, *, is_buy: bool) -> None:
        contract = self._contract
        most = contract.max_quantity
        shown = floor_lots(contract, quantity if most is None else min(quantity, most))
        if shown < contract.min_quantity or not is_on_tick(contract, price):
            return
        order = self._exchange.submit(MAKER, NewOrder(ticker=self._ticker, is_buy=is_buy, quantity=shown, price=price))
        self._quotes[is_buy, price] = order.order_id

    def _withdraw(self, price: Decimal, *, is_buy: bool) -> None:
        order_id = self._quotes.pop((is_buy, price), None)
        if order_id is None:
            return
        order = self._exchange.order(MAKER, self._ticker, order_id=order_id)
        if order is not None and not order.status.terminal:
            self._exchange.cancel(MAKER, self._ticker, order_id=order_id)


def _reaches(price: Decimal, order: PaperOrder) -> bool:
    """Whether a trade at ``price`` is at an order's price or through it."""
    return order.price is not None and (price <= order.price if order.is_buy else price >= order.price)
