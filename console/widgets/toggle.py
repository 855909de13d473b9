"""A field with a few fixed values: space and the arrows go through them, a first letter chooses."""

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import Static


class Toggle(Static, can_focus=True):
    """Shows one of ``values``. Each value is a word; its style comes from the class of the same name."""

    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space,right", "turn(1)", show=False),
        Binding("left", "turn(-1)", show=False),
        Binding("enter", "screen.focus_next", show=False),
    ]

    class Turned(Message):
        """Another value was chosen."""

        def __init__(self, toggle: "Toggle", value: str) -> None:
            super().__init__()
            self.toggle = toggle
            self.value = value

        @property
        def control(self) -> "Toggle":
            """The field it happened in."""
            return self.toggle

    def __init__(self, values: tuple[str, ...], value: str, *, id: str | None = None) -> None:  # noqa: A002  # textual's
        super().__init__(id=id)
        self.values = values
        self.value = value if value in values else values[0]

    def on_mount(self) -> None:
        """Show the value."""
        self._show()

    def turn_to(self, value: str) -> None:
        """Choose a value."""
        if value in self.values and value != self.value:
            self.remove_class(self.value)
            self.value = value
            self._show()
            self.post_message(self.Turned(self, value))

    def _show(self) -> None:
        self.add_class(self.value)
        self.update(Content(f" {self.value} "))

    def action_turn(self, steps: int) -> None:
        """Choose the next or the previous value."""
        self.turn_to(self.values[(self.values.index(self.value) + steps) % len(self.values)])

    def on_key(self, event: events.Key) -> None:
        """Choose the value that begins with the letter typed."""
        chosen = next((value for value in self.values if event.character and value.startswith(event.character)), None)
        if chosen is not None and event.is_printable and event.character != " ":
            event.stop()
            self.turn_to(chosen)

    def on_click(self) -> None:
        """Choose the next value."""
        self.action_turn(1)
