"""What the public trades add up to: candles, the last day, the direction of the last price. Pure.

Kept by the minute for a day; longer candles are made of these.
"""

from collections import deque
from decimal import Decimal

import msgspec

from gateways.paper.bybit import numbers
from gateways.paper.records import Traded
from gateways.standards import ZERO, Contract

MINUTE_MS = 60_000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000
MINUTES_KEPT = 1_440

INTERVALS_MS = {
    **{str(minutes): minutes * MINUTE_MS for minutes in (1, 3, 5, 15, 30, 60, 120, 240, 360, 720)},
    "D": DAY_MS,
    "W": 7 * DAY_MS,
    "M": 30 * DAY_MS,
}
"""The intervals that candles may be asked for."""


class Candle(msgspec.Struct, frozen=True):
    """The trades of one span, at least one. ``volume`` is base units, ``turnover`` quote units."""

    start_ms: int
    first: Decimal
    high: Decimal
    low: Decimal
    last: Decimal
    volume: Decimal
    turnover: Decimal

    def row(self, contract: Contract) -> list[str]:
        """The candle as the query states it."""
        prices = (numbers.price(contract, each) for each in (self.first, self.high, self.low, self.last))
        return [str(self.start_ms), *prices, numbers.quantity(contract, self.volume), numbers.plain(self.turnover)]


class Day(msgspec.Struct, frozen=True):
    """The trades of the last 24 hours; prices are None where there were none."""

    first: Decimal | None = None
    high: Decimal | None = None
    low: Decimal | None = None
    last: Decimal | None = None
    volume: Decimal = ZERO
    turnover: Decimal = ZERO


class Tape:
    """The candles of every contract."""

    def __init__(self) -> None:
        self._minutes: dict[str, deque[Candle]] = {}
        self._directions: dict[str, str] = {}
        self._pasts: dict[str, _Past] = {}

    def add(self, trade: Traded) -> str:
        """Take in a trade; return the direction of its price: ``PlusTick``, ``ZeroPlusTick`` and so on."""
        minutes = self._minutes.setdefault(trade.ticker, deque(maxlen=MINUTES_KEPT))
        start = numbers.milliseconds(trade.ts_ns) // MINUTE_MS * MINUTE_MS
        before = self.direction(trade.ticker)
        last = minutes[-1].last if minutes else trade.price
        direction = "PlusTick" if trade.price > last else "MinusTick" if trade.price < last else before
        if trade.price == last and not before.startswith("Zero"):
            direction = f"Zero{before}"
        self._directions[trade.ticker] = direction
        price, value = trade.price, trade.price * trade.quantity
        one = Candle(start, price, price, price, price, trade.quantity, value)
        if minutes and minutes[-1].start_ms == start:
            minutes[-1] = _joined(start, minutes[-1], one)
        else:
            minutes.append(one)
        return direction

    def direction(self, ticker: str) -> str:
        """The direction of the last price."""
        return self._directions.get(ticker, "ZeroPlusTick")

    def candles(self, ticker: str, interval: str) -> list[Candle]:
        """The candles of an interval, oldest first."""
        span, found = INTERVALS_MS[interval], list[Candle]()
        for minute in self._minutes.get(ticker, ()):
            start = minute.start_ms // span * span
            if found and found[-1].start_ms == start:
                found[-1] = _joined(start, found[-1], minute)
            else:
                found.append(msgspec.structs.replace(minute, start_ms=start))
        return found

    def day(self, ticker: str, now_ms: int) -> Day:
        """The last 24 hours."""
        minutes = self._minutes.get(ticker)
        if not minutes:
            return Day()
        past = self._past_of(ticker, now_ms).whole
        now = minutes[-1] if minutes[-1].start_ms > now_ms - DAY_MS else None
        whole = past if now is None else now if past is None else _joined(past.start_ms, past, now)
        if whole is None:
            return Day()
        return Day(whole.first, whole.high, whole.low, whole.last, whole.volume, whole.turnover)

    def hour_ago(self, ticker: str, now_ms: int) -> Decimal | None:
        """The first price of the last hour."""
        return self._past_of(ticker, now_ms).hour_ago

    def _past_of(self, ticker: str, now_ms: int) -> "_Past":
        """What the minutes but the last add up to: anew with each minute of the clock, and each minute that traded."""
        minutes = self._minutes.get(ticker)
        key = (now_ms // MINUTE_MS, minutes[-1].start_ms if minutes else 0)
        past = self._pasts.get(ticker)
        if past is None or past.key != key:
            whole: Candle | None = None
            hour_ago: Decimal | None = None
            for minute in minutes or ():
                if hour_ago is None and minute.start_ms > now_ms - HOUR_MS:
                    hour_ago = minute.first
                if minutes and minute is not minutes[-1] and minute.start_ms > now_ms - DAY_MS:
                    whole = minute if whole is None else _joined(whole.start_ms, whole, minute)
            past = self._pasts[ticker] = _Past(key, whole, hour_ago)
        return past


class _Past(msgspec.Struct, frozen=True):
    """What is kept of the past of a contract, so that it is not summed up for every ticker."""

    key: tuple[int, int]
    whole: Candle | None
    hour_ago: Decimal | None


def _joined(start_ms: int, one: Candle, other: Candle) -> Candle:
    return Candle(
        start_ms,
        one.first,
        max(one.high, other.high),
        min(one.low, other.low),
        other.last,
        one.volume + other.volume,
        one.turnover + other.turnover,
    )
