"""The fault drill: the desk against each fault of the paper venues, on real sockets, judged by the venues' own books.

Every fault gets paper venues of its own, in a process of their own, and a fresh desk. A maker is filled while the fault
is on; a row then says how often the fault struck, what the desk did, and whether all that the venue filled is hedged
once. See docs/faults.md.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TextIO

import aiohttp
import msgspec

from console.papers import PaperError, PaperProcess, PaperSettings
from gateways.contracts import round_price
from gateways.errors import VenueError
from gateways.paper.control import Truth
from gateways.paper.fault_plan import SUMMARIES, Fault, Rule, Verb
from gateways.router import Gateway
from gateways.standards import ZERO
from gateways.venue import Channel, Endpoints
from oms.clock import SystemClock
from oms.cloid import CloidKind, parse
from oms.deltas import HedgeDelta
from oms.journal import Journal
from oms.orders import Order
from oms.system import OMS

LANES = 3
"""Faults drilled at a time."""
WITHIN_S = 40.0
"""How long a desk may take to bring its books right."""
PENDING_S, REFRESH_S = 1.0, 1.5
QUANTITY = Decimal("0.1")
PARTS = (Decimal("0.03"), Decimal("0.02"), Decimal("0.05"))
AWAY = Decimal("0.98")
"""The maker's price as a share of the market's: so far off, only the drill's own acts fill it."""
TICKERS = {"binance": "ETHUSDT", "hyperliquid": "ETH"}

_BOTH = ("maker", "hedge")
_OUTAGES = frozenset({Fault.VENUE_REFUSES, Fault.VENUE_DOWN, Fault.WEBSOCKETS_DOWN})
_BY_TIME = frozenset({Fault.STREAM_CUT, Fault.LISTEN_KEY_EXPIRED, Fault.SNAPSHOT_FAILS, Fault.SNAPSHOT_STALE})


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """How a fault is drilled: at whose venue, under which rules, in which story (fills, cancel, hold, outage)."""

    at: tuple[str, ...] = ("hedge",)
    rules: tuple[Rule, ...]
    story: str = "fills"


def _scenario(fault: Fault) -> Scenario:
    match fault:
        case Fault.PUSH_DELAYED | Fault.PUSH_REORDERED:
            return Scenario(at=_BOTH, rules=(Rule(fault=fault, probability=0.6, seconds=6),))
        case Fault.PUSH_LOST:
            return Scenario(at=_BOTH, rules=(Rule(fault=fault, count=4),))
        case Fault.PUSH_DUPLICATED | Fault.ORDER_PUSH_LOST | Fault.FILL_PUSH_LOST | Fault.STATUS_UNKNOWN:
            return Scenario(at=_BOTH, rules=(Rule(fault=fault, seconds=4),))
        case Fault.STREAM_SILENT | Fault.SNAPSHOT_STALE | Fault.SNAPSHOT_FAILS:
            return Scenario(at=_BOTH, rules=(Rule(fault=fault, seconds=4),))
        case Fault.STREAM_CUT:
            return Scenario(at=_BOTH, rules=(Rule(fault=fault),))
        case Fault.LISTEN_KEY_EXPIRED:
            return Scenario(at=("binance",), rules=(Rule(fault=fault),))
        case Fault.FILLED_BEFORE_CANCEL | Fault.FILL_DURING_CANCEL | Fault.FILL_AFTER_CANCEL:
            return Scenario(at=("maker",), rules=(Rule(fault=fault),), story="cancel")
        case Fault.REJECT_MARGIN | Fault.REJECT_REDUCE_ONLY | Fault.REJECT_HALTED:
            return Scenario(rules=(Rule(fault=fault, seconds=60),), story="hold")
        case Fault.ORDER_QUERY_FAILS:
            unanswered = Rule(fault=Fault.ANSWER_LOST, verb=Verb.PLACE)
            return Scenario(rules=(Rule(fault=fault, count=2), unanswered, Rule(fault=Fault.PUSH_LOST, seconds=3)))
        case Fault.ANSWER_LOST | Fault.ANSWER_5XX | Fault.ANSWER_UNKNOWN | Fault.CUT_DURING:
            silent = Rule(fault=Fault.STREAM_SILENT, seconds=2)  # else the stream says at once what the answer did not
            return Scenario(rules=(Rule(fault=fault, verb=Verb.PLACE), silent))
        case Fault.VENUE_REFUSES | Fault.VENUE_DOWN | Fault.WEBSOCKETS_DOWN:
            story = "fills" if fault is Fault.WEBSOCKETS_DOWN else "outage"  # without those, HTTP is still a way
            return Scenario(rules=(Rule(fault=fault, seconds=3),), story=story)
        case Fault.IOC_PART_FILLED:
            return Scenario(rules=(Rule(fault=fault),))
    return Scenario(rules=(Rule(fault=fault, verb=Verb.PLACE),))


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one fault. Amounts are signed base units; target and hedged are the venues' own."""

    fault: str
    injected: int = 0
    did: str = ""
    target: Decimal = ZERO
    hedged: Decimal = ZERO
    waiting: Decimal = ZERO
    unknown: Decimal = ZERO
    problems: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether the fault struck and cost nothing."""
        return not self.problems


_NUMBERS = ("target", "hedged", "waiting", "unknown")


def heading() -> str:
    """The columns' names."""
    return (
        f"{'fault':<22}{'injected':>9}  {'what the desk did':<44}{''.join(f'{name:>9}' for name in _NUMBERS)}  verdict"
    )


