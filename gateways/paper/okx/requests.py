"""A request to OKX v5: its parameters, and who sent it.

Source: "REST Authentication" (HMAC-SHA256 in base64 over timestamp, method, path with query, and body, as sent),
"WebSocket Login", and "General Info" (a request is valid for thirty seconds; ``expTime`` ends it earlier).
"""

import base64
import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import parse_qsl

import msgspec

from gateways.contracts import Contracts
from gateways.paper.okx.errors import (
    OkxError,
    empty,
    expired,
    invalid_json,
    unauthorised,
    unknown_instrument,
    wrong,
)
from gateways.standards import Contract, Credentials

VALID_MS = 30_000
"""How far the time of a request may be from the venue's."""

Json = dict[str, object]

_DECIMAL = re.compile(r"[0-9]{1,15}(\.[0-9]{0,12})?|\.[0-9]{1,12}", re.ASCII)
"""Few enough digits for exact arithmetic with every tick and lot."""
_INTEGER = re.compile(r"[0-9]{1,19}", re.ASCII)
_JSON = msgspec.json.Decoder(float_hook=str)


def read_json(text: str | bytes) -> object:
    """What a client's JSON says, numbers with a fraction as the text they were written in. Raises ValueError."""
    try:
        return _JSON.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise ValueError(str(error)) from None


class Params:
    """The parameters of one request or of one of its items. Every reader raises OkxError as the venue does."""

    def __init__(self, values: Mapping[str, object]) -> None:
        self._values = values

    def __contains__(self, name: str) -> bool:
        return self.optional(name) is not None

    def optional(self, name: str) -> str | None:
        """A text, None where it is absent, null or empty."""
        value = self._values.get(name)
        if value is None or value == "":
            return None
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, str | int):
            return str(value)
        raise wrong(name)

    def text(self, name: str) -> str:
        """A mandatory text."""
        value = self.optional(name)
        if value is None:
            raise empty(name)
        return value

    def choice(self, name: str, choices: tuple[str, ...], default: str | None = None) -> str:
        """One of ``choices``; mandatory without a ``default``."""
        value = self.text(name) if default is None else self.optional(name) or default
        if value not in choices:
            raise wrong(name)
        return value

    def decimal(self, name: str) -> Decimal:
        """A mandatory number over zero, plainly written."""
        value = self.text(name)
        if not _DECIMAL.fullmatch(value) or not Decimal(value):
            raise wrong(name)
        return Decimal(value)

    def integer(self, name: str) -> int | None:
        """A whole number, or None."""
        value = self.optional(name)
        if value is None:
            return None
        if not _INTEGER.fullmatch(value):
            raise wrong(name)
        return int(value)

    def limit(self, most: int = 100) -> int:
        """How many rows are wanted."""
        wanted = self.integer("limit")
        return most if wanted is None else max(1, min(wanted, most))

    def flag(self, name: str) -> bool:
        """A true or false; false where it is absent."""
        value = (self.optional(name) or "false").lower()
        if value not in {"true", "false"}:
            raise wrong(name)
        return value == "true"

    def given(self, name: str) -> bool:
        """Whether a parameter of any form, a list too, has something in it."""
        return bool(self._values.get(name))

    def contract(self, contracts: Contracts) -> Contract:
        """The contract that ``instId`` names."""
        found = contracts.get(self.text("instId"))
        if found is None:
            raise unknown_instrument()
        return found

    def contract_by_code(self, contracts: Contracts) -> Contract:
        """The contract that ``instIdCode`` names, as order entry over the websocket wants it."""
        found = contracts.by_venue_id(self.text("instIdCode"))
        if found is None:
            raise unknown_instrument()
        return found


def query_params(query: str) -> Params:
    """The parameters of a query string."""
    return Params(dict(parse_qsl(query, keep_blank_values=True)))


