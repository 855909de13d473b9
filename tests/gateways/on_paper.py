"""A venue on the paper exchange, which runs in a process of its own: how to trade on it and wait for what is told."""

import contextlib
import itertools
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from decimal import Decimal
from typing import Any

import msgspec

from gateways.contracts import floor_price
from gateways.router import load_endpoints, make_venue
from gateways.standards import FillEvent, OrderKind, OrderStatus, OrderUpdate, PlaceOrder
from gateways.venue import Endpoints, Venue
from tests.gateways.listening import Desk, listening

D = Decimal


class Manners(msgspec.Struct, frozen=True):
    """What differs from venue to venue where all tell the same story."""

    ticker: str
    contract: dict[str, Any]
    """What the venue publishes of it."""
    other: tuple[str, str]
    """Another contract, and an amount of it."""
    on_market: OrderStatus | None
    """The status in the reply to a market order that fills at once."""
    traded: str
    """The stream's word for an order that a trade filled."""
    amended: tuple[str, int]
    """The stream's word for an order that was changed, and how often it says so of one that rested before."""
    private_channel: Callable[[Any], Any]
    """The private stream, which a test cuts."""
    amount: str = "0.05"
    many: int = 6
    """Orders to cancel at once."""
    on_cancel: OrderStatus | None = None
    """The status in the reply to a cancel."""
    replies_with_terms: bool = True
    tells_terms: bool = True
    """Whether the stream says what kind of order it is."""
    chained: bool = True
    """Whether a depth update names the one before; else each is the whole book."""
    starts_whole: bool = True
    """Whether the first depth update is a snapshot."""
    tells_account_at_once: bool = False
    asset: str = "USDT"
    asset_unit: Decimal = D("1E-12")
    too_short_s: int = 0
    """Seconds that the dead man's switch does not take."""


MANNERS = {
    "binance": Manners(
        ticker="ETHUSDT",
        contract={"lot_size": D("0.001"), "min_quantity": D("0.001"), "min_notional": D(20)},
        other=("BTCUSDT", "0.002"),
        on_market=OrderStatus.FILLED,
        on_cancel=OrderStatus.CANCELLED,
        traded="TRADE",
        amended=("AMENDMENT", 1),
        starts_whole=False,
        private_channel=lambda venue: venue._user_data.stream,
    ),
    "bybit": Manners(
        ticker="ETHUSDT",
        contract={
            "lot_size": D("0.01"),
            "min_quantity": D("0.01"),
            "min_notional": D(5),
            "max_quantity": D(7240),
            "market_max_quantity": D(4000),
        },
        other=("BTCUSDT", "0.001"),
        on_market=None,
        traded="Filled",
        amended=("New", 2),
        replies_with_terms=False,
        private_channel=lambda venue: venue._user_data.stream,
        too_short_s=1,
    ),
    "hyperliquid": Manners(
        ticker="ETH",
        contract={"quote": "USDC", "lot_size": D("0.0001"), "min_notional": D(10), "significant_digits": 5},
        other=("SOL", "1"),
        on_market=OrderStatus.FILLED,
        traded="filled",
        amended=("open", 2),
        many=3,
        tells_terms=False,
        chained=False,
        tells_account_at_once=True,
        asset="USDC",
        asset_unit=D("1E-6"),
        private_channel=lambda venue: venue._link.private._stream,
    ),
    "okx": Manners(
        ticker="ETH-USDT-SWAP",
        contract={
            "lot_size": D("0.001"),
            "min_quantity": D("0.001"),
            "multiplier": D("0.1"),
            "venue_id": "10461",
        },
        other=("BTC-USDT-SWAP", "0.001"),
        amount="0.053",
        on_market=OrderStatus.NEW,
        traded="filled",
        amended=("AMENDMENT", 1),
        many=23,
        tells_account_at_once=True,
        private_channel=lambda venue: venue._private.stream,
        too_short_s=5,
    ),
}

_numbers = itertools.count(1)


def fresh_cloid() -> str:
    """An id of ours that no order has yet."""
    return f"{next(_numbers):032x}"


@contextlib.contextmanager
def paper_process(kind: str, *, seed: int = 7) -> Iterator[Endpoints]:
    """A paper exchange in a process of its own; the endpoints to reach it."""
    command = [sys.executable, "-m", "gateways.paper", "--venues", kind, "--seed", str(seed), "--with-parent"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:  # noqa: S603 - our own interpreter
        try:
            assert process.stdout is not None
            yield msgspec.structs.replace(load_endpoints(process.stdout.readline())[kind], kind=kind)
        finally:
            process.terminate()


class OnPaper:
    """One venue, who listens to it, and the contract that is traded."""

    def __init__(self, kind: str, venue: Any, desk: Desk) -> None:
        self.kind = kind
        self.venue: Any = venue
        self.desk = desk
        self.manners = MANNERS[kind]
        self.ticker = self.manners.ticker

    async def away(self, ticker: str = "") -> Decimal:
        """A price that rests: two hundredths under the best bid, where the market does not come within a test."""
        ticker = ticker or self.ticker
        best = (await self.venue.book(ticker, 5)).bids[0].price
        return floor_price(self.venue.contracts[ticker], best * D("0.98"))

    def order(self, amount: str, price: Decimal | None = None, **terms: Any) -> PlaceOrder:
        """An order under a fresh id: at the market, unless it has a price or a rule for one."""
        kind = OrderKind.MARKET if price is None and "price_rule" not in terms else OrderKind.LIMIT
        fields: dict[str, Any] = {"ticker": self.ticker, "cloid": fresh_cloid(), "kind": kind}
        return PlaceOrder(**{**fields, "amount": D(amount), "price": price, **terms})

    def updates(self, cloid: str) -> list[OrderUpdate]:
        """What replies and the stream said of an order."""
        return [update for update in self.desk.of(OrderUpdate) if update.cloid == cloid]

    def fills(self, cloid: str) -> dict[str, FillEvent]:
        """The order's fills that were told, by their ids."""
        return {fill.trade_id: fill for fill in self.desk.of(FillEvent) if fill.cloid == cloid}

    async def asked(self) -> list[FillEvent]:
        """The contract's fills of the last hour, as the venue answers."""
        fills: list[FillEvent] = await self.venue.fills_since(time.time_ns() - 3_600_000_000_000, self.ticker)
        return fills

    async def told(self, cloid: str, status: OrderStatus, label: str = "") -> OrderUpdate:
        """Wait until an order is told to have a status (with the venue's word for it); the order as it was told."""

        def found() -> list[OrderUpdate]:
            return [each for each in self.updates(cloid) if each.status is status and label in {"", each.label}]

        await self.desk.until(found)
        return found()[0]


@contextlib.asynccontextmanager
async def connected_to(kind: str, endpoints: Endpoints) -> AsyncIterator[OnPaper]:
    """A venue connected to a paper exchange that runs."""
    venue: Venue = make_venue(kind, endpoints)
    async with listening(venue) as (_, desk):
        yield OnPaper(kind, venue, desk)


@contextlib.asynccontextmanager
async def trading(kind: str) -> AsyncIterator[OnPaper]:
    """A venue connected to a paper exchange of its own."""
    with paper_process(kind) as endpoints:
        async with connected_to(kind, endpoints) as made:
            yield made
