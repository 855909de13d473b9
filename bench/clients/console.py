"""The console under load, in a terminal: thousands of order updates a second into the same mailbox as an engine's.

At the end (a byte on standard input is a key, so the end is a time) it writes what the screen's side had at last.
"""

import argparse
import gc
import random
import sys
import threading
import time
from decimal import Decimal
from pathlib import Path

import msgspec

from console.app import HedgedeskApp
from console.link import ContractRow, DeltaRow, Frame, Header, OrderRow, Preview, Reply, VenueRow
from console.mailbox import Mailbox

SLICE_S = 0.01
"""How often updates are made; frames are put as often as the engine's publisher does."""
PUBLISH_S = 0.1
VENUES = ("binance", "hyperliquid")


class Load:
    """Makes the updates, on a thread of its own, and puts them as frames into a mailbox."""

    def __init__(self, mailbox: Mailbox, *, orders: int, rate: int) -> None:
        self.last: dict[str, OrderRow] = {}
        """The newest row of each order."""
        self.made = 0
        self.cpu_s = 0.0
        """What making them cost: it is not the console's."""
        self._mailbox = mailbox
        self._rate = rate
        self._random = random.Random(7)
        self._ending = threading.Event()
        now = time.time_ns()
        for number in range(orders):
            key = f"{number:08x}" * 4
            self.last[key] = OrderRow(
                key=key, cloid=key, venue=VENUES[number % 2], ticker=("ETHUSDT", "ETH")[number % 2], role="maker",
                status="NEW", amount=Decimal("-0.5"), filled=Decimal(0), price=Decimal(2431) + number % 50,
                average_price=None, tif="GTC", flags="post", legs="hedge binance:ETHUSDT market", reason="",
                terminal=False, ts_created_ns=now, ts_changed_ns=now,
            )  # fmt: skip
        self._keys = list(self.last)
        self._thread = threading.Thread(target=self._run, name="load", daemon=True)

    def start(self) -> None:
        """Put the first frame, then go on."""
        rules = [
            ContractRow(key=f"{venue}:{ticker}", venue=venue, ticker=ticker, base="ETH", quote="USDT",
                        tick=Decimal("0.1"), lot=Decimal("0.0001"), min_quantity=Decimal("0.0001"),
                        min_notional=Decimal(10), bid=Decimal(2431), ask=Decimal("2431.1"))
            for venue, ticker in zip(VENUES, ("ETHUSDT", "ETH"), strict=True)
        ]  # fmt: skip
        lights = [
            VenueRow(key=venue, venue=venue, public=True, private=True, trade=True, rest=True, ts_private_ns=1,
                     ts_public_ns=1, reconnects=0, round_trip_p50_us=800, round_trip_p99_us=2_000, hedge_p50_us=200,
                     hedge_p99_us=900, budget="3%", dropped=0, note="")
            for venue in VENUES
        ]  # fmt: skip
        self._mailbox.put(Frame(header=self._header(), orders=list(self.last.values()), contracts=rules, venues=lights))
        self._thread.start()

    def stop(self) -> None:
        """End, with all that was made put."""
        self._ending.set()
        self._thread.join()

    def _header(self) -> Header:
        return Header(now_ns=time.time_ns(), arming="PAPER", trading="ACTIVE", working=len(self.last), children=0,
                      unknown=0, waiting_notional=Decimal(0), deltas=self.made, coalesced=0, dropped=0)  # fmt: skip

    def _run(self) -> None:
        frame, put_at, started = Frame(), 0.0, time.monotonic()
        while not self._ending.wait(SLICE_S):
            due = int((time.monotonic() - started) * self._rate)
            for _ in range(due - self.made):
                self._update(frame)
            self.made = due
            if time.monotonic() >= put_at:
                put_at = time.monotonic() + PUBLISH_S
                frame.header = self._header()
                self._mailbox.put(frame)
                frame = Frame()
            self.cpu_s = time.thread_time()
        frame.header = self._header()
        self._mailbox.put(frame)

    def _update(self, frame: Frame) -> None:
        before = self.last[self._random.choice(self._keys)]
        filled = before.filled - Decimal("0.0001")
        after = msgspec.structs.replace(before, filled=filled, status="PARTIAL", ts_changed_ns=time.time_ns())
        self.last[after.key] = after
        frame.orders.append(after)
        frame.deltas.append(
            DeltaRow(ts_ns=after.ts_changed_ns, cloid=after.cloid, venue=after.venue, ticker=after.ticker,
                     role="maker", label="TRADE", before=before.status, after=after.status,
                     last_fill=Decimal("-0.0001"), filled=filled, amount=after.amount, price=after.price)
        )  # fmt: skip


class LoadedLink:
    """A link whose engine is the load; it answers every command."""

    outlives = False

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    async def command(self, line: str) -> Reply:
        """Done."""
        return Reply(ok=True, text=f"done: {line}")

    async def preview(self, line: str) -> Preview:
        """Fine."""
        return Preview(ok=True, sentence=line)

    def take(self) -> Frame | None:
        """What was put since the last call."""
        return self._mailbox.take()

    def watch(self, venue: str, ticker: str) -> None:
        """Nothing to watch."""

    async def stop(self, *, two_phase: bool) -> Reply:  # noqa: ARG002 - the link's form
        """Stopped."""
        return Reply(ok=True, text="stopped")


def main() -> int:
    """Run for so many seconds, write the report, end."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--orders", type=int, required=True)
    parser.add_argument("--rate", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--report", type=Path, required=True)
    asked = parser.parse_args()
    mailbox = Mailbox()
    load = Load(mailbox, orders=asked.orders, rate=asked.rate)
    app = HedgedeskApp(LoadedLink(mailbox))

    def over() -> None:
        load.stop()
        app.set_timer(0.5, report)

    def report() -> None:
        shown = app.mirror.orders
        lost = sum(shown.get(key) != row for key, row in load.last.items())
        own = app.mirror.frame_times.figures()
        figures = {
            "made": load.made, "lost": lost, "load_cpu_s": load.cpu_s, "cpu_s": time.process_time(),
            "frame_p99_us": own.p99_us, "late_us": own.late_us,
        }  # fmt: skip
        asked.report.write_bytes(msgspec.json.encode(figures))
        app.exit(0)

    app.call_later(lambda: app.set_timer(asked.seconds, over))
    load.start()
    gc.collect()
    gc.freeze()  # as the console does once its engine has started
    app.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
