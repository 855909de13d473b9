"""One message of Hyperliquid in, standard events out. Pure: no I/O, no clock, no state.

``decode`` takes anything that the venue sends: a websocket message, or the body of an answer. A type that an OMS does
not need gives ``[]``; a known one without its documented form raises DecodeError.
Source: the "WebSocket subscriptions" and "Post requests" pages of the venue's API documentation.
"""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from gateways.contracts import Contracts
from gateways.errors import DecodeError
from gateways.hyperliquid import translate
from gateways.hyperliquid.answers import acks, reject
from gateways.hyperliquid.bodies import decode_body, marks
from gateways.hyperliquid.wire import (
    AccountState,
    ActiveAssetContext,
    BestPrices,
    ClearinghouseState,
    Envelope,
    EveryAccountState,
    EveryAssetContext,
    OpenOrders,
    OrderChange,
    PostReply,
    Source,
    SpotAccountState,
    UserEvent,
    UserFills,
    WireBook,
    WireTrade,
    read,
)
from gateways.standards import Event, OrderStatus, OrderUpdate, PositionUpdate

GREETING = "Websocket connection established."
"""The first frame of a connection, which is not JSON."""


def decode(raw: Source, contracts: Contracts) -> list[Event]:
    """The events of one message, text or parsed. Raises DecodeError naming the venue and the field."""
    if isinstance(raw, bytes | str):
        if raw[: len(GREETING)] in {GREETING, GREETING.encode()}:
            return []
        try:
            envelope = read(Envelope, raw, contracts.venue)
        except DecodeError:
            return _decode_parsed(read(object, raw, contracts.venue), contracts)
        return decode_channel(envelope.channel, envelope.data, contracts)
    return _decode_parsed(raw, contracts)


def _decode_parsed(message: Any, contracts: Contracts) -> list[Event]:
    if isinstance(message, dict) and isinstance(message.get("channel"), str):
        return decode_channel(message["channel"], _unread(message.get("data"), contracts.venue), contracts)
    return decode_body(message, contracts)


def _unread(data: Any, venue: str) -> msgspec.Raw:
    """Parsed data as it was on the wire: a text in it is a value, not something to be parsed."""
    try:
        return msgspec.Raw(msgspec.json.encode(data))
    except (TypeError, ValueError, RecursionError) as error:
        raise DecodeError(venue, "json", str(error)) from error


def decode_channel(channel: str, data: Any, contracts: Contracts) -> list[Event]:
    """The events of a channel's data, unread (``msgspec.Raw``) or parsed. Raises DecodeError."""
    reader = _CHANNELS.get(channel)
    return [] if reader is None else reader(data, contracts)


def is_known(channel: str) -> bool:
    """Whether a channel is one that we read or leave out on purpose."""
    return channel in _CHANNELS or channel in _LEFT_OUT


def _order_updates(data: Any, contracts: Contracts) -> list[Event]:
    venue = contracts.venue
    return [
        translate.order_update(venue, change.order, change.status, change.status_timestamp)
        for change in read(list[OrderChange], data, venue)
    ]


def _user_fills(data: Any, contracts: Contracts) -> list[Event]:
    venue = contracts.venue
    message = read(UserFills, data, venue)
    return [
        translate.fill_event(venue, fill, user=message.user, snapshot=message.is_snapshot)
        for fill in message.fills
        if fill.sz
    ]


def _user_event(data: Any, contracts: Contracts) -> list[Event]:
    """The ``user`` channel, which a subscription to ``userEvents`` gives."""
    venue = contracts.venue
    message = read(UserEvent, data, venue)
    fills: list[Event] = [translate.fill_event(venue, fill) for fill in message.fills if fill.sz]
    slices: list[Event] = [translate.fill_event(venue, row.fill) for row in message.twap_slice_fills if row.fill.sz]
    cancelled: list[Event] = [
        OrderUpdate(
            venue=venue, ticker=gone.coin, oid=str(gone.oid), status=OrderStatus.CANCELLED, label="nonUserCancel"
        )
        for gone in message.non_user_cancel
    ]
    return fills + slices + cancelled


