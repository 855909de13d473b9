"""The orders page of a desk that does not grow with its past: finished orders are put away, and come back when named.

Whoever names an order by its key or by a venue order id gets it, whether it was put away or not; it is back in the
kernel, with the makers that it answers, before anything is told of it. So a late fill is the obligation that it would
have been (I4). Lists (``orders``, ``working``) are of the orders in memory.
"""

from collections import defaultdict
from collections.abc import Iterator

from gateways.standards import FillEvent, OrderStatus
from oms.archive import Archive
from oms.finished import Finished, Held, OidTrades, bring_back, take_out, unchanged
from oms.hedge.kernel import Kernel
from oms.oid_evidence import newest_oid
from oms.orders import Order, OrdersPage, Role, _Record

ENDED = (OrderStatus.CANCELLED, OrderStatus.EXPIRED)
FOUND = 20
"""At most so many orders are brought back for one prefix: it names one, or says nothing."""


class OrderStore(OrdersPage):
    """The orders in memory, and behind them those in ``archive``. One writer, as for any orders page."""

    def __init__(self, kernel: Kernel, archive: Archive) -> None:
        super().__init__()
        self._kernel = kernel
        self._archive = archive
        self.upto = 0
        """The journal record up to which the archive's rows count; 0 while nothing was put away."""
        self._back: dict[str, Finished] = {}
        """Orders of ours that have come back, as they were kept: the journal may tell nothing of them since."""
        self._naming: defaultdict[str, set[str]] = defaultdict(set)
        """By maker, the hedge orders that have come back and name it."""

    def begin(self, upto: int) -> None:
        """Go on from a journal whose checkpoint tells up to this record, 0 where none left an order out.

        Raises JournalError.
        """
        self.upto = upto
        self.contracts = self._archive.contracts() if upto else {}

    def ended_since(self, ts_ns: int, most: int) -> list[tuple[int, str]]:
        """When, and which, orders that are put away ended unfilled later than that, the latest first."""
        return self._archive.ended_since(ts_ns, ENDED, self.upto, most) if self.upto else []

    def held(self, key: str) -> Held:
        """An order in memory, with the evidence behind it."""
        order, back = self._records[key].order, self._back.get(key)
        if back is not None and not (order == back.order and unchanged(self._kernel, back)):
            del self._back[key]  # it had news, which the journal has: what was kept says nothing any more
            back = None
        return Held(order, self._trades(key), back)

    def _trades(self, key: str) -> tuple[OidTrades, ...]:
        return tuple([
            OidTrades(oid, each.amount, each.cum, each.traded, each.cost, each.filled, tuple(each.trade_ids))
            for oid, each in self._records[key].oids.items()
        ])  # fmt: skip

    def ended(self) -> Iterator[tuple[int, str] | None]:
        """Of each order in memory, when it last had news and which it is; None where it has not ended.

        Others may be entered while it is asked.
        """
        for key in tuple(self._records):
            record = self._records[key]
            ended = record.order.status.terminal and not record.amending
            yield (record.order.ts_recv_ns, key) if ended else None

    def forget(self, one: Finished) -> None:
        """Let page and kernel forget an order that the archive has.

        It stays where the archive lacks a trade of it, and a maker with a hedge order that has come back and names it.
        """
        order = one.order
        if self._naming.get(order.key) or self._trades(order.key) != one.trades:
            if order.role is not Role.EXTERNAL:
                self._back[order.key] = one
            return
        self._back.pop(order.key, None)
        for claim in one.child.claims if one.child is not None else ():
            self._named_no_more(claim.maker, order.key)
        record = self._records.pop(order.key)
        for oid in record.oids:
            self._by_oid.pop((order.venue, order.ticker, oid), None)
        take_out(self._kernel, one)
        if order.cloid:
            place = order.venue, order.ticker
            self.contracts[place] = max(self.contracts.get(place, 0), order.ts_recv_ns)

    def counted(self, fill: FillEvent) -> bool:
        """Whether an order has that trade already; one that is put away and has it stays where it is.

        Any other is in memory once this returns: where it cannot be brought back nothing has been done with the trade.
        """
        place = fill.venue, fill.ticker, fill.oid
        if not self.upto or place in self._by_oid:
            return super().counted(fill)
        named = self._records.get(fill.cloid) if fill.cloid is not None else None
        if named is not None and (named.order.venue, named.order.ticker) == (fill.venue, fill.ticker):
            return False  # told before its order's id was: there is nothing to look for on disk
        key = self._archive.key_of(*place, self.upto)
        found = self._archive.get(key, self.upto) if key is not None else None
        if found is not None:
            trades = next((each.trade_ids for each in found.trades if each.oid == fill.oid), ())
            if fill.trade_id in trades:
                return True
        if key is None and fill.cloid is not None:
            self.get(fill.cloid)
        return super().counted(fill)

    def find(self, prefix: str) -> list[Order]:
        """The orders whose key starts with ``prefix``."""
        if self.upto:
            for key in self._archive.starting(prefix, self.upto, FOUND):
                self.get(key)
        return super().find(prefix)

    def _missing(self, key: str) -> _Record | None:
        found = self._archive.get(key, self.upto) if self.upto else None
        if found is None:
            return None
        claims = found.child.claims if found.child is not None else []
        for claim in claims:
            self.get(claim.maker)  # where it fails, nothing has come back by half
        for claim in claims:
            self._naming[claim.maker].add(key)
        bring_back(self._kernel, found)
        if found.order.role is not Role.EXTERNAL:
            self._back[key] = found
        record = self._records[key] = _Record(found.order)
        for trades in found.trades:
            record.oids[trades.oid] = trades.evidence()
            self._by_oid[found.order.venue, found.order.ticker, trades.oid] = key
        record.newest = newest_oid(record.oids)
        return record

    def _named_no_more(self, maker: str, hedge: str) -> None:
        naming = self._naming.get(maker)
        if naming is not None:
            naming.discard(hedge)
            if not naming:
                del self._naming[maker]

    def _missing_oid(self, venue: str, ticker: str, oid: str) -> str | None:
        key = self._archive.key_of(venue, ticker, oid, self.upto) if self.upto else None
        return None if key is None or self.get(key) is None else key
