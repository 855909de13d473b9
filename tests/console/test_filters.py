"""The filter of a table, pure: what passes, what is refused and how, what the last part may become."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.filter_fields import fields_of
from console.filters import FilterError, complete, parse
from console.link import BookRow, ExposureRow, LogLine, MoneyRow, OrderRow, PositionRow, VenueRow
from console.panes.orders import OrdersPane
from console.panes.positions import PositionsPane
from tests.console.scripted import CHILD, MAKER, NOW, OTHER, SECOND, D, book, order, position, venue

FIELDS = fields_of(OrderRow)
ROWS = {
    "maker": order(MAKER, status="PARTIAL", filled=D("-0.1")),
    "bid": order(OTHER, venue="binance", ticker="ETHUSDT", amount=D("0.25"), price=D("61000.5"), legs=""),
    "child": order(CHILD, venue="binance", ticker="ETHUSDT", role="hedge", amount=D("0.1"), price=None),
    "lost": order("5" * 32, status="REJECTED", terminal=True, reason="post-only would cross (-5022)"),
    "old": order("6" * 32, status="CANCELLED", terminal=True, ts_created_ns=NOW - 600 * SECOND),
}


def passing(text):
    found = parse(text, FIELDS)
    return [name for name, row in ROWS.items() if found.passes(row, NOW)]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", list(ROWS)),
        ("venue:binance", ["bid", "child"]),
        ("VENUE:Bin", ["bid", "child"]),
        ("symbol:usdt role:hedge", ["child"]),
        ("side:b", ["bid", "child"]),
        ("side:sell", ["maker", "lost", "old"]),
        ("side:ask", ["maker", "lost", "old"]),
        ("state:live", ["maker", "bid", "child"]),
        ("state:li", ["maker", "bid", "child"]),
        ("state:done", ["lost", "old"]),
        ("state:rejects", ["lost"]),
        ("state:partial,cancel", ["maker", "old"]),
        ("status:new", ["bid", "child"]),
        ("px>60000", ["bid"]),
        ("px>60k", ["bid"]),
        ("price<=2431.5", ["maker", "lost", "old"]),
        ("px=61000.5", ["bid"]),
        ("px:61000.5", ["bid"]),
        ("qty>=0.5", ["maker", "lost", "old"]),
        ("filled>0", ["maker"]),
        ("age>5m", ["old"]),
        ("age<5m state:done", ["lost"]),
        ("id:7f3a", ["maker"]),
        ("eth", list(ROWS)),
        ("CROSS", ["lost"]),
        ("-venue:binance", ["maker", "lost", "old"]),
        ("-px>1", ["child"]),
        ("-cross -state:live", ["old"]),
        ('"would cross"', ["lost"]),
        ('legs:"hedge binance"', ["maker", "child", "lost", "old"]),
        ("venue:okx,binance side:b role:maker", ["bid"]),
        ("doge", []),
    ],
)
def test_a_row_passes_where_every_part_holds(text, names):
    """Fields, choices, words of their own, numbers, ages, words alone, and the turned round."""
    assert passing(text) == names


@pytest.mark.parametrize(
    ("text", "caret", "said"),
    [
        ("stat:live", 0, "'stat' is no field here: did you mean state?"),
        ("eth vnue:okx", 4, "'vnue' is no field here: did you mean venue?"),
        ("side:up", 5, "'up' is no side: there is ask, b, bid, buy, long, offer, s, sell, short"),
        ("state:cancelld", 6, "'cancelld' is no state: did you mean cancelled?"),
        ("venue:", 6, "what venue has is missing: write it as in venue:okx"),
        ("venue>3", 0, "venue is no number: write venue:3"),
        ("px>cheap", 3, "px is compared with a number like 0.5 or 60k, not 'cheap'"),
        ("px>", 3, "px is compared with a number like 0.5 or 60k, not ''"),
        ("px>1e5", 3, "px is compared with a number like 0.5 or 60k, not '1e5'"),
        ("age>5", 4, "age is compared with a time like 30s, 5m or 2h, not '5'"),
        ("-age<soon", 5, "age is compared with a time like 30s, 5m or 2h, not 'soon'"),
    ],
)
def test_what_is_not_understood_is_told_in_one_sentence_at_its_place(text, caret, said):
    """The sentence names what stands there and what may; the caret is under it."""
    with pytest.raises(FilterError) as caught:
        parse(text, FIELDS)
    assert (caught.value.text, caught.value.caret) == (said, caret)


@given(st.text(st.sampled_from('abepxvide:><=-,"0519kms. é\x00')) | st.text())
def test_any_text_is_a_filter_or_is_refused(text):
    """Nothing that is typed ends in anything but a filter, which can judge every row, or a sentence with its place."""
    refused = None
    try:
        found = parse(text, FIELDS)
    except FilterError as error:
        refused = error
    if refused is None:
        assert all(found.passes(row, NOW) in (True, False) for row in ROWS.values())
    else:
        assert refused.text.isprintable()
        assert 0 <= refused.caret <= len(text)


@given(st.lists(st.sampled_from(["eth", "side:b", "state:live", "px>2000", "age<5m", "role:hedge"]), max_size=5))
def test_more_parts_never_show_more_and_turning_a_part_shows_the_rest(parts):
    """Parts narrow, in any order; a part and the same turned round share no row and leave none out."""
    assert passing(" ".join(parts)) == passing(" ".join(reversed(parts)))
    for part in parts:
        assert set(passing(" ".join(parts))) <= set(passing(part))
        assert sorted([*passing(part), *passing(f"-{part}")]) == sorted(ROWS)


def test_only_a_filter_of_ages_goes_by_the_time():
    """Such a filter has to be looked at again though no row changes."""
    assert parse("age>1m", FIELDS).ticking
    assert not parse("px>1 eth side:b", FIELDS).ticking


@pytest.mark.parametrize(
    ("text", "offers"),
    [
        ("ve", ["venue:"]),
        ("eth -ro", ["eth -role:"]),
        ("state:re", ["state:rejects", "state:rejected"]),
        ("venue:okx,b", ["venue:okx,binance", "venue:okx,bybit"]),
        ("nothing:", []),
        ("ag", ["age>"]),
    ],
)
def test_the_last_part_is_completed(text, offers):
    """Names of fields, then their words and the values that rows have."""
    assert complete(text, FIELDS, {"venue": ["binance", "bybit", "okx"]}) == offers


@given(st.text(max_size=12))
def test_what_is_offered_goes_on_from_what_is_typed(text):
    """An offer never changes what stands before the last part."""
    for offer in complete(text, FIELDS, {"venue": ["binance"]}):
        assert offer.startswith(text[: text.rfind(" ") + 1])


def test_every_record_of_the_link_can_be_filtered():
    """The fields come from the records themselves: each pane has its own without a line written for it."""
    assert parse("public:no round_trip_p50_us<1k", fields_of(VenueRow)).passes(venue("b", public=False), NOW)
    assert parse("state:active balance>0 age>2s", fields_of(BookRow)).passes(book(), NOW)
    line = LogLine(ts_ns=NOW, kind="answer", severity="warning", venue="okx", text="refused")
    assert parse("kind:answer severity:warn venue:okx refused", fields_of(LogLine)).passes(line, NOW)
    mixed = fields_of(PositionRow, ExposureRow, MoneyRow)
    assert parse("side:short base:eth", mixed).passes(position("binance", "ETHUSDT", "-1"), NOW)
    assert not parse("qty>1", mixed).passes(MoneyRow(key="m", venue="b", asset="USDT", total=D(9), available=None), NOW)


def test_a_pane_knows_its_fields_from_its_rows():
    """Also where its rows are of several kinds."""
    assert [field.name for field in OrdersPane.fields()] == [field.name for field in FIELDS]
    assert {"base", "net", "funding"} <= {field.name for field in PositionsPane.fields()}
