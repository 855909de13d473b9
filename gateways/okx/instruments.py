"""The specifications of the venue's contracts: linear swaps alone, everything in base units.

Source: "Get instruments". Sizes, lots and limits are published in contracts of ``ctVal * ctMult`` base units. An
inverse contract is worth a fixed sum of dollars, so that its size in base units moves with the price: it is left out.
"""

from collections.abc import Iterable
from typing import Any

from gateways.okx import bodies, units, wire
from gateways.standards import ZERO, Contract


def instrument(row: Any, venue: str) -> Contract | None:
    """One contract; None for what is not a linear swap in its base asset, or lists no tick, lot or size yet."""
    if not isinstance(row, dict) or row.get("instType") != "SWAP" or row.get("ctType") != "linear":
        return None
    raw = bodies.typed(row, wire.Instrument, venue)
    base = raw.inst_id.partition("-")[0]
    if raw.ct_val_ccy != base or not (raw.ct_val and raw.tick_sz and raw.lot_sz and raw.min_sz):
        return None
    factor = units.number(raw.ct_val, venue, "ctVal") * units.number(raw.ct_mult or "1", venue, "ctMult")
    lot = units.number(raw.lot_sz, venue, "lotSz") * factor
    tick = units.number(raw.tick_sz, venue, "tickSz")
    if lot <= ZERO or tick <= ZERO:
        return None
    most = units.number_or_none(raw.max_lmt_sz, venue, "maxLmtSz")
    most_at_market = units.number_or_none(raw.max_mkt_sz, venue, "maxMktSz")
    return Contract(
        venue=venue,
        ticker=raw.inst_id,
        base=base,
        quote=raw.settle_ccy,
        tick_size=tick,
        lot_size=lot,
        min_quantity=units.number(raw.min_sz, venue, "minSz") * factor,
        min_notional=ZERO,
        max_quantity=most * factor if most else None,
        market_max_quantity=most_at_market * factor if most_at_market else None,
        multiplier=factor,
        venue_id=str(raw.inst_id_code or ""),
        trading=raw.state == "live",
    )


def instruments(data: Iterable[Any], venue: str) -> list[Contract]:
    """The linear swaps of a list."""
    return [found for row in data if (found := instrument(row, venue)) is not None]
