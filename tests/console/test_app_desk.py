import pytest
from textual.command import CommandPalette
from textual.widgets import Input

from console.app import HedgedeskApp
from console.language import parse
from console.link import Frame, LogLine, Reply
from console.screens.command_line import CommandLine
from console.screens.dialog import MenuDialog
from console.screens.help import HelpScreen
from console.screens.leave import LeaveDialog
from console.screens.picker import InstrumentPicker
from console.ticket.ticket import Ticket
from tests.console.pilots import press, staged, until
from tests.console.scripted import (
    CHILD,
    MAKER,
    NOW,
    SECOND,
    D,
    ManualClock,
    ScriptedLink,
    contract,
    desk_frame,
    header,
    order,
    venue,
)

# ------------------------------------------------------------------ answers, silence, faults


async def test_a_refusal_stands_on_the_message_line():
    """A refused command is said with the engine's sentence."""
    async with staged() as stage:
        stage.link.replies[f"cancel {CHILD}"] = Reply(ok=False, error="this order is a hedge: its book is paused first")
        await stage.press("c")
        await stage.until(lambda: "its book is paused first" in stage.message)


async def test_a_link_that_fails_is_told_and_the_console_lives():
    """An exception out of the link is shown; the next command is sent all the same."""

    class Failing(ScriptedLink):
        async def command(self, line):
            if line.startswith("cancel"):
                raise ConnectionError("socket closed")
            return await super().command(line)

    link = Failing(desk_frame())
    app = HedgedeskApp(link, clock=ManualClock())
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: app.mirror.orders)
        await press(app, "c")
        await until(pilot, lambda: "socket closed" in app.desk.keys_bar.text)
        assert app.fault_count == 1
        await press(app, "f9")
        await until(pilot, lambda: link.lines == ["panic"])
        assert any("socket closed" in row.text for row in app.desk.panes["log"].rows.values())


async def test_a_pane_that_fails_blinds_no_other():
    """When one pane cannot take a frame the fault is shown and the other panes have it."""
    async with staged() as stage:

        def broken(frame):
            raise KeyError("surprise")

        stage.app.desk.panes["hedges"].feed = broken
        stage.feed(Frame(log=[LogLine(ts_ns=NOW, kind="event", severity="info", venue="", text="still here")]))
        stage.app.flush()
        assert any(row.text == "still here" for row in stage.app.desk.panes["log"].rows.values())
        assert stage.app.fault_count == 1
        assert "screen fault" in stage.app.desk.state_bar.text
        stage.app.faults.clear()


async def test_a_silent_engine_is_said_in_the_top_bar_and_nothing_looks_live():
    """Without a heartbeat the top bar says for how long; with the next one it stops saying so."""
    async with staged() as stage:
        assert "SILENT" not in stage.app.desk.state_bar.text
        stage.clock.advance(3.5)
        stage.app.flush()
        assert "ENGINE SILENT 3 s" in stage.app.desk.state_bar.text
        assert stage.app.desk.panes["orders"].silent
        stage.feed(Frame(header=header(now_ns=NOW)))
        assert "ENGINE SILENT" in stage.app.desk.state_bar.text, "the same clock again is no heartbeat"
        stage.feed(Frame(header=header(now_ns=NOW + 4 * SECOND)))
        assert "SILENT" not in stage.app.desk.state_bar.text
        assert not stage.app.desk.panes["orders"].silent


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50), (40, 10)])
@pytest.mark.parametrize(("arming", "word"), [("PAPER", "PAPER"), ("SAFE", "LIVE SAFE"), ("ARMED", "LIVE ARMED")])
async def test_the_arming_state_is_a_word_at_every_size(size, arming, word):
    """PAPER, LIVE SAFE or LIVE ARMED stands in the top bar however small the terminal is."""
    async with staged(desk_frame(header=header(arming=arming)), size=size) as stage:
        await stage.until(lambda: f" {word} " in stage.app.desk.state_bar.text)


async def test_what_is_unknown_or_down_is_never_left_out():
    """At 80 columns the count of unknown orders and the alarm of a venue that is down are still there."""
    frame = desk_frame(header=header(unknown=2, working=14, children=3), venues=[venue("binance", private=False)])
    async with staged(frame, size=(80, 24)) as stage:
        await stage.until(lambda: "unknown 2" in stage.app.desk.state_bar.text)
        assert "HEDGE-ONLY" not in stage.app.desk.state_bar.text
        stage.feed(Frame(header=header(now_ns=NOW + 1, trading="HEDGE-ONLY", unknown=2)))
        assert "HEDGE-ONLY" in stage.app.desk.state_bar.text


# ------------------------------------------------------------------ leaving


