"""The shapes of Hyperliquid's messages as typed structs, and the one way of reading them.

Names are theirs in snake case. Fields that an OMS does not need are not listed: unknown ones are ignored, as the venue
adds to its messages without notice. Source: the "Info endpoint" and "WebSocket subscriptions" pages of its API
documentation.
"""

import re
from collections.abc import Hashable
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any, Literal, TypeVar, cast

import msgspec

from gateways.errors import DecodeError

T = TypeVar("T")
Source = bytes | str | msgspec.Raw | dict[str, Any] | list[Any]
"""A message as text, or already parsed."""

Name = Annotated[str, msgspec.Meta(min_length=1)]
"""A text that tells what a message is of: never empty."""

BuyOrSell = Literal["B", "A"]
"""B: bid, we buy (or the aggressor does). A: ask."""

_LARGEST_EXPONENT = 30


class Envelope(msgspec.Struct):
    """Every websocket message: which channel, and its data unread."""

    channel: str
    data: msgspec.Raw = msgspec.Raw(b"null")


class WireOrder(msgspec.Struct, rename="camel"):
    """An order. ``sz`` is what remains of ``orig_sz``; the frontend's form has the fields after ``cloid`` too."""

    coin: Name
    side: BuyOrSell
    limit_px: Decimal
    sz: Decimal
    oid: int | Name
    timestamp: int = 0
    orig_sz: Decimal | None = None
    cloid: str | None = None
    order_type: str | None = None
    tif: str | None = None
    reduce_only: bool | None = None


class OrderChange(msgspec.Struct, rename="camel"):
    """An order with its status, as ``orderUpdates``, ``orderStatus`` and ``historicalOrders`` have it."""

    order: WireOrder
    status: str
    status_timestamp: int = 0


class OrderStatusBody(msgspec.Struct):
    """The answer to ``orderStatus``: ``order``, or ``unknownOid`` alone."""

    status: str
    order: OrderChange | None = None


class Liquidation(msgspec.Struct, rename="camel"):
    """Beside a fill that a liquidation made, on both of its sides."""

    liquidated_user: str | None = None


class WireFill(msgspec.Struct, rename="camel"):
    """One of our executions. ``crossed``: we took. ``fee`` is negative for a rebate."""

    coin: Name
    px: Decimal
    sz: Decimal
    side: BuyOrSell
    time: int
    oid: int | Name
    tid: int | str | None = None
    hash: str = ""
    start_position: Decimal | None = None
    dir: str = ""
    crossed: bool | None = None
    fee: Decimal | None = None
    fee_token: str | None = None
    cloid: str | None = None
    liquidation: Liquidation | None = None


class UserFills(msgspec.Struct, rename="camel"):
    """The ``userFills`` channel; the first message after a subscription is a replay of the past."""

    fills: list[WireFill]
    user: str = ""
    is_snapshot: bool = False


class Cancelled(msgspec.Struct):
    """An order that the venue cancelled by itself."""

    coin: Name
    oid: int | Name


class SliceFill(msgspec.Struct):
    """A fill of a TWAP that runs on the venue."""

    fill: WireFill


class UserEvent(msgspec.Struct, rename="camel"):
    """The ``user`` channel: one of several lists, of which an OMS needs these."""

    fills: list[WireFill] = []
    twap_slice_fills: list[SliceFill] = []
    non_user_cancel: list[Cancelled] = []


class WireLevel(msgspec.Struct):
    """A price of the book."""

    px: Decimal
    sz: Decimal


class WireBook(msgspec.Struct):
    """A whole book, best first: ``levels[0]`` bids, ``levels[1]`` asks."""

    coin: Name
    levels: list[list[WireLevel]]
    time: int = 0


class BestPrices(msgspec.Struct):
    """The ``bbo`` channel: the best bid and ask, null for an empty side."""

    coin: Name
    bbo: list[WireLevel | None]
    time: int = 0


class WireTrade(msgspec.Struct):
    """A public trade; ``side`` is the aggressor's."""

    coin: Name
    side: BuyOrSell
    px: Decimal
    sz: Decimal
    time: int
    tid: int | Name


class AssetContext(msgspec.Struct, rename="camel"):
    """Prices of a contract that the venue computes. ``funding`` is the rate of the coming hour."""

    mark_px: Decimal | None = None
    oracle_px: Decimal | None = None
    funding: Decimal | None = None


class ActiveAssetContext(msgspec.Struct):
    """The ``activeAssetCtx`` channel."""

    coin: Name
    ctx: AssetContext


