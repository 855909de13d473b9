from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_UP, Decimal, localcontext
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.link import DeltaRow, ExposureRow, Frame, LogLine
from console.panes import ladder_grid as grid
from console.panes.mirror import Mirror
from console.panes.unhedged import Concern, concern
from gateways.contracts import is_multiple
from tests.console.pilots import staged
from tests.console.scripted import (
    CHILD,
    MAKER,
    NOW,
    SECOND,
    D,
    book,
    contract,
    desk_frame,
    header,
    hedge,
    ladder,
    order,
    position,
    venue,
)


def cells(pane, key):
    """What a row of a pane says, by column."""
    row = pane.rows[key]
    return SimpleNamespace(**{column.key: column.cell(row).text for column in pane.columns})


# ------------------------------------------------------------------ the mirror


def test_newer_rows_replace_older_and_gone_rows_leave():
    """The mirror holds the last row of each key, until it is gone."""
    mirror = Mirror()
    mirror.apply(desk_frame(), 1)
    mirror.apply(Frame(orders=[order(MAKER, status="CANCELLED", terminal=True)], gone={"orders": [CHILD]}), 2)
    assert mirror.orders[MAKER].terminal
    assert CHILD not in mirror.orders
    assert not list(mirror.open_orders(role="hedge"))


def test_the_heartbeat_is_the_engines_clock_and_not_the_frame():
    """A frame whose header has the same time as before does not count as a sign of life."""
    mirror = Mirror()
    assert not mirror.silent(10**18)
    mirror.apply(Frame(header=header(now_ns=NOW)), 0)
    mirror.apply(Frame(header=header(now_ns=NOW)), 3 * SECOND)
    assert mirror.silent(3 * SECOND)
    mirror.apply(Frame(header=header(now_ns=NOW + 1)), 3 * SECOND)
    assert not mirror.silent(3 * SECOND)


def test_finished_orders_are_forgotten_and_open_ones_never():
    """However many orders finish, the mirror stays bounded and keeps each open one."""
    mirror = Mirror()
    mirror.apply(Frame(orders=[order("f" * 32)]), 1)
    for start in range(0, 20_000, 1_000):
        rows = [order(f"{n:032x}", terminal=True, status="FILLED") for n in range(start, start + 1_000)]
        mirror.apply(Frame(orders=rows), 1)
    assert len(mirror.orders) <= 4_001
    assert [row.cloid for row in mirror.open_orders()] == ["f" * 32]


# ------------------------------------------------------------------ unhedged


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, Concern.CALM),
        ({"notional": D(40), "ts_waiting_ns": NOW - SECOND}, Concern.CALM),
        ({"notional": D(-40), "ts_waiting_ns": NOW - 4 * SECOND}, Concern.AMBER),
        ({"notional": D(4000), "ts_waiting_ns": NOW - 4 * SECOND}, Concern.AMBER),
        ({"notional": D(4000), "ts_waiting_ns": NOW - 16 * SECOND}, Concern.RED),
        ({"notional": None, "ts_waiting_ns": NOW - 16 * SECOND}, Concern.RED),
        ({"unknown": D("0.1")}, Concern.AMBER),
        ({"state": "paused", "balance": D(0)}, Concern.AMBER),
        ({"state": "hold", "balance": D(0)}, Concern.RED),
    ],
)
def test_concern_grows_with_value_and_age_and_is_red_on_hold(changes, expected):
    """What lots leave over is calm; value and age make it amber, then red; a book on hold is red at once."""
    assert concern(book(**changes), NOW) is expected


@given(st.decimals(min_value=0, max_value=10**6, places=2), st.integers(0, 10**6), st.integers(0, 10**6))
def test_concern_never_falls_as_a_balance_waits(notional, first, more):
    """A balance that only grows older is never less of a concern."""
    row = book(notional=notional, ts_waiting_ns=NOW)
    assert concern(row, NOW + first * 10**6) <= concern(row, NOW + (first + more) * 10**6)


