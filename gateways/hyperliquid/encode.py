"""Standard requests into Hyperliquid's: POST /info for questions, POST /exchange with a signed action for orders.

Pure: the time and the nonce are passed in. A request that the venue cannot take is Denied here, naming the field.
Sources: the "Exchange endpoint", "Info endpoint", "Tick and lot size" and "Post requests" pages of the venue's API
documentation; ``hyperliquid/exchange.py`` of its Python SDK for the order of the keys, which the signature covers.
"""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec

from gateways.contracts import Contracts, is_multiple, is_on_tick, round_price, round_price_toward
from gateways.errors import Denied
from gateways.hyperliquid.signing import address_of, sign_l1_action
from gateways.standards import (
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
    TimeInForce,
    WireRequest,
)

ACCEPTANCE_WINDOW_MS = 5_000
"""How long after the time written in it an order can still be accepted: its ``expiresAfter``, which is signed."""
SHORTEST_SWITCH_MS = 5_000
CLOID = re.compile(r"[0-9a-f]{32}")

_LONGEST_OID = 18
_HEADERS = {"Content-Type": "application/json"}
_ADDRESS = re.compile(r"0x[0-9a-f]{40}")

Action = dict[str, Any]


def plain(value: Decimal) -> str:
    """A number as the venue hashes it: no exponent, no trailing zeros ("100000", not "100000.0")."""
    return format(value.normalize(), "f") if value else "0"


def slippage_price(contract: Contract, reference: Decimal, slippage: Decimal, *, buying: bool) -> Decimal:
    """The limit of a market order: ``slippage`` (0.05 for 5 %) beyond ``reference``, at the nearest allowed price.

    The venue has no market orders; its own SDK sends an IOC at this price.
    """
    return round_price(contract, reference * (1 + slippage if buying else 1 - slippage))


def unpriced(order: PlaceOrder) -> bool:
    """Whether an order is a market order that still needs its limit."""
    return order.kind is OrderKind.MARKET and order.price is None


def encode(
    request: Request,
    contracts: Contracts,
    credentials: Credentials,
    now_ms: int,
    *,
    mainnet: bool = False,
    nonce: int | None = None,
    expires_in_ms: int | None = ACCEPTANCE_WINDOW_MS,
) -> WireRequest:
    """One HTTP request, signed where the venue asks for it.

    ``credentials``: key is the account's address (the master's, where an agent's key signs), secret the private key.
    ``nonce`` must be unique and fresh per signer, ``now_ms`` where None. Orders and changes expire ``expires_in_ms``
    after ``now_ms``; None leaves them without an expiry. Raises Denied.
    """
    payload, signed = _payload(
        request, contracts, credentials, now_ms, mainnet=mainnet, nonce=nonce, expires_in_ms=expires_in_ms
    )
    return _wire(payload, signed=signed)


def encode_ws(
    request: Request,
    contracts: Contracts,
    credentials: Credentials,
    now_ms: int,
    request_id: int,
    *,
    mainnet: bool = False,
    nonce: int | None = None,
    expires_in_ms: int | None = ACCEPTANCE_WINDOW_MS,
) -> bytes:
    """The same as a websocket ``post`` with the id that its answer will carry. Raises Denied."""
    payload, signed = _payload(
        request, contracts, credentials, now_ms, mainnet=mainnet, nonce=nonce, expires_in_ms=expires_in_ms
    )
    return as_post(payload, request_id, signed=signed)


def encode_batch(
    requests: Sequence[PlaceOrder] | Sequence[CancelOrder],
    contracts: Contracts,
    credentials: Credentials,
    now_ms: int,
    *,
    mainnet: bool = False,
    nonce: int | None = None,
) -> WireRequest:
    """Several orders, or several cancels (all by oid or all by cloid), in one request. Raises Denied.

    The answer has an outcome for each. Orders expire as in ``encode``.
    """
    kind, listed, items = _items(requests, contracts)
    action = {"type": kind, listed: items}
    expires_after = None
    if kind == "order":
        action["grouping"] = "na"
        expires_after = now_ms + ACCEPTANCE_WINDOW_MS
    own_nonce = now_ms if nonce is None else nonce
    return _wire(_signed(action, contracts, credentials, own_nonce, expires_after, mainnet=mainnet))


def check(request: PlaceOrder | CancelOrder, contracts: Contracts) -> None:
    """Raise Denied for a request that the venue cannot be asked: it would spoil the batch that it goes in."""
    _action(request, contracts, 0)


def as_post(payload: Action | msgspec.Raw, request_id: int, *, signed: bool) -> bytes:
    """The body of a request as a websocket ``post``."""
    kind = "action" if signed else "info"
    return msgspec.json.encode({"method": "post", "id": request_id, "request": {"type": kind, "payload": payload}})


def _wire(payload: Action, *, signed: bool = True) -> WireRequest:
    path = "/exchange" if signed else "/info"
    return WireRequest(method="POST", path=path, body=msgspec.json.encode(payload), headers=_HEADERS)


