"""A demo desk to look at the screens: ``python -m tests.console.demo [theme] [--busy]``. Seeded, without an engine.

Its first frame is also what the text snapshots show.
"""

import random
import sys
import time
from decimal import Decimal

import msgspec

from console.app import HedgedeskApp
from console.link import (
    ClaimRow,
    DeltaRow,
    ExposureRow,
    FillRow,
    Frame,
    HandlerRow,
    LogLine,
    MoneyRow,
    Preview,
    Reply,
    TradeRow,
)
from tests.console.scripted import (
    CHILD,
    MAKER,
    OTHER,
    SECOND,
    ScriptedLink,
    book,
    desk_frame,
    header,
    hedge,
    ladder,
    order,
    position,
)

D = Decimal
FIRST, FIRST_HEDGE, SECOND_MAKER, SOL_MAKER = "e41b90a7" * 4, "0c77fe21" * 4, "a93d1562" * 4, "5be01d77" * 4
ON_BINANCE = "hedge binance:ETHUSDT market"


def first_frame(now: int) -> Frame:
    """A desk at work, with one of each thing that a pane can show; the same for the same ``now``."""
    frame = desk_frame(header=header(now_ns=now, waiting_notional=D("5712.89")))
    ages = {MAKER: 61, OTHER: 3_725, CHILD: 2}
    shifted = [
        msgspec.structs.replace(row, ts_created_ns=now - ages[row.cloid] * SECOND, ts_changed_ns=now - SECOND)
        for row in frame.orders
    ]
    shifted = [
        row
        if row.role != "hedge"
        else msgspec.structs.replace(
            row, claims=(ClaimRow(maker=MAKER, leg=0, quantity=row.amount, filled=row.filled),)
        )
        for row in shifted
    ]
    done = [
        order(
            cloid, venue=place, ticker=ticker, role=role, status=status, amount=D(amount), filled=D(filled),
            price=D(price) if price else None, average_price=D(average) if average else None, reason=reason,
            legs=legs, flags="post" if role == "maker" else "", terminal=True,
            ts_created_ns=now - ago * SECOND, ts_changed_ns=now - ago * SECOND // 2,
        )
        for cloid, ago, place, ticker, role, status, amount, filled, price, average, reason, legs in [
            (FIRST, 1_920, "hyperliquid", "ETH", "maker", "FILLED", "-0.5", "-0.5", "2433.9", "2433.9", "", ON_BINANCE),
            (FIRST_HEDGE, 1_890, "binance", "ETHUSDT", "hedge", "FILLED", "0.5", "0.5", "", "2433.41", "", ""),
            ("c18e6340" * 4, 1_500, "hyperliquid", "ETH", "maker", "EXPIRED", "-0.25", "0", "2434.6", "", "",
             ON_BINANCE),
            ("b7720e5d" * 4, 1_210, "hyperliquid", "ETH", "maker", "REJECTED", "-0.5", "0", "2431.2", "",
             "post-only would cross (-5022)", ON_BINANCE),
            (SECOND_MAKER, 940, "hyperliquid", "ETH", "maker", "CANCELLED", "-0.5", "-0.12", "2432.4", "2432.4", "",
             ON_BINANCE),
            ("6f0a2c93" * 4, 912, "binance", "ETHUSDT", "hedge", "FILLED", "0.12", "0.12", "", "2432.02", "", ""),
            (SOL_MAKER, 98, "binance", "SOLUSDT", "maker", "FILLED", "42.5", "42.5", "134.52", "134.52", "",
             "hedge hyperliquid:SOL market"),
            ("d2c4f816" * 4, 95, "hyperliquid", "SOL", "hedge", "REJECTED", "-42.5", "0", "", "",
             "insufficient margin", ""),
        ]
    ]  # fmt: skip
    return msgspec.structs.replace(
        frame,
        orders=[*done, *shifted],
        deltas=[
            DeltaRow(ts_ns=now - back * SECOND, cloid=cloid, venue=place, ticker=ticker, role=role, label=label,
                     before=before, after=after, last_fill=D(last), filled=D(filled), amount=D(amount),
                     price=D("2431.5"))
            for back, cloid, place, ticker, role, label, before, after, last, filled, amount in [
                (61, MAKER, "hyperliquid", "ETH", "maker", "new", "PENDING", "NEW", "0", "0", "-0.5"),
                (2, MAKER, "hyperliquid", "ETH", "maker", "fill", "NEW", "PARTIAL", "-0.1372", "-0.1372", "-0.5"),
                (2, CHILD, "binance", "ETHUSDT", "hedge", "sent", "", "PENDING", "0", "0", "0.137"),
                (1, CHILD, "binance", "ETHUSDT", "hedge", "new", "PENDING", "NEW", "0", "0", "0.137"),
            ]
        ],
        hedges=[*(hedge(f"{maker}/0", maker=maker, maker_status=status, maker_filled=D(f"-{filled}"),
                        maker_average=D(sold), target=D(filled), hedged=D(filled), waiting=D(0),
                        hedge_average=D(bought), basis_bps=D(basis), slippage_bps=D(slip), state="hedged",
                        ts_changed_ns=now - ago * SECOND)
                  for maker, status, filled, sold, bought, basis, slip, ago in [
                      (FIRST, "FILLED", "0.5", "2433.9", "2433.41", "2.01", "0.3", 1_890),
                      (SECOND_MAKER, "CANCELLED", "0.12", "2432.4", "2432.02", "1.56", "0.38", 912)]),
                hedge("h1", ts_changed_ns=now - 2 * SECOND, slippage_bps=D("0.42"), waits="under the lot of 0.001",
                      release="the next fill, or hand", ts_unhedged_ns=now - 9 * SECOND),
                hedge("h2", maker=SOL_MAKER, maker_venue="binance", maker_ticker="SOLUSDT", maker_status="FILLED",
                      maker_filled=D("42.5"), maker_average=D("134.52"), venue="hyperliquid",
                      ticker="SOL", target=D("-42.5"), hedged=D(0), waiting=D("-42.5"), hedge_average=None,
                      basis_bps=None, state="hold", ts_changed_ns=now - 95 * SECOND,
                      waits="hedge rejected: insufficient margin, 3 tries", release="resume it",
                      ts_unhedged_ns=now - 95 * SECOND)],
        books=[
            book(ts_waiting_ns=now - 9 * SECOND, smallest=D("0.009")),
            book("hyperliquid", "SOL", balance=D("-42.5"), notional=D("5712.4"), ts_waiting_ns=now - 95 * SECOND,
                 target=D("-42.5"), hedged=D(0), waits="hedge rejected: insufficient margin, 3 tries",
                 release="resume it", state="hold"),
        ],
        positions=[*(msgspec.structs.replace(row, mark_source="mark", ts_mark_ns=now - SECOND, realised=D("1.37"),
                                             fees=D("0.21"), funding=D("-0.04")) for row in frame.positions),
                   position("binance", "SOLUSDT", "42.5", base="SOL", ts_ns=now - 60 * SECOND, mark=D("134.4"),
                            entry_price=D("134.52"), unrealised=D("-5.1"), notional=D(5712), mark_source="mid",
                            ts_mark_ns=now - 60 * SECOND, realised=D(0), fees=D("1.14"), funding=D(0))],
        exposures=[
            *(msgspec.structs.replace(row, unrealised=D("-0.01"), realised=D("2.74"), fees=D("0.42"),
                                      funding=D("-0.08")) for row in frame.exposures),
            ExposureRow(key="SOL", base="SOL", long=D("42.5"), short=D(0), net=D("42.5"), notional=D(5712),
                        unrealised=D("-5.1"), realised=D(0), fees=D("1.14"), funding=D(0)),
        ],
        money=[*(msgspec.structs.replace(row, unrealised=D("-1.49"), ts_ns=now - 4 * SECOND) for row in frame.money),
               MoneyRow(key="h", venue="hyperliquid", asset="USDC", total=D("5230.41"), available=D("4102.87"),
                        unrealised=D("-0.01"), ts_ns=now - SECOND)],
        venues=[msgspec.structs.replace(row, ts_private_ns=now - SECOND, ts_public_ns=now) for row in frame.venues],
        handlers=[HandlerRow(key="console", name="console", lag=0, coalesced=0, failures=0)],
        ladders=[ladder(ts_ns=now)],
        trades=[
            TradeRow(ts_ns=now - back * SECOND, venue="hyperliquid", ticker="ETH", amount=D(amount), price=D(price),
                     trade_id=str(back))
            for back, amount, price in [(7, "-0.2", "2431.5"), (4, "0.37", "2431.6"), (2, "0.1372", "2431.5")]
        ],
        fills=[
            FillRow(key="f1", ts_ns=now - 2 * SECOND, venue="hyperliquid", ticker="ETH", cloid=MAKER, role="maker",
                    amount=D("-0.1372"), price=D("2431.5"), fee=D("-0.0033"), fee_asset="USDC", liquidity="maker",
                    trade_id="2", oid="77"),
        ],
        log=[LogLine(ts_ns=now - back * SECOND, kind=kind, severity=severity, venue=place, text=text)
             for back, kind, severity, place, text in [
            (62, "event", "info", "binance", "private stream connected"),
            (61, "command", "info", "", "sell 0.5 hyperliquid:ETH @ 2431.5 post hedge binance:ETHUSDT market"),
            (2, "sent", "info", "binance", "order.place ETHUSDT BUY MARKET 0.137 aa07b3e1"),
            (2, "answer", "info", "binance", "1.2 ms NEW aa07b3e1"),
            (1, "alert", "warning", "hyperliquid", "SOL hedge refused: insufficient margin, trying again in 400 ms"),
            (1, "alert", "error", "hyperliquid", "SOL on HOLD: -42.5 SOL not hedged; resume when there is margin"),
        ]],
    )  # fmt: skip