def shown(row: Row) -> str:
    """The row as a line."""
    said = "holds" if row.holds else f"FAILS: {'; '.join(row.problems)}"
    numbers = "".join(f"{value.normalize():>9f}" for value in (row.target, row.hedged, row.waiting, row.unknown))
    return f"{row.fault:<22}{row.injected:>9}  {row.did:<44}{numbers}  {said}"


async def run_drill(faults: Sequence[Fault], seed: int, out: TextIO) -> int:
    """Drill these faults, a row each in their order; 0 only if every one holds."""
    out.write(heading() + "\n")
    lanes = asyncio.Semaphore(LANES)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_in_lane(lanes, fault, seed)) for fault in faults]
        failed = 0
        for task in tasks:
            row = await task
            failed += not row.holds
            out.write(shown(row) + "\n")
            out.flush()
    out.write(f"{len(tasks) - failed} of {len(tasks)} faults cost nothing\n")
    return 1 if failed else 0


async def _in_lane(lanes: asyncio.Semaphore, fault: Fault, seed: int) -> Row:
    async with lanes:
        try:
            async with asyncio.timeout(2 * WITHIN_S):
                return await drill(fault, seed)
        except (VenueError, PaperError, TimeoutError, aiohttp.ClientError) as error:
            return Row(fault=fault.value, problems=(f"could not be drilled: {error or type(error).__name__}",))


async def drill(fault: Fault, seed: int) -> Row:
    """Drill one fault on paper venues of its own. Raises VenueError or PaperError when they cannot be had."""
    papers = PaperProcess(PaperSettings(seed=seed))
    endpoints = await asyncio.to_thread(papers.start)
    try:
        with TemporaryDirectory(prefix="hedgedesk-drill-") as folder:
            async with aiohttp.ClientSession() as http, _desk(endpoints, Path(folder)) as oms:
                return await _Drill(fault, oms, endpoints, http, seed=seed).run()
    finally:
        await asyncio.to_thread(papers.stop)


@contextlib.asynccontextmanager
async def _desk(endpoints: dict[str, Endpoints], folder: Path) -> AsyncIterator[OMS]:
    clock = SystemClock()
    oms = OMS(
        Gateway(endpoints), journal=Journal(folder / "journal.jsonl", clock), clock=clock, pending_timeout=PENDING_S,
        refresh_orders_snapshot=REFRESH_S, refresh_positions_snapshot=REFRESH_S,
    )  # fmt: skip
    try:
        await oms.init()
        yield oms
    finally:
        await oms.cleanup()


