"""The desk: commands of the grammar on an OMS with real gateways and paper venues, and what it answers."""

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest

from console.desk import Desk
from console.headless import open_oms
from console.link import Reply
from gateways.paper.sockets import PaperServer, running
from gateways.standards import OrderKind, PlaceOrder
from oms.hedge import events as e
from oms.hedge.state import ChildState
from oms.orders import Role
from tests.desk import until

BOOK = "binance:ETHUSDT"
HEDGED = "buy 0.0137 hyperliquid:ETH @ opponent1 hedge binance:ETHUSDT market"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """A desk on paper venues of its own."""
    async with (
        running(PaperServer(["binance", "hyperliquid"], seed=7)) as server,
        open_oms(server.endpoints, tmp_path) as oms,
    ):
        yield Desk(oms)


async def done(desk: Desk, line: str) -> Reply:
    """Run a line that must be taken."""
    reply = await desk.line(line)
    assert reply.ok, reply.error
    return reply


async def refused(desk: Desk, line: str) -> str:
    """Run a line that must be refused, with one sentence; its preview says the same."""
    reply, preview = await desk.line(line), desk.preview(line)
    assert (reply.ok, preview.ok, preview.error) == (False, False, reply.error)
    assert reply.error
    assert "\n" not in reply.error
    return reply.error


async def waiting(desk: Desk) -> None:
    """Bring the book to what is under the lot of 0.001: it waits with -0.0007."""
    await done(desk, HEDGED)
    await until(lambda: desk.oms.hedge_balance.get("binance", {}).get("ETHUSDT") and desk.oms.idle)


def journaled(folder: Path, kind: str) -> list[str]:
    """The journal's lines of a kind."""
    lines = [line for path in folder.glob("journal*") for line in path.read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if f'"kind":"{kind}"' in line]


async def test_the_acts_on_a_book_do_what_they_say(desk: Desk, tmp_path: Path) -> None:
    """What is forfeited and reopened adds up, and each act is in the journal with its reason."""
    await waiting(desk)
    assert (await done(desk, f"forfeit -0.0002 {BOOK} because dust")).text.startswith(f"{BOOK} -0.0005 waits")
    assert (await done(desk, f"forfeit {BOOK}")).text == f"{BOOK} nothing waits"
    assert (await done(desk, f"reopen -0.0007 {BOOK} because it was not")).text.startswith(f"{BOOK} -0.0007 waits")
    assert desk.oms.hedge_book["binance"]["ETHUSDT"].forfeited == 0
    await done(desk, f"pause {BOOK} because of lunch")
    assert desk.oms.kernel.books["binance", "ETHUSDT"].paused == "by the operator because of lunch"
    await done(desk, f"resume {BOOK} because lunch is over")
    assert not desk.oms.kernel.books["binance", "ETHUSDT"].paused
    dust, rest = journaled(tmp_path, "Forfeited")
    assert '"reason":"by the operator because dust"' in dust
    assert '"reason":"by the operator"' in rest
    (resumed,) = journaled(tmp_path, "Resumed")
    assert '"reason":"by the operator because lunch is over"' in resumed


async def test_round_up_sends_the_smallest_order_and_owes_the_excess_back(desk: Desk) -> None:
    """What is under the minimum is hedged with one order over it; the excess waits the other way."""
    await waiting(desk)
    preview = desk.preview(f"round up {BOOK}")
    assert (preview.ok, "-0.0007 waits" in preview.sentence, "at market" in preview.sentence) == (True, True, True)
    reply = await done(desk, f"round up {BOOK}")
    assert " is sent; binance:ETHUSDT 0.0" in reply.text
    await until(lambda: desk.oms.idle)
    book = desk.oms.hedge_book["binance"]["ETHUSDT"]
    assert book.balance > 0
    assert book.target == book.hedged + book.balance
    assert (await desk.oms.verify()).consistent


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("forfeit 0.0002 binance:ETHUSDT", "the balance is -0.0007, give its sign"),
        ("forfeit -1 binance:ETHUSDT", "at most its size"),
        ("forfeit hyperliquid:ETH", "is no hedge book"),
        ("reopen 1 hyperliquid:ETH", "is no hedge book"),
        ("round up binance:ETHUSD", "did you mean ETHUSDT"),
        ("pause kraken:ETHUSDT", "there is no venue 'kraken' here: binance or hyperliquid"),
        ("flatten kraken", "there is no venue 'kraken' here: binance or hyperliquid"),
        ("cancel kraken:ETH", "there is no venue 'kraken' here: binance or hyperliquid"),
        ("reconcile krakn", "there is no venue 'krakn' here: binance or hyperliquid"),
        ("buy 1 kraken:ETHUSDT", "there is no venue 'kraken' here: binance or hyperliquid"),
        ("absent ffff", "no order starts with 'ffff'"),
    ],
)
async def test_a_refusal_is_one_sentence_and_the_preview_says_it_before(desk: Desk, line: str, words: str) -> None:
    """What cannot be done is said in one sentence that names what was given, while typing and when sent."""
    await waiting(desk)
    assert words in await refused(desk, line)
    assert desk.oms.hedge_book["binance"]["ETHUSDT"].forfeited == 0


