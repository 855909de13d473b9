"""The order book ladder: a static price column, bids left, offers right, our own size beside them.

The cursor belongs to a price. ``b`` and ``s`` act at it, as the last line says; a click only moves the cursor.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.strip import Strip

from console import fmt
from console.actions import PANE, bindings
from console.link import Frame, LadderRow
from console.panes import ladder_grid as grid
from console.panes import ladder_lines as lines_of
from console.panes.ladder_hands import LadderHands, at_line
from console.panes.ladder_queue import Queue
from console.panes.pane import Desk, Pane, Where
from console.panes.when import NOTHING, Selection
from console.screens.size import SizeDialog
from console.widgets.ink import Inks
from gateways.standards import ZERO

STALE_AFTER_NS = 5_000_000_000


class LadderPane(Pane, can_focus=True):
    """Pane 6."""

    NAME = "ladder"
    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings("ladder", PANE),
        Binding("down,j", "move(1)", show=False),
        Binding("up,k", "move(-1)", show=False),
        Binding("pagedown", "move(10)", show=False),
        Binding("pageup", "move(-10)", show=False),
    ]

    def __init__(self, desk: Desk) -> None:
        super().__init__(id=self.NAME)
        self.desk = desk
        self.hands = LadderHands(desk)
        self.queue = Queue()
        self.shown: Where | None = None
        self.cursor_price: Decimal | None = None
        self.group: Decimal | None = None
        self.silent = False
        self._row: LadderRow | None = None
        self._top: Decimal | None = None
        self._held = False
        self._chosen_group = False
        self._fed = False
        self._lines: list[list[lines_of.Span]] = []
        self._inks: Inks | None = None

    # ------------------------------------------------------------ content

    def show(self, where: Where) -> None:
        """Show another contract."""
        if where != self.shown:
            self.shown, self._row = where, self.desk.mirror.ladders.get(where)
            self.group = self._top = self.cursor_price = None
            self._held = self._chosen_group = False
            self._compose_lines()
            self.retitle()

    def where(self) -> Where | None:
        """The contract shown."""
        return self.shown

    def selection(self) -> Selection:
        """Our own orders at the cursor's price."""
        if self.shown is None or self.cursor_price is None or self.group is None:
            return NOTHING
        venue, ticker = self.shown
        orders = at_line(self.desk.mirror.open_orders(venue=venue, ticker=ticker), self.cursor_price, self.group)
        return Selection(orders[0], tuple(orders)) if orders else NOTHING

    def feed(self, frame: Frame) -> None:
        """Take the book of the contract shown."""
        for row in frame.ladders:
            if (row.venue, row.ticker) == self.shown:
                self._row, self._fed = row, True
                self.queue.look(self.desk.mirror.open_orders(venue=row.venue, ticker=row.ticker), row)

    def flush(self) -> None:
        """Paint the lines that changed."""
        if self._fed:
            self._fed = False
            self._compose_lines()

    def tick(self) -> None:
        """Paint again: the book may have gone stale."""
        self._compose_lines()

    def set_silent(self, *, silent: bool) -> None:
        """Draw the book as stale, or stop doing so."""
        if silent != self.silent:
            self.silent = silent
            self._compose_lines()

    @property
    def stale(self) -> bool:
        """Whether the book is too old to trade from."""
        row, now_ns = self._row, self.desk.mirror.now_ns
        return row is None or row.stale or self.silent or (row.ts_ns > 0 and now_ns - row.ts_ns > STALE_AFTER_NS)

    def counters(self) -> tuple[str, str]:
        """The contract, and how old its book is when it is stale."""
        row = self._row
        if self.shown is None:
            return "", ""
        if row is None:
            return f"{self.shown}  no book yet", "muted"
        if self.stale:
            since = f" {fmt.age(self.desk.mirror.now_ns, row.ts_ns)}" if row.ts_ns else ""
            return f"{self.shown}  ~ STALE{since}", "stale"
        return str(self.shown), "muted"

    # ------------------------------------------------------------ lines

    @property
    def _line_count(self) -> int:
        return max(1, self.size.height - 2)

    def _compose_lines(self) -> None:
        self.retitle()
        row = self._row
        lines = self._teaching() if row is None else self._book_lines(row)
        for y, line in enumerate(lines):
            if y >= len(self._lines) or self._lines[y] != line:
                self.refresh(Region(0, y, self.size.width, 1))
        for y in range(len(lines), len(self._lines)):
            self.refresh(Region(0, y, self.size.width, 1))
        self._lines = lines

    def _teaching(self) -> list[list[lines_of.Span]]:
        texts = ["No book yet.", "", "i  chooses the contract", "l  on a row of another pane shows its contract"]
        return [[(f" {text}", "muted")] for text in texts]

    def _place_window(self, row: LadderRow) -> Decimal | None:
        """Choose the group and the first price; returns the price on the first line, None without any price."""
        centre = grid.middle(row.bids, row.asks, row.last_price)
        if centre is None:
            return None
        if self.group is None or self.group % row.tick:  # the tick may grow with the price
            self._top = self.cursor_price = None
            self.group = grid.fitting_group(row.tick, row.bids, row.asks, self._line_count)
        if self._top is not None and not self._held:
            margin = max(1, self._line_count // 6)
            if not margin <= grid.line_of(self._top, self.group, centre) < self._line_count - margin:
                self._top = None
        if self._top is None:
            self._top = grid.top_price(centre, self.group, self._line_count)
        if self.cursor_price is None:
            self.cursor_price = grid.price_at(self._top, self.group, self._line_count // 2)
        return self._top

    def _book_lines(self, row: LadderRow) -> list[list[lines_of.Span]]:
        top = self._place_window(row)
        group = self.group
        width = self.size.width
        head = [lines_of.fitting([*self._own_said(row), *lines_of.head(row, group, width)], width)]
        if top is None or group is None:
            return [*head, [(" the book is empty", "muted")]]
        bids = grid.grouped(row.bids, group, bids=True)
        asks = grid.grouped(row.asks, group, bids=False)
        own_bids = grid.grouped(((p, q) for p, q in row.own if q > 0), group, bids=True)
        own_asks = grid.grouped(((p, -q) for p, q in row.own if q < 0), group, bids=False)
        sold = row.last_amount is not None and row.last_amount < 0
        traded = None if row.last_price is None else grid.group_of(row.last_price, group, bid=sold)
        sides = own_bids, bids, asks, own_asks
        in_sight = [grid.price_at(top, group, line) for line in range(self._line_count)]
        even = self._even_line(group)
        largest = max([side[price] for price in in_sight for side in (bids, asks) if price in side], default=ZERO)
        lines = head
        for price in in_sight:
            if price <= 0:
                lines.append([("", "")])
                continue
            mark = ""
            if price == traded and row.last_amount is not None:
                mark = "down" if sold else "up"
            line = lines_of.Line(price, *(side.get(price, ZERO) for side in sides), mark=mark, even=price == even)
            lines.append(lines_of.spans(line, row, largest, width, at_cursor=price == self.cursor_price))
        lines.append([self.hands.said(Where(row.venue, row.ticker))])
        return lines

    def _own_said(self, row: LadderRow) -> list[lines_of.Span]:
        """Of our orders at the cursor's price: what is left, and what stands before them; nothing without any."""
        ours = self.selection().rows
        if not (ours and row.bids and row.asks):
            return []
        left = sum((abs(order.amount) - abs(order.filled) for order in ours), ZERO)
        known = [each for each in (self.queue.before(order.cloid) for order in ours) if each is not None]
        before = f", ≤{fmt.number(min(known), row.lot)} before" if known else ""
        return [(f" own {fmt.number(left, row.lot)}{before} ", "own")]

    def _even_line(self, group: Decimal) -> Decimal | None:
        """The line from whose price on the position makes no loss, fees left aside; None without a position."""
        held = (row for row in self.desk.mirror.open_positions() if (row.venue, row.ticker) == self.shown)
        entries = ((row.entry_price, row.amount) for row in held if row.entry_price is not None)
        return next((grid.group_of(entry, group, bid=amount < 0) for entry, amount in entries), None)

    def render_line(self, y: int) -> Strip:
        """One line."""
        inks, width = self.inks, self.size.width
        line = self._lines[y] if y < len(self._lines) else []
        background = inks.row
        if line and line[0][0] == ">":
            background = inks.cursor if self.has_focus else inks.cursor_away
        dull = self._row is not None and self.stale
        segments = [Segment(text, inks.silent if dull else inks[ink]) for text, ink in line]
        return Strip(segments).apply_style(background).adjust_cell_length(width, background)

    @property
    def inks(self) -> Inks:
        """The inks of the present theme."""
        if self._inks is None:
            self._inks = Inks(self.app.theme_variables, colourless=self.app.no_color)
        return self._inks

    def notify_style_update(self) -> None:
        """Called by textual when styles (and with them the theme) change."""
        super().notify_style_update()
        self._inks = None

    def on_resize(self) -> None:
        """Place the prices again, grouped for the new height unless the operator has chosen a group or a price."""
        self._top = None
        if not (self._chosen_group or self._held):
            self.group = self.cursor_price = None
        self._compose_lines()
        self.refresh()

    # ------------------------------------------------------------ keys

    def action_move(self, lines: int) -> None:
        """Move the cursor down (or, negative, up) in price."""
        if self.cursor_price is None or self.group is None or self._top is None:
            return
        self.cursor_price = max(self.group, self.cursor_price - self.group * lines)
        self._held = True
        line = grid.line_of(self._top, self.group, self.cursor_price)
        if line < 0:
            self._top -= self.group * line
        elif line >= self._line_count:
            self._top -= self.group * (line - self._line_count + 1)
        self._compose_lines()

    def on_click(self, event: events.Click) -> None:
        """Move the cursor to the price clicked on. A click never sends."""
        place = event.get_content_offset(self)
        if place is not None and 1 <= place.y <= self._line_count and self._top is not None and self.group is not None:
            self.cursor_price = grid.price_at(self._top, self.group, place.y - 1)
            self._held = True
            self._compose_lines()

    def do_recentre(self) -> None:
        """Centre on the market, and follow it again."""
        self._top = self.cursor_price = None
        self._held = False
        self._compose_lines()

    def do_coarser(self) -> None:
        """Group prices more coarsely."""
        self._regroup(1)

    def do_finer(self) -> None:
        """Group prices more finely."""
        self._regroup(-1)

    def _regroup(self, steps: int) -> None:
        if self._row is None or self.group is None:
            return
        self._chosen_group = True
        self.group = grid.regrouped(self._row.tick, self.group, steps)
        self.do_recentre()

    def do_buy_here(self) -> None:
        """Buy at the cursor's price."""
        self._at_cursor("buy")

    def do_sell_here(self) -> None:
        """Sell at the cursor's price."""
        self._at_cursor("sell")

    def do_join_bid(self) -> None:
        """Buy at the best bid."""
        self._place("buy", "queue1")

    def do_join_offer(self) -> None:
        """Sell at the best offer."""
        self._place("sell", "queue1")

    def _at_cursor(self, side: str) -> None:
        if self.cursor_price is None:
            self.desk.say("no price under the cursor yet", "warning")
        else:
            self._place(side, self.cursor_price)

    def _place(self, side: str, price: Decimal | str) -> None:
        if self.shown is None or self._row is None:
            self.desk.say("no book yet", "warning")
        else:
            self.hands.place(self.shown, self._row, side, price, stale=self.stale)

    def do_cancel_here(self) -> None:
        """Cancel our orders at the cursor's price."""
        for row in self.selection().rows:
            self.desk.send(f"cancel {row.cloid}")

    def do_tick_up(self) -> None:
        """Move our orders at the cursor's price one tick up, and the cursor with them."""
        self._move(1)

    def do_tick_down(self) -> None:
        """Move our orders at the cursor's price one tick down, and the cursor with them."""
        self._move(-1)

    def _move(self, ticks: int) -> None:
        if self._row is None or self.stale:
            self.desk.say("not moved: the book is stale", "warning")
            return
        if self.group is None or self.cursor_price is None:
            return
        after = self.hands.move(self._row, self.selection().rows, ticks, self.group)
        if after is not None:
            self.action_move(int((self.cursor_price - after) / self.group))

    def do_size_more(self) -> None:
        """Make the size larger."""
        self._resize(self.hands.step_size, 1)

    def do_size_less(self) -> None:
        """Make the size smaller."""
        self._resize(self.hands.step_size, -1)

    def do_size_next(self) -> None:
        """Take the next larger preset."""
        self._resize(self.hands.step_preset, 1)

    def do_size_previous(self) -> None:
        """Take the next smaller preset."""
        self._resize(self.hands.step_preset, -1)

    def _resize(self, step: Callable[[Where, int], None], steps: int) -> None:
        if self.shown is not None:
            step(self.shown, steps)
            self._compose_lines()

    def do_size_type(self) -> None:
        """Type the size."""
        where = self.shown
        row = None if where is None else self.desk.mirror.contracts.get(where)
        if where is None or row is None:
            self.desk.say("the contract is not known yet", "warning")
            return

        def typed(size: Decimal | None) -> None:
            if size is not None:
                self.hands.set_size(where, size)
                self._compose_lines()

        self.app.push_screen(SizeDialog(row, self.hands.size(where)), typed)
