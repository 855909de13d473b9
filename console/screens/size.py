"""The ladder's size, typed. Sends nothing."""

from decimal import Decimal, InvalidOperation
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Label, Static

from console import fmt
from console.link import ContractRow
from gateways.contracts import floor_to_step


class SizeDialog(ModalScreen[Decimal | None]):
    """Dismissed with the size, in base units and a multiple of the lot (zero for none); None when it was left."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", show=False)]

    def __init__(self, contract: ContractRow, size: Decimal) -> None:
        super().__init__()
        self.contract = contract
        self.size_before = size

    def compose(self) -> ComposeResult:
        """The size, and what it comes to."""
        row = self.contract
        with Vertical(classes="dialog") as box:
            box.border_title = Content(f"size on {fmt.contract(row.venue, row.ticker)}")
            yield Label(f"what one key buys or sells, in {row.base}:")
            yield Input(
                fmt.number(self.size_before) if self.size_before else "", id="size", placeholder="none", compact=True
            )
            yield Static("", id="worth")
            yield Static("enter takes it · escape leaves it · nothing is sent", classes="hint")

    def on_input_changed(self, event: Input.Changed) -> None:
        """Say what it comes to."""
        event.stop()
        self._show(event.value)

    def on_mount(self) -> None:
        """Begin in the field."""
        self.query_one(Input).focus()
        self._show(self.query_one(Input).value)

    def _show(self, text: str) -> None:
        size, error = self._read(text)
        words = f"lot {self.contract.lot:f}  min {self.contract.min_quantity:f} / {self.contract.min_notional:f}"
        if size is None:
            words = f"✕ {error}"
        elif size and self.contract.bid is not None:
            worth = f"{fmt.money(size * self.contract.bid)} {self.contract.quote}"
            words = f"{fmt.number(size, self.contract.lot)} {self.contract.base}, worth {worth}"
        self.query_one("#worth", Static).update(Content.styled(words, "$alarm" if size is None else "$muted"))

    def _read(self, text: str) -> tuple[Decimal | None, str]:
        try:
            size = Decimal(text.strip() or "0")
        except InvalidOperation:
            return None, "not a number"
        if not size.is_finite() or size < 0:
            return None, "not a size"
        cut = floor_to_step(size, self.contract.lot)
        return (None, f"under the lot {self.contract.lot:f}") if size and not cut else (cut, "")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take it, cut to the lot."""
        event.stop()
        size, _ = self._read(event.value)
        if size is not None:
            self.dismiss(size)

    def action_leave(self) -> None:
        """Close; the size stays as it was."""
        self.dismiss(None)
