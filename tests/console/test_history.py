"""The history of the command line, kept between runs."""

import stat

from hypothesis import given
from hypothesis import strategies as st

from console.history import MOST, History
from tests.console.pilots import staged


def refuse(text):
    raise AssertionError(text)


def test_another_run_finds_the_lines_in_a_file_for_its_owner_alone(tmp_path):
    """What was sent comes back in its order; the file and its folder are closed to others."""
    path = tmp_path / "console" / "history"
    first = History(path, refuse)
    for line in ("cancel all", "cancel all", "flatten binance:ÆTH"):
        first.add(line)
    second = History(path, refuse)
    second.load()
    assert second.lines == first.lines == ["cancel all", "flatten binance:ÆTH"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_two_desks_keep_the_lines_of_both(tmp_path):
    """Each shows its own; a later run finds those of both."""
    one, two = History(tmp_path / "history", refuse), History(tmp_path / "history", refuse)
    one.add("verify")
    two.add("reconcile")
    assert (one.lines, two.lines) == (["verify"], ["reconcile"])
    later = History(tmp_path / "history", refuse)
    later.load()
    assert later.lines == ["verify", "reconcile"]


@given(st.lists(st.sampled_from(["a", "b", "c"]), max_size=MOST + 20))
def test_the_latest_lines_are_kept_none_twice_in_a_row(lines):
    """At most so many, the last line last."""
    history = History(None, refuse)
    for line in lines:
        history.add(line)
    assert len(history.lines) <= MOST
    assert history.lines[-1:] == lines[-1:]
    assert all(one != other for one, other in zip(history.lines, history.lines[1:], strict=False))


def test_a_file_that_holds_something_else_is_read_as_far_as_it_goes(tmp_path):
    """What no line can be is left out; nothing fails."""
    path = tmp_path / "history"
    path.write_bytes(b"verify\n\x00\x1b[2J\n\n\xff\xfe\ncancel all\n")
    history = History(path, refuse)
    history.load()
    assert history.lines[0] == "verify"
    assert history.lines[-1] == "cancel all"
    assert all(line.isprintable() for line in history.lines)


def test_a_folder_in_its_place_is_told_and_the_run_has_its_lines(tmp_path):
    """The lines of this run are recalled though they cannot be kept."""
    told = []
    history = History(tmp_path, told.append)
    history.load()
    history.add("verify")
    assert history.lines == ["verify"]
    assert any("cannot be read" in text for text in told)
    assert any("not kept" in text for text in told)


async def test_up_recalls_what_an_earlier_run_sent(tmp_path):
    """A command sent in one run is there in the next, and is not sent by being recalled."""
    async with staged(folder=tmp_path) as stage:
        await stage.press("colon", *"verify", "enter")
        await stage.on_desk()
    async with staged(folder=tmp_path) as stage:
        await stage.press("colon", "up")
        await stage.until(lambda: stage.app.screen.query_one("#command").value == "verify")
        assert stage.link.lines == []
