"""What every pane is: a place on the desk with a number key, a caption, a feed, and keys from the table of actions."""

import contextlib
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, ClassVar, Generic, TypeVar, get_args, get_origin

import msgspec
from textual.binding import BindingType
from textual.content import Content
from textual.widget import Widget

from console import fmt
from console.actions import PANE_TITLES, PANES, TABLE, bindings
from console.copying import rows_csv
from console.filter_fields import Field, fields_of
from console.filters import Filter, FilterError, parse
from console.link import Frame
from console.panes.desk import Desk, Where
from console.panes.mirror import Mirror
from console.panes.when import NOTHING, Selection
from console.screens.column_setup import ColumnSetup
from console.screens.filter_line import FilterLine
from console.session import TableView
from console.times import TimeMode, written
from console.widgets.column_choice import ColumnChoice
from console.widgets.columns import Cell, Column
from console.widgets.live_table import LiveTable
from console.widgets.viewed_table import ViewedTable

Row = TypeVar("Row", bound=msgspec.Struct)

_MOST_OFFERED = 40
"""Values of a field that completion offers; one with more is no name of anything."""


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

    def selection(self) -> Selection:
        """What is under the cursor, and what is marked."""
        return NOTHING

    def clear(self) -> bool:
        """Take away what the operator put on the pane, a step at a time; whether there was anything."""
        return False

    def views(self) -> list[tuple[str, str]]:
        """How the pane is looked at just now, as texts with their inks: tabs, filter, what is held back."""
        return []

    def caption(self) -> tuple[str, str, str]:
        """Number key, title, counters: what the pane says of itself in its title and in the strip of panes."""
        return str((PANES.index(self.NAME) + 1) % 10), PANE_TITLES.get(self.NAME, self.NAME), self.counters()[0]

    def retitle(self) -> None:
        """Bring the title up to date."""
        key, title, _ = self.caption()
        spans = [(f" {key}", "accent"), (f" {title} ", ""), *self.views()]
        text, ink = self.counters()
        if text:
            spans.append((f" {text} ", ink or "muted"))
        if spans != getattr(self, "_titled", None):
            self._titled = spans
            self.border_title = Content.assemble(*((text, _style(ink)) for text, ink in spans))

    def action_perform(self, action_id: str) -> None:
        """Do an action of the table that is bound on panes."""
        self.desk.perform(action_id, self)

    def do_look(self) -> None:
        """Show the contract under the cursor in the ladder."""
        where = self.where()
        if where is not None:
            self.desk.show_ladder(where)


def _style(ink: str) -> str:
    """An ink as textual writes styles."""
    return " ".join(word if word == "bold" else f"${word}" for word in ink.split())


