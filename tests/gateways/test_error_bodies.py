"""What each venue's error bodies prove about an order: the whole way from an HTTP answer to the error that is raised.

The rows are in ``error_rows``.
"""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from gateways.contracts import Contracts
from gateways.errors import RateLimited, Unknown, VenueError
from gateways.router import make_venue
from gateways.standards import AmendOrder, CancelOrder, Contract, PlaceOrder
from gateways.transport.network import Http, NotSentError, Response, Socket
from gateways.venue import ChannelState, Endpoints, Watcher
from tests.gateways.error_rows import BINANCE, BYBIT, CLOID, HTML, HYPERLIQUID, OKX, R, Row, binance, item, okx

D = Decimal

TICKERS = {"binance": "ETHUSDT", "bybit": "ETHUSDT", "okx": "ETH-USDT-SWAP", "hyperliquid": "ETH"}
KEYS = {
    "hyperliquid": ("0x" + "11" * 20, "0x" + "22" * 32),
}


class OneAnswer:
    """A network without sockets, on which every HTTP request gets the same answer."""

    def __init__(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.response = Response(status, body, dict(headers or {}))
        self.sent = 0

    async def connect(self, *args: Any, **kwargs: Any) -> Socket:
        raise NotSentError("no sockets here")

    def http(self, connections: int) -> Http:
        return self

    async def request(self, *args: Any, **kwargs: Any) -> Response:
        self.sent += 1
        return self.response

    async def close(self) -> None:
        return None

    def jitter(self) -> float:
        return 0.5

    def monotonic_ns(self) -> int:
        return 0


class Deaf(Watcher):
    """Listens to nothing."""

    def channel_changed(self, venue: str, state: ChannelState) -> None: ...

    def request_done(self, venue: str, verb: str, **told: Any) -> None: ...

    def message_dropped(self, venue: str, reason: str) -> None: ...


def a_venue(kind: str, network: OneAnswer) -> Any:
    """A venue of this kind whose order entry socket is down, so that all goes by HTTP."""
    key, secret = KEYS.get(kind, ("key", "secret"))
    names = ("public", "market", "private", "api", "trade")
    ws: Any = "ws://127.0.0.1:1" if kind == "hyperliquid" else dict.fromkeys(names, "ws://127.0.0.1:1")
    endpoints = Endpoints(rest="http://127.0.0.1:1", ws=ws, key=key, secret=secret, passphrase="p", kind=kind)
    venue: Any = make_venue(kind, endpoints, network)
    session = venue._session
    if kind == "hyperliquid":
        venue._link = venue._make_link(key, lambda batch: None, Deaf())
    else:
        session.open(lambda batch: None, Deaf())
    session.contracts = Contracts(
        kind,
        [
            Contract(
                venue=kind,
                ticker=TICKERS[kind],
                base="ETH",
                quote="USDT",
                tick_size=D("0.01"),
                lot_size=D("0.001"),
                min_quantity=D("0.001"),
                min_notional=D(5),
                venue_id="4",
            )
        ],
    )
    return venue


async def asked(venue: Any, kind: str, verb: str) -> Any:
    ticker = TICKERS[kind]
    match verb:
        case "place":
            return await venue.place(PlaceOrder(ticker=ticker, cloid=CLOID, amount=D("0.5"), price=D(2500)))
        case "amend":
            changed = AmendOrder(ticker=ticker, cloid=CLOID, oid="7", amount=D(1), price=D(2500))
            return await venue.amend(changed)
        case "cancel":
            return await venue.cancel(CancelOrder(ticker=ticker, cloid=CLOID))
        case "query":
            return await venue.order(ticker, cloid=CLOID)
    raise AssertionError(verb)


async def check(kind: str, row: Row, headers: Mapping[str, str] | None = None) -> VenueError:
    """Ask, and compare what is raised with the row. Returns the error."""
    verb, status, body, error, reason, code = row
    raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    network = OneAnswer(status, raw, headers)
    venue = a_venue(kind, network)
    with pytest.raises(VenueError) as raised:
        await asked(venue, kind, verb)
    assert type(raised.value) is error, raised.value
    assert network.sent == 1 or verb == "query", "nothing is sent twice"
    if reason is not None:
        assert raised.value.reason is reason  # type: ignore[attr-defined]
        assert raised.value.code == code  # type: ignore[attr-defined]
    else:
        assert code in str(raised.value)
    await venue._session.close()
    return raised.value


def named(row: Any) -> str:
    return f"{row[0]} {row[1]} {row[5] or str(row[2])[:30]}" if isinstance(row, tuple) else ""


@pytest.mark.parametrize("row", BINANCE, ids=named)
async def test_binance(row: Row) -> None:
    """Binance: each status and body on each verb is the error that it proves, with the venue's code and text kept."""
    await check("binance", row)


@pytest.mark.parametrize("row", BYBIT, ids=named)
async def test_bybit(row: Row) -> None:
    """Bybit: the return code decides, as the status is 200 for most refusals; the venue's code and text are kept."""
    await check("bybit", row)


@pytest.mark.parametrize("row", OKX, ids=named)
async def test_okx(row: Row) -> None:
    """OKX: the item's own code decides where there is one, else the outer code; the venue's code and text are kept."""
    await check("okx", row)


@pytest.mark.parametrize("row", HYPERLIQUID, ids=named)
async def test_hyperliquid(row: Row) -> None:
    """Hyperliquid has texts for codes: known ones and an item's own are refusals, any other of the whole is not."""
    await check("hyperliquid", row)


# ------------------------------------------------------------------ all of them


@pytest.mark.parametrize(
    ("kind", "row", "headers", "seconds"),
    [
        ("binance", ("place", 429, binance(-1003), RateLimited, R.RATE_LIMIT, "-1003"), {"retry-after": "7"}, 7.0),
        ("binance", ("place", 418, HTML, RateLimited, R.RATE_LIMIT, ""), {}, 120.0),
        ("binance", ("place", 429, binance(-1003), RateLimited, R.RATE_LIMIT, "-1003"), {}, 60.0),
        ("bybit", ("place", 403, HTML, RateLimited, R.RATE_LIMIT, ""), {}, 600.0),
        ("bybit", ("place", 429, HTML, RateLimited, R.RATE_LIMIT, ""), {"retry-after": "3"}, 3.0),
        ("okx", ("place", 429, okx("50011"), RateLimited, R.RATE_LIMIT, "50011"), {"retry-after": "3"}, 3.0),
        ("okx", ("place", 200, item("50011"), RateLimited, R.RATE_LIMIT, "50011"), {}, 2.0),
        ("hyperliquid", ("place", 429, "no", RateLimited, R.RATE_LIMIT, "429"), {"retry-after": "4"}, 4.0),
        ("hyperliquid", ("place", 429, "no", RateLimited, R.RATE_LIMIT, "429"), {}, 10.0),
    ],
)
async def test_refusals_for_rate_say_how_long(kind: str, row: Row, headers: dict[str, str], seconds: float) -> None:
    """The venue's Retry-After counts; without one the venue's documented window or ban does."""
    error = await check(kind, row, headers)
    assert isinstance(error, RateLimited)
    assert error.retry_after == seconds


@pytest.mark.parametrize(
    ("kind", "rows"), [("binance", BINANCE), ("bybit", BYBIT), ("okx", OKX), ("hyperliquid", HYPERLIQUID)]
)
def test_every_verb_is_in_the_table(kind: str, rows: list[Row]) -> None:
    """Each verb of each venue has a row that is definite and one that is not."""
    for verb in ("place", "amend", "cancel", "query"):
        kinds = {row[3] for row in rows if row[0] == verb}
        assert kinds - {Unknown}, (kind, verb)
        if verb != "amend" or kind != "hyperliquid":
            assert Unknown in kinds, (kind, verb)
