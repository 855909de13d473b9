"""What the operator must hear of: made from the engine's frames, kept in a history, rung for at a bounded rate. Pure.

A thing that goes on is told once, when it begins: a venue that is down, a book over its red threshold. A thing that is
said again within ``AGAIN_NS`` is counted on the line that said it first, and rings no more.
"""

from collections import deque
from collections.abc import Iterable
from enum import Enum

import msgspec

from console import fmt
from console.concern import Concern, concern
from console.link import BookRow, Frame
from console.panes.mirror import Mirror

KEPT = 500
AGAIN_NS = 30_000_000_000
RING_EVERY_NS = 2_000_000_000
"""At most one bell in this time, however much happens."""
FILLED_WITHIN_NS = 3_000_000_000
"""An execution older than this is no news: the desk was started, or learnt more of it."""
FLASH_NS = 6_000_000_000
"""For so long the terminal's title shows the last alert that rang."""


class Kind(str, Enum):
    """What happened, in the word that the history shows."""

    HEDGE = "hedge"
    RESIDUAL = "unhedged"
    DOWN = "down"
    REJECT = "reject"
    LIMIT = "limit"
    STATE = "state"
    NOTE = "note"


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the history. ``times``: how often it was said; ``ts_ns``: when for the first time."""

    number: int
    ts_ns: int
    kind: Kind
    severity: str
    """``warning`` or ``error``."""
    venue: str
    text: str
    times: int = 1

    @property
    def rings(self) -> bool:
        """Whether it is worth a bell: notes are not."""
        return self.severity == "error" or self.kind is not Kind.NOTE


class Alerts:
    """The history, and whether to ring now."""

    def __init__(self) -> None:
        self.history: deque[Alert] = deque(maxlen=KEPT)
        """Oldest first."""
        self.muted = False
        self.ring_on_fills = False
        """Whether our own executions ring too."""
        self._number = 0
        self._said: dict[tuple[Kind, str, str], tuple[int, int]] = {}
        self._down: set[str] = set()
        self._red: set[str] = set()
        self._rejected: set[str] = set()
        self._trading: str | None = None
        self._rang_ns = -RING_EVERY_NS

    def take(self, frame: Frame, mirror: Mirror) -> list[Alert]:
        """The new alerts of a frame that the mirror has merged already; those said again are only counted."""
        now_ns = mirror.now_ns
        found = [*self._of_log(frame), *self._of_orders(frame), *self._of_venues(frame), *self._of_books(mirror),
                 *self._of_state(mirror)]  # fmt: skip
        return [alert for each in found if (alert := self._tell(now_ns, *each)) is not None]

    def ring(self, alerts: Iterable[Alert], now_ns: int, *, filled: bool = False) -> bool:
        """Whether to sound the bell for these, or for an execution of ours, now; ``now_ns`` is monotonic."""
        if self.muted or now_ns - self._rang_ns < RING_EVERY_NS:
            return False
        if not (any(alert.rings for alert in alerts) or (filled and self.ring_on_fills)):
            return False
        self._rang_ns = now_ns
        return True

    def title(self, now_ns: int) -> str:
        """What the terminal's title says of the last bell while it is fresh, else nothing."""
        if self.muted or not self.history or now_ns - self._rang_ns >= FLASH_NS:
            return ""
        last = next((alert for alert in reversed(self.history) if alert.rings), None)
        return "" if last is None else f"! {last.kind.value}: {fmt.brief(last.text)}"

    # ------------------------------------------------------------ what each part of a frame tells

    def _of_log(self, frame: Frame) -> Iterable[tuple[Kind, str, str, str]]:
        for line in frame.log:
            if line.kind == "alert" and line.severity in {"warning", "error"}:
                yield _OF_EVENT.get(line.event, Kind.NOTE), line.severity, line.venue, line.text

    def _of_orders(self, frame: Frame) -> Iterable[tuple[Kind, str, str, str]]:
        for row in frame.orders:
            if row.status == "REJECTED" and row.role != "external" and row.key not in self._rejected:
                self._rejected.add(row.key)
                what = f"{row.role} {row.cloid[:6]} {abs(row.amount):f} {row.venue}:{row.ticker}"
                yield Kind.REJECT, "warning", row.venue, f"{what} was refused: {row.reason or 'no reason given'}"

    def _of_venues(self, frame: Frame) -> Iterable[tuple[Kind, str, str, str]]:
        for row in frame.venues:
            for _, way, up in row.channels:
                key = f"{row.venue} {way}"
                if up:
                    self._down.discard(key)
                elif key not in self._down:
                    self._down.add(key)
                    if row.reconnects or row.ts_private_ns or row.ts_public_ns:  # it was up before
                        yield Kind.DOWN, "warning", row.venue, f"{row.venue}: {way} is down: {row.note or 'no word'}"

    def _of_books(self, mirror: Mirror) -> Iterable[tuple[Kind, str, str, str]]:
        for row in mirror.books.values():
            if concern(row, mirror.now_ns, mirror.thresholds) is not Concern.RED:
                self._red.discard(row.key)
            elif row.key not in self._red:
                self._red.add(row.key)
                yield Kind.RESIDUAL if row.balance else Kind.HEDGE, "error", row.venue, _of_book(row)

    def _of_state(self, mirror: Mirror) -> Iterable[tuple[Kind, str, str, str]]:
        header = mirror.header
        if header is None:
            return
        before, self._trading = self._trading, header.trading
        if before is not None and header.trading not in {before, "ACTIVE"}:
            why = f": {header.because}" if header.because else ""
            yield Kind.STATE, "warning", "", f"the desk is {header.trading}{why}"

    def _tell(self, now_ns: int, kind: Kind, severity: str, venue: str, text: str) -> Alert | None:
        text = " ".join(text.split())
        key = kind, venue, text
        number, said_ns = self._said.get(key, (0, -AGAIN_NS))
        if now_ns - said_ns < AGAIN_NS and self.history and number >= self.history[0].number:
            self._said[key] = number, now_ns
            place = number - self.history[0].number
            told = self.history[place]
            self.history[place] = msgspec.structs.replace(told, times=told.times + 1)
            return None
        self._number += 1
        alert = Alert(number=self._number, ts_ns=now_ns, kind=kind, severity=severity, venue=venue, text=text)
        self.history.append(alert)
        self._said[key] = self._number, now_ns
        if len(self._said) > 2 * KEPT:
            self._said = {each: (at, when) for each, (at, when) in self._said.items() if now_ns - when < AGAIN_NS}
        return alert


_OF_EVENT = {
    "hold": Kind.HEDGE, "refused": Kind.HEDGE, "ghost": Kind.HEDGE, "overfill": Kind.HEDGE, "down": Kind.DOWN,
    "limit": Kind.LIMIT, "state": Kind.STATE, "panic": Kind.STATE,
}  # fmt: skip
"""The kinds of the engine's own alerts; any other is a note."""


def _of_book(row: BookRow) -> str:
    """What a book that is red says: how much is not hedged; where nothing is yet, that nothing would be."""
    where = f"{row.venue}:{row.ticker}"
    if not row.balance:
        return f"{where} sends no hedges: {row.blocked or row.waits or row.state}"
    worth = "" if row.notional is None else f", worth {fmt.money(abs(row.notional))}"
    return f"{where} {row.balance:f} is not hedged{worth}: {row.waits}"
