"""What only OKX does on the paper exchange: amends that change nothing, ids that are taken, parts of a contract."""

from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from gateways.errors import Denied, VenueError
from gateways.standards import AmendOrder
from tests.gateways.on_paper import OnPaper, trading


@pytest.fixture
async def paper() -> AsyncIterator[OnPaper]:
    """OKX on an exchange of its own."""
    async with trading("okx") as made:
        yield made


async def test_an_amend_that_changes_nothing_is_answered(paper: OnPaper) -> None:
    """Asked for the terms that it has, an order stays as it is, and the news of the amend comes all the same."""
    order = paper.order("0.1", await paper.away())
    rested = await paper.venue.place(order)
    same = AmendOrder(ticker=paper.ticker, cloid=order.cloid, oid=rested.oid, amount=order.amount, price=order.price)
    assert (await paper.venue.amend(same)).amount == Decimal("0.1")
    assert (await paper.venue.open_orders())[0].price == order.price


async def test_an_id_is_taken_once(paper: OnPaper) -> None:
    """A second order under the id of one that rests is refused with the venue's code."""
    order = paper.order("0.1", await paper.away())
    await paper.venue.place(order)
    with pytest.raises(VenueError, match="51016"):
        await paper.venue.place(order)


async def test_a_part_of_the_smallest_size_is_denied(paper: OnPaper) -> None:
    """What is no whole number of lots in the venue's contracts does not leave."""
    with pytest.raises(Denied):
        await paper.venue.place(paper.order("0.0005", await paper.away()))
