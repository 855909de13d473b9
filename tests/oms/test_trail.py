"""I15: from the journal alone, which hedges answer each fill, and which fills caused each hedge."""

from collections import defaultdict
from decimal import Decimal

import msgspec
import pytest

from gateways.standards import ZERO, OrderStatus
from oms.evidence import Evidence
from oms.hedge import events as e
from oms.hedge.kernel import Kernel
from oms.hedge.policy import Leg, Policy
from oms.journal import MemoryJournal
from oms.records import Record
from oms.recovery import replay
from oms.trail import By, follow
from tests.simulation.session import Session

D = Decimal
BOOK = {"venue": "binance", "ticker": "ETHUSDT"}
S = OrderStatus


class StubClock:
    def __init__(self):
        self.now = 1_790_000_000_000_000_000

    def now_ns(self):
        self.now += 1_000_000
        return self.now


class Written:
    """A journal written by hand; each act returns its record's number."""

    def __init__(self):
        self.clock = StubClock()
        self.journal = MemoryJournal(self.clock)

    def maker(self, name, *legs):
        legs = legs or (Leg(**BOOK),)
        placed = e.MakerPlaced(maker=name, venue="hyperliquid", ticker="ETH", legs=legs, ts_ns=self.clock.now_ns())
        return self.journal.append("MakerPlaced", placed)

    def told(self, name, filled, status=S.PARTIAL):
        said = Evidence(key=name, status=status, filled=D(filled), ts_ns=self.clock.now_ns())
        return self.journal.append("Evidence", said)

    def hedge(self, name, amount, *parts, cause=None):
        parts = tuple(e.Part(maker, leg, D(quantity)) for maker, leg, quantity in parts)
        intended = e.Intended(
            child=name, **BOOK, amount=D(amount), parts=parts, policy=Policy(), rung=0, ts_ns=self.clock.now_ns()
        )
        return self.journal.append("Intended", intended, cause=cause)

    def forfeit(self, amount):
        told = e.Forfeited(**BOOK, ts_ns=self.clock.now_ns(), amount=D(amount), reason="dust")
        return self.journal.append("Forfeited", told)

    def trail(self):
        return follow(self.journal.records())

    def answers(self):
        return [(answer.fill, answer.by.value, answer.hedge, f"{answer.quantity:f}") for answer in self.trail().answers]


@pytest.fixture
def written():
    return Written()


def test_each_fill_is_answered_by_the_hedge_that_took_it(written):
    """Two fills, one hedge over both of them to the lot, the rest waits."""
    written.maker("m1")
    first, second = written.told("m1", "0.0137"), written.told("m1", "0.0274")
    written.hedge("h1", "-0.027", ("m1", 0, "-0.027"), cause=second)
    written.told("h1", "-0.027", S.FILLED)
    assert written.answers() == [
        (first, "hedge", "h1", "-0.0137"), (second, "hedge", "h1", "-0.0133"), (second, "waiting", None, "-0.0004"),
    ]  # fmt: skip
    (hedge,) = written.trail().hedges
    assert (hedge.cause, hedge.status, hedge.filled) == (second, S.FILLED, D("-0.027"))


def test_what_a_hedge_did_not_fill_is_answered_by_the_next(written):
    """An IOC that filled in part: the latest of what it took is owed again and goes with the hedge after it."""
    written.maker("m1")
    first, second = written.told("m1", "0.02"), written.told("m1", "0.03")
    written.hedge("h1", "-0.03", ("m1", 0, "-0.03"))
    written.told("h1", "-0.012", S.EXPIRED)
    written.hedge("h2", "-0.018", ("m1", 0, "-0.018"))
    written.told("h2", "-0.018", S.FILLED)
    assert written.answers() == [
        (first, "hedge", "h1", "-0.012"), (first, "hedge", "h2", "-0.008"), (second, "hedge", "h2", "-0.010"),
    ]  # fmt: skip


def test_opposite_makers_are_netted_and_the_rest_may_be_forfeited(written):
    """Bought 0.02, sold 0.013: 0.013 of both met, 0.007 is written off."""
    written.maker("m1")
    written.maker("m2")
    bought, sold = written.told("m1", "0.02"), written.told("m2", "-0.013")
    written.forfeit("-0.007")
    assert written.answers() == [
        (bought, "netted", None, "-0.013"), (bought, "forfeited", None, "-0.007"), (sold, "netted", None, "0.013"),
    ]  # fmt: skip


