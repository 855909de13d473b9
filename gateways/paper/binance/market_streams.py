"""Binance USD-M's market data streams over a paper exchange.

Streams: ``<symbol>@depth[5|10|20][@100ms|@250ms|@500ms]`` (250 ms unless said), ``@bookTicker``, ``@aggTrade``,
``@trade``, ``@markPrice[@1s]`` (3 s unless said), and ``!bookTicker``, ``!markPrice@arr[@1s]`` for all contracts.

A diff depth event tells every change of the book from ``U`` to ``u``; ``pu`` is the ``u`` of the event before it, and a
snapshot's ``lastUpdateId`` is of the same count. Sources: the venue's pages of the same names, and "How to manage a
local order book correctly".
"""

import re
from collections.abc import Callable, Sequence
from decimal import Decimal

from gateways.paper.binance import numbers
from gateways.paper.binance.market_data import FUNDING_RATE, AggregateTrades, next_funding_ms, rows
from gateways.paper.binance.records import Json
from gateways.paper.binance.subscriptions import Subscriptions
from gateways.paper.exchange import PaperExchange
from gateways.paper.front import Push
from gateways.paper.records import BookChanged, Happening, Traded
from gateways.standards import Contract, Level

MILLISECOND_NS = 1_000_000
SECOND_NS = 1_000_000_000
TICK_TOLERANCE_NS = 50 * MILLISECOND_NS
"""Half of the shell's 100 ms: a tick that comes a little early still sends what is due at it."""
DEFAULT_SPEED_MS = 250

_DEPTH = re.compile(r"([a-z0-9_]+)@depth(5|10|20)?(?:@(100|250|500)ms)?")


class DepthFeed:
    """One depth stream: gathers a book's changes and tells them at its speed."""

    def __init__(
        self, stream: str, contract: Contract, *, depth: int, speed_ms: int, last_seq: int, now_ns: int
    ) -> None:
        self.stream = stream
        self.contract = contract
        self.depth = depth
        """Levels a side of a partial stream; 0 for the diff stream."""
        self._speed_ns = speed_ms * MILLISECOND_NS
        self._due_ns = now_ns + self._speed_ns
        self._told_seq = last_seq
        self._first_seq = 0
        self._last_seq = last_seq
        self._ts_ns = 0
        self._bids: dict[Decimal, Decimal] = {}
        self._asks: dict[Decimal, Decimal] = {}

    def add(self, change: BookChanged) -> None:
        """Take in a change of the book."""
        if not self._bids and not self._asks:
            self._first_seq = change.first_seq
        self._last_seq = change.last_seq
        self._ts_ns = change.ts_ns
        self._bids.update(change.bids)
        self._asks.update(change.asks)

    def due(self, exchange: PaperExchange, now_ns: int) -> Json | None:
        """The event that is due now, if there is one."""
        if now_ns + TICK_TOLERANCE_NS < self._due_ns:
            return None
        self._due_ns = max(self._due_ns, now_ns - self._speed_ns) + self._speed_ns
        if not self._bids and not self._asks:
            return None
        if self.depth:
            book = exchange.book(self.contract.ticker, self.depth)
            bids, asks = book.bids, book.asks
        else:
            bids = tuple(Level(*item) for item in sorted(self._bids.items(), reverse=True))
            asks = tuple(Level(*item) for item in sorted(self._asks.items()))
        event: Json = {
            "e": "depthUpdate",
            "E": numbers.milliseconds(now_ns),
            "T": numbers.milliseconds(self._ts_ns),
            "s": self.contract.ticker,
            "U": self._first_seq,
            "u": self._last_seq,
            "pu": self._told_seq,
            "b": rows(self.contract, bids),
            "a": rows(self.contract, asks),
        }
        self._told_seq = self._last_seq
        self._bids.clear()
        self._asks.clear()
        return event


