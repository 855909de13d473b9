"""What a running engine tells its console: hedges and whom they answer, results, trades, handlers."""

import asyncio
from contextlib import asynccontextmanager
from decimal import Decimal

import msgspec

from console.link import ClaimRow
from console.mailbox import RING, Mailbox
from console.panes.mirror import Mirror
from console.publisher import Publisher
from gateways.standards import MarkUpdate, PositionUpdate, TradeEvent
from oms.pnl import HOUR_NS
from oms.put_away import Kept
from oms.states import Live
from oms.upkeep import follow
from tests.console.scripted import desk_frame, venue
from tests.oms.stub_venue import desk, virtual

D = Decimal


class Screen:
    """A mirror that takes what a publisher tells."""

    def __init__(self, mailbox):
        self.mailbox = mailbox
        self.mirror = Mirror()
        self.frames = []

    async def look(self, seconds=1.0):
        """Let the engine publish, and take it all."""
        await asyncio.sleep(seconds)
        frame = self.mailbox.take()
        if frame is not None:
            self.frames.append(frame)
            self.mirror.apply(frame, 1)
        return frame


@virtual
async def test_orders_that_were_put_away_are_gone_from_the_screen_until_one_has_news():
    """A console that watches for long holds what the engine holds; a late fill brings the order's rows back."""
    async with desk(kept=Kept(10**6, 0.0)) as made, watched(made) as (publisher, screen):
        first = await made.maker("0.1", "100")
        made.a.trade(first, "0.1")
        await made.maker("0.1", "99")
        await made.oms.wait_idle(10.0)
        await screen.look(3.0)
        assert len(screen.mirror.orders) == 3
        assert len(screen.mirror.hedges) == 2
        await follow(made.oms)
        await screen.look(3.0)
        assert [row.role for row in screen.mirror.orders.values()] == ["maker"]
        assert first not in {row.maker for row in screen.mirror.hedges.values()}
        assert len(publisher._slippages) == 0
        made.a.trade(first, "0.2")
        await made.oms.wait_idle(10.0)
        await screen.look(3.0)
        assert screen.mirror.orders[first].filled == D("0.3")
        assert {row.target for row in screen.mirror.hedges.values() if row.maker == first} == {D("-0.3")}


class Counting(Mailbox):
    """Counts the makers that each frame tells of."""

    def __init__(self):
        super().__init__()
        self.makers = []

    def put(self, frame):
        self.makers.append(len({row.maker for row in frame.hedges}))
        super().put(frame)


@asynccontextmanager
async def watched(made, mailbox=None):
    mailbox = mailbox or Mailbox()
    publisher = Publisher(made.oms, mailbox)
    publishing = asyncio.create_task(publisher.run())
    try:
        yield publisher, Screen(mailbox)
    finally:
        publishing.cancel()


def priced(fill, **changes):
    return msgspec.structs.replace(fill, **changes)


@virtual
async def test_the_orders_of_a_frame_stand_in_the_order_in_which_they_came():
    """However many there are: a page whose newest are on top does not put a hedge under its maker."""
    async with desk() as made, watched(made) as (_, screen):
        await screen.look()
        makers = [await made.maker("1") for _ in range(5)]
        made.a.trade(makers[0], "1")
        await made.until(made.hedges)
        frame = await screen.look()
        assert [row.cloid for row in frame.orders][:5] == makers
        assert [row.role for row in frame.orders][5:] == ["hedge"]


@virtual
async def test_a_hedge_order_says_whom_it_answers_and_what_it_slipped():
    """Its claims name the maker's leg; its slippage is against the middle when it was entered."""
    async with desk() as made, watched(made) as (_, screen):
        maker = await made.maker("1")

        async def dearer(order):
            made.b.mid = D("100.5")
            said = made.b.accept(order)
            made.b.send(msgspec.structs.replace(said, average_price=D("100.5")), *made.b.fills)
            return said

        made.b.script["hedge"].append(dearer)
        made.a.trade(maker, "0.4")
        frame = await screen.look()
        (child,) = [row for row in screen.mirror.orders.values() if row.role == "hedge"]
        assert child.claims == (ClaimRow(maker=maker, leg=0, quantity=D("-0.4"), filled=D("-0.4")),)
        assert child.slippage_bps == D(-50)
        (leg,) = screen.mirror.hedges.values()
        assert (leg.leg, leg.slippage_bps, leg.waits, leg.ts_unhedged_ns) == (0, D(-50), "", 0)
        assert [(fill.cloid, fill.role, fill.amount) for fill in frame.fills] == [
            (maker, "maker", D("0.4")), (child.cloid, "hedge", D("-0.4")),
        ]  # fmt: skip


