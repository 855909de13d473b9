"""What faults must understand of a venue's protocol: what a request asks, what a message tells, how a refusal is said.

Pure. A dialect reads only what it needs and never refuses: what it cannot read is ``None`` and left to the front.
"""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar, Literal, Protocol
from urllib.parse import parse_qsl

import msgspec

from gateways.contracts import Contracts
from gateways.paper.binance import errors as binance_errors
from gateways.paper.binance.errors import BinanceError
from gateways.paper.fault_plan import Verb
from gateways.paper.front import HttpReply
from gateways.paper.hyperliquid.desk import REFUSALS
from gateways.paper.records import Refused
from gateways.standards import RejectReason

Kind = Literal["order", "fill", "order with its fill", "account"]
"""What a private message tells of."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A request. ``client_id`` is written as the venue writes it; ``request_id`` is that of a websocket request."""

    verb: Verb
    ticker: str = ""
    client_id: str = ""
    order_id: int | None = None
    is_buy: bool | None = None
    quantity: Decimal | None = None
    request_id: Any = None
    question: str = ""
    """What makes two questions the same one."""


class Dialect(Protocol):
    """One venue's way to say it."""

    def asked_http(self, method: str, path: str, query: str, body: bytes) -> Asked | None:
        """What an HTTP request asks for; None for what is nobody's own (market data, the clock)."""
        ...

    def asked_ws(self, text: str) -> Asked | None:
        """What a message on a websocket asks for; None where it is no request of an account."""
        ...

    def told(self, text: str) -> Kind | None:
        """What a message to a client tells of its account; None for public data and for answers."""
        ...

    def strange(self, text: str) -> str:
        """An order message with its status replaced by a word that is in no documentation."""
        ...

    def refused(self, reason: RejectReason, retry_after: int, asked: Asked) -> HttpReply:
        """A definite refusal, as HTTP."""
        ...

    def unknown(self) -> HttpReply:
        """The answer that the outcome is not known, as HTTP."""
        ...

    def failed(self) -> HttpReply:
        """The answer of a venue that is not there for now."""
        ...

    def over_ws(self, asked: Asked, reply: HttpReply) -> str:
        """An HTTP answer as the answer to a websocket request."""
        ...


def number(value: object) -> Decimal | None:
    """The number that a field says; None for none."""
    try:
        return Decimal(str(value)) if value is not None else None
    except InvalidOperation:
        return None


def restated(text: str, before: str, word: str) -> str:
    """A message with another word where, after ``before``, its status stands."""
    start = text.find(before)
    if start < 0:
        return text
    start += len(before)
    return text[:start] + word + text[text.find('"', start) :]


def decoded(text: str | bytes) -> Any:
    """The JSON value of a text; None for what is none."""
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return None


def loaded(text: str | bytes) -> dict[str, Any]:
    """The JSON object of a text; an empty one for what is none."""
    found = decoded(text)
    return found if isinstance(found, dict) else {}