class MarketStreams:
    """Writes what happens in the market as pushes to the streams that are listened to."""

    def __init__(
        self,
        exchange: PaperExchange,
        subscriptions: Subscriptions,
        aggregates: AggregateTrades,
        now_ns: Callable[[], int],
    ) -> None:
        self._exchange = exchange
        self._subscriptions = subscriptions
        self._aggregates = aggregates
        self._now_ns = now_ns
        self._depth: dict[str, DepthFeed] = {}
        self._best: dict[str, tuple[Level | None, Level | None]] = {}
        self._second = now_ns() // SECOND_NS

    def subscribed(self, streams: Sequence[str]) -> None:
        """Begin to gather for depth streams that somebody now listens to. Unknown names stay silent, as there."""
        for stream in streams:
            matched = _DEPTH.fullmatch(stream)
            contract = self._exchange.contracts.get(matched[1].upper()) if matched else None
            if matched is None or contract is None or stream in self._depth:
                continue
            self._depth[stream] = DepthFeed(
                stream,
                contract,
                depth=int(matched[2] or 0),
                speed_ms=int(matched[3] or DEFAULT_SPEED_MS),
                last_seq=self._exchange.book(contract.ticker, 1).last_seq,
                now_ns=self._now_ns(),
            )

    def happened(self, happenings: Sequence[Happening]) -> list[Push]:
        """Trades and best prices at once; depth waits for ``tick``."""
        pushes: list[Push] = []
        trades = [happening for happening in happenings if isinstance(happening, Traded)]
        if trades:
            pushes += self._traded(trades)
        for happening in happenings:
            if isinstance(happening, BookChanged):
                for feed in self._depth.values():
                    if feed.contract.ticker == happening.ticker:
                        feed.add(happening)
                pushes += self._best_changed(happening)
        return pushes

    def tick(self) -> list[Push]:
        """Depth events and mark prices that are due."""
        now = self._now_ns()
        pushes: list[Push] = []
        for feed in list(self._depth.values()):
            if not self._subscriptions.has(feed.stream):
                del self._depth[feed.stream]
                continue
            event = feed.due(self._exchange, now)
            if event is not None:
                pushes += self._subscriptions.publish(feed.stream, event)
        second = now // SECOND_NS
        if second != self._second:
            pushes += self._marks("@1s", now)
            if second // 3 != self._second // 3:
                pushes += self._marks("", now)
            self._second = second
        return pushes

    def _traded(self, trades: Sequence[Traded]) -> list[Push]:
        pushes: list[Push] = []
        event_ms = numbers.milliseconds(self._now_ns())
        for trade in trades:
            stream = f"{trade.ticker.lower()}@trade"
            if not self._subscriptions.has(stream):
                continue
            contract = self._exchange.contracts[trade.ticker]
            pushes += self._subscriptions.publish(
                stream,
                {
                    "e": "trade",
                    "E": event_ms,
                    "T": numbers.milliseconds(trade.ts_ns),
                    "s": trade.ticker,
                    "t": trade.trade_id,
                    "p": numbers.price(contract, trade.price),
                    "q": numbers.quantity(contract, trade.quantity),
                    "X": "MARKET",
                    "m": trade.buyer_is_maker,
                },
            )
        for aggregate in self._aggregates.add(trades):
            ticker = aggregate.first.ticker
            stream = f"{ticker.lower()}@aggTrade"
            if self._subscriptions.has(stream):
                fields = aggregate.record(self._exchange.contracts[ticker])
                pushes += self._subscriptions.publish(stream, {"e": "aggTrade", "E": event_ms, "s": ticker, **fields})
        return pushes

    def _best_changed(self, change: BookChanged) -> list[Push]:
        ticker = change.ticker
        stream = f"{ticker.lower()}@bookTicker"
        if not self._subscriptions.has(stream) and not self._subscriptions.has("!bookTicker"):
            return []
        bid, ask = best = self._exchange.best(ticker)
        if bid is None or ask is None or self._best.get(ticker) == best:
            return []
        self._best[ticker] = best
        contract = self._exchange.contracts[ticker]
        event = {
            "e": "bookTicker",
            "u": change.last_seq,
            "s": ticker,
            "b": numbers.price(contract, bid.price),
            "B": numbers.quantity(contract, bid.quantity),
            "a": numbers.price(contract, ask.price),
            "A": numbers.quantity(contract, ask.quantity),
            "T": numbers.milliseconds(change.ts_ns),
            "E": numbers.milliseconds(self._now_ns()),
        }
        return self._subscriptions.publish(stream, event) + self._subscriptions.publish("!bookTicker", event)

    def _marks(self, speed: str, now_ns: int) -> list[Push]:
        pushes: list[Push] = []
        every: list[Json] = []
        together = f"!markPrice@arr{speed}"
        for contract in self._exchange.contracts.values():
            stream = f"{contract.ticker.lower()}@markPrice{speed}"
            if not self._subscriptions.has(stream) and not self._subscriptions.has(together):
                continue
            mark = self._exchange.mark(contract.ticker)
            if mark is None:
                continue
            text = numbers.money(mark)
            every.append(
                {
                    "e": "markPriceUpdate",
                    "E": numbers.milliseconds(now_ns),
                    "s": contract.ticker,
                    "p": text,
                    "P": text,
                    "i": text,
                    "r": FUNDING_RATE,
                    "T": next_funding_ms(now_ns),
                }
            )
            pushes += self._subscriptions.publish(stream, every[-1])
        return pushes + (self._subscriptions.publish(together, every) if every else [])
