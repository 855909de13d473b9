"""The venue's rate limits: what each request draws on, and what the venue says is left of it.

Source: "Rate Limit": 600 HTTP requests in 5 s for an address; for an account so many requests a second of each kind,
which the headers of every answer (and the ``header`` of an order entry reply) state with what is left. A batch draws on
a limit of its own, one unit for each item; items over the limit are refused, each by itself.
"""

from collections.abc import Mapping, Sequence

from gateways.bybit import units
from gateways.standards import AmendOrder, CancelOrder, PlaceOrder
from gateways.transport.budget import Pool

ADDRESS, CREATE, AMEND, CANCEL, CANCEL_ALL, QUERIES = "http", "create", "amend", "cancel", "cancel_all", "queries"
CREATE_BATCH, CANCEL_BATCH = "create_batch", "cancel_batch"

POOLS = (
    Pool(ADDRESS, limit=600, window_s=5.0),
    Pool(CREATE, limit=10, window_s=1.0),
    Pool(AMEND, limit=10, window_s=1.0, reserve=0.0),
    Pool(CANCEL, limit=10, window_s=1.0, reserve=0.0),
    Pool(CANCEL_ALL, limit=10, window_s=1.0, reserve=0.0),
    Pool(CREATE_BATCH, limit=10, window_s=1.0, reserve=0.0),
    Pool(CANCEL_BATCH, limit=10, window_s=1.0, reserve=0.0),
    Pool(QUERIES, limit=50, window_s=1.0),
)
"""The limits of a usual account, until an answer states the account's own. Queries have a limit for each endpoint; one
pool for all of them spends less than the venue allows."""

BANNED_S = 600.0
"""Seconds to send nothing after HTTP 403: the address is banned for ten minutes."""

RATE_PAUSE_S = 1.0
"""Seconds to send nothing after a refusal for rate that names no time: the account's windows are a second long."""

PUBLIC = {ADDRESS: 1}
PRIVATE = {ADDRESS: 1, QUERIES: 1}
ALL_ORDERS = {ADDRESS: 1, CANCEL_ALL: 1}

OrderRequest = PlaceOrder | AmendOrder | CancelOrder

_RESIZED = frozenset({CREATE, AMEND, CANCEL, CANCEL_ALL, CREATE_BATCH, CANCEL_BATCH})


def pool_of(request: OrderRequest) -> str:
    """The account's pool that an order request draws on."""
    match request:
        case PlaceOrder():
            return CREATE
        case AmendOrder():
            return AMEND
        case CancelOrder():
            return CANCEL


def batch_pool_of(requests: Sequence[OrderRequest]) -> str:
    """The account's pool that a batch draws on, a unit for each of its items."""
    return CREATE_BATCH if isinstance(requests[0], PlaceOrder) else CANCEL_BATCH


def stated(pool: str, header: Mapping[str, object]) -> tuple[Pool, int] | None:
    """A pool as the venue states it in an answer's header, and what is used of it; None where it does not say."""
    lower = {name.lower(): value for name, value in header.items()}
    limit, left = (units.whole(lower.get(name)) for name in ("x-bapi-limit", "x-bapi-limit-status"))
    if pool not in _RESIZED or not limit or left is None:
        return None
    known = next(each for each in POOLS if each.name == pool)
    return Pool(pool, limit=limit, window_s=known.window_s, reserve=known.reserve), max(0, limit - left)