async def test_the_unhedged_pane_says_how_much_why_and_what_releases_it():
    """A balance is shown with sign, value, age, reason and release; a book at rest is not shown."""
    async with staged(desk_frame(books=[book(), book("hyperliquid", "SOL", balance=D(0))])) as stage:
        pane = stage.app.desk.panes["unhedged"]
        assert pane.keys == ["binance:ETHUSDT"]
        row = cells(pane, "binance:ETHUSDT")
        assert (row.balance, row.value, row.age) == ("+0.0002", "0.49", "3s")
        assert (row.waits, row.release) == ("under the lot of 0.001", "the next fill, or hand")
        stage.feed(Frame(books=[book(smallest=D("0.009"))]))
        assert cells(pane, "binance:ETHUSDT").release == "0.0088 more filled, or hand"
        stage.feed(Frame(books=[book(balance=D(0))]))
        assert pane.keys == []
        assert "Nothing is unhedged" in stage.text() or "Nothing is unhedged" in pane.empty


async def test_the_title_of_the_unhedged_pane_turns_with_the_worst_book():
    """Its counters are calm, amber or red with the worst of its books."""
    async with staged() as stage:
        pane = stage.app.desk.panes["unhedged"]
        assert pane.counters() == ("2.41 in 1 book", "muted")
        stage.feed(Frame(books=[book(state="hold")]))
        assert pane.counters() == ("2.41 in 1 book · 1 not hedging", "alarm")


# ------------------------------------------------------------------ orders, hedges, positions, venues, logs


async def test_an_order_is_shown_with_the_decimals_of_its_contract():
    """Prices have the tick's decimals, quantities the lot's, and the side is a word."""
    async with staged(desk_frame(orders=[order(MAKER, price=D("2431"), filled=D("-0.25"))])) as stage:
        row = cells(stage.app.desk.panes["orders"], MAKER)
        assert (row.side, row.amount, row.price, row.filled) == ("sell", "0.5000", "2431.0", "0.2500")
        assert (row.done, row.average, row.note, row.flags) == ("50%", "-", "→ binance:ETHUSDT market", "post")


async def test_a_market_order_has_no_price_and_a_rejected_one_its_reason():
    """None is never written as zero, and the venue's reason stands in the row."""
    rows = [order(MAKER, price=None), order(CHILD, status="REJECTED", terminal=True, reason="would cross (-5022)")]
    async with staged(desk_frame(orders=rows)) as stage:
        orders = stage.app.desk.panes["orders"]
        assert cells(orders, MAKER).price == "market"
        assert cells(orders, CHILD).note == "would cross (-5022)"
        assert cells(orders, CHILD).status == "! rejected"


async def test_the_newest_order_is_on_top():
    """Orders come in from above."""
    async with staged() as stage:
        stage.feed(Frame(orders=[order("e" * 32)]))
        assert stage.app.desk.panes["orders"].keys[0] == "e" * 32


async def test_a_hedge_leg_shows_the_whole_equation():
    """Target, hedged, in flight, waiting and netted stand side by side with their signs."""
    frame = desk_frame(hedges=[hedge("h1", in_flight=D("0.1"), target=D("0.2372"))])
    async with staged(frame) as stage:
        row = cells(stage.app.desk.panes["hedges"], "h1")
        assert (row.target, row.hedged, row.flight, row.waiting, row.netted) == (
            "+0.2372", "+0.137", "+0.100", "+0.0002", "0",
        )  # fmt: skip
        assert row.basis in {"+1.1", "+1.2"}
        assert row.state == "○ waiting"


