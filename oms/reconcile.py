"""Reconciliation: what to do about a snapshot of a venue's open orders, and which questions to ask beside it. Pure.

=========================================  =====================================================================
in the snapshot only                       upsert: it becomes known (external, or ours by its cloid)
in both                                    upsert: the larger evidence wins
in the mirror only, recently active        leave it: news may have crossed the snapshot
in the mirror only, quiet                  query that order; only its own answer changes anything
=========================================  =====================================================================

A second pass over the same snapshot does nothing. Positions are checked against the sum of fills elsewhere
(``positions.drift``); a difference raises an alarm and never changes a hedge target.

Questions cost a venue's rate budget, which orders need more. So one cycle asks at most ``ORDER_QUESTIONS`` about single
orders and ``FILL_QUESTIONS`` about fills; the others are carried to the next cycles, those asked longest ago first,
until each was asked once.
"""

from collections.abc import Iterable, Mapping

import msgspec

from gateways.standards import OrderStatus, OrderUpdate
from oms.orders import Order

QUIET_NS = 2_000_000_000
"""How long an order must have been silent before its absence from a snapshot means anything."""
ORDER_QUESTIONS = 20
"""Single orders of a venue that one cycle asks about at most."""
FILL_QUESTIONS = 10
"""Contracts of a venue whose fills one cycle asks for at most."""
OVERLAP_NS = 60_000_000_000
"""Missed fills are asked for from this long before they were last asked for: the venue's clock may be behind ours, and
its answer may be an old one."""
LATE_NS = 120_000_000_000
"""How long after the last news of its orders a contract's fills are asked for in every cycle: fills may be told late,
after a cancel too."""
IDLE_NS = 600_000_000_000
"""How long the fills of a contract without such orders go unasked."""


ALL = ""
"""In place of a ticker: the contracts of a venue that tells the fills of all of them at once."""


class Plan(msgspec.Struct, frozen=True):
    """What a snapshot asks for: updates to apply to the page, and keys of orders to ask about one by one."""

    upserts: tuple[OrderUpdate, ...]
    queries: tuple[str, ...]


def plan(snapshot: Iterable[OrderUpdate], mirror: Iterable[Order], *, asked_ns: int) -> Plan:
    """Compare a venue's open orders, asked at ``asked_ns``, with our working orders there."""
    reports = tuple(snapshot)
    cloids = {report.cloid for report in reports if report.cloid is not None}
    oids = {(report.ticker, report.oid) for report in reports if report.oid is not None}
    missing = tuple(
        order.key
        for order in mirror
        if (order.status is not OrderStatus.PENDING or order.oid is not None)  # an acknowledgement may say no status
        and order.cloid not in cloids
        and (order.ticker, order.oid) not in oids
        and asked_ns - order.ts_recv_ns >= QUIET_NS
    )
    return Plan(reports, missing)


class Turns:
    """Whose turn it is to be asked about: who was never asked, then who was asked longest ago."""

    def __init__(self) -> None:
        self._asked: dict[str, int] = {}
        """When each was last answered, 0 for not since it is wanted; in the order in which they were asked."""

    def waiting(self, wanted: Iterable[str], began_ns: int | None = None) -> list[str]:
        """Those of ``wanted`` that were not answered since ``began_ns`` (None: all), in their turn.

        Whoever is not wanted any more is forgotten.
        """
        names = dict.fromkeys(wanted)
        self._asked = {name: answered_ns for name, answered_ns in self._asked.items() if name in names}
        turns = [*(name for name in names if name not in self._asked), *self._asked]
        return [name for name in turns if began_ns is None or self._asked.get(name, 0) < began_ns]

    def asked(self, name: str) -> None:
        """Send to the end of the line, answered or not: one that is never answered must not hold up the others."""
        self._asked[name] = self._asked.pop(name, 0)

    def answered(self, name: str, now_ns: int) -> None:
        """Note the answer."""
        self._asked[name] = now_ns


class FillQuestions:
    """Which contracts' fills of one venue to ask for, and from when on.

    ``since_ns``: from when on fills may have been missed before anything was answered. Whatever is left out of a cycle
    is asked for later from where it was last answered, so nothing is left out of time.
    """

    def __init__(self, since_ns: int) -> None:
        self._since_ns = since_ns
        self._answered_ns: dict[str, int] = {}
        self._lost_ns = 0

    def lost_touch(self, now_ns: int) -> None:
        """News may have been missed until now: all contracts are to be asked for."""
        self._lost_ns = now_ns

    def answered(self, ticker: str, asked_ns: int) -> None:
        """Note that a question of ``asked_ns`` was answered in full."""
        self._answered_ns[ticker] = asked_ns

    def since(self, ticker: str) -> int:
        """From when on to ask: not from the last known fill, as one that was missed may be older by any time."""
        return self._answered_ns.get(ticker, self._since_ns) - OVERLAP_NS

    def due(self, heard_ns: Mapping[str, int], now_ns: int) -> list[str]:
        """The contracts to ask for, of those with orders of ours; ``heard_ns`` as ``last_heard`` says."""
        return [ticker for ticker, last_ns in heard_ns.items() if self._is_due(ticker, last_ns, now_ns)]

    def _is_due(self, ticker: str, heard_ns: int, now_ns: int) -> bool:
        answered_ns = self._answered_ns.get(ticker)
        if answered_ns is None or answered_ns < self._lost_ns or now_ns - answered_ns >= IDLE_NS:
            return True
        return answered_ns <= heard_ns + LATE_NS


def last_heard(orders: Iterable[Order], away: Mapping[tuple[str, str], int], venue: str, now_ns: int) -> dict[str, int]:
    """When an order of each contract of a venue last had news; ``now_ns`` where one can still trade.

    ``away`` says so of orders that were put away, by (venue, ticker).
    """
    heard = {ticker: news_ns for (where, ticker), news_ns in away.items() if where == venue}
    for order in orders:
        if order.venue == venue and order.cloid:
            news_ns = now_ns if order.working else order.ts_recv_ns
            heard[order.ticker] = max(heard.get(order.ticker, 0), news_ns)
    return heard