async def leaving(stage, key="q"):
    await stage.press(key)
    await stage.opened(LeaveDialog)


@pytest.mark.parametrize("key", ["q", "ctrl+q"])
async def test_leaving_lists_what_is_open_and_starts_on_staying(key):
    """Both q and ctrl+q open the dialog with the open orders and what is unhedged; enter stays."""
    async with staged() as stage:
        await leaving(stage, key)
        text = stage.text()
        assert "hyperliquid:ETH" in text
        assert "unhedged +0.0002" in text
        assert stage.app.screen.focused.id == "stay"
        await stage.press("enter")
        await stage.on_desk()
        assert stage.link.stopped == []
        assert stage.app.return_code is None


async def test_a_second_ctrl_q_opens_no_second_dialog():
    """ctrl+q over the dialog changes nothing."""
    async with staged() as stage:
        await leaving(stage)
        await stage.press("ctrl+q")
        assert sum(isinstance(screen, LeaveDialog) for screen in stage.app.screen_stack) == 1


async def test_leaving_in_two_phases_stops_the_engine_and_closes():
    """The key t stops the engine in two phases; the console closes when it has stopped."""
    async with staged() as stage:
        await leaving(stage)
        await stage.press("t")
        await stage.until(lambda: stage.app._exit)
        assert stage.link.stopped == [True]


async def test_a_two_phase_stop_that_does_not_end_is_said_and_the_console_stays():
    """When the engine cannot settle, the dialog says why and the console is still there."""
    async with staged() as stage:
        stage.link.stop_reply = Reply(ok=False, error="binance does not answer: 1 order is still UNKNOWN")
        await leaving(stage)
        await stage.press("t")
        await stage.until(lambda: "still UNKNOWN" in stage.text())
        assert isinstance(stage.app.screen, LeaveDialog)
        await stage.press("escape")
        await stage.on_desk()


async def test_leaving_anyway_leaves_the_orders():
    """The key l ends the engine without the two phases."""
    async with staged() as stage:
        await leaving(stage)
        await stage.press("l")
        await stage.until(lambda: stage.app._exit)
        assert stage.link.stopped == [False]


async def test_leaving_is_deaf_to_a_key_that_repeats():
    """A t within the deaf moment stops nothing."""
    async with staged() as stage:
        await stage.press("q")
        await stage.until(lambda: isinstance(stage.app.screen, LeaveDialog))
        await stage.press("t")
        assert stage.link.stopped == []


# ------------------------------------------------------------------ going about


async def test_number_keys_show_each_pane_at_every_size():
    """1 to 9, then 0, show their pane and give it the focus, also where panes share a place."""
    async with staged(size=(80, 24)) as stage:
        for number, name in enumerate(stage.app.desk.panes, 1):
            await stage.press(str(number % 10))
            pane = stage.app.desk.panes[name]
            await stage.until(lambda pane=pane: pane.has_focus and pane.display and pane.size.height > 1)


async def test_zoom_gives_a_pane_the_desk_and_gives_it_back():
    """The key z shows one pane alone; number keys go on working; z again brings the others back."""
    async with staged(size=(120, 40)) as stage:
        await stage.press("z")
        shown = lambda: [name for name, pane in stage.app.desk.panes.items() if pane.display]  # noqa: E731
        assert shown() == ["orders"]
        await stage.press("5")
        assert shown() == ["positions"]
        await stage.press("z")
        assert len(shown()) > 4


async def test_tab_goes_round_the_panes_in_sight():
    """The key tab visits each pane in sight once before it comes back."""
    async with staged(size=(120, 40)) as stage:
        seen = []
        for _ in range(7):
            seen.append(stage.app.desk.focused_pane.NAME)
            await stage.press("tab")
        assert len(set(seen)) == 7
        assert stage.app.desk.focused_pane.NAME == "orders"


async def test_the_ladder_opens_a_ticket_at_the_cursor_and_sends_nothing():
    """The key b in the ladder opens the ticket with side, contract and the cursor's price filled in."""
    async with staged() as stage:
        await stage.press("6")
        ladder = stage.app.desk.ladder
        await stage.until(lambda: ladder.cursor_price is not None)
        await stage.press("j", "j", "b")
        await stage.opened(Ticket)
        draft = stage.app.screen.draft()
        assert (draft.side, draft.contract, draft.post) == ("buy", "hyperliquid:ETH", True)
        assert D(draft.price) == ladder.cursor_price
        assert ladder.cursor_price < D("2431.5")
        assert draft.legs[0].contract == "binance:ETHUSDT"
        assert stage.link.lines == []