def _payload(
    request: Request,
    contracts: Contracts,
    credentials: Credentials,
    now_ms: int,
    *,
    mainnet: bool,
    nonce: int | None,
    expires_in_ms: int | None,
) -> tuple[Action, bool]:
    question = _question(request, contracts, credentials)
    if question is not None:
        return question, False
    action = _action(request, contracts, now_ms)
    expires = isinstance(request, PlaceOrder | AmendOrder) and expires_in_ms is not None
    expires_after = now_ms + expires_in_ms if expires and expires_in_ms is not None else None
    own_nonce = now_ms if nonce is None else nonce
    return _signed(action, contracts, credentials, own_nonce, expires_after, mainnet=mainnet), True


def _signed(
    action: Action,
    contracts: Contracts,
    credentials: Credentials,
    nonce: int,
    expires_after: int | None,
    *,
    mainnet: bool,
) -> Action:
    try:
        signature = sign_l1_action(credentials.secret, action, nonce, None, expires_after, is_mainnet=mainnet)
    except ValueError as error:
        raise Denied(contracts.venue, str(error), field="secret", reason=RejectReason.CREDENTIALS) from error
    return {
        "action": action,
        "nonce": nonce,
        "signature": {"r": signature.r, "s": signature.s, "v": signature.v},
        "vaultAddress": None,
        "expiresAfter": expires_after,
    }


# ----------------------------------------------------------------- questions


