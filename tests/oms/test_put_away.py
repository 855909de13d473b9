"""Finished orders leave a desk's memory and lose nothing by it: late fills, crashes, restarts, proofs, commands."""

import asyncio
import os
import sqlite3
import stat
from contextlib import closing
from decimal import Decimal

import msgspec
import pytest

from gateways.errors import Denied, NotFound, Unknown
from gateways.standards import ZERO, FillEvent, OrderStatus, OrderUpdate, PlaceOrder
from oms.archive import ARCHIVE, Archive
from oms.evidence import Entered, Evidence
from oms.finished import Finished, Held, pick
from oms.hedge import events as e
from oms.hedge.kernel import Kernel
from oms.hedge.policy import How, Leg, Rung
from oms.journal import Journal, JournalError, MemoryJournal
from oms.order_store import OrderStore
from oms.orders import Order, Role
from oms.put_away import Kept
from oms.recovery import replay
from oms.upkeep import follow
from tests.oms.stub_venue import Desk, at_once, desk, virtual
from tests.put_away import orders_away

D = Decimal
S = OrderStatus
ALL = Kept(10**6, 0.0)
"""All that may leave does, when a test says so and not before."""


@pytest.fixture(params=["memory", "disk"])
def kept_in(request, tmp_path):
    """Makes journals that go on from each other, in memory and on disk."""
    journals = []

    def make(loop):
        if request.param == "disk":
            journals.append(at_once(Journal(tmp_path / "journal.jsonl", loop)))
        else:
            last = journals[-1] if journals else None
            journals.append(MemoryJournal(loop, last.image if last else b"", archive=last.archive if last else None))
        return journals[-1]

    return make


async def filled_and_hedged(made, count=3):
    """Makers that have filled, each with its hedge, and one that rests; returns the keys of the first."""
    keys = []
    for _ in range(count):
        keys.append(await made.maker("0.1", "100"))
        made.a.trade(keys[-1], "0.1")
        await made.oms.wait_idle(10.0)
    await asyncio.sleep(300.0)  # what a restart asks the venues for is later than this
    await made.maker("0.1", "99")
    return keys


async def put_away(made):
    """Begin a segment without what is finished; returns the keys of what was put away."""
    await follow(made.oms)
    return {each.key for each in orders_away(made.oms)}


async def proven(made):
    """Whether the desk's books are the venues', once the positions were asked for."""
    await made.oms.reconcile()
    return (await made.oms.verify()).consistent


def hedge_of(made, maker):
    """The hedge order that answers a maker, as the venue has it."""
    place = [key for key, held in made.a.held.items()].index(maker)
    return list(made.b.held)[place]


async def again_on(made, journal):
    """A new desk on what the journal holds, in the same world."""
    again = Desk(made.loop, journal=journal, venues=made.venues, kept=ALL)
    await again.oms.init()
    await again.oms.wait_idle(60.0, quiet_s=1.0)
    return again


async def restarted(made):
    """A new desk on what is left in memory of one that has ended."""
    return await again_on(made, MemoryJournal(made.loop, made.journal.image, archive=made.journal.archive))


def test_what_is_finished_leaves_and_a_late_fill_is_hedged_once(kept_in):
    """I4: in memory is what is not finished; a fill after that opens what it would have, once however often told."""

    @virtual
    async def story():
        async with desk(journal=kept_in(asyncio.get_running_loop()), kept=ALL) as made:
            makers = await filled_and_hedged(made)
            gone = await put_away(made)
            assert gone == {*makers, *made.b.held}
            assert set(made.oms.kernel.makers) == {order.key for order in made.oms.page.orders()}, "the one that rests"
            assert (made.book.target, made.book.hedged) == (D("-0.3"), D("-0.3")), "books keep their sums"
            fill = made.a.trade(makers[0], "0.2", tell=("fill",))
            made.a.send(fill, made.a.say(made.a.held[makers[0]]), fill)
            await made.oms.wait_idle(10.0)
            assert made.hedges()[3:] == [D("-0.2")]
            assert (made.book.target, made.book.hedged) == (D("-0.5"), D("-0.5"))
            assert made.oms.page.peek(makers[0]).filled == D("0.3")
            assert made.oms.page.peek(makers[1]) is None
            assert await proven(made)

    story()


