"""The help screen: what the keys do in the pane that has the focus. All of it from the table of actions."""

from collections.abc import Iterable
from typing import ClassVar

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from console.actions import APP, DESK, PANE, PANE_TITLES, TABLE_KEYS, Action, Risk, in_scope
from console.panes.action import key_label
from console.panes.mirror import Mirror
from console.widgets.ink import Inks

_RISK = {
    Risk.NONE: "",
    Risk.REDUCES: "reduces risk",
    Risk.INCREASES: "raises risk: asks",
    Risk.IRREVERSIBLE: "cannot be taken back: asks",
}

COMMANDS = (
    "sell 0.05 hyperliquid:ETH @ queue1 post hedge binance:ETHUSDT market",
    "buy 0.5 hyperliquid:ETH @ 2431.5 hedge binance:ETHUSDT ioc 8bps after 250ms",
    "cancel 7f3a · cancel bids binance:SOLUSDT · cancel all",
    "flatten hyperliquid:SOL · hedge now binance:ETHUSDT · verify",
)


class HelpScreen(ModalScreen[None]):
    """Help for one pane. One widget for all its lines, so that it opens at once."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,question_mark,f1", "leave", show=False)]

    def __init__(self, pane: str, mirror: Mirror) -> None:
        super().__init__()
        self.pane = pane
        self.mirror = mirror

    def compose(self) -> ComposeResult:
        """The keys by where they work: this pane, every pane, the desk."""
        with VerticalScroll(classes="dialog help") as box:
            box.border_title = f"keys in {PANE_TITLES.get(self.pane, self.pane)}"
            yield Static(self._table(Inks(self.app.theme_variables)))
            yield Static("escape leaves", classes="hint")

    def _table(self, inks: Inks) -> Table:
        table = Table.grid(padding=(0, 2, 0, 0), expand=True)
        table.add_column(style=inks["accent"], no_wrap=True)
        table.add_column(style=inks["text"], ratio=1)

        def section(title: str) -> None:
            table.add_row("", "")
            table.add_row(f"[bold]{title}[/]", "", style=inks["muted"])

        table.add_row(f"[bold]{PANE_TITLES.get(self.pane, self.pane)}[/]", "", style=inks["muted"])
        self._add(table, inks, in_scope(self.pane))
        section("every pane")
        self._add(table, inks, in_scope(PANE))
        for keys, text in TABLE_KEYS:
            table.add_row(keys, text)
        section("the desk")
        self._add(table, inks, (action for scope in (APP, DESK) for action in in_scope(scope)))
        section("commands")
        for line in COMMANDS:
            table.add_row(":", line)
        return table

    def _add(self, table: Table, inks: Inks, actions: Iterable[Action]) -> None:
        for action in actions:
            if not action.keys:
                continue
            blocked = action.enabled(self.mirror)
            note = Text(f"not now: {blocked}" if blocked else _RISK[action.risk], inks["warn" if blocked else "muted"])
            keys = " ".join(key_label(key) for key in action.keys)
            table.add_row(Text(keys), Text.assemble(action.help, "  ", note))

    def action_leave(self) -> None:
        """Close."""
        self.dismiss(None)
