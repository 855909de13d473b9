"""Bugs that were found, each as a story that must not come back. On virtual time, against a venue written by hand."""

import asyncio
from decimal import Decimal

import msgspec
import pytest

from gateways.errors import Denied, Rejected, Unavailable, Unknown
from gateways.standards import OrderStatus, RejectReason
from oms.hedge.policy import How, Rung
from oms.hedge.state import ChildState
from oms.journal import MemoryJournal
from tests.oms.stub_venue import Desk, desk, virtual

D = Decimal
S = OrderStatus
NO_SUCH_ORDER = Rejected("b", "unknown order", reason=RejectReason.UNKNOWN_ORDER)


# ------------------------------------------------------------------ restarts


@virtual
async def test_an_act_that_was_refused_does_not_keep_the_desk_from_starting_again():
    """What the kernel refused live is refused in a replay as well, and changes nothing either time."""
    async with desk() as first:
        await first.maker()
        with pytest.raises(ValueError, match="unknown"):
            first.oms.hedge.assume_absent("never", "a typing mistake")
        with pytest.raises(ValueError, match="round up"):
            first.oms.hedge.round_up("b", "X", "a typing mistake")
        with pytest.raises(ValueError, match="forfeited"):
            first.oms.hedge.forfeit("b", "X", "a typing mistake", D(5))
    async with desk(journal=MemoryJournal(first.loop, first.journal.image), venues=first.venues) as second:
        assert second.oms.trading == "ACTIVE"
        assert second.book.balance == 0


@virtual
async def test_a_round_up_is_replayed_as_the_one_order_that_it_was():
    """The order of a round-up is in the journal as an intent; replaying the act sends no second one."""
    async with desk() as first:
        maker = await first.maker(legs={"exc": "b", "ticker": "X", "ratio": "0.0005"})
        first.a.trade(maker, "1")
        assert first.book.balance == D("-0.0005")
        first.oms.hedge.round_up("b", "X", "by hand")
        await first.until(lambda: not first.book.open_children)
        assert first.hedges() == [D("-0.001")]
    async with desk(journal=MemoryJournal(first.loop, first.journal.image), venues=first.venues) as second:
        assert second.book.hedged == D("-0.001")
        assert second.book.balance == D("0.0005")
        assert len(second.oms.kernel.children) == 1


@virtual
async def test_a_hedge_taken_as_not_sent_after_a_restart_stays_so_after_the_next():
    """The doubt that a restart raises is journaled, so that the operator's word on it can be replayed."""
    async with desk() as first:
        maker = await first.maker()

        async def lost(_):
            await asyncio.sleep(600)

        first.b.script["hedge"].append(lost)
        first.a.trade(maker, "1")
        await first.until(lambda: first.b.asked("hedge"))
        image = first.journal.image  # the process dies here
    venues = first.venues
    venues["b"].script["order"].extend([Unavailable("b", "down")] * 40)
    made = Desk(first.loop, journal=MemoryJournal(first.loop, image), venues=venues)
    starting = asyncio.create_task(made.oms.init())
    await made.until(lambda: made.oms.kernel.books and made.book.unknown != 0)
    (child,) = made.book.open_children.values()
    made.oms.hedge.assume_absent(child.cloid, "looked at the venue's own page")
    starting.cancel()
    await asyncio.gather(starting, return_exceptions=True)
    image = made.journal.image
    await made.oms.cleanup()
    async with desk(journal=MemoryJournal(first.loop, image), venues=venues) as third:
        assert third.oms.kernel.children[child.cloid].state is ChildState.DONE


# ------------------------------------------------------------------ what the operator stopped stays stopped


@virtual
async def test_an_order_that_waits_for_its_prices_is_not_sent_after_a_panic():
    """Placing waits for a first book; what the desk allows is looked at again before anything is sent."""
    async with desk() as made:

        async def slow(_):
            await asyncio.sleep(1)

        made.b.script["subscribe"].append(slow)
        placing = asyncio.create_task(made.maker())
        await made.until(lambda: made.b.asked("subscribe"))
        await made.oms.panic()
        with pytest.raises(Denied, match="HEDGE-ONLY"):
            await placing
        assert made.a.asked("place") == []


