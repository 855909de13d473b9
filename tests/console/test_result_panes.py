"""Positions with what they earned, balances, trades, venues with the screen itself, the hedge book's figures."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.concern import Concern, Thresholds, concern, urgency
from console.frame_times import KEPT, FrameFigures, FrameTimes
from console.link import ExposureRow, FillRow, Frame, HandlerRow, MoneyRow, TradeRow
from console.panes import balances
from tests.console.pilots import staged
from tests.console.scripted import MAKER, NOW, SECOND, D, book, desk_frame, header, hedge, position, venue
from tests.console.test_panes import cells


def held(amount="0.137", **changes):
    fields = {
        "entry_price": D("2431.0"), "mark": D("2431.6"), "mark_source": "mark", "ts_mark_ns": NOW - SECOND,
        "unrealised": D("0.08"), "realised": D("-1.5"), "fees": D("0.25"), "funding": D("0.03"),
    }  # fmt: skip
    return position("binance", "ETHUSDT", amount, **{**fields, **changes})


def exposed(**changes):
    fields = {
        "key": "ETH", "base": "ETH", "long": D("0.137"), "short": D("-0.1372"), "net": D("-0.0002"),
        "notional": D("-0.49"), "unrealised": D("0.08"), "realised": D("-1.5"), "fees": D("0.25"),
        "funding": D("0.03"),
    }  # fmt: skip
    return ExposureRow(**{**fields, **changes})


# ------------------------------------------------------------------ positions


async def test_every_part_of_the_result_has_its_sign():
    """Gains with a plus, losses and fees with a minus; the sum is realised and unrealised, less fees, plus funding."""
    async with staged(desk_frame(positions=[held()], exposures=[exposed()])) as stage:
        pane = stage.app.desk.panes["positions"]
        for key in ("p binance:ETHUSDT", "e ETH", "session"):
            row = cells(pane, key)
            assert (row.profit, row.result, row.realised, row.fees, row.funding) == (
                "-1.64", "+0.08", "-1.50", "-0.25", "+0.03",
            )  # fmt: skip
        assert cells(pane, "p binance:ETHUSDT").source == "mark 1s"
        assert pane.counters()[0].endswith("P&L -1.64")


async def test_a_result_with_an_unknown_part_is_unknown():
    """Where a mark is missing the sum is a dash, not the rest of it."""
    rows = {"positions": [held(unrealised=None, mark=None)], "exposures": [exposed(unrealised=None)]}
    async with staged(desk_frame(**rows)) as stage:
        pane = stage.app.desk.panes["positions"]
        for key in ("p binance:ETHUSDT", "e ETH", "session"):
            assert (cells(pane, key).profit, cells(pane, key).result) == ("-", "-")
            assert cells(pane, key).realised == "-1.50"


async def test_an_old_mark_and_what_is_reckoned_with_it_look_stale():
    """A tilde and the ink of stale values stand on mark, value and unrealised; what was realised stays as it is."""
    frame = desk_frame(positions=[held(ts_mark_ns=NOW - 65 * SECOND)], exposures=[exposed()])
    async with staged(frame) as stage:
        pane = stage.app.desk.panes["positions"]
        row = pane.rows["p binance:ETHUSDT"]
        drawn = {column.key: column.cell(row) for column in pane.columns}
        assert drawn["source"].text == "mark ~1m05"
        assert {key for key, cell in drawn.items() if cell.ink == "stale"} == {
            "mark", "value", "result", "profit", "source",
        }  # fmt: skip
        assert drawn["mark"].text == "~2431.60"
        for key in ("e ETH", "session"):
            assert pane.is_stale(pane.rows[key]), key
        assert cells(pane, "session").result.startswith("~")
        assert pane.counters()[0].endswith("P&L ~-1.64")


async def test_a_flat_contract_with_a_result_stays_in_sight():
    """What was earned does not leave with the position; what earned nothing does."""
    rows = {
        "positions": [held("0", unrealised=D(0)), position("hyperliquid", "ETH", "0")],
        "exposures": [exposed(long=D(0), short=D(0), net=D(0))],
    }
    async with staged(desk_frame(**rows)) as stage:
        assert stage.app.desk.panes["positions"].keys == ["e ETH", "p binance:ETHUSDT", "session"]
        await stage.press("5", "j", "f")
        assert "flat" in stage.message
        assert stage.link.lines == []


# ------------------------------------------------------------------ balances


def money(total="1000", available="700", **changes):
    fields = {"key": "b", "venue": "binance", "asset": "USDT", "total": D(total),
              "available": None if available is None else D(available)}  # fmt: skip
    return MoneyRow(**{**fields, **changes})


async def test_a_balance_shows_its_worth_what_is_free_and_what_is_in_use():
    """Equity is the wallet with the open result; in use is what of it is not free."""
    async with staged(desk_frame(money=[money(unrealised=D("-100"), ts_ns=NOW - 4 * SECOND)])) as stage:
        pane = stage.app.desk.panes["balances"]
        row = cells(pane, "b")
        assert (row.equity, row.wallet, row.free, row.used, row.use, row.told) == (
            "900.00", "1,000.00", "700.00", "200.00", "22%", "4s",
        )  # fmt: skip
        assert pane.counters() == ("equity 900.00 · binance uses 22%", "muted")


async def test_a_venue_that_does_not_say_what_is_free_shows_none():
    """Unknown margin is a dash, not zero; a balance of nothing is not shown."""
    empty = money("0", "0", key="c", asset="BNB")
    async with staged(desk_frame(money=[money(available=None), empty])) as stage:
        pane = stage.app.desk.panes["balances"]
        assert pane.keys == ["b"]
        assert (cells(pane, "b").free, cells(pane, "b").used, cells(pane, "b").use) == ("-", "-", "-")


async def test_what_is_free_is_stale_while_the_venue_has_not_said_it_anew():
    """A total that came without what is available leaves free and in use in doubt: a tilde stands before them."""
    async with staged(desk_frame(money=[money(available_lags=True)])) as stage:
        pane = stage.app.desk.panes["balances"]
        row = pane.rows["b"]
        drawn = {column.key: column.cell(row) for column in pane.columns}
        assert {key for key, cell in drawn.items() if cell.ink == "stale"} == {"free", "used", "use"}
        assert drawn["free"].text == "~700.00"


@pytest.mark.parametrize(("available", "ink"), [("600", "muted"), ("400", "warn"), ("100", "alarm")])
async def test_margin_in_use_turns_amber_and_red(available, ink):
    """From three fifths and from four fifths of the equity on."""
    async with staged(desk_frame(money=[money(available=available)])) as stage:
        assert stage.app.desk.panes["balances"].counters()[1] == ink


@given(
    st.decimals(-(10**6), 10**6, places=2), st.decimals(0, 10**6, places=2),
    st.none() | st.decimals(-(10**4), 10**4, places=2),
)  # fmt: skip
def test_what_is_in_use_is_never_negative(total, available, unrealised):
    """Whatever a venue states; and there is no share of an equity that is not there."""
    row = money(str(total), str(available), unrealised=unrealised)
    assert balances.in_use(row) >= 0
    share = balances.use(row)
    assert share is None or (share >= 0 and balances.equity(row) > 0)


# ------------------------------------------------------------------ trades


def traded(ticker="ETH", amount="0.5", number=1, **changes):
    fields = {"ts_ns": NOW + number, "venue": "hyperliquid", "ticker": ticker, "amount": D(amount),
              "price": D("2431.5"), "trade_id": str(number)}  # fmt: skip
    return TradeRow(**{**fields, **changes})


def executed(number=1, **changes):
    fields = {
        "ts_ns": NOW + number, "venue": "binance", "ticker": "ETHUSDT", "cloid": MAKER, "role": "hedge",
        "amount": D("-0.1"), "price": D("2431.22"), "fee": D("0.0972"), "fee_asset": "USDT", "liquidity": "taker",
        "trade_id": f"own{number}", "oid": "9", "key": f"own{number}",
    }  # fmt: skip
    return FillRow(**{**fields, **changes})


async def test_the_tape_and_our_own_executions_stand_in_the_order_of_time():
    """Own ones are marked, name their order and what they cost; public ones do not."""
    frame = desk_frame(trades=[traded(number=1), traded(number=3, amount="-0.2")], fills=[executed(2)])
    async with staged(frame) as stage:
        pane = stage.app.desk.panes["trades"]
        rows = [cells(pane, key) for key in pane.keys]
        assert [row.amount for row in rows] == ["+0.5000", "-0.100", "-0.2000"]
        assert [row.own for row in rows] == ["", "◆", ""]
        assert (rows[1].id, rows[1].role, rows[1].fee, rows[1].liquidity) == (
            "7f3a9c", "hedge", "-0.0972 USDT", "taker",
        )  # fmt: skip
        assert pane.counters()[0] == "hyperliquid:ETH · 1 own"


async def test_another_contracts_tape_takes_the_place_of_the_one_before():
    """Only one contract's public trades are shown; our own executions all stay."""
    async with staged(desk_frame(trades=[traded(number=1)], fills=[executed(2)])) as stage:
        stage.feed(Frame(trades=[traded("SOL", number=5)]))
        pane = stage.app.desk.panes["trades"]
        assert [pane.rows[key].ticker for key in pane.keys] == ["ETHUSDT", "SOL"]


