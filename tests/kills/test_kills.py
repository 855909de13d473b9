"""I6: a desk that is killed around a hedge, and started again, comes to what the venues' own fills ask for."""

import asyncio
import tempfile
from pathlib import Path

import pytest

from oms.crash import AFTER_APPEND, AFTER_SEND, BEFORE_APPEND
from tests.kills.campaign import Campaign, Tally
from tests.kills.world import world

ONE_EACH = ((BEFORE_APPEND, 3), (AFTER_APPEND, 2), (AFTER_SEND, 1))


async def one_round(seed: int, point: str, nth: int) -> Tally:
    """One kill on venues of its own, the restart, the end and the judgement."""
    tally = Tally()
    with tempfile.TemporaryDirectory() as folder:
        async with world(seed, Path(folder)) as place:
            await Campaign(place, seed, tally).round(point, nth)
    return tally


@pytest.mark.timeout(110)
async def test_a_kill_at_each_point_of_a_hedge_loses_and_doubles_nothing():
    """Before the intent is written, before its bytes leave, before the reply: hedged once, and provably so."""
    tallies = await asyncio.gather(*(one_round(seed, point, nth) for seed, (point, nth) in enumerate(ONE_EACH, 71)))
    for (point, _), tally in zip(ONE_EACH, tallies, strict=True):
        assert tally.rows[point].kills == 1, f"{point} was not reached: {tally.table()}"
        assert tally.findings == []
