"""Paper venues whose market is that of real venues: the public streams of those, the matching and the money of ours.

Nothing private is sent anywhere: the real venues are asked without keys, for what anybody may ask. Contracts and their
rules are the real venue's; so are the depth and the trades (``gateways.paper.live``). A venue whose stream is lost
takes no orders until it is back.

``python -m console.live_data --live-data FILE`` serves them as a process; ``hedgedesk paper --live-data FILE`` too.
"""

import argparse
import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TextIO

import msgspec
import uvloop

from gateways.errors import VenueError
from gateways.paper.contracts import RULES, paper_exchange
from gateways.paper.exchange import PaperExchange
from gateways.paper.kinds import KINDS
from gateways.paper.live import DEPTH, LiveBook
from gateways.paper.market import WALKING, open_house
from gateways.paper.server import serve_until_stopped
from gateways.paper.sockets import PaperServer
from gateways.router import load_endpoints, make_venue
from gateways.standards import Batch, BookUpdate, Contract, MarkUpdate, TradeEvent
from gateways.venue import Channel, ChannelState, Endpoints, Venue, Watcher
from oms.feed import Feed, FeedKeeper

SEED = 7
OK, REFUSED, USAGE = 0, 1, 2


class LiveDataError(Exception):
    """The real venues' data cannot be had. One sentence for the operator."""


class LiveMarket(Watcher):
    """The books of paper exchanges, kept as the real venues, by alias, tell."""

    def __init__(self, venues: Mapping[str, Venue]) -> None:
        self._venues = venues
        self._books: dict[tuple[str, str], LiveBook] = {}
        self._feed = Feed()
        self._keeper = FeedKeeper(self._feed, self._fetch_book)

    async def start(self, exchanges: Mapping[str, PaperExchange]) -> None:
        """Make the market of these exchanges: subscribe to each contract, ask for its first book. Raises VenueError."""
        for alias, exchange in exchanges.items():
            self._books |= {(alias, ticker): LiveBook(exchange, ticker) for ticker in exchange.contracts}
        for alias, ticker in self._books:
            await self._venues[alias].subscribe(ticker)
            self._keeper.resync(alias, ticker)

    async def close(self) -> None:
        """Ask for no more books."""
        await self._keeper.close()

    async def _fetch_book(self, alias: str, ticker: str) -> BookUpdate:
        book = await self._venues[alias].book(ticker, DEPTH)
        # The keeper applies it in this turn of the loop; a quiet contract would not be shown before its next change.
        asyncio.get_running_loop().call_soon(self._show, alias, ticker)
        return book

    def receive(self, batch: Batch) -> None:
        """Take a message of a real venue."""
        for event in batch.events:
            if isinstance(event, BookUpdate | TradeEvent | MarkUpdate):
                self._take(event, batch.ts_recv_ns)

    def _take(self, event: BookUpdate | TradeEvent | MarkUpdate, ts_recv_ns: int) -> None:
        live = self._books.get((event.venue, event.ticker))
        note = None if live is None else self._keeper.apply(event, ts_recv_ns)
        if live is None or note is None:
            return
        match event:
            case TradeEvent():
                live.trade(event)
            case MarkUpdate():
                live.mark(event.mark)
            case BookUpdate():
                self._show(event.venue, event.ticker)

    def _show(self, alias: str, ticker: str) -> None:
        book, live = self._feed.book(alias, ticker), self._books[alias, ticker]
        if book is None or not book.in_sequence:
            live.silence()
        else:
            live.show(book.bids(DEPTH), book.asks(DEPTH), book.ts_venue_ns)

    # -- the venues' life

    def channel_changed(self, venue: str, state: ChannelState) -> None:
        """Without its public stream a venue trades nothing here; with it again, its books are asked for anew."""
        if state.channel is not Channel.PUBLIC:
            return
        if state.connected:
            self._keeper.resync_venue(venue)
            return
        self._feed.interrupted(venue)
        for (alias, _ticker), live in self._books.items():
            if alias == venue:
                live.silence()

    def request_done(self, venue: str, verb: str, *, sent: str, answer: str, took_ns: int, ok: bool) -> None:
        """Not looked at."""

    def message_dropped(self, venue: str, reason: str) -> None:
        """Not looked at."""


