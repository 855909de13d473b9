"""Bugs that were found, each as a story that must not come back. On virtual time, against a venue written by hand."""

import asyncio
from decimal import Decimal

import msgspec
import pytest

from gateways.contracts import Contracts
from gateways.errors import Denied, Rejected, Unavailable, Unknown
from gateways.standards import FillEvent, OrderStatus, OrderUpdate, PositionUpdate, Reject, RejectReason
from oms.hedge.kernel import Kernel
from oms.hedge.policy import How, Limits, Rung
from oms.hedge.state import ChildState
from oms.memory_journal import MemoryJournal
from oms.orders import Order, OrdersPage, Role
from oms.recovery import replay
from tests.oms.stub_venue import Desk, StubVenue, contract, desk, virtual

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
async def test_how_long_a_hedge_could_be_accepted_is_the_same_in_the_replay():
    """A restart dates an unanswered hedge anew; were that not journaled, the next would believe an early absence."""
    async with desk() as first:

        async def silent(_):
            await asyncio.sleep(1000)

        first.b.script["hedge"].append(silent)
        maker = await first.maker()
        first.a.trade(maker, "1")
        await first.until(lambda: first.b.asked("hedge"))
        image = first.journal.image
    async with desk(journal=MemoryJournal(first.loop, image), venues=first.venues) as second:
        (child,) = second.oms.kernel.children.values()
        kernel = Kernel(lambda: "unused")
        replay(second.journal.records(), kernel)
        assert kernel.children[child.cloid].absence == child.absence
        assert kernel.children[child.cloid].state is child.state


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


@pytest.mark.parametrize(("act", "after"), [("panic", "HEDGE-ONLY"), ("disarm", "HEDGE-ONLY"), ("activate", "ACTIVE")])
@virtual
async def test_a_panic_stands_after_a_restart_until_makers_are_allowed_again(act, after):
    """Only the operator ends a panic: neither a restart nor a checkpoint does."""
    async with desk() as first:
        await first.oms.panic()
        if act != "panic":
            done = getattr(first.oms, act)()
            assert done is None
        image = first.journal.image
    async with desk(journal=MemoryJournal(first.loop, image), venues=first.venues) as second:
        assert second.oms.trading == after
        records = list(second.journal.records())
    past = replay(records, Kernel(lambda: "x"))
    assert past.hedge_only is (after == "HEDGE-ONLY")
    assert past.checkpoint().hedge_only is past.hedge_only


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
async def test_an_order_that_waits_for_its_prices_is_checked_by_the_rules_that_hold_after_it():
    """Rules that were refreshed while an order waited for a first book are the ones that it must keep."""
    async with desk() as made:

        async def slow(_):
            await asyncio.sleep(1)

        made.b.script["subscribe"].append(slow)
        placing = asyncio.create_task(made.maker("1.5"))
        await made.until(lambda: made.b.asked("subscribe"))
        made.a.contracts = Contracts("a", [contract("a", lot="1")])
        with pytest.raises(Denied, match="lot"):
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


@virtual
async def test_a_fill_that_ended_an_order_just_before_a_crash_is_found_after_it():
    """An order that the journal calls ended is asked about when that was moments before: a last fill may be missing."""
    async with desk() as first:
        maker = await first.maker("2")
        first.a.trade(maker, "1")
        first.a.trade(maker, "0.5", tell=())
        held = first.a.held[maker]
        held.status = S.CANCELLED
        first.a.send(msgspec.structs.replace(first.a.say(held), filled=D(1)))  # the venue's word lags behind its fills
        image = first.journal.image
    first.a.fills.clear()  # and its list of fills does too
    async with desk(journal=MemoryJournal(first.loop, image), venues=first.venues) as second:
        await second.until(lambda: second.book.target == D("-1.5"))


@virtual
async def test_an_order_of_this_desk_is_cancelled_though_its_journal_is_gone():
    """A maker whose legs nobody knows must not rest: its fills would not be hedged."""
    async with desk() as first:
        maker = await first.maker()
    async with desk(venues=first.venues):
        assert first.a.held[maker].status is S.CANCELLED


@virtual
async def test_a_flatten_that_a_crash_cut_leaves_no_book_paused():
    """After a restart the book hedges again: nobody is there to resume what a command had paused."""
    async with desk() as first:
        maker = await first.maker()
        first.oms.hedge.pause("b", "X", "flatten")
        image = first.journal.image
    async with desk(journal=MemoryJournal(first.loop, image), venues=first.venues) as second:
        second.a.trade(maker, "1")
        await second.until(lambda: second.book.hedged == D(-1))


