"""The console: a textual app that knows the engine only through a link.

Ten times a second it takes what the link has and paints what changed. What a key does is in ``console.actions``; the
panes are on the desk (``console.screens.desk``), every form is a modal screen over it.
"""

import os

os.environ.setdefault("TEXTUAL_FPS", "120")  # textual reads it once, when it is imported

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import ClassVar

import msgspec
from rich.segment import Segments
from rich.traceback import Traceback
from textual import events
from textual.app import SystemCommand
from textual.binding import BindingType
from textual.command import CommandPalette
from textual.screen import Screen

from console import fmt, themes
from console.actions import APP, BY_ID, bindings
from console.concern import DEFAULT_THRESHOLDS, Thresholds
from console.desk_acts import DeskActs
from console.folders import copies_folder
from console.herald import Herald
from console.history import History
from console.link import Link, LogLine
from console.panes.mirror import Mirror
from console.panes.pane import Pane, Where
from console.panes.when import NOTHING
from console.screens.asking_link import AskingLink
from console.screens.choices import Choice, Question
from console.screens.command_line import CommandLine
from console.screens.desk import DeskScreen
from console.screens.dialog import DetailsDialog, MenuDialog, QuestionDialog
from console.screens.drill import DrillScreen
from console.screens.drill_lines import place_of
from console.screens.guarded_link import GuardedLink
from console.screens.palette import ActionPalette, ActionProvider
from console.screens.resume import resume, session_of, theme_of
from console.session import Session, SessionFile
from console.templates import Templates
from console.theming import Theming
from console.ticket.draft import Draft, carried
from console.ticket.ticket import Ticket
from console.typed import TypedKeys
from console.widgets.bars import state_spans
from oms.private_files import write_file

FLUSH_S = 0.1
NO_ANSWER_AFTER_S = 3.0
_MOST_ANSWERS = 3
"""More answers at once than this are counted first: the message line may not have room for all."""
MESSAGE_NS = {"info": 4_000_000_000, "warning": 8_000_000_000, "error": 15_000_000_000}

_log = logging.getLogger("hedgedesk.console")


