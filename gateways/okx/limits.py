"""The venue's rate limits: which pool each request spends from.

Source: the "Rate Limit" line on each endpoint's page. Order limits are for each user and contract; here all contracts
share one, which is stricter. Websocket and HTTP requests of a kind count together. A batch counts each of its items, in
a limit of its own; one of a single item counts as the single request does.
"""

from collections.abc import Mapping, Sequence

from gateways.standards import (
    AmendOrder,
    CancelAll,
    CancelOrder,
    DeadMansSwitch,
    PlaceOrder,
    QueryBalances,
    QueryBook,
    QueryContracts,
    QueryFills,
    QueryOpenOrders,
    QueryOrder,
    QueryPositions,
    Request,
)
from gateways.transport.budget import Pool

PLACE, AMEND, CANCEL, SWITCH = "place", "amend", "cancel", "switch"
PLACE_BATCH, CANCEL_BATCH = "place_batch", "cancel_batch"
ORDER, OPEN_ORDERS, FILLS, FILLS_ARCHIVE = "order", "open_orders", "fills", "fills_archive"
POSITIONS, BALANCES, CONFIG = "positions", "balances", "config"
CONTRACTS, BOOK, QUOTE, CLOCK = "contracts", "book", "quote", "clock"


def _query_pool(name: str, limit: int, window_s: float = 2.0) -> Pool:
    # Nothing urgent spends from it, so that nothing of it is kept back.
    return Pool(name, limit=limit, window_s=window_s, reserve=0.0)


POOLS = (
    Pool(PLACE, limit=60, window_s=2.0),
    _query_pool(AMEND, 60),
    _query_pool(CANCEL, 60),
    _query_pool(PLACE_BATCH, 300),
    _query_pool(CANCEL_BATCH, 300),
    _query_pool(SWITCH, 1, 1.0),
    _query_pool(ORDER, 60),
    _query_pool(OPEN_ORDERS, 60),
    _query_pool(FILLS, 60),
    _query_pool(FILLS_ARCHIVE, 10),
    _query_pool(POSITIONS, 10),
    _query_pool(BALANCES, 10),
    _query_pool(CONFIG, 5),
    _query_pool(CONTRACTS, 20),
    _query_pool(BOOK, 40),
    _query_pool(QUOTE, 20),
    _query_pool(CLOCK, 10),
)
"""The limits of a usual account."""

BACK_OFF_S = 2.0
"""Seconds to send nothing of a kind after a refusal for rate: the window; the venue does not name a time."""

ORDERS = (PLACE, PLACE_BATCH, AMEND)
"""The pools that the account's limit on orders and amends together is over."""

_POOL_OF: Mapping[type, str] = {
    PlaceOrder: PLACE,
    AmendOrder: AMEND,
    CancelOrder: CANCEL,
    CancelAll: CANCEL_BATCH,
    DeadMansSwitch: SWITCH,
    QueryOrder: ORDER,
    QueryOpenOrders: OPEN_ORDERS,
    QueryFills: FILLS,
    QueryPositions: POSITIONS,
    QueryBalances: BALANCES,
    QueryContracts: CONTRACTS,
    QueryBook: BOOK,
}


def costs_of(request: Request) -> Mapping[str, int]:
    """What a standard request costs, pool name to units."""
    return {_POOL_OF[type(request)]: 1}


def costs_of_batch(requests: Sequence[PlaceOrder] | Sequence[CancelOrder]) -> Mapping[str, int]:
    """What several orders, or several cancels, in one request cost."""
    return {PLACE_BATCH if isinstance(requests[0], PlaceOrder) else CANCEL_BATCH: len(requests)}