# ------------------------------------------------------------------ what venues do by themselves


@virtual
async def test_a_liquidation_told_by_its_fill_alone_holds_the_book():
    """A venue that names no order for what it does to us is heard all the same."""
    async with desk() as made:
        maker = await made.maker("2")
        made.a.trade(maker, "1")
        await made.until(lambda: made.book.hedged == D(-1))
        fill = FillEvent(
            venue="b", ticker="X", oid="9", trade_id="9", amount=D(1), price=D(100), forced=True,
            ts_venue_ns=made.loop.now_ns(),
        )  # fmt: skip
        made.b.send(fill)
        assert made.book.hold
        made.oms.hedge.resume("b", "X")
        made.b.send(fill, msgspec.structs.replace(fill, trade_id="8", snapshot=True, ts_venue_ns=1))
        assert not made.book.hold


@virtual
async def test_orders_of_others_with_one_client_id_are_told_apart():
    """Venues name all their own acts alike (``adl_autoclose``): each holds the book of its own contract."""
    contracts = (contract("b"), contract("b", "Z", base="Z"))
    async with desk() as made:
        made.b.contracts = Contracts("b", contracts)
        await made.maker()
        await made.maker(legs={"exc": "b", "ticker": "Z"})
        for ticker, oid in (("Z", "1"), ("X", "2")):
            made.b.send(
                OrderUpdate(venue="b", ticker=ticker, oid=oid, cloid="adl_autoclose", status=S.FILLED, amount=D(1),
                            filled=D(1), forced=True)
            )  # fmt: skip
        assert made.oms.kernel.books["b", "Z"].hold
        assert made.oms.kernel.books["b", "X"].hold


@virtual
async def test_an_order_whose_amend_is_under_way_is_cancelled_by_its_client_id():
    """Where an amend replaces the order, the old id finds nothing: a panic would leave the new one resting."""
    made_a = StubVenue("a", asyncio.get_running_loop(), amend_keeps_oid=False)
    venues = {"a": made_a, "b": StubVenue("b", asyncio.get_running_loop())}
    async with desk(venues=venues) as made:
        key = await made.maker()

        async def slow(order):
            made.a.held[key].oid = "2000"
            await asyncio.sleep(2)
            return made.a.say(made.a.held[key])

        made.a.script["amend"].append(slow)
        amending = asyncio.create_task(made.oms.amend_order(key, price=D("99.9")))
        await made.until(lambda: made.a.asked("amend"))
        assert await made.oms.panic() == 1
        assert made.a.held[key].status is S.CANCELLED
        await amending


@virtual
async def test_a_refusal_that_comes_after_its_caller_gave_up_ends_the_order():
    """A definite refusal is proof whoever waits for it: the hedge is due again at once."""
    async with desk() as made:
        maker = await made.maker()

        async def refused_late(order):
            async def refuse():
                await asyncio.sleep(0.1)
                made.b.send(Reject(venue="b", code="-1", text="no", reason=RejectReason.OTHER, cloid=order.cloid))

            made.later = asyncio.create_task(refuse())
            raise Unknown("b", "cut")

        made.b.script["hedge"].append(refused_late)
        made.a.trade(maker, "1")
        await made.until(lambda: made.book.hedged == D(-1), 2)
        assert made.hedges() == [D(-1), D(-1)]


# ------------------------------------------------------------------ flatten, unwind, the portfolio


@virtual
async def test_a_flatten_leaves_a_hold_and_a_pause_as_they_were():
    """What only the operator may lift is not lifted by closing a position."""
    async with desk() as made:
        await made.maker()
        made.oms.hedge.hold("b", "X", "no margin")
        await made.oms.flatten("b", "X")
        assert made.book.hold == "no margin"
        made.oms.hedge.resume("b", "X")
        made.oms.hedge.pause("b", "X", "by the operator")
        await made.oms.flatten("b", "X")
        assert made.book.paused == "by the operator"


@virtual
async def test_a_flatten_asked_for_twice_closes_once():
    """The second press of the key is refused while the first one's orders are under way."""
    async with desk() as made:
        made.b.position["X"] = D(3)

        async def slow(_):
            await asyncio.sleep(0.1)
            return [PositionUpdate(venue="b", ticker="X", amount=D(3))]

        made.b.script["positions"].append(slow)
        results = await asyncio.gather(*(made.oms.flatten("b", "X") for _ in range(2)))
        assert [order.amount for order in made.b.asked("place")] == [D(-3)]
        assert sorted(result.done for result in results) == [False, True]


