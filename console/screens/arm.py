"""Arming: what this desk may do on which accounts, and its name to be typed. The way back is one key."""

import textwrap
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

WIDTH = 104
"""As the style sheet has it."""
AROUND = 8
"""Border, padding and a scrollbar."""

Facts = tuple[tuple[str, str], ...]


def money_facts(mirror: Mirror) -> Facts:
    """What the accounts hold, as last heard."""
    return tuple(
        ("money", f"{fmt.money(row.total)} {row.asset} on {row.venue}")
        for row in sorted(mirror.money.values(), key=lambda row: row.key)
        if row.total
    )


def facts_text(facts: Facts, width: int) -> str:
    """The facts in lines of a width, each word once, its sentences under each other."""
    margin = max((len(word) for word, _ in facts), default=0) + 2
    lines, last = [], ""
    for word, text in facts:
        head = word if word != last else ""
        lines += textwrap.wrap(
            text, max(width, margin + 20), initial_indent=f"{head:<{margin}}", subsequent_indent=" " * margin
        )
        last = word
    return "\n".join(lines)


class ArmDialog(Dialog[str]):
    """Dismissed with what the engine answered, or "" where it was left. The desk stays SAFE until its name is typed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", show=False),
        Binding("up,pageup", "scroll(-5)", show=False),
        Binding("down,pagedown", "scroll(5)", show=False),
    ]

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
        width = min(WIDTH, self.app.size.width) - AROUND
        self.query_one("#facts", Static).update(Content(facts_text((*preview.facts, *money_facts(self.mirror)), width)))
        if not preview.ok:
            self._say(preview.error)

    def _say(self, text: str) -> None:
        self.query_one("#progress", Static).update(Content(text))

    def action_scroll(self, lines: int) -> None:
        """Show more of the facts."""
        self.query_one(".facts").scroll_relative(y=lines, animate=False)

    def action_leave(self) -> None:
        """Leave it SAFE."""
        self.workers.cancel_group(self, "facts")  # its answer would find no place to be shown
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