async def test_a_fee_that_is_not_known_is_none_and_a_rebate_is_a_gain():
    """A dash for what was not said; a negative fee has a plus."""
    fills = [executed(1, fee=None), executed(2, fee=D("-0.01"))]
    async with staged(desk_frame(fills=fills)) as stage:
        pane = stage.app.desk.panes["trades"]
        assert [cells(pane, key).fee for key in pane.keys] == ["-", "+0.01 USDT"]
        stage.feed(Frame(fills=[executed(1, fee=D("0.02"))]))
        assert [cells(pane, key).fee for key in pane.keys] == ["-0.02 USDT", "+0.01 USDT"]
        assert pane.counters()[0].endswith("2 own")


# ------------------------------------------------------------------ venues and the screen


async def test_the_handlers_and_the_screen_stand_under_the_venues():
    """Each handler with its lag; the screen with frame times, frames waiting and what was coalesced."""
    handler = HandlerRow(key="0 alerts", name="alerts", lag=240, coalesced=7, failures=1, last_error="KeyError: 'x'")
    frame = desk_frame(handlers=[handler], header=header(coalesced=3), merged=9)
    async with staged(frame) as stage:
        pane = stage.app.desk.panes["venues"]
        stage.clock.advance(1)
        stage.app.flush()
        assert pane.keys == ["binance", "hyperliquid", "handler 0 alerts", "screen"]
        alerts, screen = cells(pane, "handler 0 alerts"), cells(pane, "screen")
        assert (alerts.health, alerts.trip, alerts.hedge, alerts.failures) == ("◐ late", "240 wait", "7 merged", "1")
        assert alerts.note == "KeyError: 'x'"
        assert (screen.health, screen.channels, screen.note) == ("◐ late", "9 frames", "3 coalesced")
        assert pane.counters() == ("2 up · alerts, screen behind", "warn")


