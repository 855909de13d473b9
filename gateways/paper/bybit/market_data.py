"""Bybit v5's public market data by REST, over a paper exchange.

Sources: the pages Get Bybit Server Time, Get Instruments Info, Get Tickers, Get Orderbook, Get Recent Public Trading
History, Get Kline, Get Funding Rate History, Get Open Interest, Get Risk Limit.
"""

from collections.abc import Callable
from decimal import Decimal
from urllib.parse import quote, unquote

from gateways.paper.bybit import errors, numbers
from gateways.paper.bybit.candles import INTERVALS_MS, Tape
from gateways.paper.bybit.contract_info import instrument, risk_limit
from gateways.paper.bybit.records import Json, side_of
from gateways.paper.bybit.requests import Params
from gateways.paper.exchange import PaperExchange
from gateways.paper.records import Traded
from gateways.standards import ZERO, Contract, Level

FUNDING_PERIOD_MS = 8 * 3_600_000
FUNDING_RATE = "0.0001"
DEEPEST_BOOK = 1_000


def next_funding_ms(now_ms: int) -> int:
    """When funding is next exchanged: every eight hours of the clock. Here nothing ever is."""
    return (now_ms // FUNDING_PERIOD_MS + 1) * FUNDING_PERIOD_MS


def level_texts(contract: Contract, levels: tuple[Level, ...]) -> list[list[str]]:
    """Levels of a book as pairs of texts."""
    return [[numbers.price(contract, price), numbers.quantity(contract, quantity)] for price, quantity in levels]


def ticker_record(contract: Contract, exchange: PaperExchange, tape: Tape, now_ms: int) -> Json:
    """The ticker of one contract, every field of it; prices that are not there yet are empty."""
    bid, ask = exchange.best(contract.ticker)
    mark = exchange.mark(contract.ticker)
    day = tape.day(contract.ticker, now_ms)
    last = day.last or mark

    def price(value: Decimal | None) -> str:
        return "" if value is None else numbers.price(contract, value)

    def of(level: Level | None) -> tuple[str, str]:
        return ("", "0") if level is None else (price(level.price), numbers.quantity(contract, level.quantity))

    change = ZERO if not (day.first and day.last) else day.last / day.first - 1
    return {
        "symbol": contract.ticker,
        "tickDirection": tape.direction(contract.ticker),
        "price24hPcnt": f"{change:.6f}",
        "lastPrice": price(last),
        "prevPrice24h": price(day.first or last),
        "highPrice24h": price(day.high or last),
        "lowPrice24h": price(day.low or last),
        "prevPrice1h": price(tape.hour_ago(contract.ticker, now_ms) or last),
        "markPrice": price(mark),
        "indexPrice": price(mark),
        "openInterest": "0",
        "openInterestValue": "0.00",
        "turnover24h": f"{day.turnover:.4f}",
        "volume24h": numbers.quantity(contract, day.volume),
        "fundingIntervalHour": "8",
        "fundingCap": "0.00375",
        "nextFundingTime": str(next_funding_ms(now_ms)),
        "fundingRate": FUNDING_RATE,
        "bid1Price": of(bid)[0],
        "bid1Size": of(bid)[1],
        "ask1Price": of(ask)[0],
        "ask1Size": of(ask)[1],
    }


class MarketData:
    """Answers the public requests. Every verb raises BybitError; the account argument is empty and unused."""

    def __init__(self, exchange: PaperExchange, tape: Tape, now_ns: Callable[[], int]) -> None:
        self._exchange = exchange
        self._tape = tape
        self._now_ns = now_ns

    def time(self, params: Params, account: str) -> Json:
        """``GET /v5/market/time``."""
        del params, account
        now = self._now_ns()
        return {"timeSecond": str(now // 1_000_000_000), "timeNano": str(now)}

    def instruments(self, params: Params, account: str) -> Json:
        """``GET /v5/market/instruments-info``: in pages, by a cursor that names the first contract of the next."""
        del account
        category = params.text("category")
        if not params.is_linear():
            return {"category": category, "list": [], "nextPageCursor": ""}
        exchange = self._exchange
        chosen = [params.contract(exchange.contracts)] if "symbol" in params else list(exchange.contracts.values())
        chosen = [each for each in chosen if params.optional("baseCoin") in {None, each.base}]
        rows = [
            instrument(each, exchange.price_bands.get(each.ticker, ZERO), trading=exchange.trades_now(each.ticker))
            for each in chosen
        ]
        wanted = params.optional("status")
        rows = [row for row in rows if wanted in {None, row["status"]}]
        first = unquote(params.optional("cursor") or "").removeprefix("first=")
        if first:
            names = [row["symbol"] for row in rows]
            if first not in names:
                raise errors.bad_parameter("cursor invalid")
            rows = rows[names.index(first) :]
        limit = params.limit(500, 1000)
        cursor = quote(f"first={rows[limit]['symbol']}", safe="") if len(rows) > limit else ""
        return {"category": category, "list": rows[:limit], "nextPageCursor": cursor}

    def tickers(self, params: Params, account: str) -> Json:
        """``GET /v5/market/tickers``."""
        del account
        rows = [ticker_record(each, self._exchange, self._tape, self._now_ms) for each in self._contracts(params)]
        return {"category": params.text("category"), "list": rows}

    def book(self, params: Params, account: str) -> Json:
        """``GET /v5/market/orderbook``: 25 levels a side, or ``limit``, at most 1000."""
        del account
        contract = params.contract(self._exchange.contracts)
        book = self._exchange.book(contract.ticker, params.limit(25, DEEPEST_BOOK))
        return {
            "s": contract.ticker,
            "b": level_texts(contract, book.bids),
            "a": level_texts(contract, book.asks),
            "ts": self._now_ms,
            "u": book.last_seq,
            "seq": book.last_seq,
            "cts": self._now_ms,
        }

    def trades(self, params: Params, account: str) -> Json:
        """``GET /v5/market/recent-trade``: newest first."""
        del account
        contract = params.contract(self._exchange.contracts)
        found = self._exchange.trades(contract.ticker, params.limit(500, 1000))
        return {"category": "linear", "list": [_trade(contract, trade) for trade in reversed(found)]}

    def klines(self, params: Params, account: str) -> Json:
        """``GET /v5/market/kline`` and its kin: newest first; of what traded since the venue was started."""
        del account
        contract = params.contract(self._exchange.contracts)
        interval = params.text("interval")
        if interval not in INTERVALS_MS:
            raise errors.bad_parameter(f"interval invalid {interval}")
        start, end = params.integer("start"), params.integer("end")
        candles = [
            candle
            for candle in self._tape.candles(contract.ticker, interval)
            if (start is None or candle.start_ms >= start) and (end is None or candle.start_ms <= end)
        ]
        rows = [candle.row(contract) for candle in reversed(candles)]
        return {"category": "linear", "symbol": contract.ticker, "list": rows[: params.limit(200, 1000)]}

    def funding(self, params: Params, account: str) -> Json:
        """``GET /v5/market/funding/history``: newest first, as many of the last times as are asked for."""
        del account
        ticker = params.contract(self._exchange.contracts).ticker
        end = min(params.integer("endTime") or self._now_ms, self._now_ms)
        last = end // FUNDING_PERIOD_MS * FUNDING_PERIOD_MS
        times = (last - place * FUNDING_PERIOD_MS for place in range(params.limit(200, 200)))
        first = params.integer("startTime") or 0
        rows = [
            {"symbol": ticker, "fundingRate": FUNDING_RATE, "fundingRateTimestamp": str(time)}
            for time in times
            if time >= first
        ]
        return {"category": "linear", "list": rows}

    def open_interest(self, params: Params, account: str) -> Json:
        """``GET /v5/market/open-interest``: the paper exchange does not count it."""
        del account
        ticker = params.contract(self._exchange.contracts).ticker
        return {"category": "linear", "symbol": ticker, "list": [], "nextPageCursor": ""}

    def risk_limits(self, params: Params, account: str) -> Json:
        """``GET /v5/market/risk-limit``."""
        del account
        rows = [risk_limit(each) for each in self._contracts(params)]
        return {"category": params.text("category"), "list": rows, "nextPageCursor": ""}

    @property
    def _now_ms(self) -> int:
        return numbers.milliseconds(self._now_ns())

    def _contracts(self, params: Params) -> list[Contract]:
        if not params.is_linear():
            return []
        contracts = self._exchange.contracts
        return [params.contract(contracts)] if "symbol" in params else list(contracts.values())


def _trade(contract: Contract, trade: Traded) -> Json:
    return {
        "execId": numbers.trade_id(trade.trade_id),
        "symbol": contract.ticker,
        "price": numbers.price(contract, trade.price),
        "size": numbers.quantity(contract, trade.quantity),
        "side": side_of(is_buy=not trade.buyer_is_maker),
        "time": str(numbers.milliseconds(trade.ts_ns)),
        "isBlockTrade": False,
        "isRPITrade": False,
        "seq": str(trade.trade_id),
    }
