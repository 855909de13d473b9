"""What a row says of itself when it is opened, what the ladder writes where room is short, what can be chosen."""

from decimal import Decimal

import pytest

from console.link import Frame
from console.panes import ladder_lines as lines
from console.screens.dialog import QuestionDialog, _named
from tests.console.pilots import staged
from tests.console.scripted import MAKER, D, book, contract, desk_frame, hedge, ladder, position, venue


def test_no_two_fields_of_a_row_have_one_name():
    """A channel and when it was last heard, a price and when it was: each says which it is."""
    for row in (venue("binance"), position("binance", "ETHUSDT", "1"), book(), hedge("h"), ladder()):
        names = [label for label, _ in _named(row)]
        assert len(names) == len(set(names))
    labels = dict(_named(venue("binance")))
    assert labels["private"] == "yes"
    assert "private at" in labels
    assert "time" in dict(_named(position("binance", "ETHUSDT", "1")))


@pytest.mark.parametrize(
    ("realised", "text"),
    [
        (D("0.00432000000000000000000005"), "0.00432"),
        (D("-1.37"), "-1.37"),
        (D("0.000000000001"), "0.000000000001"),
        (D(1) / D(3), "0.33333333"),
        (None, "-"),
    ],
)
def test_a_figure_that_was_divided_is_written_as_money_is(realised, text):
    """The digits of a venue's own numbers are all there."""
    assert dict(_named(position("binance", "ETHUSDT", "1", realised=realised)))["realised"] == text


@pytest.mark.parametrize("width", range(30, 60))
def test_what_is_ours_never_touches_what_is_theirs(width):
    """Between a size and our own beside it there is a space, whatever the width; a line is never longer than it."""
    row = ladder()
    line = lines.Line(D("2431.5"), D("0.5"), D("12.3456"), D("78.9123"), D("0.5"), mark="", even=False)
    own_bid, bid, ask, own_ask = (
        "".join(text for text, ink in lines.spans(line, row, D(100), width, at_cursor=False) if ink in inks)
        for inks in ({"bold own"}, {"bid", "depth-bid"}, {"ask", "depth-ask"}, {"bold own"})
    )
    assert bid.startswith(" ")
    assert ask.endswith(" ")
    assert own_bid == own_ask
    assert sum(len(text) for text, _ in lines.spans(line, row, D(100), width, at_cursor=False)) <= width


@pytest.mark.parametrize("width", range(1, 60))
def test_the_head_of_the_ladder_is_never_cut_within_a_word(width):
    """What has no room as a whole is left out, the last first."""
    parts = lines.head(ladder(), Decimal("0.5"), width)
    kept = lines.fitting(parts, width)
    assert kept == parts[: len(kept)]
    assert len(kept) == 1 or sum(len(text) for text, _ in kept) <= width


async def test_what_cannot_be_traded_now_is_not_offered():
    """Neither by the picker and the ticket nor by tab; what stands in it is still shown with its lot."""
    listed = [contract("hyperliquid", "ETH"), contract("hyperliquid", "OLD", trading=False, lot=D("0.5"))]
    async with staged(desk_frame(contracts=listed)) as stage:
        mirror = stage.app.mirror
        assert "hyperliquid:OLD" not in mirror.contract_names()
        assert "OLD" not in mirror.tickers()["hyperliquid"]
        assert mirror.lot("hyperliquid", "OLD") == D("0.5")


@pytest.mark.parametrize(
    ("changes", "stays"),
    [
        ({"maker_status": "CANCELLED"}, False),
        ({"maker_status": "NEW"}, True),
        ({"maker_status": "CANCELLED", "maker_filled": D("-0.1")}, True),
        ({"maker_status": "FILLED", "state": "hedged", "target": D("0.1")}, True),
    ],
)
async def test_a_maker_that_ended_without_a_fill_leaves_the_hedge_book(changes, stays):
    """One that rests is there, and every one whose fills asked for something."""
    rest = {"target": D(0), "hedged": D(0), "waiting": D(0), "maker_filled": D(0), "state": "idle"}
    async with staged(desk_frame(hedges=[hedge("h", **rest, maker_status="NEW")])) as stage:
        pane = stage.app.desk.panes["hedges"]
        assert pane.keys == ["h"]
        stage.feed(Frame(hedges=[hedge("h", maker=MAKER, **(rest | changes))]))
        assert (pane.keys == ["h"]) is stays


async def test_rounding_up_says_how_much_is_sent_and_what_stands_the_other_way():
    """Before it is done, with both amounts; where the least is not known, in words alone."""
    async with staged(desk_frame(books=[book(smallest=D("0.009"))]), size=(120, 40)) as stage:
        await stage.press("4", "U")
        await stage.opened(QuestionDialog)
        assert "0.009 is sent at market, the least that the venue takes." in stage.text()
        assert "Then -0.0088 waits, the other way" in stage.text()
        await stage.press("n")
        await stage.on_desk()
        await stage.press("H")
        assert "the venue takes 0.009 at least, 0.0002 waits: U rounds it up" in stage.message
        assert stage.link.lines == []
