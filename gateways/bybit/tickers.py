"""The ticker of a linear contract: best bid and ask, mark and funding. Pure.

Source: "Ticker" of the public streams: a snapshot first, then deltas that hold only the fields that changed. A delta
alone does not name both sides of a quote; ``merged`` is for whoever keeps the state.
"""

from decimal import Decimal

import msgspec

from gateways.bybit import units, wire
from gateways.contracts import Contracts
from gateways.standards import Event, Level, MarkUpdate, QuoteUpdate


def merged(before: wire.Ticker | None, change: wire.Ticker) -> wire.Ticker:
    """The ticker after a change: a field that the change does not hold stays."""
    if before is None:
        return change
    fields = {name: value for name, value in msgspec.structs.asdict(change).items() if value is not None}
    return msgspec.structs.replace(before, **fields)


def events(ticker: wire.Ticker, contracts: Contracts, ts_ms: int) -> list[Event]:
    """The quote, where both sides are told, and the mark, where it is; an empty side of a quote is None."""
    return [*_quote(ticker, contracts, ts_ms), *_mark(ticker, contracts, ts_ms)]


def _quote(raw: wire.Ticker, contracts: Contracts, ts_ms: int) -> list[Event]:
    if raw.bid1_price is None or raw.bid1_size is None or raw.ask1_price is None or raw.ask1_size is None:
        return []
    venue = contracts.venue
    factor = units.multiplier_of(contracts, raw.symbol)
    return [
        QuoteUpdate(
            venue=venue,
            ticker=raw.symbol,
            bid=_side(raw.bid1_price, raw.bid1_size, factor, venue, "bid1Price"),
            ask=_side(raw.ask1_price, raw.ask1_size, factor, venue, "ask1Price"),
            ts_venue_ns=ts_ms * units.MS,
        )
    ]


def _side(price: str, size: str, factor: Decimal, venue: str, field: str) -> Level | None:
    at = units.price_or_none(price, factor, venue, field)
    quantity = units.number_or_none(size, venue, field.replace("Price", "Size"))
    return None if at is None or not quantity else Level(at, units.amount(quantity, 1, factor))


def _mark(raw: wire.Ticker, contracts: Contracts, ts_ms: int) -> list[Event]:
    venue = contracts.venue
    factor = units.multiplier_of(contracts, raw.symbol)
    mark = units.price_or_none(raw.mark_price, factor, venue, "markPrice")
    if mark is None:
        return []
    return [
        MarkUpdate(
            venue=venue,
            ticker=raw.symbol,
            mark=mark,
            index=units.price_or_none(raw.index_price, factor, venue, "indexPrice"),
            funding_rate=units.number_or_none(raw.funding_rate, venue, "fundingRate"),
            next_funding_ns=units.nanoseconds(raw.next_funding_time, venue, "nextFundingTime") or None,
            ts_venue_ns=ts_ms * units.MS,
        )
    ]
