"""Recorded trades: reading a file of them, in either of two forms. No venue and no market here.

The forms are told apart by their columns:

* Binance public data, ``aggTrades`` (data.binance.vision), with or without its header:
  ``agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker``; spot files, and later ones,
  have more columns behind these or times in microseconds, both are taken;
* ``id,side,amount,price,timestamp_ms`` without a header, ``side`` being the aggressor's: ``buy`` or ``sell``.
"""

import csv
from collections.abc import Iterable, Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path

import msgspec


class RecordingError(ValueError):
    """A recording cannot be used; the text is one sentence for the operator."""


class RecordedTrade(msgspec.Struct, frozen=True):
    """One trade as it was recorded. ``is_buy``: the aggressor bought; time in nanoseconds, UTC."""

    is_buy: bool
    price: Decimal
    quantity: Decimal
    ts_ns: int


_AGGREGATE_COLUMNS = 7
_PLAIN_COLUMNS = 5
_BOOLEANS = {"true": True, "false": False}
_SIDES = {"buy": True, "sell": False}


def read_recording(path: Path) -> list[RecordedTrade]:
    """The trades of a file, oldest first. Raises RecordingError: no such file, unreadable, wrong columns, no trades."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as lines:
            trades = list(parse_recording(lines, str(path)))
    except FileNotFoundError:
        raise RecordingError(f"There is no file {path}.") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise RecordingError(f"{path} cannot be read: {error}.") from error
    if not trades:
        raise RecordingError(f"{path} has no trades in it.")
    trades.sort(key=lambda trade: trade.ts_ns)
    return trades


def parse_recording(lines: Iterable[str], name: str) -> Iterator[RecordedTrade]:
    """The trades of the lines of a file called ``name``, in their order. Raises RecordingError for a bad line."""
    for number, row in enumerate(csv.reader(lines), start=1):
        if not row or (number == 1 and _is_header(row)):
            continue
        try:
            trade = _parse_row(row)
        except (KeyError, ValueError, InvalidOperation):
            trade = None
        if trade is None or not (_is_positive(trade.price) and _is_positive(trade.quantity) and trade.ts_ns > 0):
            raise RecordingError(
                f"Line {number} of {name} is not a recorded trade: the columns are either "
                "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker "
                "or id,side,amount,price,timestamp_ms."
            )
        yield trade


def _is_header(row: list[str]) -> bool:
    return row[0].strip().lower() in {"agg_trade_id", "a", "id"}


def _parse_row(row: list[str]) -> RecordedTrade | None:
    cells = [cell.strip() for cell in row]
    if len(cells) == _PLAIN_COLUMNS:
        _, side, amount, price, milliseconds = cells
        return RecordedTrade(_SIDES[side.lower()], Decimal(price), Decimal(amount), _nanoseconds(milliseconds))
    if len(cells) >= _AGGREGATE_COLUMNS:
        _, price, quantity, _, _, milliseconds, buyer_is_maker = cells[:_AGGREGATE_COLUMNS]
        aggressor_buys = not _BOOLEANS[buyer_is_maker.lower()]
        return RecordedTrade(aggressor_buys, Decimal(price), Decimal(quantity), _nanoseconds(milliseconds))
    return None


def _is_positive(value: Decimal) -> bool:
    return value.is_finite() and value > 0


def _nanoseconds(text: str) -> int:
    # Binance's newer files count microseconds; a time in milliseconds has thirteen digits until the year 2286.
    time = int(text)
    return time * 1_000 if time >= 10**15 else time * 1_000_000
