"""Standard requests into signed Binance USD-M requests. Pure: the time and the credentials are passed in.

The signature (HMAC-SHA256, hex) is over the query string exactly as it is sent, its values percent-encoded before
("General Info", "Endpoint security type"); over the websocket API it is over the parameters sorted by name.
"""

import hmac
from collections.abc import Sequence
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
    QueryBalances,
    QueryBook,
    QueryContracts,
    QueryFills,
    QueryOpenOrders,
    QueryOrder,
    QueryPositions,
    Request,
    TimeInForce,
    WireRequest,
)

RECV_WINDOW_MS = 5_000
"""How long after its timestamp the venue may still take a request: at its door (-1021) and in the matching engine
(-5028), so that it bounds a late acceptance."""

BOOK_DEPTHS = (5, 10, 20, 50, 100, 500, 1000)
"""The depths that the venue takes."""

FILLS_PAGE = 1_000
"""Most executions in one answer."""

PLACE_BATCH, CANCEL_BATCH = 5, 10
"""Most orders, and most cancels of one contract, in one request ("Place Multiple Orders", "Cancel Multiple Orders")."""

Params = list[tuple[str, str]]

_WINDOW = ("recvWindow", str(RECV_WINDOW_MS))

_json = msgspec.json.Encoder().encode


def sign(secret: str, payload: str) -> str:
    """The HMAC-SHA256 signature of ``payload``, in hex."""
    return hmac.digest(secret.encode(), payload.encode(), "sha256").hex()


def plain(value: Decimal) -> str:
    """A decimal as the venue takes it: no exponent, no trailing zeros."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def price_match(rule: PriceRule) -> str:
    """The venue's name of a price rule: ``QUEUE``, ``OPPONENT_5``."""
    name = rule.side.name
    return name if rule.level == 1 else f"{name}_{rule.level}"


def encode(request: Request, contracts: Contracts, credentials: Credentials, now_ms: int) -> WireRequest:
    """The signed HTTP request of a standard request. Raises Denied for one that the venue does not have."""
    method, path, params = _rest_form(request, contracts)
    if isinstance(request, QueryContracts | QueryBook):
        return WireRequest(method=method, path=path, params=_query(params))
    return signed(method, path, params, credentials, now_ms)


def encode_ws(request: Request, contracts: Contracts, credentials: Credentials, now_ms: int, request_id: str) -> bytes:
    """The websocket API message of an order request or order query. Raises Denied for a request it does not have."""
    match request:
        case PlaceOrder():
            method, params = "order.place", _place(request, contracts)
        case AmendOrder():
            method, params = "order.modify", _amend(request, contracts)
        case CancelOrder():
            method, params = "order.cancel", _identified(request.ticker, request.cloid, request.oid, contracts.venue)
        case QueryOrder():
            method, params = "order.status", _identified(request.ticker, request.cloid, request.oid, contracts.venue)
        case _:
            raise Denied(contracts.venue, f"{type(request).__name__} does not go over the websocket API")
    params += [("apiKey", credentials.key), _WINDOW, ("timestamp", str(now_ms))]
    params.sort()
    payload = "&".join(map("=".join, params))
    fields: dict[str, str | int] = dict(params)
    # Order ids are numbers there; the text that is signed is the same.
    if "orderId" in fields:
        fields["orderId"] = int(fields["orderId"])
    fields["recvWindow"], fields["timestamp"] = RECV_WINDOW_MS, now_ms
    fields["signature"] = sign(credentials.secret, payload)
    return _json({"id": request_id, "method": method, "params": fields})


def check(request: PlaceOrder | CancelOrder, contracts: Contracts) -> None:
    """Raise Denied for a request that the venue cannot be asked: it would spoil the batch that it goes in."""
    _rest_form(request, contracts)


def encode_places(
    orders: Sequence[PlaceOrder], contracts: Contracts, credentials: Credentials, now_ms: int
) -> WireRequest:
    """Several orders in one HTTP request; the websocket API has none for several. Raises Denied."""
    items = [dict(_place(order, contracts)) for order in orders]
    params = [("batchOrders", msgspec.json.encode(items).decode())]
    return signed("POST", "/fapi/v1/batchOrders", params, credentials, now_ms)


