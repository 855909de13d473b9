"""The desk's state as it stands: the one writer of trading and arming, and what disarms a live desk by itself.

What is allowed in which state is in ``oms.states``. An act on the trading state is journaled, so that a restart finds
it; arming is told to the journal for the record alone, since every start is SAFE.
"""

import asyncio
from typing import TYPE_CHECKING

from gateways.errors import Denied
from oms.journal import JournalError
from oms.states import RESTORED, Act, Arming, Live, Trading, refusal

if TYPE_CHECKING:
    from oms.system import OMS

LOOK_EVERY_S = 0.5
"""How often what disarms by itself is looked at."""
NS_PER_S = 1_000_000_000
NS_PER_MS = 1_000_000


class DeskState:
    """Trading and arming of an ``OMS``. ``live`` None makes a paper desk, which needs no arming."""

    def __init__(self, oms: "OMS", live: Live | None) -> None:
        self.live = live
        self.trading = Trading.RECOVERING
        self.arming = Arming.PAPER if live is None else Arming.SAFE
        self.because = ""
        """Why less than usual is allowed and what to do next, a sentence or two; empty where there is nothing to say.
        """
        self.for_good = ""
        """Why the desk is HALTED until it is started anew; empty where it is not."""
        self._oms = oms
        self._touched_ns = 0

    # ---------------------------------------------------------------- judging

    def refusal(self, act: Act) -> str:
        """Why an act is refused now; empty where it is allowed."""
        return refusal(self.trading, self.arming, act)

    def check(self, venue: str, act: Act) -> None:
        """Raise Denied for an act that is refused now."""
        text = self.refusal(act)
        if text:
            raise Denied(venue, text)

    # ----------------------------------------------------------------- arming

    def check_arm(self, name: str) -> None:
        """Raise Denied for a desk that cannot be armed now, or not under this name."""
        if self.live is None:
            raise Denied("desk", "this is a paper desk: it needs no arming", field="name")
        if self.for_good:
            raise Denied("desk", f"the desk is HALTED until it is started anew: {self.for_good}")
        if name != self.live.name:
            raise Denied("desk", f"{name!r} is not this desk's name, which is typed in full to arm it", field="name")
        text = self._skewed() or self._oms.killswitch.pulled
        if text:
            raise Denied("desk", f"it cannot be armed: {text}")

    def arm(self, name: str) -> None:
        """Let a live desk raise risk; journaled. Raises Denied as ``check_arm``, JournalError."""
        self.check_arm(name)
        self._oms.journal.append("Armed")
        self.arming = Arming.ARMED
        self.touch()
        if self.trading is Trading.ACTIVE:
            self.because = ""
        self._oms.alert("", "", f"LIVE ARMED: orders of this desk raise risk on real accounts ({name})", event="armed")

    def disarm(self, why: str) -> bool:
        """Let a live desk raise no more risk, at once; resting orders stay. False where it was not armed."""
        if self.arming is not Arming.ARMED:
            return False
        self.arming = Arming.SAFE
        self.because = f"disarmed {why}; `arm` allows it again"
        self._record("Disarmed", why)
        self._oms.alert("", "", f"LIVE SAFE: {self.because}", "warning", event="disarmed")
        return True

    def touch(self) -> None:
        """Note an act of the operator: the desk is not idle."""
        self._touched_ns = self._oms.clock.monotonic_ns()

    async def watch(self) -> None:
        """Disarm when idle for too long, or when a venue's clock and ours differ by too much; until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            if self.arming is Arming.ARMED:
                why = self._idle() or self._skewed()
                if why:
                    self.disarm(f"by itself: {why}")

    def breached(self, text: str) -> None:
        """Disarm because of a limit that what happened has broken, ``text`` says which."""
        self.disarm(f"by itself: {text}")

    def reconnecting(self, venue: str) -> None:
        """Disarm, where the configuration says so, because a venue's private stream was lost."""
        if self.live is not None and self.live.rules.on_reconnect:
            self.disarm(f"by itself: the private stream of {venue} was lost")

    def _idle(self) -> str:
        rules = self.live.rules if self.live is not None else None
        if rules is None or rules.idle_s is None:
            return ""
        idle_s = (self._oms.clock.monotonic_ns() - self._touched_ns) / NS_PER_S
        return f"no act of the operator for {rules.idle_s} s" if idle_s >= rules.idle_s else ""

    def _skewed(self) -> str:
        rules = self.live.rules if self.live is not None else None
        if rules is None or rules.clock_skew_ms is None:
            return ""
        for venue in self._oms.gateway.venues:
            offset_ns = self._oms.health.clock_offset_ns(venue)
            if offset_ns is not None and abs(offset_ns) > rules.clock_skew_ms * NS_PER_MS:
                ms = abs(offset_ns) // NS_PER_MS
                return f"the clock of {venue} and ours differ by {ms} ms, more than {rules.clock_skew_ms} ms"
        return ""

    # ---------------------------------------------------------------- trading

    def restore(self, trading: Trading) -> None:
        """Take the trading state that the journal tells, at the end of a start in which nothing else changed it."""
        if self.trading is Trading.RECOVERING:
            self.trading = trading
            if trading is not Trading.ACTIVE:
                self.because = f"the desk was {trading} when it ended; `activate` allows makers again"
                self._oms.alert("", "", f"{trading}: {self.because}", event="state")

    def take(self, act: str, reason: str) -> None:
        """Take an act on the trading state, journaled. One that lets less out is taken even if it cannot be journaled.

        ``act``: a kind of ``RESTORED``. Raises Denied for a state that may not follow now, JournalError for one that
        lets more out and cannot be written.
        """
        wanted = RESTORED[act]
        less = wanted in {Trading.HEDGE_ONLY, Trading.HALTED}
        if not less:
            self._check_more()
            self._oms.journal.append(act, reason=reason)
        if not self.for_good:
            self.trading = wanted
            self._oms.hedge.halted("the desk is HALTED" if wanted is Trading.HALTED else "")
        if less:
            self._record(act, reason)

    def stopping(self) -> None:
        """Let out only hedges until the end of this run: not journaled, the next start goes on as before."""
        if self.trading is not Trading.HALTED:
            self.trading = Trading.HEDGE_ONLY

    def halt_for_good(self, reason: str) -> None:
        """Let nothing new out until the desk is started anew: it can no longer be journaled."""
        self.for_good = reason
        self.trading = Trading.HALTED
        self.disarm(f"by itself: {reason}")
        self.because = f"HALTED: {reason}; mend it and start the desk anew"

    def _check_more(self) -> None:
        if self.for_good:
            text = f"the desk is HALTED: it takes no makers before a new start, {self.for_good}"
            raise Denied("desk", text)
        if self.trading is Trading.RECOVERING:
            raise Denied("desk", "the desk is RECOVERING: it takes no makers before that is over")
        if self._oms.killswitch.pulled:
            raise Denied("desk", f"the desk stays {self.trading}: {self._oms.killswitch.pulled}")

    def _record(self, kind: str, reason: str) -> None:
        """Journal what holds already; a journal that cannot be written halts, and keeps nobody from stopping."""
        try:
            self._oms.journal.append(kind, reason=reason)
        except JournalError as error:
            self._oms.halt(f"the journal cannot be written: {error}")
