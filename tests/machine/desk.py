"""The desk of the machine: the real order pages, entry, hedge engine, resolver, journal and recovery on virtual time.

Nothing of it runs by itself: time passes when a rule lets it, reconciliation happens when a rule asks for it.
"""

import asyncio
from collections import defaultdict
from contextlib import suppress
from decimal import Decimal

import msgspec

from gateways.errors import VenueError
from gateways.router import Gateway
from gateways.standards import ZERO, Contract, FillEvent
from gateways.transport.virtual import VirtualLoop
from gateways.venue import Channel, ChannelState, Endpoints
from oms.cloid import CloidKind, CloidSource
from oms.hedge.kernel import Kernel
from oms.hedge.state import ChildState
from oms.journal import JournalError, MemoryJournal
from oms.orders import OrdersPage, Role
from oms.put_away import Kept
from oms.recovery import replay, restore_orders
from oms.system import OMS
from oms.upkeep import follow
from tests.machine.oracle import TICKER, Mood, OracleVenue
from tests.machine.shadow import Shadow
from tests.put_away import orders_away

D = Decimal
START_NS = 1_700_000_000_000_000_000
RULES = {"a": ("0.1", "5"), "b": ("0.1", "0"), "c": ("1", "20")}
"""Lot and minimum notional of the one contract of each venue."""
VENUES = tuple(RULES)
ALL_MAY_LEAVE = Kept(0, 0.0)
STEPS = ("archive committed", "segment drafted", "segment begun")
"""What was done last of putting orders away when the process is killed."""


def contract(alias, lot, minimum, *, trading=True):
    """The contract of a venue."""
    return Contract(
        venue=alias, ticker=TICKER, base="X", quote="USDT", tick_size=D("0.01"), lot_size=D(lot), min_quantity=D(lot),
        min_notional=D(minimum), trading=trading,
    )  # fmt: skip


class Crashed(BaseException):
    """The process is gone: nothing after this line of it ever ran."""


class CrashingJournal(MemoryJournal):
    """A journal whose process can be killed at a record: before it is written, or right after."""

    def __init__(self, clock, image=b"", past=None):
        super().__init__(clock, image, archive=None if past is None else past.archive)
        self.clock = clock
        self.dead = False
        self.countdown: int | None = None
        self.after = False
        self.shadow = Shadow()
        self.check = None
        self.written = list(super().records()) if past is None else past.written
        self.torn = None
        """Whether the process is killed while finished orders are put away, and before which step of it."""
        for record in self.written:
            self.shadow.take(record)

    def append(self, kind, value=None, /, *, cause=None, **fields):
        if self.countdown is not None:
            self.countdown -= 1
        self.dead = self.dead or (self.countdown == 0 and not self.after)
        if self.dead:
            raise Crashed
        number = super().append(kind, value, cause=cause, **fields)
        record = self._last()
        self.written.append(record)
        if kind == "Intended" and self.check is not None:
            rounded_up = cause is not None and self.written[cause].kind == "RoundedUp"
            self.check(value, rounded_up=rounded_up)
        self.shadow.take(record)
        if self.countdown == 0:
            self.dead = True
            raise Crashed
        return number

    def draft(self, checkpoint, mark):
        self._step("archive committed")
        return super().draft(checkpoint, mark)

    def begin_segment(self, draft):
        self._step("segment drafted")
        super().begin_segment(draft)
        self._step("segment begun")

    def _step(self, done):
        if self.torn == done:
            self.dead = True
        if self.dead:
            raise Crashed

    def _last(self):
        return msgspec.json.decode(self._lines[-1][9:], type=type(self.written[0]))


class MachineOMS(OMS):
    """The OMS, whose tasks may fail only by what a venue says."""

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.broken: list[BaseException] = []

    def take(self, event, ts_recv_ns):
        """Take an event; what it raises is a finding, although the stream goes on."""
        try:
            super().take(event, ts_recv_ns)
        except Exception as error:
            self.broken.append(error)
            raise

    def _task_failed(self, name, error):
        if not isinstance(error, (VenueError, JournalError, Crashed)):
            self.broken.append(error)


