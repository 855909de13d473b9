"""Where our reading of an order differs from that of the library ccxt on purpose, each with its reason.

Found by giving both the same variants of each venue's order: of kind, time in force, status and filled size.
"""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from gateways.binance.decode import decode as decode_binance
from gateways.bybit.decode import decode as decode_bybit
from gateways.contracts import Contracts
from gateways.hyperliquid.decode import decode as decode_hyperliquid
from gateways.okx.decode import decode as decode_okx
from gateways.standards import Event, OrderKind, OrderStatus, OrderUpdate, TimeInForce
from tests.gateways.binance import messages as binance
from tests.gateways.bybit import messages as bybit
from tests.gateways.hyperliquid import stream_messages as hyperliquid
from tests.gateways.okx import messages as okx

D = Decimal


def read(decode: Callable[[Any, Contracts], list[Event]], message: Any) -> OrderUpdate:
    """The one order of a message."""
    [update] = [each for each in decode(json.dumps(message), Contracts("venue")) if isinstance(each, OrderUpdate)]
    return update


@pytest.mark.parametrize(
    ("decode", "message"),
    [
        (decode_binance, binance.execution(o="MARKET", p="0")),
        (decode_binance, binance.rest_order(type="MARKET", price="0", executedQty="1.000", avgPrice="2500.10")),
        (
            decode_bybit,
            bybit.push("order", [bybit.order_row(orderType="Market", cumExecQty="1", avgPrice="2500.10")]),
        ),
        (decode_okx, okx.orders_push(okx.filled(ordType="market", px=""))),
    ],
)
def test_a_market_order_is_not_priced_at_its_average(decode: Any, message: Any) -> None:
    """The library ccxt fills a missing price with the average: ours is the price that was asked for, and none was."""
    update = read(decode, message)
    assert (update.kind, update.price) == (OrderKind.MARKET, None)
    assert update.average_price


@pytest.mark.parametrize("kind", ["STOP_MARKET", "TAKE_PROFIT", "LIQUIDATION"])
def test_binance_kinds_that_are_not_ours_have_none(kind: str) -> None:
    """The library ccxt calls a stop by what it becomes: as long as it waits it is neither."""
    assert read(decode_binance, binance.order_update(o=kind)).kind is None


@pytest.mark.parametrize("word", ["GTD", "GTE_GTC"])
def test_binance_orders_with_an_end_of_their_own_are_not_good_till_cancelled(word: str) -> None:
    """The library ccxt passes the word on; we have none for an order that ends by a date, or with its position."""
    assert read(decode_binance, binance.order_update(f=word)).tif is None


@pytest.mark.parametrize(
    ("filled", "status"),
    [("0", OrderStatus.NEW), ("1.000", OrderStatus.PARTIAL), ("2.000", OrderStatus.FILLED)],
)
@pytest.mark.parametrize("word", ["NEW_ADL", "NEW_INSURANCE"])
def test_binance_own_orders_stand_where_their_size_says(word: str, filled: str, status: OrderStatus) -> None:
    """The library ccxt leaves these as they are: they name who made the order, its size how far it is."""
    update = read(decode_binance, binance.order_update(X=word, z=filled))
    assert (update.status, update.forced) == (status, True)


def test_bybit_a_partly_filled_cancelled_order_is_cancelled() -> None:
    """The library ccxt calls it closed, as a filled one: its rest is gone, and what is filled counts."""
    row = bybit.order_row(orderStatus="PartiallyFilledCanceled", cumExecQty="0.2")
    update = read(decode_bybit, bybit.push("order", [row]))
    assert update.status is OrderStatus.CANCELLED
    assert update.filled is not None
    assert abs(update.filled) == D("0.2")


@pytest.mark.parametrize("word", ["Created", "Active", "PendingCancel"])
def test_bybit_words_of_older_versions_say_nothing(word: str) -> None:
    """The library ccxt knows them from before v5, whose enums lack them: an undocumented word proves nothing."""
    assert read(decode_bybit, bybit.push("order", [bybit.order_row(orderStatus=word)])).status is None


def test_okx_kinds_say_more_than_ccxt_takes_from_them() -> None:
    """A ``limit`` order is good till cancelled and not post-only, where ccxt says neither; ``market`` has no time."""
    limit, market = (read(decode_okx, okx.orders_push(okx.order(ordType=word))) for word in ("limit", "market"))
    assert (limit.tif, limit.post_only) == (TimeInForce.GTC, False)
    assert (market.tif, market.post_only) == (None, False)


@pytest.mark.parametrize("state", ["effective", "order_failed"])
def test_okx_states_of_conditional_orders_say_nothing_of_an_order(state: str) -> None:
    """The library ccxt has one table for both: ``effective`` ends a condition, not the order that it made."""
    assert read(decode_okx, okx.orders_push(okx.order(state=state))).status is None


@pytest.mark.parametrize(
    ("word", "sz", "status"),
    [
        # ccxt passes these words on, or calls them refused.
        ("scheduledCancel", "0.5", OrderStatus.CANCELLED),
        ("internalCancel", "0.5", OrderStatus.CANCELLED),
        ("iocCancelRejected", "2.5", OrderStatus.EXPIRED),
        # ccxt calls it refused: what traded was not, only its rest is gone.
        ("perpMarginRejected", "0.5", OrderStatus.CANCELLED),
        # ccxt calls it closed: with something remaining, the fills alone tell.
        ("filled", "0.5", None),
    ],
)
def test_hyperliquid_words_are_read_with_the_size(word: str, sz: str, status: OrderStatus | None) -> None:
    """A status of Hyperliquid says the reason; whether an order lived is in its sizes too."""
    assert read(decode_hyperliquid, hyperliquid.order_updates(word, origSz="2.5", sz=sz)).status is status
