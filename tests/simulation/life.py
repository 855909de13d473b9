"""One life of a desk: from its start to its end, or to the moment at which ``kill -9`` would have ended it.

A killed desk's journal is what it had written at that moment, and of its bytes only those arrive that had left by then.
What its objects do after that reaches nobody.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any

import msgspec

from gateways.binance.venue import BinanceVenue
from gateways.hyperliquid.venue import HyperliquidVenue
from gateways.paper.memory import MemoryShell
from gateways.router import Gateway
from gateways.transport.memory import MemoryNetwork
from gateways.transport.network import Http, NotSentError, Response, Socket
from gateways.transport.virtual import VirtualLoop
from gateways.venue import Endpoints, Venue
from oms.archive import Archive
from oms.clock import Clock
from oms.journal import Draft, MemoryJournal
from oms.put_away import Kept
from oms.recorder import Unwritten
from oms.system import OMS


class Kill:
    """The end of one life: at a journal record, just before or after it is written, or after a message left.

    ``rng`` draws when; None is never. ``strike`` is called at that moment.
    """

    def __init__(self, rng: Random | None, strike: Callable[[], None]) -> None:
        self.struck = False
        self.died = asyncio.Event()
        self.point = "never" if rng is None else rng.choice(("before a record", "after a record", "after a message"))
        self._left = 0 if rng is None else rng.choice((1, 3, 8, 20, 40, 80)) + rng.randrange(10)
        self._strike = strike

    def reached(self, point: str) -> None:
        """Count a moment of this kind."""
        if point == self.point and not self.struck:
            self._left -= 1
            if self._left <= 0:
                self.struck = True
                self._strike()
                self.died.set()

    def spare(self) -> None:
        """Let it live."""
        self.point = "never"


class LifeJournal:
    """The journal of one life; ``image`` is what its death leaves, and ``archive``.

    What may wait for the end of a turn is lost by a death in that turn, as on disk.
    """

    def __init__(self, clock: Clock, image: bytes, kill: Kill, archive: Archive) -> None:
        self._inner = MemoryJournal(clock, image, archive=archive)
        self._kill = kill
        self._left: bytes | None = None
        self._waits_from: int | None = None
        """The first line that waits for the end of the turn."""

    @property
    def image(self) -> bytes:
        """What is there now, or was there when the life ended."""
        return self._inner.image if self._left is None else self._left

    def freeze(self) -> None:
        """Take what is there for what is left, once."""
        if self._left is None:
            self._left = b"".join(self._inner.image.splitlines(keepends=True)[: self._waits_from])

    def _turn_ended(self) -> None:
        self._waits_from = None

    def append(
        self, kind: str, value: msgspec.Struct | None = None, /, *, cause: int | None = None, **fields: object
    ) -> int:
        """Write one record; see ``Recorder.append``."""
        self._kill.reached("before a record")
        number = self._inner.append(kind, value, cause=cause, **fields)
        self._turn_ended()
        self._kill.reached("after a record")
        return number

    def append_soon(self, kind: str, value: msgspec.Struct, unwritten: Unwritten, /) -> int:
        """Take one record; see ``Recorder.append_soon``."""
        self._kill.reached("before a record")
        if self._waits_from is None:
            self._waits_from = self._inner.mark().place
            asyncio.get_running_loop().call_soon(self._turn_ended)
        number = self._inner.append_soon(kind, value, unwritten)
        self._kill.reached("after a record")
        return number

    def append_with(self, kind: str, value: msgspec.Struct, following: Sequence[tuple[str, msgspec.Struct]], /) -> int:
        """Write records; see ``Recorder.append_with``. A life may end between any two of them."""
        number = self.append(kind, value)
        for name, told in following:
            self.append(name, told, cause=number)
        return number

    def begin_segment(self, draft: Draft) -> None:
        """Go on in a new segment; see ``Recorder.begin_segment``."""
        self._turn_ended()
        self._inner.begin_segment(draft)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class LifeNetwork:
    """The network as one life has it: nothing goes through once it is over."""

    def __init__(self, network: MemoryNetwork, kill: Kill) -> None:
        self._network = network
        self._kill = kill
        self._sockets: list[Socket] = []

    def cut(self) -> None:
        """Break every connection, as the end of a process does."""
        for socket in self._sockets:
            socket.abort()

    async def connect(self, url: str, deliver: Callable[[bytes], None], **options: Any) -> Socket:
        """See ``Network.connect``."""
        self._refuse()
        socket = await self._network.connect(url, deliver, **options)
        if self._kill.struck:
            socket.abort()
        self._sockets.append(_Counted(socket, self._kill))
        return self._sockets[-1]

    def http(self, connections: int) -> Http:
        """See ``Network.http``."""
        return _LifeHttp(self._network.http(connections), self._kill)

    def jitter(self) -> float:
        """See ``Network.jitter``."""
        return self._network.jitter()

    def monotonic_ns(self) -> int:
        """See ``Network.monotonic_ns``."""
        return self._network.monotonic_ns()

    def _refuse(self) -> None:
        if self._kill.struck:
            raise NotSentError("this desk is dead")


class _Counted:
    """A socket whose messages may be the last thing that a desk does."""

    def __init__(self, socket: Socket, kill: Kill) -> None:
        self._socket = socket
        self._kill = kill

    def write(self, data: bytes) -> None:
        self._socket.write(data)
        self._kill.reached("after a message")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._socket, name)


class _LifeHttp:
    """HTTP that ends with its desk; a request that had left is answered to nobody."""

    def __init__(self, http: Http, kill: Kill) -> None:
        self._http = http
        self._kill = kill

    async def request(self, method: str, url: str, **options: Any) -> Response:
        if self._kill.struck:
            raise NotSentError("this desk is dead")
        return await self._http.request(method, url, **options)

    async def close(self) -> None:
        await self._http.close()


def deaths(rng: Random) -> Iterator[Random | None]:
    """A few lives that are killed, and then one that is not."""
    for _ in range(rng.choice((1, 1, 2, 4))):
        yield rng
    while True:
        yield None


class Life:
    """A desk on what an earlier one's journal left (``image``); ``doom`` draws its end, None lets it live.

    ``patience``: seconds until an unanswered order is unknown. ``kept``: how many finished orders stay in memory.
    """

    def __init__(
        self, shell: MemoryShell, loop: VirtualLoop, image: bytes, doom: Random | None, *, patience: float,
        archive: Archive, kept: Kept,
    ) -> None:  # fmt: skip
        self.kill = Kill(doom, self._struck)
        self.journal = LifeJournal(loop, image, self.kill, archive)
        self._network = LifeNetwork(shell.network, self.kill)
        self._loop = loop
        self.oms = OMS(
            Gateway(shell.endpoints, make=self._make), journal=self.journal, clock=loop, pending_timeout=patience,
            refresh_orders_snapshot=5.0, refresh_positions_snapshot=7.0, kept=kept,
        )  # fmt: skip

    async def bury(self) -> None:
        """End what is left of it, which reaches nobody any more."""
        self.kill.struck = True
        self._struck()
        await self.oms.cleanup()

    def _struck(self) -> None:
        self.journal.freeze()
        self._network.cut()

    def _make(self, alias: str, endpoints: Endpoints) -> Venue:
        made = BinanceVenue if alias == "binance" else HyperliquidVenue
        return made(alias, endpoints, clock_ns=self._loop.now_ns, network=self._network)