class TablePane(ViewedTable[Row], Pane, Generic[Row]):
    """A pane that is one live table. A subclass makes its columns in ``_columns``."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(TABLE)]
    TITLE_OF_ROW: ClassVar[str] = "row"

    time_mode: TimeMode = TimeMode.AGE

    def __init__(self, desk: Desk, columns: Iterable[Column[Any]], **options: Any) -> None:
        super().__init__(columns, id=self.NAME, **options)
        self.desk = desk
        self.on_fault = desk.fault
        self.filter = Filter("", (), ticking=False)
        self._sort_kept: tuple[str, bool] | None = None

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

    def selection(self) -> Selection:
        """What is under the cursor and what is marked, as it is known now though the table may be frozen."""
        row = None if self.cursor_key is None else self.newest(self.cursor_key)
        marked = (self.newest(key) for key in self.marked_keys)
        return Selection(row, tuple(each for each in marked if each is not None))

    def tick_of(self, row: Any) -> Decimal | None:
        """The price step of a row's contract."""
        return self.mirror.tick(row.venue, row.ticker)

    def lot_of(self, row: Any) -> Decimal | None:
        """The quantity step of a row's contract."""
        return self.mirror.lot(row.venue, row.ticker)

    def time_column(self, ts_ns: Callable[[Any], int], *, millis: bool = False, **options: Any) -> Column[Any]:
        """A column of times, written as the operator wants them; ``options`` are those of ``Column``."""
        mode = self.time_mode

        def cell(row: Any) -> Cell:
            return Cell(written(mode, ts_ns(row), self.now_ns, millis=millis), "muted")

        fields = {"key": "age", "label": mode.value, "width": mode.width(millis=millis), "cell": cell,
                  "right": mode is TimeMode.AGE, "ticking": mode is TimeMode.AGE, "sort": ts_ns}  # fmt: skip
        return Column(**{**fields, **options})

    def on_live_table_row_chosen(self, event: LiveTable.RowChosen) -> None:
        """Show everything about the row."""
        event.stop()
        self.desk.open_details(self.TITLE_OF_ROW, event.row)

    # ------------------------------------------------------------ what is shown

    @classmethod
    def fields(cls) -> tuple[Field, ...]:
        """What the rows can be filtered by: all that the records which this pane shows are made of."""
        for kind in cls.__mro__:
            for base in getattr(kind, "__orig_bases__", ()):
                if get_origin(base) is TablePane:
                    (row,) = get_args(base)
                    return fields_of(*(get_args(row) or (row,)))
        return ()

    def values(self) -> dict[str, list[str]]:
        """What the rows have in each field of text that is short: venues, tickers, roles."""
        found: dict[str, list[str]] = {}
        for field in self.fields():
            if field.free and field.text is not None:
                texts = {field.text(row) for row in self.rows.values()}
                if len(texts) <= _MOST_OFFERED:
                    found[field.name] = sorted(text for text in texts if text and " " not in text)
        return found

    def counted(self) -> tuple[int, int]:
        """How many rows are shown, and of how many."""
        return len(self.content.order), len(self.rows)

    def in_view(self, row: Row) -> bool:  # noqa: ARG002  # for panes that have tabs
        """Whether a row belongs to what the pane shows, before any filter."""
        return True

    def apply_filter(self, text: str) -> None:
        """Show only rows that pass a filter. Raises FilterError and leaves everything as it was."""
        self.filter = parse(text, self.fields())
        self.look_again()

    def look_again(self) -> None:
        """Judge every row anew: by the filter, and by the tab."""
        if self.narrowed:
            self.show_only(lambda row: self.in_view(row) and self.filter.passes(row, self.now_ns))
        else:
            self.show_only(None)

    @property
    def narrowed(self) -> bool:
        """Whether some rows may be kept from sight."""
        return bool(self.filter.tests)

    def tick(self) -> None:
        """Draw the rows again where a column shows the passing of time, and judge them where the filter goes by it."""
        if self.filter.ticking and not self.frozen:
            self.content.refilter()
        super().tick()

    def teaching(self) -> str:
        """What stands in the table while it shows no row: why not."""
        if not self.filter.text:
            return super().teaching()
        return f"Nothing matches {self.filter.text}\n\nescape clears the filter, / changes it"

    def views(self) -> list[tuple[str, str]]:
        """Whether the table is frozen, the filter with its count, the marks, the columns."""
        spans = []
        if self.frozen:
            spans.append((f" ‖ FROZEN, {self.held} changed ", "bold warn"))
        if self.filter.text:
            count = f"{len(self.content.order)} of {len(self.rows)}"
            spans.append((f" {count} /{self.filter.text} ", "accent"))  # the count first: a long filter is cut
        if self.marked:
            spans.append((f" {len(self.marked)} marked ", "own"))
        if self.column_page and self.column_pages > 1:
            spans.append((f" columns {self.column_page % self.column_pages + 1}/{self.column_pages} ", "muted"))
        return spans

    def clear(self) -> bool:
        """Take away the marks, else the filter; whether there was anything to take away."""
        if self.marked:
            self.unmark()
        elif self.filter.text:
            self.apply_filter("")
        else:
            return False
        return True

    # ------------------------------------------------------------ kept between runs

    def view(self) -> TableView:
        """How the table is looked at."""
        sort, descending = self._sort_kept or (self.sort_column or "", self.sort_descending)
        choice = self.choice
        return TableView(filter=self.filter.text, sort=sort, descending=descending, order=choice.order,
                         off=tuple(sorted(choice.off)))  # fmt: skip

    def resume(self, view: TableView) -> None:
        """Look at the table as in an earlier run; a filter or a column that is no more changes nothing."""
        self.choose_columns(ColumnChoice(order=view.order, off=frozenset(view.off)))
        if view.sort in {column.key for column in self.columns if column.sort is not None}:
            self._sort_kept = view.sort, view.descending
        if view.filter.isprintable():
            with contextlib.suppress(FilterError):
                self.apply_filter(view.filter)

    def flush(self) -> None:
        """Bring what was fed to the screen; the first rows in the order that was kept."""
        super().flush()
        if self._sort_kept is not None and self.content.order:
            (column, descending), self._sort_kept = self._sort_kept, None
            self.sort_by(column, descending=descending)

    # ------------------------------------------------------------ actions of every table

    def do_sort_next(self) -> None:
        """Sort by the next column."""
        self.sort_next()

    def do_sort_reverse(self) -> None:
        """Turn the order round."""
        self.sort_reverse()

    def do_mark(self) -> None:
        """Mark the row under the cursor."""
        self.mark()

    def do_mark_range(self) -> None:
        """Mark from the last mark to the cursor."""
        self.desk.say(f"{fmt.count(self.mark_range(), 'row')} marked")

    def do_filter(self) -> None:
        """Open the filter's line."""
        self.app.push_screen(FilterLine(self))

    def do_wide(self) -> None:
        """Show the next screen of columns."""
        if self.column_pages < 2:
            self.desk.say("every column is in sight")
        else:
            self.next_columns()

    def do_columns(self) -> None:
        """Choose the columns."""

        def chosen(choice: ColumnChoice | None) -> None:
            if choice is not None:
                self.choose_columns(choice)

        self.app.push_screen(ColumnSetup(self.columns, self.choice), chosen)

    def do_copy_row(self) -> None:
        """Copy the marked rows, or the one under the cursor."""
        keys = self.marked_keys or [self.cursor_key]
        rows = [self.rows[key] for key in keys if key in self.rows]
        self.desk.copy(self.NAME, rows_csv(rows), fmt.count(len(rows), self.TITLE_OF_ROW))

    def do_copy_table(self) -> None:
        """Copy every row that is shown."""
        rows = [self.rows[key] for key in self.content.order]
        self.desk.copy(self.NAME, rows_csv(rows), fmt.count(len(rows), self.TITLE_OF_ROW))

    def do_time_mode(self) -> None:
        """Show times in the next way, in every pane."""
        mode = self.time_mode.following
        for pane in self.screen.query(TablePane):
            pane.show_times(mode)
        self.desk.say(f"times are shown as {'ages' if mode is TimeMode.AGE else mode.value}")

    def show_times(self, mode: TimeMode) -> None:
        """Show times in another way."""
        self.time_mode = mode
        self.replace_columns(self._columns())

    def _columns(self) -> Iterable[Column[Any]]:
        return self.columns

    def do_freeze(self) -> None:
        """Hold the rows as they are, or bring them up to date."""
        if self.frozen:
            self.thaw()
            self.desk.say("up to date again")
        else:
            self.freeze()
            self.desk.say("frozen: what happens meanwhile is shown when you press the key again")
