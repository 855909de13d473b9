"""The gateway: endpoints read, remote ones refused, venues found, connected and closed together."""

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateways.binance.venue import BinanceVenue
from gateways.errors import Denied, Unavailable
from gateways.router import Gateway, is_loopback, load_endpoints, make_venue
from gateways.standards import Batch
from gateways.venue import ChannelState, Endpoints, Watcher

WS = {name: f"ws://127.0.0.1:1/{name}" for name in ("public", "market", "private", "api")}
LOCAL = Endpoints(rest="http://127.0.0.1:1", ws=WS, key="k" * 20, secret="s" * 20)


class Nobody(Watcher):
    def channel_changed(self, venue: str, state: ChannelState) -> None:
        return None

    def request_done(self, venue: str, verb: str, *, sent: str, answer: str, took_ns: int, ok: bool) -> None:
        return None

    def message_dropped(self, venue: str, reason: str) -> None:
        return None


def sink(batch: Batch) -> None:
    return None


class StubVenue:
    """Stands for a venue: connects when told, remembers that it was closed."""

    def __init__(self, fails: bool, log: list[str], alias: str) -> None:
        self.alias, self.fails, self.log = alias, fails, log

    async def connect(self, sink: object, watcher: object) -> None:
        self.log.append(f"{self.alias} connecting")
        await asyncio.sleep(0)
        if self.fails:
            raise Unavailable(self.alias, "down")
        self.log.append(f"{self.alias} connected")

    async def close(self) -> None:
        self.log.append(f"{self.alias} closed")


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:8080", "ws://127.9.8.7/x", "http://localhost:1", "http://[::1]:8080/path", "ws://LOCALHOST/"],
)
def test_this_machine_is_loopback(url: str) -> None:
    """The three spellings of this machine."""
    assert is_loopback(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://fapi.binance.com",
        "wss://fstream.binance.com/private",
        "http://10.0.0.1",
        "http://0.0.0.0",
        "http://128.0.0.1",
        "http://localhost.evil.com",
        "http://127.0.0.1.evil.com",
        "http://127.0.0.1@evil.com",
        "http://evil.com#127.0.0.1",
        "http://evil.com?localhost",
        "http://[::ffff:8.8.8.8]",
        "http://",
        "127.0.0.1:8080",
        "",
        "http://[bad",
    ],
)
def test_everything_else_is_not(url: str) -> None:
    """Names that only look like it, addresses of others and no address at all."""
    assert not is_loopback(url)


@pytest.mark.parametrize("remote", [*sorted(WS), "rest"])
def test_a_remote_endpoint_is_refused_before_any_connection(remote: str) -> None:
    """One address that is not on this machine is enough: the gateway is not even made, and says which."""
    there = "wss://fstream.binance.com/x"
    rest = there if remote == "rest" else LOCAL.rest
    ws = WS if remote == "rest" else {**WS, remote: there}
    endpoints = Endpoints(rest=rest, ws=ws, key="key-that-is-secret", secret="secret-of-secrets")
    with pytest.raises(Denied, match=r"fstream\.binance\.com") as raised:
        Gateway({"binance": endpoints})
    assert "secret" not in str(raised.value)


def test_single_websocket_address_is_checked_too() -> None:
    """A venue with one websocket address (Hyperliquid) is held to the same rule."""
    with pytest.raises(Denied, match=r"hyperliquid\.xyz"):
        Gateway({"hyperliquid": Endpoints(rest="http://127.0.0.1:1", ws="wss://api.hyperliquid.xyz/ws")})


def test_venues_by_alias_and_kind() -> None:
    """The kind chooses the gateway; without one the alias says it."""
    second = Endpoints(rest=LOCAL.rest, ws=WS, kind="binance")
    gateway = Gateway({"binance": LOCAL, "second": second})
    assert isinstance(gateway.venue("binance"), BinanceVenue)
    assert gateway.venue("second").alias == "second"
    assert list(gateway.venues) == ["binance", "second"]


def test_unknown_names_are_answered_with_the_nearest() -> None:
    """A misspelt venue, or kind of venue, says what may have been meant."""
    with pytest.raises(Denied, match="did you mean binance"):
        Gateway({"binance": LOCAL}).venue("binanse")
    with pytest.raises(Denied, match="binance, bybit, hyperliquid, okx"):
        make_venue("kraken", LOCAL)


def test_endpoints_are_read() -> None:
    """The line that the paper venues print."""
    line = {"venues": {"binance": {"rest": "http://127.0.0.1:1", "ws": WS, "key": "k", "secret": "s"}}}
    line["venues"]["hyperliquid"] = {
        "rest": "http://127.0.0.1:2",
        "ws": "ws://127.0.0.1:2/ws",
        "key": "0x1",
        "secret": "0x2",
    }
    endpoints = load_endpoints(json.dumps(line) + "\n")
    assert endpoints["binance"] == Endpoints(rest="http://127.0.0.1:1", ws=WS, key="k", secret="s")
    assert endpoints["hyperliquid"].ws == "ws://127.0.0.1:2/ws"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not a list of endpoints"),
        ("{}", "venues"),
        ('{"venues":{}}', "names no venue"),
        ('{"venues":{"binance":{"ws":"ws://x"}}}', "rest"),
        ('{"venues":{"binance":{"rest":1,"ws":"ws://x"}}}', "rest"),
        ('{"venues":{},"more":1}', "more"),
        ('{"venues":{"b":{"rest":"r","ws":"w","key":["hidden-key"]}}}', "key"),
    ],
)
def test_bad_endpoints_are_denied_clearly(text: str, says: str) -> None:
    """The refusal names the field, and never a value that may be secret."""
    with pytest.raises(Denied, match=says) as raised:
        load_endpoints(text)
    assert "hidden-key" not in str(raised.value)


@given(st.one_of(st.text(), st.binary()))
def test_any_text_is_endpoints_or_denied(text: str | bytes) -> None:
    """Whatever the file holds, nothing but Denied is raised."""
    try:
        load_endpoints(text)
    except Denied:
        return


async def test_all_connect_at_once() -> None:
    """No venue waits for another."""
    log: list[str] = []
    gateway = Gateway({"a": LOCAL, "b": LOCAL}, make=lambda alias, _: StubVenue(False, log, alias))
    await gateway.connect(sink, Nobody())
    assert log[:2] == ["a connecting", "b connecting"]
    await gateway.close()
    assert set(log[-2:]) == {"a closed", "b closed"}


async def test_when_one_cannot_connect_all_are_closed() -> None:
    """A desk with half of its venues is no desk: the error is raised and nothing stays open."""
    log: list[str] = []
    gateway = Gateway({"a": LOCAL, "b": LOCAL}, make=lambda alias, _: StubVenue(alias == "b", log, alias))
    with pytest.raises(Unavailable, match="b: down"):
        await gateway.connect(sink, Nobody())
    assert {"a closed", "b closed"} <= set(log)


def test_a_live_desk_reaches_venues_elsewhere_with_tls_alone() -> None:
    """It must be armed to raise risk there; without TLS nobody signs anything."""
    log: list[str] = []
    place = Endpoints(rest="https://venue.example", ws="wss://venue.example/ws", key="k" * 20, secret="s" * 20)
    made = Gateway({"a": place, "b": LOCAL}, make=lambda alias, _: StubVenue(False, log, alias), live=True)
    assert list(made.venues) == ["a", "b"]
    for open_to_all in ("http://venue.example", "ws://venue.example", "venue.example"):
        with pytest.raises(Denied, match="TLS"):
            Gateway({"a": Endpoints(rest=open_to_all, ws="wss://venue.example/ws")}, live=True)
