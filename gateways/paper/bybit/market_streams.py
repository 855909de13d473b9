"""Bybit v5's public streams over a paper exchange: books, trades, tickers, candles of the linear contracts.

A book stream begins with a snapshot and goes on with deltas, each with ``u`` one more than the message before. Level 1
says its snapshot again, with the ``u`` that it had, when three seconds passed without a change. A ticker begins with a
snapshot and goes on with the fields that changed.

Sources: the pages Orderbook, Trade, Ticker, Kline of the public streams; as recorded from the venue.
"""

import re
from collections.abc import Callable, Mapping, Sequence

import msgspec

from gateways.paper.bybit import numbers
from gateways.paper.bybit.candles import INTERVALS_MS, Tape
from gateways.paper.bybit.market_data import level_texts, ticker_record
from gateways.paper.bybit.records import Json, side_of
from gateways.paper.bybit.subscriptions import Subscriptions
from gateways.paper.exchange import PaperExchange
from gateways.paper.front import Push
from gateways.paper.records import BookChanged, Happening, Traded
from gateways.standards import ZERO, Contract, Level

MS = 1_000_000
PERIODS_NS = {1: 10 * MS, 50: 20 * MS, 200: 100 * MS, 1000: 200 * MS}
"""The depths that there are, and the least time between two messages of each."""
UNCHANGED_NS = 3_000_000_000
CANDLES_NS = 1_000_000_000
FIRST_UPDATE = 100
"""Where ``u`` begins. It is not 1, which says of itself that the service was restarted."""

_BOOK = re.compile(r"orderbook\.(\d+)\.(\w+)", re.ASCII)
_OTHER = re.compile(r"(publicTrade|tickers|allLiquidation)\.(\w+)", re.ASCII)
_CANDLES = re.compile(r"kline\.(\w+)\.(\w+)", re.ASCII)


def is_topic(topic: str, contracts: Mapping[str, Contract]) -> bool:
    """Whether there is a public topic of that name."""
    book, candles, other = _BOOK.fullmatch(topic), _CANDLES.fullmatch(topic), _OTHER.fullmatch(topic)
    if book is not None:
        return int(book[1]) in PERIODS_NS and book[2] in contracts
    if candles is not None:
        return candles[1] in INTERVALS_MS and candles[2] in contracts
    return other is not None and other[2] in contracts


class BookFeed:
    """One book stream: what those who listen know of the book."""

    def __init__(self, topic: str, contract: Contract, depth: int) -> None:
        self.topic = topic
        self.contract = contract
        self.depth = depth
        self.changed = True
        self.sent_ns = 0
        self._update = FIRST_UPDATE
        self._seq = 0
        self._bids: tuple[Level, ...] = ()
        self._asks: tuple[Level, ...] = ()

    def snapshot(self, now_ns: int) -> Json:
        """All that is known of the book."""
        return self._message("snapshot", self._bids, self._asks, now_ns)

    def delta(self, exchange: PaperExchange, now_ns: int) -> Json | None:
        """What changed since the last call; None where nothing did."""
        self.changed = False
        book = exchange.book(self.contract.ticker, self.depth)
        bids, asks = _changes(self._bids, book.bids), _changes(self._asks, book.asks)
        self._bids, self._asks, self._seq = book.bids, book.asks, book.last_seq
        if not bids and not asks:
            return None
        self._update += 1
        self.sent_ns = now_ns
        return self._message("delta", bids, asks, now_ns)

    def _message(self, kind: str, bids: tuple[Level, ...], asks: tuple[Level, ...], now_ns: int) -> Json:
        now_ms = numbers.milliseconds(now_ns)
        return {
            "topic": self.topic,
            "type": kind,
            "ts": now_ms,
            "data": {
                "s": self.contract.ticker,
                "b": level_texts(self.contract, bids),
                "a": level_texts(self.contract, asks),
                "u": self._update,
                "seq": self._seq,
            },
            "cts": now_ms,
        }