def test_a_late_fill_after_a_restart_is_hedged_once(kept_in):
    """I4, I6: what was put away is found by a new desk too; what came back before a crash is not counted twice."""

    @virtual
    async def story():
        async with desk(journal=kept_in(asyncio.get_running_loop()), kept=ALL) as made:
            makers = await filled_and_hedged(made)
            await put_away(made)
            made.a.trade(makers[0], "0.2")
            await made.oms.wait_idle(10.0)
        again = await again_on(made, kept_in(made.loop))
        assert (again.book.target, again.book.hedged) == (D("-0.5"), D("-0.5"))
        assert again.oms.page.peek(makers[1]) is None
        again.a.trade(makers[1], "0.3")
        again.a.trade(makers[0], "0.1")
        await again.oms.wait_idle(10.0)
        assert (again.book.target, again.book.hedged) == (D("-0.9"), D("-0.9"))
        assert await proven(again)
        assert await put_away(again) >= set(makers)
        await again.oms.cleanup()
        third = await again_on(again, kept_in(made.loop))
        assert (third.book.target, third.book.hedged) == (D("-0.9"), D("-0.9"))
        third.a.trade(makers[1], "0.1")
        await third.oms.wait_idle(10.0)
        assert third.book.hedged == D("-1.0"), "the second row of an order is the one that counts"
        assert await proven(third)
        await third.oms.cleanup()

    story()


@virtual
async def test_a_late_fill_of_a_hedge_order_finds_the_makers_that_it_answered():
    """I12: more than was sent fills: the excess is owed back by the maker that the hedge was for, though both left."""
    async with desk(kept=ALL) as made:
        makers = await filled_and_hedged(made)
        hedge = hedge_of(made, makers[0])
        await put_away(made)
        made.b.trade(hedge, "-0.05")
        await made.oms.wait_idle(10.0)
        assert made.hedges()[3:] == [D("0.05")]
        assert (made.book.target, made.book.hedged, made.book.balance) == (D("-0.3"), D("-0.3"), ZERO)
        assert made.oms.kernel.children[hedge].cum == D("-0.15")
        assert made.book.shares[makers[0], 0].hedged == D("-0.1")
        assert await proven(made)


@virtual
async def test_what_is_not_finished_stays():
    """A maker with a rest that waits, its hedge order's maker, an unknown order, and each book's latest maker."""
    async with desk(kept=ALL) as made:
        first = await made.maker("0.1", "100")
        made.a.trade(first, "0.1")
        await made.oms.wait_idle(10.0)
        waits = await made.maker("0.101", "100", legs={"exc": "b", "ticker": "X", "ratio": "0.5"})
        made.a.trade(waits, "0.101")
        await made.oms.wait_idle(10.0)
        latest = await made.maker("0.1", "100")
        await made.oms.cancel_order("a", "X", cloid=latest)
        gone = await put_away(made)
        assert first in gone
        assert made.book.balance == D("-0.0005"), "under the lot"
        assert waits not in gone
        assert latest not in gone, "what is reopened is for it"
        assert gone == {first, *made.b.held}
        made.oms.hedge.reopen("b", "X", D("-0.1"), "test")
        await made.oms.wait_idle(10.0)
        assert sum(made.hedges()) == D("-0.25"), "the rest of the lot waits still"


@virtual
async def test_a_maker_stays_with_the_hedge_orders_that_name_it():
    """The hedge order had news later, and is kept: so is whom it answers, in memory and in the checkpoint."""
    async with desk(kept=Kept(1, 1e9)) as made:

        async def late(order):
            await asyncio.sleep(1.0)
            return made.b.accept(order)

        made.b.script["hedge"].append(late)
        (maker,) = await filled_and_hedged(made, 1)
        assert await put_away(made) == set()
        await made.oms.cancel_orders(made.oms.makers_working())
        (hedge,) = made.b.held
        assert await put_away(made) == {maker, hedge}, "another order had the last news"
        made.b.trade(hedge, "-0.05")
        await made.oms.wait_idle(10.0)
        assert made.oms.page.peek(maker) is not None
        journal = MemoryJournal(made.loop, made.journal.image, archive=made.journal.archive)
    again = await again_on(made, journal)
    assert await proven(again)
    await again.oms.cleanup()


