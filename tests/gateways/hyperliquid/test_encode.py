"""Standard requests into Hyperliquid's: what is sent, and that its signature is over exactly that."""

import re
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateways.contracts import Contracts, floor_lots, round_price
from gateways.errors import Denied
from gateways.hyperliquid.encode import encode, encode_batch, encode_ws, plain, slippage_price
from gateways.hyperliquid.signing import Signature, recover
from gateways.hyperliquid.translate import contracts_of
from gateways.standards import (
    AmendOrder,
    CancelAll,
    CancelOrder,
    Credentials,
    DeadMansSwitch,
    OrderKind,
    PlaceOrder,
    PriceRule,
    PriceSide,
    QueryBalances,
    QueryBook,
    QueryContracts,
    QueryFills,
    QueryOpenOrders,
    QueryOrder,
    QueryPositions,
    RejectReason,
    Request,
    TimeInForce,
    WireRequest,
)
from tests.gateways.hyperliquid.conftest import ADDRESS, ASSETS, SECRET

D = Decimal
CLOID = "ab" * 16
NOW = 1_700_000_000_000


def buy(**changes: Any) -> PlaceOrder:
    """A limit buy of 0.5 ETH."""
    fields: dict[str, Any] = {"ticker": "ETH", "cloid": CLOID, "amount": D("0.5"), "price": D("2500.5"), **changes}
    return PlaceOrder(**fields)


def body(wire: WireRequest) -> Any:
    """The JSON that goes out."""
    assert (wire.method, wire.headers, wire.params) == ("POST", {"Content-Type": "application/json"}, "")
    return msgspec.json.decode(wire.body)


def signer(payload: dict[str, Any], *, mainnet: bool = False) -> str:
    """The address that signed a payload as it is read from the wire."""
    signature = msgspec.convert(payload["signature"], Signature)
    return recover(
        signature,
        payload["action"],
        payload["nonce"],
        payload["vaultAddress"],
        payload["expiresAfter"],
        is_mainnet=mainnet,
    )


def action(request: Request, contracts: Contracts, credentials: Credentials) -> Any:
    """The action of a signed request, its signature checked."""
    wire = encode(request, contracts, credentials, NOW)
    assert wire.path == "/exchange"
    payload = body(wire)
    assert signer(payload) == ADDRESS
    return payload["action"]


def test_a_limit_order(contracts: Contracts, credentials: Credentials) -> None:
    """Asset id, side, plain numbers, reduce-only, time in force and our id with its 0x."""
    assert action(buy(), contracts, credentials) == {
        "type": "order",
        "orders": [
            {
                "a": 1,
                "b": True,
                "p": "2500.5",
                "s": "0.5",
                "r": False,
                "t": {"limit": {"tif": "Gtc"}},
                "c": "0x" + CLOID,
            }
        ],
        "grouping": "na",
    }


@pytest.mark.parametrize(
    ("changes", "tif"),
    [({}, "Gtc"), ({"post_only": True}, "Alo"), ({"tif": TimeInForce.IOC}, "Ioc")],
)
def test_times_in_force(changes: Any, tif: str, contracts: Contracts, credentials: Credentials) -> None:
    """Post-only is a time in force there."""
    assert action(buy(**changes), contracts, credentials)["orders"][0]["t"] == {"limit": {"tif": tif}}


def test_a_reduce_only_sale(contracts: Contracts, credentials: Credentials) -> None:
    """The sign is the side; the size has none."""
    row = action(buy(amount=D("-1.25"), ticker="SOL", price=D(150), reduce_only=True), contracts, credentials)[
        "orders"
    ][0]
    assert (row["a"], row["b"], row["s"], row["p"], row["r"]) == (2, False, "1.25", "150", True)


@pytest.mark.parametrize(
    ("amount", "price", "sent"),
    [("0.5", "2543.217", "2543.2"), ("-0.5", "2543.217", "2543.3"), ("0.5", "2543.2", "2543.2")],
)
def test_a_market_order_is_an_ioc_no_worse_than_its_price(
    amount: str, price: str, sent: str, contracts: Contracts, credentials: Credentials
) -> None:
    """The worst acceptable price is rounded to an allowed one on our side of it."""
    order = buy(kind=OrderKind.MARKET, amount=D(amount), price=D(price))
    row = action(order, contracts, credentials)["orders"][0]
    assert (row["p"], row["t"]) == (sent, {"limit": {"tif": "Ioc"}})


