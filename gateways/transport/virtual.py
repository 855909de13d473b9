"""Virtual time: an asyncio loop whose clock jumps to the next timer when nothing is ready, and never waits.

What runs on it takes no time of its own, so a session of minutes is over in a fraction of a second, and two runs of the
same program are the same run. There are no sockets, threads or signals on it: whatever would wait for the real world is
refused, and a program in which nothing is ready and no timer is set ends with ``Deadlock`` instead of hanging.
"""

import asyncio
import math
import selectors
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from typing import Any, TypeVar, TypeVarTuple, Unpack

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")

NS_PER_S = 1_000_000_000


class Deadlock(RuntimeError):
    """Everything waits and no timer is set: nothing can ever happen again."""


class _Jump(selectors.BaseSelector):
    """A selector that lets virtual time pass where a real one would wait."""

    def __init__(self) -> None:
        self.elapsed_ns = 0
        self._own: dict[Any, selectors.SelectorKey] = {}

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        if self._own:  # the first is the loop's own pipe, by which other threads would wake it
            raise RuntimeError("there are no sockets in virtual time")
        number = fileobj if isinstance(fileobj, int) else fileobj.fileno()
        key = self._own[fileobj] = selectors.SelectorKey(fileobj, number, events, data)
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._own.pop(fileobj)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise Deadlock("nothing is ready and no timer is set: this program would wait for ever")
        if timeout > 0:
            self.elapsed_ns += max(1, math.ceil(timeout * NS_PER_S))
        return []

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._own


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop on virtual time, which starts at ``start_ns`` (nanoseconds since 1970, UTC).

    It is a clock too, with both readings that the OMS asks for; ``jump`` moves the UTC one alone, as a corrected
    clock does.
    """

    def __init__(self, start_ns: int = 0) -> None:
        self._jump = _Jump()
        self._offset_ns = start_ns
        super().__init__(self._jump)

    def time(self) -> float:
        """Seconds since the loop was made."""
        return self._jump.elapsed_ns / NS_PER_S

    def monotonic_ns(self) -> int:
        """Nanoseconds since the loop was made."""
        return self._jump.elapsed_ns

    def now_ns(self) -> int:
        """Virtual nanoseconds since 1970, UTC."""
        return self._offset_ns + self._jump.elapsed_ns

    def jump(self, nanoseconds: int) -> None:
        """Move the UTC reading, forward or back."""
        self._offset_ns += nanoseconds

    def run_in_executor(
        self,
        executor: Executor | None,  # noqa: ARG002 - the loop's signature
        func: Callable[[Unpack[_Ts]], _T],
        *args: *_Ts,  # noqa: ARG002 - same
    ) -> asyncio.Future[_T]:
        """Refuse: a thread runs on the machine's time. Raises RuntimeError."""
        raise RuntimeError(f"there are no threads in virtual time: {func!r}")
