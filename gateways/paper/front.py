"""What a protocol front is: a venue's REST and websocket protocol around a paper exchange, without sockets or clocks.

A shell moves the bytes. After every call and every step of the market it drains the exchange and hands what happened
to ``happened``; pushes are sent in the order in which they are returned, those of the call before those of
``happened``. The same front runs behind real sockets (``gateways.paper.server``) and in memory under virtual time.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

import msgspec

from gateways.paper.records import Happening


class HttpReply(msgspec.Struct, frozen=True, kw_only=True):
    """An HTTP answer. The content type is JSON unless ``headers`` says otherwise.

    Only faults (``gateways.paper.faults``) ask of a shell what the last two say.
    """

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = {}
    fate: Literal["sent", "lost", "cut"] = "sent"
    """``lost``: no answer ever, the connection stays open. ``cut``: the connection ends without an answer."""
    after_ns: int = 0
    """How much later than the request it leaves."""


class Push(msgspec.Struct, frozen=True, kw_only=True):
    """A text message to one websocket connection, or (``close``) its end, after ``text`` if there is one."""

    connection: int
    text: str = ""
    close: bool = False


class Front(Protocol):
    """One venue's protocol. Constructed as ``XFront(exchange, *, accounts, now_ns)``; ``accounts``: key to secret.

    The exchange's account of a key is the key itself (Binance: the API key; Hyperliquid: the address in lower case).
    """

    def http(self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes) -> HttpReply:
        """Answer a request. ``query`` is the raw query string without ``?``; header names are in lower case."""
        ...

    def ws_open(self, connection: int, path: str, query: str) -> list[Push]:
        """Take a new connection, numbered by the shell (never reused); may answer with a close."""
        ...

    def ws_message(self, connection: int, text: str) -> list[Push]:
        """Take a text message of a connection."""
        ...

    def ws_closed(self, connection: int) -> None:
        """Forget a connection. Called once for each that was opened, whoever closed it."""
        ...

    def happened(self, happenings: Sequence[Happening]) -> list[Push]:
        """Write what happened on the exchange as pushes to those who subscribed to it."""
        ...

    def tick(self) -> list[Push]:
        """Do what is due by time: mark prices, batched books, expiry of keys, timed cancels. Called every 100 ms.

        What it does on the exchange is drained after it like that of any call.
        """
        ...
