"""Orders that carry an id of this desk and that its journal does not know: lost with the power, or with a file.

Nothing says which legs such a maker had, or for whom such a hedge went out. So an open one is cancelled, and what one
has filled is told of; the book of such a hedge is put on HOLD before it can answer the same fill a second time.
"""

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING

from gateways.errors import VenueError
from gateways.standards import ZERO, FillEvent
from oms import cloid
from oms.cloid import Cloid, CloidKind
from oms.orders import Role

if TYPE_CHECKING:
    from oms.system import OMS

UNNAMED = 20
"""Where a venue's fills name no client order id, at most so many orders are asked for theirs, the latest."""


async def cancel_open(oms: "OMS") -> None:
    """Cancel the open ones: nothing would hedge them."""
    strangers = [
        order
        for order in oms.page.working()
        if order.role is Role.EXTERNAL and _ours(oms, order.cloid) is not None
    ]  # fmt: skip
    for order in strangers:
        text = f"order {order.key[:8]} on {order.venue} is of this desk but not in its journal: it is cancelled"
        oms.alert(order.venue, order.ticker, text, "error")
    await oms.cancel_orders(strangers)


async def look_at_fills(oms: "OMS", venue: str, fills: Iterable[FillEvent]) -> None:
    """Tell of the fills, asked fresh, of such orders; a book whose hedge is among them is put on HOLD."""
    unknown = [fill for fill in fills if not _known(oms, fill)]
    names = await _names(oms, venue, [fill for fill in unknown if fill.cloid is None])
    filled: defaultdict[tuple[str, Cloid], Decimal] = defaultdict(lambda: ZERO)
    for fill in unknown:
        named = _ours(oms, fill.cloid or names.get((fill.ticker, fill.oid)))
        if named is not None and not _known(oms, fill):
            filled[fill.ticker, named] += fill.amount
    for (ticker, named), amount in filled.items():
        _tell(oms, venue, ticker, named, amount)


def _tell(oms: "OMS", venue: str, ticker: str, named: Cloid, amount: Decimal) -> None:
    what = f"{named.kind.name.lower()} {named.text[:8]} filled {amount:f} of {venue}:{ticker}"
    text = f"{what} and is not in this desk's journal"
    if named.kind is CloidKind.HEDGE and (venue, ticker) in oms.kernel.books:
        oms.hedge.hold(venue, ticker, f"{text}: forfeit what it has answered, then resume")
    else:
        oms.alert(venue, ticker, f"{text}: nothing answers it, look at the position", "error", named.text)


async def _names(oms: "OMS", venue: str, fills: list[FillEvent]) -> dict[tuple[str, str], str | None]:
    """The client order ids of fills that do not say theirs, by ticker and order id; the page learns of the orders."""
    orders = dict.fromkeys((fill.ticker, fill.oid) for fill in fills)
    names: dict[tuple[str, str], str | None] = {}
    for ticker, oid in list(orders)[-UNNAMED:]:
        try:
            order = await oms.gateway.venue(venue).order(ticker, oid=oid)
        except VenueError as error:
            oms.alert(venue, ticker, f"whose order {oid} of {venue}:{ticker} was cannot be asked: {error.text}")
            continue
        oms.take(order, oms.clock.now_ns())
        names[ticker, oid] = order.cloid
    return names


def _known(oms: "OMS", fill: FillEvent) -> bool:
    order = oms.page.get(fill.cloid) if fill.cloid is not None else oms.page.by_oid(fill.venue, fill.ticker, fill.oid)
    return order is not None and (order.role is not Role.EXTERNAL or _ours(oms, order.cloid) is None)


def _ours(oms: "OMS", text: str | None) -> Cloid | None:
    named = cloid.parse(text)
    return named if named is not None and named.desk == oms.cloids.desk else None
