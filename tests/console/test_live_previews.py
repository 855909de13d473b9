"""What a form says of an order follows the market while nobody types."""

import pytest
from textual.widgets import Static

from console.link import Frame, Preview, Reply
from console.screens.command_line import CommandLine
from console.screens.template_picker import TemplatePicker
from console.ticket.ticket import Ticket
from tests.console.pilots import settled, staged
from tests.console.scripted import D, contract, desk_frame

LINE = "sell 0.5 hyperliquid:ETH @ queue1"


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    """No test waits for the pace that eyes need."""
    for place in ("console.ticket.ticket", "console.screens.command_line"):
        monkeypatch.setattr(f"{place}.PREVIEW_AFTER_S", 0.01)
        monkeypatch.setattr(f"{place}.PREVIEW_EVERY_S", 0.01)


def said(screen, name="effect"):
    return str(screen.query_one(f"#{name}", Static).render())


def answered(sentence):
    return Preview(ok=True, sentence=sentence)


async def test_the_command_line_says_anew_what_a_line_does_when_the_market_moves():
    """Nothing is typed in between, and nothing is sent."""
    async with staged() as stage:
        stage.link.preview_answers[LINE] = answered("there is no quote")
        await stage.press(":")
        await stage.opened(CommandLine)
        await stage.press(f"text:{LINE}")
        screen = stage.app.screen
        await stage.until(lambda: "there is no quote" in said(screen))
        stage.link.preview_answers[LINE] = answered("near 2431.5")
        await stage.until(lambda: "near 2431.5" in said(screen))
        assert stage.link.lines == []


async def test_what_completes_a_line_stays_until_the_line_changes():
    """The words offered by tab are not written over by what is missing still."""
    async with staged() as stage:
        await stage.press(":")
        await stage.opened(CommandLine)
        await stage.press("text:sell 0.5 ", "tab")
        screen = stage.app.screen
        await stage.until(lambda: "hyperliquid:" in said(screen))
        asked = len(stage.link.previews)
        await stage.until(lambda: len(stage.link.previews) > asked + 2)
        assert "hyperliquid:" in said(screen)


async def test_the_ticket_takes_up_a_quote_that_comes_while_it_is_open():
    """The note beside the contract and the sentence below, without a key."""
    quoteless = contract("hyperliquid", "ETH", bid=None, ask=None)
    async with staged(desk_frame(contracts=[quoteless])) as stage:
        await stage.press("n")
        await stage.opened(Ticket)
        ticket = stage.app.screen
        draft = ticket.draft()
        assert draft.contract == "hyperliquid:ETH"
        await stage.until(lambda: "no quote yet" in said(ticket, "contract-note"))
        await stage.press("text:0.5")
        line = ticket.draft().line()
        await stage.until(lambda: line in stage.link.previews)
        stage.link.preview_answers[line] = answered("worth 1,215.75")
        stage.feed(Frame(contracts=[contract("hyperliquid", "ETH", bid=D("2431.4"), ask=D("2431.5"))]))
        await stage.until(lambda: "2431.4 / 2431.5" in said(ticket, "contract-note"))
        await stage.until(lambda: "worth 1,215.75" in said(ticket))


async def test_an_error_of_the_ticket_goes_when_its_cause_goes():
    """A price that was too far from the market is no error any more once the market has come."""
    async with staged() as stage:
        await stage.press("n")
        await stage.opened(Ticket)
        ticket = stage.app.screen
        await stage.press("text:0.5")
        line = ticket.draft().line()
        stage.link.preview_answers[line] = Preview(ok=False, error="too far from the market", field="price")
        await stage.until(lambda: "too far" in said(ticket, "price-error") and ticket.query_one("#price-error").display)
        stage.link.preview_answers[line] = answered("fine now")
        await stage.until(lambda: not ticket.query_one("#price-error").display and "fine now" in said(ticket))


async def test_legs_come_and_go_while_the_market_moves():
    """However often the form looks at the market, it never meets a leg that is half there."""
    async with staged() as stage:
        await stage.press("n")
        await stage.opened(Ticket)
        ticket = stage.app.screen
        await stage.press("text:0.5")
        for _ in range(12):
            await stage.press("ctrl+n")
            await stage.press("ctrl+g")
        await stage.press("ctrl+t")
        await stage.opened(TemplatePicker)
        await stage.press("text:mine", "ctrl+s", "enter")
        await stage.opened(Ticket)
        asked = len(stage.link.previews)
        await stage.until(lambda: len(stage.link.previews) > asked + 2)
        assert stage.app.screen is ticket


async def test_a_refusal_by_the_engine_stays_until_something_is_typed():
    """On the command line and in the ticket: a look at the market does not write over it."""
    async with staged() as stage:
        stage.link.preview_answers[LINE] = answered("looks fine")
        stage.link.replies[LINE] = Reply(ok=False, error="the venue has no margin")
        await stage.press(":")
        await stage.opened(CommandLine)
        await stage.press(f"text:{LINE}")
        screen = stage.app.screen
        await stage.until(lambda: "looks fine" in said(screen))
        await stage.press("enter")
        await stage.until(lambda: "the venue has no margin" in said(screen))
        asked = len(stage.link.previews)
        screen._look_again()
        await settled(stage.app)
        assert "the venue has no margin" in said(screen)
        assert len(stage.link.previews) == asked
        await stage.press("escape")
        await stage.on_desk()
        await stage.press("n")
        await stage.opened(Ticket)
        ticket = stage.app.screen
        await stage.press("text:0.5")
        line = ticket.draft().line()
        stage.link.preview_answers[line] = answered("looks fine")
        stage.link.replies[line] = Reply(ok=False, error="the venue has no margin")
        await stage.press("ctrl+s")
        await stage.until(lambda: "the venue has no margin" in said(ticket, "form-error"))
        asked = len(stage.link.previews)
        ticket._look_again()
        await settled(stage.app)
        assert ticket.query_one("#form-error").display
        assert len(stage.link.previews) == asked
        await stage.press("1")
        await stage.until(lambda: not ticket.query_one("#form-error").display)
