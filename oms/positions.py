"""The positions page: what the venues say we hold, and beside it, kept apart, what our fills say we should.

The venue's word is the position. The expectation is the position found at the start (the baseline) plus every fill
since; their difference, the drift, is an alarm and never an instruction: no hedge target comes from this page.

A stream tells what is new; an answer may be an old one, served from a copy that lags behind. So an answer is weighed:

==================================================  ============================================================
it says what is expected, or what is held           believed at once
it says neither                                     doubted, and nothing is changed; ask again soon
it says the same ``AGREE_NS`` later, no fill since  believed: two answers agree, and none of them is late
it is doubted for ``DOUBT_NS``                      believed, agreed or not: what is held is surely wrong
==================================================  ============================================================

What the stream said and the fills say, too, has two witnesses: against these no two answers are enough, but only time.
The first answer, the baseline, has nothing to be weighed against. Until a later one, or the stream, says what it made
us expect, two answers that agree on something else move the baseline, too.

No clock, no I/O: receive times come in as arguments.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import NamedTuple

import msgspec

from gateways.standards import ZERO, Contract, FillEvent, PositionUpdate
from oms.alignment import Alignment

PENDING_FILLS = 10_000
"""How many fills of a venue are held until its first snapshot; the oldest, surely in that snapshot, fall out."""
AGREE_NS = 5_000_000_000
"""How far apart two answers must be to bear each other out: longer than a venue's answers lag behind its stream."""
DOUBT_NS = 30_000_000_000
"""How long answers are doubted at most."""
SETTLE_NS = 10_000_000_000
"""How long after the first answer another one can bear out the baseline."""

Key = tuple[str, str]


class PositionDelta(msgspec.Struct, frozen=True):
    """A position changed; ``before`` is None where nothing was known of the contract."""

    before: PositionUpdate | None
    after: PositionUpdate

    @property
    def key(self) -> str:
        """What deltas are coalesced by."""
        return f"{self.after.venue}:{self.after.ticker}"

    @property
    def change(self) -> Decimal:
        """The growth of the signed amount, base units."""
        return self.after.amount - (self.before.amount if self.before else ZERO)


class BaselineMoved(msgspec.Struct, frozen=True):
    """The baseline was an old answer: two later ones agree on another. Signed expectations, base units."""

    venue: str
    ticker: str
    before: Decimal
    after: Decimal


class _Doubt(NamedTuple):
    """Answers that are not believed yet: what they say, what was expected then, and when they were asked for."""

    amount: Decimal
    expected: Decimal
    first_ns: int
    """The first of those that agree."""
    began_ns: int
    """The first of all."""


