"""The oracle: a venue of the machine. It alone knows what really filled; the desk hears only what a rule delivers.

Requests wait at its door until a rule decides what becomes of them; what it has to say waits on the wire until a rule
delivers, repeats or loses it. Answers to queries come at once: true, late or as errors, by ``mood``.
"""

import asyncio
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum

import msgspec

from gateways.contracts import Contracts
from gateways.errors import NotFound, Unavailable, Unknown
from gateways.standards import (
    ZERO,
    AmendOrder,
    Batch,
    BookUpdate,
    CancelOrder,
    Contract,
    FillEvent,
    Level,
    OrderKind,
    OrderStatus,
    OrderUpdate,
    PlaceOrder,
    QuoteUpdate,
    TimeInForce,
)
from gateways.transport.calls import UnderWay
from gateways.venue import Capabilities, Venue

S = OrderStatus
D = Decimal
NS = 1_000_000_000
WINDOW_MS = 5_000
SKEW_NS = NS
"""By how much the venue's clock may be behind: a request can be accepted so much later."""
LAG_NS = NS
"""For how long a query may not see a change (docs/architecture.md, I9: two answers that far apart)."""
TICKER = "X"
PRICE = D(50)


class Mood(Enum):
    """How a venue answers queries."""

    TRUE = "true"
    LATE = "late"
    """As things were up to ``LAG_NS`` ago."""
    FAILING = "failing"


@dataclass
class Id:
    """One venue order id of an order: its size and what it filled, signed."""

    oid: str
    amount: Decimal
    filled: Decimal = ZERO
    ended: OrderStatus | None = None


@dataclass
class Real:
    """An order as it really is."""

    cloid: str | None
    order: PlaceOrder
    ids: list[Id]
    changed_ns: int
    told: OrderUpdate | None = None
    """What a late query says of it for a while after it changed; None where it was not there yet."""
    price: Decimal = PRICE

    @property
    def filled(self) -> Decimal:
        """What really filled, signed."""
        return sum((one.filled for one in self.ids), ZERO)

    @property
    def now(self) -> Id:
        """The id that it has."""
        return self.ids[-1]

    @property
    def rest(self) -> Decimal:
        """What can still fill, signed."""
        return ZERO if self.now.ended else self.now.amount - self.now.filled


@dataclass
class Parcel:
    """A request that has left the desk and has not met its fate."""

    request: PlaceOrder | CancelOrder | AmendOrder
    sent_ns: int
    answer: asyncio.Future = field(repr=False)

    def reply(self, value):
        """Answer it; too late for one who no longer waits."""
        if not self.answer.done():
            if isinstance(value, Exception):
                self.answer.set_exception(value)
                self.answer.exception()  # seen: the answer to a desk that was killed is nobody's
            else:
                self.answer.set_result(value)
            return True
        return False


