"""Who is connected to OKX v5's websockets, who logged in, and who listens to which channel.

There are three addresses, each with channels of its own: ``public``, ``private`` (after a login) and ``business``.
Source: the venue's pages WebSocket Overview, Login, Subscribe, Unsubscribe, Connection count limit.
"""

from collections.abc import Callable, Mapping

import msgspec

from gateways.paper.front import Push
from gateways.paper.okx.errors import OkxError
from gateways.paper.okx.requests import Json

PATHS = {"/ws/v5/public": "public", "/ws/v5/private": "private", "/ws/v5/business": "business"}

BY_CONTRACT = frozenset(
    {
        "bbo-tbt",
        "books",
        "books5",
        "funding-rate",
        "mark-price",
        "open-interest",
        "price-limit",
        "tickers",
        "trades",
    }
)
PUBLIC = BY_CONTRACT | {"index-tickers", "instruments"}
BUSINESS = frozenset({"trades-all"})
ACCOUNT = frozenset({"orders", "positions", "account", "balance_and_position"})
FOR_LARGE_TRADERS = frozenset({"books-l2-tbt", "books50-l2-tbt", "fills"})
"""Channels that ask for a fee tier which paper accounts do not have."""

KINDS = frozenset({"SWAP", "ANY", "FUTURES", "MARGIN", "OPTION", "SPOT", "EVENTS"})
MOST_CONNECTIONS = 30
"""Of one account to one of its channels."""

_encode = msgspec.json.Encoder().encode


class Subscription(msgspec.Struct, frozen=True):
    """A channel with what it was asked for. ``arg`` is echoed in every message of it, as the client wrote it."""

    channel: str
    arg: dict[str, str]

    @property
    def key(self) -> str:
        """What makes two subscriptions the same one."""
        return " ".join(f"{name}={self.arg[name]}" for name in sorted(self.arg))

    def takes(self, ticker: str) -> bool:
        """Whether news of a swap is asked for: by kind, by family, by name."""
        return (
            self.arg.get("instType", "ANY") in {"SWAP", "ANY"}
            and self.arg.get("instId", ticker) == ticker
            and ticker.startswith(self.arg.get("instFamily", ""))
        )


class Connection:
    """One websocket connection."""

    __slots__ = ("account", "conn_id", "heard_ns", "place", "subscriptions")

    def __init__(self, place: str, conn_id: str, now_ns: int) -> None:
        self.place = place
        self.conn_id = conn_id
        self.account = ""
        self.heard_ns = now_ns
        """When anything was last said on it, by either side."""
        self.subscriptions: dict[str, Subscription] = {}


class Subscriptions:
    """Every open connection and what it listens to."""

    def __init__(self, now_ns: Callable[[], int]) -> None:
        self._now_ns = now_ns
        self._connections: dict[int, Connection] = {}
        self._by_channel: dict[str, dict[int, Connection]] = {}

    def __contains__(self, number: int) -> bool:
        return number in self._connections

    def open(self, number: int, place: str) -> None:
        """Take a new connection."""
        self._connections[number] = Connection(place, f"{number:08x}", self._now_ns())

    def close(self, number: int) -> None:
        """Forget a connection."""
        self._connections.pop(number, None)
        for listeners in self._by_channel.values():
            listeners.pop(number, None)

    def of(self, number: int) -> Connection:
        """An open connection."""
        return self._connections[number]

    def silent_since(self, since_ns: int) -> list[int]:
        """The connections on which nothing was said since a time."""
        return [number for number, each in self._connections.items() if each.heard_ns < since_ns]

    def has(self, channel: str) -> bool:
        """Whether anybody listens to a channel, whatever of it."""
        return bool(self._by_channel.get(channel))

    def add(self, number: int, wanted: Subscription) -> None:
        """Listen. Raises OkxError 60020 where an account has too many connections to a channel."""
        connection = self._connections[number]
        listeners = self._by_channel.setdefault(wanted.channel, {})
        is_new = wanted.channel in ACCOUNT and number not in listeners
        if is_new and self.count(wanted.channel, connection.account) >= MOST_CONNECTIONS:
            raise OkxError("60020", "APIKey subscription amount exceeds the limit")
        connection.subscriptions[wanted.key] = wanted
        listeners[number] = connection

    def remove(self, number: int, unwanted: Subscription) -> None:
        """Listen no more."""
        connection = self._connections[number]
        connection.subscriptions.pop(unwanted.key, None)
        if not any(each.channel == unwanted.channel for each in connection.subscriptions.values()):
            self._by_channel.get(unwanted.channel, {}).pop(number, None)

    def count(self, channel: str, account: str) -> int:
        """How many connections of an account listen to a channel."""
        return sum(each.account == account for each in self._by_channel.get(channel, {}).values())

    def listeners(self, channel: str, account: str = "") -> list[tuple[int, Subscription]]:
        """Who listens to a channel, of one account where it is one's own, oldest connection first."""
        return [
            (number, wanted)
            for number, each in self._by_channel.get(channel, {}).items()
            if not account or each.account == account
            for wanted in each.subscriptions.values()
            if wanted.channel == channel
        ]

    def say(self, number: int, message: Mapping[str, object]) -> Push:
        """A message to one connection."""
        self._connections[number].heard_ns = self._now_ns()
        return Push(connection=number, text=_encode(message).decode())

    def tell(self, number: int, wanted: Subscription, data: list[Json], **more: object) -> Push:
        """A message of a channel; the name of the channel stands first in it."""
        return self.say(number, {"arg": {**wanted.arg}, **more, "data": data})

    def publish(self, channel: str, ticker: str, data: list[Json], **more: object) -> list[Push]:
        """The same message of a contract to all who listen to it."""
        return [
            self.tell(number, wanted, data, **more)
            for number, wanted in self.listeners(channel)
            if wanted.arg.get("instId") == ticker
        ]


def wanted_of(arg: Mapping[str, object]) -> Subscription:
    """A subscription as a client writes it; values that are no texts are left out."""
    channel = arg.get("channel")
    named = channel if isinstance(channel, str) else ""
    texts = {name: value for name, value in arg.items() if isinstance(value, str) and value and name != "channel"}
    return Subscription(named, {"channel": named, **texts})


def absent(wanted: Subscription) -> OkxError:
    """There is no such channel here, or nothing of that name in it."""
    said = ",".join(f"{name}:{value}" for name, value in wanted.arg.items())
    return OkxError(
        "60018",
        f"Wrong URL or {said} doesn't exist. Please use the correct URL, channel and parameters referring to API "
        "document.",
    )
