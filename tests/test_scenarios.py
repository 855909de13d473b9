"""The main job end to end: real gateways, real sockets, paper venues; judged by what the venues themselves say."""

from decimal import Decimal

import pytest

from gateways.paper.recording import parse_recording, read_recording
from tests.desk import run
from tests.recordings import recording

D = Decimal
TRADES = "recorded/binance_usdm__aggTrades_FXSUSDT-2023-11-17.csv"
ETH = "buy 0.0137 hyperliquid:ETH @ opponent1 hedge binance:ETHUSDT market"


def quantities(book):
    return {name: D(book[name]) for name in ("target", "hedged", "in_flight", "balance", "forfeited")}


async def test_a_maker_on_hyperliquid_is_hedged_on_binance_and_the_lot_remainder_waits():
    """0.0137 bought, 0.013 sold at once, -0.0007 waits under the lot; the venues agree."""
    written = await run(ETH, "wait idle 10s", "quit")
    assert written.code == 0
    assert written.summary["consistent"] is True
    assert quantities(written.book("binance", "ETHUSDT")) == {
        "target": D("-0.0137"), "hedged": D("-0.013"), "in_flight": D(0), "balance": D("-0.0007"), "forfeited": D(0),
    }  # fmt: skip
    assert written.book("binance", "ETHUSDT")["waits"] == "under the lot of 0.001"
    assert {(row["venue"], row["ticker"]): D(row["at_venue"]) for row in written.summary["positions"]} == {
        ("hyperliquid", "ETH"): D("0.0137"), ("binance", "ETHUSDT"): D("-0.013"),
    }  # fmt: skip


async def test_what_waits_goes_with_the_next_hedge():
    """Two remainders of -0.0007 and -0.0007 together make a lot: -0.0274 is hedged by -0.027."""
    written = await run(ETH, "wait idle 10s", ETH, "wait idle 10s", "quit")
    assert written.code == 0
    book = quantities(written.book("binance", "ETHUSDT"))
    assert (book["target"], book["hedged"], book["balance"]) == (D("-0.0274"), D("-0.027"), D("-0.0004"))


@pytest.mark.parametrize(
    ("line", "book", "hedged"),
    [
        ("buy 0.02 binance:ETHUSDT @ opponent1 hedge binance:BTCUSDT x0.1 market", ("binance", "BTCUSDT"), "-0.002"),
        ("sell 0.02 binance:ETHUSDT @ opponent1 hedge hyperliquid:ETH market", ("hyperliquid", "ETH"), "0.02"),
        ("sell 0.5 hyperliquid:SOL @ market hedge binance:SOLUSDT ioc 20bps", ("binance", "SOLUSDT"), "0.5"),
        ("buy 0.01 hyperliquid:ETH @ opponent1 hedge binance:ETHUSDT after 300ms", ("binance", "ETHUSDT"), "-0.01"),
    ],
)
async def test_every_direction_policy_and_delay(line, book, hedged):
    """Ticker against ticker on one venue, both cross directions, market and IOC, at once and delayed."""
    line = line.replace("hedge binance:BTCUSDT x0.1", "hedge x0.1 binance:BTCUSDT")
    written = await run(line, "wait idle 10s", "quit")
    assert written.replies[1]["ok"], written.replies[1]
    assert D(written.book(*book)["hedged"]) == D(hedged)
    assert written.code == 0


async def test_two_legs_share_the_hedge_by_their_ratios():
    """Each leg hedges its own part on its own venue."""
    line = "sell 0.04 binance:ETHUSDT @ opponent1 hedge x0.5 hyperliquid:ETH hedge x0.02 hyperliquid:BTC"
    written = await run(line, "wait idle 10s", "quit")
    assert D(written.book("hyperliquid", "ETH")["hedged"]) == D("0.02")
    assert D(written.book("hyperliquid", "BTC")["hedged"]) == D("0.0008")
    assert written.code == 0


