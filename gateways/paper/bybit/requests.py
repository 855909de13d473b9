"""A request to Bybit v5: its parameters, and who sent it.

Sources: "Integration Guidance" (headers, the time window) and "Connect" (the login of a websocket). An HTTP signature
is over timestamp, key, window and the query string or the body, exactly as they were sent.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from gateways.contracts import Contracts
from gateways.paper.bybit import errors
from gateways.paper.bybit.errors import BybitError
from gateways.standards import Contract

CATEGORIES = frozenset({"linear", "inverse", "spot", "option"})
DEFAULT_WINDOW_MS = 5_000
FUTURE_TOLERANCE_MS = 1_000

_DECIMAL = re.compile(r"[0-9]{1,20}(\.[0-9]{0,20})?|\.[0-9]{1,20}", re.ASCII)
_INTEGER = re.compile(r"[0-9]{1,18}", re.ASCII)
_JSON = msgspec.json.Decoder(float_hook=str)


def read_json(text: str | bytes) -> Any:
    """What a client's JSON says, numbers with a fraction as the text they were written in. Raises ValueError."""
    try:
        return _JSON.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(str(error)) from None


class Params:
    """The parameters of one request. Every reader raises BybitError 10001 for what cannot be."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def __contains__(self, name: str) -> bool:
        return self.optional(name) is not None

    def optional(self, name: str) -> str | None:
        """A text, None for an absent or empty one."""
        value = self._values.get(name)
        if isinstance(value, bool):
            return str(value).lower()
        return str(value) if value is not None and value != "" else None

    def text(self, name: str) -> str:
        """A mandatory text."""
        value = self.optional(name)
        if value is None:
            raise errors.missing(name)
        return value

    def integer(self, name: str) -> int | None:
        """A whole number that is not negative."""
        value = self.optional(name)
        if value is None:
            return None
        if not _INTEGER.fullmatch(value):
            raise errors.bad_parameter(f"{name} invalid {value}")
        return int(value)

    def number(self, name: str) -> Decimal | None:
        """A decimal that is not negative."""
        value = self.optional(name)
        if value is None:
            return None
        if not _DECIMAL.fullmatch(value):
            raise errors.bad_parameter(f"{name} invalid {value}")
        return Decimal(value)

    def flag(self, name: str) -> bool:
        """A truth value, false where absent."""
        value = self.optional(name)
        if value not in {None, "true", "false"}:
            raise errors.bad_parameter(f"{name} invalid {value}")
        return value == "true"

    def limit(self, usual: int, most: int) -> int:
        """``limit``, the most rows of a page."""
        value = self.integer("limit")
        return usual if value is None else max(1, min(value, most))

    def is_linear(self) -> bool:
        """Whether the ``category`` is the one that is traded here; the others list nothing. Mandatory."""
        category = self.text("category")
        if category not in CATEGORIES:
            raise errors.illegal_category()
        return category == "linear"

    def contract(self, contracts: Contracts) -> Contract:
        """The contract that ``symbol`` names. Raises for a category that is not linear."""
        if not self.is_linear():
            raise errors.not_offered(f"category {self.text('category')}")
        symbol = self.text("symbol")
        contract = contracts.get(symbol)
        if contract is None:
            raise errors.unknown_symbol(symbol)
        return contract

    def items(self, name: str) -> list["Params"]:
        """A list of objects."""
        found = self._values.get(name)
        if not isinstance(found, list) or not found or not all(isinstance(item, dict) for item in found):
            raise errors.missing(name)
        return [Params(item) for item in found]

    def within(self, category: str) -> "Params":
        """These, with the category that a batch says for all of its items."""
        return Params({**self._values, "category": category})


def params_of(method: str, query: str, body: bytes) -> Params:
    """The parameters of an HTTP request: of the query of a GET, of the JSON body of a POST. Raises BybitError 10001."""
    if method == "GET":
        return Params(dict(parse_qsl(query)))
    try:
        found = read_json(body or b"{}")
    except ValueError as error:
        raise BybitError(10001, f"Request body is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise BybitError(10001, "Request body is not an object")
    return Params(found)


def signed(secret: str, payload: bytes) -> str:
    """The HMAC-SHA256 of ``payload`` in hex."""
    return hmac.new(secret.encode(), payload, hashlib.sha256).hexdigest()


def account_of(headers: Mapping[str, str], payload: bytes, accounts: Mapping[str, str], now_ns: int) -> str:
    """Who sent an HTTP request with this query string or body. Raises BybitError 10001, 10002, 10003 or 10004."""
    key, time, sign = (headers.get(f"x-bapi-{name}", "") for name in ("api-key", "timestamp", "sign"))
    if not (key and time and sign):
        text = f"empty value: apiTimestamp[{time}] apiKey[{key}] apiSignature[{sign}]"
        raise BybitError(10001, text)
    if key not in accounts:
        raise BybitError(10003, "API key is invalid.")
    window = headers.get("x-bapi-recv-window", "")
    origin = f"{time}{key}{window}".encode() + payload
    if not hmac.compare_digest(signed(accounts[key], origin).encode(), sign.lower().encode()):
        raise BybitError(10004, f"error sign! origin_string[{origin.decode('utf-8', 'replace')}]")
    check_time(time, window, now_ns)
    return key


def check_time(time: str, window: str, now_ns: int) -> None:
    """Hold a request's time (ms) against the clock: not older than its window, not a second ahead. Raises 10002."""
    now_ms = now_ns // 1_000_000
    limit = window or str(DEFAULT_WINDOW_MS)
    if not (_INTEGER.fullmatch(time) and _INTEGER.fullmatch(limit)):
        raise BybitError(10001, f"invalid timestamp[{time}] or recv_window[{window}]")
    if not now_ms - int(limit) <= int(time) < now_ms + FUTURE_TOLERANCE_MS:
        text = (
            "invalid request, please check your server timestamp or recv_window param. "
            f"req_timestamp[{time}],server_timestamp[{now_ms}],recv_window[{limit}]"
        )
        raise BybitError(10002, text)


def login_of(args: object, accounts: Mapping[str, str], now_ns: int) -> str:
    """Who logs a websocket in with ``[key, expires (ms), signature]``. Raises BybitError 10001, 10003 or 10004."""
    if not isinstance(args, list) or len(args) != 3:
        raise BybitError(10001, "Params Error")
    key, expires, sign = (str(each) for each in args)
    if not _INTEGER.fullmatch(expires):
        raise BybitError(10001, "Params Error")
    if key not in accounts:
        raise BybitError(10003, "Invalid apikey")
    expected = signed(accounts[key], f"GET/realtime{expires}".encode())
    if not hmac.compare_digest(expected.encode(), sign.lower().encode()):
        raise BybitError(10004, "Invalid sign")
    if int(expires) <= now_ns // 1_000_000:
        raise BybitError(10001, "Params Error: expires is over")
    return key
