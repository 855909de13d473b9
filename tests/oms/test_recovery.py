"""Recovery: killed at any record, started again, a desk comes to the books of the venues (I6).

The venues are written by hand and know alone what really traded. A crash cuts the desk's lines to them in the middle of
an append, as ``kill -9`` would; the world goes on meanwhile; a new desk starts on what the journal held then.
"""

import asyncio
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest

from gateways.errors import Rejected, Unknown
from gateways.standards import ZERO, OrderStatus, OrderUpdate, RejectReason
from gateways.venue import Venue
from oms.cloid import CloidKind, parse
from oms.hedge.kernel import Kernel
from oms.hedge.policy import How, Rung
from oms.journal import MemoryJournal
from oms.recovery import replay
from tests.oms.stub_venue import Desk, Held, StubVenue, virtual

D = Decimal
LOT = D("0.001")


# -------------------------------------------------------------------- crashes


class Crash:
    """Ends a desk at its ``number``-th append, ``before`` it is written or after; keeps what the journal then held."""

    def __init__(self, number, *, before):
        self.number = number
        self.before = before
        self.image = None
        self.truths = []

    @property
    def happened(self):
        return self.image is not None

    def __call__(self, image):
        self.image = image
        for truth in self.truths:
            truth._sink = lambda _batch: None


class CrashingJournal(MemoryJournal):
    def __init__(self, clock, image, crash, **options):
        super().__init__(clock, image, **options)
        self.crash = crash
        self.appends = 0

    def append(self, kind, value=None, /, *, cause=None, **fields):
        crash = self.crash
        self.appends += 1
        here = crash is not None and not crash.happened and self.appends == crash.number
        if here and crash.before:
            crash(self.image)
        number = super().append(kind, value, cause=cause, **fields)
        if here and not crash.before:
            crash(self.image)
        return number


def line(truth, crash):
    """A desk's own way to a venue, which ends with the desk: what it asks after that reaches nobody."""

    async def for_ever():
        await asyncio.get_running_loop().create_future()

    def delegated(name):
        async def ask(self, *args, **options):
            if crash is not None and crash.happened:
                await for_ever()
            said = await getattr(truth, name)(*args, **options)
            if crash is not None and crash.happened:
                await for_ever()
            return said

        return ask

    async def close(self):
        pass

    methods = {name: delegated(name) for name in Venue.__abstractmethods__} | {"close": close}
    shown = {name: property(lambda _, name=name: getattr(truth, name)) for name in ("alias", "capabilities")}
    known = property(lambda _: truth.contracts, lambda _, value: None)
    if crash is not None:
        crash.truths.append(truth)
    return type("Line", (Venue,), methods | shown | {"contracts": known})()


# ------------------------------------------------------------------ the world


class World(StubVenue):
    """A venue whose amend replaces an order, as Hyperliquid's does: the same cloid under a new oid."""

    def replace(self, request):
        old = self.held[request.cloid]
        old.status = OrderStatus.CANCELLED
        self._ids += 1
        new = self.held[request.cloid] = Held(old.order, str(self._ids))
        new.amount, new.price = request.amount - request.filled, request.price
        gone = OrderUpdate(venue=self.alias, ticker="X", oid=old.oid, cloid=request.cloid, status=OrderStatus.CANCELLED,
                           amount=old.amount, filled=old.filled)  # fmt: skip
        self.send(gone, self.say(new))
        return self.say(new)

    def filled(self, kind):
        """What really traded, by the cloid of each order of a kind."""
        sums = {}
        for fill in self.fills:
            named = parse(fill.cloid)
            if named is not None and named.kind is kind:
                sums[fill.cloid] = sums.get(fill.cloid, ZERO) + fill.amount
        return sums


async def accepted_without_answer(truth, order):
    truth.accept(order)
    raise Unknown(truth.alias, "no answer, but it was taken")


async def lost_on_the_way(truth, order):
    raise Unknown(truth.alias, "no answer, and it never arrived")


async def half_filled(truth, order):
    truth._ids += 1
    held = truth.held[order.cloid] = Held(order, str(truth._ids))
    fill = truth._execute(held, (order.amount / 2).quantize(LOT), truth.mid)
    held.status = OrderStatus.EXPIRED
    truth.send(truth.say(held), fill)
    return truth.say(held)


async def refused(truth, order):
    raise Rejected(truth.alias, "no", reason=RejectReason.OTHER)