async def test_positions_stand_under_their_asset_and_flat_ones_leave():
    """The net of an asset is followed by its positions, the session is last; a position that is closed goes."""
    async with staged() as stage:
        pane = stage.app.desk.panes["positions"]
        assert pane.keys == ["e ETH", "p binance:ETHUSDT", "p hyperliquid:ETH", "session"]
        stage.feed(Frame(positions=[position("binance", "ETHUSDT", "0")], gone={"exposures": ["ETH"]}))
        assert pane.keys == ["p hyperliquid:ETH"]
        exposure = ExposureRow(key="ETH", base="ETH", long=D(0), short=D("-0.1372"), net=D("-0.1372"), notional=None)
        stage.feed(Frame(exposures=[exposure]))
        assert cells(pane, "e ETH").amount == "-0.1372"
        assert cells(pane, "e ETH").value == "-"


@pytest.mark.parametrize(
    ("row", "state"),
    [
        (venue("b"), "up"),
        (venue("b", private=False), "part"),
        (venue("b", public=False, private=False, trade=False, rest=False), "DOWN"),
        (venue("b", public=False, public_idle=True), "up"),
        (venue("b", public=False, public_idle=True, private=False, trade=False, rest=False), "DOWN"),
    ],
)
def test_a_venue_is_up_only_with_every_channel(row, state):
    """One channel down is part, all down is DOWN; a public stream that nobody asks for need not be open."""
    assert row.state == state


async def test_the_channels_that_are_down_are_named():
    """A venue in part names what is down, so that no colour is needed."""
    frame = desk_frame(venues=[venue("binance"), venue("hyperliquid", private=False, rest=False)])
    async with staged(frame) as stage:
        pane = stage.app.desk.panes["venues"]
        assert cells(pane, "binance").channels == "P● U● T● R●"
        assert cells(pane, "hyperliquid").channels == "P● U○ T● R○"
        assert cells(pane, "hyperliquid").note == "private REST DOWN"
        assert pane.counters() == ("hyperliquid not up", "alarm")
        stage.feed(Frame(venues=[venue("hyperliquid", public=False, public_idle=True)]))
        assert cells(pane, "hyperliquid").channels == "P· U● T● R●"
        assert pane.counters() == ("2 up", "muted")


async def test_a_venue_silent_with_its_socket_open_is_shown_as_stale():
    """An old public age is marked, though the channel says that it is connected."""
    async with staged(desk_frame(venues=[venue("binance", ts_public_ns=NOW - 60 * SECOND)])) as stage:
        assert cells(stage.app.desk.panes["venues"], "binance").heard == "~1m00"


async def test_logs_keep_their_order_and_stay_bounded():
    """Deltas and log lines stand in the order they came; the oldest fall out of a full log."""
    delta = DeltaRow(
        ts_ns=NOW, cloid=MAKER, venue="hyperliquid", ticker="ETH", role="maker", label="fill", before="NEW",
        after="PARTIAL", last_fill=D("-0.1"), filled=D("-0.1"), amount=D("-0.5"), price=D("2431.5"),
    )  # fmt: skip
    async with staged() as stage:
        lines = [LogLine(ts_ns=NOW, kind="event", severity="info", venue="", text=f"line {n}") for n in range(6_000)]
        stage.feed(Frame(log=lines, deltas=[delta] * 3_000))
        log, deltas = stage.app.desk.panes["log"], stage.app.desk.panes["deltas"]
        assert [log.rows[key].text for key in (log.keys[0], log.keys[-1])] == ["line 1000", "line 5999"]
        assert len(deltas.keys) == 2_000
        assert cells(deltas, deltas.keys[-1]).change == "◐ partial ← new"


async def test_a_log_line_of_several_lines_stays_on_one():
    """Line breaks in a message do not break the table."""
    async with staged() as stage:
        stage.feed(Frame(log=[LogLine(ts_ns=NOW, kind="answer", severity="info", venue="", text="one\n two\tthree")]))
        log = stage.app.desk.panes["log"]
        assert log.rows[log.keys[-1]].text == "one two three"


# ------------------------------------------------------------------ the ladder

