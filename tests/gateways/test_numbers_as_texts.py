"""Whole numbers and flags that come as texts: client libraries quote them in the answers that they record (ccxt does).

The venues document numbers; one that begins to quote an id or a time must not cost us a fill.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest

from gateways.binance.decode import decode as decode_binance
from gateways.bybit.decode import decode as decode_bybit
from gateways.contracts import Contracts
from gateways.hyperliquid.decode import decode as decode_hyperliquid
from gateways.okx.decode import decode as decode_okx
from gateways.standards import Event
from tests.gateways.binance import messages as binance
from tests.gateways.bybit import messages as bybit
from tests.gateways.hyperliquid import stream_messages as hyperliquid
from tests.gateways.okx import messages as okx

Decode = Callable[[Any, Contracts], list[Event]]


def texts(value: Any) -> Any:
    """``value`` with every number and flag in it as a text."""
    if isinstance(value, dict):
        return {name: texts(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [texts(each) for each in value]
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int) else value


@pytest.mark.parametrize(
    ("decode", "message"),
    [
        (decode_binance, binance.order_update()),
        (decode_binance, binance.execution()),
        (decode_binance, binance.rest_order()),
        (decode_binance, binance.user_trade()),
        (decode_bybit, bybit.push("order", [bybit.order_row()])),
        (decode_bybit, bybit.push("execution", [bybit.execution_row()])),
        (decode_bybit, bybit.push("position", [bybit.position_row()])),
        (decode_bybit, bybit.book(7)),
        (decode_bybit, bybit.answer(bybit.page([bybit.order_row()])["result"])),
        (decode_bybit, bybit.answer({}, 110007, "no")),
        (decode_okx, okx.orders_push(okx.filled())),
        (decode_okx, okx.push("books", okx.book_row(7, 6), action="update")),
        (decode_hyperliquid, hyperliquid.order_updates()),
        (decode_hyperliquid, hyperliquid.user_fills(hyperliquid.fill())),
        (decode_hyperliquid, hyperliquid.user_fills(hyperliquid.fill(tid=0))),
    ],
)
def test_numbers_written_as_texts_mean_the_same(decode: Decode, message: Any) -> None:
    """An id, a time, a code or a flag in quotes is the same one, from bytes as from the parsed value."""
    known = Contracts("venue")
    events = decode(json.dumps(message).encode(), known)
    assert events
    assert decode(texts(message), known) == events
    assert decode(json.dumps(texts(message), separators=(",", ":")).encode(), known) == events
