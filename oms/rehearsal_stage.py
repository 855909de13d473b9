"""The stage of a rehearsal: a desk of one maker and one leg, which goes the way of a fill as the real one, to nowhere.

The hedge handler, order entry with its gate, the kernel and the orders page are those of a desk, on books of their own;
what they would do to the world ends here. Nothing is journaled, sent, shown or begun. What the stage reads of the desk
around it are its clock, its prices and whether it lets hedges out.
"""

from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, cast

import msgspec

from gateways.router import Gateway
from gateways.standards import ZERO, OrderStatus, OrderUpdate, PlaceOrder
from gateways.transport.calls import UnderWay
from gateways.venue import Venue
from oms.clock import Clock
from oms.cloid import CloidKind, CloidSource
from oms.hedge import events as e
from oms.hedge.handler import HedgeHandler
from oms.hedge.kernel import Kernel
from oms.hedge.policy import Leg
from oms.orders import Order, OrdersPage
from oms.recorder import Recorder
from oms.records import line_of
from oms.tasks import TaskOwner

if TYPE_CHECKING:
    from oms.system import OMS


def _nothing(*_: object) -> None:
    """What comes of all that a stage would tell or do."""


class Stage:
    """A ``Host`` for a hedge handler of its own. ``walks``: how often it was walked; ``most``: how often it may be."""

    def __init__(self, oms: "OMS", maker: Order, leg: Leg, most: int) -> None:
        self.walks = 0
        self._oms = oms
        self._maker = maker
        # A delay would leave the order to a timer.
        self._leg = leg = msgspec.structs.replace(leg, policy=msgspec.structs.replace(leg.policy, trigger_after_ms=0))
        self._resting = maker.amount * (most + 1)
        cloids = CloidSource(0, 0)
        self.kernel = Kernel(lambda: cloids.next(CloidKind.HEDGE), oms.kernel.limits)
        self.page = OrdersPage()
        self.clock = oms.clock
        self.feed = oms.feed
        # Of these no more is asked than they have: a place for an order, records, and tasks.
        self.gateway = cast("Gateway", _Gateway(oms.gateway))
        self.journal = cast("Recorder", _Lines(oms.clock))
        self.tasks: TaskOwner = _NoTasks(_nothing)
        self.entry = oms.entry.aside(self.gateway, self.page, self.journal)
        self._hedge = HedgeHandler(self)
        book = oms.kernel.book(leg.venue, leg.ticker)
        self._hedge.apply(e.MakerPlaced(maker=maker.key, venue=maker.venue, ticker=maker.ticker, legs=(leg,), ts_ns=1))
        if book.contract is not None:
            self._hedge.apply(e.Specified(contract=book.contract, ts_ns=1, market_slippage=book.market_slippage))
        self.page.register(msgspec.structs.replace(maker, filled=ZERO, status=OrderStatus.PENDING, oid=None))

    def walk(self) -> None:
        """One fill of the whole size: what page, kernel, journal lines and order entry make of it."""
        self.walks += 1
        maker, leg, now = self._maker, self._leg, self.clock.now_ns()
        book = self._oms.kernel.book(leg.venue, leg.ticker)
        self._hedge.apply(e.Priced(venue=leg.venue, ticker=leg.ticker, bid=book.bid, ask=book.ask, ts_ns=now))
        update = OrderUpdate(
            venue=maker.venue, ticker=maker.ticker, oid="1", cloid=maker.cloid, status=OrderStatus.PARTIAL,
            amount=self._resting, filled=maker.amount * self.walks, average_price=maker.price, price=maker.price,
        )  # fmt: skip
        self._hedge.order_delta_hedge(self.page.upsert(update, now))
        for child in list(self.kernel.book(leg.venue, leg.ticker).open_children.values()):
            self._hedge.apply(e.ChildSeen(child=child.cloid, filled=child.amount, done=True, ts_ns=now))

    # -- the rest of a ``Host``

    announce: Callable[..., None] = staticmethod(_nothing)
    hedge_sent: Callable[..., None] = staticmethod(_nothing)
    confirm_end: Callable[..., None] = staticmethod(_nothing)
    venue_lost: Callable[..., None] = staticmethod(_nothing)
    refresh_contracts: Callable[..., None] = staticmethod(_nothing)
    stop_makers: Callable[..., None] = staticmethod(_nothing)
    halt: Callable[..., None] = staticmethod(_nothing)

    async def unwind(self, command: e.Unwind) -> None:
        """See ``Host.unwind``."""

    def accept_until_ns(self, _venue: str, sent_ns: int) -> int:
        """See ``Host.accept_until_ns``."""
        return sent_ns


class _NoTasks(TaskOwner):
    """Begins nothing."""

    def start(self, work: Coroutine[Any, Any, Any], name: str) -> None:  # noqa: ARG002 - a task's name, of none
        work.close()


class _Lines:
    """A journal that makes the lines and writes none."""

    failed = None

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def append(
        self, kind: str, value: msgspec.Struct | None = None, /, *, cause: int | None = None, **fields: object
    ) -> int:
        line_of(self._clock, 2, kind, value, fields, cause=cause)
        return 1

    def append_with(self, kind: str, value: msgspec.Struct, following: Sequence[tuple[str, msgspec.Struct]], /) -> int:
        number = self.append(kind, value)
        for name, told in following:
            self.append(name, told, cause=number)
        return number

    def append_soon(self, kind: str, value: msgspec.Struct, _unwritten: object, /) -> int:
        return self.append(kind, value)


class _Gateway:
    """The desk's venues, as far as an order can be placed there."""

    def __init__(self, gateway: Gateway) -> None:
        self._places = {alias: _Place(venue) for alias, venue in gateway.venues.items()}

    def venue(self, alias: str) -> "_Place":
        return self._places[alias]


class _Place:
    """A venue that takes orders and sends none."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    def place(self, order: PlaceOrder, *, hedge: bool) -> UnderWay[OrderUpdate]:  # noqa: ARG002 - the share of a budget that is not drawn on
        self._venue.rehearse_order(order)
        return UnderWay(_never_sent)


async def _never_sent() -> OrderUpdate:
    raise RuntimeError("a rehearsed order was waited for")