@virtual
async def test_a_position_over_the_largest_order_is_closed_in_parts():
    """A venue's limit on one order does not keep the operator in."""
    loop = asyncio.get_running_loop()
    venues = {"a": StubVenue("a", loop), "b": StubVenue("b", loop, (contract("b", most="2"),))}
    async with desk(venues=venues) as made:
        made.b.position["X"] = D(9)
        result = await made.oms.flatten("b", "X")
        assert result.done
        assert [order.amount for order in made.b.asked("place")] == [D(-2)] * 4 + [D(-1)]


@virtual
async def test_an_unwind_without_an_answer_is_forfeited_once_it_is_known_to_have_filled():
    """What was closed on the maker's venue is not hedged as well when the book is resumed."""
    async with desk(limits=Limits(max_failures=1)) as made:
        maker = await made.maker(legs={"exc": "b", "ticker": "X", "on_failure": "unwind"})

        async def cut(order):
            made.a.accept(order)
            raise Unknown("a", "cut")

        made.b.script["hedge"].append(Rejected("b", "no", reason=RejectReason.MARGIN))
        made.a.script["place"].append(cut)
        made.a.trade(maker, "1")
        await made.until(lambda: made.book.forfeited != 0)
        assert made.book.balance == 0
        assert made.a.position["X"] == 0


@virtual
async def test_an_unwind_is_a_whole_number_of_the_makers_lots():
    """What is owed over a ratio need not be on the maker's lot: the unwind goes toward zero to it, the rest waits."""
    async with desk(limits=Limits(max_failures=1)) as made:
        maker = await made.maker(legs={"exc": "b", "ticker": "X", "ratio": "0.3", "on_failure": "unwind"})
        made.b.script["hedge"].append(Rejected("b", "no", reason=RejectReason.MARGIN))
        made.a.trade(maker, "0.0101")
        await made.until(lambda: made.book.forfeited != 0)
        assert [order.amount for order in made.a.asked("place")[1:]] == [D("-0.010")]
        assert made.book.balance == D("-0.00003")


@virtual
async def test_the_portfolio_counts_what_the_hedge_books_still_owe():
    """An exposure that a hedge order or a waiting balance will answer is not closed a second time."""
    async with desk() as made:
        maker = await made.maker()
        made.oms.hedge.pause("b", "X", "by the operator")
        made.a.trade(maker, "1")
        assert made.book.balance == D(-1)
        assert await made.oms.hedge_portfolio_delta() == []


# ------------------------------------------------------------------ proofs


@virtual
async def test_no_proof_while_an_order_is_unknown_or_rests_against_the_books():
    """A desk that does not know its orders is not consistent, whatever their fills add up to."""
    async with desk() as made:
        maker = await made.maker()
        assert (await made.oms.verify()).consistent
        made.a.send(msgspec.structs.replace(made.a.say(made.a.held[maker]), status=S.CANCELLED))
        proof = await made.oms.verify()
        assert any("rests" in problem for problem in proof.problems)
        made.a.end(maker)

        made.a.script["place"].append(Unknown("a", "cut"))
        with pytest.raises(Unknown):
            await made.maker()
        assert any("UNKNOWN" in problem for problem in (await made.oms.verify()).problems)


# ------------------------------------------------------------------ order of words, order of ends


def test_a_stale_size_does_not_end_an_order_that_was_enlarged():
    """An update from before an amend, told after it, takes neither the size nor the price back."""
    page = OrdersPage()
    key = "0" * 32
    page.register(Order(key=key, cloid=key, venue="a", ticker="X", role=Role.MAKER, amount=D(1), price=D(100)))

    def said(amount, price, ts_ns, filled="0"):
        return OrderUpdate(
            venue="a", ticker="X", oid="7", cloid=key, status=S.PARTIAL if filled != "0" else S.NEW, amount=D(amount),
            price=D(price), filled=D(filled), ts_venue_ns=ts_ns,
        )  # fmt: skip

    for update in (said("1", "100", 1), said("3", "101", 3), said("1", "100", 2)):
        page.upsert(update, 10)
    assert (page.get(key).amount, page.get(key).price) == (D(3), D(101))
    page.upsert(FillEvent(venue="a", ticker="X", oid="7", trade_id="1", amount=D(1), price=D(101), ts_venue_ns=4), 11)
    assert page.get(key).status is S.PARTIAL
    assert page.working()