class DemoLink(ScriptedLink):
    """A desk whose makers fill and whose hedges follow, a little later."""

    def __init__(self, *, busy: bool = False) -> None:
        super().__init__()
        self.random = random.Random(7)  # noqa: S311  # a market to look at, not a secret
        self.per_frame = 1_000 if busy else 1
        self.frame_number = 0
        self.mid = D("2431.55")
        self.silent = False

    async def command(self, line: str) -> Reply:
        self.lines.append(line)
        now = time.time_ns()
        self.frames.append(Frame(log=[LogLine(ts_ns=now, kind="command", severity="info", venue="", text=line)]))
        if line == "panic":
            return Reply(ok=True, text="PANIC done: 2 makers cancelled, trading HEDGE-ONLY")
        if line == "verify":
            return Reply(ok=False, error="binance:ETHUSDT differs by 0.0002")
        return Reply(ok=True, text=f"taken: {line}")

    async def preview(self, line: str) -> Preview:
        preview = await super().preview(line)
        if not preview.ok or not line.startswith(("buy", "sell")):
            return preview
        return Preview(
            ok=True,
            sentence="sell 0.5 ETH on hyperliquid at 2431.5, post-only; each fill buys ETHUSDT on binance at market",
            notional=D("1215.75"),
            remainder="up to 0.0009 ETH may wait on binance",
            warnings=("would cross the spread by 0.1",) if "opponent" in line else (),
        )

    def take(self) -> Frame:
        if self.frames:
            return self.frames.pop(0)
        self.frame_number += 1
        now = time.time_ns()
        if self.silent:
            return None
        if self.frame_number == 1:
            return first_frame(now)
        return self._next(now)

    def _next(self, now: int) -> Frame:
        rng = self.random
        self.mid += D(rng.randint(-2, 2)) / 10
        filled = D(self.frame_number % 300) / 1000
        deltas = [
            DeltaRow(ts_ns=now, cloid="7f3a9c11" * 4, venue="hyperliquid", ticker="ETH", role="maker", label="fill",
                     before="NEW", after="PARTIAL", last_fill=D("-0.001"), filled=-filled,
                     amount=D("-0.5"), price=D("2431.5"))
            for _ in range(self.per_frame if self.frame_number % 7 == 0 or self.per_frame > 1 else 0)
        ]  # fmt: skip
        orders = [order("7f3a9c11" * 4, filled=-filled, status="PARTIAL", average_price=D("2431.5"),
                        ts_created_ns=now - 61 * 10**9)]  # fmt: skip
        if self.per_frame > 1:
            orders = [
                order(f"{rng.randrange(5_000):08x}" * 4, filled=D(rng.randrange(100)) / 1000, ts_created_ns=now)
                for _ in range(self.per_frame)
            ]
        return Frame(
            header=header(now_ns=now, deltas=self.frame_number, waiting_notional=D("5712.89")),
            orders=orders,
            deltas=deltas,
            hedges=[hedge("h1", target=filled, hedged=filled - filled % D("0.001"), waiting=filled % D("0.001"),
                          maker_filled=-filled, state="hedged")],
            ladders=[ladder(mid=str(self.mid), ts_ns=now, last_price=self.mid - D("0.05"))],
        )  # fmt: skip


if __name__ == "__main__":
    words = [word for word in sys.argv[1:] if not word.startswith("-")]
    HedgedeskApp(DemoLink(busy="--busy" in sys.argv), theme=(words or ["dark"])[0]).run()