@virtual
async def test_an_order_that_came_back_for_nothing_leaves_again():
    """It was named, and nothing new was told: the journal says nothing of it, and memory does not keep it for ever."""
    async with desk(kept=ALL) as made:
        makers = await filled_and_hedged(made)
        hedge = hedge_of(made, makers[1])
        await put_away(made)
        assert made.oms.page.find(makers[0][:8])
        assert made.oms.page.find(hedge[:8])
        assert len(made.oms.page) == 1 + 3, "the hedge order brought its maker along"
        await put_away(made)
        assert len(made.oms.page) == 1
        made.a.trade(makers[1], "0.2")
        made.b.trade(hedge, "-0.05")
        await made.oms.wait_idle(10.0)
        assert (made.book.target, made.book.hedged) == (D("-0.5"), D("-0.5"))
        assert await proven(made)


@virtual
async def test_a_restart_leaves_what_was_put_away_where_it_is():
    """An old maker rests: the fills since then are told anew, and those that their orders have bring nothing back."""
    journal = MemoryJournal(asyncio.get_running_loop())
    async with desk(journal=journal, kept=ALL) as made:
        await made.maker("0.1", "98")
        await filled_and_hedged(made)
        await put_away(made)
    again = await restarted(made)
    assert len(again.oms.page) == 2
    await again.oms.cleanup()


@virtual
async def test_a_maker_stays_with_a_hedge_order_that_came_back():
    """I12: the journal does not know that it is in memory again; what fills late of it finds whom it answers."""
    journal = MemoryJournal(asyncio.get_running_loop())
    async with desk(journal=journal, kept=ALL) as made:
        makers = await filled_and_hedged(made)
        hedge = hedge_of(made, makers[0])
        await put_away(made)
        made.oms.store.get(hedge)
        made.a.trade(makers[0], "0.2")
        await made.oms.wait_idle(10.0)
        usual = made.oms.put_away.may_leave

        async def but_the_hedge_order():
            ended, told = await usual()
            place = list(ended).index(hedge)
            del ended[hedge], told[place]
            return ended, told

        made.oms.put_away.may_leave = but_the_hedge_order
        assert makers[0] not in await put_away(made)
        made.b.trade(hedge, "-0.05")
        await made.oms.wait_idle(10.0)
        assert {maker for maker, _ in made.book.shares} == made.oms.kernel.makers.keys()
        assert made.book.shares[makers[0], 0].hedged == D("-0.3")
        assert await proven(made)
        made.oms.put_away.may_leave = usual
        assert await put_away(made) >= {makers[0], hedge}
    again = await restarted(made)
    assert await proven(again)
    await again.oms.cleanup()


@virtual
async def test_what_was_kept_of_an_order_says_nothing_once_it_has_news():
    """A maker's part changed with its hedge order, though the maker did not: it is never put away as it was before."""
    async with desk(kept=ALL) as made:
        makers = await filled_and_hedged(made)
        hedge = hedge_of(made, makers[0])
        await put_away(made)
        made.oms.store.get(hedge)
        kept = made.oms.store.held(makers[0])
        assert kept.back.shares[0].hedged == D("-0.1")
        made.oms.hedge.pause("b", "X", "test")
        made.b.trade(hedge, "-0.05")
        assert made.oms.store.held(makers[0]).order is kept.order
        assert made.oms.store.held(makers[0]).back is None
        assert made.oms.store.held(hedge).back is None
        made.oms.hedge.resume("b", "X")
        await made.oms.wait_idle(10.0)
        assert await put_away(made) >= {makers[0], hedge}
        assert await proven(made)


@virtual
async def test_an_order_stays_whose_last_trade_came_after_it_was_noted():
    """Its size was told before, so that nothing else of it changed: without that trade a later one would be missed."""
    journal = MemoryJournal(asyncio.get_running_loop())
    async with desk(journal=journal, kept=ALL) as made:
        key = await made.maker("0.3", "100")
        made.a.trade(key, "0.1")
        trade = made.a.trade(key, "0.2", tell=("order",))
        await made.oms.wait_idle(10.0)
        await made.maker("0.1", "99")
        usual, told = journal.draft, made.oms.page.peek(key)

        def drafted(checkpoint, mark):
            made.a.send(trade)
            return usual(checkpoint, mark)

        journal.draft = drafted
        assert key not in await put_away(made)
        assert made.oms.page.peek(key) is told
        journal.draft = usual
        assert key in await put_away(made)
        made.a.trade(key, "0.1", tell=("fill",))
        await made.oms.wait_idle(10.0)
        assert made.book.hedged == D("-0.4")