class _Position:
    """One contract: the venue's word by side (``net`` alone, or ``long`` and ``short``), and the expectation."""

    __slots__ = (
        "absent", "alignment", "baseline", "baseline_ns", "borne_out", "dated", "doubt", "filled", "net", "sides",
        "streamed", "ts_recv_ns",
    )  # fmt: skip

    def __init__(self) -> None:
        self.sides: dict[str, PositionUpdate] = {}
        self.net: PositionUpdate | None = None
        self.absent = False
        """Whether it is zero because an answer did not name it: then its time is that of an earlier word."""
        self.ts_recv_ns = 0
        self.baseline: Decimal | None = None
        self.baseline_ns = 0
        self.dated = False
        """Whether ``baseline_ns`` is the venue's own time of the position, so that it divides the venue's fills."""
        self.filled = ZERO
        self.borne_out = False
        """Whether the baseline is borne out: from then on a drift is a drift."""
        self.streamed = False
        """Whether the stream told the amount that is held, and not an answer."""
        self.doubt: _Doubt | None = None
        self.alignment: Alignment | None = None

    @property
    def expected(self) -> Decimal | None:
        """The baseline plus the fills since; None without a baseline."""
        return None if self.baseline is None else self.baseline + self.filled

    def settle(self, told_ns: int, *, answer: bool = False) -> PositionDelta | None:
        """Bring the net position in line with the sides, told at ``told_ns``; the change, if there is one."""
        before, self.net = self.net, _net(self.sides)
        if self.alignment is not None:
            (self.alignment.answered if answer else self.alignment.told)(self.net.amount, told_ns)
        if (before is None and self.net.amount == ZERO) or (before is not None and _same(before, self.net)):
            return None
        return PositionDelta(before, self.net)

    def start(self, asked_ns: int) -> None:
        """Make the position as it stands the baseline. ``asked_ns`` dates it where the venue did not."""
        self.baseline = self.net.amount if self.net else ZERO
        latest = 0 if self.absent else _latest(self.sides)
        self.baseline_ns, self.dated = latest or asked_ns, latest > 0
        self.filled = ZERO
        self.alignment = Alignment(self.baseline, asked_ns)

    def take(self, fill: FillEvent, ts_recv_ns: int, *, live: bool) -> None:
        """Add a fill that the baseline does not hold yet.

        A fill and the position that holds it carry one venue time. Where only our own time of asking dates the
        baseline it decides for replays of the past alone: live fills come after it whatever the clocks say.
        """
        undated = live and (not self.dated or fill.ts_venue_ns == 0)
        if undated or fill.ts_venue_ns > self.baseline_ns:
            self.filled += fill.amount
            if self.alignment is not None:
                self.alignment.filled(fill.amount, ts_recv_ns, fill.ts_venue_ns)

    def weigh(self, amount: Decimal, asked_ns: int) -> tuple[bool, bool]:
        """Whether to believe an answer, and whether to make it the baseline; see the table above."""
        expected = self.expected or ZERO
        held = self.net.amount if self.net else ZERO
        witnessed = self.streamed and held == expected
        self.borne_out |= witnessed
        if amount == expected or (self.borne_out and amount == held):
            self.doubt = None
            return True, False
        if self.doubt is None:
            self.doubt = _Doubt(amount, expected, asked_ns, asked_ns)
        elif (self.doubt.amount, self.doubt.expected) != (amount, expected):
            self.doubt = _Doubt(amount, expected, asked_ns, self.doubt.began_ns)
        agreed = asked_ns - self.doubt.first_ns >= AGREE_NS and not witnessed
        if agreed or asked_ns - self.doubt.began_ns >= DOUBT_NS:
            self.doubt = None
            return True, agreed and not self.borne_out
        return amount == held, False


