"""Standard requests into signed v5 requests: sizes in contracts, what is bounded in time, what is refused here."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateways.contracts import Contracts
from gateways.errors import Denied
from gateways.okx.encode import ACCEPTANCE_MS, encode, encode_ws, login, plain, sign, timestamp
from gateways.okx.instruments import instruments
from gateways.okx.venue import CAPABILITIES
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
    Request,
    TimeInForce,
)
from tests.gateways.okx.messages import CLOID, ETH, instrument

D = Decimal
CREDENTIALS = Credentials("key", "secret", "pass")
NOW_MS = 1_700_000_000_007


def placed(**fields: Any) -> PlaceOrder:
    return PlaceOrder(**{"ticker": ETH, "cloid": CLOID, "amount": D(2), "price": D(2500), **fields})


def body_of(request: Request, contracts: Contracts) -> dict[str, Any]:
    return json.loads(encode(request, contracts, CREDENTIALS, NOW_MS).body)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, {"ordType": "limit", "px": "2500", "side": "buy", "sz": "20"}),
        ({"amount": D("-0.001")}, {"ordType": "limit", "px": "2500", "side": "sell", "sz": "0.01"}),
        ({"post_only": True}, {"ordType": "post_only", "px": "2500", "side": "buy", "sz": "20"}),
        ({"tif": TimeInForce.IOC}, {"ordType": "ioc", "px": "2500", "side": "buy", "sz": "20"}),
        ({"tif": TimeInForce.FOK}, {"ordType": "fok", "px": "2500", "side": "buy", "sz": "20"}),
        ({"kind": OrderKind.MARKET, "price": None}, {"ordType": "market", "side": "buy", "sz": "20"}),
        (
            {"reduce_only": True},
            {"ordType": "limit", "px": "2500", "side": "buy", "sz": "20", "reduceOnly": True},
        ),
        (
            {"ticker": "PEPE-USDT-SWAP", "amount": D(1_000_000), "price": D("0.00001")},
            {"instId": "PEPE-USDT-SWAP", "ordType": "limit", "px": "0.00001", "side": "buy", "sz": "0.1"},
        ),
    ],
)
def test_orders(contracts: Contracts, fields: dict[str, Any], expected: dict[str, Any]) -> None:
    """Each kind of order is what the venue calls it, its size in contracts, on cross margin."""
    common = {"instId": ETH, "tdMode": "cross", "clOrdId": CLOID}
    assert body_of(placed(**fields), contracts) == {**common, **expected}


def test_orders_and_amends_name_their_last_time_and_cancels_do_not(contracts: Contracts) -> None:
    """Past ``expTime`` the venue refuses an order or an amend: that is what the capabilities promise."""
    amend = AmendOrder(ticker=ETH, cloid=CLOID, oid="7", amount=D(3), price=D(2501))
    cancel = CancelOrder(ticker=ETH, oid="7")
    until = str(NOW_MS + ACCEPTANCE_MS)
    for request in (placed(), amend):
        assert encode(request, contracts, CREDENTIALS, NOW_MS).headers["expTime"] == until
        assert json.loads(encode_ws(request, contracts, CREDENTIALS, NOW_MS, "a1"))["expTime"] == until
    assert "expTime" not in encode(cancel, contracts, CREDENTIALS, NOW_MS).headers
    assert "expTime" not in json.loads(encode_ws(cancel, contracts, CREDENTIALS, NOW_MS, "a1"))
    assert (CAPABILITIES.acceptance_window_ms, CAPABILITIES.acceptance_bounded) == (ACCEPTANCE_MS, True)


def test_amends_give_the_new_total(contracts: Contracts) -> None:
    """The venue's new size counts what is filled in, as ours does; the news of it carries the request's id."""
    amend = AmendOrder(ticker=ETH, cloid=CLOID, oid="", amount=D(-3), price=D(2501), filled=D(-1))
    made = encode(amend, contracts, CREDENTIALS, NOW_MS, request_id="amend1")
    assert made.path == "/api/v5/trade/amend-order"
    assert json.loads(made.body) == {
        "instId": ETH,
        "clOrdId": CLOID,
        "newSz": "30",
        "newPx": "2501",
        "reqId": "amend1",
    }


def test_websocket_orders_name_the_contract_by_its_code(contracts: Contracts) -> None:
    """``instIdCode``, a number, takes the place of ``instId``; a contract without one is refused."""
    message = json.loads(encode_ws(placed(), contracts, CREDENTIALS, NOW_MS, "place1"))
    [args] = message["args"]
    assert (message["id"], message["op"], args["instIdCode"], "instId" in args) == ("place1", "order", 10461, False)
    bare = Contracts("okx", instruments([instrument(instIdCode=None)], "okx"))
    with pytest.raises(Denied, match="instIdCode"):
        encode_ws(placed(), bare, CREDENTIALS, NOW_MS, "place1")
    with pytest.raises(Denied, match="QueryBalances"):
        encode_ws(QueryBalances(), contracts, CREDENTIALS, NOW_MS, "q1")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"ticker": "ETH-USD-SWAP"}, "ticker"),
        ({"amount": D(0)}, "amount"),
        ({"amount": D("NaN")}, "amount"),
        ({"amount": D("0.0015")}, "amount"),
        ({"price": None}, "price"),
        ({"price": D(-1)}, "price"),
        ({"price": D("Infinity")}, "price"),
        ({"price": None, "price_rule": PriceRule(PriceSide.QUEUE, 1)}, "price_rule"),
        ({"post_only": True, "tif": TimeInForce.IOC}, "tif"),
        ({"post_only": True, "kind": OrderKind.MARKET}, "post_only"),
        ({"cloid": "with-a-hyphen"}, "cloid"),
        ({"cloid": "x" * 33}, "cloid"),
        ({"cloid": ""}, "cloid"),
    ],
)
def test_what_the_venue_would_refuse_is_denied_here(contracts: Contracts, fields: dict[str, Any], field: str) -> None:
    """Denied names the field, on either way to the venue."""
    for way in (
        lambda: encode(placed(**fields), contracts, CREDENTIALS, NOW_MS),
        lambda: encode_ws(placed(**fields), contracts, CREDENTIALS, NOW_MS, "a1"),
    ):
        with pytest.raises(Denied) as raised:
            way()
        assert raised.value.field == field


@pytest.mark.parametrize(
    "request_",
    [
        CancelAll(ticker=ETH),
        CancelOrder(ticker=ETH),
        CancelOrder(ticker=ETH, oid="0x12"),
        QueryOrder(ticker=ETH),
        DeadMansSwitch(timeout_ms=60_000, ticker=ETH),
        DeadMansSwitch(timeout_ms=9_000),
        DeadMansSwitch(timeout_ms=121_000),
    ],
)
def test_what_the_venue_does_not_have_is_denied(contracts: Contracts, request_: Request) -> None:
    """No cancel of all, no switch for one contract or outside its range, no order without a name."""
    with pytest.raises(Denied):
        encode(request_, contracts, CREDENTIALS, NOW_MS)


@pytest.mark.parametrize(
    ("request_", "path", "params"),
    [
        (QueryOrder(ticker=ETH, oid="7", cloid=CLOID), "/api/v5/trade/order", f"instId={ETH}&ordId=7"),
        (QueryOrder(ticker=ETH, cloid=CLOID), "/api/v5/trade/order", f"instId={ETH}&clOrdId={CLOID}"),
        (QueryOpenOrders(), "/api/v5/trade/orders-pending", "instType=SWAP"),
        (QueryFills(since_ns=7_000_000), "/api/v5/trade/fills", "instType=SWAP&begin=7&limit=100"),
        (QueryPositions(), "/api/v5/account/positions", "instType=SWAP"),
        (QueryBalances(), "/api/v5/account/balance", ""),
        (QueryContracts(), "/api/v5/public/instruments", "instType=SWAP"),
        (QueryBook(ticker=ETH, depth=1_000), "/api/v5/market/books", f"instId={ETH}&sz=400"),
    ],
)
def test_queries(contracts: Contracts, request_: Request, path: str, params: str) -> None:
    """Each query is at its address; public ones carry no key."""
    made = encode(request_, contracts, CREDENTIALS, NOW_MS)
    assert (made.method, made.path, made.params, made.body) == ("GET", path, params, b"")
    if isinstance(request_, QueryContracts | QueryBook):
        assert made.headers == {}
    else:
        target = f"{path}?{params}" if params else path
        assert made.headers["OK-ACCESS-SIGN"] == sign("secret", f"2023-11-14T22:13:20.007ZGET{target}")
        assert made.headers["OK-ACCESS-PASSPHRASE"] == "pass"


def test_login_proves_the_second() -> None:
    """The time is whole seconds, as a text, and is what is signed."""
    [proof] = json.loads(login(CREDENTIALS, NOW_MS))["args"]
    assert proof == {
        "apiKey": "key",
        "passphrase": "pass",
        "timestamp": "1700000000",
        "sign": sign("secret", "1700000000GET/users/self/verify"),
    }


@given(st.integers(min_value=0, max_value=4_102_444_800_000))
def test_timestamps_keep_every_millisecond(now_ms: int) -> None:
    """Three decimals, always, and the time they say is the one given."""
    from datetime import datetime  # noqa: PLC0415 - for reading back alone

    text = timestamp(now_ms)
    assert len(text) == len("2023-11-14T22:13:20.007Z")
    read = datetime.fromisoformat(text)
    assert int(read.timestamp()) * 1_000 + read.microsecond // 1_000 == now_ms


@given(st.integers(min_value=1, max_value=10**9), st.booleans())
def test_sizes_come_back_as_they_went(lots: int, buying: bool) -> None:
    """Whatever multiple of the lot: contracts times the contract's size is the amount, without an exponent."""
    contracts = Contracts("okx", instruments([instrument(ctVal="0.7", lotSz="0.3", minSz="0.3")], "okx"))
    amount = lots * contracts[ETH].lot_size * (1 if buying else -1)
    size = body_of(placed(amount=amount), contracts)["sz"]
    assert Decimal(size) * D("0.7") == abs(amount)
    assert "E" not in size


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value="-1e20", max_value="1e20"))
def test_plain_numbers(value: Decimal) -> None:
    """No exponent, no trailing zeros after a point, the same value."""
    text = plain(value)
    assert Decimal(text) == value
    assert "E" not in text
    assert not ("." in text and text.endswith("0"))
