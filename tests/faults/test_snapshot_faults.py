"""P7: positions and orders that are not ours to hedge, and snapshots that are stale or fail."""

import pytest

from gateways.paper.records import NewOrder
from gateways.standards import OrderKind
from oms.orders import Role
from tests.faults.desk import D, under_fault, until
from tests.faults.rows import row, slow_row


def trade_by_hand(desk, part, quantity, *, is_buy, client_id="typed by hand"):
    """Let the account's owner trade at the market on the venue's own page."""
    name = desk.venue(part)
    ticker = desk.maker_ticker if part == "maker" else desk.hedge_ticker
    client_id = None if name == "hyperliquid" else client_id.replace(" ", "-")
    new = NewOrder(ticker=ticker, is_buy=is_buy, quantity=D(quantity), client_id=client_id)
    order = desk.server.venues[name].exchange.submit(desk.account(name), new)
    desk.server.venues[name].deliver()
    return order


@row
async def test_order_typed_by_hand_in_the_hedge_contract(seed):
    """Positions move, no book does: typed here, or on the venue's own page."""
    async with under_fault(seed) as desk:
        order = await desk.place()
        desk.fill(order, "0.05")
        await desk.hedged_in_full()
        before = (desk.book.target, desk.book.hedged, len(desk.children))
        name = desk.hedge_venue, desk.hedge_ticker
        typed = await desk.oms.market_order({"exc": name[0], "ticker": name[1], "amount": D("0.03")})
        assert typed.role is Role.MANUAL
        trade_by_hand(desk, "hedge", "0.02", is_buy=True)
        await until(lambda: desk.oms.positions.get(*name) == D("0"), 5)
        assert (desk.book.target, desk.book.hedged, len(desk.children)) == before
        desk.fill(order, "0.05")
        await desk.hedged_in_full()
        assert abs(desk.target) == D("0.1")


@row
async def test_position_there_before_the_start(seed):
    """What is held at the start is the baseline: no drift alarm, no obligation."""

    def held(server):
        for name, ticker in (("binance", "ETHUSDT"), ("hyperliquid", "ETH")):
            venue = server.venues[name]
            new = NewOrder(ticker=ticker, is_buy=name == "binance", quantity=D("0.7"))
            venue.exchange.submit(venue.credentials.key, new)

    async with under_fault(seed, before=held) as desk:
        order = await desk.place()
        desk.fill(order, "0.05")
        await desk.hedged_in_full()
        await desk.proven()
        assert abs(desk.target) == D("0.05")
        assert desk.oms.positions.drifts() == {}
        assert not desk.alerted("differs from the sum")
        assert abs(desk.oms.positions.get("binance", "ETHUSDT")) > D("0.6")


@row
@pytest.mark.parametrize("kind", ["liquidation", "adl", "settlement"])
async def test_liquidation_adl_settlement_fill_on_a_hedge_contract(seed, kind):
    """The venue itself closes a part of the hedge: HOLD, an alert with the size; the operator reopens it."""
    async with under_fault(seed) as desk:
        order = await desk.place()
        desk.fill(order, "0.05")
        await desk.hedged_in_full()
        acts = desk.server.venues[desk.hedge_venue].faulty.acts
        acts.force(desk.account(desk.hedge_venue), desk.hedge_ticker, D("0.02"), kind)
        desk.server.venues[desk.hedge_venue].deliver()
        await until(lambda: desk.book.hold, 5, desk.story)
        assert "0.02" in desk.book.hold
        await until(lambda: desk.alerted("0.02", "error"))
        assert (desk.book.target, desk.book.hedged) == (-D("0.05"), -D("0.05")), "positions only"
        await until(lambda: desk.oms.page.get(order.key).status.value == "CANCELLED", 5)
        desk.oms.hedge.resume(desk.hedge_venue, desk.hedge_ticker)
        desk.oms.hedge.reopen(desk.hedge_venue, desk.hedge_ticker, -D("0.02"), "closed by the venue")
        await until(lambda: desk.hedged == -D("0.07"), 10, desk.story)
        await until(lambda: desk.oms.positions.get(desk.hedge_venue, desk.hedge_ticker) == -D("0.05"), 5)


@row
@pytest.mark.parametrize("part", ["maker", "hedge"])
async def test_trade_bust_or_correction(seed, part):
    """A trade becomes smaller after the fact: the book freezes with an alert, and only the operator lowers anything."""
    async with under_fault(seed) as desk:
        order = await desk.place()
        desk.fill(order, "0.05")
        await desk.hedged_in_full()
        (made,) = desk.truth(part).fills.values()
        acts = desk.server.venues[desk.venue(part)].faulty.acts
        acts.correct(desk.account(desk.venue(part)), made.trades[0], D("0.03"))
        await until(lambda: "corrected" in desk.book.hold, 5, desk.story)
        await until(lambda: desk.alerted("was corrected by", "error"))
        assert (desk.book.target, desk.book.hedged, desk.book.balance) == (-D("0.05"), -D("0.05"), 0)
        assert len(desk.children) == 1
        await until(lambda: desk.oms.page.get(order.key).status.value == "CANCELLED", 5)
        told = len(desk.alerted("was corrected by"))
        await desk.oms.reconcile()
        assert len(desk.alerted("was corrected by")) == told, "said once, however often the venue repeats it"


