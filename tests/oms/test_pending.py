"""PENDING is an order whose answer somebody waits for: none is left so, in flight and asked about by nobody."""

import asyncio

import msgspec
import pytest

from gateways.standards import OrderStatus
from oms.hedge.policy import How
from tests.oms.stub_venue import D, desk, virtual

S = OrderStatus
LEG = {"exc": "b", "ticker": "X", "how": How.IOC, "slippage_bps": D(5)}


def acknowledged(venue, filled):
    """Let a hedge be taken, and fill this much, with an answer that names its id alone and not a word after it."""

    async def place(order):
        said = venue.accept(order, filled=filled)
        return msgspec.structs.replace(said, status=None, filled=None, amount=None)

    return place


@pytest.mark.parametrize("filled", ["0", "-0.1", "-0.4"])
@virtual
async def test_an_acknowledged_hedge_that_nothing_more_is_said_of_is_asked_about(filled):
    """Its answer said no status and its messages were lost: what it filled counts, the rest goes out anew."""
    async with desk(refresh_orders_snapshot=5.0) as made:
        maker = await made.maker("1", legs=LEG)
        made.b.script["hedge"].append(acknowledged(made.b, filled))
        made.a.trade(maker, "0.4")
        await made.until(lambda: len(made.hedges()) == 1)
        while made.book.hedged != D("-0.4"):
            made.b.quote("100")  # a limit hedge needs a fresh price
            await asyncio.sleep(1)
            assert made.loop.time() < 60, made.book
        assert made.b.position["X"] == D("-0.4")
        assert not any(order.status is S.PENDING for order in made.oms.page.working())


@virtual
async def test_a_hedge_whose_way_could_not_be_cleared_is_not_left_in_flight():
    """Something of ours breaks between the intent and the request: it is unknown, resolved, and sent anew."""
    async with desk() as made:
        other = await made.oms.limit_order({"exc": "b", "ticker": "X", "amount": "1", "price": "99.9"})
        maker = await made.maker("1")
        usual = made.oms.entry.cancel

        async def broken(order):
            if order.key == other.key and not broken.done:
                broken.done = True
                raise RuntimeError("broken")
            return await usual(order)

        broken.done = False
        made.oms.entry.cancel = broken
        made.a.trade(maker, "0.4")
        await made.until(lambda: made.book.unknown == D("-0.4"))
        await made.until(lambda: made.book.hedged == D("-0.4"))
        assert made.hedges() == [D("-0.4")]
        assert any("broken" in one.text for one in made.alerts)


@virtual
async def test_a_book_without_a_journal_says_so():
    """The HOLD's reason is what happened: not that the venue does not trade."""
    async with desk() as made:
        maker = await made.maker("1")
        made.journal._failed = "no space left"
        made.a.trade(maker, "0.4")
        await made.until(lambda: made.book.hold)
        assert made.book.hold == "the journal cannot be written"
        assert (made.hedges(), made.book.balance) == ([], D("-0.4"))


@virtual
async def test_a_fault_in_looking_for_own_orders_keeps_no_hedge_from_leaving():
    """Every leg's hedge goes out, once, and the operator is told of the fault."""
    async with desk() as made:

        def broken(_venue, _ticker):
            raise RuntimeError("broken")

        maker = await made.maker("1")
        made.oms.page.working_in = broken
        made.a.trade(maker, "0.4")
        await made.until(lambda: made.book.hedged == D("-0.4"))
        assert made.hedges() == [D("-0.4")]
        assert any("unlooked at" in one.text for one in made.alerts)
