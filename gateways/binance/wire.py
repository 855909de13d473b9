"""Binance USD-M messages as they are on the wire, typed: one struct for each shape that we read.

Field names follow "User Data Streams" and "Websocket Market Streams" of the venue's documentation; the one- and
two-letter keys are renamed here and nowhere else. Unknown keys are ignored, as the venue asks its readers to do.
Quantities and prices are in the venue's own units (thousands for 1000PEPE); times are milliseconds.
"""

from decimal import Decimal
from typing import Annotated

import msgspec

from gateways.standards import Level

Name = Annotated[str, msgspec.Meta(min_length=1)]
"""A text that tells what a message is of: never empty."""


class OrderBody(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    gc=False,
    rename={
        "symbol": "s",
        "client_id": "c",
        "side": "S",
        "kind": "o",
        "tif": "f",
        "quantity": "q",
        "price": "p",
        "average_price": "ap",
        "execution": "x",
        "status": "X",
        "order_id": "i",
        "last_quantity": "l",
        "filled": "z",
        "last_price": "L",
        "fee_asset": "N",
        "fee": "n",
        "ts": "T",
        "trade_id": "t",
        "maker": "m",
        "reduce_only": "R",
    },
):
    """The ``o`` of an ORDER_TRADE_UPDATE, its fields in the order of the wire: so each is looked for where it is."""

    symbol: Name
    client_id: str | None = None
    side: str
    kind: str
    tif: str
    quantity: Decimal
    price: Decimal = Decimal(0)
    average_price: Decimal = Decimal(0)
    execution: str
    status: str
    order_id: int
    last_quantity: Decimal
    filled: Decimal
    last_price: Decimal
    fee_asset: str | None = None
    fee: Decimal | None = None
    ts: int
    trade_id: int
    maker: bool | None = None
    reduce_only: bool | None = None


class OrderTradeUpdate(
    msgspec.Struct, frozen=True, tag_field="e", tag="ORDER_TRADE_UPDATE", rename={"order": "o"}, gc=False
):  # fmt: skip
    """News of one of our orders; with ``x`` TRADE, of one execution too."""

    order: OrderBody


class TradeLite(
    msgspec.Struct,
    frozen=True,
    tag_field="e",
    tag="TRADE_LITE",
    rename={
        "symbol": "s",
        "client_id": "c",
        "side": "S",
        "last_price": "L",
        "last_quantity": "l",
        "trade_id": "t",
        "order_id": "i",
        "maker": "m",
        "ts": "T",
    },
):
    """An execution ahead of its ORDER_TRADE_UPDATE: no cumulative size, fee or status."""

    symbol: Name
    side: str
    last_price: Decimal
    last_quantity: Decimal
    trade_id: int
    order_id: int
    ts: int
    client_id: str | None = None
    maker: bool | None = None


class AccountBalance(msgspec.Struct, frozen=True, rename={"asset": "a", "wallet": "wb"}):
    """One asset of an ACCOUNT_UPDATE."""

    asset: Name
    wallet: Decimal


class AccountPosition(
    msgspec.Struct,
    frozen=True,
    rename={"symbol": "s", "amount": "pa", "entry_price": "ep", "unrealised": "up", "side": "ps"},
):
    """One position of an ACCOUNT_UPDATE."""

    symbol: Name
    amount: Decimal
    entry_price: Decimal | None = None
    unrealised: Decimal | None = None
    side: str = "BOTH"


class AccountBody(msgspec.Struct, frozen=True, rename={"balances": "B", "positions": "P"}):
    """The ``a`` of an ACCOUNT_UPDATE: only what changed."""

    balances: list[AccountBalance] = []
    positions: list[AccountPosition] = []


class AccountUpdate(
    msgspec.Struct, frozen=True, tag_field="e", tag="ACCOUNT_UPDATE", rename={"account": "a", "ts": "T"}
):
    """Balances and positions that changed."""

    account: AccountBody
    ts: int


class BookTicker(
    msgspec.Struct,
    frozen=True,
    tag_field="e",
    tag="bookTicker",
    rename={
        "symbol": "s",
        "seq": "u",
        "bid": "b",
        "bid_quantity": "B",
        "ask": "a",
        "ask_quantity": "A",
        "ts": "T",
        "ts_event": "E",
    },
):
    """Best bid and ask."""

    symbol: Name
    seq: int
    bid: Decimal
    bid_quantity: Decimal
    ask: Decimal
    ask_quantity: Decimal
    ts: int = 0
    ts_event: int = 0


class DepthUpdate(
    msgspec.Struct,
    frozen=True,
    tag_field="e",
    tag="depthUpdate",
    rename={"symbol": "s", "first": "U", "last": "u", "previous": "pu", "bids": "b", "asks": "a", "ts": "T"},
):
    """Changed levels of a book, between two update ids."""

    symbol: Name
    first: int
    last: int
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    previous: int | None = None
    ts: int = 0


