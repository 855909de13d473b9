"""A link whose engine is a script: tests give it frames and answers and read what the console sent."""

import asyncio
from decimal import Decimal

from console.language import GrammarError, parse
from console.link import (
    BookRow,
    ContractRow,
    ExposureRow,
    Frame,
    Header,
    HedgeRow,
    LadderRow,
    MoneyRow,
    OrderRow,
    PositionRow,
    Preview,
    Reply,
    VenueRow,
)

D = Decimal
NOW = 1_790_000_000_000_000_000
SECOND = 1_000_000_000


class ScriptedLink:
    """Records the lines sent, answers as told, and gives each queued frame once."""

    outlives = False

    def __init__(self, *frames: Frame) -> None:
        self.frames = list(frames)
        self.lines: list[str] = []
        self.taken = 0
        """How often a frame was asked for."""
        self.taken_before: list[int] = []
        """How often that had been when each of the lines came."""
        self.previews: list[str] = []
        self.watched: list[tuple[str, str]] = []
        self.stopped: list[bool] = []
        self.replies: dict[str, Reply] = {}
        self.preview_answers: dict[str, Preview] = {}
        self.stop_reply = Reply(ok=True, text="stopped")
        self.hold: asyncio.Event | None = None
        """When set, commands wait for it before they are answered."""

    async def command(self, line: str) -> Reply:
        self.lines.append(line)
        self.taken_before.append(self.taken)
        if self.hold is not None:
            await self.hold.wait()
        return self.replies.get(line, Reply(ok=True, text=f"done: {line}"))

    async def preview(self, line: str) -> Preview:
        self.previews.append(line)
        if line in self.preview_answers:
            return self.preview_answers[line]
        try:
            parse(line)
        except GrammarError as error:
            return Preview(ok=False, error=str(error), caret=error.caret)
        return Preview(ok=True, sentence=f"would do: {line}")

    def take(self) -> Frame | None:
        self.taken += 1
        return self.frames.pop(0) if self.frames else None

    def watch(self, venue: str, ticker: str) -> None:
        self.watched.append((venue, ticker))

    async def stop(self, *, two_phase: bool) -> Reply:
        self.stopped.append(two_phase)
        return self.stop_reply


class ManualClock:
    """A monotonic clock that moves when it is told to."""

    def __init__(self) -> None:
        self.ns = 10**15

    def __call__(self) -> int:
        return self.ns

    def advance(self, seconds: float) -> None:
        self.ns += int(seconds * SECOND)


def header(**changes) -> Header:
    fields = {
        "now_ns": NOW,
        "arming": "PAPER",
        "trading": "ACTIVE",
        "working": 2,
        "children": 1,
        "unknown": 0,
        "waiting_notional": D("2.41"),
        "deltas": 12,
        "coalesced": 0,
        "dropped": 0,
        "default_venue": "hyperliquid",
    }
    return Header(**{**fields, **changes})


def order(cloid: str, **changes) -> OrderRow:
    fields = {
        "key": cloid,
        "cloid": cloid,
        "venue": "hyperliquid",
        "ticker": "ETH",
        "role": "maker",
        "status": "NEW",
        "amount": D("-0.5"),
        "filled": D(0),
        "price": D("2431.5"),
        "average_price": None,
        "tif": "GTC",
        "flags": "post",
        "legs": "hedge binance:ETHUSDT market",
        "reason": "",
        "terminal": False,
        "ts_created_ns": NOW - 40 * SECOND,
        "ts_changed_ns": NOW - 2 * SECOND,
    }
    return OrderRow(**{**fields, **changes})


def hedge(key: str, **changes) -> HedgeRow:
    fields = {
        "key": key,
        "maker": "7f3a9c11" * 4,
        "maker_venue": "hyperliquid",
        "maker_ticker": "ETH",
        "maker_status": "PARTIAL",
        "maker_filled": D("-0.1372"),
        "maker_average": D("2431.5"),
        "venue": "binance",
        "ticker": "ETHUSDT",
        "ratio": D(-1),
        "policy": "market",
        "target": D("0.1372"),
        "hedged": D("0.137"),
        "in_flight": D(0),
        "unknown": D(0),
        "waiting": D("0.0002"),
        "netted": D(0),
        "hedge_average": D("2431.22"),
        "basis_bps": D("1.15"),
        "state": "waiting",
        "ts_changed_ns": NOW,
    }
    return HedgeRow(**{**fields, **changes})


