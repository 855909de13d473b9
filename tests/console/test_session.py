"""How the console was left is how it begins, whatever its file says."""

import stat

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.actions import PANES
from console.app import HedgedeskApp
from console.screens.arrangement import LAYOUTS
from console.screens.resume import session_of, theme_of
from console.session import Session, SessionFile, TableView
from console.times import TimeMode
from tests.console.pilots import staged
from tests.console.scripted import ScriptedLink

FILE = "session.json"


async def left(folder, *keys, size=(120, 40)):
    """A run that presses keys and ends."""
    async with staged(folder=folder, size=size) as stage:
        await stage.press(*keys)
        return session_of(stage.app)


async def test_the_next_run_begins_as_the_last_one_ended(tmp_path):
    """Layout, focus, zoom, tab, filter, sort, columns, times: all of it."""
    before = await left(
        tmp_path, "plus", "1", "slash", "text:venue:hyper", "enter", "o", "o", "O", "right", "t", "W", "j", "space",
        "enter", "5", "z",
    )  # fmt: skip
    assert before.layout == "trading"
    assert before.zoomed == before.focused == "positions"
    assert before.times == TimeMode.LOCAL.value
    view = before.tables["orders"]
    assert (view.filter, view.sort, view.descending, view.tab) == ("venue:hyper", "amount", True, "working")
    assert len(view.off) == 1
    async with staged(folder=tmp_path, size=(120, 40)) as stage:
        desk = stage.app.desk
        await stage.until(lambda: desk.focused_pane is desk.panes["positions"])
        assert session_of(stage.app) == before
        assert [name for name, pane in desk.panes.items() if pane.display] == ["positions"]
        orders = desk.panes["orders"]
        await stage.until(lambda: orders.sort_column == "amount")
        assert orders.sort_descending
        assert orders.filter.text == "venue:hyper"


async def test_what_is_kept_is_for_its_owner_alone(tmp_path):
    """Mode 0600, in a folder that is made where it is missing."""
    await left(tmp_path / "state", "plus")
    assert stat.S_IMODE((tmp_path / "state" / FILE).stat().st_mode) == 0o600


async def test_it_is_kept_while_the_console_runs(tmp_path):
    """A terminal that is closed without a word loses at most the last two seconds."""
    async with staged(folder=tmp_path) as stage:
        await stage.press("plus")
        for _ in range(3):
            stage.clock.advance(1)
            stage.app.flush()
        assert msgspec.json.decode((tmp_path / FILE).read_bytes(), type=Session).layout == "trading"


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"layout": 5}', '{"tables": {"orders": 1}}', "\0", b"\xff\xfe"], ids=repr
)
async def test_a_broken_file_is_told_of_and_put_aside_and_the_console_starts(tmp_path, text):
    """In one sentence; what it said is kept beside it, and the next run begins with this one's."""
    data = text if isinstance(text, bytes) else text.encode()
    (tmp_path / FILE).write_bytes(data)
    async with staged(folder=tmp_path, size=(200, 50)) as stage:
        assert "the kept layout cannot be read and is put aside" in stage.message
        await stage.press("plus")
    assert (tmp_path / f"{FILE}.broken").read_bytes() == data
    assert msgspec.json.decode((tmp_path / FILE).read_bytes(), type=Session).layout == "trading"


async def test_a_file_that_cannot_be_read_or_written_is_told_of_and_stays(tmp_path):
    """A folder in its place, for one."""
    (tmp_path / FILE).mkdir()
    async with staged(folder=tmp_path, size=(200, 50)) as stage:
        assert "the kept layout cannot be read" in stage.message
    assert (tmp_path / FILE).is_dir()


def test_a_folder_that_cannot_be_written_is_told_of(tmp_path):
    """In one sentence with the place."""
    (tmp_path / "file").write_text("")
    told = []
    kept = SessionFile(tmp_path / "file" / FILE, told.append)
    kept.save(Session(layout="trading"))
    assert len(told) == 1
    assert str(tmp_path) in told[0]


async def test_names_that_are_no_more_change_nothing(tmp_path):
    """Panes, layouts, columns, filters, contracts of another version or another desk."""
    view = TableView(filter="nofield:1", sort="gone", off=("gone",), order=("gone", "side"), tab="gone")
    odd = Session(layout="gone", page="gone", zoomed="gone", focused="gone", recent=("gone", "log"), times="gone",
                  theme="gone", theme_over="dark", ladder="gone:GONE",
                  tables={"orders": view, "gone": view})  # fmt: skip
    SessionFile(tmp_path / FILE, print).save(odd)
    async with staged(folder=tmp_path) as stage:
        desk = stage.app.desk
        assert (desk.layout_name, desk.page, desk.zoomed, desk.recent) == ("everything", "desk", "", ["log"])
        assert stage.app.theme == "dark"
        orders = desk.panes["orders"]
        assert (orders.filter.text, orders.sort_column, orders.tab) == ("", None, "all")
        assert desk.ladder.shown is not None


names = st.sampled_from(["", "gone", "desk", "blotter", *PANES, *LAYOUTS])
texts = st.text(max_size=8)
views = st.builds(
    TableView,
    filter=texts,
    sort=texts,
    descending=st.booleans(),
    order=st.tuples(texts),
    off=st.tuples(texts),
    tab=texts,
)
sessions = st.builds(
    Session, layout=names, page=names, zoomed=names, focused=names, recent=st.tuples(names, names), times=texts,
    ladder=texts, theme=texts, theme_over=texts, tables=st.dictionaries(names, views, max_size=3),
    ring_on_fills=st.booleans(), size_once=st.booleans(),
)  # fmt: skip


@given(sessions)
def test_what_is_written_is_what_is_read(session):
    """Every session, through its file's text."""
    assert msgspec.json.decode(msgspec.json.encode(session), type=Session) == session


def test_a_theme_chosen_here_counts_until_the_configuration_says_another():
    """What was changed last counts."""
    session = Session(theme="light", theme_over="dark")
    assert theme_of(session, "dark") == "light"
    assert theme_of(session, "cvd") == "cvd"
    assert theme_of(Session(), "dark") == "dark"


async def test_a_theme_asked_for_is_for_that_run(tmp_path):
    """On the command line; what was chosen before comes back after it, and one chosen under it counts."""
    await left(tmp_path, "comma", "right", "escape")
    chosen = SessionFile(tmp_path / FILE, print).load().theme
    assert chosen not in {"", "dark"}
    for asked, begins in (("cvd", "cvd"), ("dark", "dark"), (None, chosen)):
        async with staged(folder=tmp_path, asked_theme=asked) as stage:
            assert stage.app.theme == begins


async def test_what_could_send_or_silence_is_of_one_run(tmp_path):
    """The ladder's size, a silenced bell, marks and frozen rows are not there the next time."""
    await left(tmp_path, "1", "space", "p", "M", "6", "right_square_bracket")
    async with staged(folder=tmp_path, size=(120, 40)) as stage:
        desk = stage.app.desk
        assert desk.ladder.hands.size(desk.ladder.shown) == 0
        assert not stage.app.herald.alerts.muted
        assert not desk.panes["orders"].marked
        assert not desk.panes["orders"].frozen


async def test_a_console_whose_engine_never_came_is_a_first_run_again(tmp_path):
    """Nothing was looked at: the greeting is still to come."""
    app = HedgedeskApp(ScriptedLink(), folder=tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("plus")
        app.flush()
    assert not (tmp_path / FILE).exists()
