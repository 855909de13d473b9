"""What a pane may ask of the app, and how it names a contract."""

from typing import TYPE_CHECKING, NamedTuple, Protocol

import msgspec

from console import fmt
from console.panes.mirror import Mirror
from console.screens.choices import Choice, Question
from console.ticket.draft import Draft

if TYPE_CHECKING:
    from console.panes.pane import Pane


class Where(NamedTuple):
    """A contract."""

    venue: str
    ticker: str

    def __str__(self) -> str:
        return fmt.contract(self.venue, self.ticker)


class Desk(Protocol):
    """What a pane may ask of the app. Nothing here waits: answers come back on the message line."""

    @property
    def mirror(self) -> Mirror:
        """What was last heard from the engine."""
        ...

    def perform(self, action_id: str, pane: "Pane | None" = None) -> None:
        """Do an action of the table, or say why not."""
        ...

    def send(self, line: str) -> None:
        """Send a command line to the engine."""
        ...

    def say(self, text: str, severity: str = "info") -> None:
        """Write on the message line."""
        ...

    def ask(self, question: Question) -> None:
        """Ask before sending a command line."""
        ...

    def choose(self, title: str, choices: list[Choice]) -> None:
        """Offer a menu of command lines."""
        ...

    def open_ticket(self, draft: Draft | None = None, *, whole: bool = False) -> None:
        """Open the ticket: with the one kept from before, with a draft to fill, or with a ``whole`` one."""
        ...

    def filled(self, draft: Draft) -> Draft:
        """A draft with the amount and legs that the ticket would open with."""
        ...

    def open_command_line(self, text: str = "") -> None:
        """Open the command line with a text to begin with."""
        ...

    def open_details(self, title: str, row: msgspec.Struct) -> None:
        """Show everything about a row."""
        ...

    def show_ladder(self, where: Where) -> None:
        """Show a contract in the ladder."""
        ...

    def copy(self, name: str, text: str, told: str) -> None:
        """Put a text on the terminal's clipboard, and into a file called ``name``; ``told`` is what it is."""
        ...

    def fault(self, where: str, error: Exception) -> None:
        """Report an error of the console's own."""
        ...