class Desk:
    """An OMS with three oracles for venues, its crashes and restarts, and the checks that hold at every step."""

    def __init__(self, limits):
        self.loop = VirtualLoop(START_NS)
        self.loop.set_exception_handler(self._callback_failed)
        self.limits = limits
        self.broken: list[BaseException] = []
        self.venues = {
            alias: OracleVenue(alias, self.loop, contract(alias, *RULES[alias]), self._placed, self._told)
            for alias in VENUES
        }
        self.cum: dict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
        self.trades: dict[tuple[str, str], dict[str, Decimal]] = defaultdict(dict)
        self.owner: dict[tuple[str, str], str] = {}
        self.exempt: set[tuple[str, str]] = set()
        """Books where the oracle, or the operator, did what no desk can foresee: the bound at the venue is off."""
        self.floor: dict[str, Decimal] = {}
        self.crashes = 0
        self._start(b"", None)

    # ------------------------------------------------------------ life

    def _start(self, image, past):
        for venue in self.venues.values():
            venue.mood = Mood.TRUE  # a desk does not start while a venue does not answer
        gateway = Gateway(
            {alias: Endpoints(rest="http://127.0.0.1", ws="ws://127.0.0.1") for alias in VENUES},
            make=lambda alias, _endpoints: self.venues[alias],
        )
        self.journal = CrashingJournal(self.loop, image, past)
        self.journal.check = self._intended
        self.oms = MachineOMS(gateway, journal=self.journal, clock=self.loop, limits=self.limits, kept=ALL_MAY_LEAVE)
        self.oms.broken = self.broken
        self.oms.supervisor.start = self._baseline
        self.starting = True
        self.loop.create_task(self._init())
        self.pump()

    async def _baseline(self):
        for venue in self.venues.values():
            for update in await venue.open_orders():
                self.oms.take(update, self.loop.now_ns())

    async def _init(self):
        oms = self.oms
        try:
            await oms.init()
        except Crashed:
            return
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a finding
            self.broken.append(error)
            return
        self.starting = False
        for alias in VENUES:
            await oms.watch(alias, TICKER)
            self.venues[alias].quote(self.venues[alias].bid)

    def _callback_failed(self, _loop, context):
        error = context.get("exception")
        if error is not None and not isinstance(error, Crashed):
            self.broken.append(error)

    def pump(self, seconds=0.0):
        """Let time pass, and everything run that is ready."""
        self.loop.run_until_complete(self._pump(seconds))
        if self.journal.dead:
            self.crash()

    async def _pump(self, seconds):
        if seconds:
            await asyncio.sleep(seconds)
        for _ in range(8):
            await asyncio.sleep(0)

    def do(self, act, *args, **options):
        """Call into the desk as a message or an operator does; what it refuses is refused."""

        async def turn():
            with suppress(Crashed, VenueError, ValueError, JournalError):
                act(*args, **options)

        if not self.journal.dead:
            self.loop.run_until_complete(turn())
        self.pump()

    def ways(self, alias, *, trade, rest):
        """Say of a venue's order entry and HTTP whether they work."""
        for channel, connected in ((Channel.TRADE, trade), (Channel.REST, rest)):
            self.oms.supervisor.channel_changed(alias, ChannelState(channel, connected))

    def start(self, work):
        """Run a verb of the desk beside the rest."""

        async def run():
            try:
                with suppress(Crashed, VenueError, JournalError):
                    await work
            except ValueError as error:
                self.broken.append(error)

        self.loop.create_task(run())
        self.pump()

    def crash(self):
        """Kill the process now and start it again on what its journal holds. What it had sent stays sent."""
        torn = self.journal.dead
        if not torn:
            for each in orders_away(self.oms):
                self.oms.page.get(each.key)
        before = None if torn or self.journal.failed else digest(self.oms.kernel)
        self.journal.dead = True
        self.journal.check = None
        self.crashes += 1
        self._bury()
        image = self.journal.image
        self._same_again(image, before)
        if before is None:
            self._forget_what_was_not_journaled(image)
        self.loop.run_until_complete(asyncio.sleep(0.002))  # a session is named by its millisecond
        self._start(image, self.journal)

    def _bury(self):
        """End every task of the process, and those that its last tasks start while they end."""
        while tasks := asyncio.all_tasks(self.loop):
            for task in tasks:
                task.cancel()
            self.loop.run_until_complete(_ended(tasks))
        self.oms.hedge.close()

    def _same_again(self, image, before):
        """I6: what a journal gives is what was, and gives it again."""
        first, second = (self._replayed(image) for _ in range(2))
        assert first == second, "I6: two replays of one journal differ"
        if before is not None:
            assert first == before, f"I6: the replay differs from what was live: {_difference(first, before)}"

    def _replayed(self, image):
        numbers = CloidSource(1, 1)
        kernel = Kernel(lambda: numbers.next(CloidKind.HEDGE), self.limits)
        self._past(image, kernel)
        return digest(kernel)

    def _past(self, image, kernel):
        """All that a journal tells, with every order that was put away."""
        past = replay(MemoryJournal(self.loop, image).records(), kernel, self.journal.archive)
        past.bring_all_back(self.journal.archive)
        return past

    def _forget_what_was_not_journaled(self, image):
        """A message that was read and not journaled was never told, as far as the next process knows."""
        page = OrdersPage()
        numbers = CloidSource(1, 1)
        kernel = Kernel(lambda: numbers.next(CloidKind.HEDGE), self.limits)
        restore_orders(self._past(image, kernel), page)
        self.cum.clear()
        self.trades.clear()
        for order in page.orders():
            self.floor[order.key] = order.filled
            for one in page.evidence(order.key):
                self.cum[order.venue, one.oid] = one.filled
                self.owner[order.venue, one.oid] = order.key

    def put_away(self, torn=None):
        """Begin a new segment without the orders that are finished; ``torn``: the process is killed before a step."""
        away = len(orders_away(self.oms))
        self.journal.torn = torn

        async def run():
            with suppress(Crashed, JournalError):
                await follow(self.oms)

        self.loop.create_task(run())
        self.pump()
        self.journal.torn = None
        return len(orders_away(self.oms)) - away

    def close(self):
        """End everything that still runs."""
        self.journal.dead = True
        self._bury()
        self.loop.close()

    # ------------------------------------------------------------ what the oracle hears and says

    def _placed(self, alias, order, *, hedge):
        """An order leaves the desk (I3, and the journal before the bytes)."""
        if self.journal.dead:
            raise Crashed
        try:
            self._check_placed(alias, order, hedge=hedge)
        except AssertionError as error:
            self.broken.append(error)  # order entry takes any error of a venue for an unknown outcome
            raise

    def _check_placed(self, alias, order, *, hedge):
        placed = self.venues[alias].placed
        assert not any(order.cloid in venue.placed for venue in self.venues.values()), "I3: an id was sent twice"
        placed[order.cloid] = order
        lot = self.venues[alias].contracts[TICKER].lot_size
        assert hedge or order.amount % lot == 0, f"{order} leaves where the lot is {lot}"
        if self.journal.failed is None:
            kinds = {"Intended"} if hedge else {"Entered"}
            written = {
                record.data["child"] if record.kind == "Intended" else record.data["order"]["cloid"]
                for record in self.journal.written if record.kind in kinds
            }  # fmt: skip
            assert order.cloid in written, "an order left before the journal had it"
        if hedge and order.price is not None:
            assert self.venues[alias].quoted_ns, "I14: priced without a quote"

    def _told(self, alias, message):
        """Note what was said to the desk: M is the larger of the two channels, id by id."""
        if message.cloid is not None:
            self.owner[alias, message.oid] = message.cloid
        if isinstance(message, FillEvent):
            self.trades[alias, message.oid][message.trade_id] = message.amount
        elif message.filled is not None and abs(message.filled) > abs(self.cum[alias, message.oid]):
            self.cum[alias, message.oid] = message.filled

    def _intended(self, intended, *, rounded_up):
        self.journal.shadow.intended(
            intended, self.oms.kernel, self.loop.now_ns(), rounded_up=rounded_up,
            quoted_ns=self.venues[intended.venue].quoted_ns, exempt=self.exempt,
        )  # fmt: skip
        if rounded_up:
            self.exempt.add((intended.venue, intended.ticker))

    # ------------------------------------------------------------ what must hold

    def known(self, alias, cloid):
        """What the desk was told that an order has filled, over all its ids."""
        total = ZERO
        for (venue, oid), key in self.owner.items():
            if venue == alias and key == cloid:
                cum, traded = self.cum[venue, oid], sum(self.trades[venue, oid].values(), ZERO)
                total += cum if abs(cum) >= abs(traded) else traded
        return total

    def check(self):
        """Hold every book and every order against the oracle."""
        if self.broken:
            raise self.broken[0]
        if self.starting:
            return
        kernel, page, shadow = self.oms.kernel, self.oms.page, self.journal.shadow
        away = orders_away(self.oms)
        for order in (*page.orders(), *(each.order for each in away)):
            if order.role in {Role.MAKER, Role.HEDGE}:
                self._check_order(order, kernel)
        for key, book in kernel.books.items():
            parts = book.hedged + book.in_flight + book.balance + book.forfeited
            assert book.target == parts, "I1: a book does not add up"
            if self.journal.failed is None:
                shadow.given_up(kernel)
                assert book.target == shadow.target(key), "I4, I13: the target is not the makers' fills"
                assert book.hedged == shadow.hedged(key), "I1: hedged is not the hedges' fills"
                assert book.balance == shadow.balance(key), f"I1: {book.balance}, by the journal {shadow.balance(key)}"
            assert sum((item.quantity for item in book.obligations), ZERO) == book.balance, "I1: obligations"
            assert len({item.quantity > 0 for item in book.obligations}) <= 1, "I12: opposite obligations met"
            self._check_shares(kernel, book, away)
            self._check_reach(key, book, away)

    def _check_order(self, order, kernel):
        real = self.venues[order.venue].orders.get(order.key)
        truth = real.filled if real else ZERO
        known = self.known(order.venue, order.key)
        assert order.filled == known, f"I4, I8: {order.role.value} {order.key[:8]}: told {known}, counts {order.filled}"
        assert abs(order.filled) <= abs(truth), "I1: more is known than filled"
        assert order.filled * truth >= 0
        assert abs(order.filled) >= abs(self.floor.get(order.key, ZERO)), "I7: a filled size fell"
        self.floor[order.key] = order.filled
        if order.role is Role.MAKER:
            assert order.key not in kernel.children, "I13: a maker is a hedge"
            return
        assert order.key not in kernel.makers, "I13: a hedge is a maker"
        child = kernel.children.get(order.key)
        done = child is None or child.state is ChildState.DONE  # or it would not have been put away
        if done and (order.venue, order.ticker) not in self.exempt:
            if real is None:
                assert not self.venues[order.venue].may_exist(order.key), "I9: an order that may exist was given up"
            else:
                assert real.rest == 0, "I9: an order that can fill was given up"

    def _check_shares(self, kernel, book, away):
        gone = [
            (each.maker, index, share)
            for each in away if each.maker is not None for index, share in enumerate(each.shares)
            if (each.maker.legs[index].venue, each.maker.legs[index].ticker) == book.key
        ]  # fmt: skip
        here = [(kernel.makers[key], leg, share) for (key, leg), share in book.shares.items()]
        shares = [share for _maker, _leg, share in (*here, *gone)]
        assert sum((share.hedged for share in shares), ZERO) == book.hedged, "I12: hedged"
        assert sum((share.in_flight for share in shares), ZERO) == book.in_flight, "I12: in flight"
        assert sum((share.netted for share in shares), ZERO) == 0, "I12: netted"
        assert sum((share.forfeited for share in shares), ZERO) == book.forfeited, "I12: forfeited"
        for maker, leg, share in (*here, *gone):
            parts = share.hedged + share.in_flight + share.waiting + share.netted + share.forfeited
            assert parts == maker.legs[leg].ratio * maker.filled, "I12: a maker's parts do not add up"

    def _check_reach(self, key, book, away):
        """I2 at the venue: with makers on one side, filled and what could still fill never exceeds what is owed."""
        if key in self.exempt:
            return
        makers = [*self.oms.kernel.makers.values(), *(each.maker for each in away if each.maker is not None)]
        placed = [self.venues[maker.venue].placed.get(maker.cloid) for maker in makers
                  if any((leg.venue, leg.ticker) == key for leg in maker.legs)]  # fmt: skip
        signs = {order.amount > 0 for order in placed if order is not None}
        if len(signs) > 1:
            return
        venue = self.venues[key[0]]
        children = [*self.oms.kernel.children, *(each.key for each in away if each.child is not None)]
        reach = sum((venue.reach(child) for child in children if child in venue.placed), ZERO)
        assert abs(reach) <= abs(book.target - book.forfeited), f"I2: {reach} could fill where {book.target} is owed"