@virtual
async def test_a_maker_whose_hedges_would_not_go_out_is_refused():
    """A book on HOLD, paused or over its cap takes no new makers: their fills would wait unhedged."""
    async with desk() as made:
        await made.maker()
        made.oms.hedge.hold("b", "X", "no margin")
        with pytest.raises(Denied, match="HOLD"):
            await made.maker()
        made.oms.hedge.resume("b", "X")
        made.oms.hedge.pause("b", "X", "by the operator")
        with pytest.raises(Denied, match="paused"):
            await made.maker()
        made.oms.hedge.resume("b", "X")
        made.book.capped = True
        with pytest.raises(Denied, match="unhedged"):
            await made.maker()
        made.book.capped = False
        assert await made.maker()


@virtual
async def test_a_desk_that_takes_no_makers_lets_none_be_enlarged_or_moved():
    """To amend is to place anew: HEDGE-ONLY allows it only to make an order smaller."""
    async with desk() as made:
        key = await made.maker("1", "99")
        made.oms.disarm()
        with pytest.raises(Denied, match="HEDGE-ONLY"):
            await made.oms.amend_order(key, amount=D(2))
        with pytest.raises(Denied, match="HEDGE-ONLY"):
            await made.oms.amend_order(key, price=D("99.5"))
        assert (await made.oms.amend_order(key, amount=D("0.5"))).amount == D("0.5")


@virtual
async def test_a_panic_cancels_though_the_journal_cannot_be_written():
    """Nothing stands between the panic key and the cancels."""
    async with desk() as made:
        key = await made.maker()
        made.journal.fail("disk full")
        await made.oms.panic()
        assert made.a.held[key].status is S.CANCELLED
        assert made.oms.trading == "HALTED"


@virtual
async def test_a_desk_with_a_broken_journal_cannot_be_activated():
    """What could not be recovered must not be traded."""
    async with desk() as made:
        made.oms.halt("the journal cannot be written")
        with pytest.raises(Denied, match="HALTED"):
            made.oms.activate()
        made.oms.disarm()
        assert made.oms.trading == "HALTED"


@virtual
async def test_a_maker_that_could_not_be_cancelled_is_tried_again_until_it_is_gone():
    """A cancel that failed in a panic is not forgotten: the order would rest with nobody watching."""
    async with desk() as made:
        key = await made.maker()
        made.a.script["cancel"].extend([Unavailable("a", "down"), Unknown("a", "no answer")])
        assert await made.oms.panic() == 0
        await made.until(lambda: made.a.held[key].status is S.CANCELLED)


@virtual
async def test_a_maker_accepted_after_its_cancel_was_refused_is_cancelled():
    """A panic reaches an order that the venue takes late: its first cancel found no such order."""
    async with desk() as made:

        async def late(order):
            async def accept():
                await asyncio.sleep(3)
                made.a.accept(order)

            made.later = asyncio.create_task(accept())
            raise Unknown("a", "cut")

        made.a.script["place"].append(late)
        with pytest.raises(Unknown):
            await made.maker()
        await made.oms.panic()
        assert made.a.held == {}
        await made.until(lambda: made.a.held and next(iter(made.a.held.values())).status is S.CANCELLED)


# ------------------------------------------------------------------ nothing that raises may lose a hedge


@virtual
async def test_an_event_that_cannot_be_taken_costs_neither_the_next_one_nor_the_stream():
    """The sink never raises; the operator is told, the venue is reconciled, what came with it is taken."""
    async with desk() as made:
        maker = await made.maker()
        fill = made.a.trade(maker, "1", tell=())
        upsert, broken = made.oms.page.upsert, [True]

        def breaking(update, now_ns):
            if broken:
                broken.clear()
                raise ArithmeticError("a bug")
            return upsert(update, now_ns)

        made.oms.page.upsert = breaking
        made.a.send(made.a.say(made.a.held[maker]), fill)
        assert made.book.target == D(-1)
        await made.until(lambda: any("a bug" in alert.text for alert in made.alerts))
        await made.until(lambda: made.book.hedged == D(-1))


@virtual
async def test_a_reconciliation_that_breaks_does_not_end_reconciling():
    """A bug in one turn is an alert; the next turn comes."""
    async with desk(refresh_orders_snapshot=5.0) as made:
        maker = await made.maker()

        async def broken(_):
            raise ArithmeticError("a bug")

        made.a.script["open_orders"].append(broken)
        await made.until(lambda: any("a bug" in alert.text for alert in made.alerts))
        made.a.trade(maker, "1", tell=())
        await made.until(lambda: made.book.hedged == D(-1))


