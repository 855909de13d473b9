"""How a desk's processes and threads share the machine: the one place for it, each with its reason and its effect.

====================  ==========================================================================================
uvloop                where the platform has it: a bare client's answer to a frame takes 1.9 of a C client's time
                      on asyncio's own loop, 1.7 on uvloop's
no write buffering    uvloop keeps what is written for the end of the turn; sockets are opened with a high-water
                      mark of 0 (``gateways.transport.sockets``), so that a hedge's bytes leave as they are written
the collector frozen  what was loaded at the start is never walked again. Its thresholds stay: raising them, and
                      switching it off, changed nothing that could be measured of a fill's way; what there are
                      many of is not tracked by it (``gc=False``): with 50,000 fills a whole collection held the
                      loop for 31 ms, and for 14 since then
switch interval       0.5 ms instead of 5: how long a painting screen may hold the interpreter from an engine that
                      shares its process; it cuts the engine's p99 by four
readiness             while hedged makers rest, an engine of its own, and one without a screen, walks the way of a
                      fill every millisecond; one of real accounts polls in between (``oms.rehearsal``): fill to hedge
                      at rare fills is 2.3 times a bare client's (p50) with neither, 1.9 with the walks, 1.4 with both.
                      Embedded beside a screen it would take turns from it: not there
console's priority    batch and nice, which any user may do to a process of their own, so that the engine is taken
                      up at once when a fill comes in while a screen is painted
====================  ==========================================================================================

``docs/performance.md`` has the figures and their commands.
"""

import asyncio
import contextlib
import gc
import os
import sys

CONSOLE_NICE = 5
SWITCH_INTERVAL_S = 0.0005
"""How long a painting screen may hold the interpreter from the engine beside it."""


def give_way() -> None:
    """Let others, the engine first, run before this process. What it starts from then on inherits it."""
    with contextlib.suppress(OSError, AttributeError):  # no such scheduling on this system, or not allowed here
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    with contextlib.suppress(OSError):
        os.nice(CONSOLE_NICE)


def new_loop() -> asyncio.AbstractEventLoop:
    """The engine's event loop: uvloop where the platform has it."""
    try:
        import uvloop  # noqa: PLC0415 - not there on every platform
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def take_turns() -> None:
    """Let an engine and a screen in one process take turns often."""
    sys.setswitchinterval(SWITCH_INTERVAL_S)


def settle() -> None:
    """Once all is loaded: the collector never walks through what is there now again."""
    gc.collect()
    gc.freeze()