class MarketStreams:
    """Writes the market as pushes to the topics that are listened to."""

    def __init__(
        self, exchange: PaperExchange, subscriptions: Subscriptions, tape: Tape, now_ns: Callable[[], int]
    ) -> None:
        self._exchange = exchange
        self._subscriptions = subscriptions
        self._tape = tape
        self._now_ns = now_ns
        self._books: dict[str, BookFeed] = {}
        self._tickers: dict[str, Json] = {}
        self._candles_ns = 0
        self._traded: set[str] = set()

    def subscribed(self, connection: int, topics: Sequence[str]) -> list[Push]:
        """What a connection is told at once of the topics that it now listens to."""
        pushes: list[Push] = []
        for topic in topics:
            book, ticker = _BOOK.fullmatch(topic), _OTHER.fullmatch(topic)
            if book is not None:
                pushes += self._book(connection, topic, self._exchange.contracts[book[2]], int(book[1]))
            elif ticker is not None and ticker[1] == "tickers":
                pushes += self._ticker(connection, topic, self._exchange.contracts[ticker[2]])
        return pushes

    def happened(self, happenings: Sequence[Happening]) -> list[Push]:
        """Trades at once; books as often as their streams go."""
        pushes = self._trades([each for each in happenings if isinstance(each, Traded)])
        changed = {each.ticker for each in happenings if isinstance(each, BookChanged)}
        for feed in self._books.values():
            feed.changed = feed.changed or feed.contract.ticker in changed
        return pushes + self._deltas()

    def tick(self) -> list[Push]:
        """Books, tickers and candles that are due."""
        now = self._now_ns()
        pushes = self._deltas()
        for topic, feed in self._books.items():
            if feed.depth == 1 and now - feed.sent_ns >= UNCHANGED_NS and self._subscriptions.has(topic):
                feed.sent_ns = now
                pushes += self._subscriptions.publish(topic, feed.snapshot(now))
        for topic, known in list(self._tickers.items()):
            pushes += self._ticker_delta(topic, known)
        if now - self._candles_ns >= CANDLES_NS:
            self._candles_ns = now
            pushes += self._candles()
        return pushes

    # ------------------------------------------------------------------ books

    def _book(self, connection: int, topic: str, contract: Contract, depth: int) -> list[Push]:
        feed = self._books.get(topic)
        if feed is None:
            feed = self._books[topic] = BookFeed(topic, contract, depth)
            feed.delta(self._exchange, self._now_ns())
        return self._to(connection, feed.snapshot(self._now_ns()))

    def _deltas(self) -> list[Push]:
        now = self._now_ns()
        pushes: list[Push] = []
        for topic, feed in list(self._books.items()):
            if not self._subscriptions.has(topic):
                del self._books[topic]
            elif feed.changed and now - feed.sent_ns >= PERIODS_NS[feed.depth]:
                delta = feed.delta(self._exchange, now)
                if delta is not None:
                    pushes += self._subscriptions.publish(topic, delta)
        return pushes

    # ---------------------------------------------------------------- tickers

    def _ticker(self, connection: int, topic: str, contract: Contract) -> list[Push]:
        known = self._tickers.get(topic)
        if known is None:
            known = self._tickers[topic] = self._ticker_now(contract)
        return self._to(connection, self._ticker_message(topic, "snapshot", known))

    def _ticker_delta(self, topic: str, known: Json) -> list[Push]:
        if not self._subscriptions.has(topic):
            del self._tickers[topic]
            return []
        now = self._ticker_now(self._exchange.contracts[str(known["symbol"])])
        changed = {name: value for name, value in now.items() if known[name] != value}
        if not changed:
            return []
        self._tickers[topic] = now
        delta = self._ticker_message(topic, "delta", {"symbol": now["symbol"], **changed})
        return self._subscriptions.publish(topic, delta)

    def _ticker_now(self, contract: Contract) -> Json:
        return ticker_record(contract, self._exchange, self._tape, numbers.milliseconds(self._now_ns()))

    def _ticker_message(self, topic: str, kind: str, fields: Json) -> Json:
        seq = self._exchange.book(str(fields["symbol"]), 1).last_seq
        return {"topic": topic, "type": kind, "data": fields, "cs": seq, "ts": numbers.milliseconds(self._now_ns())}

    # ------------------------------------------------------ trades and candles

    def _trades(self, trades: Sequence[Traded]) -> list[Push]:
        rows: dict[str, list[Json]] = {}
        for trade in trades:
            direction = self._tape.add(trade)
            self._traded.add(trade.ticker)
            if self._subscriptions.has(f"publicTrade.{trade.ticker}"):
                row = _trade(self._exchange.contracts[trade.ticker], trade, direction)
                rows.setdefault(trade.ticker, []).append(row)
        pushes: list[Push] = []
        now_ms = numbers.milliseconds(self._now_ns())
        for ticker, data in rows.items():
            topic = f"publicTrade.{ticker}"
            message = {"topic": topic, "type": "snapshot", "ts": now_ms, "data": data}
            pushes += self._subscriptions.publish(topic, message)
        return pushes

    def _candles(self) -> list[Push]:
        pushes: list[Push] = []
        now_ms = numbers.milliseconds(self._now_ns())
        for ticker in sorted(self._traded):
            for interval, span in INTERVALS_MS.items():
                topic = f"kline.{interval}.{ticker}"
                if not self._subscriptions.has(topic):
                    continue
                candle = self._tape.candles(ticker, interval)[-1]
                row = candle.row(self._exchange.contracts[ticker])
                names = ("start", "open", "high", "low", "close", "volume", "turnover")
                end = candle.start_ms + span - 1
                data = {**dict(zip(names, row, strict=True)), "start": candle.start_ms, "end": end}
                data |= {"interval": interval, "confirm": now_ms > end, "timestamp": now_ms}
                message = {"topic": topic, "type": "snapshot", "ts": now_ms, "data": [data]}
                pushes += self._subscriptions.publish(topic, message)
        self._traded.clear()
        return pushes

    def _to(self, connection: int, message: Json) -> list[Push]:
        return [Push(connection=connection, text=_encode(message))]


def _trade(contract: Contract, trade: Traded, direction: str) -> Json:
    return {
        "T": numbers.milliseconds(trade.ts_ns),
        "s": trade.ticker,
        "S": side_of(is_buy=not trade.buyer_is_maker),
        "v": numbers.quantity(contract, trade.quantity),
        "p": numbers.price(contract, trade.price),
        "L": direction,
        "i": numbers.trade_id(trade.trade_id),
        "BT": False,
        "RPI": False,
        "seq": trade.trade_id,
    }


def _changes(before: tuple[Level, ...], after: tuple[Level, ...]) -> tuple[Level, ...]:
    """The levels that are new or have another quantity, then those that are gone (quantity 0)."""
    known, now = dict(before), dict(after)
    changed = [level for level in after if known.get(level.price) != level.quantity]
    return (*changed, *(Level(price, ZERO) for price in known if price not in now))


def _encode(message: object) -> str:
    return msgspec.json.encode(message).decode()
