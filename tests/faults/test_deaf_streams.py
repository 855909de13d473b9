"""Private streams that are open and silent, on real sockets: found out, opened anew, and heard again."""

import pytest

from gateways.venue import Channel
from oms.deltas import RequestDelta
from oms.watchdog import SKEW_NS
from tests.faults.desk import VENUES, D, under_fault, until


@pytest.mark.parametrize("venue", VENUES)
async def test_a_deaf_private_stream_is_opened_anew_and_heard(venue):
    """Its socket answers pings and brings nothing: the snapshot hedges, the new connection brings the next fill."""
    (other,) = [each for each in VENUES if each != venue]
    async with under_fault(maker=venue, hedge=other, refresh=0.4, private_patience=0.4) as desk:
        verbs = []
        desk.oms.register(_note_verbs(verbs), kinds=(RequestDelta,), name="verbs", capacity=10_000)
        opened_ns = desk.oms.clock.now_ns()
        order = await desk.place()
        front = desk.server.venues[venue].faulty
        deaf = desk.deafen("maker")
        await until(lambda: desk.oms.clock.now_ns() > opened_ns + SKEW_NS)
        desk.fill(order, "0.03")
        await desk.hedged_in_full(5)
        assert desk.oms.health.connected(venue, Channel.PRIVATE), "hedged by the snapshot, the stream still open"
        await until(lambda: desk.alerted("open and silent", "error"), 5, desk.story)
        await until(lambda: front._private - deaf and not front._private & deaf, 5, "no new private connection")
        await until(lambda: desk.oms.health.connected(venue, Channel.PRIVATE), 5)
        if venue == "binance":
            assert [verb for verb in verbs if verb in {"end key", "listen key"}] == ["end key", "listen key"]
        heard_ns = desk.oms.health.row(venue).ts_private_ns
        desk.fill(order, "0.07")
        await until(lambda: desk.oms.health.row(venue).ts_private_ns > heard_ns)
        await desk.hedged_in_full(5)
        assert abs(desk.target) == D("0.1")
        assert len(desk.alerted("open and silent")) == 1
        await desk.proven()


def _note_verbs(verbs):
    async def note(delta):
        verbs.append(delta.verb)

    return note