class HedgedeskApp(Theming, DeskActs):
    """The console over a ``link``. ``clock`` is monotonic, in nanoseconds. Raises ThemeError for an unknown theme.

    ``theme`` is the configured one; ``asked_theme`` is for this run, whatever was chosen in earlier ones.
    ``rising`` is the colour of a rise, ``folder`` where history and templates are kept; None keeps them for this run.
    """

    TITLE = "hedgedesk"
    CSS = themes.style_sheet()
    COMMANDS: ClassVar = {ActionProvider}
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(APP)]
    ENABLE_COMMAND_PALETTE = True

    def __init__(
        self, link: Link, *, theme: str = themes.DEFAULT, asked_theme: str | None = None,
        rising: themes.Rising = "green", clock: Callable[[], int] = time.monotonic_ns,
        thresholds: Thresholds = DEFAULT_THRESHOLDS, folder: Path | None = None,
    ) -> None:  # fmt: skip
        self.dress(theme, rising)
        super().__init__()
        guarded = GuardedLink(link, lambda what, error: self.fault(f"link: {what}", error))
        self.link: Link = AskingLink(guarded, self._ask)
        self.clock = clock
        self.faults: deque[str] = deque(maxlen=50)
        self.fault_count = 0
        self.history = History(folder and folder / "history", self._not_kept)
        self.templates = Templates(folder and folder / "templates.json", self._not_kept)
        self.copies = copies_folder()
        """Where what is copied is written too."""
        self._typed = TypedKeys(self, super().on_event)
        self._mirror = Mirror(thresholds)
        self._draft = Draft()
        self._command_text = ""
        self._second = -1
        self._flushed_ns = 0
        self._message_until_ns = 0
        self.herald = Herald(self)
        self._desk: DeskScreen | None = None
        self._sessions = SessionFile(folder and folder / "session.json", self._not_kept)
        self._seen = Session()
        self._asked_theme = asked_theme
        self.put_on(theme)

    # ------------------------------------------------------------ start and frames

    async def on_event(self, event: events.Event) -> None:
        """Let keys from the terminal go one after another; all else as textual does."""
        if isinstance(event, events.Key | events.MouseDown):
            self.desk.greeted()
        if isinstance(event, events.Key) and not event.is_forwarded:
            await self._typed.take(event)
        else:
            await super().on_event(event)

    @property
    def mirror(self) -> Mirror:
        """What was last heard from the engine."""
        return self._mirror

    @property
    def desk(self) -> DeskScreen:
        """The desk's screen."""
        if self._desk is None:
            self._desk = DeskScreen(self)
        return self._desk

    def get_default_screen(self) -> Screen[None]:
        """The desk."""
        return self.desk

    def get_system_commands(self, screen: Screen[object]) -> Iterator[SystemCommand]:  # noqa: ARG002  # textual's
        """None of textual's own: the palette offers the table of actions."""
        yield from ()

    def action_command_palette(self) -> None:
        """Open the palette."""
        if not CommandPalette.is_open(self):
            self.push_screen(ActionPalette(id="--command-palette"))

    def on_mount(self) -> None:
        """Begin as the last run ended; start the one timer that feeds and paints everything."""
        self._begin()
        self.set_interval(FLUSH_S, self.flush)
        self.history.load()
        self.flush()

    def _begin(self) -> None:
        session = self._sessions.load()
        self.put_on(self._asked_theme or theme_of(session, self.configured_theme))
        self.begun_theme = self.theme
        resume(self, session)
        if self._sessions.first:
            self.desk.greet()

    def on_unmount(self) -> None:
        """Keep how the console was looked at, where there was something to look at."""
        if self._mirror.header is not None:
            self._sessions.save(session_of(self))

    def _keep_session(self) -> None:
        """Keep it while it runs, too, once it has stood for a second: a terminal may be closed without a word."""
        session = session_of(self)
        if session == self._seen and self._mirror.header is not None:
            self._sessions.save(session)
        self._seen = session

    def flush(self) -> None:
        """Take what the link has and paint what changed."""
        now_ns = self.clock()
        late_ns, self._flushed_ns = now_ns - (self._flushed_ns or now_ns) - int(FLUSH_S * 1e9), now_ns
        frame = self.link.take()
        if frame is not None:
            self._mirror.apply(frame, now_ns)
            self.desk.feed(frame)
            self.herald.tell(frame, self._mirror, now_ns)
        if self.desk.ladder.shown is None:
            self._choose_first_ladder()
        silent = self._mirror.silent(now_ns)
        second = now_ns // 1_000_000_000
        if second != self._second:
            self.look_at_themes()
            self._keep_session()
            self.herald.show_title(now_ns)
        self.desk.flush(tick=second != self._second, silent=silent)
        self._second = second
        silence_ns = self._mirror.silence_ns(now_ns)
        self.desk.state_bar.show(*state_spans(self._mirror, silence_ns, silent=silent, faults=self.fault_count))
        if self._message_until_ns and now_ns > self._message_until_ns:
            self._clear_message()
        self._mirror.frame_times.add(self.clock() - now_ns, late_ns)

    def _choose_first_ladder(self) -> None:
        if self._mirror.contracts:
            row = min(self._mirror.contracts.values(), key=lambda row: (row.venue, row.ticker))
            wanted = self.desk.ladder_wanted
            known = [key for key in (wanted, *self._mirror.ladders) if key in self._mirror.contracts]
            venue, ticker = known[0] if known else (row.venue, row.ticker)
            self.link.watch(venue, ticker)
            self.desk.ladder.show(Where(venue, ticker))

    # ------------------------------------------------------------ messages and faults

    def say(self, text: str, severity: str = "info") -> None:
        """Write on the message line, in place of the keys, for a while."""
        self._message_until_ns = self.clock() + MESSAGE_NS.get(severity, MESSAGE_NS["info"])
        self.desk.show_message((text, severity))

    def _not_kept(self, why: str) -> None:
        self.say(why, "warning")

    def _clear_message(self) -> None:
        self._message_until_ns = 0
        self.desk.show_message(None)

    def _fatal_error(self) -> None:
        """End with a traceback without the local values that textual would show: keys may be among them."""
        self.bell()
        traceback = Traceback(show_locals=False, width=None)
        self._exit_renderables.append(Segments(self.console.render(traceback, self.console.options)))
        self._close_messages_no_wait()

    def fault(self, where: str, error: Exception) -> None:
        """Report an error of the console's own: in the log pane, on the top bar, and to Python's logging."""
        text = f"screen fault in {where}: {type(error).__name__}: {error}"
        self.fault_count += 1
        if text in self.faults:
            return
        self.faults.append(text)
        _log.error(text, exc_info=error)
        line = LogLine(ts_ns=self._mirror.now_ns, kind="alert", severity="error", venue="console", text=text)
        self.desk.log_pane.add([line])

    async def _ask(self, question: Question) -> bool | None:
        """Wait for the operator's answer; must be called in a worker."""
        return await self.push_screen_wait(QuestionDialog(question, self.clock))

    # ------------------------------------------------------------ commands

    def send(self, line: str) -> None:
        """Send a command line; its answer comes on the message line."""
        self.run_worker(partial(self._command, line), group="commands", name=line)

    def send_all(self, lines: Sequence[str]) -> None:
        """Send command lines, each by itself; their answers come together, what failed first."""
        if len(lines) == 1:
            self.send(lines[0])
        elif lines:
            self.run_worker(partial(self._commands, lines), group="commands", name=lines[0])

    async def _commands(self, lines: Sequence[str]) -> None:
        replies = await asyncio.gather(*(self.link.command(line) for line in lines))
        failed = [
            f"{reply.error} ({fmt.brief(line)})" for line, reply in zip(lines, replies, strict=True) if not reply.ok
        ]
        done = [reply.text or fmt.brief(line) for line, reply in zip(lines, replies, strict=True) if reply.ok]
        count = [f"{len(done)} of {len(lines)} done"] if len(lines) > _MOST_ANSWERS else []
        self.say(" · ".join([*failed, *count, *done]), "error" if failed else "info")

    async def _command(self, line: str) -> None:
        waiting = self.set_timer(NO_ANSWER_AFTER_S, lambda: self.say(f"no answer yet to: {fmt.brief(line)}", "warning"))
        try:
            reply = await self.link.command(line)
        finally:
            waiting.stop()
        if reply.ok:
            self.say(reply.text or fmt.brief(line))
        else:
            self.say(f"{reply.error} ({fmt.brief(line)})", "error")

    def perform(self, action_id: str, pane: Pane | None = None) -> None:
        """Do an action of the table, or say why it cannot be done now."""
        action = BY_ID[action_id]
        reason = action.blocked(self._mirror, NOTHING if pane is None else pane.selection())
        if reason is not None:
            self.say(f"{action.label}: {reason}", "warning")
            return
        try:
            if action.goes_to:
                self.desk.go_to(action.goes_to)
                return
            method = getattr(pane, f"do_{action_id}", None)
            if method is not None:
                method()
                return
            method = getattr(self.desk, f"do_{action_id}", None) or getattr(self, f"do_{action_id}")
            method(pane)
        except Exception as error:  # noqa: BLE001  # a failing key must not take the console, and panic, down
            self.fault(f"action {action_id}", error)

    def action_perform(self, action_id: str) -> None:
        """Do an action of the table that is bound everywhere."""
        self.perform(action_id, self.desk.focused_pane)

    async def action_quit(self) -> None:
        """Leave, after the question."""
        self.perform("quit")

    # ------------------------------------------------------------ what panes ask for

    def ask(self, question: Question) -> None:
        """Ask, and send the question's lines on a yes."""

        def answered(yes: bool | None) -> None:  # noqa: FBT001  # textual calls it with the dialog's result
            if yes:
                self.send_all(question.lines)
            else:
                self.say(f"not sent: {fmt.brief(question.line)}")

        self.push_screen(QuestionDialog(question, self.clock), answered)

    def choose(self, title: str, choices: list[Choice]) -> None:
        """Offer a menu, and do what was chosen."""

        def chosen(choice: Choice | None) -> None:
            if choice is None:
                return
            if choice.question is not None:
                self.ask(choice.question)
                return
            self.send_all(choice.lines)

        self.push_screen(MenuDialog(title, choices), chosen)

    def open_ticket(self, draft: Draft | None = None, *, whole: bool = False) -> None:
        """Open the ticket with the draft kept, or with another: as it is (``whole``), else filled."""
        if draft is not None:
            self._draft = draft if whole else self.filled(draft)
        ticket = Ticket(self.link, self._mirror, self._draft, self._keep_draft, self.templates)
        self.push_screen(ticket, self._done)

    def filled(self, draft: Draft) -> Draft:
        """A draft with the amount and legs that the ticket would open with."""
        return carried(draft, self._draft, self._mirror.contracts.values())

    def _keep_draft(self, draft: Draft) -> None:
        self._draft = draft

    def open_command_line(self, text: str = "") -> None:
        """Open the command line with a text, or with the one kept from before."""
        kept = "" if text else self._command_text
        line = CommandLine(
            self.link,
            self._mirror,
            self.history,
            text or kept,
            self._keep_command,
            selected=bool(kept),
            clock=self.clock,
        )
        self.push_screen(line, self._done)

    def _keep_command(self, text: str) -> None:
        self._command_text = text

    def _done(self, answer: str | None) -> None:
        if answer is not None:
            self.say(answer)

    def copy(self, name: str, text: str, told: str) -> None:
        """Put a text on the terminal's clipboard, and into a file: not every terminal lets a program write to it."""
        self.copy_to_clipboard(text)
        path = self.copies / f"{name}.csv"
        try:
            write_file(path, text)
        except OSError as error:
            self.say(f"{told} copied; no file was written ({error.strerror}): {path}", "warning")
        else:
            self.say(f"{told} copied, and written to {path}")

    def open_details(self, title: str, row: msgspec.Struct) -> None:
        """Show what stands behind a row where something does, else everything about it."""
        place = place_of(row)
        self.push_screen(DetailsDialog(title, row) if place is None else DrillScreen(self._mirror, place))

    def show_ladder(self, where: Where) -> None:
        """Show a contract in the ladder."""
        self.link.watch(where.venue, where.ticker)
        self.desk.show_ladder(where)

    # ------------------------------------------------------------ actions on what the app keeps

    def do_new(self, _: Pane | None) -> None:
        """Open the ticket; an empty draft begins with the contract that the ladder shows."""
        where = self.desk.ladder.where()
        if self._draft == Draft() and where is not None:
            self.open_ticket(Draft(contract=str(where), post=True))
        else:
            self.open_ticket()

    def do_dismiss(self, pane: Pane | None) -> None:
        """Clear the message line, and the marks or else the filter of the pane in focus."""
        self._clear_message()
        if pane is not None:
            pane.clear()
