"""One simulated session: a desk with two paper venues in memory, an operator, faults if wished, all from one seed.

The desk is the product's own (OMS, venues, encode, decode, streams); only the network and the time are virtual. First
the operator works, with faults, then the faults end, everything settles, and the exchanges' own books are compared with
what the desk did.
"""

import asyncio
import hashlib
import traceback
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from itertools import repeat
from random import Random
from typing import Any

import msgspec

from gateways.errors import VenueError
from gateways.paper.contracts import paper_exchange
from gateways.paper.fault_plan import Faults
from gateways.paper.memory import MemoryShell
from gateways.paper.records import Happening
from gateways.transport.virtual import VirtualLoop
from oms.archive import Archive
from oms.deltas import Delta, HealthDelta, HedgeDelta, RequestDelta
from oms.put_away import Kept
from oms.system import OMS
from tests.simulation.judge import Judge, Verdict
from tests.simulation.life import Life, deaths
from tests.simulation.market import STEP_NS, QuietMarket
from tests.simulation.operator import Operator
from tests.simulation.trouble import Trouble

START_NS = 1_760_000_000_000_000_000
WORK_S = 30.0
SETTLE_S = 60.0
"""At most; a session without unknown orders settles at once."""
VENUES = ("binance", "hyperliquid")
KEPT = (Kept(), Kept(0, 0.0), Kept(0, 0.0), Kept(3, 2.0))
"""How many finished orders a desk keeps in memory: all of a session, or next to none."""
BASES = (("ETH",), ("BTC", "ETH"), ("SOL",))

Log = Callable[[str], None]


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one session."""

    seed: int
    makers: int
    fills: int
    hedges: int
    faults: dict[str, int]
    verdict: Verdict
    exceptions: tuple[str, ...]
    kills: int
    did: dict[str, int]
    refused: dict[str, int]
    digest: str
    """Of the journal and of the exchanges' books: the same for the same seed."""
    virtual_s: float

    @property
    def clean(self) -> bool:
        """Whether nothing was lost, doubled, left open or broken."""
        return self.verdict.clean and not self.exceptions


