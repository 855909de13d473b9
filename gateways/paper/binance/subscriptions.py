"""Who listens to which stream of Binance USD-M's websocket market and user data.

Streams are split by category: ``/public`` (depth, bookTicker), ``/market`` (the other market data), ``/private`` (user
data, by listen key); the legacy paths without a category take all. On ``.../stream`` messages come wrapped as
``{"stream": name, "data": message}``, on ``.../ws`` bare.

Source: the venue's pages Connect (USD-M streams), Live Subscribing/Unsubscribing to streams, and its announcement of
the split of 2026-03-06. A trade stream is taken on either public path, since clients disagree about its place.
"""

import json
import re
from collections.abc import Callable
from urllib.parse import parse_qsl

import msgspec

from gateways.paper.binance.errors import no_listen_key
from gateways.paper.binance.requests import read_json
from gateways.paper.front import Push

PUBLIC = "public"
MARKET = "market"
PRIVATE = "private"
LEGACY = ""

_PATH = re.compile(r"(?:/(public|market|private))?/(ws|stream)(?:/(.+))?")
_PUBLIC_STREAM = re.compile(r"!?[a-z0-9_]*@?(depth|rpiDepth|bookTicker)")
_TRADE_STREAM = re.compile(r"[a-z0-9_]+@trade")


class Address(msgspec.Struct, frozen=True):
    """What a connection's path and query ask for."""

    category: str
    wrapped: bool
    streams: tuple[str, ...]
    events: frozenset[str]
    """User data events that alone are wanted; empty: all."""


def address_of(path: str, query: str) -> Address | None:
    """Read a stream path; None where it is not one."""
    matched = _PATH.fullmatch(path)
    if matched is None:
        return None
    streams = [name for name in (matched[3] or "").split("/") if name]
    events: list[str] = []
    for name, value in parse_qsl(query):
        if name in {"streams", "listenKey"}:
            streams += [stream for stream in value.split("/") if stream]
        elif name == "events":
            events += [event for event in re.split(r"[,/]", value) if event]
    return Address(matched[1] or LEGACY, matched[2] == "stream", tuple(streams), frozenset(events))


def is_market_stream(name: str) -> bool:
    """Whether the name is a market stream's and not a listen key."""
    return "@" in name or name.startswith("!")


def carries(category: str, name: str) -> bool:
    """Whether a connection of the category may subscribe to the stream."""
    if category == LEGACY:
        return True
    if not is_market_stream(name):
        return category == PRIVATE
    if category in {PUBLIC, MARKET} and _TRADE_STREAM.fullmatch(name):
        return True
    return category == (PUBLIC if _PUBLIC_STREAM.match(name) else MARKET)


class Listener:
    """One connection: its category, the form of its messages, and its streams in the order of subscription."""

    def __init__(self, address: Address) -> None:
        self.category = address.category
        self.wrapped = address.wrapped
        self.events = address.events
        self.streams: dict[str, None] = {}


