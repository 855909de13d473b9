"""Where each kind of venue is: its real exchange, and the ones that it keeps for trying things out.

``testnet`` is an exchange of its own with its own accounts and books; ``demo`` is play money beside the real market.
Both need keys made there. Addresses are the venues' own, of the pages that stand beside them; who uses them for an
account that is not on this machine is decided elsewhere (``gateways.router``).
"""

import difflib
from collections.abc import Mapping
from enum import Enum

import msgspec

from gateways.errors import Denied
from gateways.venue import Endpoints


class Environment(str, Enum):
    """Which of a venue's exchanges."""

    MAINNET = "mainnet"
    TESTNET = "testnet"
    DEMO = "demo"


def _binance(rest: str, streams: str, api: str) -> Endpoints:
    routed = {name: f"{streams}/{name}" for name in ("public", "market", "private")}
    return Endpoints(rest=rest, ws={**routed, "api": api})


def _bybit(rest: str, streams: str) -> Endpoints:
    ways = {"public": "public/linear", "private": "private", "trade": "trade"}
    return Endpoints(rest=rest, ws={name: f"{streams}/v5/{path}" for name, path in ways.items()})


def _okx(streams: str, headers: Mapping[str, str]) -> Endpoints:
    ways = {name: f"{streams}/ws/v5/{name}" for name in ("public", "private")}
    return Endpoints(rest="https://www.okx.com", ws=ways, headers=dict(headers))


_TESTNET_API = "wss://testnet.binancefuture.com/ws-fapi/v1"

PROFILES: Mapping[str, Mapping[Environment, Endpoints]] = {
    # "General Info", "Websocket Market Streams" (Important WebSocket Change Notice) and "WebSocket API General Info" of
    # the USD-M documentation. Testnet and demo share an exchange and its order entry socket; the keys differ.
    "binance": {
        Environment.MAINNET: _binance(
            "https://fapi.binance.com", "wss://fstream.binance.com", "wss://ws-fapi.binance.com/ws-fapi/v1"
        ),
        Environment.TESTNET: _binance(
            "https://testnet.binancefuture.com", "wss://fstream.binancefuture.com", _TESTNET_API
        ),
        Environment.DEMO: _binance("https://demo-fapi.binance.com", "wss://demo-fstream.binance.com", _TESTNET_API),
    },
    # "Connect", "Integration Guidance" and "Demo Trading Service" of the v5 documentation: the demo has the real
    # market's public streams, and no order entry socket, so that its orders go by HTTP.
    "bybit": {
        Environment.MAINNET: _bybit("https://api.bybit.com", "wss://stream.bybit.com"),
        Environment.TESTNET: _bybit("https://api-testnet.bybit.com", "wss://stream-testnet.bybit.com"),
        Environment.DEMO: Endpoints(
            rest="https://api-demo.bybit.com",
            ws={
                "public": "wss://stream.bybit.com/v5/public/linear",
                "private": "wss://stream-demo.bybit.com/v5/private",
            },
        ),
    },
    # "Production Trading Services" and "Demo Trading Services" of the v5 documentation: the demo is told apart by a
    # header on HTTP and by a host on websockets.
    "okx": {
        Environment.MAINNET: _okx("wss://ws.okx.com:8443", {}),
        Environment.DEMO: _okx("wss://wspap.okx.com:8443", {"x-simulated-trading": "1"}),
    },
    # "API" and "WebSocket" of the API documentation. What is signed for one network is not valid on the other.
    "hyperliquid": {
        Environment.MAINNET: Endpoints(rest="https://api.hyperliquid.xyz", ws="wss://api.hyperliquid.xyz/ws"),
        Environment.TESTNET: Endpoints(
            rest="https://api.hyperliquid-testnet.xyz", ws="wss://api.hyperliquid-testnet.xyz/ws"
        ),
    },
}
"""Endpoints without keys, by kind of venue and environment."""


def environments(kind: str) -> tuple[str, ...]:
    """The environments that a kind of venue has. Raises Denied, with the nearest names, for an unknown kind."""
    return tuple(each.value for each in _profiles(kind))


def endpoints(kind: str, environment: str) -> Endpoints:
    """The addresses of a kind of venue, its ``kind`` filled in, without keys.

    Raises Denied, saying what there is, for an unknown kind or an environment that the venue does not have.
    """
    known = _profiles(kind)
    found = known.get(Environment(environment)) if environment in {each.value for each in Environment} else None
    if found is None:
        there = ", ".join(environments(kind))
        raise Denied(kind, f"there is no {environment!r} of {kind}, but {there}", field="environment")
    return msgspec.structs.replace(found, kind=kind)


def _profiles(kind: str) -> Mapping[Environment, Endpoints]:
    known = PROFILES.get(kind)
    if known is None:
        near = difflib.get_close_matches(kind, PROFILES, n=3, cutoff=0.4) or sorted(PROFILES)
        raise Denied(kind, f"there is no kind of venue {kind!r}; did you mean {', '.join(near)}?", field="kind")
    return known
