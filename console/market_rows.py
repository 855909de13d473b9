"""Records of the link about the markets and the ways to them: ladders, public trades, contracts, venues, handlers."""

from decimal import Decimal

import msgspec

Key = str


class LadderRow(msgspec.Struct, frozen=True, kw_only=True):
    """The book of one watched contract. Levels: (price, quantity), best first; ``own`` is our signed size by price."""

    key: Key
    venue: str
    ticker: str
    tick: Decimal
    lot: Decimal
    bids: tuple[tuple[Decimal, Decimal], ...]
    asks: tuple[tuple[Decimal, Decimal], ...]
    own: tuple[tuple[Decimal, Decimal], ...]
    last_price: Decimal | None
    last_amount: Decimal | None
    ts_ns: int
    stale: bool


class VenueRow(msgspec.Struct, frozen=True, kw_only=True):
    """The health of one venue. Times in nanoseconds, ages are for the reader to take from ``Header.now_ns``."""

    key: Key
    venue: str
    public: bool
    private: bool
    trade: bool
    rest: bool
    ts_private_ns: int
    ts_public_ns: int
    reconnects: int
    round_trip_p50_us: int | None
    round_trip_p99_us: int | None
    hedge_p50_us: int | None
    """Fill received to hedge sent."""
    hedge_p99_us: int | None
    budget: str
    dropped: int
    note: str
    clock_offset_ns: int | None = None
    """The venue's clock less ours."""
    guarded_until_ns: int = 0
    """When its dead man's switch acts if the desk falls silent now, 0 for none."""
    requests: int = 0
    failures: int = 0
    public_idle: bool = False
    """Nobody asks for its public data now: its stream need not be open."""

    @property
    def channels(self) -> tuple[tuple[str, str, bool], ...]:
        """Its channels by letter and name, and whether each is as it should be."""
        return (
            ("P", "public", self.public or self.public_idle),
            ("U", "private", self.private),
            ("T", "trade", self.trade),
            ("R", "REST", self.rest),
        )

    @property
    def state(self) -> str:
        """``up``, ``part`` (some channel is down) or ``DOWN`` (none works)."""
        if all(good for _, _, good in self.channels):
            return "up"
        return "part" if self.public or self.private or self.trade or self.rest else "DOWN"


class HandlerRow(msgspec.Struct, frozen=True, kw_only=True):
    """One handler of the engine's deltas, or a console attached: rows wait for it, ``failures`` are lines lost."""

    key: Key
    name: str
    lag: int
    """Deltas that wait for it."""
    coalesced: int
    failures: int
    last_error: str = ""


class TradeRow(msgspec.Struct, frozen=True, kw_only=True):
    """A public trade of the contract last watched; ``amount`` is signed by the aggressor's side."""

    ts_ns: int
    venue: str
    ticker: str
    amount: Decimal
    price: Decimal
    trade_id: str = ""


class ContractRow(msgspec.Struct, frozen=True, kw_only=True):
    """What a form needs to know of a contract."""

    key: Key
    venue: str
    ticker: str
    base: str
    quote: str
    tick: Decimal
    lot: Decimal
    min_quantity: Decimal
    min_notional: Decimal
    bid: Decimal | None = None
    ask: Decimal | None = None
    trading: bool = True
    """Whether its venue takes orders for it now."""
