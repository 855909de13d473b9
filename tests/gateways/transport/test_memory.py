"""The network in memory: order, delays, and what each error proves, by the product's own Stream and Rest."""

import asyncio
from random import Random

import pytest

from gateways.errors import Unavailable, Unknown
from gateways.standards import WireRequest
from gateways.transport.memory import MemoryNetwork, uniform_delay
from gateways.transport.rest import Rest
from gateways.transport.stream import Stream
from gateways.transport.virtual import VirtualLoop
from gateways.venue import Channel

HOST = "127.0.0.1:1"
MS = 1_000_000


class Echo:
    """Sends back what comes, keeps what it saw, and fails as told."""

    def __init__(self):
        self.refusing = False
        self.does = "reply"
        self.seen = []
        self.wires = []
        self.closed_wires = 0

    def request(self, call):
        self.seen.append((call.method, call.path, call.query, call.body))
        if self.does == "reply":
            call.reply(200, call.body, {"X-Used": "7"})
        elif self.does == "drop":
            call.drop()

    def opened(self, wire):
        self.wires.append(wire)

    def received(self, wire, text):
        self.seen.append(text)
        wire.push(text)

    def closed(self, wire):
        self.closed_wires += 1


class Place:
    """A loop, a server and the network between."""

    def __init__(self, seed=1):
        self.loop = VirtualLoop()
        self.server = Echo()
        rng = Random(seed)  # noqa: S311 - delays, not a secret
        self.network = MemoryNetwork(self.loop, delay=uniform_delay(rng, MS, 50 * MS), rng=rng)
        self.network.add(HOST, self.server)
        self.heard = []
        self.lost = []
        self.stream = Stream(
            "v", Channel.PUBLIC, f"ws://{HOST}/ws", lambda data, ts: self.heard.append((data.decode(), ts)),
            on_lost=self.lost.append, clock_ns=self.loop.now_ns, network=self.network,
        )  # fmt: skip
        self.rest = Rest("v", f"http://{HOST}", network=self.network)

    def run(self, scene):
        return self.loop.run_until_complete(scene)

    async def connected(self):
        await self.stream.start()
        await self.stream.wait_ready(5)


@pytest.fixture
def place():
    made = Place()
    yield made
    made.run(made.stream.close())
    made.loop.close()


def test_messages_of_a_connection_stay_in_order(place):
    """Both ways, however different their delays are; and they take time."""
    texts = [str(number) for number in range(50)]

    async def scene():
        await place.connected()
        for text in texts:
            place.stream.send(text)
        await asyncio.sleep(1)

    place.run(scene())
    assert [text for text, _ in place.heard] == place.server.seen == texts
    stamps = [ts for _, ts in place.heard]
    assert stamps == sorted(stamps)
    assert stamps[0] >= 2 * MS


def test_the_same_seed_gives_the_same_times():
    """And another seed gives others."""

    def stamps(seed):
        place = Place(seed)

        async def scene():
            await place.connected()
            place.stream.send("a")
            await asyncio.sleep(1)
            await place.stream.close()

        place.run(scene())
        place.loop.close()
        return place.heard

    assert stamps(3) == stamps(3)
    assert stamps(3) != stamps(4)


def test_a_cut_connection_is_lost_and_made_again(place):
    """What was under way to us is gone; the server hears of the end once; the stream comes back by itself."""

    async def scene():
        await place.connected()
        place.server.wires[0].push("never read")
        place.server.wires[0].cut()
        with pytest.raises(Unavailable):
            place.stream.send("not sent")
        await asyncio.sleep(1)
        assert place.stream.ready

    place.run(scene())
    assert place.heard == []
    assert len(place.lost) == 1
    assert (len(place.server.wires), place.server.closed_wires) == (2, 1)
    assert "not sent" not in place.server.seen


def test_what_was_sent_before_the_end_arrives(place):
    """A message that left is at the server, though we never hear of it."""

    async def scene():
        await place.connected()
        place.stream.send("an order")
        place.stream.reconnect("a test")
        await asyncio.sleep(1)

    place.run(scene())
    assert "an order" in place.server.seen
    assert place.heard == []


def test_a_server_that_hangs_up_is_heard_out(place):
    """What it pushed before it closed arrives first."""

    async def scene():
        await place.connected()
        place.server.wires[0].push("last words")
        place.server.wires[0].hang_up()
        await asyncio.sleep(0.09)

    place.run(scene())
    assert [text for text, _ in place.heard] == ["last words"]
    assert place.lost == ["closed by the venue (1000)"]


def test_a_request_is_answered(place):
    """With status, body and headers, after a time each way."""
    wire = WireRequest(method="POST", path="/order", params="a=1", body=b"x")
    answer = place.run(place.rest.send(wire, verb="place"))
    assert (answer.status, answer.body, answer.headers) == (200, b"x", {"x-used": "7"})
    assert place.server.seen == [("POST", "/order", "a=1", b"x")]
    assert place.loop.monotonic_ns() >= 2 * MS


@pytest.mark.parametrize("does", ["drop", "nothing"])
def test_a_request_without_an_answer_is_unknown(place, does):
    """It arrived: whatever became of it may have been done."""
    place.server.does = does
    with pytest.raises(Unknown):
        place.run(place.rest.send(WireRequest(method="POST", path="/order"), verb="place", timeout=2.0))
    assert len(place.server.seen) == 1


def test_a_refused_connect_is_not_sent(place):
    """By either way, and nobody saw anything."""
    place.server.refusing = True

    async def scene():
        with pytest.raises(Unavailable):
            await place.rest.send(WireRequest(method="POST", path="/order"), verb="place")
        await place.stream.start()
        with pytest.raises(Unavailable, match="failed"):
            await place.stream.wait_ready(1)

    place.run(scene())
    assert place.server.seen == place.server.wires == []
