"""Binance USD-M's public market data by REST, over a paper exchange.

Sources: the venue's pages Order Book, Recent Trades List, Compressed Aggregate Trades List, Symbol Order Book Ticker,
Symbol Price Ticker, Mark Price.
"""

from collections import deque
from collections.abc import Callable, Sequence
from itertools import groupby

from gateways.paper.binance import numbers
from gateways.paper.binance.contract_info import exchange_info
from gateways.paper.binance.errors import BinanceError
from gateways.paper.binance.limits import RateLimits
from gateways.paper.binance.records import Json
from gateways.paper.binance.requests import Params
from gateways.paper.exchange import PaperExchange
from gateways.paper.records import Traded
from gateways.standards import Contract, Level

DEPTH_WEIGHTS = {5: 2, 10: 2, 20: 2, 50: 2, 100: 5, 500: 10, 1000: 20}
"""The depths that may be asked for, and the request weight of each."""
FUNDING_PERIOD_NS = 8 * 3_600 * 1_000_000_000
FUNDING_RATE = "0.00010000"
KEPT_AGGREGATES = 1_000


class AggregateTrade:
    """Trades of one taker at one price, told as one."""

    def __init__(self, aggregate_id: int, trades: Sequence[Traded]) -> None:
        self.aggregate_id = aggregate_id
        self.first = trades[0]
        self.last = trades[-1]
        self.time_ms = numbers.milliseconds(trades[-1].ts_ns)
        self.quantity = sum((trade.quantity for trade in trades[1:]), trades[0].quantity)

    def record(self, contract: Contract) -> Json:
        """The fields that REST and stream share."""
        quantity = numbers.quantity(contract, self.quantity)
        return {
            "a": self.aggregate_id,
            "p": numbers.price(contract, self.first.price),
            "q": quantity,
            "nq": quantity,
            "f": self.first.trade_id,
            "l": self.last.trade_id,
            "T": self.time_ms,
            "m": self.first.buyer_is_maker,
        }


class AggregateTrades:
    """The latest aggregate trades of each contract, numbered without gaps."""

    def __init__(self) -> None:
        self._kept: dict[str, deque[AggregateTrade]] = {}
        self._counts: dict[str, int] = {}

    def add(self, trades: Sequence[Traded]) -> list[AggregateTrade]:
        """Take in trades as they happened; return the aggregates that they make."""
        made = []
        for (ticker, _, _), run in groupby(trades, key=lambda trade: (trade.ticker, trade.price, trade.buyer_is_maker)):
            self._counts[ticker] = self._counts.get(ticker, 0) + 1
            aggregate = AggregateTrade(self._counts[ticker], list(run))
            self._kept.setdefault(ticker, deque(maxlen=KEPT_AGGREGATES)).append(aggregate)
            made.append(aggregate)
        return made

    def of(self, ticker: str) -> list[AggregateTrade]:
        """What is kept of one contract, oldest first."""
        return list(self._kept.get(ticker, ()))


