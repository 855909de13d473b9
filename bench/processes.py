"""The contenders' processes, and which processors they and the venue share."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator

ALL = os.sched_getaffinity(0) if sys.platform == "linux" else set()
FEW = 2
"""With so many processors none is kept for the venue."""


def keep_a_processor() -> None:
    """Keep this process, the venue, on one processor that its clients do not use: a venue is another machine.

    A scheduler that has both on one machine would wake it where a client has just written, and let it wait there.
    """
    if sys.platform == "linux" and len(ALL) > FEW:
        os.sched_setaffinity(0, {min(ALL)})


def apart() -> None:
    """Leave the venue's processor to it."""
    if sys.platform == "linux" and len(ALL) > FEW:
        os.sched_setaffinity(0, ALL - {min(ALL)})


@contextlib.asynccontextmanager
async def client(module: str, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A contender's process, ready; its input is closed at the end. Raises RuntimeError when it does not get ready."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *arguments, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        preexec_fn=apart,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        async with asyncio.timeout(30):
            line = await process.stdout.readline()
        if line.strip() != b"ready":
            raise RuntimeError(f"{module} did not get ready")
        yield process
        process.stdin.close()
    finally:
        if process.returncode is None:
            try:
                async with asyncio.timeout(20):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()
