"""The ladder's arithmetic: price groups, levels grouped, and the prices that stand on the lines. Pure."""

from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Decimal

from gateways.contracts import ceil_to_step, floor_to_step, round_to_step
from gateways.standards import ZERO

Levels = tuple[tuple[Decimal, Decimal], ...]

_STEPS = (Decimal(1), Decimal(2), Decimal(5))


def groups(tick: Decimal) -> list[Decimal]:
    """The price groups that a ladder offers: 1, 2 and 5 times powers of ten of the tick, up to 50,000 ticks."""
    return [tick * step * Decimal(10) ** power for power in range(5) for step in _STEPS]


def fitting_group(tick: Decimal, bids: Levels, asks: Levels, lines: int) -> Decimal:
    """The finest group with which the ten best levels of each side fit on ``lines`` lines."""
    prices = [price for price, _ in (*bids[:10], *asks[:10])]
    if not prices:
        return tick
    span = max(prices) - min(prices)
    offered = groups(tick)
    return next((group for group in offered if span / group <= max(2, lines - 2)), offered[-1])


def regrouped(tick: Decimal, group: Decimal, steps: int) -> Decimal:
    """The group some steps coarser (finer, when negative) than ``group``, within what is offered."""
    offered = groups(tick)
    place = next((place for place, each in enumerate(offered) if each >= group), len(offered) - 1)
    return offered[max(0, min(place + steps, len(offered) - 1))]


def grouped(levels: Iterable[tuple[Decimal, Decimal]], group: Decimal, *, bids: bool) -> dict[Decimal, Decimal]:
    """Quantities by group."""
    found: dict[Decimal, Decimal] = {}
    for price, quantity in levels:
        place = group_of(price, group, bid=bids)
        found[place] = found.get(place, ZERO) + quantity
    return found


def group_of(price: Decimal, group: Decimal, *, bid: bool) -> Decimal:
    """The group that a price of the bids or of the offers is shown in, the one furthest from the market."""
    return floor_to_step(price, group) if bid else ceil_to_step(price, group)


def middle(bids: Levels, asks: Levels, last: Decimal | None) -> Decimal | None:
    """Where the market is: halfway between the best prices, else the only side there is, else the last trade."""
    if bids and asks:
        return (bids[0][0] + asks[0][0]) / 2
    if bids or asks:
        return (bids or asks)[0][0]
    return last


def top_price(centre: Decimal, group: Decimal, lines: int) -> Decimal:
    """The price on the first line of a ladder centred on ``centre``."""
    return round_to_step(centre, group) + group * (lines // 2)


def price_at(top: Decimal, group: Decimal, line: int) -> Decimal:
    """The price on a line (0 is the first)."""
    return top - group * line


def line_of(top: Decimal, group: Decimal, price: Decimal) -> int:
    """The line on which a price stands; negative or beyond the last when it is out of sight."""
    return int(((top - price) / group).to_integral_value(ROUND_HALF_EVEN))


def bar(quantity: Decimal, largest: Decimal, width: int) -> int:
    """How many of ``width`` cells a size bar fills: at least one for a size that is not zero."""
    if quantity <= 0 or largest <= 0:
        return 0
    return max(1, min(width, int(quantity * width / largest)))
