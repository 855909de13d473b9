"""The instrument picker: type a part of a venue or ticker, choose with the arrows, enter."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from console import fmt
from console.panes.mirror import Mirror
from console.panes.pane import Where
from console.ticket.draft import matching
from console.widgets.choice_list import ChoiceList

_MOST = 200
_NAME, _QUOTE = 21, 19
"""Widths with which a line fits the dialog of a terminal of 80 columns."""


class InstrumentPicker(ModalScreen[Where | None]):
    """Chooses one of the contracts that the engine knows."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", show=False),
        Binding("down", "move(1)", show=False, priority=True),
        Binding("up", "move(-1)", show=False, priority=True),
    ]

    def __init__(self, mirror: Mirror) -> None:
        super().__init__()
        self.mirror = mirror

    def compose(self) -> ComposeResult:
        """The filter and the contracts."""
        with Vertical(classes="dialog picker") as box:
            box.border_title = "instrument"
            yield Input(placeholder="venue or ticker", compact=True)
            yield ChoiceList(compact=True)

    def on_mount(self) -> None:
        """List all."""
        self._list("")

    def on_input_changed(self, event: Input.Changed) -> None:
        """List those that match."""
        event.stop()
        self._list(event.value)

    def _list(self, typed: str) -> None:
        options = self.query_one(ChoiceList)
        options.clear_options()
        options.add_options(
            Option(self._prompt(name), id=name) for name in matching(typed, self.mirror.contract_names(), _MOST)
        )
        options.highlighted = 0 if options.option_count else None

    def _prompt(self, name: str) -> Content:
        venue, _, ticker = name.partition(":")
        row = self.mirror.contracts[venue, ticker]
        quote = (
            fmt.NONE
            if row.bid is None or row.ask is None
            else f"{fmt.number(row.bid, row.tick)} / {fmt.number(row.ask, row.tick)}"
        )
        return Content.from_markup(
            "$name [$muted]$quote  tick $tick  lot $lot[/]",
            name=name.ljust(_NAME), quote=quote.rjust(_QUOTE), tick=fmt.number(row.tick.normalize()),
            lot=fmt.number(row.lot.normalize()),
        )  # fmt: skip

    def action_move(self, lines: int) -> None:
        """Move in the list while typing."""
        options = self.query_one(ChoiceList)
        if options.option_count:
            options.highlighted = ((options.highlighted or 0) + lines) % options.option_count

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Choose the one highlighted."""
        event.stop()
        self.query_one(ChoiceList).action_select()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Choose."""
        event.stop()
        venue, _, ticker = (event.option_id or "").partition(":")
        self.dismiss(Where(venue, ticker))

    def action_leave(self) -> None:
        """Close without choosing."""
        self.dismiss(None)
