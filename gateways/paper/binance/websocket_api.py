"""Binance USD-M's websocket API (``/ws-fapi/v1``): requests and answers over one connection.

Source: the venue's page WebSocket API General Info. A request signs its parameters sorted by name; logging a session on
needs an Ed25519 key, which paper accounts do not have.
"""

from collections.abc import Callable, Mapping

import msgspec

from gateways.paper.binance.errors import BinanceError, missing, not_valid, unsupported
from gateways.paper.binance.limits import RateMeter
from gateways.paper.binance.requests import (
    Params,
    account_of,
    as_texts,
    check_signature,
    check_timing,
    read_json,
    websocket_payload,
)

CONNECTION_WEIGHT = 5

Verb = Callable[[Params, str], object]


class Method(msgspec.Struct, frozen=True):
    """One method: what does it, its request weight, whether it is signed, whether it counts as an order."""

    verb: Verb
    weight: int = 1
    signed: bool = True
    is_order: bool = False
    keyed: bool = False
    """Whether it needs an API key without a signature."""


class WebsocketApi:
    """Answers websocket API requests for all accounts."""

    def __init__(
        self, methods: Mapping[str, Method], meter: RateMeter, accounts: Mapping[str, str], now_ns: Callable[[], int]
    ) -> None:
        self._methods = methods
        self._meter = meter
        self._accounts = accounts
        self._now_ns = now_ns

    def answer(self, text: str, *, with_limits: bool = True) -> str:
        """The answer to one request. ``with_limits``: whether it lists the rate limits, unless the request says."""
        request: dict[str, object] = {}
        account = ""
        reply: dict[str, object]
        try:
            request = _request(text)
            method = self._method(request)
            texts = _texts(request)
            with_limits = texts.get("returnRateLimits", str(with_limits).lower()) != "false"
            account = self._authorised(method, Params(texts), texts)
            reply = {"id": request.get("id"), "status": 200, "result": method.verb(Params(texts), account)}
            account = account if method.is_order else ""
        except BinanceError as error:
            reply = {"id": request.get("id"), "status": error.status, "error": self._error(error)}
        if with_limits:
            reply["rateLimits"] = self._meter.usage(account or None)
        return msgspec.json.encode(reply).decode()

    def _method(self, request: Mapping[str, object]) -> Method:
        name = request.get("method")
        method = self._methods.get(name) if isinstance(name, str) else None
        self._meter.request(method.weight if method else 1)
        if method is None:
            raise unsupported(f"method {name}")
        return method

    def _error(self, error: BinanceError) -> dict[str, object]:
        if error.retry_after is None:
            return error.body
        now_ms = self._now_ns() // 1_000_000
        return {**error.body, "data": {"serverTime": now_ms, "retryAfter": now_ms + error.retry_after * 1_000}}

    def _authorised(self, method: Method, params: Params, texts: Mapping[str, str]) -> str:
        if not (method.signed or method.keyed):
            return ""
        key = account_of(params.optional("apiKey"), self._accounts)
        if method.signed:
            signature = params.optional("signature")
            if signature is None:
                raise missing("signature")
            check_signature(websocket_payload(texts), signature, self._accounts[key])
            check_timing(params, self._now_ns())
        return key


def _request(text: str) -> dict[str, object]:
    try:
        request = read_json(text)
    except ValueError:
        raise BinanceError(-1135, "Invalid JSON Request.") from None
    if not isinstance(request, dict):
        raise BinanceError(-1135, "Invalid JSON Request.")
    return request


def _texts(request: Mapping[str, object]) -> dict[str, str]:
    params = request.get("params") or {}
    if not isinstance(params, dict):
        raise not_valid("params")
    return as_texts(params)
