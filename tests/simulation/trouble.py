"""Faults at random: what goes wrong at which venue, when and for how long, all from one seed."""

import asyncio
from collections.abc import Callable, Mapping
from random import Random

from gateways.paper.fault_plan import Fault, Faults, Rule

FOR_A_TIME = (Fault.STREAM_SILENT, Fault.VENUE_DOWN, Fault.VENUE_REFUSES)
ONCE = (Fault.STREAM_CUT, Fault.LISTEN_KEY_EXPIRED)


class Trouble:
    """Switches rules on at random moments."""

    def __init__(self, faults: Mapping[str, Faults], rng: Random, log: Callable[[str], None]) -> None:
        self._faults = faults
        self._rng = rng
        self._log = log
        # A few kinds a session, so that each is met alone as well as with others.
        self._kinds = rng.sample(list(Fault), rng.choice((1, 2, 4, 8)))

    async def make(self, until: float) -> None:
        """Make trouble until the loop's time ``until``; then end it all."""
        loop = asyncio.get_running_loop()
        while (pause := self._rng.choice((0.05, 0.5, 1.5, 4.0))) + loop.time() < until:
            await asyncio.sleep(pause)
            venue = self._rng.choice(list(self._faults))
            rule = self._rule(self._rng.choice(self._kinds))
            self._log(f"!! {venue}: {rule}")
            self._faults[venue].switch(rule)
        await asyncio.sleep(max(0.0, until - loop.time()))
        for faults in self._faults.values():
            faults.clear()

    def _rule(self, fault: Fault) -> Rule:
        rng = self._rng
        if fault in FOR_A_TIME:
            return Rule(fault=fault, seconds=rng.choice((0.3, 1.5, 4.0)))
        if fault in ONCE:
            return Rule(fault=fault)
        if fault is Fault.ACCEPTED_LATE:
            return Rule(fault=fault, delay=rng.choice((1.0, 2.5, 4.0, 6.0)), count=rng.choice((1, 3)))
        match rng.randrange(4):
            case 0:
                return Rule(fault=fault, seconds=rng.choice((0.5, 2.0)))
            case 1:
                return Rule(fault=fault, probability=rng.choice((0.05, 0.2, 0.5)), seconds=5.0)
            case 2:
                return Rule(fault=fault, count=rng.choice((2, 4)))
        return Rule(fault=fault)
