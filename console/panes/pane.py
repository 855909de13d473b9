"""What every pane is: a place on the desk with a number key, a caption, a feed, and keys from the table of actions."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, ClassVar, Generic, NamedTuple, Protocol, TypeVar

import msgspec
from textual.widget import Widget

from console import fmt
from console.actions import PANE_TITLES, PANES
from console.link import Frame
from console.panes.mirror import Mirror
from console.screens.choices import Choice, Question
from console.ticket.draft import Draft
from console.widgets.columns import Column
from console.widgets.live_table import LiveTable

Row = TypeVar("Row", bound=msgspec.Struct)


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

    def open_ticket(self, draft: Draft | None = None) -> None:
        """Open the ticket, with a draft or with the one kept from before."""
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

    def fault(self, where: str, error: Exception) -> None:
        """Report an error of the console's own."""
        ...


class Pane(Widget):
    """A pane of the desk. Subclasses set ``NAME``, and ``do_<id>`` for the actions of their own scope."""

    NAME: ClassVar[str] = ""

    desk: Desk

    def feed(self, frame: Frame) -> None:
        """Take what concerns this pane from a frame. Painting comes later, in :meth:`flush`."""

    def flush(self) -> None:
        """Paint what was fed."""

    def tick(self) -> None:
        """Paint what shows the passing of time."""

    def set_silent(self, *, silent: bool) -> None:
        """Draw everything as stale, or stop doing so."""

    def counters(self) -> tuple[str, str]:
        """What stands beside the title, and its ink."""
        return "", ""

    def where(self) -> Where | None:
        """The contract under the cursor."""
        return None

    def caption(self) -> tuple[str, str, str]:
        """Number key, title, counters: what the pane says of itself in its title and in the strip of panes."""
        return str(PANES.index(self.NAME) + 1), PANE_TITLES.get(self.NAME, self.NAME), self.counters()[0]

    def retitle(self) -> None:
        """Bring the title up to date."""
        key, title, _ = self.caption()
        text, ink = self.counters()
        counted = f"  [{f'${ink}' if ink else '$muted'}]{text}[/]" if text else ""
        markup = f" [$accent]{key}[/] {title}{counted} "
        if markup != getattr(self, "_markup", ""):
            self._markup = markup
            self.border_title = markup

    def action_perform(self, action_id: str) -> None:
        """Do an action of the table that is bound on panes."""
        self.desk.perform(action_id, self)

    def do_look(self) -> None:
        """Show the contract under the cursor in the ladder."""
        where = self.where()
        if where is not None:
            self.desk.show_ladder(where)


class TablePane(LiveTable[Row], Pane, Generic[Row]):
    """A pane that is one live table."""

    TITLE_OF_ROW: ClassVar[str] = "row"

    def __init__(self, desk: Desk, columns: Iterable[Column[Any]], **options: Any) -> None:
        super().__init__(columns, id=self.NAME, **options)
        self.desk = desk
        self.on_fault = desk.fault

    @property
    def mirror(self) -> Mirror:
        """What was last heard from the engine."""
        return self.desk.mirror

    @property
    def now_ns(self) -> int:
        """The engine's time."""
        return self.desk.mirror.now_ns

    def where(self) -> Where | None:
        """The contract of the row under the cursor."""
        row = self.selected
        venue, ticker = getattr(row, "venue", ""), getattr(row, "ticker", "")
        return Where(venue, ticker) if venue and ticker else None

    def tick_of(self, row: Any) -> Decimal | None:
        """The price step of a row's contract."""
        return self.mirror.tick(row.venue, row.ticker)

    def lot_of(self, row: Any) -> Decimal | None:
        """The quantity step of a row's contract."""
        return self.mirror.lot(row.venue, row.ticker)

    def on_live_table_row_chosen(self, event: LiveTable.RowChosen) -> None:
        """Show everything about the row."""
        event.stop()
        self.desk.open_details(self.TITLE_OF_ROW, event.row)