class _Drill:
    """One fault, one desk, two venues."""

    def __init__(
        self, fault: Fault, oms: OMS, endpoints: dict[str, Endpoints], http: aiohttp.ClientSession, *, seed: int
    ) -> None:
        self._fault = fault
        self._scenario = _scenario(fault)
        self._oms = oms
        self._endpoints = endpoints
        self._http = http
        maker, hedge = ("hyperliquid", "binance") if seed % 2 else ("binance", "hyperliquid")
        self._venues = {"maker": maker, "hedge": hedge}
        self._said: list[HedgeDelta] = []

    async def run(self) -> Row:
        """Tell the story, wait for the books, judge."""
        self._oms.register(self._note, kinds=(HedgeDelta,), name="drill")
        for part in _BOTH:
            await self._oms.watch(self._venues[part], self._ticker(part))
        if self._fault is Fault.SNAPSHOT_STALE:
            await self._oms.reconcile()
        maker = await self._place()
        for at in self._scenario.at:
            for rule in self._scenario.rules:
                await self._ask(at, "POST", "faults", rule)
        if self._scenario.story == "outage":
            await self._fill(maker, PARTS[0])  # at once: the desk stops its makers as soon as it knows
        await self._begun()
        await self._story(maker)
        late = "" if await self._right() else f"not right within {WITHIN_S:.0f} s: {self._stuck()}"
        return await self._judge(late)

    async def _begun(self) -> None:
        """Wait until what strikes by time, and not by what the desk does, has struck."""
        if self._fault in _OUTAGES:
            venue = self._venues["hedge"]
            await self._until(lambda: not self._oms.health.connected(venue, Channel.PRIVATE), 5)
        elif self._fault in _BY_TIME:
            for _ in range(100):
                if await self._injected():
                    break
                await asyncio.sleep(0.05)

    async def _injected(self) -> int:
        """How often the fault has struck, at all of its venues."""
        counts = [(await self._ask(at, "GET", "faults"))["counts"] for at in self._scenario.at]
        return sum(int(one.get(self._fault.value, 0)) for one in counts)

    async def _note(self, delta: HedgeDelta) -> None:
        self._said.append(delta)

    async def _story(self, maker: Order) -> None:
        if self._scenario.story == "cancel":
            await self._fill(maker, PARTS[0])
            with contextlib.suppress(VenueError):  # a cancel that comes too late is refused: that is the drill
                await self._oms.cancel_order(maker.venue, maker.ticker, cloid=maker.key)
            return
        for part in PARTS[1:] if self._scenario.story == "outage" else PARTS:
            if not self._current(maker).working:
                break  # the desk has stopped it
            await self._fill(maker, part)
            await self._until(lambda: self._book is not None and self._book.target != 0, 5)
        if self._scenario.story == "hold":
            await self._until(lambda: self._book is not None and self._book.hold != "", 5)
            await self._ask("hedge", "DELETE", "faults")
            await self._until(lambda: not self._current(maker).working, 5)
            self._oms.hedge.resume(self._venues["hedge"], self._ticker("hedge"))

    async def _place(self) -> Order:
        venue, ticker = self._venues["maker"], self._ticker("maker")
        mid = self._oms.feed.mid(venue, ticker)
        if mid is None:
            raise VenueError(venue, f"no price of {ticker} to drill with")
        price = round_price(self._oms.contract_specs(venue, ticker), mid * AWAY)
        return await self._oms.hedge_order(
            {"exc": venue, "ticker": ticker, "amount": QUANTITY, "price": price, "post_only": True},
            {"exc": self._venues["hedge"], "ticker": self._ticker("hedge")},
        )

    async def _fill(self, maker: Order, quantity: Decimal) -> None:
        act = {"act": "fill", "ticker": maker.ticker, "client_id": maker.key, "quantity": str(quantity)}
        await self._ask("maker", "POST", "act", act, refusals=True)

    async def _right(self) -> bool:
        """Wait until the desk's book is right and at rest, with the faults over."""

        def right() -> bool:
            book = self._book
            contract = self._oms.contract_specs(self._venues["hedge"], self._ticker("hedge"))
            return (
                book is not None
                and book.target != 0
                and abs(book.target - book.hedged) < contract.lot_size
                and self._oms.idle
            )

        deadline = asyncio.get_running_loop().time() + WITHIN_S
        while asyncio.get_running_loop().time() < deadline:
            if await self._until(right, 1.0) and await self._truthful():
                return True
        return False

    async def _truthful(self) -> bool:
        target, hedged, _ = await self._truth()
        book = self._book
        return book is not None and (book.target, book.hedged) == (target, hedged)

    async def _judge(self, late: str) -> Row:
        injected = await self._injected()
        target, hedged, placed = await self._truth()
        book = self._book
        problems = [late] if late else []
        problems += [] if injected else ["the fault did not strike"]
        twice = [key[:8] for key, times in placed.items() if times > 1]
        problems += [f"sent more than once: {', '.join(twice)}"] if twice else []
        if book is None:
            return Row(fault=self._fault.value, problems=(*problems, "there is no hedge book"))
        strangers = [key[:8] for key in placed if key not in self._oms.kernel.children]
        problems += [f"hedges that the desk does not know: {', '.join(strangers)}"] if strangers else []
        if (book.target, book.hedged) != (target, hedged):
            problems.append(f"the desk says target {book.target:f}, hedged {book.hedged:f}")
        if abs(hedged) > abs(target):
            problems.append("more was hedged than was filled")
        return Row(
            fault=self._fault.value, injected=injected, did=self._did(), target=target, hedged=hedged,
            waiting=book.balance, unknown=book.unknown, problems=tuple(problems),
        )  # fmt: skip

    def _stuck(self) -> str:
        """Why the book is not right, in the book's and the last alerts' words."""
        book = self._book
        return "; ".join([book.waits if book is not None else "", *(one.text for one in self._said[-3:])])

    def _did(self) -> str:
        """What the desk did about it, in a few words."""
        counted = {
            "hedge": sum(one.event == "sent" for one in self._said),
            "unknown": sum(one.event == "unknown" for one in self._said),
            "refused": sum(one.event == "refused" and one.severity == "warning" for one in self._said),
            "HOLD": sum(one.event == "hold" for one in self._said),
            "outage": sum(one.event == "up" for one in self._said),
            "alert": sum(one.event == "alert" for one in self._said),
        }
        words = [f"{times} {what}{'s' if what in {'hedge', 'outage', 'alert'} and times > 1 else ''}"
                 for what, times in counted.items() if times]  # fmt: skip
        return ", ".join(words)

    # -- the desk and the venues

    @property
    def _book(self) -> Any:
        return self._oms.kernel.books.get((self._venues["hedge"], self._ticker("hedge")))

    def _ticker(self, part: str) -> str:
        return TICKERS[self._venues[part]]

    def _current(self, order: Order) -> Order:
        return self._oms.page.get(order.key) or order

    async def _truth(self) -> tuple[Decimal, Decimal, dict[str, int]]:
        """Target and hedged by the venues' own fills, and how often each hedge id was placed there."""
        made, hedged = [await self._books(part) for part in _BOTH]
        target = -sum((one.filled for key, one in made.fills.items() if _is(key, CloidKind.MAKER)), ZERO)
        done = sum((one.filled for key, one in hedged.fills.items() if _is(key, CloidKind.HEDGE)), ZERO)
        return target, done, {key: times for key, times in hedged.placed.items() if _is(key, CloidKind.HEDGE)}

    async def _books(self, part: str) -> Truth:
        return msgspec.convert(await self._ask(part, "GET", "books"), Truth)

    async def _ask(
        self, at: str, method: str, what: str, body: msgspec.Struct | dict[str, str] | None = None, *,
        refusals: bool = False,
    ) -> Any:  # fmt: skip
        url = f"{self._endpoints[self._venues.get(at, at)].rest}/paper/{what}"
        data = None if body is None else msgspec.json.encode(body)
        while True:
            try:
                async with self._http.request(method, url, data=data) as response:
                    answer = msgspec.json.decode(await response.read())
                    if response.status != 200 and not (refusals and response.status == 409):
                        raise VenueError(at, f"{method} {what}: {answer}")
                    return answer
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.2)  # a venue that refuses connections refuses these too

    async def _until(self, fact: Callable[[], bool], seconds: float) -> bool:
        deadline = asyncio.get_running_loop().time() + seconds
        while not fact():
            if asyncio.get_running_loop().time() > deadline:
                return False
            await asyncio.sleep(0.01)
        return True


def _is(key: str, kind: CloidKind) -> bool:
    cloid = parse(key)
    return cloid is not None and cloid.kind is kind


def named(name: str) -> list[Fault]:
    """The faults of a name, ``all`` for every one. Raises ValueError with the names for another."""
    if name == "all":
        return list(Fault)
    try:
        return [Fault(name)]
    except ValueError:
        raise ValueError(f"there is no fault {name!r}: all, {', '.join(sorted(SUMMARIES))}") from None