@virtual
async def test_an_order_put_away_while_it_is_asked_about_is_absent():
    """Its end is told by the stream; an answer that was under way knows nothing of it: that is no error."""
    async with desk(kept=ALL) as made:

        async def unanswered(order):
            made.b.accept(order)
            raise Unknown("b", "no answer")

        async def absent(_):
            made.b.send(made.b.say(made.b.held[hedge]))
            await put_away(made)
            assert made.oms.page.peek(hedge) is None
            raise NotFound("b", "no such order")

        made.b.script["hedge"].append(unanswered)
        made.b.script["order"].append(absent)
        made.a.trade(await made.maker("0.1", "100"), "0.1")
        await made.maker("0.1", "99")
        (hedge,) = made.b.held
        await made.until(lambda: made.b.asked("order"))
        await made.oms.wait_idle(30.0)
        await asyncio.sleep(1.0)
        assert not [each.text for each in made.alerts if each.severity == "error"]
        assert made.book.hedged == D("-0.1")
        assert made.hedges() == [D("-0.1")]


@virtual
async def test_a_change_while_the_archive_is_written_keeps_the_order_in_memory():
    """What filled between the mark and the new segment is in memory and in the segment; a restart has it once."""
    journal = MemoryJournal(asyncio.get_running_loop())
    async with desk(journal=journal, kept=ALL) as made:
        makers = await filled_and_hedged(made)
        usual = journal.draft

        def drafted(checkpoint, mark):
            made.a.trade(makers[0], "0.2")
            return usual(checkpoint, mark)

        journal.draft = drafted
        gone = await put_away(made)
        assert makers[0] not in gone
        assert {makers[1], makers[2]} < gone
        await made.oms.wait_idle(10.0)
        assert made.hedges()[3:] == [D("-0.2")]
        assert await proven(made)
    again = await restarted(made)
    assert (again.book.target, again.book.hedged) == (D("-0.5"), D("-0.5"))
    assert await proven(again)
    await again.oms.cleanup()


@virtual
async def test_what_a_venue_says_anew_while_the_archive_is_written_is_not_forgotten():
    """No trade of it, but the price of an amend told late: the order stays, and is put away with that next time."""
    journal = MemoryJournal(asyncio.get_running_loop())
    async with desk(journal=journal, kept=ALL) as made:
        makers = await filled_and_hedged(made)
        usual = journal.draft

        def drafted(checkpoint, mark):
            said = msgspec.structs.replace(made.a.say(made.a.held[makers[0]]), price=D("101"))
            made.oms.take(said, made.oms.clock.now_ns())
            return usual(checkpoint, mark)

        journal.draft = drafted
        assert makers[0] not in await put_away(made)
        assert made.oms.page.peek(makers[0]).price == D("101")
        journal.draft = usual
        assert makers[0] in await put_away(made)
        assert made.oms.page.get(makers[0]).price == D("101")


def test_an_order_whose_account_is_open_stays():
    """What an unwind closed is forfeited by what it filled: until that is done it is wanted."""
    kernel = Kernel(lambda: "")
    closes = PlaceOrder(ticker="X", cloid="u", amount=D(1))
    entered = {"u": Entered(venue="a", role=Role.FLATTEN, order=closes, ts_ns=1)}
    evidence = {"u": Evidence(key="u", status=S.FILLED, filled=D(1), ts_ns=2)}
    order = Order(key="u", venue="a", ticker="X", role=Role.FLATTEN, amount=D(1), filled=D(1), status=S.FILLED)
    held = {"u": Held(order, ())}
    kernel.replay(e.Unwinding(order="u", venue="b", ticker="X", ratio=D(-1), ts_ns=1))
    assert pick(kernel, entered, evidence, held) == []
    kernel.replay(e.Forfeited(venue="b", ticker="X", ts_ns=3, amount=ZERO, unwind="u"))
    assert [each.key for each in pick(kernel, entered, evidence, held)] == ["u"]
    later = {"u": Evidence(key="u", status=S.FILLED, filled=D(2), ts_ns=4)}
    assert pick(kernel, entered, later, held) == [], "the journal knows more of it by now"
    assert pick(kernel, entered, {}, held) == []


class Killed(BaseException):
    """The process is gone."""


