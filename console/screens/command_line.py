"""The command line: one line of the grammar, with its effect shown before enter, completion and history."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Label, Static
from textual.worker import Worker

from console import fmt
from console.commands import Absent
from console.history import History
from console.language import GrammarError, complete, parse
from console.link import Link, OrderRow, Preview
from console.panes.mirror import Mirror
from console.screens.choices import absent_question
from console.screens.dialog import QuestionDialog
from console.ticket.effect import caret_lines, effect

PREVIEW_AFTER_S = 0.12
PREVIEW_EVERY_S = 0.5
"""How often an unchanged line is looked at again: quotes come, and move."""
OFFERED = 4
"""Orders named at once when an id is completed: more do not fit under the line."""


class CommandLine(ModalScreen[str | None]):
    """Dismissed with the engine's answer when a command was done, None when it was left.

    A refused command keeps its text, with the reason under it. ``selected``: the first letter typed replaces the text.
    ``clock`` is monotonic, in nanoseconds.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", show=False),
        Binding("tab", "complete", show=False, priority=True),
        Binding("up", "recall(-1)", show=False, priority=True),
        Binding("down", "recall(1)", show=False, priority=True),
    ]

    def __init__(
        self, link: Link, mirror: Mirror, history: History, text: str, keep: Callable[[str], None], *,
        selected: bool = False, clock: Callable[[], int],
    ) -> None:  # fmt: skip
        super().__init__()
        self.clock = clock
        self.link = link
        self.mirror = mirror
        self.history = history
        self._text = text
        self._selected = selected
        self._keep = keep
        self._place = len(history.lines)
        self._sending = False
        self._offered = ""
        """The line whose completions are on show: they stay until it changes."""
        self._looking: Worker[None] | None = None
        self._shown: Preview | None = None
        """What the line does, as last said; None before it is."""

    def compose(self) -> ComposeResult:
        """The line, and two lines of what it would do."""
        with Vertical(id="command-box"):
            with Horizontal(id="command-row"):
                yield Label(":")
                yield Input(self._text, id="command", compact=True, select_on_focus=False)
            yield Static("", id="effect")

    def on_mount(self) -> None:
        """Begin at the end of the text given."""
        field = self.query_one(Input)
        field.focus()
        field.cursor_position = len(self._text)
        if self._selected:
            field.select_all()
        self.set_interval(PREVIEW_EVERY_S, self._look_again)
        if not self._text:
            self._show([("tab completes · up recalls · enter does it · escape leaves", "muted")])

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show the effect once the typing pauses."""
        event.stop()
        self._keep(event.value)
        self._shown = None
        self._looking = self.run_worker(partial(self._preview, event.value), group="preview", exclusive=True)

    async def _preview(self, line: str, wait_s: float = PREVIEW_AFTER_S) -> None:
        await asyncio.sleep(wait_s)  # the next key cancels this worker
        if not line.strip():
            self._show([])
            return
        preview = await self.link.preview(line)
        if not wait_s and preview == self._shown:
            return
        self._shown = preview
        if preview.ok:
            self._show(effect(preview))
        elif line != self._offered:
            self._refused(preview.error, preview.caret)

    def _look_again(self) -> None:
        """Say what the line does as things stand now: quotes come, and move."""
        line = self.query_one(Input).value
        if self._shown is not None and not self._sending and self._looking is not None and self._looking.is_finished:
            self._looking = self.run_worker(partial(self._preview, line, 0), group="preview", exclusive=True)

    async def on_input_submitted(self, event: Input.Submitted) -> None:
        """Send the line. A second enter while the first is under way does nothing."""
        event.stop()
        line = event.value.strip()
        if line and not self._sending:
            unconfirmed = _to_confirm(line)
            if unconfirmed is not None:
                question = absent_question(unconfirmed)
                self.app.push_screen(QuestionDialog(question, self.clock), partial(self._confirmed, question.line))
                return
            self._sending = True
            self.workers.cancel_group(self, "preview")  # it would write over the answer
            self._show([("sending …", "muted")])
            self.run_worker(partial(self._send, line), group="send")

    def _confirmed(self, line: str, yes: bool | None) -> None:  # noqa: FBT001  # textual calls it with the result
        if yes:
            self._sending = True
            self.run_worker(partial(self._send, line), group="send")

    async def _send(self, line: str) -> None:
        reply = await self.link.command(line)
        self.history.add(line)
        if reply.ok:
            self._keep("")
            self.dismiss(reply.text or line)
        else:
            self._sending = False
            self._shown = None  # the refusal stays until the line changes
            self._place = len(self.history.lines)
            self._refused(reply.error, reply.caret)

    def _refused(self, error: str, caret: int | None) -> None:
        field = self.query_one(Input)
        if caret is None:
            self._show(effect(Preview(ok=False, error=error)))
            return
        under = caret - int(field.scroll_offset.x)
        ink = "muted" if caret >= len(field.value.rstrip()) else "alarm"  # what is not written yet is not wrong yet
        self._show([(line, ink) for line in caret_lines(error, under, self.query_one("#effect").size.width)])

    def _show(self, lines: list[tuple[str, str]]) -> None:
        pieces = [Content.styled(text, f"${ink}") for text, ink in lines]
        self.query_one("#effect", Static).update(Content("\n").join(pieces))

    def action_complete(self) -> None:
        """Complete the last word as far as it is certain; show what it may become."""
        field = self.query_one(Input)
        orders = named(field.value, self.mirror)
        offers = list(orders) or complete(field.value, self.mirror.tickers())
        if not offers:
            return
        common = common_start(offers)
        if len(common) > len(field.value):
            field.value = common
            field.cursor_position = len(common)
            offers = list(orders) or complete(common, self.mirror.tickers())
        if offers:
            self._offered = field.value
            start = field.value.rstrip().rfind(" ") + 1 if orders else field.value.rfind(" ") + 1
            words = [orders.get(offer) or offer[start:].strip() for offer in offers]
            more = f"  … {len(words) - OFFERED} more" if orders and len(words) > OFFERED else ""
            self._show([("  ".join(words[:OFFERED] if orders else words) + more, "muted")])

    def action_recall(self, steps: int) -> None:
        """Go through the history."""
        place, lines = self._place + steps, self.history.lines
        if not 0 <= place <= len(lines):
            return
        self._place = place
        field = self.query_one(Input)
        field.value = lines[place] if place < len(lines) else ""
        field.cursor_position = len(field.value)

    def action_leave(self) -> None:
        """Close; the text is kept for the next time."""
        self.workers.cancel_group(self, "preview")  # its answer would find no place to be shown
        self.dismiss(None)


def _to_confirm(line: str) -> Absent | None:
    """The act of a line that does nothing until its order's id was typed once more; None for any other line."""
    try:
        command = parse(line)
    except GrammarError:
        return None  # the engine says what is wrong with it
    return command if isinstance(command, Absent) and not command.confirmed else None


