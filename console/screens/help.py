"""The help screen: what the keys do in the pane that has the focus. All of it from the table of actions."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from console.actions import APP, DESK, PANE, PANE_TITLES, TABLE_KEYS, Action, Risk, in_scope, key_label
from console.panes.mirror import Mirror

_RISK = {
    Risk.NONE: "",
    Risk.REDUCES: "reduces risk",
    Risk.INCREASES: "raises risk: asks",
    Risk.IRREVERSIBLE: "cannot be taken back: asks",
}

GRAMMAR = (
    "sell 0.05 hyperliquid:ETH @ queue1 post hedge binance:ETHUSDT market",
    "buy 0.5 hyperliquid:ETH @ 2431.5 hedge binance:ETHUSDT ioc 8bps after 250ms",
    "cancel 7f3a   cancel bids binance:SOLUSDT   cancel all",
    "flatten hyperliquid:SOL   hedge now binance:ETHUSDT   pause binance:ETHUSDT",
)


class HelpScreen(ModalScreen[None]):
    """Help for one pane."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,question_mark,f1", "leave", show=False)]

    def __init__(self, pane: str, mirror: Mirror) -> None:
        super().__init__()
        self.pane = pane
        self.mirror = mirror

    def compose(self) -> ComposeResult:
        """The keys by where they work: this pane, every pane, the desk."""
        title = PANE_TITLES.get(self.pane, self.pane)
        with VerticalScroll(classes="dialog help") as box:
            box.border_title = f"keys in {title}"
            yield from self._section(title, [action for action in in_scope(self.pane) if action.keys])
            yield from self._section("every pane", [action for action in in_scope(PANE) if action.keys])
            for keys, text in TABLE_KEYS:
                yield _line(keys, text, "")
            wide = [action for scope in (APP, DESK) for action in in_scope(scope) if action.keys]
            yield from self._section("the desk", wide)
            yield Static("Commands, with :", classes="section")
            for line in GRAMMAR:
                yield Static(Content(f"  {line}"), classes="line")
            yield Static("escape leaves", classes="hint")

    def _section(self, title: str, actions: list[Action]) -> ComposeResult:
        if actions:
            yield Static(title, classes="section")
        for action in actions:
            keys = " ".join(key_label(key) for key in action.keys)
            blocked = action.enabled(self.mirror)
            yield _line(keys, action.help, f"not now: {blocked}" if blocked else _RISK[action.risk])

    def action_leave(self) -> None:
        """Close."""
        self.dismiss(None)


def _line(keys: str, text: str, note: str) -> Horizontal:
    said = Content.from_markup("$text  [$muted]$note[/]", text=text, note=note)
    return Horizontal(Static(Content(keys), classes="keys"), Static(said, classes="said"), classes="entry")