def _book(data: Any, contracts: Contracts) -> list[Event]:
    return [translate.book_update(contracts.venue, read(WireBook, data, contracts.venue))]


def _best_prices(data: Any, contracts: Contracts) -> list[Event]:
    return [translate.quote_update(contracts.venue, read(BestPrices, data, contracts.venue))]


def _trades(data: Any, contracts: Contracts) -> list[Event]:
    return [translate.trade_event(contracts.venue, trade) for trade in read(list[WireTrade], data, contracts.venue)]


def _asset_context(data: Any, contracts: Contracts) -> list[Event]:
    message = read(ActiveAssetContext, data, contracts.venue)
    mark = translate.mark_update(contracts.venue, message.coin, message.ctx)
    return [] if mark is None else [mark]


def _every_asset_context(data: Any, contracts: Contracts) -> list[Event]:
    message = read(EveryAssetContext, data, contracts.venue)
    return [mark for dex, contexts in message.ctxs if not dex for mark in marks(contexts, contracts)]


def _account_state(data: Any, contracts: Contracts) -> list[Event]:
    message = read(AccountState, data, contracts.venue)
    return _account_of([(message.dex, message.clearinghouse_state)], contracts)


def _every_account_state(data: Any, contracts: Contracts) -> list[Event]:
    return _account_of(read(EveryAccountState, data, contracts.venue).clearinghouse_states, contracts)


def _account_of(states: Iterable[tuple[str, ClearinghouseState]], contracts: Contracts) -> list[Event]:
    """The money of another dex is apart from, and would be named like, that of the venue's own: it is left out."""
    return [
        event
        for dex, state in states
        for event in translate.account_updates(contracts.venue, state)
        if not dex or isinstance(event, PositionUpdate)
    ]


def _open_orders(data: Any, contracts: Contracts) -> list[Event]:
    return [translate.order_update(contracts.venue, order) for order in read(OpenOrders, data, contracts.venue).orders]


def _spot_state(data: Any, contracts: Contracts) -> list[Event]:
    state = read(SpotAccountState, data, contracts.venue).spot_state
    return [translate.spot_balance(contracts.venue, row) for row in state.balances]


def _post(data: Any, contracts: Contracts) -> list[Event]:
    reply = read(PostReply, data, contracts.venue)
    payload, request_id = reply.response.payload, str(reply.id)
    if reply.response.type == "error":
        return [reject(contracts.venue, str(payload), request_id)]
    if reply.response.type == "action":
        return [*acks(payload, contracts.venue, request_id)]
    return decode_body(payload.get("data"), contracts) if isinstance(payload, dict) else []


def _error(data: Any, contracts: Contracts) -> list[Event]:
    return [reject(contracts.venue, read(str, data, contracts.venue))]


_CHANNELS: dict[str, Callable[[Any, Contracts], list[Event]]] = {
    "orderUpdates": _order_updates,
    "userFills": _user_fills,
    "user": _user_event,
    "userEvents": _user_event,
    "l2Book": _book,
    "bbo": _best_prices,
    "trades": _trades,
    "activeAssetCtx": _asset_context,
    "allDexsAssetCtxs": _every_asset_context,
    "clearinghouseState": _account_state,
    "webData2": _account_state,
    "allDexsClearinghouseState": _every_account_state,
    "openOrders": _open_orders,
    "spotState": _spot_state,
    "post": _post,
    "error": _error,
}
"""What is read of each channel."""

_LEFT_OUT = frozenset(
    {
        "subscriptionResponse",
        "pong",
        "allMids",
        "candle",
        "notification",
        "activeSpotAssetCtx",
        "activeAssetData",
        "assetCtxs",
        "spotAssetCtxs",
        "userFundings",
        "userNonFundingLedgerUpdates",
        "userHistoricalOrders",
        "userTwapSliceFills",
        "userTwapHistory",
        "twapStates",
        "webData3",
    }
)
"""Channels without anything that an OMS needs, or that repeat what another says."""