async def test_a_book_without_a_balance_has_nothing_to_forfeit_or_round_up(desk: Desk) -> None:
    """Where nothing waits, an act that needs a balance is refused."""
    await waiting(desk)
    await done(desk, f"forfeit {BOOK}")
    assert await refused(desk, f"forfeit {BOOK}") == f"{BOOK} has nothing to forfeit: its balance is 0"
    assert await refused(desk, f"round up {BOOK}") == f"{BOOK} has nothing to round up"


async def test_a_reduce_only_leg_must_fit_beside_the_others(desk: Desk) -> None:
    """What the position allows is shared by the reduce-only legs: refused when placed, as soon as it is typed."""
    leg = "hedge binance:ETHUSDT market reduce"
    assert "the position in binance:ETHUSDT is 0" in await refused(
        desk, f"buy 0.1 hyperliquid:ETH @ queue20 post {leg}"
    )
    await done(desk, "buy 0.3 binance:ETHUSDT")
    await until(lambda: desk.oms.positions.get("binance", "ETHUSDT") == Decimal("0.3"))
    first = await done(desk, f"buy 0.1 hyperliquid:ETH @ queue20 post {leg}")
    await done(desk, f"buy 0.1 hyperliquid:ETH @ queue10 post {leg}")
    line = f"buy 0.11 hyperliquid:ETH @ queue5 post {leg}"
    assert await refused(desk, line) == (
        "leg 1 is reduce-only and would sell 0.11, but the position in binance:ETHUSDT is 0.3, "
        "0.2 of it is for other reduce-only legs"
    )
    preview = desk.preview(line)
    assert (preview.field, line[preview.caret or 0 :]) == ("leg 1 reduce", "reduce")
    assert "would sell 0.21" in (await desk.line(f"amend {first.cloid} amount 0.21")).error
    await done(desk, f"amend {first.cloid} amount 0.2")
    await done(desk, f"cancel {first.cloid}")
    await done(desk, f"buy 0.2 hyperliquid:ETH @ queue5 post {leg}")


async def test_a_book_that_does_not_send_takes_no_makers(desk: Desk) -> None:
    """I10: on hold, or with too much unhedged already, a book's next maker is refused in a sentence that says why."""
    await waiting(desk)
    book = desk.oms.kernel.books["binance", "ETHUSDT"]
    line = "buy 0.1 hyperliquid:ETH @ queue20 post hedge binance:ETHUSDT"
    desk.oms.hedge.hold("binance", "ETHUSDT", "the venue refused our key")
    assert await refused(desk, line) == f"{BOOK} would not hedge it: the book is on HOLD, the venue refused our key"
    await done(desk, f"resume {BOOK}")
    book.capped = True
    assert await refused(desk, line) == f"{BOOK} would not hedge it: too much is unhedged in it already"
    book.capped = False
    await done(desk, line)


async def test_absent_needs_an_unknown_hedge_and_a_second_word(desk: Desk) -> None:
    """Only an unknown hedge order, and only said twice, is taken as never sent; then its part is hedged anew."""
    await waiting(desk)
    (maker,) = [order for order in desk.oms.page.orders() if order.role is Role.MAKER]
    (hedge,) = [order for order in desk.oms.page.orders() if order.role is Role.HEDGE]
    assert "is a maker" in await refused(desk, f"absent {maker.key[:8]}")
    assert "is not unknown" in await refused(desk, f"absent {hedge.key} confirmed")
    lost = _lose_a_hedge(desk)
    preview = desk.preview(f"absent {lost[:8]}")
    assert (preview.ok, "if it was sent, it is hedged twice" in preview.sentence) == (True, True)
    reply = await desk.line(f"absent {lost}")
    assert (reply.ok, f"absent {lost} confirmed" in reply.error) == (False, True)
    assert desk.oms.kernel.children[lost].state is ChildState.UNKNOWN
    reply = await done(desk, f"absent {lost} confirmed because the venue never showed it")
    assert f"{lost[:8]} is taken as never sent" in reply.text
    assert desk.oms.kernel.children[lost].state is ChildState.DONE
    assert desk.oms.hedge_balance["binance"]["ETHUSDT"] == desk.oms.kernel.children[lost].amount


def _lose_a_hedge(desk: Desk) -> str:
    """A hedge order that was intended and registered but of which nobody knows whether it left."""
    book = desk.oms.kernel.books["binance", "ETHUSDT"]
    desk.oms.hedge.pause("binance", "ETHUSDT", "so that nothing else is sent")
    amount, cloid, now = book.balance, "ab" * 16, desk.oms.clock.now_ns()
    (item,) = book.obligations
    desk.oms.kernel.replay(
        e.Intended(
            child=cloid, venue="binance", ticker="ETHUSDT", amount=amount, policy=item.policy, rung=0, ts_ns=now,
            parts=(e.Part(item.maker, item.leg, amount),),
        )
    )  # fmt: skip
    order = PlaceOrder(ticker="ETHUSDT", cloid=cloid, amount=amount, kind=OrderKind.MARKET)
    desk.oms.entry.register("binance", order, Role.HEDGE)
    desk.oms.hedge.doubt(cloid, "its answer never came")
    return cloid