def _question(request: Request, contracts: Contracts, credentials: Credentials) -> Action | None:
    match request:
        case QueryContracts():
            return {"type": "meta"}
        case QueryBook(ticker=ticker):
            return {"type": "l2Book", "coin": _contract(ticker, contracts).ticker}
        case QueryOrder(oid=oid, cloid=cloid):
            return {"type": "orderStatus", "user": _user(contracts, credentials), "oid": _id(oid, cloid, contracts)}
        case QueryOpenOrders():
            return {"type": "frontendOpenOrders", "user": _user(contracts, credentials)}
        case QueryFills(since_ns=since_ns):
            user = _user(contracts, credentials)
            return {"type": "userFillsByTime", "user": user, "startTime": since_ns // 1_000_000}
        case QueryPositions() | QueryBalances():
            return {"type": "clearinghouseState", "user": _user(contracts, credentials)}
        case _:
            return None


def user_address(venue: str, credentials: Credentials) -> str:
    """The account's address in lower case, as questions and subscriptions name it. Raises Denied."""
    address = credentials.key.lower()
    if _ADDRESS.fullmatch(address) is None:
        raise Denied(
            venue, "the key is not an account address (0x and 40 hex)", field="key", reason=RejectReason.CREDENTIALS
        )
    return address


def check_key(venue: str, credentials: Credentials) -> None:
    """Raise Denied, without quoting it, for a secret that is no private key: else the first order would tell."""
    try:
        address_of(credentials.secret)
    except ValueError as error:
        text = f"the secret does not sign: {error}"
        raise Denied(venue, text, field="secret", reason=RejectReason.CREDENTIALS) from None


def _user(contracts: Contracts, credentials: Credentials) -> str:
    return user_address(contracts.venue, credentials)


# ------------------------------------------------------------------- actions


def _action(request: Request, contracts: Contracts, now_ms: int) -> Action:
    match request:
        case PlaceOrder():
            return {"type": "order", "orders": [_place(request, contracts)], "grouping": "na"}
        case AmendOrder():
            change = {"oid": _oid(request.oid, contracts), "order": _amend(request, contracts)}
            return {"type": "batchModify", "modifies": [change]}
        case CancelOrder():
            kind, cancel = _cancel(request, contracts)
            return {"type": kind, "cancels": [cancel]}
        case DeadMansSwitch():
            return _switch(request, contracts, now_ms)
        case CancelAll():
            raise Denied(contracts.venue, "Hyperliquid cannot cancel all orders of a contract in one request")
        case _:
            raise Denied(contracts.venue, f"Hyperliquid has no request for {type(request).__name__}")


def _items(
    requests: Sequence[PlaceOrder] | Sequence[CancelOrder], contracts: Contracts
) -> tuple[str, str, list[Action]]:
    """The type of the action, what its list is called, and the list."""
    orders = [_place(each, contracts) for each in requests if isinstance(each, PlaceOrder)]
    if orders:
        return "order", "orders", orders
    cancels = [_cancel(each, contracts) for each in requests if isinstance(each, CancelOrder)]
    kinds = {kind for kind, _ in cancels}
    if len(kinds) != 1:
        raise Denied(contracts.venue, "a batch of cancels goes by oids or by cloids, not by both", field="oid")
    return kinds.pop(), "cancels", [cancel for _, cancel in cancels]


def _cancel(cancel: CancelOrder, contracts: Contracts) -> tuple[str, Action]:
    """The type of the action, and what it says of the order."""
    asset = _asset(cancel.ticker, contracts)
    if cancel.oid is None:
        return "cancelByCloid", {"asset": asset, "cloid": _cloid(cancel.cloid, contracts)}
    return "cancel", {"a": asset, "o": _oid(cancel.oid, contracts)}


def _place(order: PlaceOrder, contracts: Contracts) -> Action:
    venue = contracts.venue
    contract = _contract(order.ticker, contracts)
    if order.price_rule is not None:
        raise Denied(venue, "Hyperliquid does not match price rules: give a price", field="price")
    if order.price is None:
        missing = "a market order needs its worst acceptable price" if order.kind is OrderKind.MARKET else "no price"
        raise Denied(venue, missing, field="price")
    market = order.kind is OrderKind.MARKET
    if market and order.post_only:
        raise Denied(venue, "a market order cannot be post-only", field="post_only")
    price = round_price_toward(contract, order.price, buying=order.amount > 0) if market else order.price
    tif = TimeInForce.IOC if market else order.tif
    return _wire_order(order, contracts, amount=order.amount, price=price, tif=tif)


def _amend(order: AmendOrder, contracts: Contracts) -> Action:
    remaining = order.amount - order.filled
    if remaining == 0 or (remaining > 0) != (order.amount > 0):
        raise Denied(
            contracts.venue,
            f"the new total {order.amount} leaves nothing beyond the {order.filled} already filled",
            field="amount",
        )
    return _wire_order(order, contracts, amount=remaining, price=order.price, tif=order.tif)


def _wire_order(
    order: PlaceOrder | AmendOrder, contracts: Contracts, *, amount: Decimal, price: Decimal, tif: TimeInForce
) -> Action:
    contract = _contract(order.ticker, contracts)
    venue = contracts.venue
    if amount == 0 or not is_multiple(amount, contract.lot_size):
        text = f"amount {plain(amount)} is not a multiple of the lot {plain(contract.lot_size)}"
        raise Denied(venue, text, field="amount", reason=RejectReason.LOT)
    if not is_on_tick(contract, price):
        text = f"price {plain(price)} is not on a tick of {contract.ticker}"
        raise Denied(venue, text, field="price", reason=RejectReason.TICK)
    return {
        "a": _asset(contract.ticker, contracts),
        "b": amount > 0,
        "p": plain(price * contract.multiplier),
        "s": plain(abs(amount) / contract.multiplier),
        "r": order.reduce_only,
        "t": {"limit": {"tif": _tif(tif, contracts, post_only=order.post_only)}},
        "c": _cloid(order.cloid, contracts),
    }


def _tif(tif: TimeInForce, contracts: Contracts, *, post_only: bool) -> str:
    if tif is TimeInForce.FOK:
        raise Denied(contracts.venue, "Hyperliquid has no fill-or-kill orders", field="tif")
    if post_only and tif is TimeInForce.IOC:
        raise Denied(contracts.venue, "a post-only order cannot be immediate-or-cancel", field="tif")
    if post_only:
        return "Alo"
    return "Ioc" if tif is TimeInForce.IOC else "Gtc"


def _switch(request: DeadMansSwitch, contracts: Contracts, now_ms: int) -> Action:
    if request.ticker is not None:
        raise Denied(contracts.venue, "the dead man's switch is for the whole account", field="ticker")
    if request.timeout_ms == 0:
        return {"type": "scheduleCancel"}
    if request.timeout_ms < SHORTEST_SWITCH_MS:
        raise Denied(contracts.venue, f"a timeout is at least {SHORTEST_SWITCH_MS} ms", field="timeout_ms")
    return {"type": "scheduleCancel", "time": now_ms + request.timeout_ms}


def _contract(ticker: str, contracts: Contracts) -> Contract:
    contract = contracts.get(ticker)
    if contract is None:
        near = contracts.nearest(ticker)
        hint = f"; near it: {', '.join(near)}" if near else ""
        raise Denied(contracts.venue, f"no contract {ticker!r}{hint}", field="ticker")
    return contract


def _asset(ticker: str, contracts: Contracts) -> int:
    return int(_contract(ticker, contracts).venue_id)


def _oid(oid: str | None, contracts: Contracts) -> int:
    if oid is None or not (oid.isascii() and oid.isdecimal() and len(oid) <= _LONGEST_OID):
        raise Denied(contracts.venue, f"an order id is a whole number, not {oid!r}", field="oid")
    return int(oid)


def _cloid(cloid: str | None, contracts: Contracts) -> str:
    if cloid is None or CLOID.fullmatch(cloid) is None:
        raise Denied(
            contracts.venue, f"a client order id is 32 lower-case hex characters, not {cloid!r}", field="cloid"
        )
    return "0x" + cloid


def _id(oid: str | None, cloid: str | None, contracts: Contracts) -> int | str:
    return _cloid(cloid, contracts) if oid is None else _oid(oid, contracts)
