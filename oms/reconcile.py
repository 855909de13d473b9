"""Reconciliation: what to do about a snapshot of a venue's open orders. Pure: reports in, actions out.

=========================================  =====================================================================
in the snapshot only                       upsert: it becomes known (external, or ours by its cloid)
in both                                    upsert: the larger evidence wins
in the mirror only, recently active        leave it: news may have crossed the snapshot
in the mirror only, quiet                  query that order; only its own answer changes anything
=========================================  =====================================================================

A second pass over the same snapshot does nothing. Positions are checked against the sum of fills elsewhere
(``positions.drift``); a difference raises an alarm and never changes a hedge target.
"""

from collections.abc import Iterable

import msgspec

from gateways.standards import OrderStatus, OrderUpdate
from oms.orders import Order

QUIET_NS = 2_000_000_000
"""How long an order must have been silent before its absence from a snapshot means anything."""


class Plan(msgspec.Struct, frozen=True):
    """What a snapshot asks for: updates to apply to the page, and keys of orders to ask about one by one."""

    upserts: tuple[OrderUpdate, ...]
    queries: tuple[str, ...]


def plan(snapshot: Iterable[OrderUpdate], mirror: Iterable[Order], *, asked_ns: int) -> Plan:
    """Compare a venue's open orders, asked at ``asked_ns``, with our working orders there."""
    reports = tuple(snapshot)
    cloids = {report.cloid for report in reports if report.cloid is not None}
    oids = {report.oid for report in reports if report.oid is not None}
    missing = tuple(
        order.key
        for order in mirror
        if order.status is not OrderStatus.PENDING
        and order.cloid not in cloids
        and order.oid not in oids
        and asked_ns - order.ts_recv_ns >= QUIET_NS
    )
    return Plan(reports, missing)
