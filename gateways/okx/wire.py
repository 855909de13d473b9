"""OKX v5 messages as they are on the wire, typed: one struct for each shape that we read.

Field names are the documentation's, in snake case. Every number is a text there, and an empty one means none, so that
texts stay texts here and become numbers in ``units``. Sizes are in contracts, times in ms. Unknown keys are ignored.
"""

from decimal import Decimal
from typing import Annotated, NamedTuple

import msgspec

Name = Annotated[str, msgspec.Meta(min_length=1)]
"""A text that tells what a row is of: never empty."""

Text = str | None
"""A text that may be absent, null or empty: all three mean that the venue does not say."""


class RawLevel(NamedTuple):
    """One price of a book, its size in contracts, a field without a meaning any more, and the number of orders."""

    price: Decimal
    size: Decimal
    deprecated: str = "0"
    orders: str = "0"


class Order(msgspec.Struct, frozen=True, rename="camel"):
    """An order, of the orders channel and of REST. ``fill_*`` and ``trade_id`` are of the last fill of this push."""

    inst_id: Name
    ord_id: Name
    side: str
    state: str
    sz: str
    acc_fill_sz: str
    ord_type: str
    cl_ord_id: Text = None
    px: Text = None
    avg_px: Text = None
    fill_sz: Text = None
    fill_px: Text = None
    trade_id: Text = None
    fill_fee: Text = None
    fill_fee_ccy: Text = None
    fill_time: Text = None
    exec_type: Text = None
    category: Text = None
    reduce_only: str | bool | None = None
    cancel_source: Text = None
    amend_result: Text = None
    req_id: Text = None
    code: Text = None
    msg: Text = None
    u_time: Text = None
    c_time: Text = None


class Fill(msgspec.Struct, frozen=True, rename="camel"):
    """One of our executions, of ``trade/fills`` and ``trade/fills-history``."""

    inst_id: Name
    ord_id: Name
    trade_id: Name
    side: str
    fill_sz: str
    fill_px: str
    ts: str
    bill_id: Text = None
    cl_ord_id: Text = None
    fee: Text = None
    fee_ccy: Text = None
    exec_type: Text = None
    fill_time: Text = None
    sub_type: Text = None


class Position(msgspec.Struct, frozen=True, rename="camel"):
    """A position: ``pos`` is signed for the side ``net`` alone. One contract may be held in both margin modes."""

    inst_id: Name
    pos: str
    pos_side: str
    mgn_mode: Text = None
    avg_px: Text = None
    upl: Text = None
    u_time: Text = None


class Balance(msgspec.Struct, frozen=True, rename="camel"):
    """One currency of the trading account."""

    ccy: Name
    cash_bal: str
    avail_eq: Text = None
    avail_bal: Text = None
    u_time: Text = None


class Account(msgspec.Struct, frozen=True, rename="camel"):
    """The trading account; a push of the channel holds only the currencies that changed."""

    details: list[Balance] = []


class BalanceAndPosition(msgspec.Struct, frozen=True, rename="camel"):
    """Cash and positions together."""

    bal_data: list[Balance] = []
    pos_data: list[Position] = []


class Book(msgspec.Struct, frozen=True, rename="camel"):
    """Levels of a book: a snapshot, or changes that follow ``prev_seq_id``."""

    asks: tuple[RawLevel, ...]
    bids: tuple[RawLevel, ...]
    ts: str
    seq_id: int | None = None
    prev_seq_id: int | None = None


class Trade(msgspec.Struct, frozen=True, rename="camel"):
    """A public trade; ``side`` is the taker's."""

    inst_id: Name
    trade_id: Name
    px: str
    sz: str
    side: str
    ts: str


class Ticker(msgspec.Struct, frozen=True, rename="camel"):
    """Best bid and ask among the figures of the day."""

    inst_id: Name
    ask_px: str
    ask_sz: str
    bid_px: str
    bid_sz: str
    ts: Text = None


class Mark(msgspec.Struct, frozen=True, rename="camel"):
    """The mark price."""

    inst_id: Name
    mark_px: str
    ts: Text = None


class Instrument(msgspec.Struct, frozen=True, rename="camel"):
    """The specification of a contract."""

    inst_id: Name
    inst_type: str
    ct_type: str
    ct_val: str
    ct_mult: str
    ct_val_ccy: str
    settle_ccy: str
    tick_sz: str
    lot_sz: str
    min_sz: str
    state: str
    max_lmt_sz: Text = None
    max_mkt_sz: Text = None
    inst_id_code: int | str | None = None


class Receipt(msgspec.Struct, frozen=True, rename="camel"):
    """What the venue says to one order request: ``s_code`` "0" took it, anything else refused it."""

    s_code: Text = None
    s_msg: Text = None
    ord_id: Text = None
    cl_ord_id: Text = None
    ts: Text = None


# ------------------------------------------------------------------ pushes


class Arg(msgspec.Struct, frozen=True, rename="camel"):
    """What a push answers to."""

    channel: str
    inst_id: Text = None


class OrdersPush(msgspec.Struct, frozen=True):
    """News of our orders."""

    arg: Arg
    data: list[Order]


class PositionsPush(msgspec.Struct, frozen=True):
    """Positions: all on subscribing, then those that changed."""

    arg: Arg
    data: list[Position]


class AccountPush(msgspec.Struct, frozen=True):
    """Money: all on subscribing, then what changed."""

    arg: Arg
    data: list[Account]


class BalanceAndPositionPush(msgspec.Struct, frozen=True):
    """Cash and positions that changed."""

    arg: Arg
    data: list[BalanceAndPosition]


class BookPush(msgspec.Struct, frozen=True):
    """A book, or its changes (``action`` "update")."""

    arg: Arg
    data: list[Book]
    action: Text = None


class TradesPush(msgspec.Struct, frozen=True):
    """Public trades."""

    arg: Arg
    data: list[Trade]


class TickersPush(msgspec.Struct, frozen=True):
    """Best bids and asks."""

    arg: Arg
    data: list[Ticker]


class MarkPush(msgspec.Struct, frozen=True):
    """Mark prices."""

    arg: Arg
    data: list[Mark]
