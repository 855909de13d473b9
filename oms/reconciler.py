"""Asking the venues for the news that may have been missed: open orders, orders that are missing there, and fills.

The shell around ``oms.reconcile``. A failed query changes nothing and is asked again in its turn.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeVar

from gateways.errors import NotFound, Rejected, VenueError
from gateways.standards import FillEvent, OrderStatus, OrderUpdate, RejectReason
from gateways.transport.turns import spread
from oms import reconcile
from oms.orders import Order, Role

if TYPE_CHECKING:
    from oms.system import OMS

Told = TypeVar("Told", OrderUpdate, FillEvent)

CARRIED_CYCLES = 10
"""Cycles in a row that may leave questions to the next one before it is an alarm."""
SLICE = 50
"""What is taken of an answer before the loop has its turn: a millisecond or two."""
REFUSALS = frozenset({RejectReason.BAD_REQUEST, RejectReason.OTHER})
"""A question refused for these is about a contract that the venue does not tell of any more: the others go on."""


async def take_all(told: Iterable[Told], take: Callable[[Told], None]) -> None:
    """Take all that a venue told, a few at a time: a fill that comes meanwhile is hedged meanwhile."""
    async for each in spread(told, SLICE):
        take(each)


class Reconciler:
    """Asks for an ``OMS`` and gives ``take`` what the venues tell. Every method raises VenueError as the venues do."""

    def __init__(self, oms: "OMS", take: Callable[[OrderUpdate | FillEvent], None]) -> None:
        self._oms = oms
        self._take = take
        self._questions: dict[str, reconcile.FillQuestions] = {}
        self._fill_turns: defaultdict[str, reconcile.Turns] = defaultdict(reconcile.Turns)
        self._order_turns: defaultdict[str, reconcile.Turns] = defaultdict(reconcile.Turns)
        self._refused: set[tuple[str, str]] = set()
        self._carried: dict[str, int] = {}
        """Cycles in a row that left questions to the next one, by venue."""
        self._began_ns: dict[str, int] = {}
        """When the first of these began: what was asked since then makes one whole reconciliation."""

    def lost_touch(self, exc: str) -> None:
        """Ask for the news of all contracts anew: any of it may have been missed until now."""
        now = self._oms.clock.now_ns()
        self._fill_questions(exc).lost_touch(now)
        self._began_ns[exc] = now

    async def cycle(self, exc: str) -> int:
        """Ask what is due, within the budget of one cycle. Returns how many questions are left to the next one."""
        began_ns = self._began_ns.setdefault(exc, self._oms.clock.now_ns())
        left = await self.orders(exc, reconcile.ORDER_QUESTIONS, began_ns)
        left += await self.fills(exc, reconcile.FILL_QUESTIONS, began_ns)
        self._ended(exc, began_ns, left)
        return left

    async def whole(self, exc: str) -> None:
        """Ask everything, however much it is."""
        began_ns = self._oms.clock.now_ns()
        self._ended(exc, began_ns, await self.orders(exc) + await self.fills(exc))

    def _ended(self, exc: str, began_ns: int, left: int) -> None:
        if not left:
            self._carried[exc] = 0
            self._began_ns.pop(exc, None)
            self._oms.outages.reconciled(exc, began_ns)
            return
        self._carried[exc] = self._carried.get(exc, 0) + 1
        if self._carried[exc] == CARRIED_CYCLES:
            text = f"reconciliation of {exc} is behind: {left} questions about orders and fills are not answered yet"
            self._oms.alert(exc, "", text)

    # ----------------------------------------------------------------- orders

    async def orders(self, exc: str, most: int | None = None, began_ns: int | None = None) -> int:
        """Compare the open orders; ask about ``most`` of those missing there. Returns how many are left.

        Those that were answered for since ``began_ns`` have had their turn.
        """
        oms = self._oms
        asked_ns = oms.clock.now_ns()
        found = await oms.gateway.venue(exc).open_orders()
        mirror = [order for order in oms.page.working() if order.venue == exc]
        plan = reconcile.plan(found, mirror, asked_ns=asked_ns)
        await take_all(plan.upserts, self._take)
        missing = [order for key in plan.queries if (order := oms.page.get(key)) is not None and order.working]
        for order in missing:
            if order.status is OrderStatus.UNKNOWN:
                oms.resolver.resolve(order.key)  # it may be asking already, and knows what proves an absence
        quiet = {order.key: order for order in missing if order.status is not OrderStatus.UNKNOWN}
        waiting = self._order_turns[exc].waiting(quiet, began_ns)
        now = waiting[:most]
        answered = 0
        for at in range(0, len(now), reconcile.ORDER_QUESTIONS):
            some = [quiet[key] for key in now[at : at + reconcile.ORDER_QUESTIONS]]
            answered += sum(await asyncio.gather(*map(self._ask_about, some)))
        return len(waiting) - answered

    async def _ask_about(self, order: Order) -> bool:
        """Ask for one order that a snapshot lacks; whether the venue answered."""
        oms = self._oms
        turns = self._order_turns[order.venue]
        turns.asked(order.key)
        oid = None if order.cloid else order.oid
        try:
            self._take(await oms.gateway.venue(order.venue).order(order.ticker, cloid=order.cloid, oid=oid))
        except NotFound:
            # It was seen before: the answer is an old one, or the venue keeps the order no longer.
            if order.role is Role.HEDGE:
                oms.resolver.resolve(order.key)
        except VenueError:
            return False
        turns.answered(order.key, oms.clock.now_ns())
        return True

    # ------------------------------------------------------------------ fills

    async def fills(self, exc: str, most: int | None = None, began_ns: int | None = None) -> int:
        """Ask for the fills that are due, of ``most`` contracts (None: of all). Returns how many are left.

        Those that were answered for since ``began_ns`` have had their turn.
        """
        oms = self._oms
        turns, questions = self._fill_turns[exc], self._fill_questions(exc)
        heard_ns = reconcile.last_heard(oms.page.orders(), oms.page.contracts, exc, oms.clock.now_ns())
        if heard_ns and oms.gateway.venue(exc).capabilities.fills_of_all:
            heard_ns = {reconcile.ALL: max(heard_ns.values())}
        due = list(heard_ns) if most is None else questions.due(heard_ns, oms.clock.now_ns())
        waiting = turns.waiting(due, began_ns)
        now = waiting[:most]
        for ticker in now:
            asked_ns = oms.clock.now_ns()
            turns.asked(ticker)
            try:
                since_ns = questions.since(ticker) - oms.desk_clock.ahead_ns()
                fills = await oms.gateway.venue(exc).fills_since(since_ns, ticker or None)
            except Rejected as error:
                if error.reason not in REFUSALS:
                    raise
                self._tell_refused(exc, ticker, error.text)
            else:
                await take_all(fills, self._take)
                self.fills_answered(exc, ticker, asked_ns)
            turns.answered(ticker, asked_ns)
        return len(waiting) - len(now)

    def fills_answered(self, exc: str, ticker: str, asked_ns: int) -> None:
        """Note that a venue told all fills of a contract (``reconcile.ALL``: of all) that it had at ``asked_ns``."""
        self._refused.discard((exc, ticker))
        self._fill_questions(exc).answered(ticker, asked_ns)

    def _fill_questions(self, exc: str) -> reconcile.FillQuestions:
        if exc not in self._questions:
            self._questions[exc] = reconcile.FillQuestions(self._oms.missed_since_ns)
        return self._questions[exc]

    def _tell_refused(self, exc: str, ticker: str, text: str) -> None:
        """Say it once; the question is asked again in every cycle."""
        if (exc, ticker) not in self._refused:
            self._refused.add((exc, ticker))
            self._oms.alert(exc, ticker, f"missed fills of {exc}:{ticker} cannot be asked for: {text}", "error")
