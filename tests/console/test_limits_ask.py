"""An order over a limit that asks: the engine's question becomes a dialog whose answer is No until it is Yes."""

import msgspec
import pytest

from console.language import parse, render
from console.link import Reply
from console.screens.asking_link import limit_question
from console.screens.command_line import CommandLine
from console.screens.dialog import QuestionDialog
from tests.console.pilots import staged
from tests.console.scripted import desk_frame

LINE = "buy 0.5 hyperliquid:ETH @ 2431.5 hedge binance:ETHUSDT market"
WHY = "the order is worth 1215.75, over the 1000 allowed for one in hyperliquid:ETH"
ASKED = Reply(ok=False, error=f"{WHY}: the same line with confirmed at its end does it", question=f"{WHY}. Do it?")


@pytest.mark.parametrize(
    "line",
    [LINE, "sell 3 binance:SOLUSDT @ queue5 post", "amend 7f3a amount 2 @ 134.5", "buy 1 okx:X @ market # why not"],
)
def test_the_confirmed_line_is_the_same_order(line):
    """Nothing but the confirmation is added, wherever a comment stands."""
    confirmed = parse(limit_question(line, ASKED).line)
    assert confirmed.confirmed
    assert msgspec.structs.replace(confirmed, confirmed=False) == parse(line)
    assert parse(render(confirmed)) == confirmed


async def typed(stage, line):
    await stage.press("colon")
    await stage.opened(CommandLine)
    await stage.press(f"text:{line}", "enter")


async def test_yes_sends_the_order_as_confirmed():
    """The operator sees why, says y, and the same order goes out once, confirmed."""
    async with staged(desk_frame()) as stage:
        stage.link.replies[LINE] = ASKED
        await typed(stage, LINE)
        await stage.opened(QuestionDialog)
        assert WHY in stage.app.screen.question.text
        await stage.press("y")
        await stage.on_desk()
        assert stage.link.lines == [LINE, f"{LINE} confirmed"]


async def test_no_sends_nothing_and_keeps_the_line():
    """Escape is No: the command line is still there with what was typed."""
    async with staged(desk_frame()) as stage:
        stage.link.replies[LINE] = ASKED
        await typed(stage, LINE)
        await stage.opened(QuestionDialog)
        await stage.press("escape")
        await stage.opened(CommandLine)
        assert stage.link.lines == [LINE]