class Subscriptions:
    """Every open stream connection and what it listens to."""

    def __init__(self, is_listen_key: Callable[[str], bool]) -> None:
        self._is_listen_key = is_listen_key
        self._listeners: dict[int, Listener] = {}
        self._by_stream: dict[str, dict[int, None]] = {}

    def __contains__(self, connection: int) -> bool:
        return connection in self._listeners

    def open(self, connection: int, address: Address) -> None:
        """Take a new connection with the streams that its address names.

        Names that its category does not serve stay silent: clients put numbers of their own there (ccxt: ``/ws/1``).
        """
        self._listeners[connection] = Listener(address)
        self._add(connection, tuple(name for name in address.streams if carries(address.category, name)))

    def close(self, connection: int) -> None:
        """Forget a connection."""
        listener = self._listeners.pop(connection, None)
        if listener is not None:
            self._remove(connection, listener, tuple(listener.streams))

    def active(self) -> list[str]:
        """The streams that anybody listens to."""
        return list(self._by_stream)

    def has(self, stream: str) -> bool:
        """Whether anybody listens."""
        return stream in self._by_stream

    def drop(self, stream: str) -> None:
        """End a stream for all of its listeners, who stay connected."""
        for connection in list(self._by_stream.get(stream, ())):
            self._remove(connection, self._listeners[connection], (stream,))

    def publish(self, stream: str, message: object, event: str = "") -> list[Push]:
        """The pushes of one message. ``event`` is the type of a user data message, for those who want only some."""
        connections = self._by_stream.get(stream)
        if not connections:
            return []
        text = msgspec.json.encode(message).decode()
        wrapped = f'{{"stream":{json.dumps(stream)},"data":{text}}}'
        pushes = []
        for connection in connections:
            listener = self._listeners[connection]
            if event and listener.events and event not in listener.events:
                continue
            pushes.append(Push(connection=connection, text=wrapped if listener.wrapped else text))
        return pushes

    def request(self, connection: int, text: str) -> tuple[list[Push], list[str]]:
        """Answer SUBSCRIBE, UNSUBSCRIBE, LIST_SUBSCRIPTIONS, SET_PROPERTY or GET_PROPERTY.

        Returns the answer and the streams that were newly subscribed to.
        """
        listener = self._listeners[connection]
        added: list[str] = []
        request: object = None
        try:
            request = read_json(text)
            answer = self._answer(connection, listener, request, added)
        except ValueError as error:
            answer = {"error": {"code": 3, "msg": f"Invalid JSON: {error}"}}
        if isinstance(request, dict) and "id" in request:
            answer["id"] = request["id"]
        return [Push(connection=connection, text=msgspec.json.encode(answer).decode())], added

    def _answer(self, connection: int, listener: Listener, request: object, added: list[str]) -> dict[str, object]:
        if not isinstance(request, dict):
            return _invalid("request must be an object")
        method, params = request.get("method"), request.get("params", [])
        if method == "LIST_SUBSCRIPTIONS":
            return {"result": list(listener.streams)}
        if method == "GET_PROPERTY":
            return {"result": listener.wrapped}
        if method == "SET_PROPERTY":
            if not (isinstance(params, list) and len(params) == 2 and isinstance(params[1], bool)):
                return _invalid("property name must be a string and its value a boolean")
            listener.wrapped = params[1]
            return {"result": None}
        if method not in ("SUBSCRIBE", "UNSUBSCRIBE"):
            return _invalid(
                f"unknown variant `{method}`, expected one of `SUBSCRIBE`, `UNSUBSCRIBE`, "
                "`LIST_SUBSCRIPTIONS`, `SET_PROPERTY`, `GET_PROPERTY`"
            )
        if not isinstance(params, list) or not all(isinstance(name, str) for name in params):
            return _invalid("params must be an array of strings")
        if method == "UNSUBSCRIBE":
            self._remove(connection, listener, tuple(params))
            return {"result": None}
        for name in params:
            if not carries(listener.category, name):
                return _invalid(f"stream {name} is not served on /{listener.category}")
            if not is_market_stream(name) and not self._is_listen_key(name):
                return {"error": no_listen_key().body}
        added += self._add(connection, tuple(params))
        return {"result": None}

    def _add(self, connection: int, streams: tuple[str, ...]) -> list[str]:
        listener = self._listeners[connection]
        added = [name for name in dict.fromkeys(streams) if name not in listener.streams]
        for name in added:
            listener.streams[name] = None
            self._by_stream.setdefault(name, {})[connection] = None
        return added

    def _remove(self, connection: int, listener: Listener, streams: tuple[str, ...]) -> None:
        for name in streams:
            if name not in listener.streams:
                continue
            del listener.streams[name]
            listeners = self._by_stream[name]
            del listeners[connection]
            if not listeners:
                del self._by_stream[name]


def _invalid(reason: str) -> dict[str, object]:
    return {"error": {"code": 2, "msg": f"Invalid request: {reason}"}}