@virtual
@pytest.mark.parametrize("where", ["hedge", "cancel"])
async def test_a_bug_while_sending_leaves_the_hedge_unknown_and_it_is_resolved(where):
    """Whatever is raised around the sending of a hedge, it counts in full, is asked about, and is hedged once."""
    async with desk() as made:
        maker = await made.maker()
        await made.oms.limit_order({"exc": "b", "ticker": "X", "amount": "1", "price": "99"})  # in the hedge's way

        async def broken(_):
            raise ArithmeticError("a bug")

        made.b.script[where].append(broken)
        made.a.trade(maker, "1")
        await made.until(lambda: made.book.hedged == D(-1))
        await made.until(lambda: made.oms.idle)
        assert made.book.balance == 0
        assert made.b.position["X"] == D(-1)


@virtual
async def test_a_ladder_whose_cancel_failed_goes_on_to_its_next_rung():
    """A joined hedge that could not be cancelled is cancelled later: until then it counts as in flight."""
    ladder = (Rung(how=How.JOIN, for_ms=1000), Rung())
    async with desk() as made:
        maker = await made.maker(legs={"exc": "b", "ticker": "X", "rungs": ladder})
        made.b.script["cancel"].extend([Unavailable("b", "down")] * 3)
        made.a.trade(maker, "1")
        await made.until(lambda: made.book.hedged == D(-1))
        assert made.hedges() == [D(-1), D(-1)]


@virtual
async def test_public_data_that_could_not_be_opened_is_opened_later():
    """A contract whose first subscription failed is not taken for watched: its hedges would never see a price."""
    async with desk() as made:
        made.b.script["subscribe"].append(Unavailable("b", "down"))
        with pytest.raises(Unavailable):
            await made.maker()
        assert await made.maker()
        assert made.b.subscribed == ["X"]
        made.a.script["subscribe"].append(Unavailable("a", "down"))
        made.a.subscribed.clear()
        made.oms.supervisor.watch_soon("a", "Y")
        await made.until(lambda: made.a.subscribed == ["Y"])


# ------------------------------------------------------------------ evidence


@virtual
async def test_a_fill_lost_before_a_newer_one_is_found():
    """Missed fills are asked for from the last time that all were known, not from the newest fill."""
    async with desk() as made:
        maker = await made.maker("3")
        await asyncio.sleep(31)
        made.a.trade(maker, "1", tell=())
        await asyncio.sleep(15)
        made.a.trade(maker, "1", tell=("fill",))
        missed = made.a.fills[0]
        await made.until(lambda: made.oms.fills.peek("a", "X", missed.oid, missed.trade_id) is not None, 40)


@virtual
async def test_a_fill_that_gets_its_client_id_late_counts():
    """A second report of a fill may say whose it is; the first was kept for an order that never came."""
    async with desk() as made:
        maker = await made.maker()
        fill = made.a.trade(maker, "1", tell=())
        anonymous = msgspec.structs.replace(fill, cloid=None, oid="777")
        made.a.send(anonymous)
        assert made.book.target == 0
        made.a.send(msgspec.structs.replace(anonymous, cloid=maker))
        assert made.book.target == D(-1)


@virtual
async def test_an_unknown_hedge_is_not_believed_absent_while_its_late_bytes_may_be_accepted():
    """The time in which a hedge may be accepted runs from its sending, not from the decision (I9)."""
    async with desk(pending_timeout=30.0) as made:
        maker = await made.maker()
        resting = await made.oms.limit_order({"exc": "b", "ticker": "X", "amount": "1", "price": "99"})

        async def slow(_):
            await asyncio.sleep(8)
            made.b.end(resting.key)  # it was in the hedge's way, and the hedge waited for its end

        async def late(order):
            async def accept():
                await asyncio.sleep(4.5)
                made.b.send(made.b.accept(order))

            made.later = asyncio.create_task(accept())
            raise Unknown("b", "cut")

        made.b.script["cancel"].append(slow)
        made.b.script["hedge"].append(late)
        made.a.trade(maker, "1")
        await made.until(lambda: made.book.hedged != 0)
        await made.until(lambda: made.oms.idle)
        assert made.hedges() == [D(-1)]
        assert made.b.position["X"] == D(-1)