def test_contracts_of_a_thousand_coins_go_out_in_thousands(contracts: Contracts, credentials: Credentials) -> None:
    """3,000,000 PEPE at 0.0000125 are 3000 kPEPE at 0.0125."""
    order = buy(ticker="kPEPE", amount=D(3_000_000), price=D("0.0000125"))
    row = action(order, contracts, credentials)["orders"][0]
    assert (row["s"], row["p"]) == ("3000", "0.0125")


def test_orders_expire_and_the_expiry_is_signed(contracts: Contracts, credentials: Credentials) -> None:
    """A request that is late is refused by the venue: nobody can move that time without breaking the signature."""
    payload = body(encode(buy(), contracts, credentials, NOW))
    assert payload["expiresAfter"] == NOW + 5_000
    assert signer(payload) == ADDRESS
    assert signer({**payload, "expiresAfter": NOW + 50_000}) != ADDRESS
    bare = body(encode(buy(), contracts, credentials, NOW, expires_in_ms=None))
    assert bare["expiresAfter"] is None
    assert signer(bare) == ADDRESS


def test_a_cancel_does_not_expire(contracts: Contracts, credentials: Credentials) -> None:
    """A late cancel does no harm, and an expired one costs five times the rate."""
    assert body(encode(CancelOrder(ticker="ETH", oid="7"), contracts, credentials, NOW))["expiresAfter"] is None


def test_the_nonce_is_the_time_unless_given(contracts: Contracts, credentials: Credentials) -> None:
    """Two requests of one millisecond need two nonces: the caller counts."""
    assert body(encode(buy(), contracts, credentials, NOW))["nonce"] == NOW
    assert body(encode(buy(), contracts, credentials, NOW, nonce=NOW + 3))["nonce"] == NOW + 3


def test_mainnet_is_another_signature(contracts: Contracts, credentials: Credentials) -> None:
    """What is signed for one network is worthless on the other."""
    payload = body(encode(buy(), contracts, credentials, NOW, mainnet=True))
    assert signer(payload, mainnet=True) == ADDRESS
    assert signer(payload, mainnet=False) != ADDRESS


def test_a_change_asks_for_what_is_unfilled(contracts: Contracts, credentials: Credentials) -> None:
    """The venue replaces the order: the new one is for the total less what was filled, under the same id."""
    order = AmendOrder(
        ticker="ETH", cloid=CLOID, oid="77", amount=D("-2"), filled=D("-0.5"), price=D(2501), post_only=True
    )
    sent = action(order, contracts, credentials)
    (change,) = sent["modifies"]
    assert (sent["type"], change["oid"]) == ("batchModify", 77)
    row = change["order"]
    assert (row["b"], row["s"], row["p"], row["t"]) == (False, "1.5", "2501", {"limit": {"tif": "Alo"}})
    assert row["c"] == "0x" + CLOID


@pytest.mark.parametrize("filled", ["2", "3"])
def test_a_change_to_what_is_filled_already_is_denied(
    filled: str, contracts: Contracts, credentials: Credentials
) -> None:
    """There would be nothing left to order, or the other side."""
    order = AmendOrder(ticker="ETH", cloid=CLOID, oid="77", amount=D(2), filled=D(filled), price=D(2501))
    with pytest.raises(Denied) as caught:
        encode(order, contracts, credentials, NOW)
    assert caught.value.field == "amount"


def test_cancels(contracts: Contracts, credentials: Credentials) -> None:
    """By oid where there is one, else by our id; the two have different keys."""
    by_oid = action(CancelOrder(ticker="ETH", oid="7", cloid=CLOID), contracts, credentials)
    assert by_oid == {"type": "cancel", "cancels": [{"a": 1, "o": 7}]}
    by_cloid = action(CancelOrder(ticker="ETH", cloid=CLOID), contracts, credentials)
    assert by_cloid == {"type": "cancelByCloid", "cancels": [{"asset": 1, "cloid": "0x" + CLOID}]}
    batch = [CancelOrder(ticker="ETH", oid="7"), CancelOrder(ticker="SOL", oid="8")]
    payload = body(encode_batch(batch, contracts, credentials, NOW))
    assert payload["action"]["cancels"] == [{"a": 1, "o": 7}, {"a": 2, "o": 8}]
    assert signer(payload) == ADDRESS