@pytest.mark.parametrize("step", ["archive", "draft", "rename", "forget"])
def test_a_crash_at_each_step_leaves_every_order_once(tmp_path, step):
    """I6: killed after the archive's commit, after the draft, after the rename, while forgetting: nothing is lost."""

    def killed(*_):
        raise Killed

    @virtual
    async def story():
        journal = at_once(Journal(tmp_path / "journal.jsonl", asyncio.get_running_loop()))
        made = Desk(asyncio.get_running_loop(), journal=journal, kept=ALL)
        await made.oms.init()
        makers = await filled_and_hedged(made)
        match step:
            case "archive":
                journal.draft = killed
            case "draft":
                journal.begin_segment = killed
            case "rename":
                made.oms.put_away.begun = killed
            case "forget":
                forget, made.oms.store.forget = made.oms.store.forget, lambda one: (forget(one), killed())
        with pytest.raises(Killed):
            await follow(made.oms)
        await made.oms.cleanup()
        with Archive(tmp_path / ARCHIVE) as archive:
            assert {each.key for each in archive.all(1 << 60)} == {*makers, *made.b.held}
        second = at_once(Journal(tmp_path / "journal.jsonl", made.loop))
        again = await again_on(made, second)
        away = {each.key for each in orders_away(again.oms)}
        assert away == (set() if step in {"archive", "draft"} else {*makers, *made.b.held})
        assert await proven(again)
        again.a.trade(makers[1], "0.2")
        await again.oms.wait_idle(10.0)
        assert (again.book.target, again.book.hedged) == (D("-0.5"), D("-0.5"))
        assert await proven(again)
        await again.oms.cleanup()

    story()


@virtual
async def test_rows_of_a_segment_that_never_began_say_nothing():
    """An order that filled after the failed attempt is not taken from it: its journal tells the rest."""
    journal = MemoryJournal(asyncio.get_running_loop())
    async with desk(journal=journal, kept=ALL) as made:
        makers = await filled_and_hedged(made)
        await put_away(made)
        made.a.trade(makers[0], "0.2")
        await made.oms.wait_idle(10.0)
        usual = journal.begin_segment

        def fails(draft):
            raise JournalError("no space")

        journal.begin_segment = fails
        with pytest.raises(JournalError):
            await follow(made.oms)
        journal.begin_segment = usual
    past = replay(MemoryJournal(made.loop, journal.image).records(), Kernel(lambda: ""), journal.archive)
    assert past.kernel.makers[makers[0]].filled == D("0.3")
    assert past.kernel.book("b", "X").target == D("-0.5"), "the later row has the 0.3, and is not looked at"
    again = await restarted(made)
    assert (again.book.target, again.book.hedged) == (D("-0.5"), D("-0.5"))
    assert {abs(each.order.filled) for each in journal.archive.all(1 << 60)} == {D("0.1"), D("0.2"), D("0.3")}
    journal.archive.put([], 1 << 59, again.oms.store.upto)
    assert {abs(each.order.filled) for each in journal.archive.all(1 << 60)} == {D("0.1")}, "it is removed then"
    await again.oms.cleanup()


@virtual
async def test_rows_that_a_process_commits_after_its_desk_was_killed_say_nothing():
    """Its work outlives the desk by a moment: the next desk, and those after it, go by what their journal tells."""
    journal, late = MemoryJournal(asyncio.get_running_loop()), []

    def killed(_draft):
        raise Killed

    async with desk(journal=journal, kept=ALL) as made:
        makers = await filled_and_hedged(made)
        put, journal.archive.put = journal.archive.put, lambda *rows: late.append(rows)
        journal.begin_segment = killed
        with pytest.raises(Killed):
            await follow(made.oms)
    journal.archive.put = put
    again = await restarted(made)
    put(*late[0])
    for maker, filled, hedged in ((makers[0], "0.3", "-0.5"), (makers[1], "0.3", "-0.7")):
        again.a.trade(maker, "0.2")
        await again.oms.wait_idle(10.0)
        assert again.oms.page.get(maker).filled == D(filled)
        assert again.book.hedged == D(hedged)
        assert await proven(again)
        await asyncio.sleep(300.0)
        await put_away(again)
    again.a.trade(makers[0], "0.1")
    await again.oms.wait_idle(10.0)
    assert again.oms.page.get(makers[0]).filled == D("0.4"), "its later row counts"
    assert await proven(again)
    await again.oms.cleanup()


