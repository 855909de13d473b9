"""The limits' tables of a profile, as its file writes them, and the values that the engine keeps, made of them.

A limit is a number, which refuses (``order_notional = 5000``), or a table with the end that asks
(``order_notional = { soft = 1000, hard = 5000 }``).
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from pydantic import Field, PlainValidator, WithJsonSchema

from console.config.messages import nearest, shown
from console.config.numbers import NUMBER_SCHEMA, WHOLE_SCHEMA, Amount, amount, whole
from console.config.table import Table
from oms import limits
from oms.limits import Limit, Window

L = TypeVar("L", Limit, Window)
S = TypeVar("S", bound=msgspec.Struct)

_ENDS = ("hard", "soft")


def _ends(make: Callable[..., L], read: Callable[[object], Decimal | int]) -> Callable[[object], L]:
    def validate(value: object) -> L:
        table = value if isinstance(value, dict) else {"hard": value}
        for name in table:
            if name not in _ENDS:
                raise ValueError(f"{shown(name)} is no end of a limit: {nearest(str(name), _ENDS)}")
        if not table:
            raise ValueError("needs a hard or a soft end, like { soft = 1000, hard = 5000 }")
        return make(**{name: Decimal(read(end)) for name, end in table.items()})

    return validate


def _schema(end: dict[str, Any]) -> dict[str, Any]:
    table = {"type": "object", "properties": dict.fromkeys(_ENDS, end), "additionalProperties": False}
    return {"anyOf": [end, {**table, "minProperties": 1}]}


Bound = Annotated[Limit, PlainValidator(_ends(Limit, amount)), WithJsonSchema(_schema(NUMBER_SCHEMA))]
CountBound = Annotated[Limit, PlainValidator(_ends(Limit, whole)), WithJsonSchema(_schema(WHOLE_SCHEMA))]
Seconds = Annotated[Window, PlainValidator(_ends(Window, amount)), WithJsonSchema(_schema(NUMBER_SCHEMA))]


class InstrumentTable(Table):
    """Limits for each contract by itself."""

    order_quantity: Bound | None = None
    """Largest order, base units."""
    order_notional: Bound | None = None
    """Largest order, quote units."""
    position_quantity: Bound | None = None
    """Largest position in the contract, base units, working orders taken as filled."""
    position_notional: Bound | None = None
    """Largest position in the contract, quote units, working orders taken as filled."""
    open_orders: CountBound | None = None
    """Most working orders in the contract."""
    collar_mid_bps: Bound | None = None
    """How far beyond the mid a price may be, in bps."""
    collar_last_bps: Bound | None = None
    """How far beyond the last trade a price may be, in bps."""
    duplicate_s: Seconds | None = None
    """Seconds in which the same order again is taken for a double key press."""
    unhedged_notional: Bound | None = None
    """Most that may be unhedged in one hedge book, quote units."""
    hedge_slippage_bps: Bound | None = None
    """How far beyond its best price hedging all that makers may ask for at once may take the book, in bps."""


class _Sums(Table):
    position_notional: Bound | None = None
    """Sum of the positions' sizes, quote units."""
    open_orders: CountBound | None = None
    """Most working orders."""
    orders_per_second: CountBound | None = None
    """New orders and amends in any second; cancels and hedges are never held back."""
    daily_turnover: Bound | None = None
    """Quote units filled since 00:00 UTC."""
    daily_loss: Bound | None = None
    """Quote units lost since 00:00 UTC, fees included."""


class DeskTable(_Sums):
    """Sums over everything."""

    unhedged_notional: Bound | None = None
    """Most that may wait to be hedged in all hedge books, quote units."""


class VenueTable(_Sums):
    """Sums over one venue, and the limits for each of its contracts."""

    leverage: Bound | None = None
    """What hedges that makers may ask for there may be worth, in times the free collateral: the account's leverage."""
    each: InstrumentTable = InstrumentTable()
    """For each contract of the venue, in the place of the desk's."""
    instrument: dict[str, InstrumentTable] = Field(default_factory=dict)
    """For single contracts by ticker, in the place of the venue's."""


class BaseTable(Table):
    """Net position of one base asset over all venues."""

    net_quantity: Bound | None = None
    """Largest net position, base units."""
    net_notional: Bound | None = None
    """Largest net position, quote units."""


class LimitsTable(Table):
    """What the desk may do at most. What is not set is not limited."""

    desk: DeskTable = DeskTable()
    """Sums over everything."""
    each: InstrumentTable = InstrumentTable()
    """For each contract; a venue's own and a contract's own values stand in their place."""
    each_base: BaseTable = BaseTable()
    """For each base asset."""
    base: dict[str, BaseTable] = Field(default_factory=dict)
    """For single base assets by name, in the place of those of each."""
    venue: dict[str, VenueTable] = Field(default_factory=dict)
    """By the venue's alias."""
    hedgeability: Literal["off", "ask", "refuse"] = "refuse"
    """What becomes of a maker that surely could not be hedged now: nothing, a question, or it is refused."""
    flatten_slippage_bps: Annotated[Amount, Field(gt=0, le=2_000)] | None = None
    """How far through the market a flatten may trade, in basis points (50); what is beyond is left, and told."""

    def values(self) -> limits.Limits:
        """The limits as the engine keeps them."""
        return limits.Limits(
            desk=_made(limits.DeskLimits, self.desk),
            each=_made(limits.InstrumentLimits, self.each),
            each_base=_made(limits.BaseLimits, self.each_base),
            venues={alias: _made(limits.VenueLimits, table) for alias, table in self.venue.items()},
            at_venue={alias: _made(limits.InstrumentLimits, table.each) for alias, table in self.venue.items()},
            instruments={
                (alias, ticker): _made(limits.InstrumentLimits, own)
                for alias, table in self.venue.items()
                for ticker, own in table.instrument.items()
            },
            bases={name: _made(limits.BaseLimits, table) for name, table in self.base.items()},
            hedgeability=_HEDGEABILITY[self.hedgeability],
            flatten_slippage_bps=self.flatten_slippage_bps or limits.FLATTEN_SLIPPAGE_BPS,
        )


_HEDGEABILITY = {"off": limits.Verdict.PASS, "ask": limits.Verdict.ASK, "refuse": limits.Verdict.REFUSE}


def _made(kind: type[S], table: Table) -> S:
    values: Mapping[str, Any] = {name: getattr(table, name) for name in kind.__struct_fields__}
    return kind(**values)
