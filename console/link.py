"""The link: all that the console and the engine ever say to each other.

Immutable, serializable records (msgspec) in both directions; no engine object reaches a widget. The engine publishes
``Frame``s: rows by key, where a newer row replaces an older one that was not yet taken, so a slow screen loses history
of intermediate states but never the last state; only the two logs are rings, with a count of what fell out.
The console sends command lines of the one grammar (``console.language``) and gets replies.
"""

from decimal import Decimal
from typing import Protocol

import msgspec

from console.market_rows import ContractRow, HandlerRow, Key, LadderRow, TradeRow, VenueRow


class ClaimRow(msgspec.Struct, frozen=True, kw_only=True):
    """What of a hedge order answers one maker's leg; signed like the hedge."""

    maker: str
    leg: int
    quantity: Decimal
    filled: Decimal


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
    claims: tuple[ClaimRow, ...] = ()
    """Whom a hedge order answers."""
    slippage_bps: Decimal | None = None
    """Of a hedge order: how much worse it filled than the middle of the market when it was entered."""


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
    leg: int = 0
    """Which of the maker's legs, from 0."""
    forfeited: Decimal = Decimal(0)
    slippage_bps: Decimal | None = None
    """How much worse than the middle of the market its hedges filled; negative is better."""
    waits: str = ""
    """Why a part waits, one phrase."""
    release: str = ""
    """What will release it."""
    ts_unhedged_ns: int = 0
    """Since when a part waits or is in flight, 0 for none."""


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
    blocked: str = ""
    """Why it takes no new makers, balance or not; empty when it does."""
    smallest: Decimal = Decimal(0)
    """The least that its venue takes now, unsigned; 0 where that is not known."""

    @property
    def missing(self) -> Decimal:
        """How much more must wait before its venue takes a hedge; 0 where it would, or where that is not known."""
        return max(Decimal(0), self.smallest - abs(self.balance)) if self.balance else Decimal(0)

    @property
    def released_by(self) -> str:
        """What will release it, with how much has to be filled where it is a fill."""
        return self.release.replace("the next fill", f"{self.missing:f} more filled") if self.missing else self.release


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
    mark_source: str = ""
    """``mark`` is the venue's own, ``mid`` the middle of its book."""
    ts_mark_ns: int = 0
    realised: Decimal | None = None
    """By trades of this session, at average cost, quote units; without fees and funding."""
    fees: Decimal | None = None
    """Charged when positive."""
    other_fees: str = ""
    """Fees that were charged in another asset than the quote, with the asset."""
    funding: Decimal | None = None
    """Received when positive; reckoned from the published rates."""


class ExposureRow(msgspec.Struct, frozen=True, kw_only=True):
    """Net position of one base asset over all venues."""

    key: Key
    base: str
    long: Decimal
    short: Decimal
    net: Decimal
    notional: Decimal | None
    unrealised: Decimal | None = None
    """Sums over its contracts, those flat again included; None where one is not known."""
    realised: Decimal | None = None
    fees: Decimal | None = None
    funding: Decimal | None = None


class MoneyRow(msgspec.Struct, frozen=True, kw_only=True):
    """A balance of money: ``total`` is the wallet, ``available`` what can still be used as margin."""

    key: Key
    venue: str
    asset: str
    total: Decimal
    available: Decimal | None
    available_lags: bool = False
    """``available`` is of an earlier word of the venue than ``total``."""
    unrealised: Decimal | None = None
    """Of the venue's positions that are quoted in the asset; None where one is not known."""
    ts_ns: int = 0
    """The venue's time of its last word."""


class FillRow(msgspec.Struct, frozen=True, kw_only=True):
    """One execution of an order of ours. A later row of the same key says more of it: its fee, for one."""

    key: Key
    ts_ns: int
    venue: str
    ticker: str
    cloid: str
    role: str
    amount: Decimal
    price: Decimal
    fee: Decimal | None
    fee_asset: str
    liquidity: str
    """``maker``, ``taker``, or empty where the venue did not say."""
    trade_id: str
    oid: str


class LogLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the log. ``kind``: ``command``, ``reply``, ``sent``, ``answer``, ``event``, ``alert``."""

    ts_ns: int
    kind: str
    severity: str
    """``info``, ``warning`` or ``error``."""
    venue: str
    text: str
    event: str = ""
    """What the engine calls it, of an event or an alert of its own."""


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
    desk: str = ""
    """The name of a live desk, empty on paper."""
    because: str = ""
    """Why less than usual is allowed and what to do next; empty where there is nothing to say."""
    view: bool = False
    """This console may only look: the engine refuses its commands."""


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
    handlers: list[HandlerRow] = []
    trades: list[TradeRow] = []
    fills: list[FillRow] = []
    log: list[LogLine] = []
    merged: int = 1
    """Frames of the engine that this one holds: more than the screen's pace means that the screen is behind."""
    gone: dict[str, list[Key]] = {}


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to one command line. ``error`` is one clear sentence, ``caret`` where in the line, when known."""

    ok: bool
    text: str = ""
    error: str = ""
    field: str = ""
    caret: int | None = None
    cloid: str | None = None
    question: str = ""
    """Why it was not done without being asked: the same line with ``confirmed`` at its end does it."""


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
    facts: tuple[tuple[str, str], ...] = ()
    """Of arming: the accounts and limits of the desk, each a word and a sentence."""


class Link(Protocol):
    """The console's end. All methods are called on the console's thread and never block it."""

    outlives: bool
    """Whether the engine goes on when this console leaves."""

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
        """Ask for the ladder of a contract in the frames from now on; of what was asked for before, the last few go on.

        One that does no more is ``gone``.
        """
        ...

    async def stop(self, *, two_phase: bool) -> Reply:
        """End the engine. Two-phase: no new makers, cancel makers, settle children; stop only if nothing is left.

        Not two-phase: leave it; an engine that outlives its consoles goes on.
        """
        ...
