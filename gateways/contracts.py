"""Pure arithmetic on contracts: ticks, lots, minimums. Decimal in, Decimal out."""

import difflib
import math
from collections.abc import Iterable, Iterator, Mapping
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_EVEN, ROUND_UP, Decimal
from typing import TypeVar, overload

from gateways.standards import ZERO, Contract

T = TypeVar("T")


class Contracts(Mapping[str, Contract]):
    """The contracts of one venue by ticker, and by the venue's own id. Immutable; a refresh makes a new one."""

    def __init__(self, venue: str, contracts: Iterable[Contract] = ()) -> None:
        self.venue = venue
        self._by_ticker = {contract.ticker: contract for contract in contracts}
        self._by_venue_id = {contract.venue_id: contract for contract in self._by_ticker.values() if contract.venue_id}

    def __getitem__(self, ticker: str) -> Contract:
        return self._by_ticker[ticker]

    @overload
    def get(self, ticker: str, /) -> Contract | None: ...

    @overload
    def get(self, ticker: str, /, default: Contract | T) -> Contract | T: ...

    def get(self, ticker: str, /, default: Contract | T | None = None) -> Contract | T | None:
        """The contract, or ``default``: asked for by every message, so without the exception that a Mapping makes."""
        return self._by_ticker.get(ticker, default)

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_ticker)

    def __len__(self) -> int:
        return len(self._by_ticker)

    def by_venue_id(self, venue_id: str) -> Contract | None:
        """The contract with the venue's internal id, or None."""
        return self._by_venue_id.get(venue_id)

    def nearest(self, ticker: str, count: int = 3) -> list[str]:
        """Up to ``count`` tickers spelt most like ``ticker``, best first."""
        folded = {name.upper(): name for name in self._by_ticker}
        wanted = ticker.upper()
        starts = sorted((name for name in folded if name.startswith(wanted)), key=len)
        close = difflib.get_close_matches(wanted, folded, n=count, cutoff=0.4)
        return [folded[name] for name in dict.fromkeys([*starts, *close])][:count]


def floor_to_step(value: Decimal, step: Decimal) -> Decimal:
    """``value`` brought *toward zero* to a multiple of ``step`` (> 0): a hedge never crosses zero."""
    return _to_step(value, step, ROUND_DOWN)


def ceil_to_step(value: Decimal, step: Decimal) -> Decimal:
    """``value`` brought *away from zero* to a multiple of ``step``."""
    return _to_step(value, step, ROUND_UP)


def round_to_step(value: Decimal, step: Decimal) -> Decimal:
    """``value`` brought to the nearest multiple of ``step``, a tie to the even one."""
    return _to_step(value, step, ROUND_HALF_EVEN)


def is_multiple(value: Decimal, step: Decimal) -> bool:
    """Whether ``value`` is a whole number of ``step``."""
    return value % step == 0


def _to_step(value: Decimal, step: Decimal, rounding: str) -> Decimal:
    return (value / step).to_integral_value(rounding) * step


def tick_at(contract: Contract, price: Decimal) -> Decimal:
    """The price step that holds at ``price`` (> 0).

    Fixed on most venues. On Hyperliquid a price has at most five significant figures and ``6 - szDecimals`` decimals,
    and whole numbers are always allowed (its "Tick and lot size" page), so the step grows with the price up to 1.
    """
    if not contract.significant_digits or price <= 0:
        return contract.tick_size
    exponent = price.adjusted() - contract.significant_digits + 1
    return max(contract.tick_size, min(Decimal(1).scaleb(exponent), Decimal(1)))


def floor_price(contract: Contract, price: Decimal) -> Decimal:
    """The highest allowed price at or under ``price``."""
    return _to_step(price, tick_at(contract, price), ROUND_FLOOR)


def ceil_price(contract: Contract, price: Decimal) -> Decimal:
    """The lowest allowed price at or over ``price``."""
    return _to_step(price, tick_at(contract, price), ROUND_CEILING)


def round_price(contract: Contract, price: Decimal) -> Decimal:
    """The allowed price nearest to ``price``, a tie to the even step."""
    return _to_step(price, tick_at(contract, price), ROUND_HALF_EVEN)


def round_price_toward(contract: Contract, price: Decimal, *, buying: bool) -> Decimal:
    """The allowed price nearest to ``price`` that is no worse for us: down when buying, up when selling."""
    return floor_price(contract, price) if buying else ceil_price(contract, price)


def is_on_tick(contract: Contract, price: Decimal) -> bool:
    """Whether ``price`` is one that the venue takes."""
    return price > 0 and is_multiple(price, tick_at(contract, price))


def floor_lots(contract: Contract, amount: Decimal) -> Decimal:
    """``amount`` brought toward zero to the contract's lot."""
    return floor_to_step(amount, contract.lot_size)


def decimals(step: Decimal) -> int:
    """How many decimals a multiple of ``step`` needs: 3 for 0.001, 0 for 1 or 10."""
    exponent = step.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def common_step(steps: Iterable[Decimal]) -> Decimal:
    """The smallest step that is a multiple of each of ``steps`` (> 0): what every one of the venues takes.

    Raises ValueError for no steps.
    """
    scaled = list(steps)
    if not scaled:
        raise ValueError("no steps given: at least one is needed")
    unit = min(Decimal(1).scaleb(-decimals(step)) for step in scaled)
    return math.lcm(*(int(step / unit) for step in scaled)) * unit


def smallest_order(contract: Contract, price: Decimal | None) -> Decimal:
    """The smallest quantity, on the lot, that passes the minimum quantity and, at ``price``, the minimum notional."""
    smallest = max(contract.min_quantity, contract.lot_size)
    if price is not None and price > ZERO and contract.min_notional > ZERO:
        smallest = max(smallest, contract.min_notional / price)
    return ceil_to_step(smallest, contract.lot_size)
