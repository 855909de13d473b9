"""The Hyperliquid protocol of a paper exchange: ``POST /info``, ``POST /exchange`` and the websocket ``/ws``. Sans-I/O.

It is the venue's protocol for linear perpetuals as the official SDK and ccxt speak it: signatures are verified, prices
and sizes follow the venue's rules, errors have the venue's words. Not offered, and refused in words: spot, vaults and
sub-accounts, triggers, TWAP, isolated margin; there is no funding, and candles are empty. What the parts do is said in
``hyperliquid_desk`` (actions), ``hyperliquid_info`` (questions) and ``hyperliquid_streams`` (subscriptions).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import msgspec

from gateways.paper.exchange import Happening, OrderChanged, PaperExchange
from gateways.paper.front import HttpReply, Push
from gateways.paper.hyperliquid.desk import ActionDesk
from gateways.paper.hyperliquid.info import InfoDesk, NoSuchThing
from gateways.paper.hyperliquid.limits import (
    MESSAGES_A_MINUTE,
    WEIGHT_A_MINUTE,
    AccountUse,
    RollingLimit,
    batch_length,
    info_weight,
)
from gateways.paper.hyperliquid.signers import Signers
from gateways.paper.hyperliquid.streams import Streams, Subscription, SubscriptionRefused

SILENCE_NS = 60_000_000_000
"""The server drops a connection that it said nothing to for this long (page "Timeouts and heartbeats")."""

_TEXT = {"content-type": "text/plain; charset=utf-8"}
_UNREADABLE = HttpReply(status=422, body=b"Failed to deserialize the JSON body into the target type", headers=_TEXT)
_NO_JSON = HttpReply(status=400, body=b"Failed to parse the request body as JSON", headers=_TEXT)
_NO_TYPE = HttpReply(status=415, body=b"Expected request with `Content-Type: application/json`", headers=_TEXT)
_NULL_ERROR = HttpReply(status=500, body=b"null")
_TOO_MANY = HttpReply(status=429, body=b"null")
_NOT_FOUND = HttpReply(status=404, headers=_TEXT)
_BAD_METHOD = HttpReply(status=405, headers=_TEXT)

_encode = msgspec.json.Encoder().encode


class _PostRequest(msgspec.Struct, frozen=True):
    type: Literal["info", "action"]
    payload: dict[str, Any]


class _Post(msgspec.Struct, frozen=True, tag_field="method", tag="post"):
    id: int
    request: _PostRequest


class _Subscribe(msgspec.Struct, frozen=True, tag_field="method", tag="subscribe"):
    subscription: Subscription


class _Unsubscribe(msgspec.Struct, frozen=True, tag_field="method", tag="unsubscribe"):
    subscription: Subscription


class _Ping(msgspec.Struct, frozen=True, tag_field="method", tag="ping"):
    pass


_decode_message = msgspec.json.Decoder(_Post | _Subscribe | _Unsubscribe | _Ping).decode


class HyperliquidFront:
    """Hyperliquid's protocol in front of ``exchange``; see ``gateways.paper.front.Front`` for the verbs.

    ``accounts``: address to private key. A private key of another address makes that address an approved agent of the
    account; an empty one leaves the account to its own key.
    """

    def __init__(self, exchange: PaperExchange, *, accounts: Mapping[str, str], now_ns: Callable[[], int]) -> None:
        self._now_ns = now_ns
        self._use = AccountUse()
        self._signers = Signers(accounts)
        self._desk = ActionDesk(exchange, self._signers, self._use, now_ns=now_ns)
        self._info = InfoDesk(exchange, self._signers, self._desk, self._use, now_ns=now_ns)
        self._streams = Streams(exchange, self._desk, self._info, now_ns=now_ns)
        self._weight = RollingLimit(WEIGHT_A_MINUTE)
        self._messages = RollingLimit(MESSAGES_A_MINUTE)
        self._spoken_ns: dict[int, int] = {}
        """When each open connection was last said something."""

    def http(self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes) -> HttpReply:  # noqa: ARG002 - the protocol has no query strings
        """Answer ``POST /info`` or ``POST /exchange``."""
        if path not in {"/info", "/exchange"}:
            return _NOT_FOUND
        if method != "POST":
            return _BAD_METHOD
        if not headers.get("content-type", "application/json").startswith("application/json"):
            return _NO_TYPE
        now = self._now_ns()
        if self._weight.exhausted(now):
            return _TOO_MANY
        try:
            raw = msgspec.json.decode(body)
        except msgspec.DecodeError:
            return _NO_JSON
        if not isinstance(raw, dict):
            return _UNREADABLE
        if path == "/info":
            reply, weight = self._answer_info(raw)
        else:
            reply, weight = self._answer_exchange(raw)
        self._weight.spend(now, weight)
        return reply

    def ws_open(self, connection: int, path: str, query: str) -> list[Push]:  # noqa: ARG002 - the protocol has no query strings
        """Take a connection to ``/ws``; any other path is closed."""
        if path != "/ws":
            return [Push(connection=connection, close=True)]
        self._streams.open(connection)
        self._spoken_ns[connection] = self._now_ns()
        return []

    def ws_message(self, connection: int, text: str) -> list[Push]:
        """Answer a ping, a post, a subscription or its end."""
        if connection not in self._spoken_ns:
            return []
        now = self._now_ns()
        if self._messages.exhausted(now):
            return self._spoken([_error(connection, f"Cannot send more than {MESSAGES_A_MINUTE} messages per minute.")])
        self._messages.spend(now, 1)
        try:
            message = _decode_message(text)
        except msgspec.DecodeError:
            return self._spoken([_error(connection, f"Error parsing JSON into valid websocket request: {text}")])
        try:
            match message:
                case _Ping():
                    pushes = [Push(connection=connection, text='{"channel":"pong"}')]
                case _Post():
                    pushes = [Push(connection=connection, text=self._post(message))]
                case _Subscribe(subscription=wanted):
                    pushes = self._streams.subscribe(connection, wanted)
                case _Unsubscribe(subscription=wanted):
                    pushes = self._streams.unsubscribe(connection, wanted)
        except SubscriptionRefused as refusal:
            pushes = [_error(connection, str(refusal))]
        return self._spoken(pushes)

    def ws_closed(self, connection: int) -> None:
        """Forget a connection and its subscriptions."""
        self._streams.close(connection)
        self._spoken_ns.pop(connection, None)

    def happened(self, happenings: Sequence[Happening]) -> list[Push]:
        """Write orders, fills, states, quotes and trades to those who subscribed."""
        for happening in happenings:
            if isinstance(happening, OrderChanged) and happening.fill is not None:
                self._use.traded(happening.fill.account, happening.fill.price * happening.fill.quantity)
        return self._spoken(self._streams.happened(happenings))

    def tick(self) -> list[Push]:
        """Do the timed cancels that are due, push what is due by time, end the connections that heard nothing."""
        self._desk.run_schedule()
        pushes = self._spoken(self._streams.tick())
        now = self._now_ns()
        for connection, spoken in list(self._spoken_ns.items()):
            if now - spoken > SILENCE_NS:
                self.ws_closed(connection)
                pushes.append(Push(connection=connection, close=True))
        return pushes

    # ---------------------------------------------------------------- inside

    def _answer_info(self, raw: dict[str, Any]) -> tuple[HttpReply, int]:
        try:
            answer = self._info.answer(raw)
        except msgspec.ValidationError:
            return _UNREADABLE, 2
        except NoSuchThing:
            return _NULL_ERROR, 2
        return HttpReply(body=_encode(answer)), info_weight(raw["type"], answer)

    def _answer_exchange(self, raw: dict[str, Any]) -> tuple[HttpReply, int]:
        try:
            answer = self._desk.take(raw)
        except msgspec.ValidationError:
            return _UNREADABLE, 1
        return HttpReply(body=_encode(answer)), 1 + batch_length(raw["action"]) // 40

    def _post(self, message: _Post) -> str:
        """The answer of a post: that of the same HTTP request, or its status and text as an error."""
        raw = message.request.payload
        answer = self._answer_info if message.request.type == "info" else self._answer_exchange
        reply, _ = answer(raw)
        if reply.status != 200:
            response: dict[str, Any] = {"type": "error", "payload": f"{reply.status} {reply.body.decode()}"}
        else:
            payload: object = msgspec.Raw(reply.body)
            if message.request.type == "info":
                payload = {"type": raw["type"], "data": payload}
            response = {"type": message.request.type, "payload": payload}
        return _encode({"channel": "post", "data": {"id": message.id, "response": response}}).decode()

    def _spoken(self, pushes: list[Push]) -> list[Push]:
        now = self._now_ns()
        for push in pushes:
            self._spoken_ns[push.connection] = now
        return pushes


def _error(connection: int, text: str) -> Push:
    return Push(connection=connection, text=_encode({"channel": "error", "data": text}).decode())
