"""What the operator may set while the console runs: the choices of each, and how it is read and changed."""

from collections.abc import Callable
from typing import NamedTuple, Protocol

from console import themes
from console.herald import Herald
from console.panes.pane import TablePane
from console.screens.arrangement import LAYOUTS
from console.screens.desk import DeskScreen
from console.times import TimeMode


class Setting(NamedTuple):
    """One of them."""

    label: str
    choices: tuple[str, ...]
    read: Callable[[], str]
    change: Callable[[str], None]
    about: str
    kept: bool = True
    """Whether the next run begins with it."""

    def step(self, steps: int) -> None:
        """Take the next choice, or the one before."""
        place = self.choices.index(self.read()) if self.read() in self.choices else 0
        self.change(self.choices[(place + steps) % len(self.choices)])


class Console(Protocol):
    """The app, as far as it can be set."""

    theme: str
    herald: Herald

    @property
    def desk(self) -> DeskScreen:
        """The desk's screen."""
        ...


def settings(app: Console) -> list[Setting]:
    """All of them."""
    desk, alerts = app.desk, app.herald.alerts
    tables = [pane for pane in desk.panes.values() if isinstance(pane, TablePane)]

    def take_theme(name: str) -> None:
        app.theme = name

    def take_times(value: str) -> None:
        for pane in tables:
            pane.show_times(TimeMode(value))

    def take_bell(value: str) -> None:
        alerts.muted = value == "silent"

    def take_fills(value: str) -> None:
        alerts.ring_on_fills = value == "on fills too"

    def take_size(value: str) -> None:
        desk.ladder.hands.size_once = value == "once"

    return [
        Setting("theme", tuple(theme.name for theme in themes.available()), lambda: app.theme, take_theme,
                "the colours of everything"),
        Setting("layout", tuple(LAYOUTS), lambda: desk.layout_name, desk.take_layout, "which panes have the room"),
        Setting("times", tuple(mode.value for mode in TimeMode), lambda: tables[0].time_mode.value, take_times,
                "in every table: how long ago, local time, or UTC"),
        Setting("bell", ("rings", "silent"), lambda: "silent" if alerts.muted else "rings", take_bell,
                "on alerts; every run begins with a bell that rings", kept=False),
        Setting("bell rings", ("on alerts", "on fills too"),
                lambda: "on fills too" if alerts.ring_on_fills else "on alerts", take_fills,
                "whether your own executions ring, too"),
        Setting("ladder size", ("stays", "once"), lambda: "once" if desk.ladder.hands.size_once else "stays",
                take_size, "once: it goes back to none after each order"),
    ]  # fmt: skip