def book(venue: str = "binance", ticker: str = "ETHUSDT", **changes) -> BookRow:
    fields = {
        "key": f"{venue}:{ticker}",
        "venue": venue,
        "ticker": ticker,
        "target": D("0.1372"),
        "hedged": D("0.137"),
        "in_flight": D(0),
        "unknown": D(0),
        "balance": D("0.0002"),
        "forfeited": D(0),
        "notional": D("0.49"),
        "waits": "under the lot of 0.001",
        "release": "the next fill, or hand",
        "state": "active",
        "ts_waiting_ns": NOW - 3 * SECOND,
    }
    return BookRow(**{**fields, **changes})


def position(venue: str, ticker: str, amount: str, **changes) -> PositionRow:
    fields = {
        "key": f"{venue}:{ticker}",
        "venue": venue,
        "ticker": ticker,
        "base": "ETH",
        "amount": D(amount),
        "entry_price": D("2431.5"),
        "mark": D("2431.6"),
        "notional": D(amount) * D("2431.6"),
        "unrealised": D(amount) * D("0.1"),
        "ts_ns": NOW,
    }
    return PositionRow(**{**fields, **changes})


def contract(venue: str, ticker: str, **changes) -> ContractRow:
    fields = {
        "key": f"{venue}:{ticker}",
        "venue": venue,
        "ticker": ticker,
        "base": "ETH",
        "quote": "USDT",
        "tick": D("0.1"),
        "lot": D("0.001"),
        "min_quantity": D("0.001"),
        "min_notional": D(10),
        "bid": D("2431.5"),
        "ask": D("2431.6"),
    }
    return ContractRow(**{**fields, **changes})


def venue(name: str, **changes) -> VenueRow:
    fields = {
        "key": name,
        "venue": name,
        "public": True,
        "private": True,
        "trade": True,
        "rest": True,
        "ts_private_ns": NOW - SECOND,
        "ts_public_ns": NOW,
        "reconnects": 0,
        "round_trip_p50_us": 840,
        "round_trip_p99_us": 2_400,
        "hedge_p50_us": 210,
        "hedge_p99_us": 1_900,
        "budget": "34/2400",
        "dropped": 0,
        "note": "",
    }
    return VenueRow(**{**fields, **changes})


def ladder(venue: str = "hyperliquid", ticker: str = "ETH", mid: str = "2431.55", **changes) -> LadderRow:
    middle, tick = D(mid), D("0.1")
    fields = {
        "key": f"{venue}:{ticker}",
        "venue": venue,
        "ticker": ticker,
        "tick": tick,
        "lot": D("0.0001"),
        "bids": tuple((middle - tick / 2 - tick * n, D(1) + D("0.37") * n) for n in range(20)),
        "asks": tuple((middle + tick / 2 + tick * n, D(2) + D("0.21") * n) for n in range(20)),
        "own": ((D("2432.0"), D("-0.5")),),
        "last_price": D("2431.5"),
        "last_amount": D("-0.2"),
        "ts_ns": NOW,
        "stale": False,
    }
    return LadderRow(**{**fields, **changes})


MAKER = "7f3a9c11" * 4
OTHER = "91c2d0aa" * 4
CHILD = "aa07b3e1" * 4


def desk_frame(**changes) -> Frame:
    """A desk at work: two makers, one hedge under way, something waiting, positions, two venues up."""
    fields = {
        "header": header(),
        "orders": [
            order(MAKER, filled=D("-0.1372"), status="PARTIAL", average_price=D("2431.5")),
            order(OTHER, venue="binance", ticker="ETHUSDT", amount=D("0.25"), price=D("2430.10"), legs=""),
            order(CHILD, venue="binance", ticker="ETHUSDT", role="hedge", amount=D("0.137"), price=None, legs=""),
        ],
        "hedges": [hedge("h1")],
        "books": [book()],
        "positions": [position("hyperliquid", "ETH", "-0.1372"), position("binance", "ETHUSDT", "0.137")],
        "exposures": [
            ExposureRow(
                key="ETH", base="ETH", long=D("0.137"), short=D("-0.1372"), net=D("-0.0002"), notional=D("-0.49")
            )
        ],
        "money": [MoneyRow(key="b", venue="binance", asset="USDT", total=D("10021.33"), available=D("9871.2"))],
        "ladders": [ladder()],
        "venues": [venue("binance"), venue("hyperliquid", budget="118/1200")],
        "contracts": [
            contract("binance", "ETHUSDT", tick=D("0.01")),
            contract("binance", "SOLUSDT", base="SOL", tick=D("0.01"), lot=D("0.01")),
            contract("hyperliquid", "ETH", lot=D("0.0001"), quote="USDC"),
            contract("hyperliquid", "SOL", base="SOL", lot=D("0.01"), quote="USDC"),
        ],
    }
    return Frame(**{**fields, **changes})