class OracleVenue(Venue):
    """One account on one exchange with one contract."""

    def __init__(self, alias, clock, contract, on_place, told):
        self.alias = alias
        self.capabilities = Capabilities(
            time_in_force=frozenset(TimeInForce), amend_keeps_oid=False, acceptance_window_ms=WINDOW_MS
        )
        self.contract: Contract = contract
        self.contracts = Contracts(alias)
        self.mood = Mood.TRUE
        self.bid = PRICE
        self.quoted_ns = 0
        self.orders: dict[str, Real] = {}
        self.trades: list[FillEvent] = []
        self.door: list[Parcel] = []
        self.wire: list[OrderUpdate | FillEvent] = []
        self.placed: dict[str, PlaceOrder] = {}
        self._clock = clock
        self._on_place = on_place
        self._told = told
        self._number = 0
        self.sink = None

    # ------------------------------------------------------------ what is true

    def may_exist(self, cloid):
        """Whether the order is there, or could still be accepted."""
        return cloid in self.orders or any(
            isinstance(parcel.request, PlaceOrder) and parcel.request.cloid == cloid and not self.expired(parcel)
            for parcel in self.door
        )

    def reach(self, cloid):
        """What a hedge order has filled or could still fill, signed."""
        real = self.orders.get(cloid)
        if real is None:
            return self.placed[cloid].amount if self.may_exist(cloid) else ZERO
        return real.filled + real.rest

    def expired(self, parcel):
        """Whether a placing request can no longer be accepted."""
        return self._clock.now_ns() > parcel.sent_ns + WINDOW_MS * 1_000_000 + SKEW_NS

    def open_for_s(self, parcel):
        """How many seconds a placing request can still be accepted."""
        return (parcel.sent_ns + WINDOW_MS * 1_000_000 + SKEW_NS - self._clock.now_ns()) / NS

    def number(self):
        """The next order or trade number."""
        self._number += 1
        return str(self._number)

    # ------------------------------------------------------------ what happens

    def accept(self, request):
        """Take an order into the book."""
        one = Id(self.number(), request.amount)
        real = self.orders[request.cloid] = Real(request.cloid, request, [one], self._clock.now_ns())
        real.price = self.bid
        self.say(self.update(real))
        return real

    def stranger(self, amount, *, forced):
        """Let an order trade that is not the desk's: typed by hand elsewhere, or made by the venue."""
        order = PlaceOrder(ticker=TICKER, cloid="", amount=amount, kind=OrderKind.MARKET)
        one = Id(self.number(), amount)
        real = Real(None, order, [one], self._clock.now_ns())
        self.fill(real, one, amount, forced=forced)

    def fill(self, real, one, amount, *, channels="both", named=True, forced=False):
        """Let an order trade; tell it by the trade stream, the order stream, both or neither."""
        self._changing(real)
        one.filled += amount
        if one.ended is None and abs(one.filled) >= abs(one.amount):
            one.ended = S.FILLED
        trade = FillEvent(
            venue=self.alias, ticker=TICKER, oid=one.oid, trade_id=self.number(), amount=amount, price=real.price,
            cloid=real.cloid if named else None, forced=forced, ts_venue_ns=self._clock.now_ns(),
        )  # fmt: skip
        self.trades.append(trade)
        if channels in {"both", "trades"}:
            self.say(trade)
        if channels in {"both", "orders"}:
            self.say(msgspec.structs.replace(self.update(real, one), forced=forced))

    def end(self, real, status, *, told=True, unsaid=ZERO):
        """Let an order end with what it has filled, ``unsaid`` last: told by its trade alone, after the end."""
        said = real.now.filled
        if unsaid:
            self.fill(real, real.now, unsaid, channels="none")
        self._changing(real)
        real.now.ended = status
        if told:
            self.say(msgspec.structs.replace(self.update(real), filled=said))
        if unsaid:
            self.say(self.trades[-1])

    def replace(self, real, amount, price):
        """Amend by cancel and replace: a new id for what is left of the new total."""
        self._changing(real)
        old = real.now
        old.ended = S.CANCELLED
        real.ids.append(Id(self.number(), amount))
        real.price = price
        self.say(self.update(real, old))
        self.say(self.update(real))

    def resize(self, real, amount, price):
        """Amend in place."""
        self._changing(real)
        real.now.amount = amount
        real.price = price
        if abs(real.now.filled) >= abs(amount):
            real.now.ended = S.FILLED
        self.say(self.update(real))

    def _changing(self, real):
        real.told, real.changed_ns = self.update(real), self._clock.now_ns()

    def say(self, message):
        """Put a message on the wire."""
        self.wire.append(message)

    def update(self, real, one=None):
        """The order stream's message on one id."""
        one = one or real.now
        status = one.ended or (S.PARTIAL if one.filled else S.NEW)
        placed = real.order
        return OrderUpdate(
            venue=self.alias, ticker=TICKER, oid=one.oid, cloid=real.cloid, status=status, amount=one.amount,
            filled=one.filled, price=real.price, kind=placed.kind, tif=placed.tif, post_only=placed.post_only,
            ts_venue_ns=self._clock.now_ns(),
        )  # fmt: skip

    def deliver(self, message):
        """Give a message to the desk."""
        self._told(self.alias, message)
        self.sink(Batch(self.alias, [message], self._clock.now_ns()))

    def quote(self, bid):
        """Set the price and tell it."""
        self.bid, self.quoted_ns = bid, self._clock.now_ns()
        ask = bid + D("0.1")
        quote = QuoteUpdate(
            venue=self.alias, ticker=TICKER, bid=Level(bid, D(10)), ask=Level(ask, D(10)),
            ts_venue_ns=self._clock.now_ns(),
        )  # fmt: skip
        self.sink(Batch(self.alias, [quote], self._clock.now_ns(), private=False))

    # ------------------------------------------------------------ the venue contract: orders

    def _post(self, request):
        parcel = Parcel(request, self._clock.now_ns(), asyncio.get_running_loop().create_future())
        self.door.append(parcel)
        return parcel

    async def _answer(self, parcel):
        return await parcel.answer

    async def _posted(self, request):
        return await self._answer(self._post(request))

    def place(self, order, *, hedge=False):
        """Send in this turn, as the venues' gateways do; what is returned waits for the answer."""
        self._on_place(self.alias, order, hedge=hedge)
        parcel = self._post(order)
        return UnderWay(lambda: self._answer(parcel))

    async def amend(self, order):
        return await self._posted(order)

    async def cancel(self, order):
        return await self._posted(order)

    async def cancel_all(self, ticker):
        raise Unavailable(self.alias, "not offered")

    # ------------------------------------------------------------ the venue contract: queries

    def _asked(self):
        if self.mood is Mood.FAILING:
            raise Unknown(self.alias, "the query failed")

    def _seen(self, real):
        """What a query says of an order; None while it does not see it yet."""
        late = self.mood is Mood.LATE and self._clock.now_ns() - real.changed_ns < LAG_NS
        return real.told if late else self.update(real)

    async def order(self, ticker, *, cloid=None, oid=None):
        self._asked()
        for real in self.orders.values():
            if real.cloid == cloid or (cloid is None and any(one.oid == oid for one in real.ids)):
                seen = self._seen(real)
                if seen is not None:
                    self._told(self.alias, seen)
                    return seen
        raise NotFound(self.alias, "no such order")

    async def open_orders(self, ticker=None):
        self._asked()
        seen = [self._seen(real) for real in self.orders.values()]
        found = [update for update in seen if update is not None and not update.status.terminal]
        for update in found:
            self._told(self.alias, update)
        return found

    async def fills_since(self, since_ns, ticker=None):
        self._asked()
        newest = self._clock.now_ns() - (LAG_NS if self.mood is Mood.LATE else -1)
        fills = [trade for trade in self.trades if since_ns <= trade.ts_venue_ns < newest]
        for trade in fills:
            self._told(self.alias, trade)
        return [msgspec.structs.replace(trade, snapshot=True) for trade in fills]

    def trade_again(self):
        """Open the contract for trading again."""
        self.contract = msgspec.structs.replace(self.contract, trading=True)

    async def load_contracts(self):
        self._asked()
        self.contracts = Contracts(self.alias, [self.contract])
        return self.contracts

    async def connect(self, sink, watcher):
        self.sink = sink
        self.contracts = Contracts(self.alias, [self.contract])

    async def close(self):
        self.sink = None

    def renew_private(self, reason):
        pass  # its sink is told or not told by the schedule alone

    async def subscribe(self, ticker):
        pass

    async def unsubscribe(self, ticker):
        pass

    async def balances(self):
        return []

    async def positions(self):
        return []

    async def book(self, ticker, depth=100):
        self.quoted_ns = self._clock.now_ns()
        bids, asks = (Level(self.bid, D(10)),), (Level(self.bid + D("0.1"), D(10)),)
        return BookUpdate(
            venue=self.alias, ticker=TICKER, bids=bids, asks=asks, snapshot=True, last_seq=1,
            ts_venue_ns=self._clock.now_ns(),
        )  # fmt: skip

    async def reference_price(self, ticker):
        return self.bid