@virtual
async def test_everything_is_closed_though_one_part_of_it_cannot_be():
    """A venue that fails to close keeps no journal locked and no handler alive."""
    closed = []

    class Watched(MemoryJournal):
        def close(self):
            closed.append(self)

    loop = asyncio.get_running_loop()
    made = Desk(loop, journal=Watched(loop))
    await made.oms.init()

    async def broken():
        raise OSError("cannot")

    made.a.close = broken
    with pytest.raises(OSError, match="cannot"):
        await made.oms.cleanup()
    assert made.b.closed
    assert closed == [made.journal]


@virtual
async def test_a_closed_desk_sets_no_timer_any_more():
    """A fill that comes while the desk is closing must not wake a decision after it is gone."""
    async with desk() as made:
        maker = await made.maker(legs={"exc": "b", "ticker": "X", "trigger_after_ms": 2000})
        made.oms.hedge.close()
        made.a.trade(maker, "1")
        assert made.book.balance == D(-1)
        assert not made.oms.hedge.timers


@virtual
async def test_a_stale_answer_does_not_pass_for_a_flat_position():
    """A venue's snapshot may lag behind its stream: "nothing held" is asked again where the stream said otherwise."""
    async with desk() as made:
        made.b.position["X"] = D(3)
        made.b.send(PositionUpdate(venue="b", ticker="X", amount=D(3), ts_venue_ns=made.loop.now_ns()))

        async def stale(_):
            return []

        made.b.script["positions"].extend([stale, stale])
        result = await made.oms.flatten("b", "X")
        assert [order.amount for order in made.b.asked("place")] == [D(-3)]
        assert result.before == D(3)


@virtual
async def test_a_hedge_taken_as_not_sent_that_shows_itself_is_cancelled():
    """Its quantity was sent anew: what still rests of it must not fill as well."""
    ladder = (Rung(how=How.JOIN, for_ms=600_000), Rung())
    async with desk() as made:
        maker = await made.maker(legs={"exc": "b", "ticker": "X", "rungs": ladder})

        async def cut(order):
            made.b.accept(order)
            raise Unknown("b", "cut")

        made.b.script["hedge"].append(cut)
        made.b.script["order"].extend([Unavailable("b", "down")] * 3)
        made.a.trade(maker, "1")
        await made.until(lambda: made.book.unknown == D(-1))
        (child,) = made.book.open_children
        made.oms.hedge.assume_absent(child, "looked in the wrong window")
        await made.until(lambda: len(made.hedges()) == 2)
        await made.until(lambda: made.b.held[child].status is S.CANCELLED)
        assert made.book.balance == 0
        assert made.book.in_flight == D(-1)


# ------------------------------------------------------------------ our own orders in a hedge's way


@virtual
async def test_a_market_hedge_spares_our_orders_that_it_cannot_reach():
    """Only what the hedge would meet in the book as it stands is cancelled first; a maker far from it goes on."""
    async with desk() as made:
        near = await made.oms.limit_order({"exc": "b", "ticker": "X", "amount": "1", "price": "99.9"})
        far = await made.oms.limit_order({"exc": "b", "ticker": "X", "amount": "1", "price": "98"})
        maker = await made.maker()
        made.a.trade(maker, "1")
        await made.until(lambda: made.hedges() and not made.book.open_children)
        assert made.oms.page.get(near.key).status is S.CANCELLED
        assert made.oms.page.get(far.key).status is S.NEW
        assert made.book.hedged == -1


@virtual
async def test_a_hedge_taken_as_not_sent_is_asked_about_until_its_absence_is_proven():
    """One early "no such order" behind the operator's word ends nothing: a late acceptance is found, and counts."""
    async with desk(pending_timeout=0.5) as made:

        def late(order):
            made.b.accept(order)
            made.b.fills.clear()  # its messages are lost, and only the order itself can still be asked about

        async def no_answer(order):
            made.loop.call_later(3, late, order)
            await asyncio.sleep(600)

        made.b.script["hedge"].append(no_answer)
        maker = await made.maker()
        made.a.trade(maker, "1")
        await made.until(lambda: made.book.unknown != 0)
        (child,) = made.book.open_children.values()
        made.oms.hedge.pause("b", "X", "test")
        made.oms.hedge.assume_absent(child.cloid, "a guess")
        await made.until(lambda: made.oms.page.get(child.cloid).filled == -1)
        assert made.book.hedged == -1
        assert made.book.balance == 0
