"""How a number, an age or a name is written on screen. The one module that formats; everything here is pure.

``-`` is "the engine did not say", ``0`` is zero: the two are never mixed up. Decimal in, text out: no float is made on
the way, and no number is written in scientific notation.
"""

import re
from decimal import ROUND_HALF_EVEN, Decimal

from gateways.contracts import decimals

NONE = "-"

_SECOND = 1_000_000_000
_DAY = 86_400

STATUS = {
    "PENDING": "… pending",
    "NEW": "○ new",
    "PARTIAL": "◐ partial",
    "CANCEL_PENDING": "… cancel",
    "FILLED": "● filled",
    "CANCELLED": "✕ cancelled",
    "REJECTED": "! rejected",
    "EXPIRED": "✕ expired",
    "UNKNOWN": "? UNKNOWN",
}
"""An order status as a symbol and a word, so that no colour is needed to read it."""

HEDGE_STATE = {
    "hedged": "● hedged",
    "hedging": "◐ hedging",
    "waiting": "○ waiting",
    "unknown": "? UNKNOWN",
    "paused": "‖ PAUSED",
    "hold": "! HOLD",
    "idle": "· idle",
    "active": "● active",
}
"""A hedge state as a symbol and a word."""


def number(value: Decimal | None, step: Decimal | None = None, *, sign: bool = False) -> str:
    """``value`` with the decimals of ``step`` (its tick or lot), or with its own where no step is known.

    More decimals than the step has are kept: a digit that is there is never hidden. ``sign`` writes ``+`` too.
    """
    if value is None:
        return NONE
    if value == 0:
        return "0"
    places = max(decimals(step) if step is not None else 0, decimals(value))
    return f"{value:{'+' if sign else ''}.{places}f}"


def rounded(value: Decimal | None, places: int, *, sign: bool = False) -> str:
    """``value`` rounded to ``places`` decimals (averages, basis points): for reading, never for sending."""
    if value is None:
        return NONE
    short = value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN)
    if short == 0:
        return "0"
    return f"{short:{'+' if sign else ''}.{places}f}"


def squeezed(value: Decimal, step: Decimal, width: int) -> str:
    """A size with the decimals of its lot, rounded to fewer where they do not fit in ``width``."""
    for places in range(decimals(step), -1, -1):
        text = rounded(value, places)
        if len(text) <= width and (text != "0" or not value):
            return text
    short = compact(value)
    return short if len(short) <= width else fit(short, width)


def average(value: Decimal | None, tick: Decimal | None) -> str:
    """An average price with one decimal more than its tick."""
    return rounded(value, 4 if tick is None else decimals(tick) + 1)


def money(value: Decimal | None, *, sign: bool = False) -> str:
    """An amount of money to the cent with thousands separators; whole units from a hundred thousand on."""
    if value is None:
        return NONE
    places = 0 if abs(value) >= 100_000 else 2
    short = value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN)
    if short == 0:
        return "0" if value == 0 else ("<0.01" if value > 0 else ">-0.01")
    return f"{short:{'+' if sign else ''},.{places}f}"


def compact(value: Decimal | None, *, sign: bool = False) -> str:
    """A notional in at most seven characters: ``950``, ``12.4k``, ``1.24M``, ``3.10B``."""
    if value is None:
        return NONE
    if value == 0:
        return "0"
    plus = "+" if sign else ""
    for scale, letter in ((1, ""), (1_000, "k"), (1_000_000, "M")):
        if abs(value) < Decimal("999.5") * scale:
            return _three_digits(value / scale, plus) + letter
    return _three_digits(value / 1_000_000_000, plus) + "B"


def _three_digits(value: Decimal, plus: str) -> str:
    size = abs(value)
    places = 2 if size < Decimal("9.995") else 1 if size < Decimal("99.95") else 0
    return f"{value:{plus},.{places}f}"


def percent(part: Decimal, whole: Decimal) -> str:
    """``part`` of ``whole`` as a whole percentage, rounded down: 100% only when all of it is there."""
    return NONE if whole == 0 else f"{int(part * 100 / whole)}%"


def age(now_ns: int, then_ns: int) -> str:
    """How long ago ``then_ns`` was, in at most five characters; ``-`` for a time that never was (0).

    A time ahead of ``now_ns`` (clocks differ a little between threads and venues) counts as now.
    """
    return NONE if not then_ns else span(now_ns - then_ns)


def span(duration_ns: int) -> str:
    """A duration: ``0s`` ``9s`` ``3m05`` ``2h10`` ``4d``."""
    seconds = max(0, duration_ns) // _SECOND
    if seconds < 60:
        return f"{seconds}s"
    if seconds < 3_600:
        return f"{seconds // 60}m{seconds % 60:02}"
    if seconds < _DAY:
        return f"{seconds // 3_600}h{seconds % 3_600 // 60:02}"
    return f"{seconds // _DAY}d"


def clock(ts_ns: int, *, millis: bool = True) -> str:
    """The time of day (UTC) of ``ts_ns``: ``14:03:27.018``."""
    if not ts_ns:
        return NONE
    seconds, rest = divmod(ts_ns, _SECOND)
    of_day = seconds % _DAY
    text = f"{of_day // 3_600:02}:{of_day % 3_600 // 60:02}:{of_day % 60:02}"
    return f"{text}.{rest // 1_000_000:03}" if millis else text


def micros(value: int | None) -> str:
    """A latency given in microseconds, in at most five characters: ``85u``, ``1.2ms``, ``340ms``, ``2.1s``."""
    if value is None:
        return NONE
    if value < 1_000:
        return f"{value}u"
    if value < 10_000:
        return f"{value // 1_000}.{value % 1_000 // 100}ms"
    if value < 1_000_000:
        return f"{value // 1_000}ms"
    return f"{value // 1_000_000}.{value % 1_000_000 // 100_000}s"


def short_id(cloid: str) -> str:
    """The start of a client order id: enough to name it in a command."""
    return cloid.removeprefix("0x")[:6] or NONE


_LONG_ID = re.compile(r"\b[0-9a-f]{12,}\b")


def brief(line: str) -> str:
    """A command line for reading: long order ids cut to their start."""
    return _LONG_ID.sub(lambda found: short_id(found[0]), line)


def contract(venue: str, ticker: str) -> str:
    """A contract as the command grammar names it."""
    return f"{venue}:{ticker}"


def side(amount: Decimal) -> str:
    """``buy`` or ``sell``, from the sign of an amount."""
    return "buy" if amount >= 0 else "sell"


def status(name: str) -> str:
    """An order status in words with its symbol; a status not known here is shown as it came."""
    return STATUS.get(name, name.lower())


def hedge_state(name: str) -> str:
    """A hedge state in words with its symbol; a state not known here is shown as it came."""
    return HEDGE_STATE.get(name, name)


def count(quantity: int, noun: str, plural: str = "") -> str:
    """``1 order``, ``3 orders``."""
    return f"{quantity} {noun if quantity == 1 else plural or noun + 's'}"


def trailing_zeros(text: str) -> int:
    """How many characters at the end of a written number say nothing (zeros after the decimal point)."""
    if "." not in text:
        return 0
    kept = text.rstrip("0").removesuffix(".")
    return len(text) - len(kept)


def fit(text: str, width: int) -> str:
    """``text`` in at most ``width`` characters, an ellipsis where it was cut."""
    if len(text) <= width:
        return text
    return text[: max(0, width - 1)] + "…" if width > 0 else ""
