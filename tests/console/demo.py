"""A demo desk to look at the screens: ``python -m tests.console.demo [theme] [--busy]``. Seeded, without an engine."""

import random
import sys
import time
from decimal import Decimal

import msgspec

from console.app import HedgedeskApp
from console.link import DeltaRow, Frame, LogLine, Preview, Reply
from tests.console.scripted import ScriptedLink, book, desk_frame, header, hedge, ladder, order, position

D = Decimal


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
            return self._first(now)
        return self._next(now)

    def _first(self, now: int) -> Frame:
        frame = desk_frame(header=header(now_ns=now))
        shifted = [msgspec.structs.replace(row, ts_created_ns=now - 61 * 10**9) for row in frame.orders]
        done = [
            order(f"{n:08x}" * 4, terminal=True, status=status, ts_created_ns=now - n * 10**9, reason=reason)
            for n, (status, reason) in enumerate(
                [("FILLED", ""), ("CANCELLED", ""), ("REJECTED", "post-only would cross (-5022)"), ("EXPIRED", "")], 70
            )
        ]
        return msgspec.structs.replace(
            frame,
            orders=[*done, *shifted],
            books=[
                book(ts_waiting_ns=now - 9 * 10**9),
                book("hyperliquid", "SOL", balance=D("-42.5"), notional=D("5712.4"), ts_waiting_ns=now - 95 * 10**9,
                     waits="hedge rejected: insufficient margin, 3 tries", release="resume it", state="hold"),
            ],
            positions=[*frame.positions, position("binance", "SOLUSDT", "12.5", base="SOL")],
            venues=[msgspec.structs.replace(row, ts_private_ns=now, ts_public_ns=now) for row in frame.venues],
            log=[LogLine(ts_ns=now, kind=kind, severity=severity, venue="binance", text=text)
                 for kind, severity, text in [
                ("event", "info", "private stream connected"),
                ("sent", "info", "order.place ETHUSDT BUY MARKET 0.137 aa07b3e1"),
                ("answer", "info", "FILLED 0.137 at 2431.22"),
                ("alert", "warning", "hyperliquid:SOL hedge refused: insufficient margin, trying again in 400 ms"),
                ("alert", "error", "hyperliquid:SOL on HOLD: -42.5 SOL not hedged; resume when there is margin"),
            ]],
        )  # fmt: skip

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
