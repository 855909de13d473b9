"""The states as a machine, against the real OMS: what they refuse is judged where it would arrive, at the venues' door.

The model knows nothing of the desk's code: it says after each act of the operator, and each thing that goes wrong, what
may arrive from then on.
"""

import asyncio
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gateways.errors import Denied
from gateways.standards import ZERO
from gateways.transport.virtual import VirtualLoop
from oms import limits
from oms.cloid import CloidKind
from oms.journal import MemoryJournal
from oms.states import Live
from tests.oms.stub_venue import START_NS, D
from tests.states.door import WatchedDesk, is_new, tried

IDLE_S = 90
NOTICED_S = 1.0
"""How long the desk may take to notice that it is idle."""
NAME = "main"


class States(RuleBasedStateMachine):
    """A live desk. Its twin on paper is below."""

    live = Live(name=NAME, rules=limits.Arming(idle_s=IDLE_S, clock_skew_ms=500, on_reconnect=True))

    def __init__(self):
        super().__init__()
        self.loop = VirtualLoop(START_NS)
        asyncio.set_event_loop(self.loop)
        self.folder = tempfile.TemporaryDirectory()
        self.file = Path(self.folder.name) / "panic"
        self.wrong = []
        self.untold = False
        self.arming, self.trading = ("SAFE" if self.live else "PAPER"), "ACTIVE"
        self.touched_s = self.loop.time()
        self.tasks = []
        self.start()

    # ---------------------------------------------------------------- the judge

    def judge(self, venue, order, kind, *, raises):
        """What arrives at a venue's door, by what the model says now."""
        self.forget_idle()
        said = f"{kind} {order.amount} at {venue} while {self.arming} {self.trading}"
        if kind is CloidKind.HEDGE:
            self.refuse(self.trading == "HALTED", said)
        elif is_new(kind):
            self.refuse(raises and (self.arming == "SAFE" or self.trading != "ACTIVE"), said)
            self.refuse(not raises and self.trading not in {"ACTIVE", "REDUCING"}, said)
        else:
            self.refuse(kind is not CloidKind.FLATTEN or raises, said)

    def refuse(self, wrong, said):
        if wrong:
            self.wrong.append(said)

    # ---------------------------------------------------------------- life

    def start(self, journal=None, venues=None):
        self.desk = WatchedDesk(
            self.loop, self.judge, journal=journal, venues=venues, live=self.live, kill_file=self.file,
            pending_timeout=2.0,
        )  # fmt: skip
        self.run(self.desk.oms.init())

    def run(self, work):
        return self.loop.run_until_complete(work)

    def do(self, act, *arguments):
        """Call what is not async, on the loop all the same."""

        async def call():
            return act(*arguments)

        return self.run(call())

    def pass_time(self, seconds):
        """Let time pass; an armed desk that is left alone for long enough is SAFE from then on."""
        self.run(asyncio.sleep(seconds))

    def forget_idle(self):
        """Take an armed desk that nobody touched for SAFE, once the desk has had its half second to notice."""
        left = self.touched_s + IDLE_S - self.loop.time()
        noticing = -NOTICED_S < left <= 0 and self.desk.oms.arming.value == "SAFE"
        # A stream that kept a fill to itself is opened anew, which disarms as any loss of it does.
        deaf = self.untold and "the private stream of a was lost" in self.desk.oms.state.because
        if self.arming == "ARMED" and (left <= -NOTICED_S or noticing or deaf):
            self.arming = "SAFE"

    def begin(self, work):
        self.tasks.append(self.loop.create_task(tried(work)))

    def tighten(self, trading, *, disarm=True):
        """From now on less may arrive."""
        self.trading = trading
        if disarm and self.arming == "ARMED":
            self.arming = "SAFE"

    def settle(self):
        """Let everything that is under way end."""
        self.pass_time(8.0)
        assert all(task.done() for task in self.tasks)

    # ---------------------------------------------------------------- orders

    @rule(amount=st.sampled_from(["0.4", "-1"]), reduce=st.booleans(), hedged=st.booleans(), burst=st.integers(1, 6))
    def place(self, amount, reduce, hedged, burst):
        """Several at once: the last ones have to wait for the budget."""
        oms = self.desk.oms
        for step in range(burst):
            order = {"exc": "a", "ticker": "X", "amount": amount, "price": 100 + step, "reduce_only": reduce}
            legs = {"exc": "b", "ticker": "X"}
            self.begin(oms.hedge_order(order, legs) if hedged else oms.limit_order(order))
        self.run(asyncio.sleep(0.01))

    @rule(which=st.integers(0, 5), amount=st.sampled_from([None, "0.2", "3"]), price=st.sampled_from([None, "101.5"]))
    def amend(self, which, amount, price):
        order = self.one(which)
        if order is None or (amount is None and price is None):
            return
        size = None if amount is None else D(amount).copy_sign(order.amount)
        self.begin(self.desk.oms.amend_order(order.key, amount=size, price=None if price is None else D(price)))
        self.run(asyncio.sleep(0.01))

    @rule(which=st.integers(0, 5), told=st.booleans())
    def fill(self, which, told):
        """A fill of which nothing is told is found when the order is asked about, in whatever state that is then."""
        order = self.one(which)
        if order is not None:
            self.untold = self.untold or not told
            held = self.desk.a.held[order.key]
            tell = ("fill", "order") if told else ()
            self.do(lambda: self.desk.a.trade(order.key, held.amount - held.filled, tell=tell))
            self.run(asyncio.sleep(0.01))

    @rule(which=st.integers(0, 5))
    def cancel(self, which):
        """A cancel passes in every state."""
        self.settle()
        order = self.one(which)
        if order is not None:
            self.run(self.desk.oms.cancel_order(order.venue, "X", cloid=order.key))
            assert self.desk.a.held[order.key].status.terminal

    @rule(where=st.sampled_from("ab"))
    def flatten(self, where):
        """Getting out of a position passes in every state."""
        self.settle()
        if self.desk.venues[where].position["X"] != ZERO:
            self.pass_time(0.0)
            task = self.loop.create_task(self.desk.oms.flatten(where, "X"))
            self.pass_time(30.0)
            said = task.result()
            stuck = "did not settle" in said.text  # a hedge order of a book that is HALTED in the middle of it
            assert said.done or stuck, said

    # ---------------------------------------------------------------- the operator

    @rule(name=st.sampled_from([NAME, NAME, NAME, "mian", ""]))
    def arm(self, name):
        try:
            self.do(self.desk.oms.arm, name)
        except Denied:
            assert self.live is None or name != NAME or self.file.exists() or self.skewed
        else:
            assert self.live is not None
            assert name == NAME
            self.arming, self.touched_s = "ARMED", self.loop.time()

    @rule(act=st.sampled_from(["disarm", "panic", "halt", "reducing"]))
    def stop(self, act):
        getattr(self, act)()

    def disarm(self):
        if self.live is None:
            self.trading = "HEDGE-ONLY"
        else:
            self.tighten(self.trading)
        self.do(self.desk.oms.disarm)

    def panic(self):
        """From every state this one act reaches: no maker arrives any more, and none is left."""
        self.tighten("HEDGE-ONLY")
        self.run(self.desk.oms.panic())
        self.settle()
        assert self.resting() == []

    def halt(self):
        self.tighten("HALTED")
        self.run(self.desk.oms.halt_trading())
        self.settle()
        assert self.resting() == []

    def reducing(self):
        try:
            task = self.loop.create_task(self.desk.oms.reducing())
            self.tighten("REDUCING", disarm=False)
            before = self.trading
            self.run(task)
        except Denied:
            self.trading = self.desk.oms.trading.value
            assert self.file.exists(), before
            return
        self.settle()
        assert all(order.reduce_only for order in self.resting())

    @rule()
    def activate(self):
        before, self.trading = self.trading, "ACTIVE"
        try:
            self.do(self.desk.oms.activate)
        except Denied:
            self.trading = before
            assert self.file.exists()
        self.run(asyncio.sleep(0.01))

    def touch(self):
        """The file pulls the kill switch within a fifth of a second."""
        new = not self.file.exists()
        self.file.touch()
        if new:
            self.run(asyncio.sleep(0.2))
            self.tighten("HEDGE-ONLY")
            self.settle()
            assert self.resting() == []

    @rule()
    def make_ready(self):
        """All that is in the way is mended, trading is activated, the desk is armed."""
        self.remove()
        self.skew(0)
        self.activate()
        self.arm(NAME)

    def remove(self):
        """That the file goes away ends nothing."""
        self.file.unlink(missing_ok=True)
        self.run(asyncio.sleep(0.2))

    # ---------------------------------------------------------------- what goes wrong

    skewed = False

    @rule(what=st.sampled_from([
        ("touch",), ("remove",), ("skew", 300), ("skew", -800), ("skew", 2_000), ("reconnect",), ("jump", 60),
        ("jump", -3600), ("wait", 5.0), ("wait", 40.0), ("wait", 100.0),
    ]))  # fmt: skip
    def trouble(self, what):
        name, *arguments = what
        getattr(self, name)(*arguments)

    def skew(self, ms):
        self.desk.oms.health.clock_measured("b", ms * 1_000_000)
        self.skewed = abs(ms) > 500 and self.live is not None
        self.run(asyncio.sleep(1.0))
        if self.skewed and self.arming == "ARMED":
            self.arming = "SAFE"

    def reconnect(self):
        self.do(lambda: self.desk.a.private(connected=False))
        self.tighten(self.trading)
        self.do(lambda: self.desk.a.private(connected=True))
        self.settle()

    def jump(self, seconds):
        self.loop.jump(seconds * 1_000_000_000)
        self.pass_time(1.5)
        self.tighten("HEDGE-ONLY")
        self.settle()
        assert self.resting() == []

    def wait(self, seconds):
        self.pass_time(seconds)

    @precondition(lambda self: all(task.done() for task in self.tasks))
    @rule()
    def restart(self):
        """A restart brings the trading state back and never the arming."""
        self.run(self.desk.oms.cleanup())
        if self.live is not None:
            self.arming = "SAFE"
        if self.file.exists():
            self.trading = "HEDGE-ONLY"
        venues = self.desk.venues
        self.skewed = False
        self.start(MemoryJournal(self.loop, self.desk.journal.image), venues)

    # ---------------------------------------------------------------- always

    def one(self, which):
        """One of the operator's orders that rest, None where none does."""
        resting = self.resting()
        return resting[which % len(resting)] if resting else None

    def resting(self):
        """The operator's orders that rest at the venues."""
        pages = self.desk.oms.page
        held = [pages.get(key) for key, each in self.desk.a.held.items() if not each.status.terminal]
        return [order for order in held if order is not None]

    @invariant()
    def nothing_arrived_that_was_refused(self):
        assert self.wrong == [], self.wrong

    @invariant()
    def the_states_are_those_of_the_model(self):
        self.forget_idle()
        assert (self.desk.oms.arming.value, self.desk.oms.trading.value) == (self.arming, self.trading)

    def teardown(self):
        self.run(self.desk.oms.cleanup())
        left = asyncio.all_tasks(self.loop)
        for task in left:
            task.cancel()
        self.run(asyncio.gather(*left, return_exceptions=True))
        asyncio.set_event_loop(None)
        self.loop.close()
        self.folder.cleanup()


class PaperStates(States):
    """The same desk on paper: it needs no arming."""

    live = None


TestLive, TestPaper = States.TestCase, PaperStates.TestCase
for _case in (TestLive, TestPaper):
    _case.settings = settings(
        max_examples=50, stateful_step_count=40, deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )  # fmt: skip
del _case
