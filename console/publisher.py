"""Turns the engine's deltas into frames for a console, a few times a second. Runs on the engine's loop."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Iterable
from decimal import Decimal
from typing import Any, Protocol, TypeVar

import msgspec

from console import rows
from console.earnings import Earnings
from console.link import BookRow, FillRow, Frame, HandlerRow, Header, LogLine, MoneyRow, OrderRow, PositionRow
from gateways.standards import ZERO, FillEvent, MarkUpdate, PositionUpdate
from oms.deltas import Delta, FillDelta, HedgeDelta, RequestDelta
from oms.hedge.book import view_book, view_claims, view_legs
from oms.hedge.decision import rounded_up
from oms.hedge.slippage import Slippages
from oms.orders import Order, OrderDelta, Role
from oms.system import OMS

T = TypeVar("T")

EVERY_S = 0.05
SLOW_EVERY = 10
"""Frames between two looks at what changes by itself: prices of contracts, health."""
MAKERS_A_FRAME = 300
"""Makers whose legs are told in one frame: so much, and no more, may a screen take of the engine's time."""
BOOKS_A_FRAME = 50
"""Hedge books that are looked at in one frame beside those that had news: their prices, and why they wait, move."""
LADDERS_EACH = 8
"""Ladders that are told for one console: a desk that is looked at for weeks is asked for hundreds of them."""
ROWS_A_TURN = 50
"""Rows that are made in one turn of the engine's loop: a fill that comes in meanwhile is hedged between two turns."""
FILLS_AT_START = 1_000
"""Executions of before the start that a console is told of."""


class Reader(Protocol):
    """Who is told. ``put`` must neither wait nor change the frame."""

    def put(self, frame: Frame) -> None:
        """Take a frame."""
        ...


