"""What the paper Binance front publishes and what it tells an account of itself."""

import json
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateways.binance.decode import decode
from gateways.contracts import Contracts
from gateways.paper.binance import numbers
from gateways.paper.binance.account import PositionTally
from gateways.paper.contracts import RULES
from gateways.paper.records import PaperFill
from gateways.standards import Contract
from tests.gateways.paper.binance_client import KEY, LIMIT, PaperClient, code_of
from tests.gateways.paper.front_client import MONEY

ORDER = "/fapi/v1/order"


@pytest.fixture
def client() -> PaperClient:
    """A client of a venue with 25 levels a side around BTC 95,000."""
    made = PaperClient()
    made.ladder()
    return made


def test_contract_rules_are_published_as_they_are_enforced(client: PaperClient) -> None:
    """The published filters are the contract's own numbers, written with the published digits."""
    info = client.public("/fapi/v1/exchangeInfo")
    assert [limit["limit"] for limit in info["rateLimits"]] == [2400, 300, 1200]
    symbols = {symbol["symbol"]: symbol for symbol in info["symbols"]}
    assert set(symbols) == {contract.ticker for contract in RULES["binance"].contracts}
    bitcoin = symbols["BTCUSDT"]
    filters = {item["filterType"]: item for item in bitcoin["filters"]}
    assert filters["PRICE_FILTER"]["tickSize"] == "0.10"
    assert filters["LOT_SIZE"] == {"filterType": "LOT_SIZE", "minQty": "0.001", "maxQty": "1000", "stepSize": "0.001"}
    assert filters["MARKET_LOT_SIZE"]["maxQty"] == "120"
    assert filters["MIN_NOTIONAL"]["notional"] == "100"
    assert (bitcoin["pricePrecision"], bitcoin["quantityPrecision"], bitcoin["status"]) == (2, 3, "TRADING")
    up = Decimal(filters["PERCENT_PRICE"]["multiplierUp"]) * 95_000
    assert client.refused("POST", ORDER, **{**LIMIT, "price": str(up + Decimal("0.1"))}) == -4016
    assert client.send("POST", ORDER, **{**LIMIT, "price": str(up), "timeInForce": "IOC"}).status == 200


def test_our_own_gateway_reads_the_contracts_back(client: PaperClient) -> None:
    """What is published, decoded by the gateway, is the contracts that the exchange enforces."""
    body = json.dumps(client.public("/fapi/v1/exchangeInfo"))
    read = [event for event in decode(body, Contracts("binance")) if isinstance(event, Contract)]
    assert read == list(RULES["binance"].contracts)


def test_public_market_data_agrees_with_itself(client: PaperClient) -> None:
    """Best prices, depth, trades and last price tell of the same market."""
    client.order(price="95000.1", quantity="0.2")
    depth = client.public("/fapi/v1/depth", symbol="BTCUSDT", limit=5)
    best = client.public("/fapi/v1/ticker/bookTicker", symbol="BTCUSDT")
    assert depth["asks"][0] == [best["askPrice"], best["askQty"]] == ["95000.10", "0.300"]
    assert depth["bids"][0] == [best["bidPrice"], best["bidQty"]]
    assert best["lastUpdateId"] == depth["lastUpdateId"]
    (trade,) = client.public("/fapi/v1/trades", symbol="BTCUSDT")
    (aggregate,) = client.public("/fapi/v1/aggTrades", symbol="BTCUSDT")
    assert (trade["price"], trade["qty"], trade["isBuyerMaker"]) == ("95000.10", "0.200", False)
    assert (aggregate["p"], aggregate["q"], aggregate["f"], aggregate["m"]) == ("95000.10", "0.200", trade["id"], False)
    assert client.public("/fapi/v1/ticker/price", symbol="BTCUSDT")["price"] == "95000.10"
    assert client.public("/fapi/v1/premiumIndex", symbol="BTCUSDT")["markPrice"] == "95000.00000000"
    assert code_of(client.http("GET", "/fapi/v1/depth", "symbol=BTCUSDT&limit=7")) == -4021


# ------------------------------------------------------------------ the account


def test_position_and_money_add_up(client: PaperClient) -> None:
    """After a round trip the wallet has lost the trades' fees and gained their profit, in every account view."""
    client.order(side="SELL", type="MARKET", price="", timeInForce="", quantity="0.5")
    (risk,) = client.ask("GET", "/fapi/v3/positionRisk")
    assert (risk["symbol"], risk["positionAmt"], risk["positionSide"]) == ("BTCUSDT", "-0.500", "BOTH")
    (row,) = client.ask("GET", "/fapi/v2/positionRisk", symbol="BTCUSDT")
    assert (row["positionAmt"], row["entryPrice"]) == ("-0.500", risk["entryPrice"])
    for path in ("/fapi/v2/account", "/fapi/v3/account"):
        account = client.ask("GET", path)
        wallet, profit = Decimal(account["totalWalletBalance"]), Decimal(account["totalUnrealizedProfit"])
        assert Decimal(account["totalMarginBalance"]) == wallet + profit
        assert profit == Decimal(risk["unRealizedProfit"])
        assert Decimal(account["availableBalance"]) < wallet
    client.order(type="MARKET", price="", timeInForce="", quantity="0.5", reduceOnly="true")
    trades = client.ask("GET", "/fapi/v1/userTrades", symbol="BTCUSDT")
    earned = sum(Decimal(trade["realizedPnl"]) - Decimal(trade["commission"]) for trade in trades)
    (balance,) = client.ask("GET", "/fapi/v2/balance")
    assert Decimal(balance["balance"]) == MONEY + earned
    assert client.ask("GET", "/fapi/v3/positionRisk") == []
    assert [item["positionAmt"] for item in client.ask("GET", "/fapi/v2/account")["positions"]] == [
        "0.000",
        "0.000",
        "0.00",
        "0.0",
    ]