_OF_ORDERS: dict[str, Callable[[OrderRow], bool]] = {
    "cancel": lambda _: True,
    "amend": lambda row: row.price is not None,
    "absent": lambda row: row.role == "hedge" and row.status == "UNKNOWN",
}
"""The commands that name an order, and which of the open ones each fits."""


def named(text: str, mirror: Mirror) -> dict[str, str]:
    """The lines that ``text`` may become by completing an order's id, each with its order in words.

    ``cancel`` offers orders from the first digit on: without one it may yet be told a contract.
    """
    verb, space, typed = text.partition(" ")
    fits = _OF_ORDERS.get(verb.lower())
    wanted = typed.lower()
    if fits is None or not space or " " in typed or (verb.lower() == "cancel" and not typed):
        return {}
    return {
        f"{verb} {row.cloid} ": f"{fmt.short_id(row.cloid)} {fmt.side(row.amount)} "
        f"{fmt.number(abs(row.amount - row.filled))} {fmt.contract(row.venue, row.ticker)}"
        for row in mirror.open_orders()
        if fits(row) and row.cloid.startswith(wanted) and row.cloid != wanted
    }


def common_start(texts: list[str]) -> str:
    """The longest start that all of ``texts`` (one at least) share."""
    lowest, highest = min(texts), max(texts)
    return next((lowest[:place] for place, letter in enumerate(lowest) if letter != highest[place]), lowest)