class PositionsPage:
    """The positions of all venues by (venue, ticker). Amounts are signed base units."""

    def __init__(self) -> None:
        self._positions: dict[Key, _Position] = {}
        self._started_ns: dict[str, int] = {}
        self._borne_out: set[str] = set()
        """Venues whose baselines of contracts that nothing is known of yet are borne out: they are zero."""
        self._pending: dict[str, deque[FillEvent]] = {}
        self._now_ns = 0
        """The latest time of receipt, which dates what is told without one."""

    # ------------------------------------------------------- the venue's word

    def upsert(self, update: PositionUpdate, ts_recv_ns: int = 0) -> PositionDelta | None:
        """Take the venue's word; the change it makes, or None for a repetition or one older than what is known.

        ``ts_recv_ns`` is when it was read, UTC: a snapshot that was asked for earlier does not undo it.
        """
        position = self._position((update.venue, update.ticker))
        known = position.sides.get(update.side)
        if known is not None and 0 < update.ts_venue_ns < known.ts_venue_ns:
            return None
        position.sides[update.side] = update
        position.absent, position.streamed = False, True
        position.ts_recv_ns = max(position.ts_recv_ns, ts_recv_ns)
        return position.settle(self._time(ts_recv_ns))

    def snapshot(
        self, venue: str, updates: Iterable[PositionUpdate], asked_ns: int = 0, ts_recv_ns: int = 0
    ) -> list[PositionDelta | BaselineMoved]:
        """Take a *successful* answer with all positions of a venue; the changes it makes.

        A contract that is not in it is zero. What a stream said after ``asked_ns`` (UTC, when the question was sent;
        less a grace where the venue's answers lag behind its stream) stays, and so does what carries a later venue
        time than the answer. The venue's first snapshot sets the baseline of all its contracts; of later ones is
        believed what the table above says, and ``doubted`` names what is to be asked for again.
        """
        rows: dict[str, list[PositionUpdate]] = {}
        for update in updates:
            rows.setdefault(update.ticker, []).append(update)
        tickers = dict.fromkeys([*rows, *(ticker for alias, ticker in self._positions if alias == venue)])
        first = venue not in self._started_ns
        changes: list[PositionDelta | BaselineMoved] = []
        for ticker in tickers:
            position = self._position((venue, ticker))
            answer = rows.get(ticker, [])
            if not _supersedes(answer, position, asked_ns):
                continue
            amount = sum((row.amount for row in answer), ZERO)
            believed, rebased = (True, False) if first else position.weigh(amount, asked_ns)
            if not believed:
                continue
            zero = PositionUpdate(venue=venue, ticker=ticker, amount=ZERO, ts_venue_ns=_latest(position.sides))
            position.sides = {row.side: row for row in answer} or {zero.side: zero}
            position.absent = not answer
            position.streamed &= position.net is not None and position.net.amount == amount
            position.ts_recv_ns = max(position.ts_recv_ns, ts_recv_ns)
            delta = position.settle(self._time(ts_recv_ns or asked_ns), answer=True)
            if delta is not None:
                changes.append(delta)
            if rebased:
                changes.append(BaselineMoved(venue, ticker, position.expected or ZERO, amount))
                position.start(asked_ns)
        if first:
            self._start(venue, asked_ns)
        elif asked_ns >= self._started_ns[venue] + SETTLE_NS:
            self._bear_out(venue)
        return changes

    def doubted(self, venue: str) -> list[str]:
        """The contracts of a venue whose last answer is not believed yet: ask for the positions again soon."""
        return [ticker for (alias, ticker), position in self._positions.items() if alias == venue and position.doubt]

    def peek(self, venue: str, ticker: str) -> PositionUpdate | None:
        """What the venue last said of a contract, or None when it said nothing."""
        position = self._positions.get((venue, ticker))
        return position.net if position else None

    def get(self, venue: str, ticker: str) -> Decimal:
        """The signed amount held in a contract, zero where the venue said nothing."""
        position = self.peek(venue, ticker)
        return position.amount if position else ZERO

    def get_all(self, venue: str | None = None) -> list[PositionUpdate]:
        """The positions that are not zero, of one venue or all."""
        return [
            position.net
            for (alias, _ticker), position in self._positions.items()
            if position.net is not None and position.net.amount != ZERO and venue in {None, alias}
        ]

    def net_base(self, contracts: Mapping[str, Mapping[str, Contract]]) -> dict[str, Decimal]:
        """The net position of each base asset over all venues, signed; ``contracts`` by venue and ticker.

        A contract that is not among them stands under its own ticker, so that nothing held is hidden. A base asset
        whose positions cancel out is there with zero.
        """
        net: dict[str, Decimal] = {}
        for position in self.get_all():
            contract = contracts.get(position.venue, {}).get(position.ticker)
            base = contract.base if contract else position.ticker
            net[base] = net.get(base, ZERO) + position.amount
        return net

    # -------------------------------------------------------- the expectation

    def apply_fill(self, fill: FillEvent, ts_recv_ns: int = 0) -> None:
        """Count a fill of ours that was not known before. It moves the expectation, not the position.

        Fills that the baseline holds already (their venue time is not after it) are left out. Fills that come before
        the venue's first snapshot wait for it. ``ts_recv_ns`` is when it was read, UTC.
        """
        if fill.venue not in self._started_ns:
            self._pending.setdefault(fill.venue, deque(maxlen=PENDING_FILLS)).append(fill)
            return
        self._position((fill.venue, fill.ticker)).take(fill, self._time(ts_recv_ns), live=not fill.snapshot)

    def expected(self, venue: str, ticker: str) -> Decimal | None:
        """The baseline plus the fills since, or None before the venue's first snapshot."""
        position = self._positions.get((venue, ticker))
        if position is None:
            return ZERO if venue in self._started_ns else None
        return position.expected

    def drift(self, venue: str, ticker: str) -> Decimal | None:
        """The position less what is expected, or None before the venue's first snapshot.

        A fill and its position come by two messages: only a drift that stays, by ``differs_since``, is worth an alarm.
        """
        expected = self.expected(venue, ticker)
        return None if expected is None else self.get(venue, ticker) - expected

    def drifts(self) -> dict[Key, Decimal]:
        """Every drift that is not zero, by (venue, ticker)."""
        drifts = {key: self.drift(*key) for key in self._positions}
        return {key: drift for key, drift in drifts.items() if drift}

    def differs_since(self, venue: str, ticker: str, now_ns: int) -> int | None:
        """Since when (UTC) the position is what the fills do not say at any moment near; None where it agrees.

        See ``oms.alignment``: of messages that only come late, or apart, this time moves on as they come.
        """
        position = self._positions.get((venue, ticker))
        return None if position is None or position.alignment is None else position.alignment.since(now_ns)

    def accept(self, venue: str, ticker: str) -> None:
        """Make the position as it stands the new baseline: the operator knows where the drift came from."""
        if venue in self._started_ns:
            position = self._position((venue, ticker))
            position.start(self._started_ns[venue])
            position.borne_out, position.doubt = True, None

    def _start(self, venue: str, asked_ns: int) -> None:
        self._started_ns[venue] = asked_ns
        for (alias, _ticker), position in self._positions.items():
            if alias == venue:
                position.start(asked_ns)
        for fill in self._pending.pop(venue, ()):
            self._position((venue, fill.ticker)).take(fill, self._now_ns, live=False)

    def _bear_out(self, venue: str) -> None:
        """Take the baselines for true that an answer of well after the start does not contradict."""
        self._borne_out.add(venue)
        for (alias, _ticker), position in self._positions.items():
            if alias == venue and position.doubt is None:
                position.borne_out = True

    def _time(self, ts_recv_ns: int) -> int:
        self._now_ns = max(self._now_ns, ts_recv_ns)
        return ts_recv_ns or self._now_ns

    def _position(self, key: Key) -> _Position:
        position = self._positions.get(key)
        if position is None:
            position = self._positions[key] = _Position()
            if key[0] in self._started_ns:
                position.start(self._started_ns[key[0]])
                position.borne_out = key[0] in self._borne_out
        return position


def _supersedes(answer: list[PositionUpdate], position: _Position, asked_ns: int) -> bool:
    latest = _latest(position.sides)
    answered = max((row.ts_venue_ns for row in answer), default=0)
    if asked_ns and position.ts_recv_ns > asked_ns:
        return answered > latest
    return not 0 < answered < latest


def _latest(sides: Mapping[str, PositionUpdate]) -> int:
    return max((side.ts_venue_ns for side in sides.values()), default=0)


def _net(sides: Mapping[str, PositionUpdate]) -> PositionUpdate:
    held = [side for side in sides.values() if side.amount != ZERO]
    if len(held) > 1:
        profits = [side.unrealised for side in held if side.unrealised is not None]
        return PositionUpdate(
            venue=held[0].venue,
            ticker=held[0].ticker,
            amount=sum((side.amount for side in held), ZERO),
            unrealised=sum(profits, ZERO) if len(profits) == len(held) else None,
            ts_venue_ns=_latest(sides),
        )
    return held[0] if held else max(sides.values(), key=lambda side: side.ts_venue_ns)


def _same(one: PositionUpdate, other: PositionUpdate) -> bool:
    return (one.amount, one.entry_price, one.unrealised) == (other.amount, other.entry_price, other.unrealised)