async def test_flatten_forfeits_what_waits_and_leaves_no_position():
    """Flatten all: the balance is written off, positions are closed reduce-only, the books still add up."""
    written = await run(ETH, "wait idle 10s", "flatten all", "wait idle 10s", "quit")
    assert written.replies[3]["ok"], written.replies[3]
    assert all(D(row["at_venue"]) == 0 for row in written.summary["positions"])
    assert D(written.book("binance", "ETHUSDT")["forfeited"]) == D("-0.0007")
    assert written.code == 0


async def test_cancel_amend_and_panic():
    """A resting maker is amended on both venues, cancelled by id and by panic; after panic only hedges go out."""
    written = await run(
        "buy 0.02 binance:ETHUSDT @ 2000 post hedge hyperliquid:ETH",
        "buy 0.02 hyperliquid:ETH @ 2000 post hedge binance:ETHUSDT",
        "cancel offers binance:ETHUSDT",
        "cancel bids binance:ETHUSDT",
        "panic",
        "buy 0.02 binance:ETHUSDT @ 2000 post",
        "activate",
        "buy 0.02 binance:ETHUSDT @ 2000 post",
        "quit",
    )
    replies = written.replies
    assert "0 of 0" in replies[3]["text"]
    assert "1 of 1" in replies[4]["text"]
    assert "1 of 1 makers cancelled" in replies[5]["text"]
    assert not replies[6]["ok"]
    assert "HEDGE-ONLY" in replies[6]["error"]
    assert replies[8]["ok"]
    statuses = {record["cloid"]: record["status"] for record in written.of("order_delta")}
    assert set(statuses.values()) == {"CANCELLED"}
    assert written.code == 0


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("buy 1 nowhere:ETH", ["venue 'nowhere'", "binance"]),
        ("buy 1 binance:ETHUSDX", ["'ETHUSDX'", "ETHUSDT"]),
        ("buy 1 binance:ETHUSDT @ 2700.001", ["2700.00 and 2700.01"]),
        ("buy 0.00001 binance:ETHUSDT @ 2700", ["0.001"]),
        ("buy 0.001 binance:ETHUSDT @ 2700", ["minimum of 20"]),
        ("buy 1 binance:ETHUSDT hedge binance:ETHUSDT", ["own contract"]),
        ("bye 1 binance:ETHUSDT", ["'bye'", "column 1"]),
        ("buy one binance:ETHUSDT", ["column 5"]),
    ],
)
async def test_bad_input_is_one_clear_sentence_and_nothing_is_sent(line, words):
    """The reply names what was given and what is allowed; no order exists anywhere."""
    written = await run(line, "quit")
    reply = written.replies[1]
    assert not reply["ok"]
    assert all(word in reply["error"] for word in words), reply["error"]
    assert written.of("order_delta") == []


BUY_AND_SELL = (
    "sell 60 binance:FXSUSDT @ queue1 post hedge hyperliquid:FXS market",
    "buy 60 binance:FXSUSDT @ queue1 post hedge hyperliquid:FXS market",
)


async def recorded_run(trades, seconds):
    written = await run(
        *BUY_AND_SELL, f"sleep {seconds}s", "wait idle 10s", "quit", trades=trades, ticker="FXS", speed=D(200)
    )
    makers = [record for record in written.of("order_delta") if record["role"] == "maker"]
    parts = [record for record in makers if D(record["last_fill"]) != 0]
    assert len(parts) >= 2, "filled in parts"
    assert written.hedges("sent"), "each part hedged"
    assert written.summary["consistent"] is True, written.summary["problems"]
    assert written.code == 0
    return written


async def test_recorded_trades_fill_resting_makers_in_parts_and_every_part_is_hedged():
    """Hand-made trades in the headerless form, as aggressors on the Binance book, hedged on Hyperliquid."""
    start = 1_700_000_000_000
    rows = [
        f"{number},{'buy' if number % 2 else 'sell'},12.5,{7.5 + (number % 3) / 1000:.3f},{start + number * 20_000}"
        for number in range(60)
    ]
    await recorded_run(list(parse_recording(rows, "made")), 8)


async def test_a_recorded_day_of_trades():
    """3,600 recorded trades at 200 times their speed: consistent at the end."""
    await recorded_run(read_recording(recording(TRADES)), 12)