def test_the_dead_mans_switch(contracts: Contracts, credentials: Credentials) -> None:
    """A time to set it, no time to take it back."""
    assert action(DeadMansSwitch(timeout_ms=10_000), contracts, credentials)["time"] == NOW + 10_000
    assert action(DeadMansSwitch(timeout_ms=0), contracts, credentials) == {"type": "scheduleCancel"}


@pytest.mark.parametrize(
    ("request_", "sent"),
    [
        (QueryContracts(), {"type": "meta"}),
        (QueryBook(ticker="ETH"), {"type": "l2Book", "coin": "ETH"}),
        (QueryOrder(ticker="ETH", oid="7"), {"type": "orderStatus", "user": ADDRESS, "oid": 7}),
        (QueryOrder(ticker="ETH", cloid=CLOID), {"type": "orderStatus", "user": ADDRESS, "oid": "0x" + CLOID}),
        (QueryOpenOrders(), {"type": "frontendOpenOrders", "user": ADDRESS}),
        (QueryFills(since_ns=5_999_999), {"type": "userFillsByTime", "user": ADDRESS, "startTime": 5}),
        (QueryPositions(), {"type": "clearinghouseState", "user": ADDRESS}),
        (QueryBalances(), {"type": "clearinghouseState", "user": ADDRESS}),
    ],
)
def test_questions_are_not_signed(
    request_: Request, sent: dict[str, Any], contracts: Contracts, credentials: Credentials
) -> None:
    """They name the account, in lower case, and go to /info."""
    wire = encode(request_, contracts, credentials, NOW)
    assert wire.path == "/info"
    assert body(wire) == sent


@pytest.mark.parametrize(
    ("request_", "field", "reason"),
    [
        (buy(tif=TimeInForce.FOK), "tif", RejectReason.OTHER),
        (buy(tif=TimeInForce.IOC, post_only=True), "tif", RejectReason.OTHER),
        (buy(kind=OrderKind.MARKET, post_only=True), "post_only", RejectReason.OTHER),
        (buy(kind=OrderKind.MARKET, price=None), "price", RejectReason.OTHER),
        (buy(price=None), "price", RejectReason.OTHER),
        (buy(price=None, price_rule=PriceRule(PriceSide.QUEUE, 1)), "price", RejectReason.OTHER),
        (buy(price=D("2500.55")), "price", RejectReason.TICK),
        (buy(price=D(0)), "price", RejectReason.TICK),
        (buy(price=D(-1)), "price", RejectReason.TICK),
        (buy(amount=D("0.00005")), "amount", RejectReason.LOT),
        (buy(amount=D(0)), "amount", RejectReason.LOT),
        (buy(ticker="ETHUSDT"), "ticker", RejectReason.OTHER),
        (buy(cloid="short"), "cloid", RejectReason.OTHER),
        (buy(cloid="AB" * 16), "cloid", RejectReason.OTHER),
        (CancelOrder(ticker="ETH"), "cloid", RejectReason.OTHER),
        (CancelOrder(ticker="ETH", oid="7x"), "oid", RejectReason.OTHER),
        (CancelOrder(ticker="ETH", oid="9" * 30), "oid", RejectReason.OTHER),
        (CancelAll(ticker="ETH"), "", RejectReason.OTHER),
        (DeadMansSwitch(timeout_ms=4_999), "timeout_ms", RejectReason.OTHER),
        (DeadMansSwitch(timeout_ms=9_000, ticker="ETH"), "ticker", RejectReason.OTHER),
    ],
)
def test_what_the_venue_cannot_take_is_denied(
    request_: Request, field: str, reason: RejectReason, contracts: Contracts, credentials: Credentials
) -> None:
    """It never leaves, and the error names the field."""
    with pytest.raises(Denied) as caught:
        encode(request_, contracts, credentials, NOW)
    assert (caught.value.field, caught.value.reason, caught.value.venue) == (field, reason, "hl")


