"""What the app does for the actions of the desk and of every pane: each is ``do_<id>`` of the table of actions."""

from collections.abc import Callable

from textual.app import App

from console.actions import PANES
from console.herald import Herald
from console.link import Link, Reply
from console.panes.mirror import Mirror
from console.panes.pane import Pane, Where
from console.panes.when import NOTHING
from console.screens.alerts import AlertsScreen
from console.screens.arm import ArmDialog
from console.screens.choices import Choice, Question, cancel_choices, flatten_choices
from console.screens.desk import DeskScreen
from console.screens.dialog import QuestionDialog
from console.screens.help import HelpScreen
from console.screens.leave import LeaveDialog
from console.screens.picker import InstrumentPicker
from console.screens.settings import SettingsScreen
from console.settings import settings


class DeskActs(App[int]):
    """The part of the app that answers keys. What it is made with, and speaks through, is the app's own."""

    link: Link
    clock: Callable[[], int]
    herald: Herald
    mirror: Mirror
    desk: DeskScreen
    send: Callable[[str], None]
    say: Callable[..., None]
    ask: Callable[[Question], None]
    choose: Callable[[str, list[Choice]], None]
    show_ladder: Callable[[Where], None]
    open_command_line: Callable[..., None]

    def do_panic(self, _: Pane | None) -> None:
        """Cancel every maker everywhere. Asks nothing; once more, it offers to flatten everything, too."""
        header = self.mirror.header
        self.send("panic")
        self.say("PANIC: cancelling every maker on every venue", "error")
        if header is not None and header.trading in {"HEDGE-ONLY", "HALTED"} and self.mirror.open_positions():
            question = next(choice.question for choice in flatten_choices(self.mirror) if choice.key == "a")
            if question is not None and not isinstance(self.screen, QuestionDialog):
                self.ask(question)

    def do_quit(self, _: Pane | None) -> None:
        """Leave, after the question."""
        if not isinstance(self.screen, LeaveDialog):
            self.push_screen(LeaveDialog(self.mirror, self._stop, self.clock, outlives=self.link.outlives), self._left)

    do_leave = do_quit

    async def _stop(self, two_phase: bool) -> Reply:  # noqa: FBT001  # the dialog's one answer
        return await self.link.stop(two_phase=two_phase)

    def _left(self, leaving: bool | None) -> None:  # noqa: FBT001  # textual calls it with the dialog's result
        if leaving:
            self.exit(0)

    def do_cancel_menu(self, pane: Pane | None) -> None:
        """Offer the sets to cancel."""
        where = (pane and pane.where()) or self.desk.ladder.where() or Where("", "")
        self.choose("cancel (all but h spare the hedge orders)", cancel_choices(self.mirror, *where))

    def do_flatten_menu(self, pane: Pane | None) -> None:
        """Offer the sets to flatten."""
        where = (pane and pane.where()) or self.desk.ladder.where() or Where("", "")
        self.choose("flatten (reduce-only)", flatten_choices(self.mirror, *where))

    def do_instrument(self, _: Pane | None) -> None:
        """Choose the ladder's contract."""

        def chosen(where: Where | None) -> None:
            if where is not None:
                self.show_ladder(where)

        self.push_screen(InstrumentPicker(self.mirror), chosen)

    def do_command_line(self, _: Pane | None) -> None:
        """Open the command line."""
        self.open_command_line()

    def do_help(self, pane: Pane | None) -> None:
        """Show what the keys do here."""
        selection = NOTHING if pane is None else pane.selection()
        self.push_screen(HelpScreen((pane.NAME if pane else PANES[0],), self.mirror, selection))

    def do_help_all(self, _: Pane | None) -> None:
        """Show what the keys do everywhere."""
        self.push_screen(HelpScreen(PANES, self.mirror))

    def do_redraw(self, _: Pane | None) -> None:
        """Draw everything anew."""
        self.refresh(layout=True)

    def do_mute(self, _: Pane | None) -> None:
        """Silence the bell, or let it ring again."""
        alerts = self.herald.alerts
        alerts.muted = not alerts.muted
        self.say("the bell is silent" if alerts.muted else "the bell rings on alerts")

    def do_alerts(self, _: Pane | None) -> None:
        """Show what was alerted of."""
        self.push_screen(AlertsScreen(self.herald.alerts, self.mirror))

    def do_arming(self, pane: Pane | None) -> None:
        """Disarm at once; where a live desk is SAFE, open the dialog; on paper stop makers, or take them again."""
        header = self.mirror.header
        if header is not None and header.arming == "SAFE":
            self.push_screen(ArmDialog(self.link, self.mirror, self.clock), self._armed)
        elif header is None or header.arming == "ARMED" or header.trading in {"ACTIVE", "REDUCING"}:
            self.send("disarm")
        else:
            self.do_activate(pane)

    def _armed(self, answer: str | None) -> None:
        self.say(answer or "left SAFE", "warning" if answer else "info")

    def do_activate(self, _: Pane | None) -> None:
        """Ask, then let makers and hedges go out again."""
        header = self.mirror.header
        stands = f"Trading is {header.trading}. " if header is not None else ""
        why = f"\n{header.because}" if header is not None and header.because else ""
        text = f"{stands}When it is active again, new makers are taken, and hedges are sent.{why}"
        self.ask(Question(title="Allow makers again", text=text, line="activate"))

    def do_reconcile(self, _: Pane | None) -> None:
        """Compare with every venue now."""
        self.send("reconcile")

    def do_reconnect(self, _: Pane | None) -> None:
        """Ask, then open the private streams anew."""
        text = "Every venue's private stream is closed and opened anew, then compared. It may disarm a live desk."
        self.ask(Question(title="Reconnect", text=text, line="reconnect"))

    def do_settings(self, _: Pane | None) -> None:
        """Open the settings."""
        self.push_screen(SettingsScreen(settings(self)))

    def do_verify(self, _: Pane | None) -> None:
        """Prove the books."""
        self.send("verify")
