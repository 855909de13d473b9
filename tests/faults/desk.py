"""A desk under fault: a real OMS on real sockets to paper venues of its own, judged by the venues' own records."""

import asyncio
import os
import tempfile
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path

from gateways.contracts import round_price
from gateways.errors import VenueError
from gateways.paper.bybit import numbers as bybit_numbers
from gateways.paper.control import truth_of
from gateways.paper.fault_plan import Fault, Rule
from gateways.paper.sockets import PaperServer, running
from gateways.router import Gateway
from gateways.standards import OrderKind
from oms.clock import SystemClock
from oms.cloid import CloidKind, parse
from oms.deltas import HedgeDelta
from oms.journal import Journal
from oms.orders import OrderDelta
from oms.system import OMS

D = Decimal
VENUES = ("binance", "hyperliquid")
TICKERS = {"binance": "ETHUSDT", "hyperliquid": "ETH", "okx": "ETH-USDT-SWAP", "bybit": "ETHUSDT"}
LOT = {"binance": D("0.001"), "hyperliquid": D("0.0001"), "okx": D("0.001"), "bybit": D("0.01")}
PENDING_S = 0.5
REFRESH_S = 1.0

DIRECTIONS = {
    1: ("hyperliquid", "binance"), 2: ("binance", "hyperliquid"), 3: ("hyperliquid", "binance"),
    4: ("okx", "binance"), 5: ("hyperliquid", "okx"), 6: ("bybit", "binance"), 7: ("hyperliquid", "bybit"),
}  # fmt: skip
"""Maker's and hedge's venue by seed: each venue is drilled both ways."""