@row
async def test_order_unknown_to_us_at_the_venue(seed):
    """External: shown as such, and no obligation, whatever it fills."""
    async with under_fault(seed) as desk:
        exchange, name = desk.exchange("maker"), desk.maker_venue
        price = exchange.best(desk.maker_ticker)[0].price // 1 - 100
        client_id = None if name == "hyperliquid" else "somebody-elses"
        new = NewOrder(ticker=desk.maker_ticker, is_buy=True, quantity=D("0.05"), price=price, client_id=client_id)
        placed = exchange.submit(desk.account(name), new)
        order = await desk.place(away="0.06")
        oid = desk.oid(name, placed.order_id)
        await until(lambda: desk.oms.page.by_oid(name, desk.maker_ticker, oid) is not None, 5)
        assert desk.oms.page.by_oid(name, desk.maker_ticker, oid).role is Role.EXTERNAL
        desk.acts.aggress(desk.maker_ticker, D(2000), is_buy=False, price=price)
        desk.server.venues[name].deliver()
        await until(lambda: exchange.order(desk.account(name), desk.maker_ticker, order_id=placed.order_id).filled > 0)
        await until(lambda: desk.oms.page.by_oid(name, desk.maker_ticker, oid).filled > 0, 5)
        assert desk.book.target == 0
        assert desk.oms.page.get(order.key).status.value == "NEW"
        assert desk.children == []


@row
@pytest.mark.parametrize("part", ["maker", "hedge"])
async def test_rest_stale(seed, part):
    """Answers as they were before: nothing that is known is lowered, no order is taken for gone, no second hedge."""
    async with under_fault(seed) as desk:
        order = await desk.place()
        desk.fill(order, "0.03")
        await desk.hedged_in_full()
        await desk.asked_about(part)
        desk.fault(part, "snapshot_stale", seconds=5)
        later = await desk.place(away="0.03")
        seen = []
        for size in ("0.02", "0.01", "0.04"):
            desk.fill(order, size)
            await desk.hedged_in_full()
            seen.append(desk.book.target)
        await until(lambda: desk.struck(part, "snapshot_stale") >= 4, 10)
        assert desk.oms.page.get(later.key).working
        assert abs(desk.book.target) == D("0.1")
        assert len(desk.children) == 4
        await desk.proven()


@slow_row
async def test_rest_stale_with_the_stream_silent(seed):
    """Nothing at all is new for a while: found when either speaks again, and hedged once."""
    async with under_fault(seed) as desk:
        order = await desk.place()
        desk.fill(order, "0.03")
        await desk.hedged_in_full()
        await desk.asked_about("maker")
        desk.fault("maker", "snapshot_stale", seconds=2)
        desk.fault("maker", "stream_silent", seconds=2)
        desk.fill(order, "0.05")
        await desk.hedged_in_full(10)
        assert abs(desk.target) == D("0.08")
        assert len(desk.children) == 2
        await desk.proven()


@slow_row
@pytest.mark.parametrize("lost", [False, True], ids=["503", "timeout"])
@pytest.mark.parametrize("part", ["maker", "hedge"])
async def test_snapshot_fails(seed, part, lost):
    """A failed snapshot is not "flat" and not "none": nothing changes, and hedging goes on."""
    async with under_fault(seed) as desk:
        order = await desk.place()
        desk.fill(order, "0.03")
        await desk.hedged_in_full()
        positions = {name: desk.oms.positions.get(name, ticker) for name, ticker in desk.contracts}
        desk.fault(part, "snapshot_fails", seconds=4, lost=lost)
        await until(lambda: desk.struck(part, "snapshot_fails") >= 1, 8)
        assert desk.oms.page.get(order.key).working
        assert {name: desk.oms.positions.get(name, ticker) for name, ticker in desk.contracts} == positions
        desk.fill(order, "0.05")
        await desk.hedged_in_full()
        assert abs(desk.target) == D("0.08")
        assert len(desk.children) == 2
        await desk.proven(12)


@slow_row
async def test_order_query_fails(seed):
    """While single orders cannot be asked, an unknown hedge stays unknown: a failed query is not an answer (I9)."""
    async with under_fault(seed) as desk:
        order = await desk.place()
        desk.fault("hedge", "order_query_fails", count=3)
        desk.fault("hedge", "push_lost", seconds=2)
        desk.fault("hedge", "answer_lost", verb="place")
        desk.fill(order, "0.05")
        book = desk.book
        await until(lambda: desk.struck("hedge", "order_query_fails") >= 1 and book.in_flight == book.target != 0, 5)
        await desk.hedged_in_full()
        assert len(desk.children) == 1
        await desk.proven()


@row
async def test_market_order_is_no_maker(seed):
    """An order without legs fills and opens no obligation (I13)."""
    async with under_fault(seed) as desk:
        await desk.oms.market_order(
            {"exc": desk.maker_venue, "ticker": desk.maker_ticker, "amount": D("0.05"), "kind": OrderKind.MARKET}
        )
        await until(lambda: desk.oms.positions.get(desk.maker_venue, desk.maker_ticker) == D("0.05"), 5)
        assert all(book.target == 0 for book in desk.oms.kernel.books.values())
