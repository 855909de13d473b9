"""``arming.confirm_above``: a live desk asks about an order that raises risk and is worth more, whoever places it."""

import pytest

from oms import limits
from oms.risk.verdict import Reason, Unconfirmed
from oms.states import Live
from tests.oms.stub_venue import D, desk, virtual


def live(above):
    return Live(name="main", rules=limits.Arming(confirm_above=None if above is None else D(above)))


@virtual
async def test_an_order_over_it_is_asked_about_and_passes_when_it_is_confirmed():
    """Nothing was sent; the sentence has the worth and the bound; what is equal to the bound passes."""
    async with desk(live=live("100")) as made:
        made.oms.arm("main")
        with pytest.raises(Unconfirmed, match="worth 150: over 100 it is asked about") as asked:
            await made.maker("1.5")
        assert asked.value.breach.reason is Reason.CONFIRM_ABOVE
        assert made.a.asked("place") == []
        maker = await made.maker("1")
        with pytest.raises(Unconfirmed):
            await made.oms.amend_order(maker, amount=D("1.2"))
        await made.oms.amend_order(maker, amount=D("1.2"), confirmed=True)
        await made.oms.amend_order(maker, amount=D("1.1"))
        order = {"exc": "a", "ticker": "X", "amount": "2", "price": "100"}
        with pytest.raises(Unconfirmed):
            await made.oms.limit_order(order)
        assert (await made.oms.limit_order(order, confirmed=True)).working


@virtual
async def test_what_reduces_hedges_and_flattens_is_never_asked_about():
    """The way out is not closed by a question."""
    async with desk(live=live("100")) as made:
        made.a.position["X"] = D(5)
        await made.oms.positions_get("a")
        made.oms.arm("main")
        reduces = {"exc": "a", "ticker": "X", "amount": "-5", "price": "110", "reduce_only": True}
        assert (await made.oms.limit_order(reduces)).working
        maker = await made.oms.hedge_order(
            {"exc": "a", "ticker": "X", "amount": "3", "price": "100"}, {"exc": "b", "ticker": "X"}, confirmed=True
        )
        made.a.trade(maker.key, "3")
        await made.until(lambda: made.book.hedged == D(-3))
        assert (await made.oms.flatten("b", "X")).done


@pytest.mark.parametrize("settings", [{"live": live(None)}, {}], ids=["not set", "paper"])
@virtual
async def test_without_it_nothing_is_asked(settings):
    """None is never; a desk on paper has no such question."""
    async with desk(**settings) as made:
        if settings:
            made.oms.arm("main")
        assert await made.maker("1000")
