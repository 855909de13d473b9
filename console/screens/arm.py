"""Arming: what this desk may do on which accounts, and its name to be typed. The way back is one key."""

from collections.abc import Callable
from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Input, Label, Static

from console import fmt
from console.link import Link
from console.panes.mirror import Mirror
from console.screens.dialog import Dialog

Facts = tuple[tuple[str, str], ...]


def money_facts(mirror: Mirror) -> Facts:
    """What the accounts hold, as last heard."""
    return tuple(
        (row.venue, f"{fmt.money(row.total)} {row.asset}")
        for row in sorted(mirror.money.values(), key=lambda row: row.key)
        if row.total
    )


def facts_text(facts: Facts) -> str:
    """The facts as lines, each word once, its sentences under each other."""
    width = max((len(word) for word, _ in facts), default=0)
    lines, last = [], ""
    for word, text in facts:
        lines.append(f"{word if word != last else '':<{width}}  {text}")
        last = word
    return "\n".join(lines)


class ArmDialog(Dialog[str]):
    """Dismissed with what the engine answered, or "" where it was left. The desk stays SAFE until its name is typed."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", show=False)]

    def __init__(self, link: Link, mirror: Mirror, clock: Callable[[], int]) -> None:
        super().__init__(clock)
        self.link = link
        self.mirror = mirror
        self._asking = False

    @property
    def desk(self) -> str:
        """The name to be typed."""
        header = self.mirror.header
        return header.desk if header is not None else ""

    def compose(self) -> ComposeResult:
        """Accounts, limits, what disarms; where the name is typed; what was refused."""
        with Vertical(classes="dialog arm") as box:
            box.border_title = Content(f"arm the live desk {self.desk}")
            with VerticalScroll(classes="facts", can_focus=False):
                yield Static("…", id="facts", classes="body")
            yield Static("Armed, its orders trade real money on these accounts. A disarms at once.", classes="hint")
            yield Label(Content(f"Type the desk's name, {self.desk}, and enter to arm it; escape leaves it SAFE:"))
            yield Input(id="name", compact=True)
            yield Static("", id="progress")

    def on_mount(self) -> None:
        """Ask the engine what it is about."""
        super().on_mount()
        self.query_one("#name").focus()
        self.run_worker(self._look(), group="facts")

    async def _look(self) -> None:
        preview = await self.link.preview(f"arm {self.desk}")
        facts = (*preview.facts, *(("money", f"{venue} {text}") for venue, text in money_facts(self.mirror)))
        self.query_one("#facts", Static).update(Content(facts_text(facts)))
        if not preview.ok:
            self._say(preview.error)

    def _say(self, text: str) -> None:
        self.query_one("#progress", Static).update(Content(text))

    def action_leave(self) -> None:
        """Leave it SAFE."""
        self.dismiss("")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Ask the engine to arm: it judges the name."""
        event.stop()
        if self.deaf or self._asking:
            return
        self._asking = True
        self.run_worker(partial(self._arm, event.value.strip()), group="arm")

    async def _arm(self, name: str) -> None:
        reply = await self.link.command(f"arm {name}")
        self._asking = False
        if reply.ok:
            self.dismiss(reply.text)
            return
        self.query_one("#name", Input).clear()
        self._say(reply.error)
