"""Dialogs: a question before something that cannot be taken back, a menu of sets, and everything about one row."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, ClassVar, Generic, TypeVar

import msgspec
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Label, OptionList, Static
from textual.widgets.option_list import Option

from console import fmt
from console.screens.choices import Choice, Question
from console.widgets.choice_list import ChoiceList
from gateways.contracts import decimals

Result = TypeVar("Result")

_MOST_LINES = 4
"""Of the lines that a yes sends, how many are shown."""

_MOST_DECIMALS = 12
"""More than a venue gives a price or a quantity."""

DEAF_NS = 300_000_000
"""For so long after opening a dialog ignores answers: a key that repeats itself must not answer."""


class Dialog(ModalScreen[Result], Generic[Result]):
    """A dialog that is deaf for a moment after it opens. ``clock`` is monotonic, in nanoseconds."""

    def __init__(self, clock: Callable[[], int]) -> None:
        super().__init__()
        self._clock = clock
        self._opened_ns = clock()

    def on_mount(self) -> None:
        """Begin to be deaf."""
        self._opened_ns = self._clock()

    @property
    def deaf(self) -> bool:
        """Whether it is too soon for an answer."""
        return self._clock() - self._opened_ns < DEAF_NS


class QuestionDialog(Dialog[bool]):
    """Asks before a command line is sent. The focus starts on No; escape is No."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", show=False),
        Binding("n,escape", "answer(False)", show=False),
        Binding("left,right,up,down", "other", show=False),
    ]

    def __init__(self, question: Question, clock: Callable[[], int]) -> None:
        super().__init__(clock)
        self.question = question

    def compose(self) -> ComposeResult:
        """The title, what will be done, the command line, and the answers."""
        with Vertical(classes="dialog") as box:
            box.border_title = Content(self.question.title)
            yield Static(Content(self.question.text), classes="body")
            for line in _shown(self.question.lines):
                yield Static(Content(f"› {line}"), classes="line")  # noqa: RUF001  # a prompt, not a >
            if self.question.word:
                yield Label(Content(f"Type {self.question.word!r} and enter to do it, escape to leave it:"))
                yield Input(id="word", compact=True)
            else:
                with Horizontal(classes="answers"):
                    yield Button("No  (n)", id="no", compact=True)
                    yield Button("Yes  (y)", id="yes", compact=True, classes="risky")

    def on_mount(self) -> None:
        """Put the focus on No, or where the word is typed."""
        super().on_mount()
        self.query_one("#word" if self.question.word else "#no").focus()

    def action_answer(self, yes: bool) -> None:  # noqa: FBT001  # textual passes an action's arguments by place
        """Answer; a yes that comes too soon, or without its word, is no answer."""
        if not yes:
            self.dismiss(result=False)
        elif not self.deaf and not self.question.word:
            self.dismiss(result=True)

    def action_other(self) -> None:
        """Go to the other answer."""
        self.focus_next("Button")

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Answer with the button."""
        event.stop()
        self.action_answer(event.button.id == "yes")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Answer yes if the word is right."""
        event.stop()
        if self.deaf:
            return
        if event.value.strip().lower() == self.question.word:
            self.dismiss(result=True)
        else:
            event.input.clear()


def _shown(lines: tuple[str, ...]) -> list[str]:
    shown = [fmt.brief(line) for line in lines]
    if len(shown) <= _MOST_LINES:
        return shown
    return [*shown[: _MOST_LINES - 1], f"… and {len(shown) - _MOST_LINES + 1} more like these"]


class MenuDialog(ModalScreen[Choice | None]):
    """A menu: each choice by its own key, or with the arrows and enter. Escape leaves it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", show=False)]

    def __init__(self, title: str, choices: list[Choice]) -> None:
        super().__init__()
        self.menu_title = title
        self.choices = choices

    def compose(self) -> ComposeResult:
        """The choices; those that concern nothing cannot be chosen."""
        width = max(len(choice.label) for choice in self.choices)
        with Vertical(classes="dialog") as box:
            box.border_title = Content(self.menu_title)
            yield ChoiceList(
                *(
                    Option(
                        Content.from_markup(
                            "[$accent]$key[/]  $label  [$muted]$count[/]",
                            key=choice.key,
                            label=choice.label.ljust(width),
                            count=fmt.count(choice.count, choice.noun),
                        ),
                        id=choice.key,
                        disabled=not choice.count,
                    )
                    for choice in self.choices
                ),
                compact=True,
            )
            yield Static("escape leaves", classes="hint")

    def on_key(self, event: Any) -> None:
        """Choose by key."""
        for choice in self.choices:
            if event.character == choice.key:
                event.stop()
                if choice.count:
                    self.dismiss(choice)
                return

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Choose with enter."""
        event.stop()
        self.dismiss(next(choice for choice in self.choices if choice.key == event.option_id))

    def action_leave(self) -> None:
        """Close without choosing."""
        self.dismiss(None)


class DetailsDialog(ModalScreen[None]):
    """Everything about one row."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,enter,q", "leave", show=False)]

    def __init__(self, title: str, row: msgspec.Struct) -> None:
        super().__init__()
        self.row_title = title
        self.row = row

    def compose(self) -> ComposeResult:
        """Each field by name."""
        fields = _named(self.row)
        width = max(len(name) for name, _ in fields)
        with VerticalScroll(classes="dialog details") as box:
            box.border_title = Content(self.row_title)
            for name, text in fields:
                yield Static(
                    Content.from_markup("[$muted]$name[/]  $text", name=name.ljust(width), text=text or fmt.NONE)
                )

    def action_leave(self) -> None:
        """Close."""
        self.dismiss(None)


def _fields(row: msgspec.Struct) -> list[tuple[str, Any]]:
    return [(name, getattr(row, name)) for name in row.__struct_fields__ if name != "key"]


def _named(row: msgspec.Struct) -> list[tuple[str, str]]:
    """The fields of a row, each by its label and as it is written."""
    fields = _fields(row)
    names = {name for name, _ in fields}
    return [(_label(name, names), _written(name, value)) for name, value in fields]


def _label(name: str, names: set[str]) -> str:
    if name == "ts_ns":
        return "time"
    label = name.removeprefix("ts_").removesuffix("_ns").removesuffix("_us")
    return (f"{label} at" if label != name and label in names else label).replace("_", " ")


def _written(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal) or value is None:
        return fmt.rounded(value, 2, sign=True) if name.endswith("_bps") else fmt.number(_readable(value))
    if isinstance(value, tuple):
        return "\n".join(_brief(each) for each in value)
    if name.endswith("_offset_ns") and isinstance(value, int):
        return f"{'-' if value < 0 else '+'}{fmt.micros(abs(value) // 1_000)}"
    if name.endswith("_ns") and isinstance(value, int):
        return f"{fmt.clock(value)} UTC" if value else fmt.NONE
    if name.endswith("_us") and isinstance(value, int):
        return fmt.micros(value)
    return str(value)


def _brief(value: object) -> str:
    if not isinstance(value, msgspec.Struct):
        return str(value)
    return ", ".join(f"{label} {text}" for label, text in _named(value))


def _readable(value: Decimal | None) -> Decimal | None:
    """A figure that a division gave all its digits, to as many as money has."""
    return value if value is None or decimals(value) <= _MOST_DECIMALS else round(value, 8).normalize()
