"""What only Bybit does on the paper exchange: it does not say whether an id is taken by the order that was sent."""

import pytest

from gateways.errors import Unknown
from tests.gateways.on_paper import trading


async def test_an_id_that_is_taken_may_be_taken_by_this_order() -> None:
    """An order under that id is there: whether it is this one is not known."""
    async with trading("bybit") as paper:
        order = paper.order("0.1", await paper.away())
        await paper.venue.place(order)
        await paper.venue.cancel_all(paper.ticker)
        with pytest.raises(Unknown):
            await paper.venue.place(order)
