"""The ladder's hands: sizes by key, orders at a price, our own orders moved by a tick. Says when a ticket must ask."""

from collections.abc import Iterable
from decimal import Decimal

from console import fmt
from console.link import ContractRow, LadderRow, OrderRow
from console.panes.ladder_grid import group_of
from console.panes.pane import Desk, Where
from console.ticket.draft import Draft
from gateways.contracts import ceil_to_step, floor_to_step
from gateways.standards import ZERO

SAME_WITHIN_NS = 10_000_000_000
"""The same order again within so long is asked about: a key that repeats itself must not fill a book."""
MOVING_NS = 2_000_000_000
"""For so long an order that was moved is not moved again, unless its new price is seen before."""

_ROUND = (Decimal(1), Decimal(2), Decimal(5))
_MULTIPLES = tuple(step * Decimal(10) ** power for power in range(4) for step in _ROUND)


def unit(row: ContractRow) -> Decimal:
    """The step of the size keys: the smallest round quantity (1, 2 or 5 times a power of ten) that the venue takes."""
    price = row.bid or row.ask
    least = max(row.lot, row.min_quantity, row.min_notional / price if price else ZERO)
    power = Decimal(10) ** least.adjusted()
    return ceil_to_step(next(step * power for step in (*_ROUND, Decimal(10)) if step * power >= least), row.lot)


def preset(size: Decimal, step: Decimal, steps: int) -> Decimal:
    """The size one or more presets (none, then 1, 2, 5, 10, 20 .. units) from ``size``, within what is offered."""
    offered = [ZERO, *(step * each for each in _MULTIPLES)]
    over = [each for each in offered if each > size]
    under = [each for each in offered if each < size]
    if steps > 0:
        return over[min(steps, len(over)) - 1] if over else size
    return under[max(steps, -len(under))] if under else size


def crosses(row: LadderRow, *, buying: bool, price: Decimal) -> bool:
    """Whether an order at ``price`` would meet the other side of the book."""
    if buying:
        return bool(row.asks) and price >= row.asks[0][0]
    return bool(row.bids) and price <= row.bids[0][0]


def at_line(orders: Iterable[OrderRow], price: Decimal, group: Decimal) -> list[OrderRow]:
    """Our makers and manual orders that stand on the ladder's line of ``price``."""
    return [
        row
        for row in orders
        if row.role in {"maker", "manual"} and row.price is not None
        and group_of(row.price, group, bid=row.amount > 0) == price
    ]  # fmt: skip


class LadderHands:
    """What the keys of the ladder do. Sizes are kept by contract, in base units; zero for none: a ticket asks."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.size_once = False
        """Whether a size goes back to none once it was sent."""
        self._sizes: dict[Where, Decimal] = {}
        self._sent: dict[str, int] = {}
        self._moved: dict[str, tuple[Decimal, int]] = {}

    # ------------------------------------------------------------ the size

    def size(self, where: Where) -> Decimal:
        """What one key buys or sells."""
        return self._sizes.get(where, ZERO)

    def set_size(self, where: Where, size: Decimal) -> None:
        """Take a size, cut to the lot."""
        row = self.desk.mirror.contracts.get(where)
        self._sizes[where] = max(ZERO, floor_to_step(size, row.lot) if row is not None else size)

    def step_size(self, where: Where, steps: int) -> None:
        """More or less by some units."""
        row = self.desk.mirror.contracts.get(where)
        if row is not None:
            self.set_size(where, self.size(where) + steps * unit(row))

    def step_preset(self, where: Where, steps: int) -> None:
        """To the next or an earlier preset."""
        row = self.desk.mirror.contracts.get(where)
        if row is not None:
            self.set_size(where, preset(self.size(where), unit(row), steps))

    def said(self, where: Where) -> tuple[str, str]:
        """What ``b`` and ``s`` do just now, and its ink."""
        mirror, size = self.desk.mirror, self.size(where)
        row = mirror.contracts.get(where)
        base = "" if row is None else f" {row.base}"
        if not size:
            return " no size (= ] #): b s open a ticket", "faint"
        text = f" {fmt.number(size)}{base}"
        if self._must_ask():
            return f"{text}: b s open a ticket, {self._must_ask()}", "muted"
        legs = self.desk.filled(Draft(contract=str(where))).legs
        hedges = ", ".join(f"{leg.contract} {leg.policy}" for leg in legs if leg.contract)
        return (
            (f"{text} b s SEND → {hedges}", "bold warn") if hedges else (f"{text}: a ticket asks for a hedge", "muted")
        )

    # ------------------------------------------------------------ orders

    def place(self, where: Where, book: LadderRow, side: str, price: Decimal | str, *, stale: bool) -> None:
        """Send a post-only order of the size at a price, or by a rule; open the ticket where it must be asked about."""
        size, now_ns = self.size(where), self.desk.mirror.now_ns
        written = price if isinstance(price, str) else fmt.number(price, book.tick)
        draft = self.desk.filled(
            Draft(side=side, amount=fmt.number(size) if size else "", contract=str(where), price=written, post=True)
        )
        line = draft.line()
        why = self._must_ask()
        if stale:
            why = "the book is stale"
        elif isinstance(price, Decimal) and crosses(book, buying=side == "buy", price=price):
            why = "it would cross the spread"
        elif now_ns - self._sent.get(line, -SAME_WITHIN_NS) < SAME_WITHIN_NS:
            why = f"the same was sent {fmt.age(now_ns, self._sent[line])} ago"
        elif not any(leg.contract for leg in draft.legs):
            why = why or "it has no hedge"
        if not size or why:
            if size:
                self.desk.say(f"not sent: {why}; the ticket asks", "warning")
            self.desk.open_ticket(draft)
            return
        self._sent = {each: ns for each, ns in self._sent.items() if now_ns - ns < SAME_WITHIN_NS}
        self._sent[line] = now_ns
        self.desk.send(line)
        if self.size_once:
            self._sizes.pop(where, None)

    def move(self, book: LadderRow, orders: Iterable[OrderRow], steps: int, group: Decimal) -> Decimal | None:
        """Amend orders of ours by ticks (up when positive); in SAFE it is written on the command line instead.

        Returns the line, of those of ``group``, on which the last one will stand; None where nothing was sent.
        """
        line_after = None
        now_ns = self.desk.mirror.now_ns
        for row in orders:
            if row.price is None or row.terminal:
                continue
            price = row.price + steps * book.tick
            before, since_ns = self._moved.get(row.cloid, (ZERO, 0))
            line = f"amend {row.cloid} @ {fmt.number(price, book.tick)}"
            if price <= 0 or crosses(book, buying=row.amount > 0, price=price):
                self.desk.say(f"not moved: at {fmt.number(price, book.tick)} it would cross the spread", "warning")
            elif before == row.price and now_ns - since_ns < MOVING_NS:
                self.desk.say(f"{fmt.short_id(row.cloid)} is still being moved", "warning")
            elif self._must_ask():
                self.desk.open_command_line(line)
                return None
            else:
                self._moved[row.cloid] = row.price, now_ns
                self.desk.send(line)
                line_after = group_of(price, group, bid=row.amount > 0)
        return line_after

    def _must_ask(self) -> str:
        """Why keys send nothing by themselves, empty where they do."""
        header = self.desk.mirror.header
        if header is None:
            return "the engine has not been heard yet"
        return "" if header.arming in {"PAPER", "ARMED"} else f"the desk is {header.arming}"
