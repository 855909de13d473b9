"""Requests in batches: whatever the batches meet, each request has its own outcome, in its own place."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateways.batches import in_batches, raise_unless_gone
from gateways.errors import Denied, Rejected, Unavailable, Unknown, VenueError
from gateways.standards import RejectReason

GONE = Rejected("v", "no such order", reason=RejectReason.UNKNOWN_ORDER)
ITEMS = st.lists(
    st.tuples(st.sampled_from("XY"), st.sampled_from(["taken", "refused", "denied", "spoils"])), max_size=40
)


class Asked:
    """One request: what it goes together with, and what becomes of it."""

    def __init__(self, place: int, kind: str, fate: str) -> None:
        self.place, self.kind, self.fate = place, kind, fate


def check(asked: Asked) -> None:
    """Refuse what must not leave."""
    if asked.fate == "denied":
        raise Denied("v", str(asked.place))


@given(items=ITEMS, largest=st.integers(1, 7))
def test_outcomes_line_up_with_requests(items: list[tuple[str, str]], largest: int) -> None:
    """Each is told its own fate, a batch's failure every item of it and no other; nothing is sent twice."""
    requests = [Asked(place, kind, fate) for place, (kind, fate) in enumerate(items)]
    sent: list[list[Asked]] = []

    async def several(batch: list[Asked]) -> list[str | VenueError]:
        sent.append(batch)
        await asyncio.sleep(0)
        if any(each.fate == "spoils" for each in batch):
            raise Unknown("v", "no answer")
        return [Rejected("v", str(each.place)) if each.fate == "refused" else f"{each.place}" for each in batch]

    async def one(asked: Asked) -> str:
        (outcome,) = await several([asked])
        if isinstance(outcome, VenueError):
            raise outcome
        return outcome

    async def story() -> list[Any]:
        return await in_batches(
            "v", requests, one, several, largest=largest, check=check, together=lambda each: each.kind
        )

    outcomes = asyncio.run(story())
    spoilt = {each.place for batch in sent if any(one.fate == "spoils" for one in batch) for each in batch}
    for asked, outcome in zip(requests, outcomes, strict=True):
        if asked.fate == "denied":
            assert (type(outcome), outcome.text) == (Denied, str(asked.place))
        elif asked.place in spoilt:
            assert type(outcome) is Unknown
        elif asked.fate == "refused":
            assert (type(outcome), outcome.text) == (Rejected, str(asked.place))
        else:
            assert outcome == str(asked.place)
    left = [each.place for batch in sent for each in batch]
    assert sorted(left) == [each.place for each in requests if each.fate != "denied"]
    assert all(len(batch) <= largest and len({each.kind for each in batch}) == 1 for batch in sent)


async def test_an_answer_for_another_number_of_items_says_nothing_of_any() -> None:
    """What does not line up proves nothing: every item of that batch is unknown."""

    async def one(number: int) -> int:
        return number

    async def several(batch: list[int]) -> list[int]:
        return batch[1:]

    outcomes = await in_batches("v", [1, 2, 3], one, several, largest=2)
    assert [type(each) for each in outcomes] == [Unknown, Unknown, int]


async def test_a_fault_of_ours_costs_its_own_batch_alone() -> None:
    """A batch whose answer broke our reading may have been carried out; the others are told theirs."""

    async def one(number: int) -> int:
        return number

    async def several(batch: list[int]) -> list[int]:
        if 1 in batch:
            raise KeyError("broken")
        return batch

    outcomes = await in_batches("v", [1, 2, 3, 4], one, several, largest=2)
    assert [type(each) for each in outcomes] == [Unknown, Unknown, int, int]


async def test_all_batches_are_under_way_at_once() -> None:
    """One that waits for its answer holds up no other."""
    all_sent, sent = asyncio.Event(), 0

    async def one(number: int) -> int:
        nonlocal sent
        sent += 1
        if sent == 3:
            all_sent.set()
        await all_sent.wait()
        return number

    async with asyncio.timeout(5):
        assert await in_batches("v", [1, 2, 3], one) == [1, 2, 3]


def test_of_cancels_only_an_order_that_is_gone_is_no_error() -> None:
    """Any other failure is raised: the order may still rest."""
    raise_unless_gone([None, GONE])
    with pytest.raises(Unavailable):
        raise_unless_gone([None, GONE, Unavailable("v", "not sent"), Unknown("v", "no answer")])
