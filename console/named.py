"""What commands name, found on an OMS: orders by the start of their id, contracts, hedge books, positions."""

from decimal import Decimal

from console import commands as c
from gateways.errors import Denied
from oms.checks import find_contract, find_venue
from oms.hedge.acts import check_absent, check_forfeit
from oms.hedge.state import HedgeBook
from oms.orders import Order, Role
from oms.system import OMS

_A_ROLE = {Role.MAKER: "a maker", Role.MANUAL: "a manual order", Role.FLATTEN: "a flatten", Role.EXTERNAL: "not ours"}


class Named:
    """What the names in a command stand for on ``oms``. Must be used on the engine's loop."""

    def __init__(self, oms: OMS) -> None:
        self.oms = oms

    def names(self, command: c.Place) -> None:
        """Refuse a venue or ticker that is not there, naming the nearest and the leg. Raises Denied."""
        find_contract(self.oms.contracts, command.venue, command.ticker)
        for number, leg in enumerate(command.legs, 1):
            find_contract(self.oms.contracts, leg.venue, leg.ticker, prefix=f"leg {number} ")

    def one(self, prefix: str) -> Order:
        """The order whose id starts so. Raises Denied for none, or several."""
        found = self.oms.page.find(prefix)
        if not found:
            raise Denied("order", f"no order starts with {prefix!r}", field="cloid")
        if len(found) > 1:
            raise Denied("order", f"{len(found)} orders start with {prefix!r}: give more digits", field="cloid")
        return found[0]

    def matching(self, command: c.Cancel) -> list[Order]:
        """The working makers that a cancel of a set takes."""
        self.check_names(command.venue, command.ticker)
        return [
            order
            for order in self.oms.makers_working()
            if command.venue in {None, order.venue}
            and command.ticker in {None, order.ticker}
            and command.side in {None, order.side}
        ]

    async def to_flatten(self, command: c.Flatten) -> list[tuple[str, str]]:
        """The venue and ticker of each position that a flatten takes."""
        self.check_names(command.venue, command.ticker)
        if command.venue is not None and command.ticker is not None:
            return [(command.venue, command.ticker)]
        venues = [command.venue] if command.venue else list(self.oms.gateway.venues)
        return [(exc, row.ticker) for exc in venues for row in await self.oms.positions_get(exc) if row.amount != 0]

    def check_names(self, venue: str | None, ticker: str | None) -> None:
        """Refuse a venue or ticker that is not there, naming the nearest. Raises Denied."""
        if venue is not None and ticker is not None:
            find_contract(self.oms.contracts, venue, ticker)
        elif venue is not None:
            find_venue(self.oms.contracts, venue)

    def book(self, command: c.BookAct) -> HedgeBook:
        """The hedge book of a command. Raises Denied where nothing was hedged there."""
        self.check_names(command.venue, command.ticker)
        book = self.oms.kernel.books.get((command.venue, command.ticker))
        if book is None:
            text = f"{command.venue}:{command.ticker} is no hedge book: no maker has been hedged there"
            raise Denied(command.venue, text, field="ticker")
        return book

    def to_forfeit(self, command: c.Forfeit) -> Decimal:
        """What is to be written off. Raises Denied where nothing waits, ValueError for more than waits."""
        book = self.book(command)
        if book.balance == 0:
            raise Denied(command.venue, f"{book.venue}:{book.ticker} has nothing to forfeit: its balance is 0")
        check_forfeit(book, command.amount)
        return book.balance if command.amount is None else command.amount

    def unknown_hedge(self, prefix: str) -> Order:
        """The hedge order of unknown outcome whose id starts so. Raises Denied, ValueError."""
        order = self.one(prefix)
        if order.role is not Role.HEDGE:
            text = (
                f"order {order.key[:8]} is {_A_ROLE[order.role]}: only an unknown hedge order can be taken as not sent"
            )
            raise Denied(order.venue, text, field="cloid")
        check_absent(order.key, self.oms.kernel.children.get(order.key))
        return order


def waiting(book: HedgeBook) -> str:
    """What waits in a book, and why, in words."""
    if book.balance == 0:
        return "nothing waits"
    return f"{book.balance:f} waits{', ' if book.waits else ''}{book.waits}"
