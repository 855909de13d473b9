"""Whatever happens to a console, the engine hedges on: killed, stopped, its terminal stalled or closed."""

import signal

import pytest

from tests.carrier.engines import short_folder
from tests.carrier.stalls import arena, figures

SLOWEST_MS = 250.0
"""An engine that waits for a console waits for seconds; a machine that is busy with other tests takes some of this."""


@pytest.fixture
def ring():
    """Venues, an engine process and consoles on them."""
    with short_folder() as folder, arena(folder) as made:
        yield made


async def test_two_hundred_makers_are_hedged_while_consoles_die_stop_and_stall(ring):
    """All of them, exactly once, by the venues' own books; no hedge waits for a console."""
    status = ring.start("--no-restart")
    consoles = ring.consoles(4)
    killed, stopped, stalled, closed = consoles
    try:
        makers = await ring.place(status, 200)
        took = ring.fill(makers[:40], 0.5)
        stopped.process.send_signal(signal.SIGSTOP)
        stalled.stall()
        took += ring.fill(makers[40:80], 0.5)
        killed.process.kill()
        closed.process.send_signal(signal.SIGHUP)
        ring.engine.send_signal(signal.SIGHUP)
        ring.engine.send_signal(signal.SIGTSTP)
        took += ring.fill(makers[80:], 2.0)
        stopped.process.send_signal(signal.SIGCONT)
        stalled.go_on()
    finally:
        for console in consoles:
            console.close()
    assert ring.stop() == 0
    assert ring.findings().clean, ring.findings().sentences
    assert figures(took)["p99_ms"] < SLOWEST_MS, figures(took)
