"""Standard requests into signed Bybit v5 requests. Pure: the time and the credentials are passed in.

The signature (HMAC-SHA256, hex) is over timestamp, key, window and the query string or the JSON body, exactly as they
are sent ("Integration Guidance", "Authentication"). The order entry socket is signed once, when it is opened.
"""

import hmac
from collections.abc import Mapping, Sequence
from decimal import Decimal
from urllib.parse import quote

import msgspec

from gateways.contracts import Contracts
from gateways.errors import Denied
from gateways.standards import (
    AmendOrder,
    CancelAll,
    CancelOrder,
    Contract,
    Credentials,
    DeadMansSwitch,
    OrderKind,
    PlaceOrder,
    PriceRule,
    PriceSide,
    QueryBalances,
    QueryBook,
    QueryContracts,
    QueryFills,
    QueryOpenOrders,
    QueryOrder,
    QueryPositions,
    Request,
    Side,
    TimeInForce,
    WireRequest,
)

RECV_WINDOW_MS = 5_000
"""How long after its timestamp the venue may still take a request (10002 after that)."""

BOOK_DEPTH = 500
"""Most levels of a book query."""

CONTRACTS_PAGE, ORDERS_PAGE, POSITIONS_PAGE, FILLS_PAGE = 1_000, 50, 200, 100
"""Most rows in one answer."""

NATIVE_LEVELS = (1, 5)
"""Of our price levels those that the venue matches by itself (``bboLevel`` 1 to 5)."""

DCP_SECONDS = (3, 300)
"""Least and most seconds of the disconnection protection."""

BATCH = 20
"""Most items in a batch of orders or cancels of linear contracts ("Batch Place Order", "Batch Cancel Order")."""

Fields = dict[str, str | int | bool]
Params = list[tuple[str, str]]

_LINEAR: Params = [("category", "linear")]


def sign(secret: str, payload: str) -> str:
    """The HMAC-SHA256 signature of ``payload``, in hex."""
    return hmac.digest(secret.encode(), payload.encode(), "sha256").hex()


def plain(value: Decimal) -> str:
    """A decimal as the venue takes it: no exponent, no trailing zeros."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def encode(request: Request, contracts: Contracts, credentials: Credentials, now_ms: int) -> WireRequest:
    """The signed HTTP request of a standard request. Raises Denied for one that the venue does not have.

    Of a query that is answered in pages it is the first page; ``get`` makes the following ones.
    """
    match request:
        case PlaceOrder() | AmendOrder() | CancelOrder():
            op, fields = _order_form(request, contracts)
            return post(f"/v5/order/{op}", fields, credentials, now_ms)
        case CancelAll():
            fields = {"category": "linear", "symbol": request.ticker}
            return post("/v5/order/cancel-all", fields, credentials, now_ms)
        case DeadMansSwitch():
            return post("/v5/order/disconnected-cancel-all", _protection(request, contracts.venue), credentials, now_ms)
        case QueryContracts() | QueryBook():
            path, params = _public_form(request)
            return WireRequest(method="GET", path=path, params=_query(params))
        case _:
            path, params = _query_form(request, contracts.venue)
            return get(path, params, credentials, now_ms)


def encode_ws(request: Request, contracts: Contracts, now_ms: int, request_id: str) -> bytes:
    """The message of an order request on the order entry socket. Raises Denied for a request it does not have."""
    if not isinstance(request, PlaceOrder | AmendOrder | CancelOrder):
        raise Denied(contracts.venue, f"{type(request).__name__} does not go over the order entry socket")
    op, fields = _order_form(request, contracts)
    return _order_message(op, fields, now_ms, request_id)


def _order_message(op: str, fields: Mapping[str, object], now_ms: int, request_id: str) -> bytes:
    header = {"X-BAPI-TIMESTAMP": str(now_ms), "X-BAPI-RECV-WINDOW": str(RECV_WINDOW_MS)}
    return msgspec.json.encode({"reqId": request_id, "header": header, "op": f"order.{op}", "args": [fields]})


def encode_batch(
    requests: Sequence[PlaceOrder] | Sequence[CancelOrder], contracts: Contracts, credentials: Credentials, now_ms: int
) -> WireRequest:
    """Several orders, or several cancels, in one HTTP request. Raises Denied."""
    op, fields = _batch_form(requests, contracts)
    return post(f"/v5/order/{op}", fields, credentials, now_ms)


def encode_batch_ws(
    requests: Sequence[PlaceOrder] | Sequence[CancelOrder], contracts: Contracts, now_ms: int, request_id: str
) -> bytes:
    """Several orders, or several cancels, in one message on the order entry socket. Raises Denied."""
    op, fields = _batch_form(requests, contracts)
    return _order_message(op, fields, now_ms, request_id)


def check(request: PlaceOrder | CancelOrder, contracts: Contracts) -> None:
    """Raise Denied for a request that the venue cannot be asked: it would spoil the batch that it goes in."""
    _order_form(request, contracts)


def login(credentials: Credentials, expires_ms: int, request_id: str) -> bytes:
    """The message that opens a private stream or the order entry socket, valid until ``expires_ms``."""
    signature = sign(credentials.secret, f"GET/realtime{expires_ms}")
    # The private streams name the request req_id, the order entry socket reqId; each ignores the other's.
    message = {"req_id": request_id, "reqId": request_id, "op": "auth"}
    return msgspec.json.encode({**message, "args": [credentials.key, expires_ms, signature]})


def subscription(op: str, topics: list[str], request_id: str) -> bytes:
    """``subscribe`` or ``unsubscribe`` of topics."""
    return msgspec.json.encode({"req_id": request_id, "op": op, "args": topics})


def server_time() -> WireRequest:
    """Ask for the venue's clock."""
    return WireRequest(method="GET", path="/v5/market/time")


