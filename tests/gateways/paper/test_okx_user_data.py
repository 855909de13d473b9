"""What the paper OKX front tells an account of itself: orders, positions, money, in the venue's order."""

from decimal import Decimal
from typing import Any

import pytest

from tests.gateways.paper.front_client import HOUSE
from tests.gateways.paper.okx_client import LIMIT, MARKET, OTHER, OWNER, TICKER, PaperClient

D = Decimal
ORDERS = {"channel": "orders", "instType": "SWAP"}
POSITIONS = {"channel": "positions", "instType": "SWAP"}
ACCOUNT = {"channel": "account"}
BOTH = {"channel": "balance_and_position"}


@pytest.fixture
def client() -> PaperClient:
    """A client of a venue with 25 levels a side around BTC 95,000."""
    made = PaperClient()
    made.ladder()
    return made


def states(rows: list[Any]) -> list[tuple[str, str, str]]:
    """State, cumulative filled, and this message's own execution of each order message."""
    return [(row["state"], row["accFillSz"], row["fillSz"]) for row in rows]


def test_an_order_is_told_of_from_its_birth_to_its_end(client: PaperClient) -> None:
    """Live, changed, partly filled by a maker's execution, cancelled: one message each."""
    connection = client.private(ORDERS)
    client.order(clOrdId="mine", ordType="post_only", px="94999.9")
    client.post("trade/amend-order", {"instId": TICKER, "clOrdId": "mine", "newSz": "2", "reqId": "r1"})
    client.meet("mine", "0.005")
    client.post("trade/cancel-order", {"instId": TICKER, "clOrdId": "mine"})
    told = client.heard(connection, "orders")
    assert states(told) == [
        ("live", "0", "0"),
        ("live", "0", "0"),
        ("partially_filled", "0.5", "0.5"),
        ("canceled", "0.5", "0"),
    ]
    assert [(row["amendResult"], row["reqId"]) for row in told] == [("", ""), ("0", "r1"), ("", ""), ("", "")]
    filled, ended = told[2:]
    assert (filled["execType"], filled["fillPx"], filled["fillFeeCcy"]) == ("M", "94999.9", "USDT")
    assert D(filled["fillFee"]) == D("-0.0002") * D("94999.9") * D("0.005") == D(ended["fee"])
    assert (ended["tradeId"], ended["fillPx"], ended["fillFee"], ended["cancelSource"]) == ("", "", "0", "1")
    assert ended["uTime"] == client.stamp


def test_each_execution_is_a_message_of_its_own(client: PaperClient) -> None:
    """A taker through three makers: three trade ids, the fee cumulative beside the execution's own."""
    client.house(TICKER, is_buy=False, price="95000.1", quantity="0.2")
    connection = client.private(ORDERS)
    client.order(clOrdId="mine", sz="75", **MARKET)
    live, *fills = client.heard(connection, "orders")
    assert states([live]) == [("live", "0", "0")]
    assert states(fills) == [
        ("partially_filled", "50", "50"), ("partially_filled", "70", "20"), ("filled", "75", "5"),
    ]  # fmt: skip
    assert len({row["tradeId"] for row in fills}) == 3
    fees = [D(row["fillFee"]) for row in fills]
    assert [D(row["fee"]) for row in fills] == [fees[0], fees[0] + fees[1], sum(fees)]
    asked = {row["tradeId"]: row["fillSz"] for row in client.ask("trade/fills")}
    assert asked == {row["tradeId"]: row["fillSz"] for row in fills}


@pytest.mark.parametrize(("kind", "source"), [("post_only", "31"), ("fok", "13"), ("ioc", "14")])
def test_what_its_own_terms_end_is_told_as_cancelled(client: PaperClient, kind: str, source: str) -> None:
    """Its last message has the reason, and no other says that it ended."""
    connection = client.private(ORDERS)
    client.order(ordType=kind, sz="999", px="95000.1" if kind == "post_only" else "94000")
    *before, ended = client.heard(connection, "orders")
    assert (ended["state"], ended["cancelSource"], ended["accFillSz"]) == ("canceled", source, "0")
    assert {row["state"] for row in before} <= {"live"}


def test_an_amend_that_changes_nothing_is_told_of(client: PaperClient) -> None:
    """A client that waits for the news of its amend hears the order as it stands."""
    connection = client.private(ORDERS)
    client.order(clOrdId="mine")
    client.post("trade/amend-order", {"instId": TICKER, "clOrdId": "mine", "newSz": "1", "reqId": "r1"})
    client.wait(100)
    _, told = client.heard(connection, "orders")
    assert (told["state"], told["sz"], told["amendResult"], told["reqId"]) == ("live", "1", "0", "r1")


