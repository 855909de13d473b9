"""The settings: each with what it is now; the arrows change it at once."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static
from textual.widgets.option_list import Option

from console.settings import Setting
from console.widgets.choice_list import ChoiceList

_LABEL, _CHOICE = 13, 18


class SettingsScreen(ModalScreen[None]):
    """Changes settings; there is nothing to confirm."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,comma", "leave", show=False),
        Binding("j", "move(1)", show=False),
        Binding("k", "move(-1)", show=False),
        Binding("left", "step(-1)", show=False, priority=True),
        Binding("right,space,enter", "step(1)", show=False, priority=True),
    ]

    def __init__(self, settings: Sequence[Setting]) -> None:
        super().__init__()
        self.settings = settings

    def compose(self) -> ComposeResult:
        """A line for each, and what the one under the cursor means."""
        with Vertical(classes="dialog settings") as box:
            box.border_title = "settings"
            yield ChoiceList(*(Option(self._line(setting)) for setting in self.settings), compact=True)
            yield Static("", id="about", classes="body")
            yield Static("↑ ↓ choose · ← → change · escape leaves · kept for the next run", classes="hint")

    def on_mount(self) -> None:
        """Begin with the first."""
        options = self.query_one(ChoiceList)
        options.highlighted = 0
        options.focus()

    def _line(self, setting: Setting) -> Content:
        return Content.from_markup(
            "$label [$accent]‹[/] $now [$accent]›[/]",  # noqa: RUF001  # arrows that a choice is between
            label=setting.label.ljust(_LABEL), now=setting.read().ljust(_CHOICE),
        )  # fmt: skip

    @property
    def _place(self) -> int:
        return self.query_one(ChoiceList).highlighted or 0

    def on_option_list_option_highlighted(self) -> None:
        """Say what the setting means."""
        setting = self.settings[self._place]
        self.query_one("#about", Static).update(setting.about if setting.kept else f"{setting.about} (not kept)")

    def action_move(self, lines: int) -> None:
        """Go to another one."""
        self.query_one(ChoiceList).highlighted = (self._place + lines) % len(self.settings)

    def action_step(self, steps: int) -> None:
        """Change it."""
        setting = self.settings[self._place]
        setting.step(steps)
        options = self.query_one(ChoiceList)
        for place, each in enumerate(self.settings):
            options.replace_option_prompt_at_index(place, self._line(each))

    def action_leave(self) -> None:
        """Back to the desk."""
        self.dismiss(None)
