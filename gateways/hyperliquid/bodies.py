"""The answers of Hyperliquid's info and exchange endpoints, one function each, and the recognition of any by its shape.

The functions take a body as text or parsed, and raise DecodeError for one without its documented form.
"""

from collections.abc import Callable, Iterable
from typing import Any

from gateways.contracts import Contracts
from gateways.errors import DecodeError
from gateways.hyperliquid import translate
from gateways.hyperliquid.answers import acks
from gateways.hyperliquid.wire import (
    AssetContext,
    ClearinghouseState,
    OrderChange,
    OrderStatusBody,
    SliceFill,
    Source,
    SpotBalance,
    SpotState,
    Universe,
    WireBook,
    WireFill,
    WireOrder,
    WireTrade,
    read,
)
from gateways.standards import (
    BalanceUpdate,
    BookUpdate,
    Contract,
    Event,
    FillEvent,
    MarkUpdate,
    OrderUpdate,
    PositionUpdate,
    Reject,
    RejectReason,
)


def contracts(body: Source, venue: str) -> list[Contract]:
    """The perpetuals of a ``meta`` answer, delisted ones with ``trading`` false."""
    return list(translate.contracts_of(venue, read(Universe, body, venue).universe))


def account(body: Source, venue: str) -> tuple[list[PositionUpdate], list[BalanceUpdate]]:
    """The open positions and the money of a ``clearinghouseState`` answer."""
    events = list(translate.account_updates(venue, read(ClearinghouseState, body, venue)))
    positions = [event for event in events if isinstance(event, PositionUpdate)]
    return positions, [event for event in events if isinstance(event, BalanceUpdate)]


def open_orders(body: Source, venue: str) -> list[OrderUpdate]:
    """The orders of an ``openOrders`` or ``frontendOpenOrders`` answer; the former does not say what was filled."""
    return [translate.order_update(venue, order) for order in read(list[WireOrder], body, venue)]


def order(body: Source, venue: str) -> OrderUpdate | None:
    """The order of an ``orderStatus`` answer; None when the venue says that it knows of none.

    The answer is written when the status changes: for an open order ``filled`` is what it was then, a lower bound.
    """
    answer = read(OrderStatusBody, body, venue)
    if answer.status == "unknownOid":
        return None
    if answer.status != "order" or answer.order is None:
        raise DecodeError(venue, "order", f"status {answer.status!r} without an order")
    return _changed(answer.order, venue)


def created_ns(body: Source, venue: str) -> int:
    """When the order of an ``orderStatus`` answer was created, 0 where there is none."""
    answer = read(OrderStatusBody, body, venue)
    return 0 if answer.order is None else translate.nanoseconds(answer.order.order.timestamp)


def fills(body: Source, venue: str, user: str = "") -> list[FillEvent]:
    """The fills of a ``userFills`` or ``userFillsByTime`` answer for ``user``, in its order, each a snapshot."""
    rows = read(list[WireFill], body, venue)
    return [translate.fill_event(venue, fill, user=user, snapshot=True) for fill in rows if fill.sz]


def book(body: Source, venue: str) -> BookUpdate:
    """The book of an ``l2Book`` answer."""
    return translate.book_update(venue, read(WireBook, body, venue))


def marks(contexts: Iterable[AssetContext], known: Contracts) -> list[MarkUpdate]:
    """The marks of contexts that stand in the order of the universe; those of unknown contracts are left out."""
    named = ((known.by_venue_id(str(place)), context) for place, context in enumerate(contexts))
    updates = (translate.mark_update(known.venue, found.ticker, context) for found, context in named if found)
    return [update for update in updates if update is not None]


def _changed(change: OrderChange, venue: str) -> OrderUpdate:
    return translate.order_update(venue, change.order, change.status, change.status_timestamp)


# -------------------------------------------------------------- by their shape


def decode_body(body: Any, known: Contracts) -> list[Event]:
    """The events of a parsed answer whose question is not known; ``[]`` for one that an OMS does not need."""
    if isinstance(body, dict):
        return _by_keys(_OBJECTS, body, body, known)
    if isinstance(body, list) and body and isinstance(body[0], dict):
        return _by_keys(_LISTS, body[0], body, known)
    return []