class MarketData:
    """Answers the public requests. Every verb raises BinanceError; the account argument is empty and unused."""

    def __init__(self, exchange: PaperExchange, limits: RateLimits, now_ns: Callable[[], int]) -> None:
        self._exchange = exchange
        self._limits = limits
        self._now_ns = now_ns
        self.aggregates = AggregateTrades()

    def ping(self, params: Params, account: str) -> Json:
        """``GET /fapi/v1/ping``."""
        del params, account
        return {}

    def time(self, params: Params, account: str) -> Json:
        """``GET /fapi/v1/time``."""
        del params, account
        return {"serverTime": numbers.milliseconds(self._now_ns())}

    def info(self, params: Params, account: str) -> Json:
        """``GET /fapi/v1/exchangeInfo``."""
        del params, account
        return exchange_info(self._exchange, self._limits, self._now_ns())

    def depth(self, params: Params, account: str) -> Json:
        """``GET /fapi/v1/depth``; ``lastUpdateId`` is of the same count as ``U``, ``u`` and ``pu`` of the stream."""
        del account
        contract = params.contract(self._exchange.contracts)
        limit = params.integer("limit")
        limit = 500 if limit is None else limit
        if limit not in DEPTH_WEIGHTS:
            raise BinanceError(-4021, f"{limit} is not valid depth limit.")
        book = self._exchange.book(contract.ticker, limit)
        return {
            "lastUpdateId": book.last_seq,
            "E": numbers.milliseconds(self._now_ns()),
            "T": numbers.milliseconds(book.ts_ns),
            "bids": rows(contract, book.bids),
            "asks": rows(contract, book.asks),
        }

    def trades(self, params: Params, account: str) -> list[Json]:
        """``GET /fapi/v1/trades``."""
        del account
        contract = params.contract(self._exchange.contracts)
        return [
            {
                "id": trade.trade_id,
                "price": numbers.price(contract, trade.price),
                "qty": numbers.quantity(contract, trade.quantity),
                "quoteQty": numbers.plain(trade.price * trade.quantity),
                "time": numbers.milliseconds(trade.ts_ns),
                "isBuyerMaker": trade.buyer_is_maker,
                "isRPITrade": False,
            }
            for trade in self._exchange.trades(contract.ticker, params.limit(500, 1000))
        ]

    def aggregate_trades(self, params: Params, account: str) -> list[Json]:
        """``GET /fapi/v1/aggTrades``: of the last thousand."""
        del account
        contract = params.contract(self._exchange.contracts)
        limit = params.limit(500, 1000)
        first, start, end = params.integer("fromId"), params.integer("startTime"), params.integer("endTime")
        found = [
            aggregate.record(contract)
            for aggregate in self.aggregates.of(contract.ticker)
            if (first is None or aggregate.aggregate_id >= first)
            and (start is None or aggregate.time_ms >= start)
            and (end is None or aggregate.time_ms <= end)
        ]
        return found[-limit:] if first is None and start is None else found[:limit]

    def book_ticker(self, params: Params, account: str) -> Json | list[Json]:
        """``GET /fapi/v1/ticker/bookTicker``: of one contract, or of all that have both sides."""
        del account
        if "symbol" in params:
            found = self._best(params.contract(self._exchange.contracts))
            if found is None:
                raise BinanceError(-1112, "No orders on book for symbol.")
            return found
        each = (self._best(contract) for contract in self._exchange.contracts.values())
        return [found for found in each if found is not None]

    def price_ticker(self, params: Params, account: str) -> Json | list[Json]:
        """``GET /fapi/v1/ticker/price`` and V2: the price of the last trade, else the mark price."""
        del account
        if "symbol" in params:
            return self._last(params.contract(self._exchange.contracts))
        return [self._last(contract) for contract in self._exchange.contracts.values()]

    def premium_index(self, params: Params, account: str) -> Json | list[Json]:
        """``GET /fapi/v1/premiumIndex``: mark price; the funding rate is a constant, and no funding is ever paid."""
        del account
        if "symbol" in params:
            return self._premium(params.contract(self._exchange.contracts))
        return [self._premium(contract) for contract in self._exchange.contracts.values()]

    def _best(self, contract: Contract) -> Json | None:
        bid, ask = self._exchange.best(contract.ticker)
        if bid is None or ask is None:
            return None
        book = self._exchange.book(contract.ticker, 1)
        return {
            "symbol": contract.ticker,
            "bidPrice": numbers.price(contract, bid.price),
            "bidQty": numbers.quantity(contract, bid.quantity),
            "askPrice": numbers.price(contract, ask.price),
            "askQty": numbers.quantity(contract, ask.quantity),
            "lastUpdateId": book.last_seq,
            "time": numbers.milliseconds(book.ts_ns),
        }

    def _last(self, contract: Contract) -> Json:
        trades = self._exchange.trades(contract.ticker, 1)
        price = trades[-1].price if trades else self._exchange.mark(contract.ticker)
        time_ns = trades[-1].ts_ns if trades else self._now_ns()
        return {
            "symbol": contract.ticker,
            "price": numbers.price(contract, price),
            "time": numbers.milliseconds(time_ns),
        }

    def _premium(self, contract: Contract) -> Json:
        now = self._now_ns()
        mark = self._exchange.mark(contract.ticker)
        text = numbers.money(mark) if mark is not None else "0.00000000"
        return {
            "symbol": contract.ticker,
            "markPrice": text,
            "indexPrice": text,
            "estimatedSettlePrice": text,
            "lastFundingRate": FUNDING_RATE,
            "interestRate": FUNDING_RATE,
            "nextFundingTime": next_funding_ms(now),
            "time": numbers.milliseconds(now),
        }


def rows(contract: Contract, levels: Sequence[Level]) -> list[list[str]]:
    """Book levels as pairs of texts."""
    return [[numbers.price(contract, level.price), numbers.quantity(contract, level.quantity)] for level in levels]


def next_funding_ms(now_ns: int) -> int:
    """The next of 00:00, 08:00 and 16:00 UTC."""
    return numbers.milliseconds((now_ns // FUNDING_PERIOD_NS + 1) * FUNDING_PERIOD_NS)


def depth_weight(params: Params) -> int:
    """The request weight of a depth request; that of the default where the limit is not a valid one."""
    try:
        limit = params.integer("limit")
    except BinanceError:
        limit = None
    return DEPTH_WEIGHTS.get(500 if limit is None else limit, DEPTH_WEIGHTS[500])


def weight_without_symbol(alone: int, together: int) -> Callable[[Params], int]:
    """A request weight that is ``alone`` for one contract and ``together`` for all."""
    return lambda params: alone if "symbol" in params else together