class Session:
    """Build it, ``run`` it once."""

    def __init__(self, seed: int, *, faults: bool = False, kills: bool = False, log: Log | None = None) -> None:
        self.seed = seed
        self.loop = VirtualLoop(START_NS)
        self._log = log
        self._exceptions: list[str] = []
        rng = Random(f"{seed}/session")  # noqa: S311 - a scenario, not a secret
        bases = rng.choice(BASES)
        self.exchanges = {name: paper_exchange(name, now_ns=self.loop.now_ns, bases=bases) for name in VENUES}
        market = QuietMarket(self.exchanges, bases, seed)
        self._with_kills = kills
        self._kills = 0
        self.faults = {name: Faults(seed=f"{seed}/{name}", now_ns=self.loop.now_ns) for name in VENUES if faults}
        self.shell = MemoryShell(
            self.exchanges, market, self.loop, seed=seed, step_ns=STEP_NS, faults=self.faults, observe=self._observe
        )
        self.accounts = {name: venue.credentials.key for name, venue in self.shell.venues.items()}
        self.judge = Judge(self.exchanges, self.accounts)
        self._patience = rng.choice((0.5, 1.5, 3.0))
        """Seconds until an unanswered order is unknown: a short one asks while a late acceptance is still to come."""
        self._kept = Random(f"{seed}/kept").choice(KEPT)  # noqa: S311 - a scenario, not a secret
        self._archive = Archive()
        self._rng = rng
        self._bases = bases

    def run(self) -> Result:
        """Run it to its end; virtual time only. Nothing that happens in it is raised: it is in the result."""
        loop = self.loop
        asyncio.set_event_loop(loop)
        loop.set_exception_handler(self._broke)
        try:
            return loop.run_until_complete(self._session())
        finally:
            asyncio.set_event_loop(None)
            loop.close()

    # ------------------------------------------------------------------ the session

    async def _session(self) -> Result:
        operator = Operator(self._rng, self._bases, self.log)
        self.judge.one_sided = operator.one_sided
        beside = [self.loop.create_task(self.shell.run())]
        trouble: asyncio.Task[None] | None = None
        if self.faults:
            plan = Random(f"{self.seed}/trouble")  # noqa: S311 - a scenario, not a secret
            trouble = self.loop.create_task(Trouble(self.faults, plan, self.log).make(WORK_S))
        life = await self._lives(operator)
        if trouble is not None:
            await self._caught(trouble)  # what is answered while a fault strikes is not judged
        oms = life.oms
        verdict = Verdict()  # of a desk that broke there is nothing to judge
        settled = not self._exceptions and await self._caught(self._settle(oms)) is True
        digest = self._digest(life.journal.image)
        if not self._exceptions:
            verdict = self.judge.verdict(oms, settled=settled)
        await self._caught(oms.cleanup())
        for task in beside:
            task.cancel()
        for ended in await asyncio.gather(*beside, return_exceptions=True):
            if isinstance(ended, Exception):
                self._broke(self.loop, {"message": "beside the desk", "exception": ended})
        self._look_for_dropped(oms)
        return Result(
            seed=self.seed,
            makers=len(self.judge.makers),
            fills=self.judge.maker_fills,
            hedges=self.judge.hedges,
            faults=self._struck(),
            kills=self._kills,
            verdict=verdict,
            exceptions=tuple(self._exceptions),
            did=dict(operator.did),
            refused=dict(operator.refused),
            digest=digest,
            virtual_s=self.loop.time(),
        )

    async def _lives(self, operator: Operator) -> Life:
        """Let the operator work on one desk after another, until the time is over; return the last."""
        image = b""
        dooms = deaths(self._rng) if self._with_kills else repeat(None)
        for doom in dooms:
            life = Life(self.shell, self.loop, image, doom, patience=self._patience, archive=self._archive,
                        kept=self._kept)  # fmt: skip
            life.oms.register(
                partial(self._heard, life), kinds=(HedgeDelta, HealthDelta, RequestDelta), capacity=10_000
            )
            lived = self.loop.create_task(self._live(life, operator))
            await asyncio.wait(
                [lived, died := self.loop.create_task(life.kill.died.wait())], return_when="FIRST_COMPLETED"
            )
            died.cancel()
            if not life.kill.struck:
                done = await self._caught(lived)
                if not done and self.loop.time() > WORK_S + SETTLE_S:
                    self._exceptions.append("the desk could not be started again")
                if done or self._exceptions:
                    life.kill.spare()
                    return life
            self._kills += life.kill.struck
            self.log(f"** dead {life.kill.point}" if life.kill.struck else "** did not start")
            image = life.journal.image
            lived.cancel()
            await asyncio.gather(lived, life.bury(), return_exceptions=True)
            await asyncio.sleep(self._rng.choice((0.05, 0.05, 0.5, 3.0, 90.0)))
        raise AssertionError("the last life is not killed")

    async def _live(self, life: Life, operator: Operator) -> bool:
        """Start a desk and work on it; False when it could not be started."""
        try:
            await life.oms.init()
        except VenueError as error:
            self.log(f"init: {error}")
            return False
        self.judge.kernel = life.oms.kernel
        await operator.work(life.oms, WORK_S)
        return True

    def _struck(self) -> dict[str, int]:
        return {
            f"{fault.value}": sum(faults.counts[fault] for faults in self.faults.values())
            for fault in sorted({fault for faults in self.faults.values() for fault in faults.counts})
        }

    async def _settle(self, oms: OMS) -> bool:
        """Stop the makers, let every book send, wait for the end of all that is under way."""
        deadline = self.loop.time() + SETTLE_S
        oms.disarm()
        while self.loop.time() < deadline:
            for book in list(oms.kernel.books.values()):
                if book.paused or book.hold or book.refused_notional:
                    oms.hedge.resume(book.venue, book.ticker, now=True)
            working = oms.makers_working()
            if working:
                await oms.cancel_orders(working)
            if not await oms.wait_idle(10.0, quiet_s=0.5):
                continue
            traded = self.judge.fills
            try:
                for venue in VENUES:
                    await oms.reconcile(venue)
            except VenueError as error:
                self.log(f"settling: {error}")
            else:
                calm = await oms.wait_idle(2.0)
                done = not oms.makers_working() and not self.judge.owed(oms)
                done = done and not any(oms.positions.doubted(venue) for venue in VENUES)
                if calm and done and traded == self.judge.fills:  # so the reconciliation saw all there is
                    return True
            await asyncio.sleep(1.0)
        return False

    # ------------------------------------------------------------------ parts

    def _observe(self, venue: str, happenings: Sequence[Happening]) -> None:
        if self._log is not None:
            for happening in happenings:
                account = getattr(getattr(happening, "order", None), "account", None)
                if account == self.accounts[venue]:
                    order, fill = happening.order, happening.fill  # type: ignore[union-attr]
                    traded = f" {fill.quantity} at {fill.price}" if fill else ""
                    self.log(f"   {venue} {happening.event} {order.client_id} {order.filled}/{order.quantity}{traded}")
        self.judge.happened(venue, happenings)

    async def _heard(self, life: Life, delta: Delta) -> None:
        if life.kill.struck:
            return  # nobody is there to hear it
        match delta:
            case HedgeDelta(severity="error") if "Error(" in delta.text:
                self._exceptions.append(delta.text)
            case HedgeDelta():
                self.log(f"   {delta.event}: {delta.text}")
            case RequestDelta():
                self.log(f"   {delta.venue} {delta.verb} {'ok' if delta.ok else 'NOT OK'}: {delta.answer[:400]}")
            case HealthDelta():
                self.log(f"   {delta.venue} {delta.state.channel.value} {delta.state.connected} {delta.state.note}")

    async def _caught(self, work: Coroutine[Any, Any, Any]) -> Any:
        try:
            return await work
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a finding of this session
            self._exceptions.append("".join(traceback.format_exception(error)))
            return None

    def _broke(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        told = "".join(traceback.format_exception(error)) if error is not None else ""
        self._exceptions.append(f"{context['message']} {told}".strip())

    def _look_for_dropped(self, oms: OMS) -> None:
        for venue in oms.health.venues:
            for reason, count in oms.health.row(venue).dropped_by_reason.items():
                self.log(f"   {venue} dropped {count}: {reason}")
                if "could not be handled" in reason or "Error: " in reason:
                    self._exceptions.append(f"{venue}: {count} messages: {reason}")

    def log(self, text: str) -> None:
        """Write a line of the trace, if there is one."""
        if self._log is not None:
            self._log(f"{self.loop.time():10.4f} {text}")

    def _digest(self, image: bytes) -> str:
        made = hashlib.sha256(image)
        for name, exchange in self.exchanges.items():
            account = self.accounts[name]
            books: dict[str, object] = {ticker: exchange.book(ticker, 50) for ticker in exchange.contracts}
            books |= {"orders": exchange.orders(account), "fills": exchange.fills(account)}
            books |= {"positions": exchange.positions(account), "balance": exchange.balance(account)}
            made.update(msgspec.json.encode(books))
        return made.hexdigest()


def run(seed: int, *, faults: bool = False, kills: bool = False, log: Log | None = None) -> Result:
    """Run the session of a seed, with or without faults and kills."""
    return Session(seed, faults=faults, kills=kills, log=log).run()
