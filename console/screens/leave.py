"""The question before leaving: what is open, what is not hedged, and how to stop. The focus starts on staying."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Static

from console import fmt
from console.link import Reply
from console.panes.mirror import Mirror
from console.screens.dialog import Dialog

_MOST_LINES = 6


def open_lines(mirror: Mirror) -> list[str]:
    """What leaving leaves behind, one line each: open orders, then what is not hedged. Empty for a desk at rest."""
    orders = [
        f"{fmt.side(row.amount)} {fmt.number(abs(row.amount - row.filled))} {fmt.contract(row.venue, row.ticker)}"
        f"  {row.role} {fmt.short_id(row.cloid)}  {fmt.status(row.status)}"
        for row in mirror.open_orders()
    ]
    books = [
        f"{fmt.contract(row.venue, row.ticker)} unhedged {fmt.number(row.balance, sign=True)}"
        + (f", in flight {fmt.number(row.in_flight, sign=True)}" if row.in_flight else "")
        + (f"  {row.waits}" if row.waits else "")
        for row in mirror.residuals()
    ]
    return _shortened(orders, "order") + _shortened(books, "hedge book")


def _shortened(lines: list[str], noun: str) -> list[str]:
    if len(lines) <= _MOST_LINES:
        return lines
    return [*lines[: _MOST_LINES - 1], f"… and {fmt.count(len(lines) - _MOST_LINES + 1, f'more {noun}')}"]


_TWO_PHASES = "no new makers, makers cancelled, hedges settled, what is left reported, then stop."


class LeaveDialog(Dialog[bool]):
    """Dismissed with whether the console is to close; the engine has been stopped by then, unless it ``outlives`` us.

    ``stop`` ends the engine, or leaves it. When a two-phase stop does not come to its end, the dialog says why and
    stays.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,s,n", "stay", show=False),
        Binding("t", "stop(True)", show=False),
        Binding("l", "stop(False)", show=False),
        Binding("left,up", "other(False)", show=False),
        Binding("right,down", "other(True)", show=False),
    ]

    def __init__(
        self, mirror: Mirror, stop: Callable[[bool], Awaitable[Reply]], clock: Callable[[], int], *, outlives: bool
    ) -> None:
        super().__init__(clock)
        self.mirror = mirror
        self._stop = stop
        self._outlives = outlives
        self._stopping = False

    def compose(self) -> ComposeResult:
        """What is open, and the three ways."""
        lines = open_lines(self.mirror)
        with Vertical(classes="dialog") as box:
            box.border_title = "leave hedgedesk?"
            yield Static(Content("\n".join(lines) or "No order is open and nothing is unhedged."), classes="body")
            goes_on = "The engine goes on without this console, and hedges. " if self._outlives else ""
            yield Static(f"{goes_on}Two phases: {_TWO_PHASES}", classes="hint")
            yield Static("", id="progress")
            with Horizontal(classes="answers"):
                yield Button("Stay  (s)", id="stay", compact=True)
                two = "Stop the engine" if self._outlives else "Stop in two phases"
                yield Button(f"{two}  (t)", id="two", compact=True)
                leave = "Leave it running" if self._outlives else "Leave anyway"
                yield Button(f"{leave}  (l)", id="leave", compact=True, classes="" if self._outlives else "risky")

    def on_mount(self) -> None:
        """Put the focus on staying."""
        super().on_mount()
        self.query_one("#stay").focus()

    def action_stay(self) -> None:
        """Go back to the desk."""
        if not self._stopping:
            self.dismiss(result=False)

    def action_other(self, forward: bool) -> None:  # noqa: FBT001  # textual passes an action's arguments by place
        """Go to another answer."""
        if forward:
            self.focus_next("Button")
        else:
            self.focus_previous("Button")

    def action_stop(self, two_phase: bool) -> None:  # noqa: FBT001  # textual passes an action's arguments by place
        """Stop the engine, then close."""
        if self._stopping or self.deaf:
            return
        self._stopping = True
        at_once = "Leaving …" if self._outlives else "Stopping …"
        text = "Stopping: makers are cancelled, hedges settle …" if two_phase else at_once
        self.query_one("#progress", Static).update(text)
        self.run_worker(partial(self._finish, two_phase=two_phase), group="stop")

    async def _finish(self, *, two_phase: bool) -> None:
        reply = await self._stop(two_phase)
        if reply.ok or not two_phase:
            self.dismiss(result=True)
            return
        self._stopping = False
        told = Content(f"Not stopped: {reply.error or reply.text}")
        self.query_one("#progress", Static).update(told.stylize("bold"))

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Take the way of the button."""
        event.stop()
        if event.button.id == "stay":
            self.action_stay()
        else:
            self.action_stop(event.button.id == "two")