def test_a_start_on_another_journal_leaves_the_archive_as_it_is(tmp_path):
    """Whoever moved the journal away, and started, moves it back and has all again."""

    def journal_of(made):
        return at_once(Journal(tmp_path / "journal.jsonl", made.loop if made else asyncio.get_running_loop()))

    @virtual
    async def story():
        async with desk(journal=journal_of(None), kept=ALL) as made:
            makers = await filled_and_hedged(made)
            await put_away(made)
        files = [each for each in tmp_path.iterdir() if each.name.startswith("journal")]
        for each in files:
            each.rename(tmp_path / f"my-{each.name}")
        another = await again_on(made, journal_of(made))
        assert another.oms.page.get(makers[0]) is None
        for _ in range(60):
            another.oms.journal.append("Paused", venue="b", ticker="X", ts_ns=1, reason="records of its own")
        another.oms.put_away._kept = Kept()
        assert not await put_away(another), "its segment begins, and nothing has left"
        assert another.oms.page.get(makers[0]) is None, "an order of another journal is none of its own"
        await another.oms.cleanup()
        another = await again_on(made, journal_of(made))
        assert another.oms.page.get(makers[0]) is None, "after its restart neither"
        await another.oms.cleanup()
        for each in tmp_path.glob("journal*"):
            each.unlink()
        for each in files:
            (tmp_path / f"my-{each.name}").rename(each)
        again = await again_on(made, journal_of(made))
        assert again.oms.page.get(makers[0]).filled == D("0.1")
        assert await proven(again)
        await again.oms.cleanup()

    story()


def test_a_desk_does_not_start_without_its_archive(tmp_path):
    """Orders that nobody could find again would be strangers: a journal that has put orders away says so."""

    @virtual
    async def story():
        journal = at_once(Journal(tmp_path / "journal.jsonl", asyncio.get_running_loop()))
        async with desk(journal=journal, kept=ALL) as made:
            await filled_and_hedged(made)
            assert await put_away(made)
        path = tmp_path / ARCHIVE
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        path.rename(tmp_path / "elsewhere")
        with (
            Journal(tmp_path / "journal.jsonl", made.loop) as second,
            pytest.raises(JournalError, match="archive lacks them"),
        ):
            await again_on(made, second)

    story()


def test_a_desk_starts_while_another_process_writes_the_archive(tmp_path):
    """I6: what put orders away for the desk that was killed may be at it still; reading needs nothing of it."""

    @virtual
    async def story():
        journal = at_once(Journal(tmp_path / "journal.jsonl", asyncio.get_running_loop()))
        async with desk(journal=journal, kept=ALL) as made:
            makers = await filled_and_hedged(made)
            await put_away(made)
        with closing(sqlite3.connect(tmp_path / ARCHIVE, isolation_level=None)) as left:
            left.execute("BEGIN IMMEDIATE")
            left.execute("INSERT INTO marks VALUES (999999)")
            again = await again_on(made, Journal(tmp_path / "journal.jsonl", made.loop))
            again.a.trade(makers[0], "0.2")
            await again.oms.wait_idle(10.0)
            assert again.book.hedged == D("-0.5")
            await again.oms.cleanup()

    story()


def test_what_a_later_desk_has_put_away_stays():
    """A commit for a desk that was killed comes after that of the next desk: it removes nothing of the next one's."""
    archive = Archive()

    def one(key):
        return Finished(order=Order(key=key, venue="a", ticker="X", role=Role.EXTERNAL, amount=D(1)), trades=())

    archive.put([one("first")], 10, 0)
    archive.put([one("failed")], 15, 10)
    archive.put([one("next")], 30, 10)
    archive.put([one("late")], 20, 10)
    assert archive.get("failed", 30) is None
    assert archive.get("next", 30) is not None
    assert archive.has(30)


def test_a_damaged_archive_is_said(tmp_path):
    """A row that is not as it was written, and a file that is none, are errors of the journal: nothing is guessed."""

    @virtual
    async def story():
        journal = at_once(Journal(tmp_path / "journal.jsonl", asyncio.get_running_loop()))
        async with desk(journal=journal, kept=ALL) as made:
            makers = await filled_and_hedged(made)
            await put_away(made)
            connection = sqlite3.connect(tmp_path / ARCHIVE)
            connection.execute("UPDATE orders SET data = x'00'")
            connection.commit()
            connection.close()
            made.a.trade(makers[0], "0.2")
            await made.until(lambda: [each for each in made.alerts if "is damaged" in each.text])
        (tmp_path / ARCHIVE).write_bytes(os.urandom(8192))
        with Journal(tmp_path / "journal.jsonl", made.loop) as second, pytest.raises(JournalError, match="cannot be"):
            await again_on(made, second)

    story()


