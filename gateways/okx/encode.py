"""Standard requests into signed OKX v5 requests. Pure: the time and the credentials are passed in.

The signature (HMAC-SHA256, base64) is over the timestamp, the method, the path with its query, and the body exactly as
they are sent ("Authentication"). Sizes go out in contracts. Over the websocket a contract is named by its
``instIdCode``, over HTTP by its ``instId``.
"""

import base64
import hmac
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import msgspec

from gateways.contracts import Contracts, is_multiple
from gateways.errors import Denied
from gateways.standards import (
    ZERO,
    AmendOrder,
    CancelAll,
    CancelOrder,
    Contract,
    Credentials,
    DeadMansSwitch,
    OrderKind,
    PlaceOrder,
    QueryBalances,
    QueryBook,
    QueryContracts,
    QueryFills,
    QueryOpenOrders,
    QueryOrder,
    QueryPositions,
    RejectReason,
    Request,
    Side,
    TimeInForce,
    WireRequest,
)

ACCEPTANCE_MS = 5_000
"""How long after its time an order or amend may still be taken: its ``expTime``, past which the venue refuses it
(50036, 50037). A cancel has none: a late one does no harm."""

FILLS_PAGE = 100
"""Most executions, and most open orders, in one answer."""

BATCH = 20
"""Most items in one batch of orders or of cancels; they may be of several contracts."""

MOST_LEVELS = 400
"""Most levels a side of a book that is asked for."""

SWITCH_S = (10, 120)
"""Shortest and longest timeout of the dead man's switch, in seconds."""

SUBSCRIPTIONS = (
    {"channel": "orders", "instType": "SWAP"},
    {"channel": "positions", "instType": "SWAP"},
    {"channel": "account"},
)
"""What the private stream subscribes to."""

_CLOID_LENGTH = 32
_TIF = {TimeInForce.GTC: "limit", TimeInForce.IOC: "ioc", TimeInForce.FOK: "fok"}

Params = list[tuple[str, str]]
Fields = dict[str, Any]


def sign(secret: str, payload: str) -> str:
    """The HMAC-SHA256 signature of ``payload``, in base64."""
    return base64.b64encode(hmac.digest(secret.encode(), payload.encode(), "sha256")).decode()


