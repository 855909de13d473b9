"""OKX v5's public channels over a paper exchange.

``books`` begins with a snapshot and goes on with changes every 100 ms: ``prevSeqId`` is the ``seqId`` of the message
before it on the same subscription, and a message without changes comes when there were none for a minute. Its
``checksum`` is 0, as the venue has it since it gave the CRC32 up. ``books5`` and ``bbo-tbt`` are whole every time.

Sources: the venue's pages of the channels: Order book, Trades, Tickers, Mark price, Funding rate, Index tickers, Open
interest, Price limit, Instruments.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from itertools import groupby

from gateways.paper.exchange import PaperExchange
from gateways.paper.front import Push
from gateways.paper.okx import numbers
from gateways.paper.okx.contract_info import family_of
from gateways.paper.okx.market_data import BOOK_DEPTH, MarketData, rows, sides, trade_row
from gateways.paper.okx.requests import Json
from gateways.paper.okx.subscriptions import BY_CONTRACT, Subscription, Subscriptions
from gateways.paper.records import BookChanged, Happening, Traded
from gateways.standards import Contract, Level

SECOND_NS = 1_000_000_000
HEARTBEAT_NS = 60 * SECOND_NS
"""After how long without changes ``books`` says that there were none."""

_EVERY_NS = {
    "mark-price": SECOND_NS // 5,
    "price-limit": SECOND_NS,
    "index-tickers": SECOND_NS,
    "open-interest": 3 * SECOND_NS,
    "funding-rate": 60 * SECOND_NS,
}
"""How often what moves by itself is told, where it changed."""


class BookFeed:
    """One subscription to ``books``: gathers the changes of a book and tells them with the next tick."""

    def __init__(self, contract: Contract, *, last_seq: int, now_ns: int) -> None:
        self.contract = contract
        self._told_seq = last_seq
        self._last_seq = last_seq
        self._told_ns = now_ns
        self._bids: dict[Decimal, Decimal] = {}
        self._asks: dict[Decimal, Decimal] = {}

    def add(self, change: BookChanged) -> None:
        """Take in a change of the book, unless the snapshot has it already."""
        if change.last_seq > self._last_seq:
            self._last_seq = change.last_seq
            self._bids.update(change.bids)
            self._asks.update(change.asks)

    def due(self, now_ns: int) -> Json | None:
        """The row that is due now, if there is one."""
        if self._last_seq == self._told_seq and now_ns - self._told_ns < HEARTBEAT_NS:
            return None
        row: Json = {
            "asks": rows(self.contract, (Level(*item) for item in sorted(self._asks.items()))),
            "bids": rows(self.contract, (Level(*item) for item in sorted(self._bids.items(), reverse=True))),
            "ts": numbers.milliseconds(now_ns),
            "checksum": 0,
            "prevSeqId": self._told_seq,
            "seqId": self._last_seq,
        }
        self._told_seq, self._told_ns = self._last_seq, now_ns
        self._bids.clear()
        self._asks.clear()
        return row


class MarketStreams:
    """Writes what happens in the market as pushes to those who listen."""

    def __init__(
        self, exchange: PaperExchange, subscriptions: Subscriptions, market: MarketData, now_ns: Callable[[], int]
    ) -> None:
        self._exchange = exchange
        self._subscriptions = subscriptions
        self._market = market
        self._now_ns = now_ns
        self._feeds: dict[tuple[int, str], BookFeed] = {}
        self._best: dict[str, tuple[Level | None, Level | None]] = {}
        self._changed: set[str] = set()
        self._due_ns: dict[str, int] = {}
        self._told: dict[tuple[str, str], Json] = {}
        self._published: list[Json] = []

    def knows(self, wanted: Subscription) -> bool:
        """Whether what a subscription names is listed here."""
        if wanted.channel == "instruments":
            return "instType" in wanted.arg
        if wanted.channel == "index-tickers":
            families = {family_of(each) for each in self._exchange.contracts.values()}
            return wanted.arg.get("instId") in families
        return wanted.arg.get("instId") in self._exchange.contracts

    def subscribed(self, number: int, wanted: Subscription) -> list[Push]:
        """The first message of a channel that has one."""
        if wanted.channel == "instruments":
            return [self._subscriptions.tell(number, wanted, self._instruments(wanted))]
        if wanted.channel == "index-tickers":
            found = [each for each in self._exchange.contracts.values() if family_of(each) == wanted.arg.get("instId")]
            return [self._subscriptions.tell(number, wanted, [self._market.index(each)]) for each in found[:1]]
        contract = self._exchange.contracts[wanted.arg["instId"]]
        if wanted.channel == "books":
            return [self._snapshot(number, wanted, contract)]
        if wanted.channel == "bbo-tbt":
            self._best[contract.ticker] = self._exchange.best(contract.ticker)
        row = self._row(wanted.channel, contract)
        return [] if row is None else [self._subscriptions.tell(number, wanted, [row])]

    def happened(self, happenings: Sequence[Happening]) -> list[Push]:
        """Trades and best prices at once; the rest waits for ``tick``."""
        pushes: list[Push] = []
        trades = [each for each in happenings if isinstance(each, Traded)]
        if trades:
            pushes += self._traded(trades)
        for each in happenings:
            if isinstance(each, BookChanged):
                self._changed.add(each.ticker)
                for feed in self._feeds.values():
                    if feed.contract.ticker == each.ticker:
                        feed.add(each)
                pushes += self._best_changed(each)
        return pushes

    def tick(self) -> list[Push]:
        """Books, tickers and what moves by itself."""
        now = self._now_ns()
        pushes = self._books(now)
        for channel in ("books5", "tickers"):
            if self._subscriptions.has(channel):
                for ticker in sorted(self._changed):
                    row = self._row(channel, self._exchange.contracts[ticker])
                    if row is not None:
                        pushes += self._subscriptions.publish(channel, ticker, [row])
        self._changed.clear()
        for channel, every_ns in _EVERY_NS.items():
            if self._subscriptions.has(channel) and now >= self._due_ns.get(channel, 0):
                self._due_ns[channel] = now + every_ns
                pushes += self._moved(channel)
        return pushes + self._listing()

    # ------------------------------------------------------------------ parts

    def _snapshot(self, number: int, wanted: Subscription, contract: Contract) -> Push:
        book = self._exchange.book(contract.ticker, BOOK_DEPTH)
        self._feeds[number, wanted.key] = BookFeed(contract, last_seq=book.last_seq, now_ns=self._now_ns())
        row: Json = {
            **sides(contract, book),
            "ts": numbers.milliseconds(book.ts_ns),
            "checksum": 0,
            "prevSeqId": -1,
            "seqId": book.last_seq,
        }
        return self._subscriptions.tell(number, wanted, [row], action="snapshot")

    def _books(self, now_ns: int) -> list[Push]:
        pushes: list[Push] = []
        listening = {(number, wanted.key): wanted for number, wanted in self._subscriptions.listeners("books")}
        for key, feed in list(self._feeds.items()):
            wanted = listening.get(key)
            if wanted is None:
                del self._feeds[key]
                continue
            row = feed.due(now_ns)
            if row is not None:
                pushes.append(self._subscriptions.tell(key[0], wanted, [row], action="update"))
        return pushes

    def _row(self, channel: str, contract: Contract) -> Json | None:
        """What a channel says of a contract now; None where it tells only what happens."""
        match channel:
            case "books5" | "bbo-tbt":
                book = self._exchange.book(contract.ticker, 5 if channel == "books5" else 1)
                row: Json = {
                    **sides(contract, book),
                    "ts": numbers.milliseconds(self._now_ns()),
                    "seqId": book.last_seq,
                }
                return {**row, "instId": contract.ticker} if channel == "books5" else row
            case "tickers":
                return self._market.ticker(contract)
            case "mark-price":
                return self._market.mark(contract)
            case "funding-rate":
                return self._market.funding_rate(contract)
            case "open-interest":
                return self._market.open_interest(contract)
            case "price-limit":
                return self._market.limits(contract)
            case "index-tickers":
                return self._market.index(contract)
        return None

    def _moved(self, channel: str) -> list[Push]:
        pushes: list[Push] = []
        for contract in self._exchange.contracts.values():
            name = contract.ticker if channel in BY_CONTRACT else family_of(contract)
            row = self._row(channel, contract)
            if row is None or row.get("markPx") == "":
                continue
            lasting = {key: value for key, value in row.items() if key != "ts"}
            if self._told.get((channel, name)) != lasting:
                self._told[channel, name] = lasting
                pushes += self._subscriptions.publish(channel, name, [row])
        return pushes

    def _traded(self, trades: Sequence[Traded]) -> list[Push]:
        pushes: list[Push] = []
        self._changed.update(trade.ticker for trade in trades)
        for (ticker, _, _), run in groupby(trades, key=lambda trade: (trade.ticker, trade.price, trade.buyer_is_maker)):
            some, contract = list(run), self._exchange.contracts[ticker]
            if self._subscriptions.has("trades"):
                row = {**trade_row(contract, some), "count": str(len(some)), "seqId": some[-1].trade_id}
                pushes += self._subscriptions.publish("trades", ticker, [row])
            if self._subscriptions.has("trades-all"):
                for trade in some:
                    pushes += self._subscriptions.publish("trades-all", ticker, [trade_row(contract, [trade])])
        return pushes

    def _best_changed(self, change: BookChanged) -> list[Push]:
        ticker = change.ticker
        if not self._subscriptions.has("bbo-tbt"):
            return []
        best = self._exchange.best(ticker)
        if self._best.get(ticker) == best:
            return []
        self._best[ticker] = best
        row = self._row("bbo-tbt", self._exchange.contracts[ticker])
        return [] if row is None else self._subscriptions.publish("bbo-tbt", ticker, [row])

    def _instruments(self, wanted: Subscription) -> list[Json]:
        if wanted.arg.get("instType") != "SWAP":
            return []
        return [self._market.instrument(each) for each in self._exchange.contracts.values()]

    def _listing(self) -> list[Push]:
        """The contracts whose rules or state changed since they were last told of."""
        if not self._subscriptions.has("instruments"):
            self._published = []
            return []
        now = [self._market.instrument(each) for each in self._exchange.contracts.values()]
        changed = [row for row in now if self._published and row not in self._published]
        self._published = now
        if not changed:
            return []
        listeners = self._subscriptions.listeners("instruments")
        return [
            self._subscriptions.tell(number, wanted, changed)
            for number, wanted in listeners
            if wanted.arg.get("instType") == "SWAP"
        ]