def test_an_unknown_ticker_hints_at_the_nearest(contracts: Contracts, credentials: Credentials) -> None:
    """A slip of the keyboard is answered with what was meant."""
    with pytest.raises(Denied, match="near it: ETH"):
        encode(buy(ticker="ETHUSDT"), contracts, credentials, NOW)


@pytest.mark.parametrize(("key", "secret", "field"), [("0x12", SECRET, "key"), (ADDRESS, "0x12", "secret")])
def test_bad_credentials_are_denied_unquoted(key: str, secret: str, field: str, contracts: Contracts) -> None:
    """A key that is no address and a secret that is no private key do not leave, and are not shown."""
    request: Request = QueryPositions() if field == "key" else buy()
    with pytest.raises(Denied) as caught:
        encode(request, contracts, Credentials(key, secret), NOW)
    assert (caught.value.field, caught.value.reason) == (field, RejectReason.CREDENTIALS)
    assert "0x12" not in str(caught.value)


def test_a_websocket_post_wraps_the_same_payload(contracts: Contracts, credentials: Credentials) -> None:
    """The wrapped payload is the one that POST would carry."""
    post = msgspec.json.decode(encode_ws(buy(), contracts, credentials, NOW, 9))
    assert (post["method"], post["id"], post["request"]["type"]) == ("post", 9, "action")
    assert post["request"]["payload"] == body(encode(buy(), contracts, credentials, NOW))
    question = msgspec.json.decode(encode_ws(QueryContracts(), contracts, credentials, NOW, 10))
    assert question["request"] == {"type": "info", "payload": {"type": "meta"}}


@pytest.mark.parametrize(
    ("value", "text"),
    [("100000.0", "100000"), ("0.00001000", "0.00001"), ("1E+5", "100000"), ("0.0", "0"), ("12.5", "12.5")],
)
def test_numbers_are_plain(value: str, text: str) -> None:
    """No exponent and no trailing zeros: they are part of what is hashed."""
    assert plain(D(value)) == text


@pytest.mark.parametrize(
    ("ticker", "reference", "buying", "price"),
    [("BTC", "60000", True, "63000"), ("SOL", "150.123", False, "142.62"), ("ETH", "2500.55", True, "2625.6")],
)
def test_the_slippage_limit_is_at_the_nearest_price(
    ticker: str, reference: str, *, buying: bool, price: str, contracts: Contracts
) -> None:
    """5 % beyond the market, rounded to what the venue takes."""
    assert slippage_price(contracts[ticker], D(reference), D("0.05"), buying=buying) == D(price)


PLAIN = re.compile(r"(0|[1-9][0-9]*)(\.[0-9]*[1-9])?")
UNIVERSE = Contracts("hl", contracts_of("hl", ASSETS))


@settings(deadline=None)
@given(
    ticker=st.sampled_from(sorted(UNIVERSE)),
    amount=st.decimals("0.00001", "1e9", places=6),
    price=st.decimals("0.000001", "200000", places=9),
    selling=st.booleans(),
    post_only=st.booleans(),
)
def test_every_allowed_order_goes_out_plain_and_verifies(
    *, ticker: str, amount: Decimal, price: Decimal, selling: bool, post_only: bool
) -> None:
    """Whatever is on the lot and the tick is encoded to plain numbers that mean the same, and verifies."""
    contract = UNIVERSE[ticker]
    lots = max(floor_lots(contract, amount), contract.lot_size)
    level = max(round_price(contract, price), contract.tick_size)
    order = buy(ticker=ticker, amount=-lots if selling else lots, price=level, post_only=post_only)
    payload = body(encode(order, UNIVERSE, Credentials(ADDRESS, SECRET), NOW))
    (row,) = payload["action"]["orders"]
    assert PLAIN.fullmatch(row["p"])
    assert PLAIN.fullmatch(row["s"])
    assert D(row["s"]) * contract.multiplier == lots
    assert D(row["p"]) / contract.multiplier == level
    assert row["b"] is not selling
    assert signer(payload) == ADDRESS