@virtual
async def test_commands_find_an_order_that_was_put_away():
    """It is named by the start of its id, by its id or by the venue's; what may be done with it is as before."""
    async with desk(kept=ALL) as made:
        makers = await filled_and_hedged(made)
        await put_away(made)
        (found,) = made.oms.page.find(makers[0][:8])
        assert (found.key, found.status, found.filled) == (makers[0], S.FILLED, D("0.1"))
        assert made.oms.hedge.legs(makers[0]) == (Leg(venue="b", ticker="X"),)
        with pytest.raises(Denied, match="is FILLED already"):
            await made.oms.cancel_order("a", "X", cloid=makers[1])
        with pytest.raises(Denied, match="is FILLED already"):
            await made.oms.cancel_order("a", "X", oid=made.a.held[makers[2]].oid)
        assert made.oms.page.find("nothing") == []


@virtual
async def test_a_fill_told_again_of_an_order_put_away_counts_once():
    """I8: its trades are kept with it, so that neither its size nor the position grows, though the fills are gone."""
    async with desk(kept=ALL) as made:
        makers = await filled_and_hedged(made)
        told = made.a.fills[0]
        made.oms.fills._fills.clear()
        await put_away(made)
        before = made.oms.positions.expected("a", "X")
        made.a.send(told)
        assert made.oms.positions.expected("a", "X") == before
        assert made.oms.page.peek(makers[0]) is None, "its row says that it has the trade"
        assert made.oms.page.get(makers[0]).filled == D("0.1")


@virtual
async def test_fills_told_again_by_a_reconciliation_bring_nothing_back():
    """The trades of minutes are told anew in each cycle: those that are known leave their orders where they are."""
    async with desk(kept=ALL) as made:
        makers = await filled_and_hedged(made)
        await put_away(made)
        made.a.send(*made.a.fills)
        made.b.send(*made.b.fills)
        assert made.oms.page.peek(makers[0]) is None
        assert len(made.oms.page) == 1


@virtual
async def test_a_contract_whose_orders_are_all_away_is_asked_for_fills_still():
    """A fill that no message told of is found by the reconciliation: of an order in memory or of one put away."""
    async with desk(kept=ALL) as made:
        await filled_and_hedged(made)
        first, second, _third = made.b.held
        await put_away(made)
        assert {order.venue for order in made.oms.page.orders()} == {"a"}
        made.b.trade(first, "-0.05", tell=())
        await made.oms.reconcile("b")
        await made.oms.wait_idle(10.0)
        assert made.hedges()[3:] == [D("0.05")]
        await put_away(made)
    again = await restarted(made)
    assert again.oms.page.contracts.keys() == {("a", "X"), ("b", "X")}
    again.b.trade(second, "-0.05", tell=())
    await again.oms.reconcile("b")
    await again.oms.wait_idle(10.0)
    assert again.hedges()[4:] == [D("0.05")]
    await again.oms.cleanup()


def test_an_order_that_leaves_takes_no_id_of_another_along():
    """A venue may count its ids anew in each contract: what is told by that id is of the one that stays."""
    store = OrderStore(Kernel(lambda: ""), Archive())
    for key, ticker in (("x", "X"), ("y", "Y")):
        store.register(Order(key=key, cloid=key, venue="a", ticker=ticker, role=Role.MANUAL, amount=D(1)))
        store.upsert(OrderUpdate(venue="a", ticker=ticker, oid="7", cloid=key, status=S.FILLED, filled=D(1)), 1)
    held = store.held("x")
    store.forget(Finished(order=held.order, trades=held.trades))
    assert store.peek("x") is None
    assert store.by_oid("a", "X", "7") is None
    assert store.by_oid("a", "Y", "7").key == "y"


