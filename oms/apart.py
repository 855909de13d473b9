"""Work on a journal in a process of its own: a long piece of it in a thread would share the interpreter with the desk.

The process reads what was appended, without a lock, and writes drafts; only the desk's own process begins a segment. It
gives way to the desk, and is killed when the desk no longer waits for it. One whose desk was killed may end its work: a
draft that it leaves is removed at the next start, orders that it puts away are in the journal still (``oms.archive``).
"""

import asyncio
import contextlib
import importlib
import os
import sys
from pathlib import Path

from oms.journal_files import JournalFiles
from oms.recorder import Work
from oms.records import JournalError

NICE = 5


async def work_apart(work: Work, first: Path, told: bytes) -> bytes:
    """What ``work`` answers to ``told`` on the journal whose first segment is ``first``.

    Raises JournalError with what it has raised, or where it cannot be done.
    """
    command = (sys.executable, "-P", "-m", __name__, work.__module__, work.__name__, str(first))
    found = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}  # the same program as the desk's
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            env=found, start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        raise JournalError(f"no process can be started for it: {error.strerror}") from error
    try:
        answer, errors = await process.communicate(told)
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()  # its pipes end with it
        raise
    if process.returncode:
        said = errors.decode(errors="replace").strip().splitlines()
        raise JournalError(said[-1] if said else f"its process ended with {process.returncode}")
    return answer


def main(module: str, name: str, first: str) -> int:
    """Do the work that is named, from standard input to standard output."""
    os.nice(NICE)
    work: Work = getattr(importlib.import_module(module), name)
    files = JournalFiles(Path(first))
    try:
        with files.archive:
            answer = work(files, sys.stdin.buffer.read())
    except JournalError as error:
        print(error, file=sys.stderr)
        return 1
    sys.stdout.buffer.write(answer)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
