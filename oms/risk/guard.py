"""The guard: asks the pure checks about each order and amend of an ``OMS``, in the turn in which it is sent.

It gathers the facts from the mirrors, keeps what they do not keep (what was sent lately, amends under way, the day) and
raises what the checks refuse. Between its answer and the order's place on the orders page nothing may be awaited: then
every order that is sent counts for the next.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from gateways.contracts import ceil_price, floor_price
from gateways.errors import Denied, Rejected, Unavailable
from gateways.standards import ZERO, AmendOrder, FillEvent, OrderKind, OrderStatus, PlaceOrder
from oms.deltas import Delta, FillDelta
from oms.hedge.policy import Leg
from oms.journal import JournalError
from oms.limits import DeskLimits, Limits, VenueLimits, Verdict
from oms.orders import Order, OrderDelta, Role
from oms.risk.day import DAY, Day, cost_of
from oms.risk.engine import check
from oms.risk.facts import Depth, Facts, Held, Key, Market, Owed, Request, Resting, Sent
from oms.risk.holdings import Holdings
from oms.risk.order_checks import BPS
from oms.risk.verdict import Judgement

if TYPE_CHECKING:
    from oms.system import OMS

DEPTH_LEVELS = 200
"""Levels of a side that a hedge's depth is looked for in."""
SENT_KEPT = 5_000
LATELY_NS = 3_600_000_000_000
"""How long, and how many, orders sent are remembered for counts and duplicates."""
EVERY_S = 1.0
"""How often the day is looked at and written down."""

_ALL_BOOKS = ":"
_EXTERNAL = Role.EXTERNAL
# Named here since a member looked up on its class is a call (Python 3.11), and this runs for every update.

Breached = Callable[[str], object]
"""Is told, in a sentence, of a limit that what happened has broken: the day's loss, too much unhedged."""