@asynccontextmanager
async def live_server(
    places: Mapping[str, Endpoints], *, bases: Sequence[str] = WALKING, seed: int = SEED
) -> AsyncIterator[PaperServer]:
    """A paper server, not started, whose market is that of the venues at these places; their keys are not used.

    ``bases``: the base assets whose perpetuals it lists. Raises VenueError, LiveDataError.
    """
    venues = {alias: make_venue(alias, _without_keys(place)) for alias, place in places.items()}
    kinds = {alias: place.kind or alias for alias, place in places.items()}
    market = LiveMarket(venues)
    try:
        await asyncio.gather(*(venue.observe(market.receive, market) for venue in venues.values()))
        exchanges = {
            alias: paper_exchange(kind, now_ns=time.time_ns, contracts=_chosen(kind, venues[alias], bases))
            for alias, kind in kinds.items()
        }
        for exchange in exchanges.values():
            open_house(exchange)
        await market.start(exchanges)
        known = {alias: KINDS[kind] for alias, kind in kinds.items()}
        yield PaperServer(list(venues), seed=seed, kinds=known, exchanges=exchanges)
    finally:
        await market.close()
        await asyncio.gather(*(venue.close() for venue in venues.values()))


def _without_keys(place: Endpoints) -> Endpoints:
    return msgspec.structs.replace(place, key="", secret="", passphrase="")


def _chosen(kind: str, venue: Venue, bases: Sequence[str]) -> list[Contract]:
    """The perpetual of each base asset that a venue has, in the quote asset of its paper account."""
    quote, chosen = RULES[kind].quote_asset, []
    for base in bases:
        found = [each for each in venue.contracts.values() if (each.base, each.quote) == (base, quote) and each.trading]
        if found:
            contract = min(found, key=lambda each: (len(each.ticker), each.ticker))
            chosen.append(msgspec.structs.replace(contract, venue=kind))
    if not chosen:
        raise LiveDataError(f"{venue.alias} trades none of {', '.join(bases)} against {quote}")
    return chosen


def serve_live(
    file: Path,
    bases: Sequence[str] = WALKING,
    seed: int = SEED,
    out: TextIO | None = None,
    *,
    with_parent: bool = False,
) -> int:
    """Serve paper venues on the live data of the venues of a file until SIGTERM or SIGINT; return the exit code.

    ``file``: as ``hedgedesk paper`` prints it; keys in it are not used. ``bases``: none for the usual ones.
    Prints and ends as ``gateways.paper.server``.
    """
    parent = os.getppid() if with_parent else None

    async def serving() -> None:
        async with live_server(places, bases=bases or WALKING, seed=seed) as server:
            await serve_until_stopped(server, sys.stdout if out is None else out, parent)

    try:
        places = load_endpoints(file.read_bytes())
    except (OSError, VenueError) as error:
        print(f"{file} names no venues: {error}", file=sys.stderr)
        return USAGE
    try:
        uvloop.run(serving())
    except (VenueError, LiveDataError) as error:
        print(error, file=sys.stderr)
        return REFUSED
    return OK


def main() -> int:
    """Read the arguments and serve; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m console.live_data", description="Paper venues on live data.")
    parser.add_argument("--live-data", type=Path, required=True, help="the venues whose data it is, as JSON")
    parser.add_argument("--bases", default=",".join(WALKING), help="comma-separated base assets")
    parser.add_argument("--seed", type=int, default=SEED, help="of the keys")
    parser.add_argument("--with-parent", action="store_true", help="end when the process that started it ends")
    given = parser.parse_args()
    bases = [name.strip() for name in given.bases.split(",") if name.strip()]
    return serve_live(given.live_data, bases, given.seed, with_parent=given.with_parent)


if __name__ == "__main__":
    sys.exit(main())
