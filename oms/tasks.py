"""Owner of background tasks: none is lost, none outlives its owner, and what one raised is told."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


class TaskOwner:
    """Holds tasks until they end. ``on_error`` is told of every exception but cancellation."""

    def __init__(self, on_error: Callable[[str, BaseException], None]) -> None:
        self._tasks: dict[asyncio.Task[Any], None] = {}  # in the order of their start, in which they are cancelled too
        self._on_error = on_error
        self._closed = False

    def start(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any] | None:
        """Run ``work`` beside the rest; None, with the work dropped, once closed."""
        if self._closed:
            work.close()
            return None
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks[task] = None
        task.add_done_callback(self._ended)
        return task

    @property
    def running(self) -> int:
        """How many have not ended."""
        return len(self._tasks)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.pop(task, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._on_error(task.get_name(), error)

    async def close(self) -> None:
        """Cancel what still runs and wait for it."""
        self._closed = True
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