def ticker_of(ticker: str) -> WireRequest:
    """Ask for the ticker of a contract."""
    return WireRequest(method="GET", path="/v5/market/tickers", params=_query([*_LINEAR, ("symbol", ticker)]))


def contracts_page(cursor: str) -> WireRequest:
    """Ask for a page of contracts: the venue's default page does not hold all of them."""
    params = [*_LINEAR, ("limit", str(CONTRACTS_PAGE)), *_from(cursor)]
    return WireRequest(method="GET", path="/v5/market/instruments-info", params=_query(params))


def open_orders_page(named: tuple[str, str], cursor: str, credentials: Credentials, now_ms: int) -> WireRequest:
    """Ask for a page of open orders. ``named``: ``symbol`` or ``settleCoin``, one of which the venue needs."""
    params = [*_LINEAR, named, ("limit", str(ORDERS_PAGE)), *_from(cursor)]
    return get("/v5/order/realtime", params, credentials, now_ms)


def order_history(query: QueryOrder, venue: str, credentials: Credentials, now_ms: int) -> WireRequest:
    """Ask for an order that is no longer among the open and recently ended ones."""
    return get("/v5/order/history", _one_order(query.ticker, query.cloid, query.oid, venue), credentials, now_ms)


def positions_page(settle_coin: str, cursor: str, credentials: Credentials, now_ms: int) -> WireRequest:
    """Ask for a page of the positions that are margined in one coin."""
    params = [*_LINEAR, ("settleCoin", settle_coin), ("limit", str(POSITIONS_PAGE)), *_from(cursor)]
    return get("/v5/position/list", params, credentials, now_ms)


def fills_page(
    ticker: str | None, since_ms: int, until_ms: int, cursor: str, *, credentials: Credentials, now_ms: int
) -> WireRequest:
    """Ask for a page of executions between two times, at most seven days apart, newest first."""
    times = [("startTime", str(since_ms)), ("endTime", str(until_ms)), ("limit", str(FILLS_PAGE))]
    params = [*_LINEAR, *([("symbol", ticker)] if ticker else []), *times, *_from(cursor)]
    return get("/v5/execution/list", params, credentials, now_ms)


def get(path: str, params: Params, credentials: Credentials, now_ms: int) -> WireRequest:
    """A signed query."""
    query = _query(params)
    return WireRequest(method="GET", path=path, params=query, headers=_headers(query, credentials, now_ms))


def post(path: str, fields: Mapping[str, object], credentials: Credentials, now_ms: int) -> WireRequest:
    """A signed request with a JSON body."""
    body = msgspec.json.encode(fields)
    headers = _headers(body.decode(), credentials, now_ms) | {"Content-Type": "application/json"}
    return WireRequest(method="POST", path=path, body=body, headers=headers)


def _headers(payload: str, credentials: Credentials, now_ms: int) -> dict[str, str]:
    signed = f"{now_ms}{credentials.key}{RECV_WINDOW_MS}{payload}"
    return {
        "X-BAPI-API-KEY": credentials.key,
        "X-BAPI-TIMESTAMP": str(now_ms),
        "X-BAPI-RECV-WINDOW": str(RECV_WINDOW_MS),
        "X-BAPI-SIGN": sign(credentials.secret, signed),
    }


def _query(params: Params) -> str:
    # A cursor comes percent-encoded once already, and is sent as a value like any other.
    return "&".join(f"{name}={quote(value, safe='')}" for name, value in params)


def _from(cursor: str) -> Params:
    return [("cursor", cursor)] if cursor else []


def _public_form(request: QueryContracts | QueryBook) -> tuple[str, Params]:
    if isinstance(request, QueryContracts):
        return "/v5/market/instruments-info", [*_LINEAR, ("limit", str(CONTRACTS_PAGE))]
    depth = max(1, min(request.depth, BOOK_DEPTH))
    return "/v5/market/orderbook", [*_LINEAR, ("symbol", request.ticker), ("limit", str(depth))]


def _query_form(
    request: QueryOrder | QueryOpenOrders | QueryFills | QueryPositions | QueryBalances, venue: str
) -> tuple[str, Params]:
    match request:
        case QueryOrder():
            return "/v5/order/realtime", _one_order(request.ticker, request.cloid, request.oid, venue)
        case QueryOpenOrders():
            named = ("symbol", request.ticker) if request.ticker else ("settleCoin", "USDT")
            return "/v5/order/realtime", [*_LINEAR, named]
        case QueryFills():
            symbol = [("symbol", request.ticker)] if request.ticker else []
            since_ms = request.since_ns // 1_000_000
            times = [("startTime", str(since_ms)), ("limit", str(FILLS_PAGE))]
            return "/v5/execution/list", [*_LINEAR, *symbol, *times]
        case QueryPositions():
            return "/v5/position/list", [*_LINEAR, ("settleCoin", "USDT")]
        case QueryBalances():
            return "/v5/account/wallet-balance", [("accountType", "UNIFIED")]


