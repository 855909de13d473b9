"""The help screen: what a pane is for and what the keys do there, or everywhere. All from the table of actions."""

from collections.abc import Iterable, Sequence
from typing import ClassVar

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from console.actions import (
    APP,
    DESK,
    PANE,
    PANE_ABOUT,
    PANE_TITLES,
    PANES,
    TABLE,
    TABLE_KEYS,
    Action,
    in_scope,
    scopes_of,
)
from console.panes.action import RISK_WORDS, key_label
from console.panes.mirror import Mirror
from console.panes.when import NOTHING, Selection
from console.widgets.ink import Inks

COMMANDS = (
    "sell 0.05 hyperliquid:ETH @ queue1 post hedge binance:ETHUSDT market",
    "buy 0.5 hyperliquid:ETH @ 2431.5 hedge binance:ETHUSDT ioc 8bps after 250ms",
    "cancel 7f3a · cancel bids binance:SOLUSDT · cancel all",
    "flatten hyperliquid:SOL · hedge now binance:ETHUSDT · verify",
)


class HelpScreen(ModalScreen[None]):
    """Help for one pane, or for all. One widget for all its lines, so that it opens at once."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark", "leave", show=False),
        Binding("f1", "everything", show=False),
        Binding("j", "scroll(1)", show=False),
        Binding("k", "scroll(-1)", show=False),
    ]

    def __init__(self, panes: Sequence[str], mirror: Mirror, selection: Selection = NOTHING) -> None:
        super().__init__()
        self.panes = panes
        self.mirror = mirror
        self.selection = selection

    def compose(self) -> ComposeResult:
        """The keys by where they work: the panes, every table, every pane, the desk."""
        with VerticalScroll(classes="dialog help") as box:
            box.border_title = f"keys in {_title(self.panes[0])}" if len(self.panes) == 1 else "all keys"
            yield Static(self._table(Inks(self.app.theme_variables, colourless=self.app.no_color)))
            yield Static("j k scroll · escape leaves · f1 the keys of every pane", classes="hint")

    def _table(self, inks: Inks) -> Table:
        table = Table.grid(padding=(0, 2, 0, 0), expand=True)
        table.add_column(style=inks["accent"], no_wrap=True, min_width=9)
        table.add_column(style=inks["text"], ratio=1)

        def section(title: str) -> None:
            if table.row_count:
                table.add_row("", "")
            table.add_row(Text(title, inks["bold"]), "")

        for pane in self.panes:
            section(_title(pane))
            table.add_row("", Text(PANE_ABOUT.get(pane, ""), inks["muted"]))
            self._add(table, inks, in_scope(pane))
        if any(TABLE in scopes_of(pane) for pane in self.panes):
            section("every table")
            self._add(table, inks, in_scope(TABLE))
            for keys, text in TABLE_KEYS:
                table.add_row(keys, text)
        section("every pane")
        self._add(table, inks, in_scope(PANE))
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
            blocked = action.blocked(self.mirror, self.selection) if len(self.panes) == 1 else None
            note = Text(
                f"not now: {blocked}" if blocked else RISK_WORDS[action.risk], inks["warn" if blocked else "muted"]
            )
            keys = Text(" ".join(key_label(key) for key in action.keys), inks["faint"] if blocked else "")
            table.add_row(keys, Text.assemble((action.help, inks["faint"] if blocked else ""), "  ", note))

    def action_everything(self) -> None:
        """Show the keys of every pane instead; once more leaves."""
        if len(self.panes) == 1:
            self.app.switch_screen(HelpScreen(PANES, self.mirror))
        else:
            self.dismiss(None)

    def action_scroll(self, lines: int) -> None:
        """Scroll by lines."""
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)

    def action_leave(self) -> None:
        """Close."""
        self.dismiss(None)


def _title(pane: str) -> str:
    return PANE_TITLES.get(pane, pane)