def encode_cancels(
    cancels: Sequence[CancelOrder], contracts: Contracts, credentials: Credentials, now_ms: int
) -> WireRequest:
    """Several cancels of one contract in one HTTP request, all by oid or all by cloid. Raises Denied."""
    named = [_identified(each.ticker, each.cloid, each.oid, contracts.venue)[-1] for each in cancels]
    kinds, tickers = {name for name, _ in named}, {each.ticker for each in cancels}
    if len(kinds) != 1 or len(tickers) != 1:
        raise Denied(contracts.venue, "a batch of cancels is of one contract, by oids or by cloids", field="oid")
    if "orderId" in kinds:
        listed = ("orderIdList", f"[{','.join(text for _, text in named)}]")
    else:
        listed = ("origClientOrderIdList", msgspec.json.encode([text for _, text in named]).decode())
    return signed("DELETE", "/fapi/v1/batchOrders", [("symbol", tickers.pop()), listed], credentials, now_ms)


def listen_key(method: str, credentials: Credentials) -> WireRequest:
    """Make (POST), prolong (PUT) or end (DELETE) the listen key of the private stream: keyed, not signed."""
    return WireRequest(method=method, path="/fapi/v1/listenKey", headers=_headers(credentials))


def server_time() -> WireRequest:
    """Ask for the venue's clock."""
    return WireRequest(method="GET", path="/fapi/v1/time")


def position_mode(credentials: Credentials, now_ms: int) -> WireRequest:
    """Ask whether the account is in hedge mode (``dualSidePosition``)."""
    return signed("GET", "/fapi/v1/positionSide/dual", [], credentials, now_ms)


def quote_of(ticker: str) -> WireRequest:
    """Ask for the best bid and ask of a contract."""
    return WireRequest(method="GET", path="/fapi/v1/ticker/bookTicker", params=_query([("symbol", ticker)]))


def income(since_ms: int, until_ms: int, credentials: Credentials, now_ms: int) -> WireRequest:
    """Ask for all that the account earned and paid between two times: it names the contracts that were traded."""
    params = [("startTime", str(since_ms)), ("endTime", str(until_ms)), ("limit", "1000")]
    return signed("GET", "/fapi/v1/income", params, credentials, now_ms)


def fills_between(ticker: str, since_ms: int, until_ms: int, credentials: Credentials, now_ms: int) -> WireRequest:
    """Ask for a page of executions between two times, at most seven days apart, oldest first."""
    params = [("symbol", ticker), ("startTime", str(since_ms)), ("endTime", str(until_ms)), ("limit", str(FILLS_PAGE))]
    return signed("GET", "/fapi/v1/userTrades", params, credentials, now_ms)


def fills_from(ticker: str, trade_id: int, credentials: Credentials, now_ms: int) -> WireRequest:
    """Ask for a page of executions from a trade id on, oldest first. The venue takes no times beside it."""
    params = [("symbol", ticker), ("fromId", str(trade_id)), ("limit", str(FILLS_PAGE))]
    return signed("GET", "/fapi/v1/userTrades", params, credentials, now_ms)


def signed(method: str, path: str, params: Params, credentials: Credentials, now_ms: int) -> WireRequest:
    """A request with its time, window and signature, all in the query string."""
    query = _query([*params, _WINDOW, ("timestamp", str(now_ms))])
    return WireRequest(
        method=method,
        path=path,
        params=f"{query}&signature={sign(credentials.secret, query)}",
        headers=_headers(credentials),
    )


def _headers(credentials: Credentials) -> dict[str, str]:
    return {"X-MBX-APIKEY": credentials.key}


def _query(params: Params) -> str:
    return "&".join(f"{name}={quote(value, safe='')}" for name, value in params)


def _rest_form(request: Request, contracts: Contracts) -> tuple[str, str, Params]:
    venue = contracts.venue
    match request:
        case PlaceOrder():
            return "POST", "/fapi/v1/order", _place(request, contracts)
        case AmendOrder():
            return "PUT", "/fapi/v1/order", _amend(request, contracts)
        case CancelOrder():
            return "DELETE", "/fapi/v1/order", _identified(request.ticker, request.cloid, request.oid, venue)
        case QueryOrder():
            return "GET", "/fapi/v1/order", _identified(request.ticker, request.cloid, request.oid, venue)
        case CancelAll():
            return "DELETE", "/fapi/v1/allOpenOrders", [("symbol", request.ticker)]
        case DeadMansSwitch():
            params = [("symbol", _one_contract(request.ticker, venue)), ("countdownTime", str(request.timeout_ms))]
            return "POST", "/fapi/v1/countdownCancelAll", params
        case _:
            path, params = _query_form(request, venue)
            return "GET", path, params