def _by_keys(table: "_Table", keys: dict[str, Any], body: Any, known: Contracts) -> list[Event]:
    reader = next((reader for needed, reader in table if all(key in keys for key in needed)), None)
    return [] if reader is None else reader(body, known)


def _meta(body: Any, known: Contracts) -> list[Event]:
    return [*contracts(body, known.venue)]


def _account(body: Any, known: Contracts) -> list[Event]:
    positions, money = account(body, known.venue)
    return [*positions, *money]


def _spot_account(body: Any, known: Contracts) -> list[Event]:
    return [translate.spot_balance(known.venue, row) for row in read(SpotState, body, known.venue).balances]


def _spot_token(body: Any, known: Contracts) -> list[Event]:
    return [translate.spot_balance(known.venue, read(SpotBalance, body, known.venue))]


def _book(body: Any, known: Contracts) -> list[Event]:
    return [book(body, known.venue)]


def _order_status(body: Any, known: Contracts) -> list[Event]:
    found = order(body, known.venue)
    if found is not None:
        return [found]
    text = "no such order"
    return [Reject(venue=known.venue, code="unknownOid", text=text, reason=RejectReason.UNKNOWN_ORDER)]


def _status(body: Any, known: Contracts) -> list[Event]:
    """``status`` heads both an order's answer and the exchange's."""
    word = body["status"]
    if not isinstance(word, str):
        raise DecodeError(known.venue, "status", "a text was expected")
    if word in {"ok", "err"}:
        return [*acks(body, known.venue)]
    return _order_status(body, known) if word in {"order", "unknownOid"} else []


def _trade(body: Any, known: Contracts) -> list[Event]:
    return [translate.trade_event(known.venue, read(WireTrade, body, known.venue))]


def _metas(body: Any, known: Contracts) -> list[Event]:
    """``metaAndAssetCtxs`` (a universe and its contexts) or ``allPerpMetas`` (a universe for each dex)."""
    venue = known.venue
    if len(body) == 2 and isinstance(body[1], list):
        listed = contracts(body[0], venue)
        return [*listed, *marks(read(list[AssetContext], body[1], venue), Contracts(venue, listed))]
    events: list[Event] = []
    for dex, universe in enumerate(read(list[Universe], body, venue)):
        if universe.collateral_token == 0:  # what settles in another token than USDC is refused until it is built
            events += translate.contracts_of(venue, universe.universe, dex)
    return events


def _orders(body: Any, known: Contracts) -> list[Event]:
    return [*open_orders(body, known.venue)]


def _history(body: Any, known: Contracts) -> list[Event]:
    return [_changed(change, known.venue) for change in read(list[OrderChange], body, known.venue)]


def _fills(body: Any, known: Contracts) -> list[Event]:
    return [*fills(body, known.venue)]


def _slices(body: Any, known: Contracts) -> list[Event]:
    venue = known.venue
    rows = read(list[SliceFill], body, venue)
    return [translate.fill_event(venue, row.fill, snapshot=True) for row in rows if row.fill.sz]


def _trades(body: Any, known: Contracts) -> list[Event]:
    return [translate.trade_event(known.venue, trade) for trade in read(list[WireTrade], body, known.venue)]


_Table = tuple[tuple[tuple[str, ...], Callable[[Any, Contracts], list[Event]]], ...]

_OBJECTS: _Table = (
    (("assetPositions",), _account),
    (("clearinghouseState",), lambda body, known: _account(body["clearinghouseState"], known)),
    (("universe", "tokens"), lambda _body, _known: []),  # spotMeta
    (("universe",), _meta),
    (("balances",), _spot_account),
    (("coin", "total"), _spot_token),
    (("coin", "levels"), _book),
    (("order", "statusTimestamp"), lambda body, known: _history([body], known)),
    (("status",), _status),
    (("statuses",), lambda body, known: [*acks(body, known.venue)]),
    (("coin", "px", "sz", "side", "tid"), _trade),
)
"""What an object is, by the keys that it has; the first that fits."""

_LISTS: _Table = (
    (("universe",), _metas),
    (("order", "status"), _history),
    (("limitPx", "oid"), _orders),
    (("px", "oid"), _fills),
    (("px", "tid"), _trades),
    (("fill",), _slices),
)
"""What a list is, by the keys of its first element."""
