"""Acts on hedge orders from the screen: what is asked before, and the line that is sent."""

import pytest

from console.commands import Absent
from console.language import parse
from console.screens.choices import absent_question
from console.screens.command_line import CommandLine
from console.screens.dialog import QuestionDialog
from tests.console.pilots import staged
from tests.console.scripted import CHILD, MAKER, desk_frame, order


@pytest.fixture
async def stage():
    """A desk with a hedge order of unknown outcome, and the cursor on it."""
    async with staged() as running:
        unknown = order(CHILD, venue="binance", ticker="ETHUSDT", role="hedge", status="UNKNOWN", price=None, legs="")
        running.feed(desk_frame(orders=[unknown]))
        running.app.desk.panes["orders"].move_to_key(CHILD)
        yield running


def test_the_question_is_for_the_confirmed_act_with_its_reason():
    """Yes sends the act that does something, for the same order and for the same reason."""
    question = absent_question(Absent(cloid=CHILD, reason="they say so"), "binance:ETHUSDT")
    assert parse(question.line) == Absent(cloid=CHILD, confirmed=True, reason="they say so")
    assert (question.word, CHILD.startswith(question.word)) == (CHILD[:6], True)


async def test_an_unknown_hedge_is_taken_as_not_sent_only_after_its_id_is_typed(stage):
    """A wrong id does nothing, the right one sends the confirmed act once."""
    await stage.press("X")
    await stage.opened(QuestionDialog)
    await stage.press(*"ffff", "enter")
    assert isinstance(stage.app.screen, QuestionDialog)
    assert stage.link.lines == []
    await stage.press(*CHILD[:6], "enter")
    await stage.on_desk()
    await stage.until(lambda: stage.link.lines)
    assert stage.link.lines == [f"absent {CHILD} confirmed"]


async def test_no_other_order_can_be_taken_as_not_sent(stage):
    """On a maker the key says why not, and asks nothing."""
    stage.app.desk.panes["orders"].move_to_key(MAKER)
    await stage.press("X")
    assert "only a hedge order that is UNKNOWN" in stage.message
    assert stage.link.lines == []


@pytest.mark.parametrize("answer", ["enter", "escape"])
async def test_the_command_line_asks_for_the_id_once_more(stage, answer):
    """The act typed without its second word is asked about; escape goes back to the line, which is kept."""
    await stage.press("colon")
    await stage.opened(CommandLine)
    await stage.press(*f"absent {CHILD[:8]}", "enter")
    await stage.opened(QuestionDialog)
    assert stage.link.lines == []
    await stage.press(*CHILD[:6], answer)
    if answer == "enter":
        await stage.on_desk()
        assert stage.link.lines == [f"absent {CHILD[:8]} confirmed"]
    else:
        await stage.opened(CommandLine)
        assert (stage.link.lines, stage.app.screen.query_one("#command").value) == ([], f"absent {CHILD[:8]}")


async def test_the_command_line_sends_what_was_said_twice(stage):
    """With its second word the act is sent as typed."""
    await stage.press("colon")
    await stage.opened(CommandLine)
    await stage.press(*f"absent {CHILD[:8]} confirmed", "enter")
    await stage.on_desk()
    assert stage.link.lines == [f"absent {CHILD[:8]} confirmed"]
