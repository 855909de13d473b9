"""Whatever arrives, decoding gives events or a DecodeError that names a field."""

import json
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gateways.contracts import Contracts
from gateways.errors import DecodeError
from gateways.okx.decode import decode, kind_of
from gateways.okx.instruments import instruments
from gateways.standards import FillEvent, OrderUpdate
from tests.gateways.okx.messages import ETH, book_row, filled, instrument, orders_push, push, taken, trade_row

CONTRACTS = Contracts("okx", instruments([instrument()], "okx"))

MESSAGES: tuple[Any, ...] = (
    orders_push(filled(amendResult="0", reqId="amend1")),
    push("books", book_row(12, 10), action="update"),
    push("bbo-tbt", book_row(12, 10)),
    push("positions", {"instId": ETH, "pos": "1", "posSide": "net", "avgPx": "1", "upl": "0", "uTime": "1"}),
    push("account", {"details": [{"ccy": "USDT", "cashBal": "1", "availEq": "1", "uTime": "1"}], "totalEq": "1"}),
    push("trades", {"instId": ETH, "tradeId": "9", "px": "1", "sz": "3", "side": "sell", "ts": "1"}),
    push("mark-price", {"instId": ETH, "markPx": "1", "ts": "1"}),
    {"arg": {"channel": "instruments"}, "data": [instrument()]},
    {"code": "0", "msg": "", "data": [trade_row()]},
    {"id": "1", "op": "order", "code": "0", "msg": "", "data": [taken()]},
    {"event": "error", "code": "60012", "msg": "no", "connId": "a"},
)

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.text(max_size=12),
    st.sampled_from(["", "0", "-1", "NaN", "Infinity", "1e999999", "-0", "1E-9999999", "\uff19", "net", "buy"]),
)
anything = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["arg", "channel", "data", "event", "op", "code", "msg", "id", "sCode", "details", "bids"]),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=12,
)


def told(message: Any) -> Any:
    """The events, or the field that a DecodeError names."""
    try:
        return decode(message, CONTRACTS)
    except DecodeError as error:
        field = error.field
    assert field
    return field


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes(data: bytes) -> None:
    """Bytes of any kind give events or a DecodeError, after the prefix of a push as well."""
    told(data)
    told(b'{"arg":{"channel":"orders"' + data)
    kind_of(data)


@settings(max_examples=200, deadline=None)
@given(anything)
def test_any_value(value: Any) -> None:
    """JSON of any shape gives events or a DecodeError."""
    if isinstance(value, dict | list):
        told(value)
        kind_of(value)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place inside a value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, each in inner for place in places(each, (*path, key)))]


def changed(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """A copy of a value with one place changed."""
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = changed(copy[path[0]], path[1:], new)
    return copy


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_any_field_of_a_real_message(data: st.DataObject) -> None:
    """One field of a documented message made anything: events or a DecodeError, the same from bytes and from values."""
    message = data.draw(st.sampled_from(MESSAGES))
    path = data.draw(st.sampled_from([place for place in places(message) if place]))
    wrong = changed(message, path, data.draw(st.one_of(scalars, anything)))
    assert told(json.dumps(wrong, separators=(",", ":")).encode()) == told(wrong)


@given(
    contracts=st.decimals(min_value="0.01", max_value="1e9", places=2),
    share=st.decimals(min_value="0.01", max_value="1", places=2),
    buying=st.booleans(),
)
def test_sizes_keep_their_value(contracts: Decimal, share: Decimal, buying: bool) -> None:
    """However large, a size is contracts times the contract's size, exactly, with the side's sign."""
    filled_ = (contracts * share).quantize(Decimal("0.01"))
    row = filled(sz=str(contracts), accFillSz=str(filled_), fillSz=str(filled_), side="buy" if buying else "sell")
    events = decode(orders_push(row), CONTRACTS)
    sign = 1 if buying else -1
    update = events[0]
    assert isinstance(update, OrderUpdate)
    assert update.amount == sign * contracts * Decimal("0.1")
    assert update.filled == sign * filled_ * Decimal("0.1")
    assert all(each.amount == update.filled for each in events if isinstance(each, FillEvent))