def test_a_hedge_that_the_venue_refused_answers_nothing(written):
    """All of it waits again."""
    written.maker("m1")
    fill = written.told("m1", "0.02")
    written.hedge("h1", "-0.02", ("m1", 0, "-0.02"))
    written.told("h1", "0", S.REJECTED)
    assert written.answers() == [(fill, "waiting", None, "-0.02")]


def test_a_hedge_nothing_was_heard_of_holds_what_it_took(written):
    """The journal ends after the intent: the fill is in its hands, and its state is not known."""
    written.maker("m1")
    fill = written.told("m1", "0.02")
    record = written.hedge("h1", "-0.02", ("m1", 0, "-0.02"))
    assert written.answers() == [(fill, "hedge", "h1", "-0.02")]
    (hedge,) = written.trail().hedges
    assert (hedge.record, hedge.status) == (record, S.UNKNOWN)


def test_each_leg_has_its_own_answers(written):
    """Two legs by their ratios; a fill told twice is one fill."""
    written.maker("m1", Leg(**BOOK, ratio=D("-0.5")), Leg(venue="binance", ticker="BTCUSDT", ratio=D("-0.1")))
    fill = written.told("m1", "0.04")
    written.told("m1", "0.04", S.CANCELLED)
    written.hedge("h1", "-0.02", ("m1", 0, "-0.02"))
    written.told("h1", "-0.02", S.FILLED)
    assert written.answers() == [(fill, "hedge", "h1", "-0.020"), (fill, "waiting", None, "-0.004")]
    assert len(written.trail().fills) == 1


def test_records_that_begin_with_a_checkpoint_tell_what_came_after_it(written):
    """What was filled and owed before belongs to no fill; a fill after it is told by its own growth."""
    written.maker("m1")
    written.told("m1", "0.02")
    written.hedge("h1", "-0.012", ("m1", 0, "-0.012"))
    past = replay(written.journal.records(), Kernel(str))
    written.told("h1", "-0.002", S.EXPIRED)
    fill = written.told("m1", "0.025")
    written.hedge("h2", "-0.02", ("m1", 0, "-0.02"))
    header, *rest = written.journal.records()
    known = msgspec.json.decode(msgspec.json.encode(past.checkpoint()))
    checkpoint = Record(v=1, n=rest[2].n, ts_ns=rest[2].ts_ns, kind="Checkpoint", cause=None, data=known)
    trail = follow([header, checkpoint, *rest[3:]])
    assert [each.amount for each in trail.fills] == [D("0.005")]
    assert [(answer.fill, answer.by, answer.hedge, answer.quantity) for answer in trail.answers] == [
        (None, By.HEDGE, "h2", D("-0.008")), (None, By.HEDGE, "h2", D("-0.010")),
        (fill, By.HEDGE, "h2", D("-0.002")), (fill, By.WAITING, None, D("-0.003")),
    ]  # fmt: skip


class Kept(Session):
    """A simulated session that keeps its journal."""

    def _digest(self, image):
        self.image = image
        return super()._digest(image)


@pytest.mark.parametrize("kills", [False, True], ids=["faults", "faults and kills"])
def test_everything_is_answered_once_whatever_happened(kills):
    """Each fill's answers come to what it made owed, each hedge's to what it filled or still may."""
    fills = hedges = 0
    for seed in range(201, 211):
        session = Kept(seed, faults=True, kills=kills)
        session.run()
        trail = follow(MemoryJournal(StubClock(), image=session.image).records())
        fills, hedges = fills + len(trail.fills), hedges + len(trail.hedges)
        check_sums(trail)
    assert fills > 20
    assert hedges > 20


def check_sums(trail):
    makers = trail.past.kernel.makers
    by_fill = defaultdict(lambda: ZERO)
    by_hedge = defaultdict(lambda: ZERO)
    for answer in trail.answers:
        by_fill[answer.fill, answer.maker, answer.leg] += answer.quantity
        if answer.by is By.HEDGE:
            by_hedge[answer.hedge] += answer.quantity
    for fill in trail.fills:
        for index, leg in enumerate(makers[fill.maker].legs):
            assert by_fill[fill.record, fill.maker, index] == fill.amount * leg.ratio
    for hedge in trail.hedges:
        child = trail.past.kernel.children[hedge.intended.child]
        assert by_hedge[hedge.intended.child] == hedge.filled + child.in_flight
        assert hedge.cause is None or hedge.cause < hedge.record
