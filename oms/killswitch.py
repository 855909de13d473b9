"""The kill switch: out of the market at once, by hand, by a file, or by what the desk finds wrong with itself.

All its ways do the same: every maker on every venue is cancelled, the desk goes HEDGE-ONLY and a live one is SAFE.
HEDGE-ONLY and not HALTED, since what has filled must be hedged whatever is wrong: hedges follow the fills that venues
report, neither positions nor clocks, and failing ones hold their own books. What pulled it is said, with what to do
next; only ``activate`` ends it. docs/states.md has the table.
"""

import asyncio
import os
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from oms.clock import Jump, JumpKind
from oms.deltas import HedgeDelta
from oms.orders import Order

if TYPE_CHECKING:
    from oms.system import OMS

FILE_EVERY_S = 0.1
"""How often the file is looked for."""
ANSWER_S = 0.7
"""How long a panic waits for the venues' answers before it says what it knows; the cancels go on."""
TRUSTED = frozenset({0})
"""Users, beside our own, whose file pulls the switch."""


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """When the desk pulls the switch by itself."""

    holds: int = 3
    """Books put on HOLD by hedges that failed, the same one again included,"""
    holds_within_ns: int = 600_000_000_000
    """within so long."""
    jump_ns: int = 1_000_000_000
    """Jump of this machine's UTC clock, either way."""
    slept_ns: int = 5_000_000_000
    """Standstill of this machine: nobody watched the makers."""


class KillSwitch:
    """Cancels all makers of an ``OMS`` and lets only hedges out. ``file`` is looked for, None is for no file."""

    def __init__(self, oms: "OMS", file: Path | None = None, rules: Rules | None = None) -> None:
        self.file = file
        self._oms = oms
        self._rules = rules or Rules()
        self._holds: deque[int] = deque(maxlen=self._rules.holds)
        self._there = False
        self._foreign = False

    @property
    def pulled(self) -> str:
        """Why the desk must not go on yet: the file that pulled the switch is still there; empty where it is not."""
        return f"{self.file} is still there, remove it first" if self._there else ""

    async def panic(self, why: str = "by the operator") -> int:
        """Pull it by hand. Returns how many cancels the venues have taken within a second; the others are pursued."""
        return await self._cancelled(self._pull(why, ""))

    def trip(self, why: str, next_step: str) -> None:
        """Pull it for something that is wrong: ``why`` in one phrase, and what the operator is to do next."""
        makers = self._pull(why, next_step)
        self._oms.tasks.start(self._oms.cancel_orders(makers), "cancel makers")

    def _pull(self, why: str, next_step: str) -> list[Order]:
        oms = self._oms
        oms.state.take("Panic", why)
        oms.state.disarm(why)
        makers = oms.makers_working()
        if not oms.state.for_good:
            steps = f"{next_step}; then `activate`" if next_step else "`activate` allows makers again"
            oms.state.because = f"KILL SWITCH, {why}. Next: {steps}"
        cancelled = "all makers are cancelled" if not makers else f"{len(makers)} makers are being cancelled"
        text = f"{oms.state.because}. {oms.state.trading}, {cancelled}"
        oms.alert("", "", text, "error", event="panic")
        return makers

    async def _cancelled(self, makers: list[Order]) -> int:
        """Cancel; return how many were taken so far once all have been answered, or the time is over."""
        oms = self._oms
        work = oms.tasks.start(oms.cancel_orders(makers), "cancel makers")
        if work is None:
            return 0
        await asyncio.wait({work}, timeout=ANSWER_S)
        taken = work.result() if work.done() and not work.cancelled() else 0
        now = [oms.page.get(order.key) for order in makers]
        return max(taken, sum(order is not None and not order.working for order in now))

    # ------------------------------------------------------------------ the file

    async def watch_file(self) -> None:
        """Pull the switch when the file is there; until cancelled. One that was there at the start pulls it too."""
        while self.file is not None:
            self.look()
            await asyncio.sleep(FILE_EVERY_S)

    def look(self) -> None:
        """Look for the file once. That it is removed ends nothing."""
        owner = self._owner()
        ours = owner is not None and (owner == os.geteuid() or owner in TRUSTED)
        if owner is not None and not ours and not self._foreign:
            text = f"{self.file} was made by user {owner}, not by us: the kill switch was not pulled"
            self._oms.alert("", "", text, "error")
        self._foreign = owner is not None and not ours
        before, self._there = self._there, ours
        if ours and not before:
            self.trip(f"the file {self.file} was touched", "see why, remove it")

    def _owner(self) -> int | None:
        """The user who owns the file; None where there is none."""
        if self.file is None:
            return None
        try:
            return self.file.lstat().st_uid
        except OSError:
            return None

    # ------------------------------------------------------------- by itself

    def heard(self, delta: HedgeDelta) -> None:
        """Count the books that were put on HOLD because their hedges failed."""
        if delta.event != "hold" or not delta.cloid:
            return
        self._holds.append(delta.ts_ns)
        if len(self._holds) == self._rules.holds and delta.ts_ns - self._holds[0] <= self._rules.holds_within_ns:
            self._holds.clear()
            minutes = self._rules.holds_within_ns // 60_000_000_000
            why = f"hedges failed until their book was on HOLD {self._rules.holds} times within {minutes} minutes"
            self.trip(why, "read why in the hedge books, mend it, `resume` them")

    def drifted(self, venue: str, ticker: str) -> None:
        """A position stays different from the sum of its fills: something trades that this desk does not know."""
        why = f"the position in {ticker} on {venue} stays different from the sum of its fills"
        self.trip(why, f"compare it with the venue's own page, `reconcile {venue}`, `verify`")

    def jumped(self, jump: Jump) -> None:
        """Time jumped, or the machine stood still."""
        seconds = f"{abs(jump.size_ns) / 1e9:.1f} s"
        if jump.kind is JumpKind.UTC and abs(jump.size_ns) >= self._rules.jump_ns:
            self.trip(f"this machine's time jumped by {seconds}", "set its clock, look at the hedge books")
        elif jump.kind is JumpKind.SLEPT and jump.size_ns >= self._rules.slept_ns:
            self.trip(f"nobody watched the makers for {seconds}", "look at orders, positions and hedge books")
