"""How much an unhedged balance wants the operator's eye: by its state, then by its worth and its age. Pure."""

from decimal import Decimal
from enum import IntEnum

import msgspec

from console.link import BookRow

SECOND_NS = 1_000_000_000


class Concern(IntEnum):
    """How much a book wants the operator's eye."""

    CALM = 0
    AMBER = 1
    RED = 2


class Thresholds(msgspec.Struct, frozen=True, kw_only=True):
    """From what worth (quote units) and age on a balance is amber, and red: both must be reached."""

    amber_notional: Decimal = Decimal(25)
    """Below, it is what lots and minimums leave over."""
    amber_age_ns: int = 3 * SECOND_NS
    red_notional: Decimal = Decimal(250)
    red_age_ns: int = 15 * SECOND_NS


DEFAULT_THRESHOLDS = Thresholds()


def concern(book: BookRow, now_ns: int, thresholds: Thresholds = DEFAULT_THRESHOLDS) -> Concern:
    """How worrying a book is. A balance without a known value counts as a large one."""
    if book.state == "hold":
        return Concern.RED
    if book.state == "paused" or book.unknown:
        return Concern.AMBER
    if not book.balance:
        return Concern.CALM
    age_ns = now_ns - book.ts_waiting_ns if book.ts_waiting_ns else 0
    worth = thresholds.red_notional if book.notional is None else abs(book.notional)
    if worth >= thresholds.red_notional and age_ns >= thresholds.red_age_ns:
        return Concern.RED
    amber = worth >= thresholds.amber_notional and age_ns >= thresholds.amber_age_ns
    return Concern.AMBER if amber else Concern.CALM


def urgency(book: BookRow) -> tuple[int, int, int]:
    """What books are sorted by: those that do not hedge, then by the size of what they are worth, then by age.

    The size is the number of digits of the worth, so that books do not change places with every price.
    """
    worth = None if book.notional is None else abs(book.notional)
    size = 99 if worth is None else worth.adjusted() if worth else -99
    return (book.state == "active", -size, book.ts_waiting_ns or 1 << 63)
