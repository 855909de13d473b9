"""A request to Binance USD-M: its parameters, and who sent it.

Source: "General Info" (parameters may stand in the query, in an urlencoded body or in both; the query wins) and
"SIGNED Endpoint Security" (HMAC-SHA256 in hex over the query concatenated with the body, as sent, less the signature).
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from decimal import Decimal
from urllib.parse import parse_qsl

import msgspec

from gateways.contracts import Contracts
from gateways.paper.binance.errors import BinanceError, illegal_characters, missing, not_valid, unknown_symbol
from gateways.standards import Contract

DEFAULT_WINDOW_MS = 5_000
LONGEST_WINDOW_MS = 60_000
FUTURE_TOLERANCE_MS = 1_000

_SIGNATURE = re.compile(rb"(?:^|&)signature=[^&]*")
_DECIMAL = re.compile(r"[0-9]{1,20}(\.[0-9]{0,20})?|\.[0-9]{1,20}", re.ASCII)
_JSON = msgspec.json.Decoder(float_hook=str)
_INTEGER = re.compile(r"-?[0-9]{1,19}", re.ASCII)


def read_json(text: str) -> object:
    """What a client's JSON says, numbers with a fraction as the text they were written in. Raises ValueError."""
    try:
        return _JSON.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(str(error)) from None


def as_texts(values: Mapping[str, object]) -> dict[str, str]:
    """JSON parameters as the texts that a query would carry; absent where null."""
    return {
        name: (str(value).lower() if isinstance(value, bool) else str(value))
        for name, value in values.items()
        if value is not None
    }


class Params:
    """The parameters of one request, all as text. Every reader raises BinanceError -1102 or -1130 as the venue does."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    def __contains__(self, name: str) -> bool:
        return self._values.get(name, "") != ""

    def text(self, name: str) -> str:
        """A mandatory text."""
        value = self._values.get(name, "")
        if not value:
            raise missing(name)
        return value

    def optional(self, name: str) -> str | None:
        """A text, or None."""
        return self._values.get(name) or None

    def choice(self, name: str, choices: tuple[str, ...], default: str) -> str:
        """One of ``choices``."""
        value = self._values.get(name) or default
        if value not in choices:
            raise not_valid(name)
        return value

    def decimal(self, name: str) -> Decimal:
        """A mandatory number, not negative, plainly written (no exponent)."""
        value = self.text(name)
        if not _DECIMAL.fullmatch(value):
            raise illegal_characters(name, "^([0-9]{1,20})(\\.[0-9]{1,20})?$")
        return Decimal(value)

    def integer(self, name: str) -> int | None:
        """A whole number, or None."""
        value = self._values.get(name, "")
        if not value:
            return None
        if not _INTEGER.fullmatch(value):
            raise illegal_characters(name, "^[0-9]{1,20}$")
        return int(value)

    def limit(self, default: int, largest: int) -> int:
        """How many rows are wanted."""
        wanted = self.integer("limit")
        if wanted is None:
            return default
        if wanted <= 0:
            raise not_valid("limit")
        return min(wanted, largest)

    def flag(self, name: str) -> bool:
        """A true or false; false where it is absent."""
        value = (self._values.get(name) or "false").lower()
        if value not in {"true", "false"}:
            raise not_valid(name)
        return value == "true"

    def contract(self, contracts: Contracts) -> Contract:
        """The contract that ``symbol`` names."""
        found = contracts.get(self.text("symbol"))
        if found is None:
            raise unknown_symbol()
        return found


def params_of(query: str, body: bytes) -> Params:
    """The parameters of query and body together."""
    values: dict[str, str] = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    values.update(parse_qsl(query, keep_blank_values=True))
    return Params(values)


def account_of(key: str | None, accounts: Mapping[str, str]) -> str:
    """The account of an API key. Raises BinanceError -2014 (no key) or -2015 (unknown)."""
    if not key:
        raise BinanceError(-2014, "API-key format invalid.", status=401)
    if key not in accounts:
        raise BinanceError(-2015, "Invalid API-key, IP, or permissions for action.", status=401)
    return key


def check_signature(payload: bytes, signature: str, secret: str) -> None:
    """Verify ``signature`` over the bytes that were sent. Raises BinanceError -1022."""
    expected = hmac.new(secret.encode(), payload, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected.encode(), signature.lower().encode()):
        raise BinanceError(-1022, "Signature for this request is not valid.")


def check_timing(params: Params, now_ns: int) -> None:
    """Hold ``timestamp`` and ``recvWindow`` (ms) against the clock. Raises BinanceError -1021, -1102 or -1131."""
    timestamp = params.integer("timestamp")
    if timestamp is None:
        raise missing("timestamp")
    window = params.integer("recvWindow")
    if window is None:
        window = DEFAULT_WINDOW_MS
    if not 0 < window <= LONGEST_WINDOW_MS:
        raise BinanceError(-1131, f"recvWindow must be less than {LONGEST_WINDOW_MS}")
    now_ms = now_ns // 1_000_000
    if timestamp >= now_ms + FUTURE_TOLERANCE_MS:
        raise BinanceError(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")
    if now_ms - timestamp > window:
        raise BinanceError(-1021, "Timestamp for this request is outside of the recvWindow.")


def signed_payload(query: str, body: bytes) -> bytes:
    """What an HTTP request's signature covers: query and body as sent, without the signature itself."""
    return b"".join(
        _SIGNATURE.sub(b"", part).removeprefix(b"&") for part in (query.encode("utf-8", "surrogatepass"), body)
    )


def websocket_payload(values: Mapping[str, str]) -> bytes:
    """What a websocket request's signature covers: its parameters sorted by name, without the signature itself."""
    return "&".join(f"{name}={values[name]}" for name in sorted(values) if name != "signature").encode()