class Asset(msgspec.Struct, rename="camel"):
    """A perpetual of the universe; its place in the list is its asset id."""

    name: Name
    sz_decimals: int
    is_delisted: bool | None = None


class Universe(msgspec.Struct, rename="camel"):
    """The answer to ``meta``. ``collateral_token`` 0 is USDC."""

    universe: list[Asset]
    collateral_token: int = 0


class WirePosition(msgspec.Struct, rename="camel"):
    """A position; ``szi`` is signed."""

    coin: Name
    szi: Decimal
    entry_px: Decimal | None = None
    unrealized_pnl: Decimal | None = None


class AssetPosition(msgspec.Struct):
    """A position in its wrapper."""

    position: WirePosition


class MarginSummary(msgspec.Struct, rename="camel"):
    """``account_value``: the wallet and the unrealised profit of all positions."""

    account_value: Decimal


class ClearinghouseState(msgspec.Struct, rename="camel"):
    """The perpetuals account: every position that is not zero, and the money."""

    asset_positions: list[AssetPosition]
    margin_summary: MarginSummary | None = None
    cross_margin_summary: MarginSummary | None = None
    withdrawable: Decimal | None = None
    time: int = 0


class ExchangeStatus(msgspec.Struct):
    """``exchangeStatus``: the venue's time, in ms since 1970."""

    time: int


class AccountState(msgspec.Struct, rename="camel"):
    """The ``clearinghouseState`` and ``webData2`` channels; ``dex`` is empty for the venue's own perpetuals."""

    clearinghouse_state: ClearinghouseState
    dex: str = ""


class EveryAccountState(msgspec.Struct, rename="camel"):
    """The ``allDexsClearinghouseState`` channel: the state of each dex by its name."""

    clearinghouse_states: list[tuple[str, ClearinghouseState]]


class EveryAssetContext(msgspec.Struct):
    """The ``allDexsAssetCtxs`` channel: for each dex the contexts in the order of its universe."""

    ctxs: list[tuple[str, list[AssetContext]]]


class SpotBalance(msgspec.Struct):
    """A token of the spot account; ``hold`` is bound in orders."""

    coin: Name
    total: Decimal
    hold: Decimal | None = None


class SpotState(msgspec.Struct):
    """The spot account."""

    balances: list[SpotBalance]


class SpotAccountState(msgspec.Struct, rename="camel"):
    """The ``spotState`` channel."""

    spot_state: SpotState


class OpenOrders(msgspec.Struct):
    """The ``openOrders`` channel."""

    orders: list[WireOrder]


class PostResponse(msgspec.Struct):
    """What a ``post`` was answered; ``payload`` is an object, or the text of an error."""

    type: str
    payload: Any = None


class PostReply(msgspec.Struct):
    """The ``post`` channel: the answer to the request of that id."""

    id: int | str
    response: PostResponse


_PATH = re.compile(r"`\$\.?([^`]*)`$")
_MISSING = re.compile(r"missing required field `([^`]+)`")


def field_of(error: msgspec.ValidationError) -> str:
    """The dotted path of the field that a validation error complains of."""
    text = str(error)
    path = _PATH.search(text)
    missing = _MISSING.search(text)
    parts = [path.group(1) if path else "", missing.group(1) if missing else ""]
    return ".".join(part for part in parts if part) or "message"


@lru_cache(maxsize=64)
def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind, strict=False)


def read(kind: type[T], source: Any, venue: str) -> T:
    """``source``, text or parsed, as ``kind``; a whole number or a flag may be written as a text.

    Raises DecodeError naming the first field that is missing or wrong.
    """
    try:
        if isinstance(source, bytes | str | msgspec.Raw):
            value: T = _decoder(cast("Hashable", kind)).decode(source)
            return value
        return msgspec.convert(source, kind, strict=False)
    except msgspec.ValidationError as error:
        raise DecodeError(venue, field_of(error), str(error)) from error
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise DecodeError(venue, "json", str(error)) from error


def number(value: Decimal, field: str, venue: str) -> Decimal:
    """``value``, if it is a number that a price or a quantity can be. Raises DecodeError for NaN, infinity and such."""
    if not value.is_finite() or abs(value.adjusted()) > _LARGEST_EXPONENT:
        raise DecodeError(venue, field, f"not a usable number: {value}")
    return value


def size(value: Decimal, field: str, venue: str) -> Decimal:
    """``value``, if it can be a size: a number that is not negative. Raises DecodeError."""
    if number(value, field, venue) < 0:
        raise DecodeError(venue, field, f"a size is not negative: {value}")
    return value
