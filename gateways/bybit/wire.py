"""Bybit v5 messages as they are on the wire, typed: one struct for each shape that we read.

Field names follow the venue's "WebSocket Stream" and "Get ..." pages. Numbers come as text; where the venue writes an
empty text (or null) for none the field is text here and is read by ``units``. Unknown keys are ignored. Sizes and
prices are in the venue's own units (thousands for 1000PEPE); times are ms, as text in rows, as numbers in envelopes.
"""

from decimal import Decimal
from typing import Annotated

import msgspec

from gateways.standards import Level

Name = Annotated[str, msgspec.Meta(min_length=1)]
"""A text that tells what a row is of: never empty."""

Text = str | None
"""A number that may be empty or null: both mean none."""

Millis = int | str | None
"""A time in ms; the venue writes it as text in rows, empty for none."""

_NOTHING = msgspec.Raw(b"")


class Message(msgspec.Struct, frozen=True, rename="camel"):
    """Any message of a websocket: a push (``topic``), a reply (``op``), or an answer of REST (``retCode``)."""

    topic: str = ""
    type: str = ""
    ts: int = 0
    creation_time: int = 0
    data: msgspec.Raw = _NOTHING
    op: str = ""
    success: bool | None = None
    ret_code: int | None = None
    ret_msg: Text = None
    plain_ret_msg: Text = msgspec.field(default=None, name="ret_msg")
    req_id: Text = None
    plain_req_id: Text = msgspec.field(default=None, name="req_id")
    ret_ext_info: msgspec.Raw = _NOTHING
    header: msgspec.Raw = _NOTHING
    result: msgspec.Raw = _NOTHING


class Verdict(msgspec.Struct, frozen=True, rename="camel"):
    """What an answer of REST says of the request: 0 for a success, any other code with its words."""

    ret_code: int
    ret_msg: Text = None


class OrderRow(msgspec.Struct, frozen=True, rename="camel"):
    """An order, as the ``order`` stream and the order queries state it."""

    symbol: Name
    order_id: Name
    side: str
    order_status: str
    qty: Decimal
    category: str = ""
    order_link_id: Text = None
    order_type: str = ""
    price: Text = None
    avg_price: Text = None
    cum_exec_qty: Text = None
    time_in_force: Text = None
    reduce_only: bool | None = None
    cancel_type: Text = None
    reject_reason: Text = None
    create_type: Text = None
    created_time: Millis = None
    updated_time: Millis = None


class ExecutionRow(msgspec.Struct, frozen=True, rename="camel"):
    """One execution, of the ``execution`` and ``execution.fast`` streams and of the trade history.

    The fast stream has neither a fee nor an ``execType``: it carries trades alone.
    """

    symbol: Name
    order_id: Name
    exec_id: Name
    side: str
    exec_qty: Text = None
    exec_price: Text = None
    exec_time: Millis = None
    category: str = ""
    order_link_id: Text = None
    exec_type: str = "Trade"
    exec_fee: Text = None
    fee_currency: Text = None
    is_maker: bool | None = None
    create_type: Text = None


class PositionRow(msgspec.Struct, frozen=True, rename="camel"):
    """A position: the stream says ``entryPrice``, the query ``avgPrice``; ``size`` has no sign, ``side`` says it."""

    symbol: Name
    size: Text = None
    side: Text = None
    category: str = ""
    position_idx: int = 0
    entry_price: Text = None
    avg_price: Text = None
    unrealised_pnl: Text = None
    updated_time: Millis = None


class Coin(msgspec.Struct, frozen=True, rename="camel"):
    """One asset of a wallet."""

    coin: Name
    wallet_balance: Text = None
    available_to_withdraw: Text = None
    equity: Text = None
    total_order_im: Text = msgspec.field(default=None, name="totalOrderIM")
    total_position_im: Text = msgspec.field(default=None, name="totalPositionIM")
    locked: Text = None


class Account(msgspec.Struct, frozen=True, rename="camel"):
    """A wallet: the assets of one account."""

    coin: list[Coin]


class Book(msgspec.Struct, frozen=True, rename={"symbol": "s", "bids": "b", "asks": "a", "last": "u"}):
    """A book, whole or its changed levels, of the ``orderbook`` streams and of the query."""

    symbol: Name
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    last: int
    ts: int = 0


class PublicTrade(
    msgspec.Struct,
    frozen=True,
    rename={"ts": "T", "symbol": "s", "side": "S", "quantity": "v", "price": "p", "trade_id": "i"},
):
    """One public trade; ``S`` is the taker's side."""

    ts: int
    symbol: Name
    side: str
    quantity: Decimal
    price: Decimal
    trade_id: Name


class Ticker(msgspec.Struct, frozen=True, rename="camel"):
    """A ticker of a linear contract: a snapshot has every field, a delta those that changed."""

    symbol: Name
    mark_price: Text = None
    index_price: Text = None
    funding_rate: Text = None
    next_funding_time: Millis = None
    bid1_price: Text = None
    bid1_size: Text = None
    ask1_price: Text = None
    ask1_size: Text = None


class PriceFilter(msgspec.Struct, frozen=True, rename="camel"):
    """The price rules of a contract."""

    tick_size: Text = None


class LotSizeFilter(msgspec.Struct, frozen=True, rename="camel"):
    """The size rules of a contract."""

    qty_step: Text = None
    min_order_qty: Text = None
    max_order_qty: Text = None
    max_mkt_order_qty: Text = None
    min_notional_value: Text = None


class Instrument(msgspec.Struct, frozen=True, rename="camel"):
    """A contract of ``instruments-info``."""

    symbol: Name
    contract_type: str
    status: str
    base_coin: str
    quote_coin: str
    settle_coin: str
    price_filter: PriceFilter
    lot_size_filter: LotSizeFilter


class ItemResult(msgspec.Struct, frozen=True):
    """How one item of a batch ended, in ``retExtInfo.list``."""

    code: int
    msg: str = ""


class Accepted(msgspec.Struct, frozen=True, rename="camel"):
    """What the acknowledgement of an order, amend or cancel names."""

    order_id: str = ""
    order_link_id: Text = None
