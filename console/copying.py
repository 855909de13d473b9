"""Rows of the screen as CSV for other programs: every field in full, however little of it fitted in a column. Pure."""

import csv
import io
from collections.abc import Iterable
from decimal import Decimal

import msgspec

from console import fmt
from console.times import stamp

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def rows_csv(rows: Iterable[msgspec.Struct]) -> str:
    """The rows under the names of their fields; rows of several kinds share what they have in common.

    Amounts keep all their digits, times are UTC to the nanosecond, what is not known is empty. A text that a
    spreadsheet would run as a formula is written with an apostrophe before it.
    """
    listed = list(rows)
    names = list(dict.fromkeys(name for row in listed for name in row.__struct_fields__ if name != "key"))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([_heading(name) for name in names])
    writer.writerows([_written(name, getattr(row, name, None)) for name in names] for row in listed)
    return out.getvalue()


def _heading(name: str) -> str:
    if name == "ts_ns":
        return "time"
    return f"time_{name.removeprefix('ts_').removesuffix('_ns')}" if _is_time(name) else name


def _is_time(name: str) -> bool:
    return name.startswith("ts_") and name.endswith("_ns")


def _written(name: str, value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return fmt.number(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return (stamp(value) if value else "") if _is_time(name) else str(value)
    if isinstance(value, tuple):
        return " ".join(_written(name, each) for each in value)
    if isinstance(value, msgspec.Struct):
        return "/".join(_written(name, each) for each in msgspec.structs.astuple(value))
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