def plain(value: Decimal) -> str:
    """A decimal as the venue takes it: no exponent, no trailing zeros."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def timestamp(now_ms: int) -> str:
    """A time as headers carry it: ISO 8601 with milliseconds, UTC."""
    seconds, ms = divmod(now_ms, 1_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{ms:03d}Z"


def encode(
    request: Request, contracts: Contracts, credentials: Credentials, now_ms: int, *, request_id: str = ""
) -> WireRequest:
    """The signed HTTP request of a standard request. Raises Denied for one that the venue does not have.

    ``request_id``: what the news of an amend names it by (``reqId``); letters and digits, at most 32.
    """
    match request:
        case PlaceOrder() | AmendOrder() | CancelOrder():
            path, fields = _order_form(request, contracts, request_id)
            fields, expires = _named(request.ticker, fields), not isinstance(request, CancelOrder)
            return _post(f"/api/v5/trade/{path}", fields, credentials, now_ms, expires=expires)
        case CancelAll():
            raise Denied(contracts.venue, "the venue has no request that cancels all orders of a contract")
        case DeadMansSwitch():
            return _post("/api/v5/trade/cancel-all-after", _switch(request, contracts.venue), credentials, now_ms)
        case QueryContracts():
            return public("/api/v5/public/instruments", [("instType", "SWAP")])
        case QueryBook():
            depth = max(1, min(request.depth, MOST_LEVELS))
            return public("/api/v5/market/books", [("instId", request.ticker), ("sz", str(depth))])
        case _:
            path, params = _query_form(request, contracts.venue)
            return signed("GET", path, credentials, now_ms, params=_query(params))


def encode_ws(
    request: Request,
    contracts: Contracts,
    credentials: Credentials,  # noqa: ARG001 - the form that every venue has; here the login has proved who we are
    now_ms: int,
    request_id: str,
) -> bytes:
    """The websocket message of an order request, for a connection that is logged in.

    ``request_id``: letters and digits, at most 32; an amend's news carries it too. Raises Denied for a request that it
    does not have, and for a contract whose ``instIdCode`` the venue did not publish.
    """
    if not isinstance(request, PlaceOrder | AmendOrder | CancelOrder):
        raise Denied(contracts.venue, f"{type(request).__name__} does not go over the websocket")
    op, fields = _order_form(request, contracts, request_id)
    args = [{"instIdCode": _code(request.ticker, contracts), **fields}]
    return _message(request_id, op, args, now_ms, expires=not isinstance(request, CancelOrder))


def encode_batch(
    requests: Sequence[PlaceOrder] | Sequence[CancelOrder], contracts: Contracts, credentials: Credentials, now_ms: int
) -> WireRequest:
    """Several orders, or several cancels, in one HTTP request. Raises Denied."""
    items = [_named(each.ticker, _order_form(each, contracts, "")[1]) for each in requests]
    if isinstance(requests[0], PlaceOrder):
        return _post("/api/v5/trade/batch-orders", items, credentials, now_ms, expires=True)
    return _post("/api/v5/trade/cancel-batch-orders", items, credentials, now_ms)


def encode_batch_ws(
    requests: Sequence[PlaceOrder] | Sequence[CancelOrder], contracts: Contracts, now_ms: int, request_id: str
) -> bytes:
    """Several orders, or several cancels, in one message on a connection that is logged in. Raises Denied."""
    args = [{"instIdCode": _code(each.ticker, contracts), **_order_form(each, contracts, "")[1]} for each in requests]
    places = isinstance(requests[0], PlaceOrder)
    return _message(request_id, "batch-orders" if places else "batch-cancel-orders", args, now_ms, expires=places)


def check(request: PlaceOrder | CancelOrder, contracts: Contracts) -> None:
    """Raise Denied for a request that the venue cannot be asked: it would spoil the batch that it goes in."""
    _order_form(request, contracts, "")


def takes_websocket(ticker: str, contracts: Contracts) -> bool:
    """Whether orders of a contract can go over the websocket: the venue published its ``instIdCode``."""
    contract = contracts.get(ticker)
    return contract is not None and contract.venue_id.isdecimal()


# ------------------------------------------------------------------ requests that are not standard ones


def login(credentials: Credentials, now_ms: int) -> bytes:
    """Log a private connection in. The time is in whole seconds."""
    seconds = str(now_ms // 1_000)
    proof = {
        "apiKey": credentials.key,
        "passphrase": credentials.passphrase,
        "timestamp": seconds,
        "sign": sign(credentials.secret, f"{seconds}GET/users/self/verify"),
    }
    return msgspec.json.encode({"op": "login", "args": [proof]})


def subscription(op: str, args: Sequence[dict[str, str]]) -> bytes:
    """Subscribe to, or unsubscribe from, channels."""
    return msgspec.json.encode({"op": op, "args": args})


def server_time() -> WireRequest:
    """Ask for the venue's clock."""
    return public("/api/v5/public/time", [])


def account_config(credentials: Credentials, now_ms: int) -> WireRequest:
    """Ask how the account keeps positions (``posMode``)."""
    return signed("GET", "/api/v5/account/config", credentials, now_ms)


def quote_of(ticker: str) -> WireRequest:
    """Ask for the best bid and ask of a contract."""
    return public("/api/v5/market/ticker", [("instId", ticker)])


def open_orders(ticker: str | None, after: str, credentials: Credentials, now_ms: int) -> WireRequest:
    """Ask for a page of open orders, newest first, older than the order ``after`` (empty: from the newest)."""
    params = [("instType", "SWAP"), *_only(ticker), ("limit", str(FILLS_PAGE)), *([("after", after)] if after else [])]
    return signed("GET", "/api/v5/trade/orders-pending", credentials, now_ms, params=_query(params))


