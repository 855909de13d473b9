"""The kinds of paper venues: which front speaks for each, who may log in, under which addresses it is found."""

import hashlib
from collections.abc import Callable, Mapping
from urllib.parse import parse_qs

import msgspec

from gateways.contracts import Contracts
from gateways.hyperliquid.signing import address_of
from gateways.paper.binance.front import BinanceFront
from gateways.paper.bybit.dialect import BybitDialect
from gateways.paper.bybit.front import PRIVATE_PATH, PUBLIC_PATH, TRADE_PATH, BybitFront
from gateways.paper.dialects import BinanceDialect, Dialect, HyperliquidDialect
from gateways.paper.exchange import PaperExchange
from gateways.paper.front import Front
from gateways.paper.hyperliquid.front import HyperliquidFront
from gateways.paper.okx.dialect import OkxDialect
from gateways.paper.okx.front import OkxFront
from gateways.standards import Credentials

_OKX_PASSPHRASE = "Paper-1"  # noqa: S105 - that of every paper key, which opens a paper account alone
"""Of every key: this venue's requests carry one beside their signature."""

MakeFront = Callable[[PaperExchange, Mapping[str, str], Callable[[], int]], Front]
"""Makes a front from the exchange, its accounts (key to secret) and the clock."""


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """One protocol. ``ws_paths``: where its websockets are, one path or several by name, as in ``Endpoints``."""

    name: str
    front: MakeFront
    credentials: Callable[[int], Credentials]
    """The key and secret of the user's account, made from a seed."""
    ws_paths: str | dict[str, str]
    is_private: Callable[[str, str, str], bool]
    """Whether a connection's path and query, or a message on it, asks for an account's own news."""
    dialect: Callable[[Contracts], Dialect]
    """What its faults understand of it."""
    one_channel: bool = False
    """Whether one channel tells an order's state and its executions, with what is filled by the venue's own count: the
    news of a cancel then never says less than what was filled, however late the execution itself is told."""

    def ws(self, port: int) -> str | dict[str, str]:
        """The websocket addresses on a loopback port."""
        base = f"ws://127.0.0.1:{port}"
        if isinstance(self.ws_paths, str):
            return base + self.ws_paths
        return {name: base + path for name, path in self.ws_paths.items()}


def _digest(*parts: object) -> str:
    return hashlib.sha256(" ".join(map(str, ("hedgedesk paper", *parts))).encode()).hexdigest()


def _binance_credentials(seed: int) -> Credentials:
    return Credentials(_digest("binance key", seed), _digest("binance secret", seed))


def _hyperliquid_credentials(seed: int) -> Credentials:
    secret = "0x" + _digest("hyperliquid secret", seed)
    return Credentials(address_of(secret), secret)


def _bybit_credentials(seed: int) -> Credentials:
    return Credentials(_digest("bybit key", seed)[:18], _digest("bybit secret", seed)[:36])


def _okx_credentials(seed: int) -> Credentials:
    return Credentials(_digest("okx key", seed)[:36], _digest("okx secret", seed)[:32].upper(), _OKX_PASSPHRASE)


def _okx_front(exchange: PaperExchange, accounts: Mapping[str, str], now_ns: Callable[[], int]) -> OkxFront:
    owners = {key: Credentials(key, secret, _OKX_PASSPHRASE) for key, secret in accounts.items()}
    return OkxFront(exchange, accounts=owners, now_ns=now_ns)


def _binance_private(path: str, query: str, _text: str) -> bool:
    # /private/..., and the older /ws/<listen key>, whose key is too long for the name of a public stream.
    last = path.rsplit("/", 1)[-1]
    return path.startswith("/private") or "listenKey" in parse_qs(query) or (len(last) >= 60 and "@" not in last)


def _hyperliquid_private(_path: str, _query: str, text: str) -> bool:
    return any(f'"{channel}"' in text for channel in ("orderUpdates", "userFills", "userEvents", "webData2"))


def _okx_private(_path: str, _query: str, text: str) -> bool:
    # Order entry logs in too: what asks for an account's channels is private.
    return '"subscribe"' in text and any(
        f'"{channel}"' in text for channel in ("orders", "positions", "account", "balance_and_position")
    )


def _bybit_private(path: str, _query: str, _text: str) -> bool:
    return path == PRIVATE_PATH


KINDS: dict[str, Kind] = {
    "binance": Kind(
        name="binance",
        front=lambda exchange, accounts, now_ns: BinanceFront(exchange, accounts=dict(accounts), now_ns=now_ns),
        credentials=_binance_credentials,
        ws_paths={"public": "/public", "market": "/market", "private": "/private", "api": "/ws-fapi/v1"},
        is_private=_binance_private,
        dialect=BinanceDialect,
    ),
    "bybit": Kind(
        name="bybit",
        front=lambda exchange, accounts, now_ns: BybitFront(exchange, accounts=dict(accounts), now_ns=now_ns),
        credentials=_bybit_credentials,
        ws_paths={"public": PUBLIC_PATH, "private": PRIVATE_PATH, "trade": TRADE_PATH},
        is_private=_bybit_private,
        dialect=BybitDialect,
    ),
    "hyperliquid": Kind(
        name="hyperliquid",
        front=lambda exchange, accounts, now_ns: HyperliquidFront(exchange, accounts=dict(accounts), now_ns=now_ns),
        credentials=_hyperliquid_credentials,
        ws_paths="/ws",
        is_private=_hyperliquid_private,
        dialect=HyperliquidDialect,
    ),
    "okx": Kind(
        name="okx",
        front=_okx_front,
        credentials=_okx_credentials,
        ws_paths={"public": "/ws/v5/public", "private": "/ws/v5/private", "business": "/ws/v5/business"},
        is_private=_okx_private,
        dialect=OkxDialect,
        one_channel=True,
    ),
}
