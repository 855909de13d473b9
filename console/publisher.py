"""Turns the engine's deltas into frames for a console, a few times a second. Runs on the engine's loop."""

import asyncio
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from console import rows
from console.link import Frame, Header, LogLine, VenueRow
from console.mailbox import Mailbox
from gateways.standards import ZERO
from oms.deltas import Delta, FillDelta, HealthDelta, HedgeDelta, RequestDelta
from oms.hedge.book import view_book, view_legs
from oms.orders import OrderDelta
from oms.system import OMS

EVERY_S = 0.05
SLOW_EVERY = 10
"""Frames between two looks at what changes by itself: prices of contracts, health."""


class Publisher:
    """Collects which rows are dirty and puts only those into the mailbox.

    ``arming`` is the word of the top bar: PAPER, SAFE or ARMED.
    """

    def __init__(self, oms: OMS, mailbox: Mailbox, *, arming: str) -> None:
        self._oms = oms
        self._mailbox = mailbox
        self._arming = arming
        self._orders: set[str] = set()
        self._makers: dict[str, int] = {}
        self._frame = Frame()
        self._count = 0
        self._deltas = 0
        self._ladders: dict[tuple[str, str], None] = {}
        self._last: dict[str, Any] = {}
        self._subscription = oms.register(
            self._on_delta, kinds=(OrderDelta, HedgeDelta, RequestDelta, HealthDelta, FillDelta), name="console"
        )

    async def run(self) -> None:
        """Publish until cancelled. A frame that cannot be made is a line of the log: the engine goes on without it."""
        self._everything()
        said = ""
        while True:
            try:
                self._mailbox.put(self._make())
            except Exception as error:  # noqa: BLE001 - what is wrong with a screen must never end the engine
                if said != repr(error):
                    said = repr(error)
                    now, text = self._oms.clock.now_ns(), f"the screen's figures could not be made: {said}"
                    self.log(LogLine(ts_ns=now, kind="alert", severity="error", venue="", text=text))
            await asyncio.sleep(EVERY_S)

    def watch(self, venue: str, ticker: str) -> None:
        """Put this contract's ladder into the frames from now on."""
        if ticker in self._oms.contracts.get(venue, {}):
            self._ladders[venue, ticker] = None
            self._oms.supervisor.watch_soon(venue, ticker)

    def log(self, line: Any) -> None:
        """Put a line into the log."""
        self._frame.log.append(line)

    async def _on_delta(self, delta: Delta) -> None:
        match delta:
            case OrderDelta(after=order):
                self._deltas += 1
                self._orders.add(order.key)
                self._frame.deltas.append(rows.delta_row(delta))
                self._touch(order.key, delta.ts_recv_ns)
            case HedgeDelta():
                self._frame.log.append(rows.hedge_line(delta))
                book = self._oms.kernel.books.get((delta.venue, delta.ticker))
                for maker, _leg in book.shares if book else ():
                    self._makers[maker] = delta.ts_ns
            case RequestDelta():
                self._frame.log.extend(rows.request_lines(delta))
            case _:
                pass

    def _touch(self, key: str, ts_ns: int) -> None:
        """Mark the makers dirty that an order is, or answers."""
        kernel = self._oms.kernel
        if key in kernel.makers:
            self._makers[key] = ts_ns
        child = kernel.children.get(key)
        for claim in child.claims if child else ():
            self._makers[claim.maker] = ts_ns

    def _everything(self) -> None:
        self._orders.update(order.key for order in self._oms.page.orders())
        for maker in self._oms.kernel.makers.values():
            self._makers[maker.cloid] = maker.ts_ns
        self._slow(self._frame)

    def _make(self) -> Frame:
        frame, self._frame = self._frame, Frame()
        oms, kernel = self._oms, self._oms.kernel
        for key in self._orders:
            order = oms.page.get(key)
            if order is not None:
                maker = kernel.makers.get(key)
                frame.orders.append(rows.order_row(order, maker.legs if maker else ()))
        self._orders.clear()
        for key, ts_ns in self._makers.items():
            for view in view_legs(kernel, kernel.makers[key]):
                frame.hedges.append(rows.hedge_row(view, oms.page.get(key), ts_ns))
        self._makers.clear()
        books = [rows.book_row(view_book(book)) for book in kernel.books.values() if book.shares]
        self._if_changed("books", books, frame.books.append)
        self._positions(frame)
        for venue, ticker in self._ladders:
            contract = oms.contracts[venue].get(ticker)  # a venue may have delisted it since
            ladder = None if contract is None else rows.ladder_row(oms, contract, self._own(venue, ticker))
            if ladder is not None:
                self._if_changed("ladders", [ladder], frame.ladders.append)
        self._count += 1
        if self._count % SLOW_EVERY == 0:
            self._slow(frame)
        frame.header = self._header(books)
        return frame

    def _slow(self, frame: Frame) -> None:
        oms = self._oms
        contracts = [
            rows.contract_row(oms, contract) for known in oms.contracts.values() for contract in known.values()
        ]
        self._if_changed("contracts", contracts, frame.contracts.append)
        self._if_changed("money", [rows.money_row(row) for row in oms.balances.get_all()], frame.money.append)
        self._if_changed("venues", [self._venue(alias) for alias in oms.gateway.venues], frame.venues.append)

    def _positions(self, frame: Frame) -> None:
        oms = self._oms
        held = []
        for position in oms.positions.get_all():
            contract = oms.contracts.get(position.venue, {}).get(position.ticker)
            mark = oms.feed.mark(position.venue, position.ticker)
            price = mark.mark if mark else oms.feed.mid(position.venue, position.ticker)
            held.append(rows.position_row(position, contract, price, position.ts_venue_ns))
        self._if_changed("positions", held, frame.positions.append, gone=frame.gone)
        self._if_changed("exposures", rows.exposure_rows(held), frame.exposures.append, gone=frame.gone)

    def _own(self, venue: str, ticker: str) -> dict[Decimal, Decimal]:
        own: dict[Decimal, Decimal] = {}
        for order in self._oms.page.working():
            if (order.venue, order.ticker) == (venue, ticker) and order.price is not None:
                own[order.price] = own.get(order.price, ZERO) + order.remaining
        return own

    def _venue(self, alias: str) -> VenueRow:
        health = self._oms.health.row(alias)
        return VenueRow(
            key=alias, venue=alias, public=health.public, private=health.private, trade=health.trade,
            rest=health.rest, ts_private_ns=health.ts_private_ns, ts_public_ns=health.ts_public_ns,
            reconnects=health.reconnects, round_trip_p50_us=_microseconds(health.round_trip.p50_ns),
            round_trip_p99_us=_microseconds(health.round_trip.p99_ns),
            hedge_p50_us=_microseconds(health.hedge.p50_ns), hedge_p99_us=_microseconds(health.hedge.p99_ns),
            budget=self._oms.gateway.venues[alias].budget_used(), dropped=health.dropped, note=health.note,
        )  # fmt: skip

    def _header(self, books: list[Any]) -> Header:
        oms = self._oms
        working = oms.makers_working()
        children = [child for book in oms.kernel.books.values() for child in book.open_children.values()]
        return Header(
            now_ns=oms.clock.now_ns(), arming=self._arming, trading=oms.trading, working=len(working),
            children=len(children), unknown=sum(child.state.value == "UNKNOWN" for child in children),
            waiting_notional=sum((abs(row.notional) for row in books if row.notional is not None), ZERO),
            deltas=self._deltas, coalesced=self._subscription.coalesced,
            dropped=self._mailbox.dropped, default_venue=next(iter(oms.gateway.venues), ""),
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


def _microseconds(nanoseconds: int | None) -> int | None:
    return None if nanoseconds is None else nanoseconds // 1000
