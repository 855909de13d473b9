"""The link: all that the console and the engine ever say to each other.

Immutable, serializable records (msgspec) in both directions; no engine object reaches a widget. The engine publishes
``Frame``s: rows by key, where a newer row replaces an older one that was not yet taken, so a slow screen loses history
of intermediate states but never the last state; only the two logs are rings, with a count of what fell out.
The console sends command lines of the one grammar (``console.language``) and gets replies.
"""

from decimal import Decimal
from typing import Protocol

import msgspec

Key = str


class OrderRow(msgspec.Struct, frozen=True, kw_only=True):
    """One order of the orders page. Amounts are signed base units."""

    key: Key
    cloid: str
    venue: str
    ticker: str
    role: str
    """``maker``, ``hedge``, ``manual``, ``flatten`` or ``external``."""
    status: str
    amount: Decimal
    filled: Decimal
    price: Decimal | None
    average_price: Decimal | None
    tif: str
    flags: str
    """``post``, ``reduce`` joined by a space."""
    legs: str
    """The hedge legs in the grammar's words, empty for none."""
    reason: str
    terminal: bool
    ts_created_ns: int
    ts_changed_ns: int


class DeltaRow(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the order deltas."""

    ts_ns: int
    cloid: str
    venue: str
    ticker: str
    role: str
    label: str
    before: str
    after: str
    last_fill: Decimal
    filled: Decimal
    amount: Decimal
    price: Decimal | None


class HedgeRow(msgspec.Struct, frozen=True, kw_only=True):
    """One maker's leg in a hedge book: ``target = hedged + in_flight + waiting + netted + forfeited`` for its part."""

    key: Key
    maker: str
    maker_venue: str
    maker_ticker: str
    maker_status: str
    maker_filled: Decimal
    maker_average: Decimal | None
    venue: str
    ticker: str
    ratio: Decimal
    policy: str
    target: Decimal
    hedged: Decimal
    in_flight: Decimal
    unknown: Decimal
    waiting: Decimal
    netted: Decimal
    hedge_average: Decimal | None
    basis_bps: Decimal | None
    """What maker and hedge captured between them, in basis points of the maker's price; positive is gained."""
    state: str
    """``hedged``, ``hedging``, ``waiting``, ``unknown``, ``paused``, ``hold``, ``idle``."""
    ts_changed_ns: int


class BookRow(msgspec.Struct, frozen=True, kw_only=True):
    """One hedge book (venue and ticker): ``target = hedged + in_flight + balance + forfeited``."""

    key: Key
    venue: str
    ticker: str
    target: Decimal
    hedged: Decimal
    in_flight: Decimal
    unknown: Decimal
    balance: Decimal
    forfeited: Decimal
    notional: Decimal | None
    """Of the balance, at the last price seen."""
    waits: str
    """Why the balance waits, one phrase; empty when it is zero."""
    release: str
    """What will release it, one phrase."""
    state: str
    """``active``, ``paused`` or ``hold``."""
    ts_waiting_ns: int
    """Since when there has been a balance, 0 for none."""


class PositionRow(msgspec.Struct, frozen=True, kw_only=True):
    """A position in one contract."""

    key: Key
    venue: str
    ticker: str
    base: str
    amount: Decimal
    entry_price: Decimal | None
    mark: Decimal | None
    notional: Decimal | None
    unrealised: Decimal | None
    ts_ns: int


class ExposureRow(msgspec.Struct, frozen=True, kw_only=True):
    """Net position of one base asset over all venues."""

    key: Key
    base: str
    long: Decimal
    short: Decimal
    net: Decimal
    notional: Decimal | None


class MoneyRow(msgspec.Struct, frozen=True, kw_only=True):
    """A balance of money."""

    key: Key
    venue: str
    asset: str
    total: Decimal
    available: Decimal | None


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


class LogLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the log. ``kind``: ``command``, ``reply``, ``sent``, ``answer``, ``event``, ``alert``."""

    ts_ns: int
    kind: str
    severity: str
    """``info``, ``warning`` or ``error``."""
    venue: str
    text: str


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """What the top bar shows."""

    now_ns: int
    """The engine's clock when the frame was made: a heartbeat. If it stops, the engine has stopped."""
    arming: str
    """``PAPER``, ``SAFE`` or ``ARMED``."""
    trading: str
    """``ACTIVE``, ``REDUCING``, ``HEDGE-ONLY`` or ``HALTED``."""
    working: int
    """Open makers."""
    children: int
    """Hedge orders not proven done."""
    unknown: int
    waiting_notional: Decimal
    deltas: int
    coalesced: int
    dropped: int
    default_venue: str = ""


class Frame(msgspec.Struct, kw_only=True):
    """What changed since the frame before. Rows replace rows of the same key; ``gone`` lists keys to drop by table."""

    header: Header | None = None
    orders: list[OrderRow] = []
    deltas: list[DeltaRow] = []
    hedges: list[HedgeRow] = []
    books: list[BookRow] = []
    positions: list[PositionRow] = []
    exposures: list[ExposureRow] = []
    money: list[MoneyRow] = []
    ladders: list[LadderRow] = []
    venues: list[VenueRow] = []
    contracts: list[ContractRow] = []
    log: list[LogLine] = []
    gone: dict[str, list[Key]] = {}


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to one command line. ``error`` is one clear sentence, ``caret`` where in the line, when known."""

    ok: bool
    text: str = ""
    error: str = ""
    field: str = ""
    caret: int | None = None
    cloid: str | None = None


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """What a command line would do, without doing it."""

    ok: bool
    sentence: str = ""
    """What will happen, in words."""
    error: str = ""
    field: str = ""
    """Which part is wrong: ``venue``, ``ticker``, ``amount``, ``price``, ``leg 1 ticker`` ..."""
    caret: int | None = None
    notional: Decimal | None = None
    remainder: str = ""
    """What may wait on each leg."""
    warnings: tuple[str, ...] = ()


class Link(Protocol):
    """The console's end. All methods are called on the console's thread and never block it."""

    async def command(self, line: str) -> Reply:
        """Run one command line in the engine and wait for its reply. Never raises for a refused command."""
        ...

    async def preview(self, line: str) -> Preview:
        """Parse and check one command line against the contracts and books, sending nothing."""
        ...

    def take(self) -> Frame | None:
        """All that was published since the last call, merged into one frame; None if nothing was."""
        ...

    def watch(self, venue: str, ticker: str) -> None:
        """Ask for the ladder of a contract in the frames from now on."""
        ...

    async def stop(self, *, two_phase: bool) -> Reply:
        """End the engine. Two-phase: no new makers, cancel makers, settle children; stop only if nothing is left."""
        ...