async def session(desk):
    """A day in short: everything that a journal must tell of, in one go."""
    a, b, oms = desk.a, desk.b, desk.oms

    def next_hedge(what):
        b.script["hedge"].append(lambda order: what(b, order))

    first = await desk.maker("1", "100")
    a.trade(first, "0.3004", tell=("fill",))
    await asyncio.sleep(0.05)
    delayed = {"exc": "b", "ticker": "X", "ratio": "0.5", "trigger_after_ms": 300}
    second = await desk.maker("-2", "101", legs=delayed)
    a.trade(second, "-0.5", tell=("order",))
    await asyncio.sleep(0.1)
    next_hedge(accepted_without_answer)
    a.trade(first, "0.2")
    await asyncio.sleep(0.35)
    next_hedge(lost_on_the_way)
    a.trade(first, "0.1")
    await asyncio.sleep(8.0)
    a.script["amend"].append(lambda request: _now(a.replace(request)))
    await oms.amend_order(first, price=D("99.5"), amount=D("1.2"))
    next_hedge(half_filled)
    a.trade(first, "0.25")
    await asyncio.sleep(0.1)
    next_hedge(refused)
    a.trade(first, "0.05")
    await asyncio.sleep(1.0)
    oms.hedge.pause("b", "X", "looked at")
    a.trade(second, "-0.1")
    await asyncio.sleep(0.4)
    oms.hedge.forfeit("b", "X", "written off", D("0.02"))
    oms.hedge.resume("b", "X")
    await oms.cancel_order("a", "X", cloid=second)
    a.trade(second, "-0.3")
    await asyncio.sleep(0.5)
    joined = {"exc": "b", "ticker": "X", "rungs": (Rung(how=How.JOIN, for_ms=200), Rung())}
    third = await desk.maker("1", "98", legs=joined)
    b.quote("100")
    a.trade(third, "0.4")
    await asyncio.sleep(1.0)


async def _now(value):
    return value


def while_it_is_down(a, b):
    """The world does not wait: what rests may trade."""
    for held in list(a.held.values()):
        if not held.status.terminal and abs(held.filled) < abs(held.amount):
            part = min(D("0.07"), abs(held.amount - held.filled)).copy_sign(held.amount)
            a.trade(held.order.cloid, part)
    for held in list(b.held.values()):
        if not held.status.terminal:
            b.trade(held.order.cloid, held.amount / 2)


@asynccontextmanager
async def desk_on(worlds, image, crash=None, **options):
    """A desk on its own lines to the worlds; it starts inside, since it may be ended while it starts."""
    loop = asyncio.get_running_loop()
    lines = {alias: line(world, crash) for alias, world in worlds.items()}
    made = Desk(loop, journal=CrashingJournal(loop, image, crash, **options), venues=lines)
    made.a, made.b = worlds["a"], worlds["b"]
    try:
        yield made
    finally:
        await made.oms.cleanup()


async def until_crash_or_end(work, crash):
    """Run until the desk is ended or the work is; what the dead desk still does reaches nobody."""
    task = asyncio.ensure_future(work)
    while not task.done() and not crash.happened:
        await asyncio.sleep(0.005)
    if crash.happened:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    else:
        await task


def worlds():
    loop = asyncio.get_running_loop()
    return {alias: World(alias, loop, amend_keeps_oid=alias != "a") for alias in ("a", "b")}


async def settle(desk):
    """All orders of ours cancelled, all hedges ended."""
    await desk.oms.cancel_orders(desk.oms.makers_working())
    for book in desk.oms.kernel.books.values():
        if book.paused or book.hold:
            desk.oms.hedge.resume(book.venue, book.ticker, now=True)
    for _ in range(3):
        desk.b.quote("100")
        assert await desk.oms.wait_idle(300.0, quiet_s=2.0)
    await desk.oms.reconcile()


def books_are_the_venues(desk):
    """I1 and I4 by what really traded: each maker's fills are in the target, each hedge's in what is hedged."""
    kernel = desk.oms.kernel
    makers, hedges = desk.a.filled(CloidKind.MAKER), desk.b.filled(CloidKind.HEDGE)
    assert {key: maker.filled for key, maker in kernel.makers.items() if maker.filled} == makers
    assert {key: child.cum for key, child in kernel.children.items() if child.cum} == hedges
    if ("b", "X") not in kernel.books:
        return
    target = sum((filled * kernel.makers[key].legs[0].ratio for key, filled in makers.items()), ZERO)
    assert desk.book.target == target
    assert desk.book.hedged == sum(hedges.values(), ZERO)
    assert desk.book.in_flight == 0
    assert abs(desk.book.balance) < LOT, "I5"
    assert desk.book.forfeited in {ZERO, D("0.02")}
    shares = desk.book.shares.items()
    for (maker, _), share in shares:
        parts = share.hedged + share.waiting + share.netted + share.forfeited
        assert parts == makers.get(maker, ZERO) * kernel.makers[maker].legs[0].ratio, "I12"