prices = st.decimals(min_value=Decimal(1), max_value=Decimal(99999), places=2)
quantities = st.decimals(min_value=Decimal("0.001"), max_value=Decimal(1000), places=3)
levels = st.lists(st.tuples(prices, quantities), max_size=25, unique_by=lambda level: level[0])


@given(levels, st.sampled_from(grid.groups(Decimal("0.01"))), st.booleans())
def test_grouping_keeps_every_quantity_and_never_betters_a_price(book_levels, group, bids):
    """Grouped sizes add up to the same, each under a multiple of the group no better than its price."""
    found = grid.grouped(book_levels, group, bids=bids)
    assert sum(found.values()) == sum(quantity for _, quantity in book_levels)
    assert all(is_multiple(price, group) for price in found)
    for price, _ in book_levels:
        away = [place for place in found if (place <= price if bids else place >= price)]
        assert min(abs(place - price) for place in away) < group


@given(prices, st.sampled_from(grid.groups(Decimal("0.01"))), st.integers(3, 60))
def test_a_centred_ladder_shows_its_centre(centre, group, lines):
    """The centre stands on a line in the middle of the ladder, and lines and prices are inverse."""
    top = grid.top_price(centre, group, lines)
    assert 0 <= grid.line_of(top, group, centre) < lines
    for line in range(lines):
        assert grid.line_of(top, group, grid.price_at(top, group, line)) == line


@pytest.mark.parametrize(("amount", "line"), [("-0.2", "2431.4 ▼"), ("0.2", "2431.6 ▲")])
async def test_a_trade_between_two_lines_is_marked_on_the_line_of_the_side_that_it_met(amount, line):
    """A sale at 2431.5 met the bid on 2431.4, a purchase the offer on 2431.6, wherever the ladder stands."""
    async with staged(desk_frame(ladders=[ladder(last_amount=Decimal(amount))])) as stage:
        await stage.press("6", "z")
        await stage.until(lambda: stage.app.desk.ladder.group == Decimal("0.2"))
        for key in ("j", "pagedown", "j"):  # the top moves by an odd and by an even number of lines
            await stage.press(key)
            await stage.until(lambda: line in " ".join(stage.text().split()))


def test_a_line_does_not_depend_on_how_others_round():
    """A library that changes how its thread rounds decimals moves nothing on the screen."""
    with localcontext() as context:
        lines = []
        for context.rounding in (ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_UP):
            lines.append(grid.line_of(Decimal("2433.2"), Decimal("0.2"), Decimal("2431.5")))
    assert lines == [8, 8, 8]


def test_a_size_bar_is_never_empty_for_a_size_nor_longer_than_its_cell():
    """A size shows, however small; the largest fills its cell."""
    assert grid.bar(Decimal("0.001"), Decimal(1000), 9) == 1
    assert grid.bar(Decimal(1000), Decimal(1000), 9) == 9
    assert grid.bar(Decimal(0), Decimal(1000), 9) == 0


def ladder_line(pane, price):
    return next(line for line in pane._lines if any(text.strip(" =").startswith(price) for text, _ in line))


async def test_the_ladder_shows_sizes_own_orders_and_the_last_trade():
    """Bids stand left, offers right, our own size beside, the last trade marked with its direction."""
    async with staged(size=(200, 60)) as stage:
        pane = stage.app.desk.ladder
        await stage.until(lambda: any("2432.0" in text for line in pane._lines for text, _ in line))
        own = "".join(text for text, _ in ladder_line(pane, "2432.0"))
        assert own.rstrip().endswith("0.5000")
        last = "".join(text for text, _ in ladder_line(pane, "2431.5"))
        assert last.index("1.0000") < last.index("2431.5")
        assert "▼" in last