@virtual
async def test_a_leg_that_waits_says_why_and_since_when():
    """What is under the lot waits with its reason in the leg's own row; when it fills up the reason goes."""
    async with desk() as made, watched(made) as (_, screen):
        maker = await made.maker("1")
        made.a.trade(maker, "0.0004")
        await screen.look()
        (leg,) = screen.mirror.hedges.values()
        assert leg.waiting == D("-0.0004")
        assert "lot" in leg.waits
        assert leg.release
        assert 0 < leg.ts_unhedged_ns <= screen.mirror.now_ns
        made.a.trade(maker, "0.0006")
        await screen.look()
        (leg,) = screen.mirror.hedges.values()
        assert (leg.waiting, leg.waits, leg.ts_unhedged_ns) == (D(0), "", 0)


@virtual
async def test_a_position_shows_what_its_contract_earned_and_stays_when_flat_again():
    """Realised by average cost, fees apart, the mark with its source; flat again it keeps its result."""
    async with desk() as made, watched(made) as (_, screen):
        maker = await made.maker("1")
        made.a.trade(maker, "1", tell=("order",))
        made.a.send(priced(made.a.fills[-1], fee=D("0.05"), fee_asset="USDT"),
                    PositionUpdate(venue="a", ticker="X", amount=D(1), entry_price=D(100)))  # fmt: skip
        made.a.quote("103")
        await screen.look()
        held = screen.mirror.positions["a:X"]
        assert (held.unrealised, held.realised, held.fees, held.mark_source) == (D(3), D(0), D("0.05"), "mid")
        seller = await made.maker("-1", price="104")
        made.a.trade(seller, "-1")
        made.a.send(PositionUpdate(venue="a", ticker="X", amount=D(0), ts_venue_ns=made.loop.now_ns()))
        await screen.look()
        flat = screen.mirror.positions["a:X"]
        assert (flat.amount, flat.realised, flat.unrealised) == (D(0), D(4), D(0))
        assert screen.mirror.exposures["X"].fees == D("0.05")


@virtual
async def test_a_fee_that_is_told_later_is_counted_once():
    """A second report of a fill that brings its fee adds it; a third adds nothing."""
    async with desk() as made, watched(made) as (_, screen):
        maker = await made.maker("1")
        fill = made.a.trade(maker, "1")
        await screen.look()
        for _ in range(2):
            made.a.send(priced(fill, fee=D("0.07"), fee_asset="USDT"))
            await screen.look(2)
        assert screen.mirror.positions["a:X"].fees == D("0.07")
        assert [row.fee for row in screen.mirror.fills.values() if row.role == "maker"] == [D("0.07")]


@virtual
async def test_what_was_held_before_is_opened_at_its_entry_price():
    """A position of before the session realises against the venue's entry price."""
    async with desk() as made:
        made.a.position["X"] = D(2)
        made.a.send(PositionUpdate(venue="a", ticker="X", amount=D(2), entry_price=D(90)))
        async with watched(made) as (_, screen):
            await made.oms.watch("a", "X")
            maker = await made.maker("-1", price="100")
            made.a.trade(maker, "-1")
            await screen.look()
            assert screen.mirror.positions["a:X"].realised == D(10)


@virtual
async def test_funding_is_reckoned_on_a_live_desk_and_not_on_paper():
    """At the funding time the rate is paid on the position; paper venues publish rates and pay none."""
    for live, expected in ((None, D(0)), (Live(name="desk"), D("-0.2"))):
        async with desk(live=live) as made, watched(made) as (_, screen):
            await made.oms.watch("a", "X")
            made.a.position["X"] = D(1)
            made.a.send(PositionUpdate(venue="a", ticker="X", amount=D(1), entry_price=D(100)))
            due = made.loop.now_ns() + 10_000_000_000
            for next_due in (due, due + HOUR_NS):
                made.a.send(MarkUpdate(venue="a", ticker="X", mark=D(200), funding_rate=D("0.001"),
                                       next_funding_ns=next_due))  # fmt: skip
                await screen.look(12)
            held = screen.mirror.positions["a:X"]
            assert (held.funding, held.mark_source) == (expected, "mark")


@virtual
async def test_the_tape_is_that_of_the_contract_last_watched_each_trade_once():
    """New public trades come in order and only once; before anything is watched there are none."""
    async with desk() as made, watched(made) as (publisher, screen):
        await made.oms.watch("a", "X")

        def trade(number):
            made.a.send(TradeEvent(venue="a", ticker="X", trade_id=str(number), amount=D(1), price=D(100)))

        trade(1)
        assert (await screen.look()).trades == []
        publisher.watch("a", "X")
        trade(2)
        assert [row.trade_id for row in (await screen.look()).trades] == ["1", "2"]
        trade(3)
        assert [row.trade_id for row in (await screen.look()).trades] == ["3"]