def body_items(body: bytes) -> list[Params]:
    """The items of a body: an object is one item. Raises OkxError."""
    if not body:
        raise OkxError("50000", "Body for POST request cannot be empty.", status=400)
    try:
        read = read_json(body)
    except ValueError:
        raise invalid_json() from None
    items = read if isinstance(read, list) else [read]
    found = [Params(item) for item in items if isinstance(item, dict)]
    if not items or len(found) != len(items):
        raise invalid_json()
    return found


# ------------------------------------------------------------------ who sent it


def account_of(
    accounts: Mapping[str, Credentials],
    headers: Mapping[str, str],
    *,
    method: str,
    target: str,
    body: bytes,
    now_ns: int,
) -> str:
    """The account whose key signed a REST request. ``target``: path and query as sent. Raises OkxError (HTTP 401)."""
    values = []
    for code, name in (("50103", "KEY"), ("50104", "PASSPHRASE"), ("50106", "SIGN"), ("50107", "TIMESTAMP")):
        value = headers.get(f"ok-access-{name.lower()}", "")
        if not value:
            raise unauthorised(code, f"Request header OK-ACCESS-{name} cannot be empty.")
        values.append(value)
    key, passphrase, signature, timestamp = values
    sent_ms = _iso_ms(timestamp)
    if sent_ms is None:
        raise unauthorised("50112", "Invalid OK-ACCESS-TIMESTAMP")
    if abs(now_ns // 1_000_000 - sent_ms) > VALID_MS:
        raise unauthorised("50102", "Timestamp request expired")
    owner = accounts.get(key)
    if owner is None:
        raise unauthorised("50111", "Invalid OK-ACCESS-KEY")
    if not _same(passphrase, owner.passphrase):
        raise unauthorised("50105", "Request header OK-ACCESS-PASSPHRASE incorrect.")
    payload = b"".join((f"{timestamp}{method}{target}".encode("utf-8", "surrogatepass"), body))
    if not _same(signature, sign(owner.secret, payload)):
        raise unauthorised("50113", "Invalid Sign")
    return key


def login_account(accounts: Mapping[str, Credentials], params: Params, *, now_ns: int) -> str:
    """The account that logs a connection in. Raises OkxError."""
    for code, name in (("60001", "apiKey"), ("60003", "passphrase"), ("60002", "sign"), ("60004", "timestamp")):
        if name not in params:
            raise OkxError(code, f"Login parameter {name} cannot be empty")
    owner = accounts.get(params.text("apiKey"))
    if owner is None:
        raise OkxError("60005", "Invalid apiKey")
    if not _same(params.text("passphrase"), owner.passphrase):
        raise OkxError("60024", "Wrong passphrase")
    timestamp = params.text("timestamp")
    seconds = _seconds(timestamp)
    if seconds is None:
        raise OkxError("60004", "Invalid timestamp")
    if abs(Decimal(now_ns) / 1_000_000_000 - seconds) * 1_000 > VALID_MS:
        raise OkxError("60006", "Timestamp request expired")
    if not _same(params.text("sign"), sign(owner.secret, f"{timestamp}GET/users/self/verify".encode())):
        raise OkxError("60007", "Invalid sign")
    return owner.key


def check_expiry(exp_time: str | None, now_ns: int) -> None:
    """Hold ``expTime`` (ms) against the clock. Raises OkxError 50036 or 51000."""
    if exp_time is None or exp_time == "":
        return
    if not _INTEGER.fullmatch(exp_time):
        raise wrong("expTime")
    if int(exp_time) * 1_000_000 < now_ns:
        raise expired()


def sign(secret: str, payload: bytes) -> str:
    """The signature of a payload."""
    return base64.b64encode(hmac.digest(secret.encode(), payload, "sha256")).decode()


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode())


def _iso_ms(text: str) -> int | None:
    try:
        moment = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    except ValueError:
        return None
    return int(moment.timestamp()) * 1_000 + moment.microsecond // 1_000


def _seconds(text: str) -> Decimal | None:
    return Decimal(text) if _DECIMAL.fullmatch(text) else None
