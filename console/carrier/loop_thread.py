"""A loop on a thread of its own for one piece of work: where an engine, or the socket to one, runs beside a screen."""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, wait
from typing import Any, TypeVar

T = TypeVar("T")


class LoopThread:
    """Runs ``work`` once, which calls what it is given when it is ready.

    ``start`` and ``join`` are for the thread that owns it; ``ask`` and ``soon`` for any thread meanwhile.
    """

    def __init__(
        self, work: Callable[[Callable[[], None]], Coroutine[Any, Any, None]], name: str,
        new_loop: Callable[[], asyncio.AbstractEventLoop],
    ) -> None:  # fmt: skip
        self._work = work
        self._new_loop = new_loop
        self._ready: Future[None] = Future()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self, within_s: float) -> bool:
        """Start, and wait until it is ready; False when it is not in time. Raises what ended it before."""
        self._thread.start()
        done, _ = wait([self._ready], within_s)
        if done:
            self._ready.result()
        return bool(done)

    def join(self, within_s: float) -> None:
        """Wait for its end."""
        self._thread.join(within_s)

    async def ask(self, work: Coroutine[Any, Any, T]) -> T:
        """What ``work``, done on the thread's loop, comes to. Raises RuntimeError when it does not run."""
        if self._loop is None or self._loop.is_closed():
            work.close()
            raise RuntimeError("the engine is not running")
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    def soon(self, call: Callable[..., object], *arguments: object) -> None:
        """Call something on the thread's loop; nothing once that has ended."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # its loop is closed
                self._loop.call_soon_threadsafe(call, *arguments)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=self._new_loop) as runner:
            self._loop = runner.get_loop()
            try:
                runner.run(self._work(self._is_ready))
            except BaseException as error:
                if self._ready.done():
                    raise
                self._ready.set_exception(error)

    def _is_ready(self) -> None:
        if not self._ready.done():
            self._ready.set_result(None)
