"""Which columns a table shows, and in which order."""

from collections.abc import Sequence
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static
from textual.widgets.option_list import Option

from console.widgets.choice_list import ChoiceList
from console.widgets.column_choice import ColumnChoice
from console.widgets.columns import Column


class ColumnSetup(ModalScreen[ColumnChoice | None]):
    """Dismissed with the columns chosen, None when it was left."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", show=False),
        Binding("enter", "keep", show=False, priority=True),
        Binding("space", "turn", show=False, priority=True),
        Binding("j,down", "step(1)", show=False, priority=True),
        Binding("k,up", "step(-1)", show=False, priority=True),
        Binding("J,shift+down", "carry(1)", show=False),
        Binding("K,shift+up", "carry(-1)", show=False),
        Binding("r", "reset", show=False),
    ]

    def __init__(self, columns: Sequence[Column[Any]], choice: ColumnChoice) -> None:
        super().__init__()
        self._labels = {column.key: column.label or column.key for column in columns}
        self._given = [column.key for column in columns]
        everything = ColumnChoice(order=choice.order)
        self._order = [column.key for column in everything.of(columns)]
        self._off = set(choice.off)

    def compose(self) -> ComposeResult:
        """The columns, each on or off."""
        with Vertical(classes="dialog columns") as box:
            box.border_title = "columns"
            yield ChoiceList(compact=True)
            yield Static("space on or off · K J carry up, down · r as they were · enter keeps · escape leaves",
                         classes="hint")  # fmt: skip

    def on_mount(self) -> None:
        """List them."""
        self._list(0)
        self.query_one(ChoiceList).focus()

    def _list(self, highlighted: int) -> None:
        options = self.query_one(ChoiceList)
        options.clear_options()
        options.add_options(
            Option(
                Content.from_markup(
                    "[$accent]$box[/] $label",
                    box="[ ]" if key in self._off else "[x]", label=self._labels[key],
                )
            )
            for key in self._order
        )  # fmt: skip
        options.highlighted = highlighted

    @property
    def _place(self) -> int:
        return self.query_one(ChoiceList).highlighted or 0

    def action_step(self, lines: int) -> None:
        """Go to another column."""
        self.query_one(ChoiceList).highlighted = (self._place + lines) % len(self._order)

    def action_turn(self) -> None:
        """Turn a column on or off; the last one stays on."""
        key = self._order[self._place]
        off = self._off ^ {key}
        if len(off) < len(self._order):
            self._off = off
        self._list(self._place)

    def action_carry(self, lines: int) -> None:
        """Move a column before or after its neighbour."""
        place = self._place
        other = place + lines
        if 0 <= other < len(self._order):
            order = self._order
            order[place], order[other] = order[other], order[place]
            self._list(other)

    def action_reset(self) -> None:
        """Take the table's own columns in their own order."""
        self._order, self._off = list(self._given), set()
        self._list(0)

    def action_keep(self) -> None:
        """Close and take them."""
        order = () if self._order == self._given else tuple(self._order)
        self.dismiss(ColumnChoice(order=order, off=frozenset(self._off)))

    def action_leave(self) -> None:
        """Close and leave them as they were."""
        self.dismiss(None)