def _protection(request: DeadMansSwitch, venue: str) -> Fields:
    """The disconnection protection: of the account's derivatives as a whole, in seconds, without an off."""
    least, most = DCP_SECONDS
    seconds = request.timeout_ms // 1_000
    if request.ticker is not None:
        raise Denied(venue, "the venue protects all contracts of the account at once", field="ticker")
    if not least <= seconds <= most:
        raise Denied(venue, f"the venue takes {least} to {most} seconds", field="timeout_ms")
    return {"product": "DERIVATIVES", "timeWindow": seconds}


def _contract(ticker: str, contracts: Contracts) -> Contract:
    contract = contracts.get(ticker)
    if contract is None:
        near = ", ".join(contracts.nearest(ticker))
        hint = f"; did you mean {near}?" if near else ""
        raise Denied(contracts.venue, f"there is no contract {ticker!r}{hint}", field="ticker")
    return contract


def _quantity(order: PlaceOrder | AmendOrder, contract: Contract) -> str:
    if not order.amount.is_finite() or not order.amount:
        raise Denied(contract.venue, f"an amount of {order.amount} is no order", field="amount")
    return plain(order.quantity if contract.multiplier == 1 else order.quantity / contract.multiplier)


def _price(price: Decimal, contract: Contract) -> str:
    if not price.is_finite() or price <= 0:
        raise Denied(contract.venue, f"{price} is no price", field="price")
    return plain(price if contract.multiplier == 1 else price * contract.multiplier)


def _order_form(request: PlaceOrder | AmendOrder | CancelOrder, contracts: Contracts) -> tuple[str, Fields]:
    match request:
        case PlaceOrder():
            return "create", _place(request, contracts)
        case AmendOrder():
            contract = _contract(request.ticker, contracts)
            size: Fields = {"qty": _quantity(request, contract), "price": _price(request.price, contract)}
            return "amend", dict(_one_order(request.ticker, request.cloid, request.oid, contracts.venue)) | size
        case CancelOrder():
            return "cancel", dict(_one_order(request.ticker, request.cloid, request.oid, contracts.venue))


def _batch_form(
    requests: Sequence[PlaceOrder] | Sequence[CancelOrder], contracts: Contracts
) -> tuple[str, dict[str, object]]:
    forms = [_order_form(each, contracts) for each in requests]
    items = [{name: value for name, value in fields.items() if name != "category"} for _, fields in forms]
    return f"{forms[0][0]}-batch", {"category": "linear", "request": items}


def _place(order: PlaceOrder, contracts: Contracts) -> Fields:
    contract = _contract(order.ticker, contracts)
    quantity = _quantity(order, contract)
    fields: Fields = {
        "category": "linear",
        "symbol": order.ticker,
        "side": "Buy" if order.side is Side.BUY else "Sell",
        "orderType": "Market" if order.kind is OrderKind.MARKET else "Limit",
        "qty": quantity,
        "orderLinkId": order.cloid,
    }
    if order.kind is OrderKind.LIMIT:
        fields |= _limit_terms(order, contract)
    elif order.post_only:
        raise Denied(contract.venue, "a market order cannot be post-only", field="post_only")
    if order.reduce_only:
        fields["reduceOnly"] = True
    return fields


def _limit_terms(order: PlaceOrder, contract: Contract) -> Fields:
    venue = contract.venue
    if order.post_only and order.tif is not TimeInForce.GTC:
        raise Denied(venue, f"post-only and {order.tif.value} exclude each other", field="tif")
    if (order.price is None) == (order.price_rule is None):
        raise Denied(venue, "a limit order has a price or a price rule: one of them", field="price")
    terms: Fields = {"timeInForce": "PostOnly" if order.post_only else order.tif.value}
    if order.price is not None:
        return {**terms, "price": _price(order.price, contract)}
    if order.post_only or order.price_rule is None or order.price_rule.level not in NATIVE_LEVELS:
        raise Denied(venue, f"the venue does not match the price rule {order.price_rule} itself", field="price_rule")
    return {**terms, **_matched(order.price_rule)}


def _matched(rule: PriceRule) -> Fields:
    side = "Queue" if rule.side is PriceSide.QUEUE else "Counterparty"
    return {"bboSideType": side, "bboLevel": str(rule.level)}


def _one_order(ticker: str, cloid: str | None, oid: str | None, venue: str) -> Params:
    if oid:
        return [*_LINEAR, ("symbol", ticker), ("orderId", oid)]
    if cloid:
        return [*_LINEAR, ("symbol", ticker), ("orderLinkId", cloid)]
    raise Denied(venue, "neither a cloid nor an oid names the order", field="oid")
