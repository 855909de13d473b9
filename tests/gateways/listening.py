"""Who listens to a venue in tests: everything that it tells is kept, and a test waits for facts, not for time."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar

from gateways.standards import Batch, Event
from gateways.venue import Channel, ChannelState, Venue, Watcher

PATIENCE_S = 20.0
"""After so long a fact that has not come true fails its test: much longer than a loaded machine needs."""

V = TypeVar("V", bound=Venue)


class Facts:
    """Lets a test wait for something to be true instead of for time to pass."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Callable[[], Any], asyncio.Future[None]]] = []

    def changed(self) -> None:
        """Something may have become true, if only for this moment."""
        for fact, future in self._waiting:
            if future.done():
                continue
            try:
                if fact():
                    future.set_result(None)
            except Exception as error:  # noqa: BLE001 - it is the waiting test's, not of whoever tells the news
                future.set_exception(error)

    async def until(self, fact: Callable[[], Any]) -> None:
        """Wait until ``fact()`` is true. Raises TimeoutError where it does not become so."""
        if fact():
            return
        entry = fact, asyncio.get_running_loop().create_future()
        self._waiting.append(entry)
        try:
            async with asyncio.timeout(PATIENCE_S):
                await entry[1]
        finally:
            self._waiting.remove(entry)


class Desk(Watcher):
    """Takes what a venue tells: the sink's events and the watcher's news, with a way to wait for a fact."""

    def __init__(self, facts: Facts | None = None) -> None:
        self.facts = facts or Facts()
        self.batches: list[Batch] = []
        self.states: list[ChannelState] = []
        self.requests: list[tuple[str, str, str, bool]] = []
        self.dropped: list[str] = []

    @property
    def events(self) -> list[Event]:
        """All events so far."""
        return [event for batch in self.batches for event in batch.events]

    def of(self, kind: type[Any]) -> list[Any]:
        """Every event of a kind so far."""
        return [event for event in self.events if isinstance(event, kind)]

    def states_of(self, channel: Channel) -> list[bool]:
        """The ups and downs of a channel so far."""
        return [state.connected for state in self.states if state.channel is channel]

    def up(self, channel: Channel) -> bool:
        """Whether the last state of a channel is connected."""
        return self.states_of(channel)[-1:] == [True]

    def sink(self, batch: Batch) -> None:
        self.batches.append(batch)
        self.facts.changed()

    def channel_changed(self, venue: str, state: ChannelState) -> None:
        self.states.append(state)
        self.facts.changed()

    def request_done(self, venue: str, verb: str, *, sent: str, answer: str, took_ns: int, ok: bool) -> None:
        self.requests.append((verb, sent, answer, ok))
        self.facts.changed()

    def message_dropped(self, venue: str, reason: str) -> None:
        self.dropped.append(reason)
        self.facts.changed()

    async def until(self, fact: Callable[[], Any]) -> None:
        """Wait until ``fact`` holds of what was told."""
        await self.facts.until(fact)


@contextlib.asynccontextmanager
async def listening(venue: V) -> AsyncIterator[tuple[V, Desk]]:
    """Connect a venue; it, and who listens to it."""
    desk = Desk()
    await venue.connect(desk.sink, desk)
    try:
        yield venue, desk
    finally:
        await venue.close()
