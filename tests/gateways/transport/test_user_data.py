"""The private stream's base: what it keeps cannot end unseen."""

import asyncio

import pytest

from gateways.transport import user_data
from gateways.transport.session import Session
from gateways.transport.user_data import PrivateStream
from gateways.venue import Endpoints, Watcher


class Heard(Watcher):
    """Keeps the reasons of what was dropped."""

    def __init__(self):
        self.dropped = []

    def channel_changed(self, venue, state):
        raise AssertionError("nothing is connected here")

    def request_done(self, venue, verb, **said):
        raise AssertionError("nothing is sent here")

    def message_dropped(self, venue, reason):
        self.dropped.append(reason)


class Clockless(Session):
    """A session of a venue whose clock cannot be asked."""

    async def _server_ms(self):
        raise AssertionError("not asked")


class Kept(PrivateStream[Session]):
    """A stream whose keeper breaks at first."""

    def __init__(self, session):
        super().__init__(session, "ws://127.0.0.1:9")
        self.starts = 0
        self.keeps = asyncio.Event()

    async def _keep(self):
        self.starts += 1
        if self.starts == 1:
            raise RuntimeError("a fault of ours")
        self.keeps.set()
        await asyncio.Event().wait()

    def _read(self, data, ts_recv_ns):
        raise AssertionError("nothing is heard here")


async def test_a_keeper_that_breaks_is_told_of_and_started_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """A listen key must not run out because of one fault in the task that prolongs it."""
    monkeypatch.setattr(user_data, "KEEPER_AGAIN_S", 0.0)
    heard = Heard()
    session = Clockless("v", Endpoints(rest="http://127.0.0.1:9", ws="ws://127.0.0.1:9"), (), ())
    session.open(lambda batch: None, heard)
    stream = Kept(session)
    keeping = asyncio.get_running_loop().create_task(stream._keeping())
    async with asyncio.timeout(5):
        await stream.keeps.wait()
    assert len(heard.dropped) == 1
    assert "a fault of ours" in heard.dropped[0]
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)
    await session.close()
