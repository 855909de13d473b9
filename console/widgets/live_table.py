"""The one table of the console: keyed rows under live updates, painted line by line.

Only rows that changed and are in sight are painted again. Each row's strip is kept until the row changes, the columns
change (a resize) or the theme does. The cursor belongs to a key, not to a line: rows may come, go and be sorted around
it. Rows keep the order they came in until the operator asks for a sort, so that nothing jumps under a key press.
"""

from collections.abc import Callable, Iterable
from typing import Any, ClassVar, Generic, TypeVar

from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from console import fmt
from console.widgets.columns import Cell, Column, Shown, fit_columns
from console.widgets.flashes import Flashes
from console.widgets.ink import Inks, cell_segments
from console.widgets.row_order import RowOrder

Row = TypeVar("Row")


class LiveTable(ScrollView, Generic[Row], can_focus=True):
    """A live table of ``Row``s. Feed it with :meth:`put` and :meth:`drop`, then call :meth:`flush` once a frame.

    ``max_rows``, ``newest_first`` and ``order_by`` are those of :class:`RowOrder`. ``follow`` keeps the end in sight,
    as a log does, while the cursor is on the last row.
    """

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    LiveTable {
        overflow-x: hidden;
        overflow-y: scroll;
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(1)", show=False),
        Binding("up,k", "move(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("home,g", "edge(False)", show=False),
        Binding("end,G", "edge(True)", show=False),
        Binding("enter", "choose", show=False),
    ]

    class CursorMoved(Message):
        """The cursor went to another row (``key`` None: the table is empty)."""

        def __init__(self, table: "LiveTable[Any]", key: str | None) -> None:
            super().__init__()
            self.table = table
            self.key = key

        @property
        def control(self) -> "LiveTable[Any]":
            """The table it happened in."""
            return self.table

    class RowChosen(Message):
        """Enter was pressed on a row."""

        def __init__(self, table: "LiveTable[Any]", key: str, row: Any) -> None:
            super().__init__()
            self.table = table
            self.key = key
            self.row = row

        @property
        def control(self) -> "LiveTable[Any]":
            """The table it happened in."""
            return self.table

    def __init__(
        self,
        columns: Iterable[Column[Row]],
        *,
        empty: str = "",
        max_rows: int = 5_000,
        newest_first: bool = False,
        follow: bool = False,
        order_by: Callable[[Row], Any] | None = None,
        id: str | None = None,  # noqa: A002  # textual's own name
    ) -> None:
        super().__init__(id=id)
        self.columns = tuple(columns)
        self.empty = empty
        self.follow = follow
        self.content: RowOrder[Row] = RowOrder(max_rows=max_rows, newest_first=newest_first, order_by=order_by)
        self.marked: set[str] = set()
        self.cursor_key: str | None = None
        self.sort_column: str | None = None
        self.sort_descending = False
        self.silent = False
        self.painted = 0
        """Rows drawn from their data, not from the cache, since the start."""
        self.on_fault: Callable[[str, Exception], None] | None = None
        """Told of a cell that cannot be drawn."""
        self._strips: dict[str, Strip] = {}
        self._flashes: Flashes[Row] = Flashes()
        self._shown: Shown[Row] = Shown((), ())
        self._width = -1
        self._inks: Inks | None = None

    # ------------------------------------------------------------ content

    @property
    def rows(self) -> dict[str, Row]:
        """The rows by key, in the order of arrival."""
        return self.content.rows

    @property
    def keys(self) -> list[str]:
        """The keys in the order shown (as of the last flush)."""
        return list(self.content.order)

    @property
    def selected(self) -> Row | None:
        """The row under the cursor."""
        return None if self.cursor_key is None else self.rows.get(self.cursor_key)

    @property
    def shown_columns(self) -> tuple[str, ...]:
        """The keys of the columns that fit in the present width."""
        return tuple(column.key for column in self._shown.columns)

    def put(self, rows: Iterable[tuple[str, Row]]) -> None:
        """Add rows, or replace those with the same key. Seen at the next flush."""
        put, drawn = self.content.put, self._strips
        for key, row in rows:
            before = put(key, row)
            if before is not None and key in drawn:  # nobody has seen the value of a row that was never drawn
                self._flashes.note(self.columns, key, before, row)

    def drop(self, keys: Iterable[str]) -> None:
        """Take rows away; keys that are not there are ignored. Seen at the next flush."""
        self.content.drop(keys)

    def flush(self) -> None:
        """Bring what was put and dropped to the screen: once a frame, for all of it."""
        dirty = self.content.dirty
        dirty.update(key for key in self._flashes.next_frame() if key in self.rows)
        if self.content.restructured:
            for key in dirty:
                self._strips.pop(key, None)
            self._restructure()
        elif dirty:
            self._repaint(dirty)
        dirty.clear()

    def tick(self) -> None:
        """Draw the rows in sight again where a column shows the passing of time."""
        if any(column.ticking for column in self._shown.columns):
            self._repaint(self.content.order[self.first_line : self.first_line + self.page_size])

    def set_silent(self, *, silent: bool) -> None:
        """Draw everything as stale, or stop doing so: no number looks live when the engine is not heard."""
        if silent != self.silent:
            self.silent = silent
            self.refresh()

    # ------------------------------------------------------------ order and cursor

    @property
    def line_width(self) -> int:
        """Cells of a line, beside the scroll bar."""
        return self.scrollable_content_region.width

    @property
    def page_size(self) -> int:
        """Rows that fit under the head."""
        return max(1, self.size.height - 1)

    @property
    def first_line(self) -> int:
        """Which row is on top."""
        return max(0, self.scroll_offset.y)

    @property
    def cursor_line(self) -> int:
        """Where in the order the cursor is; 0 where there is none."""
        return 0 if self.cursor_key is None else self.content.place.get(self.cursor_key, 0)

    def move_to(self, line: int) -> None:
        """Put the cursor on a line of the order (the nearest that there is)."""
        order = self.content.order
        if order:
            self._set_cursor(order[max(0, min(line, len(order) - 1))])
            self._keep_in_sight()

    def move_to_key(self, key: str) -> None:
        """Put the cursor on the row with ``key``, if it is there."""
        if key in self.content.place:
            self.move_to(self.content.place[key])

    def sort_by(self, column_key: str | None, *, descending: bool = False) -> None:
        """Sort the present rows once by a column; None goes back to the order of arrival."""
        self.sort_column, self.sort_descending = column_key, descending
        column = next((column for column in self.columns if column.key == column_key), None)
        self.content.sort(column, descending=descending)
        self._keep_in_sight()
        self.refresh()

    def _set_cursor(self, key: str | None) -> None:
        before, self.cursor_key = self.cursor_key, key
        if before == key:
            return
        for changed in (before, key):
            if changed in self.content.place:
                self._refresh_row(self.content.place[changed])
        self.post_message(self.CursorMoved(self, key))

    def _restructure(self) -> None:
        line = self.cursor_line
        in_sight = self.first_line <= line < self.first_line + self.page_size
        at_end = self.follow and (self.cursor_key is None or line >= len(self.content.order) - 1)
        for key in self.content.settle():
            self._strips.pop(key, None)
            self.marked.discard(key)
        order = self.content.order
        self._resize_content()
        if not order:
            self._set_cursor(None)
        elif at_end:
            self._set_cursor(order[-1])
        elif self.cursor_key not in self.content.place:
            self._set_cursor(order[min(line, len(order) - 1)])
        if in_sight:
            self._keep_in_sight()
        self.refresh()

    def _keep_in_sight(self) -> None:
        line, top = self.cursor_line, self.first_line
        if line < top:
            self.scroll_to(y=line, animate=False, force=True)
        elif line >= top + self.page_size:
            self.scroll_to(y=line - self.page_size + 1, animate=False, force=True)

    # ------------------------------------------------------------ painting

    def _resize_content(self) -> None:
        size = Size(self.line_width, len(self.content.order) + 1)
        if size != self.virtual_size:  # set without its watcher: a row more must not lay out the whole screen again
            self.set_reactive(LiveTable.virtual_size, size)
            self._scroll_update(size)

    def _columns_to(self, width: int) -> None:
        if width != self._width:
            self._width = width
            self._shown = self._fit(width - 1)
            self._strips.clear()

    def _fit(self, width: int) -> Shown[Row]:
        """The columns for a width."""
        return fit_columns(self.columns, width)

    def refit(self) -> None:
        """Choose the columns anew: there are others, or other ones are asked for."""
        self._width = -1
        self._columns_to(self.line_width)
        self.refresh()

    def on_resize(self, event: events.Resize) -> None:
        """Choose the columns for the new width."""
        event.stop()
        self._columns_to(self.line_width)
        self._resize_content()
        self._keep_in_sight()

    def notify_style_update(self) -> None:
        """Called by textual when styles (and with them the theme) change."""
        super().notify_style_update()
        self._inks = None
        self._strips.clear()

    @property
    def inks(self) -> Inks:
        """The inks of the present theme."""
        if self._inks is None:
            self._inks = Inks(self.app.theme_variables, colourless=self.app.no_color)
        return self._inks

    def watch_has_focus(self, has_focus: bool) -> None:  # noqa: FBT001  # textual's watcher
        """Show the cursor as live, or as away."""
        super().watch_has_focus(has_focus)
        self._refresh_row(self.cursor_line)

    def _refresh_row(self, line: int) -> None:
        y = line - self.first_line + 1
        if 1 <= y < self.size.height:
            self.refresh(Region(0, y, self.line_width, 1))

    def _repaint(self, keys: Iterable[str]) -> None:
        for key in keys:
            if self._strips.pop(key, None) is not None and key in self.content.place:
                self._refresh_row(self.content.place[key])

    def render_line(self, y: int) -> Strip:
        """One line of the screen: the head, a row, or a line of the text that stands in an empty table."""
        width, inks = self.line_width, self.inks
        self._columns_to(width)
        if y == 0:
            return self._head(inks).adjust_cell_length(width, inks.row)
        line, order = self.first_line + y - 1, self.content.order
        if line >= len(order):
            return self._blank(y, width, inks)
        key = order[line]
        strip = self._strips.get(key)
        if strip is None:
            strip = self._strips[key] = self._draw(key, inks)
        background = inks.row
        if key == self.cursor_key:
            background = inks.cursor if self.has_focus else inks.cursor_away
        if self.silent:
            strip = Strip([Segment(strip.text, inks.silent)], strip.cell_length)
        return strip.apply_style(background).adjust_cell_length(width, background)

    def _head(self, inks: Inks) -> Strip:
        segments = [Segment(" ", inks.row)]
        for place, (column, width) in enumerate(zip(self._shown.columns, self._shown.widths, strict=True)):
            label = column.label
            if column.key == self.sort_column:
                label += "▼" if self.sort_descending else "▲"
            label = fmt.fit(label, width)
            label = label.rjust(width) if column.right else label.ljust(width)
            segments.append(Segment((" " if place else "") + label, inks["faint"]))
        return Strip(segments).apply_style(inks.row)

    def teaching(self) -> str:
        """What stands in the table while it shows no row."""
        return self.empty

    def _blank(self, y: int, width: int, inks: Inks) -> Strip:
        lines = [] if self.content.order else self.teaching().splitlines()
        text = lines[y - 1] if y - 1 < len(lines) else ""
        strip = Strip([Segment(fmt.fit(" " + text, width), inks.on("muted", inks.row))])
        return strip.adjust_cell_length(width, inks.row)

    def _draw(self, key: str, inks: Inks) -> Strip:
        self.painted += 1
        segments: list[Segment] = [Segment("•" if key in self.marked else " ", inks["own"])]
        row = self.rows[key]
        for place, (column, width) in enumerate(zip(self._shown.columns, self._shown.widths, strict=True)):
            if place:
                segments.append(Segment(" ", None))
            try:
                cell = column.cell(row)
            except Exception as error:  # noqa: BLE001  # one bad cell must not take the console, and panic, down
                cell = Cell("?!", "alarm")
                if self.on_fault is not None:
                    self.on_fault(f"{self.id or 'table'}, column {column.key}", error)
            flash = self._flashes.ink(key, column.key)
            segments.extend(cell_segments(cell, width, inks, right=column.right, flash=flash))
        return Strip(segments)

    # ------------------------------------------------------------ keys and mouse

    def action_move(self, lines: int) -> None:
        """Move the cursor down (or, negative, up)."""
        self.move_to(self.cursor_line + lines)

    def action_page(self, pages: int) -> None:
        """Move by a page."""
        self.move_to(self.cursor_line + pages * self.page_size)

    def action_edge(self, end: bool) -> None:  # noqa: FBT001  # textual passes an action's arguments by place
        """Go to the first or the last row."""
        self.move_to(len(self.content.order) - 1 if end else 0)

    def action_choose(self) -> None:
        """Choose the row under the cursor."""
        if self.cursor_key is not None and self.selected is not None:
            self.post_message(self.RowChosen(self, self.cursor_key, self.selected))

    def sort_next(self) -> None:
        """Sort by the next column that can be sorted by; after the last, go back to the order of arrival."""
        names: list[str | None] = [column.key for column in self._shown.columns if column.sort is not None]
        after = names.index(self.sort_column) + 1 if self.sort_column in names else 0
        self.sort_by(names[after] if after < len(names) else None, descending=self.sort_descending)

    def sort_reverse(self) -> None:
        """Turn the order round."""
        if self.sort_column is not None:
            self.sort_by(self.sort_column, descending=not self.sort_descending)

    def on_click(self, event: events.Click) -> None:
        """Move the cursor to the row clicked on. A click never does more than that."""
        place = event.get_content_offset(self)
        if place is not None and place.y >= 1 and self.first_line + place.y <= len(self.content.order):
            self.move_to(self.first_line + place.y - 1)