async def until(fact, seconds=10.0, said=""):
    """Wait until ``fact()`` holds; fail, saying what is missing, when it does not in time."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not fact():
        if asyncio.get_running_loop().time() > deadline:
            raise AssertionError(said() if callable(said) else said or f"not within {seconds} s")
        await asyncio.sleep(0.005)


class Sentry:
    """Stands at a venue's door and checks every hedge order as it is taken (I2, I3), by the venues' records alone."""

    def __init__(self, desk):
        self.desk = desk
        self.seen = {}
        self.wrong = []
        for name in desk.server.venues:
            self._guard(name, desk.server.venues[name].exchange)

    def _guard(self, name, exchange):
        submit = exchange.submit

        def guarded(account, new):
            order = submit(account, new)
            cloid = parse(new.client_id)
            if cloid is not None and cloid.kind is CloidKind.HEDGE:
                self.seen[cloid.text] = self.seen.get(cloid.text, 0) + 1
                if self.seen[cloid.text] > 1:
                    self.wrong.append(f"intent {cloid.text[:8]} was sent {self.seen[cloid.text]} times")
                self._crossed(name, new)
            return order

        exchange.submit = guarded

    def _crossed(self, name, new):
        target, could = self.desk.venue_target(name), self.desk.venue_hedged(name)
        exchange = self.desk.server.venues[name].exchange
        for order in exchange.open_orders(self.desk.account(name), new.ticker):
            cloid = parse(order.client_id)
            if cloid is not None and cloid.kind is CloidKind.HEDGE:
                could += order.remaining if order.is_buy else -order.remaining
        if self.desk.one_sided and abs(could) > abs(target):
            self.wrong.append(f"{name}: {could} could be hedged of a target of {target}")


class Desk:
    """The OMS under test, its venues, and the means to make things happen and to judge them."""

    def __init__(self, server, oms, seed, maker, hedge):
        self.server = server
        self.oms = oms
        self.seed = seed
        self.maker_venue, self.hedge_venue = maker, hedge
        self.maker_ticker, self.hedge_ticker = TICKERS[maker], TICKERS[hedge]
        self.ratio = D(1)
        self.one_sided = True
        self.adds_up = True
        self.alerts = []
        self.tasks = []
        self.deltas = []
        self.sentry = Sentry(self)

    async def note(self, delta):
        (self.alerts if isinstance(delta, HedgeDelta) else self.deltas).append(delta)

    # ------------------------------------------------------------------ acts

    def plan(self, venue):
        return self.server.venues[venue].faulty.faults

    def fault(self, venue, fault, **rule):
        """Switch a fault on at a venue; ``venue`` may say its part: maker or hedge."""
        self.plan(self.venue(venue)).switch(Rule(fault=Fault(fault), **rule))

    def struck(self, venue, fault):
        return self.plan(self.venue(venue)).counts[Fault(fault)]

    def venue(self, part):
        return {"maker": self.maker_venue, "hedge": self.hedge_venue}.get(part, part)

    def account(self, name):
        return self.server.venues[name].credentials.key

    def exchange(self, part):
        return self.server.venues[self.venue(part)].exchange

    @property
    def acts(self):
        return self.server.venues[self.maker_venue].faulty.acts

    async def place(self, quantity="0.1", *, sell=False, away="0.02", **leg):
        """Rest a maker far from the market, where only ``fill`` reaches it, with one hedge leg."""
        contract = self.oms.contract_specs(self.maker_venue, self.maker_ticker)
        mark = self.exchange("maker").mark(self.maker_ticker)
        price = round_price(contract, mark * (1 + D(away) * (1 if sell else -1)))
        amount = -D(quantity) if sell else D(quantity)
        self.ratio = leg.get("ratio", D(1))
        request = {"exc": self.maker_venue, "ticker": self.maker_ticker, "amount": amount, "price": price}
        return await self.oms.hedge_order(request, {"exc": self.hedge_venue, "ticker": self.hedge_ticker, **leg})

    def place_soon(self, *args, **kwargs):
        """``place`` in the background, ended with the desk."""
        task = asyncio.get_running_loop().create_task(self.place(*args, **kwargs))
        self.tasks.append(task)
        return task

    async def cancel(self, order):
        """Ask for a cancel, whatever the venue says to it; return what was refused, if anything."""
        try:
            await self.oms.cancel_order(order.venue, order.ticker, cloid=order.key)
        except VenueError as error:
            return error
        return None

    def fill_the_disk(self, full):
        """Let the journal's file be ``full``, a device that takes nothing."""
        os.dup2(full, self.oms.journal._file)

    def oid(self, venue, number):
        """The id by which a venue names the order that its exchange numbers so."""
        return bybit_numbers.order_id(number) if venue == "bybit" else str(number)

    def client_id(self, venue, key):
        return f"0x{key}" if venue == "hyperliquid" else key

    def fill(self, order, quantity):
        """Let the market trade with exactly this maker, now."""
        client_id = self.client_id(self.maker_venue, order.key)
        self.acts.fill(self.account(self.maker_venue), order.ticker, client_id, D(quantity))
        self.server.venues[self.maker_venue].deliver()

    @property
    def contracts(self):
        return [(self.maker_venue, self.maker_ticker), (self.hedge_venue, self.hedge_ticker)]

    async def asked_about(self, part):
        """Wait until a venue has been asked for its snapshots since now: there is something to be stale."""
        await self.oms.reconcile(self.venue(part))

    def deafen(self, part):
        """Let the private connections that are open now bring no news any more; their sockets live, later ones hear."""
        front = self.server.venues[self.venue(part)].faulty
        deaf, through = set(front._private), front._through

        def heard(push):
            return push.connection not in deaf or front._dialect.told(push.text) is None

        front._through = lambda pushes: through([push for push in pushes if heard(push)])
        return deaf

    # -------------------------------------------------------------- the truth

    def truth(self, part):
        name = self.venue(part)
        return truth_of(self.server.venues[name].exchange, self.account(name))

    def venue_filled(self, kind, part):
        fills = self.truth(part).fills
        return {key: one.filled for key, one in fills.items() if (cloid := parse(key)) and cloid.kind is kind}

    def venue_target(self, name):
        if name != self.hedge_venue:
            return D(0)
        return -self.ratio * sum(self.venue_filled(CloidKind.MAKER, "maker").values(), D(0))

    def venue_hedged(self, name):
        return sum(self.venue_filled(CloidKind.HEDGE, name).values(), D(0))

    @property
    def target(self):
        return self.venue_target(self.hedge_venue)

    @property
    def hedged(self):
        return self.venue_hedged(self.hedge_venue)

    @property
    def book(self):
        return self.oms.kernel.books[self.hedge_venue, self.hedge_ticker]

    @property
    def children(self):
        return [child for child in self.oms.kernel.children.values() if child.book == self.book.key]

    def alerted(self, word, severity=None):
        return [one for one in self.alerts if word in one.text and severity in {None, one.severity}]

    # ---------------------------------------------------------------- verdict

    async def hedged_in_full(self, seconds=20.0):
        """Wait until the venues say that all that was filled is hedged, to the lot, and then judge."""
        await until(
            lambda: self.target != 0 and abs(self.target - self.hedged) < LOT[self.hedge_venue],
            seconds, self.story,
        )  # fmt: skip
        await self.settled(seconds)

    async def settled(self, seconds=20.0):
        """Wait until the desk knows what the venues know, nothing in flight and nothing unknown; then judge."""
        await until(lambda: self.oms.idle and self.agrees(), seconds, lambda: f"not settled: {self.story()}")
        await self.judge()

    async def settled_books(self, seconds=10.0):
        """Wait until nothing is in flight in any book; the books of the other direction have no oracle here."""
        await until(lambda: self.oms.idle, seconds, self.story)
        assert self.sentry.wrong == []

    def agrees(self):
        book = self.book
        return book.target == self.target and book.hedged == self.hedged and book.in_flight == 0

    async def judge(self):
        """I1 to I3, I12 against the venues' own records, and the desk's own proof."""
        assert self.sentry.wrong == []
        book = self.book
        assert book.target == self.target, self.story()
        assert book.hedged == self.hedged, self.story()
        assert book.target == book.hedged + book.in_flight + book.balance + book.forfeited
        placed = self.truth("hedge").placed
        known = {child.cloid for child in self.children}
        hedges = {key: times for key, times in placed.items() if (one := parse(key)) and one.kind is CloidKind.HEDGE}
        assert set(hedges) <= known, "a hedge at the venue that the desk does not know"
        assert set(hedges.values()) <= {1}, "an intent sent twice"
        shares = list(book.shares.values())
        assert sum((one.hedged for one in shares), D(0)) == book.hedged
        assert sum((one.in_flight for one in shares), D(0)) == book.in_flight

    async def proven(self, seconds=5.0):
        """Once the faults are off, the desk's proof, asked fresh of the venues, holds within a bound (I5)."""
        for venue in self.server.venues:
            self.plan(venue).clear()
        deadline = asyncio.get_running_loop().time() + seconds
        proof = await self.oms.verify()
        while not proof.consistent and asyncio.get_running_loop().time() < deadline:
            proof = await self.oms.verify()
        assert proof.consistent, proof.problems

    def story(self):
        """What the desk thinks, for a failure's words."""
        book = self.oms.kernel.books.get((self.hedge_venue, self.hedge_ticker))
        rows = [f"{one.cloid[:8]} {one.state.value} {one.cum}/{one.amount} {one.text}" for one in self.children]
        said = [one.text for one in self.alerts[-12:]]
        return (
            f"venues: target {self.target} hedged {self.hedged}; book: target {book.target} hedged {book.hedged} "
            f"in flight {book.in_flight} balance {book.balance} hold {book.hold!r} waits {book.waits!r}; "
            f"children {rows}; alerts {said}"
        )