class BinanceDialect:
    """USD-M: HTTP routes and websocket API methods; user data events named by ``e``."""

    _ROUTES: ClassVar[Mapping[tuple[str, str], Verb]] = {
        ("POST", "/fapi/v1/order"): Verb.PLACE,
        ("PUT", "/fapi/v1/order"): Verb.AMEND,
        ("DELETE", "/fapi/v1/order"): Verb.CANCEL,
        ("POST", "/fapi/v1/batchOrders"): Verb.PLACE,
        ("DELETE", "/fapi/v1/batchOrders"): Verb.CANCEL,
        ("GET", "/fapi/v1/order"): Verb.ORDER,
        ("GET", "/fapi/v1/openOrders"): Verb.OPEN_ORDERS,
        ("GET", "/fapi/v1/userTrades"): Verb.FILLS,
        ("GET", "/fapi/v3/positionRisk"): Verb.POSITIONS,
        ("GET", "/fapi/v2/positionRisk"): Verb.POSITIONS,
        ("GET", "/fapi/v3/balance"): Verb.BALANCES,
        ("GET", "/fapi/v2/balance"): Verb.BALANCES,
        ("GET", "/fapi/v1/exchangeInfo"): Verb.CONTRACTS,
    }
    _METHODS: ClassVar[Mapping[str, Verb]] = {
        "order.place": Verb.PLACE,
        "order.modify": Verb.AMEND,
        "order.cancel": Verb.CANCEL,
        "order.status": Verb.ORDER,
    }
    _EVENTS: ClassVar[Mapping[str, Kind]] = {
        "ORDER_TRADE_UPDATE": "order",
        "TRADE_LITE": "fill",
        "ACCOUNT_UPDATE": "account",
        "ACCOUNT_CONFIG_UPDATE": "account",
    }

    def __init__(self, contracts: Contracts) -> None:
        self._contracts = contracts

    def asked_http(self, method: str, path: str, query: str, body: bytes) -> Asked | None:
        """See ``Dialect.asked_http``."""
        verb = self._ROUTES.get((method, path))
        if verb is None:
            return None
        fields = {**dict(parse_qsl(body.decode("utf-8", "replace"))), **dict(parse_qsl(query))}
        return self._asked(verb, self._first_of_batch(fields), path)

    def _first_of_batch(self, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        """The fields of a batch's first item; those of any other request as they are."""
        for name, key in (("orderIdList", "orderId"), ("origClientOrderIdList", "origClientOrderId")):
            listed = decoded(fields.get(name, ""))
            if isinstance(listed, list) and listed:
                return {"symbol": fields.get("symbol", ""), key: listed[0]}
        orders = decoded(fields.get("batchOrders", ""))
        first = orders[0] if isinstance(orders, list) and orders else None
        return first if isinstance(first, dict) else fields

    def asked_ws(self, text: str) -> Asked | None:
        """See ``Dialect.asked_ws``."""
        request = loaded(text)
        verb, fields = self._METHODS.get(str(request.get("method"))), request.get("params")
        if verb is None or not isinstance(fields, dict):
            return None
        return msgspec.structs.replace(self._asked(verb, fields, ""), request_id=request.get("id"))

    def _asked(self, verb: Verb, fields: Mapping[str, Any], path: str) -> Asked:
        order_id = str(fields.get("orderId", ""))
        return Asked(
            verb=verb,
            ticker=str(fields.get("symbol", "")),
            client_id=str(fields.get("newClientOrderId") or fields.get("origClientOrderId") or ""),
            order_id=int(order_id) if order_id.isdecimal() else None,
            is_buy=fields.get("side") == "BUY",
            quantity=number(fields.get("quantity")),
            question=f"{path} {fields.get('symbol', '')}",
        )

    def told(self, text: str) -> Kind | None:
        """See ``Dialect.told``."""
        start = text.find('"e":"', 0, 200) + 5
        return self._EVENTS.get(text[start : text.find('"', start)]) if start > 4 else None

    def strange(self, text: str) -> str:
        """See ``Dialect.strange``."""
        return restated(text, '"X":"', "HALF_DONE")

    def refused(self, reason: RejectReason, retry_after: int, asked: Asked) -> HttpReply:
        """See ``Dialect.refused``."""
        error = binance_errors.of_refused(Refused(reason, ""), minimum=self._minimum(asked.ticker))
        if reason is RejectReason.RATE_LIMIT:
            text = "Too many new orders; current limit is 300 orders per TEN_SECONDS."
            error = BinanceError(-1015, text, status=429, retry_after=retry_after)
        headers = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
        return HttpReply(status=error.status, body=msgspec.json.encode(error.body), headers=headers)

    def _minimum(self, ticker: str) -> str:
        contract = self._contracts.get(ticker)
        return f"{contract.min_notional.normalize():f}" if contract else "5"

    def unknown(self) -> HttpReply:
        """-1007, which says of itself that it does not know."""
        text = "Timeout waiting for response from backend server. Send status unknown; execution status unknown."
        return HttpReply(status=408, body=msgspec.json.encode({"code": -1007, "msg": text}))

    def failed(self) -> HttpReply:
        """503 in the words that leave the outcome open ("HTTP Return Codes")."""
        text = "Unknown error, please check your request or try again later."
        return HttpReply(status=503, body=msgspec.json.encode({"code": -1000, "msg": text}))

    def over_ws(self, asked: Asked, reply: HttpReply) -> str:
        """See ``Dialect.over_ws``."""
        said = {"id": asked.request_id, "status": reply.status, "error": msgspec.Raw(reply.body)}
        return msgspec.json.encode(said).decode()


class HyperliquidDialect:
    """``/exchange`` and ``/info`` by HTTP or as websocket posts; channels named by ``channel``."""

    _ACTIONS: ClassVar[Mapping[str, Verb]] = {
        "order": Verb.PLACE,
        "modify": Verb.AMEND,
        "batchModify": Verb.AMEND,
        "cancel": Verb.CANCEL,
        "cancelByCloid": Verb.CANCEL,
    }
    _QUESTIONS: ClassVar[Mapping[str, Verb]] = {
        "orderStatus": Verb.ORDER,
        "openOrders": Verb.OPEN_ORDERS,
        "frontendOpenOrders": Verb.OPEN_ORDERS,
        "userFills": Verb.FILLS,
        "userFillsByTime": Verb.FILLS,
        "clearinghouseState": Verb.POSITIONS,
        "meta": Verb.CONTRACTS,
    }
    _CHANNELS: ClassVar[Mapping[str, Kind]] = {
        "orderUpdates": "order",
        "userFills": "fill",
        "user": "fill",
        "clearinghouseState": "account",
        "webData2": "account",
        "openOrders": "account",
    }

    def __init__(self, contracts: Contracts) -> None:
        self._tickers = {int(contract.venue_id): contract.ticker for contract in contracts.values()}

    def asked_http(self, method: str, path: str, query: str, body: bytes) -> Asked | None:  # noqa: ARG002 - the protocol has no query strings
        """See ``Dialect.asked_http``."""
        if method != "POST":
            return None
        return self._action(loaded(body)) if path == "/exchange" else self._question(loaded(body))

    def asked_ws(self, text: str) -> Asked | None:
        """See ``Dialect.asked_ws``."""
        message = loaded(text)
        request = message.get("request")
        if message.get("method") != "post" or not isinstance(request, dict):
            return None
        payload = request.get("payload")
        if not isinstance(payload, dict):
            return None
        asked = self._action(payload) if request.get("type") == "action" else self._question(payload)
        return asked and msgspec.structs.replace(asked, request_id=message.get("id"))

    def _question(self, body: Mapping[str, Any]) -> Asked | None:
        kind = str(body.get("type"))
        verb = self._QUESTIONS.get(kind)
        return None if verb is None else Asked(verb=verb, client_id=str(body.get("oid", "")), question=kind)

    def _action(self, body: Mapping[str, Any]) -> Asked | None:
        action = body.get("action")
        verb = self._ACTIONS.get(str(action.get("type"))) if isinstance(action, dict) else None
        if verb is None or not isinstance(action, dict):
            return None
        items = action.get("orders") or action.get("cancels") or action.get("modifies") or [action]
        item = items[0] if isinstance(items, list) and items and isinstance(items[0], dict) else {}
        order = item.get("order", item)
        asset = order.get("a", item.get("asset"))
        named = item.get("o", item.get("oid"))
        return Asked(
            verb=verb,
            ticker=self._tickers.get(asset, "") if isinstance(asset, int) else "",
            client_id=str(order.get("c") or item.get("cloid") or ""),
            order_id=named if isinstance(named, int) else None,
            is_buy=order.get("b") is True,
            quantity=number(order.get("s")),
        )

    def told(self, text: str) -> Kind | None:
        """See ``Dialect.told``."""
        if not text.startswith('{"channel":"'):
            return None
        return self._CHANNELS.get(text[12 : text.find('"', 12)])

    def strange(self, text: str) -> str:
        """See ``Dialect.strange``."""
        return restated(text, '"status":"', "halfDone")

    def refused(self, reason: RejectReason, retry_after: int, asked: Asked) -> HttpReply:
        """See ``Dialect.refused``; this venue says nothing of when to come again but for a rate."""
        if reason is RejectReason.RATE_LIMIT:
            return HttpReply(status=429, body=b"null", headers={"Retry-After": str(retry_after)})
        asset = next((index for index, ticker in self._tickers.items() if ticker == asked.ticker), 0)
        error = {"error": REFUSALS.get(reason, "Order was refused. asset={asset}").format(asset=asset)}
        said = {"status": "ok", "response": {"type": "order", "data": {"statuses": [error]}}}
        return HttpReply(body=msgspec.json.encode(said))

    def unknown(self) -> HttpReply:
        """This venue has no word for it: 504 of what stands before it."""
        return HttpReply(status=504, body=b"null")

    def failed(self) -> HttpReply:
        """502 of what stands before it."""
        return HttpReply(status=502, body=b"null")

    def over_ws(self, asked: Asked, reply: HttpReply) -> str:
        """See ``Dialect.over_ws``."""
        response: dict[str, Any] = {"type": "error", "payload": f"{reply.status} {reply.body.decode()}"}
        if reply.status == 200:
            response = {"type": "action", "payload": msgspec.Raw(reply.body)}
        said = {"channel": "post", "data": {"id": asked.request_id, "response": response}}
        return msgspec.json.encode(said).decode()