class Guard:
    """Keeps ``limits`` for an OMS. ``day`` may be replaced before ``start`` by what a journal tells."""

    def __init__(self, oms: "OMS", limits: Limits | None) -> None:
        self.limits = limits or Limits()
        self.day = Day()
        self._oms = oms
        self._holdings = Holdings()
        self._sent: deque[tuple[Sent, str]] = deque(maxlen=SENT_KEPT)
        self._amends: dict[str, tuple[Decimal, Decimal]] = {}
        """By order: the most that may still fill while an amend is under way, and the total that it asked for."""
        self._breached: list[Breached] = []
        self._told: set[str] = set()
        self._written = 0
        daily: list[DeskLimits | VenueLimits] = [self.limits.desk, *map(self.limits.venue, oms.gateway.venues)]
        self._caps: dict[Key, Decimal | None] = {}
        self._daily = any(each.daily_loss is not None or each.daily_turnover is not None for each in daily)
        """Whether anybody asks for the day. Where a limit is set anew, a start reads the day from the journal."""

    def start(self) -> None:
        """Begin with what is held and known now; from here on every fill counts."""
        now = self._oms.clock.now_ns()
        keys = {(row.venue, row.ticker) for row in self._oms.positions.get_all()} | set(self.day.keys)
        held = {key: self._bounds(key, now) for key in keys}
        self._holdings.start({key: bounds.high for key, bounds in held.items()})
        self.day.begin(now)
        for key, bounds in held.items():
            self.day.opened(key, bounds.high)
        for order in self._oms.page.orders():
            if order.role in {Role.MAKER, Role.MANUAL} and now - order.ts_created_ns < LATELY_NS:
                self._remember(
                    order.venue, order.ticker, order.amount, order.price, key=order.key, now=order.ts_created_ns
                )
        if self.limits.any:
            self._oms.tasks.start(self._watch(), "limits")

    def unhedged_cap(self, key: Key) -> Decimal | None:
        """The most that may be unhedged in a book, by the desk's limits and the hedge engine's own (I10)."""
        if key not in self._caps:
            limit = self.limits.of(*key).unhedged_notional
            ends = (None if limit is None else limit.hard, self._oms.kernel.limits.max_unhedged_value)
            self._caps[key] = min((end for end in ends if end is not None), default=None)
        return self._caps[key]

    @property
    def unhedged_cap_of_all(self) -> Decimal | None:
        """The most that may be unhedged in all books together."""
        limit = self.limits.desk.unhedged_notional
        return None if limit is None else limit.hard

    def add_breach_callback(self, breached: Breached) -> None:
        """Tell ``breached`` of each such limit: a loss once a day, what is unhedged once until it is back under."""
        self._breached.append(breached)

    # ------------------------------------------------------------- the checks

    def judge(self, exc: str, order: PlaceOrder, legs: tuple[Leg, ...]) -> Judgement:
        """What the limits say of an order now; nothing is remembered of it."""
        return self._judged(self._request(exc, order, legs))

    def admit(self, exc: str, order: PlaceOrder, legs: tuple[Leg, ...], *, confirmed: bool) -> PlaceOrder:
        """Let an order pass that is sent in this turn, and return it: a market order within its collar.

        Raises OverLimit, or Unconfirmed where soft limits ask.
        """
        request = self._request(exc, order, legs)
        self._judged(request).enforce(confirmed=confirmed)
        self._remember(
            exc, order.ticker, order.amount, request.price, key=order.cloid, now=self._oms.clock.now_ns(),
            rule=request.rule,
        )  # fmt: skip
        return self._within_collar(exc, order)

    def _within_collar(self, exc: str, order: PlaceOrder) -> PlaceOrder:
        """Where a venue's market order is a limit through the market, the collar is that limit if it is nearer."""
        capabilities, mid = self._oms.gateway.venue(exc).capabilities, self._oms.feed.mid(exc, order.ticker)
        collar = self.limits.of(exc, order.ticker).collar_mid_bps
        if order.kind is not OrderKind.MARKET or capabilities.market_orders or mid is None:
            return order
        if collar is None or collar.hard is None or collar.hard / BPS >= capabilities.market_slippage:
            return order
        contract, slack = self._oms.contract_specs(exc, order.ticker), mid * collar.hard / BPS
        price = floor_price(contract, mid + slack) if order.amount > 0 else ceil_price(contract, mid - slack)
        return msgspec.structs.replace(order, price=price)

    def judge_amend(self, order: Order, amend: AmendOrder) -> Judgement:
        """What the limits say of an amend now."""
        left = self._left(order, amend)
        same = abs(amend.amount) <= abs(order.amount) and amend.price == order.price
        return self._judged(
            Request(
                venue=order.venue, ticker=order.ticker, amount=left, total=amend.amount, price=amend.price,
                reduce_only=amend.reduce_only, legs=self._oms.hedge.legs(order.key), replaces=order.key,
                lessens=same and abs(left) <= abs(order.remaining),
            )
        )  # fmt: skip

    @contextlib.contextmanager
    def amending(self, order: Order, amend: AmendOrder, *, confirmed: bool) -> Iterator[None]:
        """Let an amend pass, which is sent inside. Raises as ``admit``.

        Until it is known how the order stands it may be the one or the other, and where an amend replaces an order the
        old one may fill before the new one stands: the most that both may fill is what counts.
        """
        self.judge_amend(order, amend).enforce(confirmed=confirmed)
        now = self._oms.clock.now_ns()
        self._remember(order.venue, order.ticker, amend.amount, amend.price, key=order.key, now=now, amended=True)
        self._amends[order.key] = (self._left(order, amend), amend.amount)
        try:
            yield
        except (Denied, Rejected, Unavailable):
            self._amends.pop(order.key, None)  # it was not done
            raise
        if not self._keeps_oid(order.venue):
            self._amends.pop(order.key, None)  # the one that took its place is on the page
        elif order.key in self._amends:
            self._settle_amend(order.key)

    def _left(self, order: Order, amend: AmendOrder) -> Decimal:
        before, after = self._may_fill(order), amend.amount - order.filled
        if not self._keeps_oid(order.venue):
            return before + after
        return before if abs(before) > abs(after) else after

    def _keeps_oid(self, venue: str) -> bool:
        return self._oms.gateway.venue(venue).capabilities.amend_keeps_oid

    def _judged(self, request: Request) -> Judgement:
        live = self._oms.state.live
        confirm_above = live.rules.confirm_above if live is not None else None
        if not self.limits.any and confirm_above is None:
            return Judgement()
        return check(request, self._facts(request), self.limits, confirm_above)

    def _request(self, exc: str, order: PlaceOrder, legs: tuple[Leg, ...]) -> Request:
        feed = self._oms.feed
        price = order.price if order.kind is OrderKind.LIMIT else None
        if order.price_rule is not None:
            contract = self._oms.contract_specs(exc, order.ticker)
            price = feed.price_for(
                order.price_rule, contract, buying=order.amount > 0, post_only=order.post_only
            )  # fmt: skip
        return Request(
            venue=exc, ticker=order.ticker, amount=order.amount, total=order.amount, price=price,
            market_price=None if price is not None else feed.reach(exc, order.ticker, order.amount),
            reduce_only=order.reduce_only, legs=legs, rule=str(order.price_rule or ""),
        )  # fmt: skip

    # -------------------------------------------------------------- the facts

    def _facts(self, request: Request) -> Facts:
        oms, now = self._oms, self._oms.clock.now_ns()
        resting = tuple(self._resting(order) for order in oms.page.working())
        owed = tuple(
            Owed(venue=book.venue, ticker=book.ticker, balance=book.balance, blocked=book.blocked,
                 exposed=book.exposed)
            for book in oms.kernel.books.values()
        )  # fmt: skip
        hedged = [(leg.venue, leg.ticker) for leg in request.legs]
        held = {
            key: self._bounds(key, now)
            for key in {*self._holdings.keys, *((row.venue, row.ticker) for row in oms.positions.get_all())}
        }
        keys = {request.key, *hedged, *held, *((book.venue, book.ticker) for book in owed)}
        for order in resting:
            keys |= {(order.venue, order.ticker), *((leg.venue, leg.ticker) for leg in order.legs)}
        return Facts(
            now_ns=now, resting=resting, held=held, owed=owed, sent=self._lately(request, now),
            contracts={(venue, ticker): listed[ticker] for venue, ticker in keys
                       if ticker in (listed := oms.gateway.venue(venue).contracts)},
            markets={key: self._market(key) for key in keys},
            depths={key: self._depth(key) for key in hedged},
            today=self.day.today(oms.gateway.venues, self.price) if self._daily else {},
            free=self._free(), outages={venue: outage.text for venue, outage in oms.kernel.outages.items()},
        )  # fmt: skip

    def _resting(self, order: Order) -> Resting:
        return Resting(
            key=order.key, venue=order.venue, ticker=order.ticker, amount=self._may_fill(order), price=order.price,
            reduce_only=order.reduce_only, legs=self._oms.hedge.legs(order.key),
        )  # fmt: skip

    def _may_fill(self, order: Order) -> Decimal:
        """What is left of an order, and what an amend under way may make of it."""
        claim, _ = self._amends.get(order.key, (ZERO, ZERO))
        return claim if abs(claim) > abs(order.remaining) else order.remaining

    def _bounds(self, key: Key, now_ns: int) -> Held:
        positions = self._oms.positions
        return self._holdings.bounds(key, positions.get(*key), positions.expected(*key), now_ns)

    def price(self, key: Key) -> Decimal | None:
        """What a contract is valued at; None where nothing is known of it."""
        return self._market(key).value

    def _market(self, key: Key) -> Market:
        feed, position = self._oms.feed, self._oms.positions.peek(*key)
        quote, last, mark = feed.quote(*key), feed.last_trade(*key), feed.mark(*key)
        implied = None
        if position is not None and position.entry_price and position.amount:
            implied = position.entry_price + (position.unrealised or ZERO) / position.amount
        return Market(
            bid=quote.bid.price if quote is not None and quote.bid is not None else None,
            ask=quote.ask.price if quote is not None and quote.ask is not None else None,
            last=None if last is None else last.price, mark=None if mark is None else mark.mark, implied=implied,
        )  # fmt: skip

    def _depth(self, key: Key) -> Depth:
        book = self._oms.feed.book(*key)
        if book is None or not book.in_sequence:
            return Depth()
        return Depth(book.bids(DEPTH_LEVELS), book.asks(DEPTH_LEVELS))

    def _free(self) -> dict[str, Decimal]:
        free: dict[str, Decimal] = {}
        for row in self._oms.balances.get_all():
            known = row.total if row.available is None else row.available
            free[row.venue] = free.get(row.venue, ZERO) + known
        return free

    def _remember(
        self, venue: str, ticker: str, amount: Decimal, price: Decimal | None, *, key: str, now: int,
        amended: bool = False, rule: str = "",
    ) -> None:  # fmt: skip
        sent = Sent(ts_ns=now, venue=venue, ticker=ticker, amount=amount, price=price, amended=amended, rule=rule)
        self._sent.append((sent, key))

    def _lately(self, request: Request, now_ns: int) -> tuple[Sent, ...]:
        window = self.limits.of(*request.key).duplicate_s
        ends = [end for end in ((window.hard, window.soft) if window is not None else ()) if end is not None]
        since = now_ns - int(max([*ends, Decimal(1)]) * 1_000_000_000)
        found = []
        for sent, key in reversed(self._sent):
            if sent.ts_ns < since:
                break
            order = self._oms.page.get(key)
            if order is None:
                continue  # what was refused after the checks was never sent
            failed = order.status is OrderStatus.REJECTED and not sent.amended
            found.append(msgspec.structs.replace(sent, failed=True) if failed else sent)
        return tuple(reversed(found))

    # ------------------------------------------------------- what comes to be

    def noticed(self, delta: Delta) -> None:
        """Take a delta, in the turn in which it came about."""
        if isinstance(delta, OrderDelta):
            self._changed(delta)
        elif self._daily and isinstance(delta, FillDelta) and delta.fill.fee:
            self._charged(delta.fill, delta.fill.fee)

    def _changed(self, delta: OrderDelta) -> None:
        before, order = delta.before, delta.after
        if delta.last_fill:
            self._holdings.grew((order.venue, order.ticker), delta.last_fill, self._oms.clock.now_ns())
        if self._daily and before is not None and order.filled and order.role is not _EXTERNAL:
            self._traded(before, order)
        if order.key in self._amends:
            self._settle_amend(order.key)

    def _charged(self, fill: FillEvent, fee: Decimal) -> None:
        known = not fill.snapshot or fill.ts_venue_ns > self._oms.known_until_ns
        listed = self._oms.gateway.venue(fill.venue).contracts.get(fill.ticker)
        if known and (listed is None or fill.fee_asset in {"", listed.quote}):
            self.day.charged((fill.venue, fill.ticker), fee, self._oms.clock.now_ns())

    def _traded(self, before: Order, after: Order) -> None:
        if after.average_price and after.average_price == before.average_price and after.filled == before.filled:
            return  # its price may have changed: what it has filled cost the same
        cost = cost_of(after.filled, after.average_price, after.price)
        paid = cost_of(before.filled, before.average_price, before.price)
        if after.filled != before.filled or cost != paid:
            key, now = (after.venue, after.ticker), self._oms.clock.now_ns()
            self.day.traded(key, after.filled - before.filled, cost - paid, abs(cost) - abs(paid), now)

    def _settle_amend(self, key: str) -> None:
        """Forget an amend whose outcome the page shows: the order has the total that it asked for, or has ended."""
        order = self._oms.page.get(key)
        if order is None or not order.working or self._amends[key][1] == order.amount:
            del self._amends[key]

    # --------------------------------------------- what breaks limits by itself

    async def _watch(self) -> None:
        while True:
            self.look()
            await asyncio.sleep(EVERY_S)

    def look(self) -> None:
        """Tell of limits that what happened has broken; begin the day that has begun, write down what has changed."""
        self._look_at_books()
        if not self._daily:
            return
        if self.day.begin(self._oms.clock.now_ns()):
            self._told = {name for name in self._told if ":" in name}
        self.day.priced(self.price)
        self._look_at_losses()
        if self.day.changes != self._written:
            try:
                self._oms.journal.append(DAY, self.day.record)
            except JournalError as error:
                self._oms.halt(f"the journal cannot be written: {error}")
            self._written = self.day.changes

    def _look_at_books(self) -> None:
        kernel = self._oms.kernel
        capped = {f"{book.venue}:{book.ticker}" for book in kernel.books.values() if book.capped}
        capped |= {_ALL_BOOKS} if kernel.cap.reached else set()
        for name in sorted(capped - self._told):
            where = "all books" if name == _ALL_BOOKS else name
            self._break(
                f"more is unhedged in {where} than its limit allows: makers are cancelled, no new ones are taken"
            )
        self._told = {name for name in self._told if ":" not in name} | capped

    def _break(self, text: str) -> None:
        for breached in self._breached:
            breached(text)

    def _look_at_losses(self) -> None:
        today = self.day.today(self._oms.gateway.venues, self.price)
        scopes = [(venue, self.limits.venue(venue).daily_loss, each.loss) for venue, each in today.items()]
        scopes.append(("", self.limits.desk.daily_loss, sum((each.loss for each in today.values()), ZERO)))
        for venue, limit, loss in scopes:
            if limit is not None and limit.judge(max(loss, ZERO)) is Verdict.REFUSE and venue not in self._told:
                self._told.add(venue)
                text = f"{loss:.2f} was lost today on {venue or 'all venues'}, over the limit of {limit.hard:f}"
                self._oms.alert(venue, "", f"{text}: only what reduces is sent", "error", event="limit")
                self._break(text)