@virtual
async def test_only_the_ladders_last_watched_are_told_and_those_of_who_left_are_gone(monkeypatch):
    """A desk that is looked at for weeks does not make every ladder that anybody ever asked for."""
    monkeypatch.setattr("console.publisher.LADDERS_EACH", 1)
    async with desk() as made, watched(made) as (publisher, screen):
        for venue, ticker in (("a", "X"), ("b", "X")):
            await made.oms.watch(venue, ticker)
        publisher.watch("a", "X", "ann")
        publisher.watch("b", "X", "bob")
        await screen.look()
        assert set(screen.mirror.ladders) == {("a", "X"), ("b", "X")}
        publisher.watch("a", "X", "bob")
        await screen.look()
        assert set(screen.mirror.ladders) == {("a", "X")}
        publisher.unwatch("ann")
        await screen.look()
        assert set(screen.mirror.ladders) == {("a", "X")}, "bob watches it"
        publisher.unwatch("bob")
        await screen.look()
        assert not screen.mirror.ladders
        publisher.watch("a", "X", "bob")
        await screen.look()
        assert set(screen.mirror.ladders) == {("a", "X")}, "it is told anew though it did not change"


@virtual
async def test_the_handlers_are_told_with_their_lag():
    """Whoever listens to the engine is a row, the console itself among them."""
    async with desk() as made, watched(made) as (_, screen):
        await screen.look()
        assert {row.name: row.lag for row in screen.mirror.handlers.values()} == {"alerts": 0, "console": 0}


# ------------------------------------------------------------------ the mailbox


def test_frames_that_waited_are_merged_and_counted():
    """Rows replace rows, logs add up, and the frame says of how many it was made."""
    mailbox = Mailbox()
    mailbox.put(desk_frame(venues=[venue("binance", note="old")]))
    mailbox.put(desk_frame(venues=[venue("binance", note="new")]))
    frame = mailbox.take()
    assert (frame.merged, [row.note for row in frame.venues]) == (2, ["new"])
    assert mailbox.take() is None


def test_a_log_that_waits_too_long_loses_its_oldest_lines_and_counts_them():
    """Memory is bounded by the ring; what fell out is told."""
    mailbox = Mailbox()
    fills = [TradeEvent(venue="a", ticker="X", trade_id=str(n), amount=D(1), price=D(1)) for n in range(RING + 3)]
    mailbox.put(desk_frame(trades=fills))
    assert mailbox.take().trades[0].trade_id == "3"
    assert mailbox.dropped == 3


@virtual
async def test_a_leg_that_is_netted_by_another_maker_is_told_of():
    """What waits for one maker and is cancelled out by an opposite one changes in the row of the first, too."""
    async with desk() as made, watched(made) as (_, screen):
        buyer, seller = await made.maker("1"), await made.maker("-1", price="101")
        made.a.trade(buyer, "0.0004")
        await screen.look()
        assert screen.mirror.hedges[f"{buyer}/0"].waiting == D("-0.0004")
        made.a.trade(seller, "-0.0004")
        await screen.look()
        leg = screen.mirror.hedges[f"{buyer}/0"]
        assert (leg.waiting, leg.netted) == (D(0), D("-0.0004"))


@virtual
async def test_a_pause_is_told_of_in_the_legs_that_wait():
    """A leg that waits in a book that the operator pauses says so, and goes on when it is resumed."""
    async with desk() as made, watched(made) as (_, screen):
        maker = await made.maker("1")
        made.a.trade(maker, "0.0004")
        await screen.look()
        made.oms.hedge.pause("b", "X", "a test")
        await screen.look()
        assert screen.mirror.hedges[f"{maker}/0"].state == "paused"
        made.oms.hedge.resume("b", "X")
        await screen.look()
        assert screen.mirror.hedges[f"{maker}/0"].state == "waiting"


@virtual
async def test_many_makers_are_told_of_over_several_frames(monkeypatch):
    """However many change at once, one frame tells of a bounded number, and the next ones of the rest."""
    monkeypatch.setattr("console.publisher.MAKERS_A_FRAME", 2)
    async with desk() as made:
        makers = [await made.maker("1", price=f"{90 + n}") for n in range(5)]
        async with watched(made, Counting()) as (_, screen):
            frame = await screen.look()
            assert {row.maker for row in frame.hedges} == set(makers)
            assert screen.mailbox.makers[:4] == [2, 2, 1, 0]