class AggTrade(
    msgspec.Struct,
    frozen=True,
    tag_field="e",
    tag="aggTrade",
    rename={"symbol": "s", "trade_id": "a", "price": "p", "quantity": "q", "ts": "T", "buyer_is_maker": "m"},
):
    """Fills of one taker order at one price."""

    symbol: Name
    trade_id: int
    price: Decimal
    quantity: Decimal
    ts: int
    buyer_is_maker: bool


class PublicTrade(
    msgspec.Struct,
    frozen=True,
    tag_field="e",
    tag="trade",
    rename={"symbol": "s", "trade_id": "t", "price": "p", "quantity": "q", "ts": "T", "buyer_is_maker": "m"},
):
    """One public trade."""

    symbol: Name
    trade_id: int
    price: Decimal
    quantity: Decimal
    ts: int
    buyer_is_maker: bool


class MarkPrice(
    msgspec.Struct,
    frozen=True,
    tag_field="e",
    tag="markPriceUpdate",
    rename={"symbol": "s", "mark": "p", "index": "i", "funding_rate": "r", "next_funding": "T", "ts": "E"},
):
    """Mark price and the coming funding; ``r`` is empty on a delivery contract."""

    symbol: Name
    mark: Decimal
    ts: int
    index: Decimal | None = None
    funding_rate: str | None = None
    next_funding: int = 0


class ListenKeyExpired(msgspec.Struct, frozen=True, tag_field="e", tag="listenKeyExpired"):
    """The private stream says nothing more."""


StreamEvent = (
    OrderTradeUpdate
    | TradeLite
    | AccountUpdate
    | BookTicker
    | DepthUpdate
    | AggTrade
    | PublicTrade
    | MarkPrice
    | ListenKeyExpired
)


class Wrapped(msgspec.Struct, frozen=True):
    """An event of a combined stream."""

    stream: str
    data: StreamEvent


# ------------------------------------------------------------------ REST bodies


class RestOrder(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """An order as REST and the websocket API state it."""

    order_id: int
    symbol: Name
    status: str
    side: str
    orig_qty: Decimal
    client_order_id: str | None = None
    executed_qty: Decimal | None = None
    cum_qty: Decimal | None = None
    price: Decimal = Decimal(0)
    avg_price: Decimal = Decimal(0)
    type: str = ""
    time_in_force: str = ""
    reduce_only: bool | None = None
    update_time: int = 0
    time: int = 0


class RestTrade(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """One of our executions, of ``userTrades``."""

    id: int
    order_id: int
    symbol: Name
    side: str
    price: Decimal
    qty: Decimal
    time: int
    commission: Decimal | None = None
    commission_asset: str = ""
    maker: bool | None = None


class RestPosition(msgspec.Struct, frozen=True, rename="camel"):
    """A position, of ``positionRisk`` (versions 2 and 3) and of ``account``, which spell the profit apart."""

    symbol: Name
    position_amt: Decimal
    entry_price: Decimal | None = None
    un_realized_profit: Decimal | None = None
    unrealized_profit: Decimal | None = None
    position_side: str = "BOTH"
    update_time: int = 0


class RestBalance(msgspec.Struct, frozen=True, rename="camel"):
    """An asset, of ``balance`` (``balance``) and of ``account`` (``walletBalance``)."""

    asset: Name
    balance: Decimal | None = None
    wallet_balance: Decimal | None = None
    available_balance: Decimal | None = None
    update_time: int = 0


class RestBook(msgspec.Struct, frozen=True, rename={"last": "lastUpdateId", "ts": "T"}):
    """A depth snapshot. It does not say of which contract."""

    last: int
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    ts: int = 0


class RestQuote(msgspec.Struct, frozen=True, rename="camel"):
    """Best bid and ask, of ``ticker/bookTicker``."""

    symbol: Name
    bid_price: Decimal
    bid_qty: Decimal
    ask_price: Decimal
    ask_qty: Decimal
    last_update_id: int | None = None
    time: int = 0


class RestMark(msgspec.Struct, frozen=True, rename="camel"):
    """Mark, index and funding, of ``premiumIndex``."""

    symbol: Name
    mark_price: Decimal
    index_price: Decimal | None = None
    last_funding_rate: str | None = None
    next_funding_time: int = 0
    time: int = 0


class Filter(msgspec.Struct, frozen=True, rename="camel"):
    """One trading rule of a contract; which fields it has depends on its type."""

    filter_type: str
    tick_size: Decimal | None = None
    step_size: Decimal | None = None
    min_qty: Decimal | None = None
    max_qty: Decimal | None = None
    notional: Decimal | None = None


class Symbol(msgspec.Struct, frozen=True, rename="camel"):
    """A contract of ``exchangeInfo``."""

    symbol: Name
    contract_type: str
    status: str
    base_asset: str
    quote_asset: str
    margin_asset: str
    filters: list[Filter]


class RateLimit(msgspec.Struct, frozen=True, rename="camel"):
    """A published limit: so many units in ``intervalNum`` intervals."""

    rate_limit_type: str
    interval: str
    interval_num: int
    limit: int
