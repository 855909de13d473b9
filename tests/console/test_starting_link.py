"""A console's link while its engine is still starting."""

import contextlib
import threading
from collections.abc import Iterator

import pytest

from console.carrier.starting_link import StartingLink
from console.link import Frame, Reply
from gateways.errors import Unavailable
from tests.console.scripted import ScriptedLink

WAIT_S = 5.0


class Engine:
    """Opens a scripted link when it is let."""

    def __init__(self, error: Exception | None = None) -> None:
        self.link = ScriptedLink()
        self.may_start, self.ended = threading.Event(), threading.Event()
        self._error = error

    @contextlib.contextmanager
    def opened(self) -> Iterator[ScriptedLink]:
        self.may_start.wait(WAIT_S)
        if self._error is not None:
            raise self._error
        try:
            yield self.link
        finally:
            self.ended.set()


async def test_nothing_is_sent_before_the_engine_is_there_and_everything_after() -> None:
    """A command is refused with the reason, no frame is told; then the engine's own link is spoken to."""
    engine = Engine()
    with StartingLink(engine.opened) as link:
        reply, preview = await link.command("cancel all"), await link.preview("cancel all")
        assert (reply.ok, preview.ok, reply.error) == (False, False, "not sent: the engine is starting")
        assert link.take() is None
        link.watch("binance", "ETHUSDT")
        engine.may_start.set()
        link.begun.result(WAIT_S)
        engine.link.frames.append(Frame())
        assert link.take() is not None
        assert (await link.command("cancel all")).ok
        assert engine.link.lines == ["cancel all"]
        assert not engine.ended.is_set()
    assert engine.ended.is_set()


def test_what_kept_the_engine_from_starting_is_raised_at_the_end() -> None:
    """The console, which was on the screen, leaves first."""
    engine = Engine(Unavailable("binance", "not reached"))
    engine.may_start.set()
    with pytest.raises(Unavailable, match="not reached"), StartingLink(engine.opened) as link:
        assert isinstance(link.begun.exception(WAIT_S), Unavailable)


async def test_one_that_leaves_before_the_engine_is_there_ends_it_once_it_is() -> None:
    """Nothing is left behind."""
    engine = Engine()
    with StartingLink(engine.opened) as link:
        assert await link.stop(two_phase=True) == Reply(ok=True, text="stopped")
        threading.Timer(0.05, engine.may_start.set).start()
    assert engine.ended.is_set()
