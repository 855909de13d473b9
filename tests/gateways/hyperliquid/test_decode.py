"""Orders and fills of the websocket into events."""

import json

import pytest

from gateways.contracts import Contracts
from gateways.hyperliquid.decode import decode
from gateways.standards import (
    FillEvent,
    OrderStatus,
    OrderUpdate,
    RejectReason,
)
from tests.gateways.hyperliquid.stream_messages import (
    CLOID,
    ME,
    D,
    fill,
    only,
    order,
    order_updates,
    user_fills,
)


def test_what_is_filled_is_what_no_longer_remains(contracts: Contracts) -> None:
    """``sz`` is the rest of ``origSz``; the sign is the side's; our id loses its 0x."""
    assert only(order_updates(), contracts) == OrderUpdate(
        venue="hl",
        ticker="ETH",
        oid="77",
        cloid=CLOID,
        status=OrderStatus.PARTIAL,
        amount=D(4),
        price=D("2500.5"),
        filled=D("2.5"),
        label="open",
        ts_venue_ns=1_700_000_000_500_000_000,
    )


def test_a_sale_is_negative(contracts: Contracts) -> None:
    """Amount and filled carry the side's sign."""
    event = only(order_updates(side="A"), contracts)
    assert (event.amount, event.filled) == (D(-4), D("-2.5"))


STATUSES = {
    "open": OrderStatus.NEW,
    "filled": OrderStatus.FILLED,
    "canceled": OrderStatus.CANCELLED,
    "triggered": OrderStatus.NEW,
    "rejected": OrderStatus.REJECTED,
    "marginCanceled": OrderStatus.CANCELLED,
    "vaultWithdrawalCanceled": OrderStatus.CANCELLED,
    "openInterestCapCanceled": OrderStatus.CANCELLED,
    "selfTradeCanceled": OrderStatus.CANCELLED,
    "reduceOnlyCanceled": OrderStatus.CANCELLED,
    "siblingFilledCanceled": OrderStatus.CANCELLED,
    "delistedCanceled": OrderStatus.CANCELLED,
    "liquidatedCanceled": OrderStatus.CANCELLED,
    "outcomeSettledCanceled": OrderStatus.CANCELLED,
    "scheduledCancel": OrderStatus.CANCELLED,
    "internalCancel": OrderStatus.CANCELLED,
    "tickRejected": OrderStatus.REJECTED,
    "minTradeNtlRejected": OrderStatus.REJECTED,
    "perpMarginRejected": OrderStatus.REJECTED,
    "reduceOnlyRejected": OrderStatus.REJECTED,
    "badAloPxRejected": OrderStatus.REJECTED,
    "iocCancelRejected": OrderStatus.EXPIRED,
    "badTriggerPxRejected": OrderStatus.REJECTED,
    "marketOrderNoLiquidityRejected": OrderStatus.REJECTED,
    "positionIncreaseAtOpenInterestCapRejected": OrderStatus.REJECTED,
    "positionFlipAtOpenInterestCapRejected": OrderStatus.REJECTED,
    "tooAggressiveAtOpenInterestCapRejected": OrderStatus.REJECTED,
    "openInterestIncreaseRejected": OrderStatus.REJECTED,
    "insufficientSpotBalanceRejected": OrderStatus.REJECTED,
    "oracleRejected": OrderStatus.REJECTED,
    "perpMaxPositionRejected": OrderStatus.REJECTED,
    "tooManyOpenOrdersRejected": OrderStatus.REJECTED,
}


@pytest.mark.parametrize(("word", "status"), STATUSES.items())
def test_every_documented_status_is_known(word: str, status: OrderStatus, contracts: Contracts) -> None:
    """Each word of the documentation has its meaning, on an order of which nothing was filled (or, filled, all)."""
    event = only(order_updates(word, sz="0.0" if word == "filled" else "4.0"), contracts)
    assert (event.status, event.label) == (status, word)
    if word.endswith("Rejected"):
        assert event.reason is not None


def test_an_unknown_status_still_counts_what_was_filled(contracts: Contracts) -> None:
    """A word that the venue adds tomorrow ends no order and hides no fill."""
    event = only(order_updates("frozenForReview"), contracts)
    assert (event.status, event.filled, event.label) == (None, D("2.5"), "frozenForReview")


def test_filled_with_a_rest_is_no_end(contracts: Contracts) -> None:
    """The venue keeps the size from before the last match there: the fills tell, the status does not."""
    event = only(order_updates("filled"), contracts)
    assert (event.status, event.filled) == (None, D("2.5"))


def test_a_refusal_after_a_fill_is_a_cancellation(contracts: Contracts) -> None:
    """An order that was filled in part was not refused, whatever the word."""
    event = only(order_updates("perpMarginRejected"), contracts)
    assert (event.status, event.filled, event.reason) == (OrderStatus.CANCELLED, D("2.5"), RejectReason.MARGIN)


@pytest.mark.parametrize("cloid", ["web_123", None])
def test_ids_of_others_are_left_as_they_are(cloid: str | None, contracts: Contracts) -> None:
    """Only a 128-bit id is turned into our form."""
    assert only(order_updates(cloid=cloid), contracts).cloid == cloid


