"""How the processes of a desk share the machine: the one place for it.

A console beside an engine gives way: it runs at batch priority and is nice, both of which any user may do to a process
of their own, so that the engine is taken up at once when a fill comes in while a screen is being painted.
"""

import contextlib
import os

CONSOLE_NICE = 5


def give_way() -> None:
    """Let others, the engine first, run before this process. What it starts from then on inherits it."""
    with contextlib.suppress(OSError, AttributeError):  # no such scheduling on this system, or not allowed here
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    with contextlib.suppress(OSError):
        os.nice(CONSOLE_NICE)
