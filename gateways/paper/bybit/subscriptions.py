"""Who listens to which topic of Bybit v5's public and private websockets, and what these connections may ask.

A request names its topics in one list, and one bad topic refuses all of it. Topics of an account may be asked for all
products at once (``order``) or by product (``order.linear``); a message bears the name that was asked for.

Source: the page Connect (login, heartbeat, how to subscribe) and the venue's own refusals as recorded.
"""

import re
from collections.abc import Callable, Mapping

import msgspec

from gateways.paper.bybit import numbers
from gateways.paper.bybit.disconnection import Disconnections
from gateways.paper.bybit.errors import BybitError
from gateways.paper.bybit.requests import login_of, read_json
from gateways.paper.front import Push

PUBLIC, PRIVATE = "public", "private"

_ACCOUNT_TOPIC = re.compile(r"(order|execution\.fast|execution|position|wallet|greeks|dcp)(?:\.(\w+))?")
_PRODUCTS = frozenset({"linear", "inverse", "spot", "option"})
_PROTECTED = frozenset({"future", "spot", "option"})


class Listener:
    """One connection: what it is for, who is logged in on it, and its topics in the order of subscription."""

    def __init__(self, number: int, kind: str) -> None:
        self.number = number
        self.kind = kind
        self.account = ""
        self.topics: dict[str, None] = {}


class Subscriptions:
    """Every open public and private connection and what it listens to.

    ``is_public``: whether there is a public topic of that name.
    """

    def __init__(
        self,
        accounts: Mapping[str, str],
        disconnections: Disconnections,
        is_public: Callable[[str], bool],
        now_ns: Callable[[], int],
    ) -> None:
        self._accounts = accounts
        self._disconnections = disconnections
        self._is_public = is_public
        self._now_ns = now_ns
        self._listeners: dict[int, Listener] = {}
        self._by_topic: dict[tuple[str, str], dict[int, None]] = {}

    def __contains__(self, connection: int) -> bool:
        return connection in self._listeners

    def open(self, connection: int, kind: str) -> None:
        """Take a new connection."""
        self._listeners[connection] = Listener(connection, kind)

    def close(self, connection: int) -> None:
        """Forget a connection."""
        listener = self._listeners.pop(connection, None)
        if listener is None:
            return
        if listener.account:
            self._disconnections.closed(listener.account, connection)
        self._remove(listener, list(listener.topics))

    def has(self, topic: str, account: str = "") -> bool:
        """Whether anybody listens to a topic; of an account, or to a public one."""
        return (account, topic) in self._by_topic

    def publish(self, topic: str, message: object, account: str = "") -> list[Push]:
        """The pushes of one message."""
        connections = self._by_topic.get((account, topic))
        if not connections:
            return []
        text = msgspec.json.encode(message).decode()
        return [Push(connection=connection, text=text) for connection in connections]

    def request(self, connection: int, text: str) -> tuple[list[Push], list[str]]:
        """Answer ``auth``, ``ping``, ``subscribe`` or ``unsubscribe``.

        Returns the answer and the public topics that were newly subscribed to.
        """
        listener = self._listeners[connection]
        added: list[str] = []
        try:
            request = read_json(text)
        except ValueError:
            request = None
        if not isinstance(request, dict):
            return [self._said(listener, {}, success=False, text="error:invalid request")], added
        match request.get("op"):
            case "ping":
                return [self._pong(listener, request)], added
            case "auth":
                return self._login(listener, request), added
            case "subscribe":
                said = self._subscribe(listener, request, added)
            case "unsubscribe":
                self._remove(listener, _texts(request.get("args")))
                said = self._said(listener, request, success=True, text="")
            case _:
                said = self._said(listener, request, success=False, text="error:invalid op")
        return [said], added if listener.kind == PUBLIC else []

    # ------------------------------------------------------------------ parts

    def _login(self, listener: Listener, request: Mapping[str, object]) -> list[Push]:
        if listener.kind != PRIVATE:
            return [self._said(listener, request, success=False, text="error:invalid op")]
        try:
            listener.account = login_of(request.get("args"), self._accounts, self._now_ns())
        except BybitError as error:
            refused = self._said(listener, request, success=False, text=error.text)
            return [refused, Push(connection=listener.number, close=True)]
        return [self._said(listener, request, success=True, text="")]

    def _pong(self, listener: Listener, request: Mapping[str, object]) -> Push:
        if listener.kind == PUBLIC:
            return self._said(listener, {"req_id": "", **request}, success=True, text="pong")
        if listener.account:
            self._disconnections.heartbeat(listener.account, listener.number)
        said: dict[str, object] = {"req_id": request["req_id"]} if "req_id" in request else {}
        said["op"] = "pong"
        said["args"] = [str(numbers.milliseconds(self._now_ns()))]
        said["conn_id"] = numbers.connection_id(listener.number)
        return Push(connection=listener.number, text=msgspec.json.encode(said).decode())

    def _subscribe(self, listener: Listener, request: Mapping[str, object], added: list[str]) -> Push:
        topics = _texts(request.get("args"))
        if listener.kind == PRIVATE and not listener.account:
            return self._said(listener, request, success=False, text="Request not authorized")
        if not topics:
            return self._said(listener, request, success=False, text="error:params error")
        for topic in topics:
            if not (self._is_public(topic) if listener.kind == PUBLIC else is_account_topic(topic)):
                return self._said(listener, request, success=False, text=f"error:handler not found,topic:{topic}")
            if topic in listener.topics:
                return self._said(listener, request, success=False, text=f"error:already subscribed,topic:{topic}")
        for topic in dict.fromkeys(topics):
            listener.topics[topic] = None
            self._by_topic.setdefault((listener.account, topic), {})[listener.number] = None
            added.append(topic)
            if topic.startswith("dcp"):
                self._disconnections.watch(listener.account, listener.number)
        return self._said(listener, request, success=True, text="subscribe" if listener.kind == PUBLIC else "")

    def _remove(self, listener: Listener, topics: list[str]) -> None:
        for topic in topics:
            if topic in listener.topics:
                if topic.startswith("dcp"):
                    self._disconnections.leave(listener.account, listener.number)
                del listener.topics[topic]
                listeners = self._by_topic[listener.account, topic]
                del listeners[listener.number]
                if not listeners:
                    del self._by_topic[listener.account, topic]

    def _said(self, listener: Listener, request: Mapping[str, object], *, success: bool, text: str) -> Push:
        said: dict[str, object] = {
            "success": success,
            "ret_msg": text,
            "conn_id": numbers.connection_id(listener.number),
        }
        if "req_id" in request:
            said["req_id"] = request["req_id"]
        said["op"] = request.get("op", "")
        return Push(connection=listener.number, text=msgspec.json.encode(said).decode())


def is_account_topic(topic: str) -> bool:
    """Whether there is an account's topic of that name."""
    matched = _ACCOUNT_TOPIC.fullmatch(topic)
    if matched is None:
        return False
    name, product = matched[1], matched[2]
    if name == "dcp":
        return product in _PROTECTED
    return product is None or (product in _PRODUCTS and name in {"order", "execution", "execution.fast", "position"})


def _texts(found: object) -> list[str]:
    return [str(each) for each in found] if isinstance(found, list) else []