def test_a_fill_is_told_first_by_the_order_then_by_position_and_money(client: PaperClient) -> None:
    """One message of each of the others, as they are after all executions."""
    connection = client.private(ORDERS, POSITIONS, ACCOUNT, BOTH)
    client.order(sz="75", **MARKET)
    messages = client.heard(connection)
    assert [each["arg"]["channel"] for each in messages] == [
        "orders", "orders", "orders", "positions", "account", "balance_and_position",
    ]  # fmt: skip
    assert {each["arg"]["uid"] for each in messages} == {client.ask("account/config")[0]["uid"]}
    (position,), (money,), (both,) = (each["data"] for each in messages[3:])
    assert (position["instId"], position["pos"], position["tradeId"]) == (TICKER, "75", "2")
    assert money["details"][0]["cashBal"] == both["balData"][0]["cashBal"]
    assert D(money["details"][0]["cashBal"]) == client.exchange.balance(OWNER.key).wallet
    assert (both["eventType"], both["posData"][0]["pos"]) == ("filled", "75")


def test_a_closed_position_is_told_as_zero(client: PaperClient) -> None:
    """And is in no snapshot after that."""
    client.order(**MARKET)
    connection = client.private(POSITIONS)
    client.order(side="sell", **MARKET)
    (row,) = client.heard(connection, "positions")
    assert (row["pos"], row["avgPx"]) == ("0", "")
    answers = client.subscribe(client.private(), POSITIONS)
    assert answers[-1]["data"] == []


def test_channels_of_state_begin_with_all_that_there_is(client: PaperClient) -> None:
    """Positions and money come with the subscription; orders tell nothing of the past."""
    client.order(sz="3", **MARKET)
    client.order(clOrdId="open")
    connection = client.private()
    answers = client.subscribe(connection, ORDERS, POSITIONS, ACCOUNT, BOTH)
    first = {each["arg"]["channel"]: each["data"] for each in answers if "data" in each}
    assert set(first) == {"positions", "account", "balance_and_position"}
    assert [row["pos"] for row in first["positions"]] == ["3"]
    assert first["balance_and_position"][0]["eventType"] == "snapshot"


def test_an_account_hears_of_itself_alone(client: PaperClient) -> None:
    """The maker's and the taker's owner each hear their own side of a trade."""
    mine, theirs = client.private(ORDERS), client.private(ORDERS, owner=OTHER)
    client.order(clOrdId="mine", px="95000")
    client.send("POST", "trade/order", {**LIMIT, "side": "sell", "px": "95000", "clOrdId": "other"}, owner=OTHER)
    for connection, name, liquidity in ((mine, "mine", "M"), (theirs, "other", "T")):
        told = client.heard(connection, "orders")
        assert {row["clOrdId"] for row in told} == {name}
        assert (told[-1]["state"], told[-1]["execType"]) == ("filled", liquidity)


def test_a_subscription_may_be_for_one_contract(client: PaperClient) -> None:
    """By name, by family, by kind; of another kind it hears nothing."""
    named = client.private({**ORDERS, "instId": "ETH-USDT-SWAP"})
    family = client.private({**ORDERS, "instFamily": "BTC-USDT"})
    every = client.private({"channel": "orders", "instType": "ANY"})
    spot = client.private({"channel": "orders", "instType": "SPOT"})
    client.order()
    assert [len(client.heard(each, "orders")) for each in (named, family, every, spot)] == [0, 1, 1, 0]


def test_positions_and_money_come_again_while_there_are_positions(client: PaperClient) -> None:
    """Every five seconds, unless the subscription asks for changes alone; without a position not at all."""
    regular = client.private(POSITIONS, ACCOUNT)
    changes = client.private({**POSITIONS, "extraParams": '{"updateInterval": "0"}'})
    client.wait(5_000)
    assert client.heard(regular) == []
    client.order(**MARKET)
    client.heard(regular), client.heard(changes)
    client.wait(5_000)
    assert [each["arg"]["channel"] for each in client.heard(regular)] == ["positions", "account"]
    assert client.heard(changes) == []


def test_a_reduce_only_order_ends_with_its_position(client: PaperClient) -> None:
    """When nothing is left to reduce the venue cancels it and says why."""
    client.order(sz="2", **MARKET)
    connection = client.private(ORDERS)
    client.order(clOrdId="rests", side="sell", px="96000", sz="2", reduceOnly=True)
    client.order(side="sell", sz="2", **MARKET)
    told = [row for row in client.heard(connection, "orders") if row["clOrdId"] == "rests"]
    assert [(row["state"], row["reduceOnly"]) for row in told] == [("live", "true"), ("canceled", "true")]
    assert told[-1]["cancelSource"] == "17"


def test_the_switch_is_told_as_the_reason(client: PaperClient) -> None:
    """Orders that the dead man's switch cancels say so."""
    connection = client.private(ORDERS)
    client.order()
    client.post("trade/cancel-all-after", {"timeOut": "10"})
    client.wait(10_000)
    assert [(row["state"], row["cancelSource"]) for row in client.heard(connection, "orders")] == [
        ("live", ""), ("canceled", "20"),
    ]  # fmt: skip


def test_no_more_than_thirty_connections_hear_of_an_account(client: PaperClient) -> None:
    """Of one of its channels; the next one is refused."""
    for _ in range(30):
        client.private(ORDERS)
    last = client.private()
    assert client.subscribe(last, ORDERS)[0]["code"] == "60020"
    assert HOUSE not in client.exchange.users