@asynccontextmanager
async def under_fault(
    seed=1, *, maker=None, hedge=None, limits=None, refresh=REFRESH_S, pending=PENDING_S, before=None, **settings
):  # fmt: skip
    """Paper venues, the desk's two and those of ``VENUES``, and a desk on them; everything ends with the block.

    ``before`` acts on the venues first; ``settings`` are further ones of the OMS.
    """
    maker, hedge = maker or DIRECTIONS[seed][0], hedge or DIRECTIONS[seed][1]
    async with running(PaperServer(list(dict.fromkeys((*VENUES, maker, hedge))), seed=seed)) as server:
        if before is not None:
            before(server)
        with tempfile.TemporaryDirectory() as folder:
            clock = SystemClock()
            oms = OMS(
                Gateway(server.endpoints), journal=Journal(Path(folder) / "journal.jsonl", clock), clock=clock,
                pending_timeout=pending, refresh_orders_snapshot=refresh, refresh_positions_snapshot=refresh,
                limits=limits, **settings,
            )  # fmt: skip
            desk = Desk(server, oms, seed, maker, hedge)
            try:
                await oms.init()
                oms.register(desk.note, kinds=(HedgeDelta, OrderDelta), name="test")
                yield desk
            finally:
                for task in desk.tasks:
                    task.cancel()
                await asyncio.gather(*desk.tasks, return_exceptions=True)
                for venue in server.venues.values():
                    venue.faulty.faults.clear()
                await oms.cleanup()


__all__ = ["LOT", "VENUES", "D", "Desk", "OrderKind", "under_fault", "until"]
