"""The ticket's templates: saved, recalled in a later run, dropped."""

import stat

import pytest

from console.screens.template_picker import TemplatePicker
from console.templates import LONGEST_NAME, MOST, TemplateError, Templates
from console.ticket.draft import Draft, LegDraft
from console.ticket.ticket import Ticket
from tests.console.pilots import staged

DRAFT = Draft(
    side="sell", amount="3", contract="hyperliquid:SOL", price="queue1", post=True, tif="gtc",
    legs=(LegDraft(contract="binance:SOLUSDT", ratio="0.5", policy="ioc 8bps", after="2s"), LegDraft(contract="a:B")),
)  # fmt: skip


def refuse(text):
    raise AssertionError(text)


def test_another_run_finds_the_templates_in_a_file_for_its_owner_alone(tmp_path):
    """Every field of every leg comes back; a template dropped does not."""
    path = tmp_path / "console" / "templates.json"
    first = Templates(path, refuse)
    first.save(" morning ", DRAFT)
    first.save("other", DRAFT)
    first.drop("other")
    second = Templates(path, refuse)
    second.load()
    assert second.by_name == {"morning": DRAFT}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_two_desks_keep_the_templates_of_both(tmp_path):
    """What another desk saved meanwhile is not lost."""
    one, two = Templates(tmp_path / "t.json", refuse), Templates(tmp_path / "t.json", refuse)
    one.save("a", DRAFT)
    two.save("b", DRAFT)
    assert set(two.by_name) == {"a", "b"}


@pytest.mark.parametrize(
    ("name", "draft", "why"),
    [
        ("  ", DRAFT, "needs a name"),
        ("x" * (LONGEST_NAME + 1), DRAFT, "at most"),
        ("a\x1b[2J", DRAFT, "printable"),
        ("a", Draft(), "needs a contract"),
    ],
)
def test_what_cannot_be_saved_is_refused_with_a_sentence(name, draft, why):
    """Nothing is kept of it."""
    templates = Templates(None, refuse)
    with pytest.raises(TemplateError, match=why):
        templates.save(name, draft)
    assert templates.by_name == {}


def test_there_is_an_end_to_templates():
    """One more than the most is refused; one of a name that is there is replaced."""
    templates = Templates(None, refuse)
    for number in range(MOST):
        templates.save(f"{number}", DRAFT)
    with pytest.raises(TemplateError, match="drop one first"):
        templates.save("one more", DRAFT)
    templates.save("0", Draft(contract="x:Y"))
    assert templates.by_name["0"].contract == "x:Y"


@pytest.mark.parametrize("content", [b"{", b"[1]", b'{"a": {"side": 3}}', b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_told_and_left_as_it_is(tmp_path, content):
    """A user's own edit with a slip in it is not written over."""
    path = tmp_path / "t.json"
    path.write_bytes(content)
    told = []
    templates = Templates(path, told.append)
    templates.save("a", DRAFT)
    assert told
    assert templates.by_name["a"] == DRAFT
    assert path.read_bytes() == content


async def on_ticket(stage):
    await stage.press("n")
    await stage.opened(Ticket)
    await stage.until(lambda: stage.app.screen.focused is not None)
    return stage.app.screen


async def test_a_ticket_is_saved_and_recalled_in_a_later_run(tmp_path):
    """ctrl+t, a name and ctrl+s save it; ctrl+t and enter fill the ticket of the next run, legs and all."""
    async with staged(folder=tmp_path) as stage:
        ticket = await on_ticket(stage)
        await stage.press("text:0.5", "tab", "tab", "text:queue5", "ctrl+n")
        await stage.until(lambda: len(ticket.legs) == 2)
        await stage.press("text:binance:SOLUSDT", "ctrl+t")
        await stage.opened(TemplatePicker)
        await stage.press("text:pair", "ctrl+s", "escape")
        await stage.until(lambda: stage.app.screen is ticket)
        line = ticket.draft().line()
        assert line.endswith("hedge binance:ETHUSDT market hedge binance:SOLUSDT market")
    async with staged(folder=tmp_path) as stage:
        ticket = await on_ticket(stage)
        assert ticket.draft().line() != line
        await stage.press("ctrl+t")
        await stage.opened(TemplatePicker)
        await stage.until(lambda: "pair" in stage.text())
        await stage.press("enter")
        await stage.until(lambda: stage.app.screen is ticket and len(ticket.legs) == 2)
        await stage.until(lambda: f"would do: {line}" in ticket.query_one("#effect").render().plain)
        assert ticket.draft().line() == line
        assert stage.link.lines == []


async def test_a_template_is_dropped_and_a_name_is_asked_for():
    """ctrl+g drops the one highlighted; saving without a name says so; nothing of it sends."""
    async with staged() as stage:
        stage.app.templates.save("old", DRAFT)
        await on_ticket(stage)
        await stage.press("ctrl+t")
        await stage.opened(TemplatePicker)
        await stage.press("ctrl+s")
        await stage.until(lambda: "needs a name" in stage.text())
        await stage.press("ctrl+g")
        await stage.until(lambda: "dropped: old" in stage.text())
        assert stage.app.templates.by_name == {}
        assert stage.link.lines == []
