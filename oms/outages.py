"""Outages: a venue that no hedge can be sent to holds its books, and lets go of them by itself.

An outage begins when a hedge could not be sent, or when neither the venue's order entry nor its HTTP is known to work.
It ends when a reconciliation begun after that has succeeded: the venue answers, and what it did meanwhile is known.
While it lasts its books hold, their makers are cancelled, new ones are refused, and as long as something waits there
the operator is told again (``Limits.outage_alert_times``). A HOLD for any other reason is not touched.
"""

import asyncio
from typing import TYPE_CHECKING, Any

from gateways.venue import Channel, ChannelState
from oms.hedge import events as e
from oms.hedge.policy import OnFailure
from oms.hedge.state import HedgeBook

if TYPE_CHECKING:
    from oms.system import OMS


class Outages:
    """Watches the ways to each venue for an ``OMS``."""

    def __init__(self, oms: "OMS") -> None:
        self._oms = oms
        self._tasks: dict[str, list[asyncio.Task[Any]]] = {}

    def down(self, venue: str) -> bool:
        """Whether an outage of the venue lasts."""
        return venue in self._oms.kernel.outages

    def channel_changed(self, venue: str, state: ChannelState) -> None:
        """Look at the ways to a venue, one of which came up or went down (the health page knows it already)."""
        if self.down(venue):
            return
        if self._cut_off(venue):
            rest = self._oms.health.channel(venue, Channel.REST)
            self.begin(venue, rest.note if rest and rest.note else "no way to send an order")
        elif state.channel is Channel.TRADE and not state.connected:
            self._oms.supervisor.reconcile_soon(venue)  # whether HTTP still works was last seen when it was last used

    def begin(self, venue: str, text: str) -> None:
        """Hold the venue's books and say so; one that the operator has resumed meanwhile is held again."""
        oms = self._oms
        news = not self.down(venue)
        oms.hedge.apply(e.VenueDown(venue=venue, text=text, ts_ns=oms.clock.now_ns()))
        if news:
            work = ((self._tell(venue), f"outage of {venue}"), (self._give_up(venue), f"patience with {venue}"))
            self._tasks[venue] = [task for one, name in work if (task := oms.tasks.start(one, name)) is not None]
        oms.supervisor.reconcile_soon(venue)

    def reconciled(self, venue: str, began_ns: int) -> None:
        """End the outage, if a reconciliation that began at ``began_ns`` proves that the venue is back."""
        oms = self._oms
        outage = oms.kernel.outages.get(venue)
        if outage is None or began_ns < outage.since_ns or self._cut_off(venue):
            return
        for task in self._tasks.pop(venue, []):
            task.cancel()
        now = oms.clock.now_ns()
        lasted = f"{(now - outage.since_ns) / 1e9:.1f} s"
        oms.alert(venue, "", f"{venue} is back and reconciled after {lasted}: its books go on", "info", event="up")
        oms.hedge.apply(e.VenueUp(venue=venue, ts_ns=now))

    def _cut_off(self, venue: str) -> bool:
        """Whether no way to send is known to work; one that was never tried is not known not to."""
        rest = self._oms.health.channel(venue, Channel.REST)
        return rest is not None and not rest.connected and not self._oms.health.connected(venue, Channel.TRADE)

    def _waiting(self, venue: str) -> list[HedgeBook]:
        return [
            book
            for book in self._oms.kernel.books.values()
            if book.venue == venue and (book.balance != 0 or book.in_flight != 0)
        ]

    async def _tell(self, venue: str) -> None:
        """Tell of the outage at once, and again while something waits."""
        oms = self._oms
        outage = oms.kernel.outages[venue]
        past_ns = 0
        for at_ns in oms.kernel.limits.outage_alert_times():
            await asyncio.sleep((at_ns - past_ns) / 1e9)
            past_ns = at_ns
            waiting = self._waiting(venue)
            if at_ns and not waiting:
                continue
            since = f" since {at_ns // 1_000_000_000} s" if at_ns else ""
            owed = "; ".join(f"{book.balance + book.in_flight:f} of {book.ticker} waits" for book in waiting)
            text = f"{venue} is down{since}, {outage.note}: no hedge is sent there, makers that need one are cancelled"
            oms.alert(venue, "", f"{text}; {owed}" if owed else text, "error", event="down")

    async def _give_up(self, venue: str) -> None:
        """Once the retry budget would be spent, let UNWIND follow where a leg's policy says so."""
        oms = self._oms
        limits = oms.kernel.limits
        wait_ns = limits.patience_ns
        while True:
            await asyncio.sleep(wait_ns / 1e9)
            wait_ns = limits.max_backoff_ns
            for book in self._waiting(venue):
                unwinds = any(one.policy.on_failure is OnFailure.UNWIND for one in book.obligations)
                if unwinds and not book.hold and not book.paused:
                    reason = f"{book.down}, for longer than its hedges may wait"
                    now = oms.clock.now_ns()
                    oms.hedge.apply(
                        e.Held(venue=venue, ticker=book.ticker, ts_ns=now, reason=reason, unwind=True)
                    )  # fmt: skip