@pytest.mark.parametrize(("side", "near", "far"), [("BUY", "95000.1", "94000"), ("SELL", "94999.9", "96000")])
def test_open_orders_take_margin_with_the_position(client: PaperClient, side: str, near: str, far: str) -> None:
    """What is left of open orders on the position's side counts at its price, at the exchange's leverage of ten."""
    client.order(side=side, price=near, quantity="0.6")
    client.order(side=side, price=far, quantity="0.1")
    (risk,) = client.ask("GET", "/fapi/v3/positionRisk", symbol="BTCUSDT")
    resting = Decimal(near) * Decimal("0.1") + Decimal(far) * Decimal("0.1")
    notionals = [Decimal(risk["bidNotional"]), Decimal(risk["askNotional"])]
    assert notionals == ([resting, 0] if side == "BUY" else [0, resting])
    assert Decimal(risk["openOrderInitialMargin"]) == resting / 10
    assert Decimal(risk["positionInitialMargin"]) == abs(Decimal(risk["notional"])) / 10


def test_settings_say_what_the_venue_is(client: PaperClient) -> None:
    """One-way, single-asset, cross margin: asked for they are told, asked for again they need no change."""
    assert client.ask("GET", "/fapi/v1/positionSide/dual") == {"dualSidePosition": False}
    assert client.refused("POST", "/fapi/v1/positionSide/dual", dualSidePosition="false") == -4059
    assert client.refused("POST", "/fapi/v1/positionSide/dual", dualSidePosition="true") == -1020
    assert client.ask("GET", "/fapi/v1/multiAssetsMargin") == {"multiAssetsMargin": False}
    assert client.refused("POST", "/fapi/v1/multiAssetsMargin", multiAssetsMargin="false") == -4171
    assert client.refused("POST", "/fapi/v1/marginType", symbol="BTCUSDT", marginType="CROSSED") == -4046
    assert client.refused("POST", "/fapi/v1/marginType", symbol="BTCUSDT", marginType="ISOLATED") == -1020
    assert client.refused("POST", "/fapi/v1/leverage", symbol="BTCUSDT", leverage=126) == -4028
    assert client.ask("POST", "/fapi/v1/leverage", symbol="BTCUSDT", leverage=21)["leverage"] == 21
    assert client.ask("GET", "/fapi/v1/symbolConfig", symbol="BTCUSDT")[0]["leverage"] == 21
    rates = client.ask("GET", "/fapi/v1/commissionRate", symbol="BTCUSDT")
    assert (rates["makerCommissionRate"], rates["takerCommissionRate"]) == ("0.0002", "0.0005")
    assert client.ask("GET", "/fapi/v1/leverageBracket", symbol="BTCUSDT")[0]["symbol"] == "BTCUSDT"
    assert client.ask("GET", "/fapi/v1/income") == []
    assert [row["limit"] for row in client.ask("GET", "/fapi/v1/rateLimit/order")] == [300, 1200]


@given(
    st.lists(
        st.tuples(st.booleans(), st.integers(1, 50), st.integers(50, 150), st.integers(0, 9)), min_size=1, max_size=20
    )
)
def test_closing_at_break_even_returns_all_that_was_paid(fills: list[tuple[bool, int, int, int]]) -> None:
    """From flat to flat at the break-even price, cash out equals cash in, fees so far included."""
    tally, amount, cash = PositionTally(), Decimal(0), Decimal(0)
    for trade_id, (is_buy, quantity, price, fee) in enumerate(fills):
        signed_quantity = Decimal(quantity if is_buy else -quantity)
        tally.add(_fill(trade_id, is_buy=is_buy, quantity=quantity, price=price, fee=fee, start=amount))
        after = amount + signed_quantity
        if amount * after <= 0:
            cash = -after * price - Decimal(fee) * abs(after) / quantity
        else:
            cash -= signed_quantity * price + fee
        amount = after
    if amount:
        assert abs(cash + amount * tally.break_even) < Decimal("1e-15")
    else:
        assert tally.break_even == 0


def test_a_fill_that_is_told_late_does_not_date_the_position_back() -> None:
    """The time of a position is that of its latest fill, in whatever order the fills are told."""
    tally, fill = PositionTally(), _fill(1, is_buy=True, quantity=1, price=100, fee=0, start=Decimal(0))
    tally.add(msgspec.structs.replace(fill, ts_ns=2_000))
    tally.add(msgspec.structs.replace(fill, ts_ns=1_000, start_position=Decimal(1)))
    assert tally.updated_ns == 2_000


@given(st.decimals("0.10", "1000000", places=1), st.decimals("0.001", "1000", places=3))
def test_numbers_keep_their_value_in_the_contracts_digits(price: Decimal, quantity: Decimal) -> None:
    """What is on tick and on lot is written without loss, with as many digits as published, never with an exponent."""
    contract = RULES["binance"].contracts[0]
    assert Decimal(numbers.price(contract, price)) == price
    assert Decimal(numbers.quantity(contract, quantity)) == quantity
    assert numbers.price(contract, price)[-3] == "."
    assert Decimal(numbers.plain(price)) == price


def _fill(trade_id: int, *, is_buy: bool, quantity: int, price: int, fee: int, start: Decimal) -> PaperFill:
    return PaperFill(
        trade_id=trade_id,
        account=KEY,
        order_id=1,
        client_id=None,
        ticker="BTCUSDT",
        is_buy=is_buy,
        quantity=Decimal(quantity),
        price=Decimal(price),
        fee=Decimal(fee),
        fee_asset="USDT",
        is_maker=False,
        ts_ns=trade_id,
        start_position=start,
        realised=Decimal(0),
    )