@virtual
async def test_an_order_of_others_comes_back_as_it_was():
    """A venue's own order that was told of, and ended, is no news when it is told of again: no book is held for it."""
    async with desk(kept=ALL) as made:
        await filled_and_hedged(made)
        forced = OrderUpdate(
            venue="b", ticker="X", oid="77", status=S.FILLED, amount=D(1), filled=D(1), forced=True, average_price=D(9)
        )
        made.b.send(forced)
        assert made.book.hold
        made.oms.hedge.resume("b", "X")
        assert "b:X:77" in await put_away(made)
        made.b.send(forced)
        assert not made.book.hold
        made.b.send(FillEvent(venue="b", ticker="X", oid="77", trade_id="1", amount=D(1), price=D(9), forced=True))
        assert not made.book.hold


@virtual
async def test_a_proof_is_over_everything_and_finds_what_is_wrong_with_an_order_put_away():
    """The venue says of one that it filled more: nothing in memory knows, and the proof says so."""
    async with desk(kept=ALL) as made:
        makers = await filled_and_hedged(made)
        await put_away(made)
        assert (await made.oms.verify()).consistent
        assert made.oms.page.peek(makers[0]) is None, "a proof brings nothing back"
        made.a.trade(makers[0], "0.2", tell=())
        proof = await made.oms.verify()
        assert any(f"maker {makers[0][:8]} on a filled 0.3 at the venue, 0.1 here" in each for each in proof.problems)
        made.oms.kernel.book("b", "X").hedged += 1
        assert any("counts 0.7 as hedged" in each for each in (await made.oms.verify()).problems)


@virtual
async def test_a_proof_without_the_orders_that_were_put_away_is_none():
    """What cannot be read is said, and nothing is consistent."""
    async with desk(kept=ALL) as made:
        await filled_and_hedged(made)
        await put_away(made)

        async def fails(_work, _told):
            raise JournalError("the archive cannot be read")

        made.journal.apart = fails
        proof = await made.oms.verify()
        assert "orders that were put away cannot be compared: the archive cannot be read" in proof.problems


@virtual
async def test_the_latest_finished_orders_stay_until_there_are_twice_as_many():
    """The desk does it by itself, at a quiet moment; memory holds the last ones."""
    journal = MemoryJournal(asyncio.get_running_loop())
    async with desk(journal=journal, kept=Kept(4, 1e9)) as made:
        makers = await filled_and_hedged(made, 4)
        await asyncio.sleep(2.0)
        assert not journal.older, "eight have finished"
        await made.maker("0.1", "100")
        made.a.trade(list(made.a.held)[-1], "0.1")
        await made.until(lambda: journal.older)
        await made.until(lambda: made.oms.page.peek(makers[0]) is None)
        assert len(made.oms.page) == 1 + 4
        await asyncio.sleep(5.0)
        assert len(journal.older) == 1, "once, until as many again have finished"


@virtual
async def test_a_desk_that_is_never_quiet_puts_its_orders_away_too():
    """A hedge is in flight all the time: it is waited for a while, and not for ever."""
    journal = MemoryJournal(asyncio.get_running_loop())
    async with desk(journal=journal, kept=Kept(2, 1e9)) as made:
        joins = {"exc": "b", "ticker": "X", "rungs": (Rung(how=How.JOIN, for_ms=600_000), Rung())}
        resting = await made.maker("1", "100", legs=joins)
        made.a.trade(resting, "0.1")
        await made.until(lambda: made.book.open_children)
        for _ in range(3):
            made.a.trade(await made.maker("0.1", "100"), "0.1")
            await made.oms.wait_idle(0.5)
        await asyncio.sleep(2.0)
        assert not journal.older
        assert len(made.oms.page) == 8
        await made.until(lambda: journal.older, 10.0)
        assert made.book.open_children
        await made.until(lambda: len(made.oms.page) < 8)
        assert made.book.hedged == D("-0.3")


@pytest.mark.parametrize(
    ("text", "kept"), [("", Kept()), ("0", Kept(0, 0.0)), ("20", Kept(20, 0.0)), ("20:1.5", Kept(20, 1.5))]
)
def test_how_many_are_kept_can_be_said(text, kept):
    """For drills: a number of orders, and seconds."""
    assert Kept.of(text) == kept


@pytest.mark.parametrize("text", ["-1", "x", "1:x", "1:-1", "1:nan"])
def test_nonsense_is_refused(text):
    """Raises ValueError."""
    with pytest.raises(ValueError, match=r"kept|invalid literal|could not convert"):
        Kept.of(text)