async def test_clock_and_switch_of_a_venue_are_told():
    """The clock's difference with its sign; in how long its dead man's switch acts."""
    rows = [
        venue("binance", clock_offset_ns=-1_500_000, guarded_until_ns=NOW + 30 * SECOND),
        venue("hyperliquid", clock_offset_ns=700_000_000),
    ]
    async with staged(desk_frame(venues=rows)) as stage:
        pane = stage.app.desk.panes["venues"]
        assert (cells(pane, "binance").clock, cells(pane, "binance").switch) == ("-1.5ms", "30s")
        assert (cells(pane, "hyperliquid").clock, cells(pane, "hyperliquid").switch) == ("+700ms", "-")


def test_frame_times_are_of_the_last_frames():
    """Ranks over what was kept; a lateness under zero counts as none; nothing before the first frame."""
    times = FrameTimes()
    assert times.figures() == FrameFigures()
    times.add(10**9, 10**9)
    for number in range(KEPT):
        times.add(number * 1_000, -5)
    assert times.figures() == FrameFigures(149, 296, 0)


# ------------------------------------------------------------------ hedges and what is unhedged


async def test_a_leg_shows_basis_slippage_age_and_why_it_waits():
    """Captured is a gain, slippage is a cost: each in the ink of what it does to the money."""
    row = hedge("h1", slippage_bps=D("1.26"), ts_unhedged_ns=NOW - 70 * SECOND, waits="under the lot of 0.001")
    async with staged(desk_frame(hedges=[row])) as stage:
        pane = stage.app.desk.panes["hedges"]
        shown = {column.key: column.cell(pane.rows["h1"]) for column in pane.columns}
        assert [shown[key].text for key in ("slippage", "age", "waits")] == ["+1.3", "1m10", "under the lot of 0.001"]
        assert (shown["basis"].ink, shown["slippage"].ink) == ("up", "down")
        stage.feed(Frame(hedges=[hedge("h1", slippage_bps=D("-123.4"))]))
        assert cells(pane, "h1").slippage == "-123"
        assert cells(pane, "h1").age == "-"


async def test_the_unhedged_are_sorted_by_worth_and_age():
    """What does not hedge is first, then the larger in worth; of two of a size the older."""
    rows = [
        book("binance", "A", notional=D("3"), ts_waiting_ns=NOW - 90 * SECOND),
        book("binance", "B", notional=D("-4200"), ts_waiting_ns=NOW - SECOND),
        book("binance", "C", notional=D("2"), ts_waiting_ns=NOW - 95 * SECOND),
        book("binance", "D", notional=D("1"), state="hold"),
        book("binance", "E", notional=None),
    ]
    async with staged(desk_frame(books=rows)) as stage:
        pane = stage.app.desk.panes["unhedged"]
        assert [pane.rows[key].ticker for key in pane.keys] == ["D", "E", "B", "C", "A"]


@given(st.decimals(0, 10**7, places=2), st.decimals(0, 10**7, places=2))
def test_ten_times_the_worth_is_always_more_urgent(first, second):
    """However long the smaller one has waited."""
    small, large = sorted((first, second))
    if small and large >= 10 * small:
        old, young = book(notional=small, ts_waiting_ns=1), book(notional=-large, ts_waiting_ns=NOW)
        assert urgency(young) < urgency(old)


def test_the_thresholds_are_settings():
    """With others the same balance is calm, or red."""
    row = book(notional=Decimal(100), ts_waiting_ns=NOW - 10 * SECOND)
    assert concern(row, NOW) is Concern.AMBER
    assert concern(row, NOW, Thresholds(amber_notional=D(500), red_notional=D(900))) is Concern.CALM
    assert concern(row, NOW, Thresholds(red_notional=D(100), red_age_ns=SECOND)) is Concern.RED