async def crashed_and_recovered(crash, again=None, **options):
    """The session, ended by ``crash``; a desk ended by ``again`` while it recovers; and one that lives."""
    truth = worlds()
    async with desk_on(truth, b"", crash, **options) as dead:

        async def life():
            await dead.oms.init()
            await session(dead)

        await until_crash_or_end(life(), crash)
        image = crash.image if crash.happened else dead.journal.image
    while_it_is_down(truth["a"], truth["b"])
    if again is not None:
        async with desk_on(truth, image, again, **options) as dead:
            await until_crash_or_end(dead.oms.init(), again)
            image = again.image if again.happened else dead.journal.image
    async with desk_on(truth, image, **options) as living:
        await living.oms.init()
        assert living.oms.trading == "ACTIVE"
        await settle(living)
        books_are_the_venues(living)
        proof = await living.oms.verify()
        assert proof.consistent, proof.problems
        told = replay(living.journal.records(), Kernel(lambda: ""))
        assert told.kernel.book("b", "X").target == living.oms.kernel.book("b", "X").target
    return crash.happened


@pytest.fixture(scope="module")
def records():
    """How many records the session writes when nothing ends it."""
    counted = []

    @virtual
    async def run():
        truth = worlds()
        async with desk_on(truth, b"") as desk:
            await desk.oms.init()
            await session(desk)
            counted.append(desk.journal.appends)
            await settle(desk)
            books_are_the_venues(desk)

    run()
    return counted[0]


def test_the_session_has_all_that_a_journal_tells_of(records):
    """The scripted day is rich: a crash in it is a crash in the middle of everything."""
    assert records > 60


@pytest.mark.parametrize("before", [True, False], ids=["before it is written", "once it is written"])
@pytest.mark.parametrize("part", range(4))
def test_killed_at_any_record_the_books_become_the_venues_books(records, part, before):
    """I6: killed around any record, a desk that starts again hedges what was filled, once."""

    @virtual
    async def run(number):
        assert await crashed_and_recovered(Crash(number, before=before)), number

    for number in range(1 + part, records + 1, 4):
        run(number)


@pytest.mark.parametrize("again", [1, 2, 4, 7])
def test_killed_again_while_it_recovers(records, again):
    """I6 twice: a recovery that is ended anywhere is taken up by the next one."""

    @virtual
    async def run(number):
        await crashed_and_recovered(Crash(number, before=False), Crash(again, before=again % 2 == 0))

    for number in range(5 + again, records + 1, 9):
        run(number)


@pytest.mark.parametrize("segment_bytes", [1, 6000])
def test_segments_make_no_difference(records, segment_bytes):
    """A desk that begins new segments as it goes and as it starts comes to the same books, from the last one alone."""

    @virtual
    async def run(number):
        await crashed_and_recovered(Crash(number, before=False), Crash(3, before=False), segment_bytes=segment_bytes)

    for number in range(7, records + 1, 3):
        run(number)


@pytest.mark.parametrize("segment_bytes", [10**6, 1], ids=["one segment", "a segment at each start"])
@virtual
async def test_what_was_missed_is_asked_for_though_the_first_recovery_was_cut(segment_bytes):
    """A desk that starts, is killed before it asked, and starts again must ask from where the first one had ended."""
    truth = worlds()
    async with desk_on(truth, b"") as first:
        await first.oms.init()
        maker = await first.maker("1", "100")
        await first.oms.cancel_order("a", "X", cloid=maker)
        await asyncio.sleep(120.0)
        image = first.journal.image
    truth["a"]._sink = lambda _batch: None
    truth["a"].trade(maker, "0.4")
    await asyncio.sleep(600.0)
    crash = Crash(1, before=False)
    async with desk_on(truth, image, crash, segment_bytes=segment_bytes) as second:
        await until_crash_or_end(second.oms.init(), crash)
        assert crash.happened
    await asyncio.sleep(600.0)
    async with desk_on(truth, crash.image, segment_bytes=segment_bytes) as third:
        await third.oms.init()
        await third.oms.wait_idle(30.0)
        assert (third.book.target, third.book.hedged) == (D("-0.4"), D("-0.4"))
        image = third.journal.image
    told = replay(MemoryJournal(asyncio.get_running_loop(), image).records(), Kernel(lambda: ""))
    assert told.in_touch


@virtual
async def test_what_could_not_be_asked_for_at_the_start_is_asked_for_later():
    """A venue that does not answer for its fills while the desk recovers is asked again, from the same moment."""
    truth = worlds()
    async with desk_on(truth, b"") as first:
        await first.oms.init()
        maker = await first.maker("1", "100")
        await first.oms.cancel_order("a", "X", cloid=maker)
        await asyncio.sleep(120.0)
        image = first.journal.image
    truth["a"]._sink = lambda _batch: None
    truth["a"].trade(maker, "0.4")
    truth["a"].held.pop(maker)  # the order itself is forgotten by the venue, its fills are not
    await asyncio.sleep(600.0)
    truth["a"].script["fills"].append(Unknown("a", "no answer"))
    async with desk_on(truth, image) as second:
        await second.oms.init()
        told = replay(second.journal.records(), Kernel(lambda: ""))
        assert not told.in_touch, "nothing says yet that nothing was missed"
        await second.until(lambda: second.book.hedged == D("-0.4"))
