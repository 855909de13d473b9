"""A market maker of the house on one book: a ladder of quotes that follows a price gently. Pure; randomness passed in.

Its prices lie on a fixed grid, so that following the price moves a few orders at the ends of the ladder and leaves the
rest where they are, with their places in the queues.
"""

from decimal import ROUND_FLOOR, Decimal
from random import Random

import msgspec

from gateways.contracts import ceil_to_step, floor_lots, tick_at
from gateways.paper.exchange import PaperExchange
from gateways.paper.records import NewOrder
from gateways.standards import ZERO, Contract

MAKER = "house:maker"
"""The account of all quoters of an exchange."""

_HYSTERESIS = Decimal("0.8")
"""How far, in grid steps, the price goes from the middle of the quotes before they move."""


class QuoteStyle(msgspec.Struct, frozen=True, kw_only=True):
    """How a ladder looks. Values are in quote units; a level's value is drawn between ``least`` and ``most``."""

    levels: int = 25
    spacing: Decimal = Decimal("0.0001")
    """Distance of two levels, as a fraction of the price, brought up to the tick; zero: the tick."""
    least: Decimal = Decimal(6_000)
    most: Decimal = Decimal(14_000)
    growth: Decimal = Decimal("0.3")
    """By how much of itself each level is larger than the one before it."""
    touch: Decimal | None = None
    """The value of the best level where it is to be another (a thin one); None: as drawn."""
    refill: Decimal = Decimal("0.5")
    """A level is filled up when less than this part of it is left."""
    post_only: bool = False
    """Whether it leaves out quotes that would take; else it takes what rests in the way of its price."""


class _Quote:
    __slots__ = ("at_touch", "order_ids", "target")

    def __init__(self, target: Decimal, *, at_touch: bool) -> None:
        self.target = target
        self.at_touch = at_touch
        self.order_ids: list[int] = []


class Quoter:
    """The house's quotes on one book, around the price that ``follow`` or ``touch`` last gave."""

    def __init__(
        self,
        exchange: PaperExchange,
        ticker: str,
        rng: Random,
        style: QuoteStyle,
        price: Decimal,
        *,
        highest: Decimal | None = None,
    ) -> None:
        """Quote nothing yet; ``highest`` is the highest price to be quoted, twice ``price`` where it is not known."""
        self._exchange = exchange
        self._ticker = ticker
        self._rng = rng
        self._style = style
        # Where the tick grows with the price, the grid must outlive a rise.
        tick = tick_at(self._contract, price * 2 if highest is None else highest)
        self.grid = max(ceil_to_step(price * style.spacing, tick), tick)
        self._anchor: int | None = None
        self._quotes: dict[bool, dict[Decimal, _Quote]] = {True: {}, False: {}}

    @property
    def _contract(self) -> Contract:
        return self._exchange.contracts[self._ticker]

    def follow(self, price: Decimal) -> bool:
        """Move the quotes around ``price`` if it has gone far enough from their middle; return whether they moved."""
        if self._anchor is not None and abs(price / self.grid - self._anchor - Decimal("0.5")) <= _HYSTERESIS:
            return False
        return self._move(int((price / self.grid).to_integral_value(ROUND_FLOOR)))

    def touch(self, price: Decimal, *, is_buy: bool) -> bool:
        """Make ``price``, on the grid, the best bid (``is_buy``) or ask; return whether the quotes moved."""
        step = int((price / self.grid).to_integral_value(ROUND_FLOOR))
        return self._move(step if is_buy else step - 1)

    def refill(self) -> None:
        """Fill up the levels that were taken from; what is added stands behind what rests there."""
        for is_buy, quotes in self._quotes.items():
            for price, quote in quotes.items():
                left = self._left(quote)
                missing = floor_lots(self._contract, quote.target - left)
                if left < quote.target * self._style.refill and missing >= self._contract.min_quantity:
                    self._submit(quote, price, missing, is_buy=is_buy)

    def stir(self) -> None:
        """Withdraw a level behind the best and quote it anew in another size."""
        is_buy = self._rng.random() < 0.5
        prices = sorted(self._quotes[is_buy], reverse=is_buy)
        if len(prices) > 1:
            depth = self._rng.randrange(1, len(prices))
            self._withdraw(prices[depth], is_buy=is_buy)
            self._quote(prices[depth], depth, is_buy=is_buy)

    def _move(self, anchor: int) -> bool:
        if anchor == self._anchor:
            return False
        self._anchor = anchor
        wanted = {
            True: [self.grid * (anchor - depth) for depth in range(self._style.levels) if anchor > depth],
            False: [self.grid * (anchor + 1 + depth) for depth in range(self._style.levels)],
        }
        for is_buy, prices in wanted.items():
            kept = {price: depth for depth, price in enumerate(prices)}
            for price, quote in list(self._quotes[is_buy].items()):
                if price not in kept or (self._style.touch is not None and quote.at_touch != (kept[price] == 0)):
                    self._withdraw(price, is_buy=is_buy)
        for is_buy, prices in wanted.items():
            for depth, price in enumerate(prices):
                if price not in self._quotes[is_buy]:
                    self._quote(price, depth, is_buy=is_buy)
        return True

    def _quote(self, price: Decimal, depth: int, *, is_buy: bool) -> None:
        style = self._style
        if depth == 0 and style.touch is not None:
            value = style.touch
        else:
            drawn = style.least + (style.most - style.least) * self._rng.randrange(101) / 100
            value = drawn * (1 + style.growth * depth)
        target = max(floor_lots(self._contract, value / price), self._contract.min_quantity)
        quote = self._quotes[is_buy][price] = _Quote(target, at_touch=depth == 0)
        self._submit(quote, price, target, is_buy=is_buy)

    def _submit(self, quote: _Quote, price: Decimal, quantity: Decimal, *, is_buy: bool) -> None:
        order = self._exchange.submit(
            MAKER,
            NewOrder(
                ticker=self._ticker, is_buy=is_buy, quantity=quantity, price=price, post_only=self._style.post_only
            ),
        )
        if not order.status.terminal:
            quote.order_ids.append(order.order_id)

    def _left(self, quote: _Quote) -> Decimal:
        orders = [self._exchange.order(MAKER, self._ticker, order_id=order_id) for order_id in quote.order_ids]
        quote.order_ids = [order.order_id for order in orders if order is not None]
        return sum((order.remaining for order in orders if order is not None), ZERO)

    def _withdraw(self, price: Decimal, *, is_buy: bool) -> None:
        quote = self._quotes[is_buy].pop(price)
        for order_id in quote.order_ids:
            if self._exchange.order(MAKER, self._ticker, order_id=order_id) is not None:
                self._exchange.cancel(MAKER, self._ticker, order_id=order_id)