async def test_the_ladders_prices_do_not_move_until_the_market_leaves_them():
    """A market that moves a little leaves each price on its line; one that leaves is followed; space recentres."""
    async with staged(size=(200, 60)) as stage:
        pane = stage.app.desk.ladder
        await stage.until(lambda: pane._top is not None and pane.size.height > 20)
        top = pane._top
        stage.feed(Frame(ladders=[ladder(mid="2431.85")]))
        assert pane._top == top
        stage.feed(Frame(ladders=[ladder(mid="2451.85")]))
        assert pane._top > top
        await stage.press("6", "j")
        held = pane._top
        stage.feed(Frame(ladders=[ladder(mid="2431.85")]))
        assert pane._top == held, "the operator's cursor holds the ladder"
        await stage.press("space")
        assert pane._top < held


async def test_the_cursor_keeps_its_price_when_the_book_moves():
    """Between two looks the book may move: the price under the cursor does not."""
    async with staged(size=(200, 60)) as stage:
        pane = stage.app.desk.ladder
        await stage.until(lambda: pane.cursor_price is not None and pane.size.height > 20)
        await stage.press("6", "k", "k")
        price = pane.cursor_price
        for mid in ("2433.05", "2440.05", "2429.95"):
            stage.feed(Frame(ladders=[ladder(mid=mid)]))
            assert pane.cursor_price == price


async def test_a_stale_book_says_so():
    """A book that is old, or marked stale, is said to be stale with its age."""
    async with staged(desk_frame(ladders=[ladder(ts_ns=NOW - 12 * SECOND)])) as stage:
        assert stage.app.desk.ladder.counters() == ("hyperliquid:ETH  ~ STALE 12s", "stale")
        stage.feed(Frame(ladders=[ladder(stale=True, ts_ns=0)]))
        assert stage.app.desk.ladder.counters() == ("hyperliquid:ETH  ~ STALE", "stale")


async def test_an_empty_or_one_sided_book_is_shown_as_what_it_is():
    """No bids, no offers, or neither: the ladder says so and does not fail."""
    async with staged(desk_frame(ladders=[ladder(bids=())])) as stage:
        pane = stage.app.desk.ladder
        assert "one side of the book is empty" in pane._lines[0][0][0]
        stage.feed(Frame(ladders=[ladder(bids=(), asks=(), last_price=None)]))
        await stage.press("6", "j", "k", "space", "left_curly_bracket")
        assert "the book is empty" in pane._lines[-1][0][0]


async def test_a_tick_that_grows_with_the_price_is_followed():
    """When the venue's tick grows, the ladder groups by a multiple of the new one."""
    async with staged() as stage:
        await stage.until(lambda: stage.app.desk.ladder.group is not None)
        await stage.press("6", *["left_curly_bracket"] * 9)
        assert stage.app.desk.ladder.group == D("0.1")
        stage.feed(Frame(ladders=[ladder(tick=D(1))]))
        assert stage.app.desk.ladder.group >= 1
        await stage.press("left_curly_bracket")
        assert stage.app.desk.ladder.group == 1


async def test_grouping_is_coarser_and_finer_by_key():
    """The braces step through the groups and stop at the tick."""
    async with staged() as stage:
        await stage.press("6")
        pane = stage.app.desk.ladder
        await stage.until(lambda: pane.group is not None)
        before = pane.group
        await stage.press("right_curly_bracket")
        assert pane.group > before
        await stage.press(*["left_curly_bracket"] * 9)
        assert pane.group == D("0.1")


async def test_a_contract_can_be_looked_at_from_any_table():
    """The key l on an order shows its contract in the ladder and leaves the focus where it is."""
    async with staged(
        desk_frame(contracts=[contract("hyperliquid", "ETH"), contract("binance", "ETHUSDT")]), size=(120, 40)
    ) as stage:
        stage.app.desk.panes["orders"].move_to_key(CHILD)
        await stage.press("l")
        await stage.until(lambda: str(stage.app.desk.ladder.where()) == "binance:ETHUSDT")
        assert stage.link.watched[-1] == ("binance", "ETHUSDT")
        assert stage.app.desk.focused_pane.NAME == "orders"