async def _ended(tasks):
    await asyncio.gather(*tasks, return_exceptions=True)


def digest(kernel):
    """All of a kernel that decides, as plain values."""
    unsure = {ChildState.INTENDED, ChildState.SENT, ChildState.UNKNOWN}
    waiting = defaultdict(lambda: ZERO)
    for key, book in kernel.books.items():
        for item in book.obligations:
            waiting[key, item.maker, item.leg, item.rung] += item.quantity
    return {
        "makers": {key: (maker.filled, maker.legs) for key, maker in kernel.makers.items()},
        "children": {
            key: (child.book, child.amount, child.cum, "UNSURE" if child.state in unsure else child.state.value,
                  tuple((claim.maker, claim.leg, claim.quantity, claim.filled) for claim in child.claims))
            for key, child in kernel.children.items()
        },
        "books": {
            key: (book.target, book.hedged, book.forfeited, book.paused, book.hold)
            for key, book in kernel.books.items() if book.shares
        },
        "shares": {
            (key, share_key): (share.hedged, share.in_flight, share.waiting, share.netted, share.forfeited)
            for key, book in kernel.books.items() for share_key, share in book.shares.items()
        },
        "waiting": dict(waiting),
    }  # fmt: skip


def _difference(first, second):
    return {
        (part, key): (first[part].get(key), second[part].get(key))
        for part in first for key in {**first[part], **second[part]}
        if first[part].get(key) != second[part].get(key)
    }  # fmt: skip
