"""What the hedge handler needs of the OMS around it."""

from typing import Protocol

from gateways.router import Gateway
from oms.clock import Clock
from oms.deltas import HedgeDelta
from oms.entry import OrderEntry
from oms.feed import Feed
from oms.hedge import events as e
from oms.hedge.kernel import Kernel
from oms.journal import Recorder
from oms.orders import OrdersPage
from oms.tasks import TaskOwner


class Host(Protocol):
    """An OMS, as the hedge handler sees it."""

    kernel: Kernel
    page: OrdersPage
    gateway: Gateway
    journal: Recorder
    clock: Clock
    feed: Feed
    entry: OrderEntry
    tasks: TaskOwner

    def accept_until_ns(self, venue: str, sent_ns: int) -> int:
        """Until when the venue may accept a request sent at ``sent_ns``."""
        ...

    def confirm_end(self, key: str) -> None:
        """Ask how much an order had filled when it ended; the hedge handler is told of the answer (``ended``)."""
        ...

    def announce(self, delta: HedgeDelta) -> None:
        """Take what the operator must see."""
        ...

    def hedge_sent(self, venue: str, took_ns: int) -> None:
        """Count the time from a fill's receipt to its hedge's request."""
        ...

    def venue_lost(self, venue: str, text: str) -> None:
        """Hold a venue's books until it can be reached."""
        ...

    def refresh_contracts(self, venue: str) -> None:
        """Ask a venue for its contracts anew."""
        ...

    def stop_makers(self, venue: str, ticker: str, reason: str) -> None:
        """Cancel the makers that feed a book."""
        ...

    async def unwind(self, command: e.Unwind) -> None:
        """Close on the maker's venue what cannot be hedged, and forfeit it."""
        ...

    def halt(self, reason: str) -> None:
        """Let nothing new out and cancel makers: the journal has failed."""
        ...
