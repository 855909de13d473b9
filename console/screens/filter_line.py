"""The filter's line: rows are shown and hidden while it is typed. Enter keeps the filter, escape the one before."""

from collections.abc import Iterable, Mapping
from typing import ClassVar, Protocol

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Label, Static

from console import fmt
from console.filter_fields import Field
from console.filters import Filter, FilterError, complete
from console.screens.command_line import common_start
from console.ticket.effect import caret_lines

HINT = "like venue:okx side:b state:live px>60000 -role:hedge eth · tab completes"


class Filtered(Protocol):
    """A table that can be filtered."""

    filter: Filter

    def apply_filter(self, text: str) -> None:
        """Show only rows that pass. Raises FilterError and leaves everything as it was."""
        ...

    def fields(self) -> tuple[Field, ...]:
        """What the rows can be filtered by."""
        ...

    def values(self) -> Mapping[str, Iterable[str]]:
        """What the rows have in each field of text."""
        ...

    def counted(self) -> tuple[int, int]:
        """How many rows are shown, and of how many."""
        ...


class FilterLine(ModalScreen[None]):
    """Filters a table as its text is typed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", show=False),
        Binding("tab", "complete", show=False, priority=True),
    ]

    def __init__(self, table: Filtered) -> None:
        super().__init__()
        self.table = table
        self._before = table.filter.text

    def compose(self) -> ComposeResult:
        """The line, and under it how many rows pass, or what is wrong."""
        with Vertical(id="command-box"):
            with Horizontal(id="command-row"):
                yield Label("/")
                yield Input(self._before, id="filter", compact=True, select_on_focus=False)
            yield Static("", id="effect")

    def on_mount(self) -> None:
        """Begin at the end of the filter there is."""
        field = self.query_one(Input)
        field.focus()
        field.cursor_position = len(self._before)
        self._show([(HINT, "muted")])

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter."""
        event.stop()
        self._apply(event.value)

    def _apply(self, text: str) -> bool:
        try:
            self.table.apply_filter(text)
        except FilterError as error:
            field = self.query_one(Input)
            unfinished = error.caret >= len(text.rstrip())  # what is not written yet is not wrong yet
            under = error.caret - int(field.scroll_offset.x)
            lines = caret_lines(error.text, under, self.query_one("#effect").size.width)
            self._show([(line, "muted" if unfinished else "alarm") for line in lines])
            return False
        shown, known = self.table.counted()
        self._show([(f"{shown} of {fmt.count(known, 'row')}" if text.strip() else HINT, "muted")])
        return True

    def _show(self, lines: list[tuple[str, str]]) -> None:
        pieces = [Content.styled(text, f"${ink}") for text, ink in lines]
        self.query_one("#effect", Static).update(Content("\n").join(pieces))

    def action_complete(self) -> None:
        """Complete the last part as far as it is certain; show what it may become."""
        field = self.query_one(Input)
        offers = complete(field.value, self.table.fields(), self.table.values())
        if not offers:
            return
        start = common_start(offers)
        if len(start) > len(field.value):
            with field.prevent(Input.Changed):
                field.value = start
            field.cursor_position = len(start)
        if len(offers) > 1:
            first = field.value.rfind(" ") + 1
            self._show([("  ".join(offer[first:] for offer in offers), "muted")])
        else:
            self._apply(field.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep the filter; one that is not understood stays to be corrected."""
        event.stop()
        if self._apply(event.value):
            self.dismiss(None)

    def action_leave(self) -> None:
        """Take the filter there was before."""
        self.table.apply_filter(self._before)
        self.dismiss(None)
