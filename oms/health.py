"""The health page: what is known of the ways to each venue, and how long things take on them.

A plain mirror of facts, told by the gateways (it is a `gateways.venue.Watcher`) and by the OMS; it decides nothing.
All durations are nanoseconds, all times UTC; no clock is read.
"""

from collections import deque

import msgspec

from gateways.venue import Channel, ChannelState, Watcher

SAMPLES = 512
"""How many of the last durations the quantiles are of."""
REASONS = 64
"""How many reasons of dropped messages are told apart on a venue; further ones count as ``OTHER_REASON``."""
OTHER_REASON = "other"


class Quantiles(msgspec.Struct, frozen=True):
    """Of the last `SAMPLES` durations, in nanoseconds, by nearest rank; None while there are none."""

    count: int = 0
    p50_ns: int | None = None
    p99_ns: int | None = None


class VenueHealth(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one venue at one moment."""

    venue: str
    public: bool = False
    private: bool = False
    trade: bool = False
    rest: bool = False
    ts_public_ns: int = 0
    """When the public stream last said anything, 0 for never."""
    ts_private_ns: int = 0
    reconnects: int = 0
    """Of all channels together."""
    round_trip: Quantiles = Quantiles()
    """Of requests that were answered and done."""
    hedge: Quantiles = Quantiles()
    """From a maker fill's receipt to its hedge order's leaving."""
    requests: int = 0
    failures: int = 0
    """Requests that were refused, or not answered."""
    dropped: int = 0
    dropped_by_reason: dict[str, int] = {}
    clock_offset_ns: int | None = None
    """The venue's clock less ours, None while not measured."""
    guarded_until_ns: int = 0
    """When a dead man's switch there acts if the desk falls silent now, 0 while none is armed."""
    note: str = ""
    """What the channels that are down say, or else the last thing that any said."""


class _Durations:
    """The last durations, and their quantiles."""

    __slots__ = ("_kept",)

    def __init__(self) -> None:
        self._kept: deque[int] = deque(maxlen=SAMPLES)

    def add(self, took_ns: int) -> None:
        self._kept.append(took_ns)

    def quantiles(self) -> Quantiles:
        ranked = sorted(self._kept)
        if not ranked:
            return Quantiles()
        return Quantiles(len(ranked), _at_rank(ranked, 50), _at_rank(ranked, 99))


def _at_rank(ranked: list[int], percent: int) -> int:
    return ranked[(len(ranked) * percent + 99) // 100 - 1]


class _Venue:
    """One venue's facts as they come in."""

    __slots__ = (
        "channels",
        "clock_offset_ns",
        "dropped",
        "failures",
        "guarded_until_ns",
        "hedge",
        "note",
        "requests",
        "round_trip",
        "ts_private_ns",
        "ts_public_ns",
    )

    def __init__(self) -> None:
        self.channels: dict[Channel, ChannelState] = {}
        self.round_trip = _Durations()
        self.hedge = _Durations()
        self.requests = 0
        self.failures = 0
        self.dropped: dict[str, int] = {}
        self.ts_public_ns = 0
        self.ts_private_ns = 0
        self.clock_offset_ns: int | None = None
        self.guarded_until_ns = 0
        self.note = ""


class HealthPage(Watcher):
    """The facts of all venues by alias."""

    def __init__(self) -> None:
        self._venues: dict[str, _Venue] = {}

    def channel_changed(self, venue: str, state: ChannelState) -> None:
        """Take a channel's new state."""
        facts = self._facts(venue)
        facts.channels[state.channel] = state
        if state.note:
            facts.note = state.note
        if state.channel in {Channel.PUBLIC, Channel.PRIVATE}:
            self.heard(venue, state.ts_last_ns, private=state.channel is Channel.PRIVATE)

    def request_done(self, venue: str, verb: str, *, sent: str, answer: str, took_ns: int, ok: bool) -> None:  # noqa: ARG002 the watcher's signature; the texts are for the command log
        """Count a request; the round trip of one that was done is a sample (a timeout's length says nothing)."""
        facts = self._facts(venue)
        facts.requests += 1
        if ok:
            facts.round_trip.add(took_ns)
        else:
            facts.failures += 1

    def message_dropped(self, venue: str, reason: str) -> None:
        """Count a message that was not understood."""
        dropped = self._facts(venue).dropped
        if reason not in dropped and len(dropped) >= REASONS:
            reason = OTHER_REASON
        dropped[reason] = dropped.get(reason, 0) + 1

    def hedge_sent(self, venue: str, took_ns: int) -> None:
        """Take the time from a fill's receipt to its hedge order's leaving for ``venue``."""
        self._facts(venue).hedge.add(took_ns)

    def heard(self, venue: str, ts_recv_ns: int, *, private: bool) -> None:
        """Note that a message came by the private or the public stream."""
        facts = self._facts(venue)
        if private:
            facts.ts_private_ns = max(facts.ts_private_ns, ts_recv_ns)
        else:
            facts.ts_public_ns = max(facts.ts_public_ns, ts_recv_ns)

    def clock_measured(self, venue: str, offset_ns: int) -> None:
        """Take the venue's clock less ours."""
        self._facts(venue).clock_offset_ns = offset_ns

    def clock_offset_ns(self, venue: str) -> int | None:
        """The venue's clock less ours; None while not measured."""
        facts = self._venues.get(venue)
        return None if facts is None else facts.clock_offset_ns

    def guarded(self, venue: str, until_ns: int) -> None:
        """Note until when the venue's dead man's switch is armed (UTC), 0 for not."""
        self._facts(venue).guarded_until_ns = until_ns

    @property
    def venues(self) -> tuple[str, ...]:
        """The aliases that anything is known of, in the order in which they became known."""
        return tuple(self._venues)

    def channel(self, venue: str, channel: Channel) -> ChannelState | None:
        """The last state of one channel, or None."""
        facts = self._venues.get(venue)
        return facts.channels.get(channel) if facts else None

    def connected(self, venue: str, channel: Channel) -> bool:
        """Whether a channel was up at its last change."""
        state = self.channel(venue, channel)
        return state is not None and state.connected

    def row(self, venue: str) -> VenueHealth:
        """All that is known of one venue now; of one never heard of, that nothing is up."""
        facts = self._venues.get(venue)
        if facts is None:
            return VenueHealth(venue=venue)
        down = [state.note for state in facts.channels.values() if not state.connected and state.note]
        return VenueHealth(
            venue=venue,
            public=self.connected(venue, Channel.PUBLIC),
            private=self.connected(venue, Channel.PRIVATE),
            trade=self.connected(venue, Channel.TRADE),
            rest=self.connected(venue, Channel.REST),
            ts_public_ns=facts.ts_public_ns,
            ts_private_ns=facts.ts_private_ns,
            reconnects=sum(state.reconnects for state in facts.channels.values()),
            round_trip=facts.round_trip.quantiles(),
            hedge=facts.hedge.quantiles(),
            requests=facts.requests,
            failures=facts.failures,
            dropped=sum(facts.dropped.values()),
            dropped_by_reason=dict(facts.dropped),
            clock_offset_ns=facts.clock_offset_ns,
            guarded_until_ns=facts.guarded_until_ns,
            note=" · ".join(down) or facts.note,
        )

    def _facts(self, venue: str) -> _Venue:
        facts = self._venues.get(venue)
        if facts is None:
            facts = self._venues[venue] = _Venue()
        return facts
