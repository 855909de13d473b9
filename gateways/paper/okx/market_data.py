"""OKX v5's public data over a paper exchange: by REST, and the rows that its channels share.

Prices are quote units, sizes contracts. Sources: the venue's pages Get ticker, Get order book, Get trades, Get
candlesticks, Get instruments, Get mark price, Get funding rate, Get open interest, Get limit price, Get system time.
"""

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal

from gateways.contracts import Contracts
from gateways.paper.exchange import PaperExchange
from gateways.paper.okx import errors, numbers
from gateways.paper.okx.contract_info import family_of, instrument
from gateways.paper.okx.orders import OrderDesk
from gateways.paper.okx.requests import Json, Params
from gateways.paper.records import BookChanged, Traded
from gateways.standards import ZERO, Contract, Level

BOOK_DEPTH = 400
FUNDING_PERIOD_NS = 8 * 3_600 * 1_000_000_000
FUNDING_RATE = "0.0001"

_TYPES = ("SPOT", "MARGIN", "SWAP", "FUTURES", "OPTION", "EVENTS")
_MINUTE_NS = 60 * 1_000_000_000
_BARS = {
    "1m": 1, "3m": 3, "5m": 5, "15m": 15, "30m": 30, "1H": 60, "2H": 120, "4H": 240, "6H": 360, "12H": 720,
    "1D": 1_440, "6Hutc": 360, "12Hutc": 720, "1Dutc": 1_440,
}  # fmt: skip