def test_an_empty_id_is_none(contracts: Contracts) -> None:
    """Orders without an id are not one order under the empty name."""
    assert only(order_updates(cloid=""), contracts).cloid is None


def test_a_message_may_hold_several_orders(contracts: Contracts) -> None:
    """A change of an order is two rows: the old oid ends, the new one opens, under one id."""
    message = order_updates("canceled")
    message["data"].append({"order": order(oid=78, sz="4.0"), "status": "open", "statusTimestamp": 1})
    old, new = decode(json.dumps(message), contracts)
    assert isinstance(old, OrderUpdate)
    assert isinstance(new, OrderUpdate)
    assert (old.oid, old.status, new.oid, new.status) == ("77", OrderStatus.CANCELLED, "78", OrderStatus.NEW)
    assert old.cloid == new.cloid == CLOID


def test_a_liquidation_order_is_the_venues(contracts: Contracts) -> None:
    """An order that the venue makes is marked as forced."""
    assert only(order_updates(tif="LiquidationMarket", cloid=None), contracts).forced


def test_a_fill(contracts: Contracts) -> None:
    """A rebate is a negative fee; ``crossed`` false is a maker."""
    assert only(user_fills(fill()), contracts) == FillEvent(
        venue="hl",
        ticker="ETH",
        oid="77",
        trade_id="9001",
        amount=D("-0.5"),
        price=D("2500.5"),
        cloid=CLOID,
        fee=D("-0.01"),
        fee_asset="USDC",
        is_maker=True,
        ts_venue_ns=1_700_000_000_700_000_000,
    )


def test_a_builders_fee_is_in_the_fee_already(contracts: Contracts) -> None:
    """``builderFee`` is "also included in fee" (``WsFill``): adding it, as ccxt does, would charge it twice."""
    assert only(user_fills(fill(fee="0.012896", builderFee="0.002424")), contracts).fee == D("0.012896")


def test_the_first_message_is_a_replay(contracts: Contracts) -> None:
    """What ``isSnapshot`` brings is marked, so that it is not taken for news."""
    assert only(user_fills(fill(), isSnapshot=True), contracts).snapshot


def test_user_events_hold_fills_too(contracts: Contracts) -> None:
    """The channel of userEvents is called user."""
    assert only({"channel": "user", "data": {"fills": [fill()]}}, contracts).trade_id == "9001"


def test_an_order_that_the_venue_cancelled(contracts: Contracts) -> None:
    """A nonUserCancel names its order by the oid alone."""
    message = {"channel": "user", "data": {"nonUserCancel": [{"coin": "ETH", "oid": 77}]}}
    event = only(message, contracts)
    assert (event.oid, event.status, event.filled, event.label) == ("77", OrderStatus.CANCELLED, None, "nonUserCancel")


@pytest.mark.parametrize("direction", ["Liquidated Cross Long", "Liquidated Isolated Short", "Auto-Deleveraging"])
def test_fills_that_the_venue_made_are_forced(direction: str, contracts: Contracts) -> None:
    """The direction says when our own side was taken from us."""
    assert only(user_fills(fill(dir=direction, cloid=None)), contracts).forced


@pytest.mark.parametrize(
    ("liquidated", "cloid", "forced"),
    [
        (ME.lower(), None, True),
        ("0x" + "99" * 20, "0x" + CLOID, False),
        ("0x" + "99" * 20, None, False),
        (None, "0x" + CLOID, False),
        (None, None, True),
    ],
)
def test_a_liquidation_of_another_fills_our_order_like_any_trade(
    liquidated: str | None, cloid: str | None, *, forced: bool, contracts: Contracts
) -> None:
    """The note stands on both sides of the trade: only the liquidated side's fill is forced."""
    note = {"liquidatedUser": liquidated, "markPx": "2500", "method": "market"}
    assert only(user_fills(fill(liquidation=note, cloid=cloid)), contracts).forced is forced


def test_fills_without_a_trade_id_stay_apart(contracts: Contracts) -> None:
    """Where the venue gives no id, two fills of one transaction do not become one."""
    rows = [fill(tid=0, startPosition="1.0"), fill(tid=0, startPosition="0.5")]
    first, second = decode(json.dumps(user_fills(*rows)), contracts)
    assert isinstance(first, FillEvent)
    assert isinstance(second, FillEvent)
    assert first.trade_id != second.trade_id


def test_contracts_of_a_thousand_coins_are_converted(contracts: Contracts) -> None:
    """One kPEPE is a thousand PEPE: quantities grow, prices shrink, the value stays."""
    event = only(user_fills(fill(coin="kPEPE", px="0.0125", sz="3000")), contracts)
    assert (event.amount, event.price) == (D(-3_000_000), D("0.0000125"))
    assert event.amount * event.price == D("-37.5")
    changed = only(order_updates(coin="kPEPE", limitPx="0.0125", sz="1000", origSz="3000"), contracts)
    assert (changed.amount, changed.filled, changed.price) == (D(3_000_000), D(2_000_000), D("0.0000125"))
