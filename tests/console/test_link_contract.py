"""The link's contract, which both carriers keep: what one of them promises a console, the other one does too."""

import asyncio
from decimal import Decimal

import pytest

from tests.carrier.engines import RESTING, Screen, link_of, short_folder, venues

HEDGED = "buy 0.0137 hyperliquid:ETH @ opponent1 hedge binance:ETHUSDT market"


@pytest.fixture
def server():
    """Paper venues for one test: each engine that starts spends of their rate limits."""
    with venues() as (_, server):
        yield server


@pytest.fixture(params=["embedded", "process"])
def link(request, server):
    """A link to a running engine, by either carrier."""
    with short_folder() as folder, link_of(request.param, server, folder) as link:
        yield link


async def test_a_console_is_told_how_the_desk_stands(link):
    """Header, contracts, venues and handlers come without being asked for."""
    screen = Screen(link)
    await screen.until(lambda: screen.mirror.venues and screen.mirror.contracts and screen.mirror.handlers)
    assert screen.mirror.header.arming == "PAPER"
    assert screen.mirror.header.trading == "ACTIVE"
    assert {row.venue for row in screen.mirror.venues.values()} == {"binance", "hyperliquid"}


async def test_a_command_is_done_and_its_rows_come(link):
    """Order, deltas, fills, hedge book and log lines follow, decimals exact to the last digit."""
    screen = Screen(link)
    reply = await link.command(HEDGED)
    assert reply.ok, reply.error
    await screen.until(lambda: any(row.hedged == Decimal("-0.013") for row in screen.mirror.books.values()))
    order = screen.mirror.orders[reply.cloid]
    assert (order.amount, order.role) == (Decimal("0.0137"), "maker")
    assert isinstance(order.amount, Decimal)
    await screen.until(lambda: {"sent", "answer", "command", "reply"} <= {line.kind for line in screen.log})
    told = [line.kind if line.kind == "command" else line.text.partition(" ")[0] for line in screen.log]
    assert told.index("command") < told.index("place")  # what it led to stands below it
    assert reply.cloid in {row.cloid for row in screen.deltas}
    assert reply.cloid in {row.cloid for row in screen.mirror.fills.values()}


@pytest.mark.parametrize("line", ["buy nothing", "buy 1 nowhere:ETH @ 1", "cancel ffff", "x" * 500, "x" * 100_000])
async def test_a_refused_command_is_one_sentence(link, line):
    """It never raises, and says what is wrong, of any length; the next one is taken."""
    reply = await link.command(line)
    assert not reply.ok
    assert reply.error
    assert not (await link.preview(line)).ok
    assert (await link.command("disarm")).ok


async def test_a_preview_sends_nothing(link):
    """It tells the notional, and no order is there afterwards."""
    screen = Screen(link)
    preview = await link.preview(RESTING)
    assert preview.ok, preview.error
    assert isinstance(preview.notional, Decimal)
    wrong = await link.preview("buy 0.01 hyperliquid:NONE @ 1000")
    assert (wrong.ok, wrong.field) == (False, "ticker")
    await screen.until(lambda: screen.mirror.header is not None)
    assert not list(screen.mirror.open_orders())


async def test_a_watched_contract_has_its_ladder_and_its_tape_each_trade_once(link):
    """Watched again, the same contract brings no trade twice to the one who watched."""
    screen = Screen(link)
    link.watch("hyperliquid", "ETH")
    await screen.until(lambda: ("hyperliquid", "ETH") in screen.mirror.ladders and len(screen.trades) >= 3)
    assert {row.ticker for row in screen.trades} == {"ETH"}
    assert len({row.trade_id for row in screen.trades}) == len(screen.trades)


async def test_what_nobody_takes_is_merged_and_the_last_state_of_each_order_comes(link):
    """A console that does not look for a while misses states in between, and nothing else."""
    replies = await asyncio.gather(*(link.command(RESTING) for _ in range(20)))
    assert all(reply.ok for reply in replies)
    cancelled = await link.command("cancel all")
    assert cancelled.ok, cancelled.error
    screen = Screen(link)
    keys = {reply.cloid for reply in replies}
    await screen.until(lambda: {key for key, row in screen.mirror.orders.items() if row.terminal} >= keys)
    assert screen.mirror.merged >= 1


async def test_commands_are_answered_side_by_side(link):
    """One that takes its time does not hold up the next."""
    slow = asyncio.create_task(link.command("reconcile"))
    quick = await asyncio.gather(*(link.command("nonsense") for _ in range(10)))
    assert not any(reply.ok for reply in quick)
    assert (await slow).ok


async def test_panic_cancels_every_maker(link):
    """Whichever way it came, no maker rests and the state says so."""
    screen = Screen(link)
    assert (await link.command(RESTING)).ok
    reply = await link.command("panic")
    assert reply.ok, reply.error
    await screen.until(lambda: screen.mirror.header is not None and screen.mirror.header.trading == "HEDGE-ONLY")
    await screen.until(lambda: not list(screen.mirror.open_orders(role="maker")))


async def test_the_two_phase_stop_leaves_no_maker_and_says_so(link):
    """It is ok only when nothing is left, and after it nothing is sent any more."""
    assert (await link.command(RESTING)).ok
    reply = await link.stop(two_phase=True)
    assert reply.ok, reply.error


async def test_leaving_waits_for_nothing(link):
    """Without the two phases a console leaves at once, whatever rests."""
    assert (await link.command(RESTING)).ok
    assert (await link.stop(two_phase=False)).ok