class MarketData:
    """Answers the public requests. Every verb raises OkxError; the account argument is empty and unused."""

    def __init__(self, exchange: PaperExchange, desk: OrderDesk, now_ns: Callable[[], int]) -> None:
        self._exchange = exchange
        self._desk = desk
        self._now_ns = now_ns

    @property
    def _contracts(self) -> Contracts:
        return self._exchange.contracts

    # ------------------------------------------------------------------ verbs

    def time(self, params: Params, account: str) -> list[Json]:
        """``public/time``."""
        del params, account
        return [{"ts": self._now()}]

    def status(self, params: Params, account: str) -> list[Json]:
        """``system/status``: no maintenance is planned."""
        del params, account
        return []

    def instruments(self, params: Params, account: str) -> list[Json]:
        """``public/instruments``: swaps are all that there is."""
        del account
        return [self.instrument(each) for each in self._listed(params)]

    def tickers(self, params: Params, account: str) -> list[Json]:
        """``market/tickers``."""
        del account
        return [self.ticker(each) for each in self._listed(params)]

    def one_ticker(self, params: Params, account: str) -> list[Json]:
        """``market/ticker``."""
        del account
        return [self.ticker(params.contract(self._contracts))]

    def index_tickers(self, params: Params, account: str) -> list[Json]:
        """``market/index-tickers``: the index is the mark."""
        del account
        wanted, quote = params.optional("instId"), params.optional("quoteCcy")
        return [
            self.index(each)
            for each in self._contracts.values()
            if wanted in {None, family_of(each)} and quote in {None, each.quote}
        ]

    def book(self, params: Params, account: str) -> list[Json]:
        """``market/books``: one level a side unless ``sz`` asks for more."""
        del account
        contract = params.contract(self._contracts)
        depth = params.integer("sz")
        depth = 1 if depth is None else depth
        if not 1 <= depth <= BOOK_DEPTH:
            raise errors.wrong("sz")
        book = self._exchange.book(contract.ticker, depth)
        return [{**sides(contract, book), "ts": numbers.milliseconds(book.ts_ns), "seqId": book.last_seq}]

    def trades(self, params: Params, account: str) -> list[Json]:
        """``market/trades``, ``market/history-trades``: newest first."""
        del account
        contract = params.contract(self._contracts)
        after = params.integer("after")
        found = self._exchange.trades(contract.ticker, 1_000)
        chosen = [trade for trade in reversed(found) if after is None or trade.trade_id < after]
        return [trade_row(contract, [each]) for each in chosen[: params.limit(500)]]

    def candles(self, params: Params, account: str) -> list[list[str]]:
        """``market/candles``, ``market/history-candles``: of the trades that are still known, newest first."""
        del account
        contract = params.contract(self._contracts)
        bar = params.choice("bar", tuple(_BARS), "1m")
        after, before = params.integer("after"), params.integer("before")
        period = _BARS[bar] * _MINUTE_NS
        rows = candles(contract, self._exchange.trades(contract.ticker, 1_000), period, self._now_ns())
        found = [
            row
            for row in reversed(rows)
            if (after is None or int(row[0]) < after) and (before is None or int(row[0]) > before)
        ]
        return found[: params.limit(300)]

    def marks(self, params: Params, account: str) -> list[Json]:
        """``public/mark-price``."""
        del account
        return [self.mark(each) for each in self._listed(params)]

    def funding(self, params: Params, account: str) -> list[Json]:
        """``public/funding-rate``: a constant, and no funding is ever paid."""
        del account
        if params.optional("instId") == "ANY":
            return [self.funding_rate(each) for each in self._contracts.values()]
        return [self.funding_rate(params.contract(self._contracts))]

    def funding_history(self, params: Params, account: str) -> list[Json]:
        """``public/funding-rate-history``: none was ever paid."""
        del account
        params.contract(self._contracts)
        return []

    def interest(self, params: Params, account: str) -> list[Json]:
        """``public/open-interest``: what the users hold."""
        del account
        return [self.open_interest(each) for each in self._listed(params)]

    def price_limit(self, params: Params, account: str) -> list[Json]:
        """``public/price-limit``."""
        del account
        return [self.limits(params.contract(self._contracts))]

    def tiers(self, params: Params, account: str) -> list[Json]:
        """``public/position-tiers``: one for each contract."""
        del account
        wanted = {name for name in (params.optional("instFamily") or params.optional("uly") or "").split(",") if name}
        return [
            {
                "baseMaxLoan": "",
                "imr": "0.01",
                "instFamily": family_of(each),
                "instId": each.ticker,
                "maxLever": "100",
                "maxSz": "100000000",
                "minSz": "0",
                "mmr": "0.004",
                "optMgnFactor": "0",
                "quoteMaxLoan": "",
                "tier": "1",
                "uly": family_of(each),
            }
            for each in self._contracts.values()
            if not wanted or family_of(each) in wanted
        ]

    # ------------------------------------------------------------------- rows

    def instrument(self, contract: Contract) -> Json:
        """One contract as it is published now."""
        return instrument(contract, trading=self._exchange.trades_now(contract.ticker))

    def ticker(self, contract: Contract) -> Json:
        """Best prices and the figures of the trades that are still known."""
        bid, ask = self._exchange.best(contract.ticker)
        trades = self._exchange.trades(contract.ticker, 1_000)
        mark = self._exchange.mark(contract.ticker)
        last = trades[-1].price if trades else mark
        prices = [trade.price for trade in trades] or [last or ZERO]
        volume = sum((trade.quantity for trade in trades), ZERO)
        first = numbers.plain(prices[0])
        return {
            "instType": "SWAP",
            "instId": contract.ticker,
            "last": numbers.optional(last),
            "lastSz": numbers.size(contract, trades[-1].quantity) if trades else "0",
            **_best("ask", contract, ask),
            **_best("bid", contract, bid),
            "open24h": first,
            "high24h": numbers.plain(max(prices)),
            "low24h": numbers.plain(min(prices)),
            "volCcy24h": numbers.plain(volume),
            "vol24h": numbers.size(contract, volume),
            "sodUtc0": first,
            "sodUtc8": first,
            "ts": self._now(),
        }

    def index(self, contract: Contract) -> Json:
        """The index of a contract."""
        price = numbers.optional(self._exchange.mark(contract.ticker))
        names = ("idxPx", "high24h", "low24h", "open24h", "sodUtc0", "sodUtc8")
        return {"instId": family_of(contract), **dict.fromkeys(names, price), "ts": self._now()}

    def mark(self, contract: Contract) -> Json:
        """The mark price."""
        price = self._exchange.mark(contract.ticker)
        return {
            "instType": "SWAP",
            "instId": contract.ticker,
            "markPx": numbers.optional(price),
            "ts": self._now(),
        }

    def funding_rate(self, contract: Contract) -> Json:
        """The funding rate; the next of 00:00, 08:00 and 16:00 UTC is when it would be paid."""
        due_ns = (self._now_ns() // FUNDING_PERIOD_NS + 1) * FUNDING_PERIOD_NS
        return {
            "formulaType": "withRate",
            "fundingRate": FUNDING_RATE,
            "fundingTime": numbers.milliseconds(due_ns),
            "impactValue": "20000",
            "instId": contract.ticker,
            "instType": "SWAP",
            "interestRate": FUNDING_RATE,
            "maxFundingRate": "0.00375",
            "method": "current_period",
            "minFundingRate": "-0.00375",
            "nextFundingRate": "",
            "nextFundingTime": numbers.milliseconds(due_ns + FUNDING_PERIOD_NS),
            "premium": "0",
            "prevFundingTime": numbers.milliseconds(due_ns - FUNDING_PERIOD_NS),
            "settFundingRate": "0",
            "settState": "settled",
            "ts": self._now(),
        }

    def open_interest(self, contract: Contract) -> Json:
        """What the users hold together, longs and shorts."""
        held = sum((abs(self._exchange.position(each, contract.ticker).amount) for each in self._exchange.users), ZERO)
        return {
            "instId": contract.ticker,
            "instType": "SWAP",
            "oi": numbers.size(contract, held),
            "oiCcy": numbers.plain(held),
            "oiUsd": numbers.plain(held * (self._exchange.mark(contract.ticker) or ZERO)),
            "ts": self._now(),
        }

    def limits(self, contract: Contract) -> Json:
        """The highest price to buy at and the lowest to sell at."""
        highest, lowest = self._desk.price_limits(contract)
        return {
            "instType": "SWAP",
            "instId": contract.ticker,
            "buyLmt": numbers.optional(highest),
            "sellLmt": numbers.optional(lowest),
            "ts": self._now(),
            "enabled": highest is not None,
        }

    # ------------------------------------------------------------------ parts

    def _listed(self, params: Params) -> Iterable[Contract]:
        # Mandatory by the documentation; where a contract is named, the venue does without.
        if params.choice("instType", _TYPES, "SWAP" if "instId" in params else None) != "SWAP":
            return []
        family = params.optional("instFamily") or params.optional("uly")
        found = [params.contract(self._contracts)] if "instId" in params else self._contracts.values()
        return [each for each in found if family in {None, family_of(each)}]

    def _now(self) -> str:
        return numbers.milliseconds(self._now_ns())


def _best(side: str, contract: Contract, level: Level | None) -> Json:
    if level is None:
        return {f"{side}Px": "", f"{side}Sz": ""}
    return {f"{side}Px": numbers.plain(level.price), f"{side}Sz": numbers.size(contract, level.quantity)}


def sides(contract: Contract, book: BookChanged) -> Json:
    """Asks and bids as rows of price, size, a field without a meaning any more, and the number of orders."""
    return {"asks": rows(contract, book.asks), "bids": rows(contract, book.bids)}


def rows(contract: Contract, levels: Iterable[Level]) -> list[list[str]]:
    """Levels of one side; the number of orders is 0 for a level that is gone, else 1."""
    return [
        [numbers.plain(price), numbers.size(contract, quantity), "0", "1" if quantity else numbers.NO_ORDERS]
        for price, quantity in levels
    ]


def trade_row(contract: Contract, trades: Sequence[Traded]) -> Json:
    """Trades of one taker at one price as one row, without the ``count`` that only the channel has."""
    last = trades[-1]
    quantity = sum((trade.quantity for trade in trades), ZERO)
    return {
        "instId": contract.ticker,
        "side": "sell" if last.buyer_is_maker else "buy",
        "sz": numbers.size(contract, quantity),
        "px": numbers.plain(last.price),
        "source": "0",
        "tradeId": str(last.trade_id),
        "ts": numbers.milliseconds(last.ts_ns),
    }


def candles(contract: Contract, trades: Sequence[Traded], period_ns: int, now_ns: int) -> list[list[str]]:
    """Candles, oldest first: time, open, high, low, close, volume (contracts, base, quote), whether it is complete."""
    grouped: dict[int, list[Traded]] = {}
    for trade in trades:
        grouped.setdefault(trade.ts_ns // period_ns, []).append(trade)
    made = []
    for period, some in grouped.items():
        prices: list[Decimal] = [trade.price for trade in some]
        volume = sum((trade.quantity for trade in some), ZERO)
        value = sum((trade.quantity * trade.price for trade in some), ZERO)
        made.append(
            [
                numbers.milliseconds(period * period_ns),
                *(numbers.plain(each) for each in (prices[0], max(prices), min(prices), prices[-1])),
                numbers.size(contract, volume),
                numbers.plain(volume),
                numbers.plain(value),
                "1" if (period + 1) * period_ns <= now_ns else "0",
            ]
        )
    return made
