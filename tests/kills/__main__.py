"""``make kills``: hundreds of kills on several paper venues at once; a table, and 0 only if nothing was found."""

import argparse
import asyncio
import sys
import tempfile
import time
from itertools import count
from pathlib import Path
from random import Random

from oms.crash import POINTS
from tests.kills.campaign import Campaign, Tally
from tests.kills.world import world

ROUND_S = 42.0
"""A round takes at least so long: a venue's budget of requests must do for all the desks of its minute."""
DEEPEST = 8
"""The kill comes at the first to this hedge of a process."""


async def work(seed: int, wanted: int, until: float, tally: Tally) -> None:
    """Rounds on venues of their own until there have been enough kills in all, or the time is over."""
    rng = Random(f"kills/{seed}/rounds")  # noqa: S311  # a scenario, not a secret
    with tempfile.TemporaryDirectory(prefix="hedgedesk-kills-") as folder:
        async with world(seed, Path(folder)) as place:
            campaign = Campaign(place, seed, tally)
            for number in count(seed):
                if tally.kills >= wanted or time.monotonic() > until:
                    return
                nth = 1 + number // len(POINTS) % DEEPEST
                begun = time.monotonic()
                await campaign.round(
                    POINTS[number % len(POINTS)], nth, again=rng.random() < 0.4, in_recovery=rng.random() < 0.4
                )
                print(f"{tally.kills} kills", file=sys.stderr, flush=True)
                await asyncio.sleep(max(0.0, begun + ROUND_S - time.monotonic()))


async def main() -> int:
    """Run the campaigns; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.kills", description=__doc__)
    parser.add_argument("--kills", type=int, default=200, help="at least so many (default 200)")
    parser.add_argument("--desks", type=int, default=10, help="so many at once, each on its own venues (default 10)")
    parser.add_argument("--minutes", type=float, default=14.0, help="no round begins after this time (default 14)")
    parser.add_argument("--seed", type=int, default=1, help="of markets, scripts and moments (default 1)")
    given = parser.parse_args()
    tally, started = Tally(), time.monotonic()
    until = started + given.minutes * 60
    async with asyncio.TaskGroup() as group:
        for number in range(given.desks):
            group.create_task(work(given.seed * 1_000 + number, given.kills, until, tally))
    print(tally.table())
    print(
        f"{tally.kills} kills in {time.monotonic() - started:.0f} s, {tally.fills_while_down} makers filled while down"
    )
    for finding in tally.findings:
        print(finding)
    if tally.kills < given.kills:
        print(f"only {tally.kills} of {given.kills} kills in {given.minutes:g} minutes", file=sys.stderr)
    return 0 if tally.clean and tally.kills >= given.kills else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