def _query_form(
    request: QueryOpenOrders | QueryFills | QueryPositions | QueryBalances | QueryContracts | QueryBook, venue: str
) -> tuple[str, Params]:
    match request:
        case QueryOpenOrders():
            return "/fapi/v1/openOrders", [("symbol", request.ticker)] if request.ticker else []
        case QueryFills():
            ticker, since_ms = _one_contract(request.ticker, venue), request.since_ns // 1_000_000
            return "/fapi/v1/userTrades", [("symbol", ticker), ("startTime", str(since_ms)), ("limit", str(FILLS_PAGE))]
        case QueryPositions():
            return "/fapi/v3/positionRisk", []
        case QueryBalances():
            return "/fapi/v3/balance", []
        case QueryContracts():
            return "/fapi/v1/exchangeInfo", []
        case QueryBook():
            depth = next((each for each in BOOK_DEPTHS if each >= request.depth), BOOK_DEPTHS[-1])
            return "/fapi/v1/depth", [("symbol", request.ticker), ("limit", str(depth))]


def _one_contract(ticker: str | None, venue: str) -> str:
    if ticker is None:
        raise Denied(venue, "the venue takes this for one contract at a time", field="ticker")
    return ticker


def _contract(ticker: str, contracts: Contracts) -> Contract:
    try:
        return contracts[ticker]
    except KeyError:
        near = ", ".join(contracts.nearest(ticker))
        hint = f"; did you mean {near}?" if near else ""
        raise Denied(contracts.venue, f"there is no contract {ticker!r}{hint}", field="ticker") from None


def _size(order: PlaceOrder | AmendOrder, contract: Contract) -> Params:
    if not order.amount.is_finite() or not order.amount:
        raise Denied(contract.venue, f"an amount of {order.amount} is no order", field="amount")
    quantity = abs(order.amount) if contract.multiplier == 1 else abs(order.amount) / contract.multiplier
    return [("side", "BUY" if order.amount > 0 else "SELL"), ("quantity", plain(quantity))]


def _price(price: Decimal, contract: Contract) -> str:
    if not price.is_finite() or price <= 0:
        raise Denied(contract.venue, f"{price} is no price", field="price")
    return plain(price if contract.multiplier == 1 else price * contract.multiplier)


def _place(order: PlaceOrder, contracts: Contracts) -> Params:
    contract = _contract(order.ticker, contracts)
    limited = order.kind is OrderKind.LIMIT
    params = [
        ("symbol", order.ticker),
        *_size(order, contract),
        ("type", "LIMIT" if limited else "MARKET"),
        ("newClientOrderId", order.cloid),
        ("newOrderRespType", "RESULT"),
    ]
    if limited:
        params += _limit_terms(order, contract)
    elif order.post_only:
        raise Denied(contract.venue, "a market order cannot be post-only", field="post_only")
    if order.reduce_only:
        params.append(("reduceOnly", "true"))
    return params


def _limit_terms(order: PlaceOrder, contract: Contract) -> Params:
    venue = contract.venue
    if order.post_only and order.tif is not TimeInForce.GTC:
        raise Denied(venue, f"post-only and {order.tif.value} exclude each other", field="tif")
    if (order.price is None) == (order.price_rule is None):
        raise Denied(venue, "a limit order has a price or a price rule: one of them", field="price")
    terms = [("timeInForce", "GTX" if order.post_only else order.tif.value)]
    if order.price is not None:
        return [*terms, ("price", _price(order.price, contract))]
    if order.post_only or order.price_rule is None:
        raise Denied(venue, "the venue matches no price rule on a post-only order", field="price_rule")
    return [*terms, ("priceMatch", price_match(order.price_rule))]


def _amend(order: AmendOrder, contracts: Contracts) -> Params:
    contract = _contract(order.ticker, contracts)
    return [
        *_identified(order.ticker, order.cloid, order.oid, contracts.venue),
        *_size(order, contract),
        ("price", _price(order.price, contract)),
    ]


def _identified(ticker: str, cloid: str | None, oid: str | None, venue: str) -> Params:
    if oid:
        if not oid.isdecimal():
            raise Denied(venue, f"{oid!r} is not an order id of this venue", field="oid")
        return [("symbol", ticker), ("orderId", oid)]
    if cloid:
        return [("symbol", ticker), ("origClientOrderId", cloid)]
    raise Denied(venue, "neither a cloid nor an oid names the order", field="oid")
