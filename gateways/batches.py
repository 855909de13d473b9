"""Many requests in few messages: how they are put together, and that each has an outcome of its own.

A venue says of each item of a batch what became of it. What fails a batch as a whole is the outcome of every item: a
batch without an answer leaves each of its items ``Unknown``, and nothing is ever sent twice from here.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterable, Sequence
from typing import TypeVar

from gateways.errors import Rejected, Unknown, VenueError
from gateways.standards import RejectReason

Q = TypeVar("Q")
R = TypeVar("R")


def _passes(_: object) -> None:
    """Refuse nothing."""


def _alike(_: object) -> Hashable:
    """Let everything go with everything."""
    return None


async def in_batches(
    venue: str,
    requests: Sequence[Q],
    one: Callable[[Q], Awaitable[R]],
    several: Callable[[list[Q]], Awaitable[Sequence[R | VenueError]]] | None = None,
    *,
    largest: int = 1,
    check: Callable[[Q], object] = _passes,
    together: Callable[[Q], Hashable] = _alike,
) -> list[R | VenueError]:
    """Send ``requests`` at most ``largest`` at a time, all batches at once; return each one's outcome, in their order.

    ``several`` sends one batch and returns an outcome for each item, or raises what is then the outcome of them all;
    ``one`` sends what goes alone. ``check`` raises Denied for a request that must not leave: the others go without it.
    Only those for which ``together`` says the same go in one batch. Never raises a VenueError. If the caller is
    cancelled, what was sent stays sent.
    """
    found: dict[int, R | VenueError] = {}
    groups: dict[Hashable, list[int]] = {}
    for place, request in enumerate(requests):
        try:
            check(request)
        except VenueError as error:
            found[place] = error
        else:
            groups.setdefault(together(request), []).append(place)
    step = max(1, largest) if several is not None else 1
    batches = [places[at : at + step] for places in groups.values() for at in range(0, len(places), step)]
    ended = await asyncio.gather(
        *(_outcomes(venue, [requests[place] for place in places], one, several) for places in batches)
    )
    for places, outcomes in zip(batches, ended, strict=True):
        found.update(zip(places, outcomes, strict=True))
    return [found[place] for place in range(len(requests))]


async def _outcomes(
    venue: str,
    batch: list[Q],
    one: Callable[[Q], Awaitable[R]],
    several: Callable[[list[Q]], Awaitable[Sequence[R | VenueError]]] | None,
) -> Sequence[R | VenueError]:
    try:
        outcomes = [await one(batch[0])] if several is None or len(batch) == 1 else await several(batch)
    except VenueError as error:
        return [error] * len(batch)
    except Exception as error:  # noqa: BLE001 - a fault of ours: it may well have left, and costs no other batch its outcome
        return [Unknown(venue, f"what became of a batch of {len(batch)} is not known: {error!r}")] * len(batch)
    if len(outcomes) != len(batch):
        return [Unknown(venue, f"sent, but a batch of {len(batch)} was answered for {len(outcomes)}")] * len(batch)
    return outcomes


def raise_unless_gone(outcomes: Iterable[object]) -> None:
    """Raise the first of the outcomes of cancels that is an error; an order that is not open any more is none."""
    for outcome in outcomes:
        gone = isinstance(outcome, Rejected) and outcome.reason is RejectReason.UNKNOWN_ORDER
        if isinstance(outcome, VenueError) and not gone:
            raise outcome