def fills(
    request: QueryFills, after: str, credentials: Credentials, now_ms: int, *, archived: bool = False
) -> WireRequest:
    """Ask for a page of executions, newest first, older than the bill ``after`` (empty: from the newest).

    ``archived``: of three months (``fills-history``) instead of three days.
    """
    path = "/api/v5/trade/fills-history" if archived else "/api/v5/trade/fills"
    params = [("instType", "SWAP"), *_only(request.ticker), ("begin", str(request.since_ns // 1_000_000))]
    params += [("limit", str(FILLS_PAGE)), *([("after", after)] if after else [])]
    return signed("GET", path, credentials, now_ms, params=_query(params))


def public(path: str, params: Params) -> WireRequest:
    """A request that needs no key."""
    return WireRequest(method="GET", path=path, params=_query(params))


def signed(
    method: str,
    path: str,
    credentials: Credentials,
    now_ms: int,
    *,
    params: str = "",
    body: bytes = b"",
    headers: dict[str, str] | None = None,
) -> WireRequest:
    """A request with its key, time and signature in its headers."""
    at = timestamp(now_ms)
    target = f"{path}?{params}" if params else path
    proof = {
        "OK-ACCESS-KEY": credentials.key,
        "OK-ACCESS-PASSPHRASE": credentials.passphrase,
        "OK-ACCESS-TIMESTAMP": at,
        "OK-ACCESS-SIGN": sign(credentials.secret, f"{at}{method}{target}{body.decode()}"),
    }
    return WireRequest(method=method, path=path, params=params, body=body, headers={**proof, **(headers or {})})


def _post(
    path: str, fields: Fields | list[Fields], credentials: Credentials, now_ms: int, *, expires: bool = False
) -> WireRequest:
    headers = {"Content-Type": "application/json"}
    if expires:
        headers["expTime"] = str(now_ms + ACCEPTANCE_MS)
    return signed("POST", path, credentials, now_ms, body=msgspec.json.encode(fields), headers=headers)


def _query(params: Params) -> str:
    return "&".join(f"{name}={quote(value, safe='')}" for name, value in params)


def _only(ticker: str | None) -> Params:
    return [("instId", ticker)] if ticker else []


def _query_form(
    request: QueryOrder | QueryOpenOrders | QueryFills | QueryPositions | QueryBalances, venue: str
) -> tuple[str, Params]:
    match request:
        case QueryOrder():
            named = _identified(request.cloid, request.oid, venue)
            return "/api/v5/trade/order", [("instId", request.ticker), *named.items()]
        case QueryOpenOrders():
            return "/api/v5/trade/orders-pending", [("instType", "SWAP"), *_only(request.ticker)]
        case QueryFills():
            since = [("begin", str(request.since_ns // 1_000_000)), ("limit", str(FILLS_PAGE))]
            return "/api/v5/trade/fills", [("instType", "SWAP"), *_only(request.ticker), *since]
        case QueryPositions():
            return "/api/v5/account/positions", [("instType", "SWAP")]
        case QueryBalances():
            return "/api/v5/account/balance", []


# ------------------------------------------------------------------ orders


def _message(request_id: str, op: str, args: list[Fields], now_ms: int, *, expires: bool) -> bytes:
    message: Fields = {"id": request_id, "op": op, "args": args}
    if expires:
        message["expTime"] = str(now_ms + ACCEPTANCE_MS)
    return msgspec.json.encode(message)


def _code(ticker: str, contracts: Contracts) -> int:
    code = _contract(ticker, contracts).venue_id
    if not code.isdecimal():
        raise Denied(contracts.venue, f"{ticker} has no instIdCode: its orders go over HTTP", field="ticker")
    return int(code)


def _order_form(
    request: PlaceOrder | AmendOrder | CancelOrder, contracts: Contracts, request_id: str
) -> tuple[str, Fields]:
    """What a request is called, and its fields but for the contract's name."""
    if isinstance(request, CancelOrder):
        return "cancel-order", _identified(request.cloid, request.oid, contracts.venue)
    contract = _contract(request.ticker, contracts)
    if isinstance(request, PlaceOrder):
        return "order", _place(request, contract)
    fields = _identified(request.cloid, request.oid, contract.venue)
    fields |= {"newSz": _size(request, contract), "newPx": _price(request.price, contract)}
    return "amend-order", {**fields, "reqId": request_id} if request_id else fields


def _named(ticker: str, fields: Fields) -> Fields:
    return {"instId": ticker, **fields}


def _place(order: PlaceOrder, contract: Contract) -> Fields:
    venue = contract.venue
    if not (order.cloid.isascii() and order.cloid.isalnum() and len(order.cloid) <= _CLOID_LENGTH):
        raise Denied(venue, f"{order.cloid!r} is not 1 to 32 letters and digits", field="cloid")
    size = _size(order, contract)
    fields: Fields = {
        "tdMode": "cross",
        "side": "buy" if order.side is Side.BUY else "sell",
        "sz": size,
        "clOrdId": order.cloid,
        **_terms(order, contract),
    }
    if order.reduce_only:
        fields["reduceOnly"] = True
    return fields


def _terms(order: PlaceOrder, contract: Contract) -> Fields:
    venue = contract.venue
    if order.price_rule is not None:
        raise Denied(venue, "the venue does not match price rules: give a price", field="price_rule")
    if order.kind is OrderKind.MARKET:
        if order.post_only:
            raise Denied(venue, "a market order cannot be post-only", field="post_only")
        return {"ordType": "market"}
    if order.post_only and order.tif is not TimeInForce.GTC:
        raise Denied(venue, f"post-only and {order.tif.value} exclude each other", field="tif")
    if order.price is None:
        raise Denied(venue, "a limit order has a price", field="price")
    return {"ordType": "post_only" if order.post_only else _TIF[order.tif], "px": _price(order.price, contract)}


def _size(order: PlaceOrder | AmendOrder, contract: Contract) -> str:
    """The quantity in contracts."""
    if not order.amount.is_finite() or not order.amount:
        raise Denied(contract.venue, f"an amount of {order.amount} is no order", field="amount")
    quantity = order.quantity
    if not is_multiple(quantity, contract.lot_size):
        # Contracts are found by division: what is no whole number of lots might not come out even.
        text = f"{plain(quantity)} is not a multiple of the lot {plain(contract.lot_size)}"
        raise Denied(contract.venue, text, field="amount", reason=RejectReason.LOT)
    return plain(quantity / contract.multiplier)


def _price(price: Decimal, contract: Contract) -> str:
    if not price.is_finite() or price <= ZERO:
        raise Denied(contract.venue, f"{price} is no price", field="price")
    return plain(price)


def _identified(cloid: str | None, oid: str | None, venue: str) -> Fields:
    if oid:
        if not oid.isdecimal():
            raise Denied(venue, f"{oid!r} is not an order id of this venue", field="oid")
        return {"ordId": oid}
    if cloid:
        return {"clOrdId": cloid}
    raise Denied(venue, "neither a cloid nor an oid names the order", field="oid")


def _switch(request: DeadMansSwitch, venue: str) -> Fields:
    if request.ticker is not None:
        raise Denied(venue, "the dead man's switch is for the whole account", field="ticker")
    seconds = -(-request.timeout_ms // 1_000)
    shortest, longest = SWITCH_S
    if request.timeout_ms and not shortest <= seconds <= longest:
        raise Denied(venue, f"a timeout is 0, or {shortest} to {longest} s", field="timeout_ms")
    return {"timeOut": str(seconds)}


def _contract(ticker: str, contracts: Contracts) -> Contract:
    contract = contracts.get(ticker)
    if contract is None:
        near = ", ".join(contracts.nearest(ticker))
        hint = f"; did you mean {near}?" if near else ""
        raise Denied(contracts.venue, f"there is no linear swap {ticker!r}{hint}", field="ticker")
    return contract