async def test_the_instrument_picker_watches_what_was_chosen():
    """i, a part of the ticker, enter: the ladder shows that contract and the link is told to watch it."""
    async with staged() as stage:
        await stage.press("i")
        await stage.opened(InstrumentPicker)
        await stage.press("text:binance:sol", "enter")
        await stage.until(lambda: stage.link.watched[-1:] == [("binance", "SOLUSDT")])
        assert str(stage.app.desk.ladder.where()) == "binance:SOLUSDT"


async def test_the_palette_does_what_it_offers():
    """An action chosen in the palette is done where the palette was opened."""
    async with staged() as stage:
        await stage.press("ctrl+p")
        await stage.opened(CommandPalette)
        await stage.press("text:cancel menu")
        await stage.until(lambda: stage.app.screen.query("OptionList").first().option_count)
        await stage.press("enter")
        if isinstance(stage.app.screen, CommandPalette):
            await stage.press("enter")
        await stage.until(lambda: isinstance(stage.app.screen, MenuDialog))


async def test_help_says_why_an_action_is_off():
    """The help of the orders shows each key, and the reason of what cannot be done now."""
    async with staged(desk_frame(orders=[]), size=(120, 60)) as stage:
        await stage.press("question_mark")
        await stage.opened(HelpScreen)
        assert "not now: no order is open" in stage.text()
        await stage.press("escape")
        await stage.on_desk()


async def test_a_disabled_key_says_why():
    """The key c without an open order says so."""
    async with staged(desk_frame(orders=[])) as stage:
        await stage.press("c")
        await stage.until(lambda: "no order is open" in stage.message)


async def test_the_theme_changes_while_it_runs():
    """Every theme can be changed to, and the panes are drawn in it."""
    async with staged() as stage:
        for _ in range(3):
            stage.app.perform("theme")
            name = stage.app.theme
            await stage.until(
                lambda: stage.app.desk.panes["orders"].inks.background == stage.app.theme_variables["background"]
            )
            assert name in stage.message


async def test_the_console_survives_a_terminal_made_tiny_and_large_again():
    """A resize to almost nothing and back leaves every pane as it was."""
    async with staged() as stage:
        for size in ((2, 1), (10, 3), (200, 50), (80, 24)):
            await stage.pilot.resize_terminal(*size)
            stage.app.flush()
        await stage.until(lambda: "PAPER" in stage.text())


async def test_updates_while_a_form_is_open_reach_the_desk():
    """Frames are taken and shown also under a modal."""
    async with staged() as stage:
        await stage.press("n")
        await stage.opened(Ticket)
        stage.feed(Frame(orders=[order("d" * 32)]))
        assert "d" * 32 in stage.app.desk.panes["orders"].keys


async def test_an_amend_is_written_on_the_command_line_not_sent():
    """The key e opens the command line with the order's own numbers."""
    async with staged() as stage:
        stage.app.desk.panes["orders"].move_to_key(MAKER)
        await stage.press("e")
        await stage.opened(CommandLine)
        assert stage.app.screen.query_one(Input).value == f"amend {MAKER} amount 0.5000 @ 2431.5"
        assert stage.link.lines == []


@pytest.mark.parametrize(
    "legs", ["hedge binance:ETHUSDT market", "hedge x0.5 binance:ETHUSDT ioc 8bps after 250ms", ""]
)
async def test_a_clone_is_the_same_order_in_a_ticket(legs):
    """The key N opens the ticket with the order's numbers, flags and legs, whatever was typed there before."""
    async with staged(desk_frame(orders=[order(MAKER, legs=legs)])) as stage:
        await stage.press("N")
        await stage.opened(Ticket)
        line = f"sell 0.5000 hyperliquid:ETH @ 2431.5 post {legs}".strip()
        assert parse(stage.app.screen.draft().line()) == parse(line)
        assert stage.link.lines == []


async def test_alerts_ring_once_and_not_when_mute():
    """An error rings the bell, a flood of them once, and none when it is muted."""
    async with staged() as stage:
        rings = []
        stage.app.bell = lambda: rings.append(1)
        alert = Frame(log=[LogLine(ts_ns=NOW, kind="alert", severity="error", venue="", text="hedge refused")] * 5)
        stage.feed(alert)
        stage.feed(alert)
        assert len(rings) == 1
        stage.clock.advance(10)
        await stage.press("M")
        stage.feed(alert)
        assert len(rings) == 1


async def test_contracts_that_come_late_give_the_ladder_its_first_instrument():
    """The ladder watches the first contract once the contracts are known."""
    async with staged(Frame(header=header())) as stage:
        assert stage.link.watched == []
        stage.feed(Frame(contracts=[contract("hyperliquid", "ETH"), contract("binance", "ETHUSDT")]))
        assert stage.link.watched == [("binance", "ETHUSDT")]