class Publisher:
    """Collects which rows are dirty and puts those to its ``reader``; ``consoles`` are lines on who is attached."""

    def __init__(self, oms: OMS, reader: Reader, consoles: Callable[[], Iterable[HandlerRow]] = tuple) -> None:
        self._oms = oms
        self._reader = reader
        self._consoles = consoles
        self._orders: dict[str, None] = {}
        """In the order of their first change: a maker stands before the hedge of its fill."""
        self._makers: dict[str, int] = {}
        self._frame = Frame()
        self._count = 0
        self._deltas = 0
        self._ladders: dict[str, dict[tuple[str, str], None]] = {}
        """By who watches, the contracts last watched, whose ladders are told."""
        self._tapes: dict[str, tuple[str, str]] = {}
        """By who watches, the contract whose public trades are told."""
        self._told: dict[tuple[str, str], str] = {}
        """The last public trade told of each of those contracts."""
        self._last: dict[str, Any] = {}
        self._books: dict[str, BookRow] = {}
        """Each book as last told."""
        self._news: set[tuple[str, str]] = set()
        """Books that had news since they were last told."""
        self._next_book = 0
        self._resting: set[str] = set()
        """Our orders that a cancel-all takes."""
        self._unsettled: dict[str, set[str]] = {}
        """By book, the makers of which a part was last told to wait or to be in flight."""
        self._marks: dict[tuple[str, str], tuple[MarkUpdate, int]] = {}
        """The last mark of each contract held, and when it was first seen: not every venue dates them."""
        self._rows_of: dict[str, tuple[str, ...]] = {}
        """The orders that were told, and of each maker its legs' rows."""
        self._slippages = Slippages()
        self._earnings = Earnings(oms, paper=oms.state.live is None)
        self._subscription = oms.register(
            self._on_delta, kinds=(OrderDelta, HedgeDelta, RequestDelta, FillDelta), name="console"
        )

    async def run(self) -> None:
        """Publish until cancelled. A frame that cannot be made is a line of the log: the engine goes on without it."""
        said, begun = "", False
        while True:
            try:
                if not begun:
                    begun = True
                    self._everything()
                self._reader.put(await self._make())
            except Exception as error:  # noqa: BLE001 - what is wrong with a screen must never end the engine
                if said != repr(error):
                    said = repr(error)
                    now, text = self._oms.clock.now_ns(), f"the screen's figures could not be made: {said}"
                    self.log(LogLine(ts_ns=now, kind="alert", severity="error", venue="", text=text))
            await asyncio.sleep(EVERY_S)

    def watch(self, venue: str, ticker: str, who: str = "") -> None:
        """Put this contract's ladder into the frames from now on, and its public trades in place of ``who``'s others.

        The trades that are known already are told anew: the one who asks has not seen them. Of what ``who`` watched
        before, the last few ladders go on.
        """
        if ticker in self._oms.contracts.get(venue, {}):
            ladders = self._ladders.setdefault(who, {})
            ladders.pop((venue, ticker), None)
            ladders[venue, ticker] = None
            while len(ladders) > LADDERS_EACH:
                del ladders[next(iter(ladders))]
            self._leave_tape(who)
            self._tapes[who] = venue, ticker
            self._told[venue, ticker] = ""
            self._oms.supervisor.watch_soon(venue, ticker)

    def unwatch(self, who: str = "") -> None:
        """Tell no more ladders and public trades for ``who``."""
        self._ladders.pop(who, None)
        self._leave_tape(who)

    def _leave_tape(self, who: str) -> None:
        tape = self._tapes.pop(who, None)
        if tape is not None and tape not in self._tapes.values():
            del self._told[tape]

    def log(self, line: Any) -> None:
        """Put a line into the log."""
        self._frame.log.append(line)

    async def _on_delta(self, delta: Delta) -> None:
        match delta:
            case OrderDelta(after=order):
                self._deltas += 1
                self._orders[order.key] = None
                self._rests(order)
                self._frame.deltas.append(rows.delta_row(delta))
                if order.role is Role.HEDGE:
                    new = delta.before is None
                    self._entered(order.key, self._oms.feed.mid(order.venue, order.ticker) if new else None)
                self._touch(order.key, delta.ts_recv_ns)
            case FillDelta(fill=fill):
                self._earnings.take(fill)
                self._frame.fills.append(self._fill(fill))
            case HedgeDelta(venue=venue, ticker=ticker):
                self._news.add((venue, ticker))
                self._frame.log.append(rows.hedge_line(delta))
            case RequestDelta():
                self._frame.log.extend(rows.request_lines(delta))
            case _:
                pass

    def _touch(self, key: str, ts_ns: int) -> None:
        """Mark the makers that an order is, or answers, and their books: they have news."""
        kernel = self._oms.kernel
        maker, child = kernel.makers.get(key), kernel.children.get(key)
        if maker is not None:
            self._makers[key] = ts_ns
            self._news.update((leg.venue, leg.ticker) for leg in maker.legs)
        if child is not None:
            self._makers.update((claim.maker, ts_ns) for claim in child.claims)
            self._news.add(child.book)

    def _rests(self, order: Order) -> None:
        if order.working and order.role in {Role.MAKER, Role.MANUAL}:
            self._resting.add(order.key)
        else:
            self._resting.discard(order.key)

    def _entered(self, cloid: str, mid: Decimal | None) -> None:
        child = self._oms.kernel.children.get(cloid)
        if child is not None:
            self._slippages.entered(child, mid)

    def _everything(self) -> None:
        for cloid in self._oms.kernel.children:
            self._entered(cloid, None)
        fills = self._oms.fills.get_all()[-FILLS_AT_START:]
        self._frame.fills.extend(self._fill(fill) for fill in fills)
        for order in self._oms.page.orders():
            self._orders[order.key] = None
            self._rests(order)
        for maker in self._oms.kernel.makers.values():
            self._makers[maker.cloid] = maker.ts_ns

    async def _make(self) -> Frame:
        frame, self._frame = self._frame, Frame()
        oms = self._oms
        orders, self._orders = self._orders, {}
        async for key in _in_turns(orders):
            order = oms.page.peek(key)
            if order is not None:
                frame.orders.append(self._order(order))
                self._rows_of.setdefault(key, ())
        async for where in _in_turns(self._books_due()):
            book = oms.kernel.books.get(where)
            if book is not None and book.shares:
                self._book(frame, rows.book_row(view_book(book), rounded_up(book)))
        async for key in _in_turns(list(itertools.islice(self._makers, MAKERS_A_FRAME))):
            self._legs(frame, key, self._makers.pop(key))
        self._positions(frame)
        self._trades(frame)
        await self._told_ladders(frame)
        self._count += 1
        if self._count % SLOW_EVERY == 1:
            async for contract in _in_turns([each for known in oms.contracts.values() for each in known.values()]):
                self._if_changed("contracts", [rows.contract_row(oms, contract)], frame.contracts.append)
            self._slow(frame)
        frame.header = self._header()
        return frame

    async def _told_ladders(self, frame: Frame) -> None:
        """The ladders that are watched; those that are no more are gone, so that none stands still on a screen."""
        oms, told = self._oms, self._last.setdefault("ladders", {})
        watched = {where: f"{where[0]}:{where[1]}" for each in self._ladders.values() for where in each}
        for key in told.keys() - watched.values():
            del told[key]
            frame.gone.setdefault("ladders", []).append(key)
        async for venue, ticker in _in_turns(watched, 1):
            contract = oms.contracts[venue].get(ticker)  # a venue may have delisted it since
            ladder = None if contract is None else rows.ladder_row(oms, contract, self._own(venue, ticker))
            if ladder is not None:
                self._if_changed("ladders", [ladder], frame.ladders.append)

    def _books_due(self) -> list[tuple[str, str]]:
        """The books that had news, and the next few of all in turn."""
        every = list(self._oms.kernel.books)
        first = self._next_book if self._next_book < len(every) else 0
        self._next_book = first + BOOKS_A_FRAME
        due = self._news | set(every[first : self._next_book])
        self._news = set()
        return sorted(due)

    def _slow(self, frame: Frame) -> None:
        oms = self._oms
        self._if_changed("money", self._money(), frame.money.append)
        watched = {alias for alias, _ in oms.supervisor.watched}
        venues = [rows.venue_row(oms.health.row(alias), venue.budget_used(), watched=alias in watched)
                  for alias, venue in oms.gateway.venues.items()]  # fmt: skip
        self._if_changed("venues", venues, frame.venues.append)
        handlers = [rows.handler_row(place, each) for place, each in enumerate(oms.deltas.subscriptions)]
        handlers += self._consoles()
        self._if_changed("handlers", handlers, frame.handlers.append, gone=frame.gone)
        frame.fills.extend(self._fill(fill) for fill in self._earnings.refresh())
        if len(self._rows_of) > len(oms.page):
            self._let_go(frame)

    def _let_go(self, frame: Frame) -> None:
        """Tell that the orders which were put away are gone, and forget what they cost."""
        page, kernel = self._oms.page, self._oms.kernel
        gone = [key for key in self._rows_of if page.peek(key) is None]
        frame.gone.setdefault("orders", []).extend(gone)
        frame.gone.setdefault("hedges", []).extend(row for key in gone for row in self._rows_of.pop(key))
        self._slippages.keep(kernel.children, kernel.makers)

    def _legs(self, frame: Frame, maker: str, ts_ns: int) -> None:
        kernel, order = self._oms.kernel, self._oms.page.peek(maker)
        if maker not in kernel.makers:
            return  # it has finished, and was put away since
        told: list[str] = []
        for view in view_legs(kernel, kernel.makers[maker]):
            row = rows.hedge_row(view, order, ts_ns, self._slippages.of_leg(maker, view.index))
            frame.hedges.append(row)
            told.append(row.key)
            unsettled = self._unsettled.setdefault(f"{view.venue}:{view.ticker}", set())
            if view.waiting or view.in_flight:
                unsettled.add(maker)
            else:
                unsettled.discard(maker)
        self._rows_of[maker] = tuple(told)

    def _fill(self, fill: FillEvent) -> FillRow:
        return rows.fill_row(fill, self._oms.page.whose(fill))

    def _order(self, order: Order) -> OrderRow:
        maker, child = self._oms.kernel.makers.get(order.key), self._oms.kernel.children.get(order.key)
        if child is not None:
            return rows.order_row(order, (), view_claims(child), self._slippages.of_hedge(child))
        return rows.order_row(order, maker.legs if maker else ())

    def _book(self, frame: Frame, row: BookRow) -> None:
        """A book that changed by more than its price: its makers that are not settled may have changed with it.

        One may be netted against another, forfeited or held up without an event of its own.
        """
        before = self._books.get(row.key)
        if before == row:
            return
        frame.books.append(row)
        self._books[row.key] = row
        if before is None or msgspec.structs.replace(before, notional=row.notional, smallest=row.smallest) != row:
            now = self._oms.clock.now_ns()
            self._makers.update((maker, now) for maker in self._unsettled.get(row.key, ()) if maker not in self._makers)

    def _trades(self, frame: Frame) -> None:
        """The public trades of the contracts last watched that were not told yet."""
        for tape, last in list(self._told.items()):
            news = []
            for trade in reversed(self._oms.feed.trades(*tape)):
                if trade.trade_id == last:
                    break
                news.append(rows.trade_row(trade))
            if news:
                self._told[tape] = news[0].trade_id
                frame.trades.extend(reversed(news))

    def _mark(self, venue: str, ticker: str) -> rows.Mark | None:
        mark, mid = self._oms.feed.mark(venue, ticker), self._oms.feed.mid(venue, ticker)
        if mark is not None:
            heard = self._marks.get((venue, ticker))
            if heard is None or heard[0] is not mark:
                heard = self._marks[venue, ticker] = mark, self._oms.clock.now_ns()
            return rows.Mark(mark.mark, "mark", heard[1])
        return None if mid is None else rows.Mark(mid, "mid", self._oms.feed.ts_recv_ns(venue, ticker))

    def _held(self) -> list[PositionRow]:
        """The positions, and what is flat again but has a result."""
        oms = self._oms
        held = {(position.venue, position.ticker): position for position in oms.positions.get_all()}
        for key in self._earnings.keys:
            if key not in held:
                held[key] = PositionUpdate(venue=key[0], ticker=key[1], amount=ZERO)
        return [
            rows.position_row(
                position, oms.contracts.get(venue, {}).get(ticker), self._mark(venue, ticker),
                self._earnings.earned((venue, ticker)), position.ts_venue_ns,
            )
            for (venue, ticker), position in held.items()
        ]  # fmt: skip

    def _positions(self, frame: Frame) -> None:
        held = self._held()
        self._if_changed("positions", held, frame.positions.append, gone=frame.gone)
        self._if_changed("exposures", rows.exposure_rows(held), frame.exposures.append, gone=frame.gone)

    def _money(self) -> list[MoneyRow]:
        quoted: dict[tuple[str, str], list[Decimal | None]] = {}
        for row in self._held():
            contract = self._oms.contracts.get(row.venue, {}).get(row.ticker)
            if contract is not None:
                quoted.setdefault((row.venue, contract.quote), []).append(row.unrealised)
        balances = self._oms.balances
        return [
            rows.money_row(
                row, rows.total(quoted.get((row.venue, row.asset), ())), lags=balances.lags(row.venue, row.asset)
            )
            for row in balances.get_all()
        ]

    def _own(self, venue: str, ticker: str) -> dict[Decimal, Decimal]:
        own: dict[Decimal, Decimal] = {}
        for order in self._oms.page.working_in(venue, ticker):
            if order.price is not None:
                own[order.price] = own.get(order.price, ZERO) + order.remaining
        return own

    def _header(self) -> Header:
        oms = self._oms
        children = [child for book in oms.kernel.books.values() for child in book.open_children.values()]
        return Header(
            now_ns=oms.clock.now_ns(), arming=oms.arming.value, trading=oms.trading.value, working=len(self._resting),
            children=len(children), unknown=sum(child.state.value == "UNKNOWN" for child in children),
            waiting_notional=sum((abs(row.notional) for row in self._books.values() if row.notional), ZERO),
            deltas=self._deltas, coalesced=self._subscription.coalesced,
            dropped=0, default_venue=next(iter(oms.gateway.venues), ""),
            desk=oms.state.live.name if oms.state.live is not None else "", because=oms.state.because,
        )  # fmt: skip

    def _if_changed(
        self, table: str, current: list[Any], put: Callable[[Any], None], gone: dict[str, list[str]] | None = None
    ) -> None:
        """Put the rows that differ from the last ones published; with ``gone``, list the keys that are no more."""
        last = self._last.setdefault(table, {})
        for row in current:
            if last.get(row.key) != row:
                last[row.key] = row
                put(row)
        if gone is not None:
            keys = {row.key for row in current}
            absent = [key for key in last if key not in keys]
            for key in absent:
                del last[key]
            if absent:
                gone.setdefault(table, []).extend(absent)


async def _in_turns(things: Iterable[T], many: int = ROWS_A_TURN) -> AsyncIterator[T]:
    """Each thing; after so many of them, and at their end, the loop does what else is due."""
    for number, thing in enumerate(things, 1):
        yield thing
        if number % many == 0:
            await asyncio.sleep(0)
    await asyncio.sleep(0)
