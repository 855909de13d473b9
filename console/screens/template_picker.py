"""The ticket's templates: recall one, save the present draft under a name, drop one. Sends nothing."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from console.templates import TemplateError, Templates
from console.ticket.draft import Draft
from console.widgets.choice_list import ChoiceList

HINT = "enter recalls · ctrl+s saves the ticket by this name · ctrl+g drops"


class TemplatePicker(ModalScreen[Draft | None]):
    """Dismissed with the draft to recall, None when it was left or the ticket was saved."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", show=False),
        Binding("down", "move(1)", show=False, priority=True),
        Binding("up", "move(-1)", show=False, priority=True),
        Binding("ctrl+s", "save", show=False, priority=True),
        Binding("ctrl+g", "drop", show=False, priority=True),
    ]

    def __init__(self, templates: Templates, draft: Draft) -> None:
        super().__init__()
        self.templates = templates
        self.draft = draft

    def compose(self) -> ComposeResult:
        """The name, and the templates whose name or order holds what is typed."""
        with Vertical(classes="dialog picker") as box:
            box.border_title = "templates"
            yield Input(placeholder="name", compact=True, max_length=40)
            yield ChoiceList(compact=True)
            yield Static("", id="told")
            yield Static(HINT, classes="hint")

    def on_mount(self) -> None:
        """List all."""
        self.templates.load()
        self.query_one(Input).focus()
        self._list("")

    def on_input_changed(self, event: Input.Changed) -> None:
        """List those that match."""
        event.stop()
        self._list(event.value)

    def _list(self, typed: str) -> None:
        wanted = typed.strip().lower()
        found = [
            (name, draft)
            for name, draft in sorted(self.templates.by_name.items())
            if wanted in name.lower() or wanted in draft.line().lower()
        ]
        options = self.query_one(ChoiceList)
        options.clear_options()
        width = max([len(name) for name, _ in found], default=0)
        options.add_options(
            Option(Content.from_markup("$name  [$muted]$line[/]", name=name.ljust(width), line=draft.line()), id=name)
            for name, draft in found
        )
        options.highlighted = 0 if found else None
        self._say("" if self.templates.by_name else "No template yet: type a name, then ctrl+s.")

    def _say(self, text: str) -> None:
        self.query_one("#told", Static).update(Content(text))

    @property
    def _chosen(self) -> str | None:
        options = self.query_one(ChoiceList)
        return None if options.highlighted is None else options.get_option_at_index(options.highlighted).id

    def action_move(self, lines: int) -> None:
        """Move in the list while typing."""
        options = self.query_one(ChoiceList)
        if options.option_count:
            options.highlighted = ((options.highlighted or 0) + lines) % options.option_count

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Recall the one highlighted."""
        event.stop()
        self._recall()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Recall."""
        event.stop()
        self._recall()

    def _recall(self) -> None:
        if self._chosen is None:
            self._say("no template of that name: ctrl+s saves the ticket under it")
        else:
            self.dismiss(self.templates.by_name[self._chosen])

    def action_save(self) -> None:
        """Save the ticket's draft under the name typed."""
        name = self.query_one(Input).value
        try:
            self.templates.save(name, self.draft)
        except TemplateError as error:
            self._say(str(error))
        else:
            self._list(name)
            self._say(f"saved: {name.strip()}")

    def action_drop(self) -> None:
        """Drop the template highlighted."""
        name = self._chosen
        if name is not None:
            self.templates.drop(name)
            self._list(self.query_one(Input).value)
            self._say(f"dropped: {name}")

    def action_leave(self) -> None:
        """Close."""
        self.dismiss(None)
