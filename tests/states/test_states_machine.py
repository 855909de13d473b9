"""The states as a machine, against the real OMS: what they refuse is judged where it would arrive, at the venues' door.

The model knows nothing of the desk's code: it says after each act of the operator, and after each thing that goes wrong,
what may arrive from then on.
"""

import asyncio
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, precondition, rule

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
NAME = "main"


class States(RuleBasedStateMachine):
    """A live desk. Its twin on paper is below."""

    makers = Bundle("makers")
    live = Live(name=NAME, rules=limits.Arming(idle_s=IDLE_S, clock_skew_ms=500, on_reconnect=True))

    def __init__(self):
        super().__init__()
        self.loop = VirtualLoop(START_NS)
        asyncio.set_event_loop(self.loop)
        self.folder = tempfile.TemporaryDirectory()
        self.file = Path(self.folder.name) / "panic"
        self.wrong = []
        self.arming, self.trading = ("SAFE" if self.live else "PAPER"), "ACTIVE"
        self.touched_s = self.loop.time()
        self.tasks = []
        self.start()

    # ---------------------------------------------------------------- the judge

    def judge(self, venue, order, kind, *, raises):
        """What arrives at a venue's door, by what the model says now."""
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
        if self.arming == "ARMED" and self.loop.time() + seconds - self.touched_s >= IDLE_S:
            left = max(0.0, self.touched_s + IDLE_S - self.loop.time())
            self.run(asyncio.sleep(left))
            self.run(asyncio.sleep(1.0))
            self.arming = "SAFE"
            seconds = max(0.0, seconds - left - 1.0)
        self.run(asyncio.sleep(seconds))

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

    @rule(target=makers, amount=st.sampled_from(["0.4", "-1"]), reduce=st.booleans(), hedged=st.booleans(),
          burst=st.integers(1, 6))  # fmt: skip
    def place(self, amount, reduce, hedged, burst):
        """Several at once: the last ones have to wait for the budget."""
        oms, keys = self.desk.oms, []
        for step in range(burst):
            order = {"exc": "a", "ticker": "X", "amount": amount, "price": 100 + step, "reduce_only": reduce}
            legs = {"exc": "b", "ticker": "X"}
            self.begin(oms.hedge_order(order, legs) if hedged else oms.limit_order(order))
        self.run(asyncio.sleep(0.01))
        keys += [order.key for order in oms.page.working()]
        return multiple(*keys)

    @rule(maker=makers, amount=st.sampled_from([None, "0.2", "3"]), price=st.sampled_from([None, "101.5"]))
    def amend(self, maker, amount, price):
        order = self.desk.oms.page.get(maker)
        if order is None or not order.working or (amount is None and price is None):
            return
        size = None if amount is None else D(amount).copy_sign(order.amount)
        self.begin(self.desk.oms.amend_order(maker, amount=size, price=None if price is None else D(price)))
        self.run(asyncio.sleep(0.01))

    @rule(maker=makers)
    def fill(self, maker):
        held = self.desk.a.held.get(maker)
        if held is not None and not held.status.terminal and abs(held.amount) > abs(held.filled):
            self.do(self.desk.a.trade, maker, held.amount - held.filled)
            self.run(asyncio.sleep(0.01))

    @rule(maker=makers)
    def cancel(self, maker):
        """A cancel passes in every state."""
        self.settle()
        order = self.desk.oms.page.get(maker)
        if order is None or not order.working:
            return
        self.run(self.desk.oms.cancel_order(order.venue, "X", cloid=maker))
        assert self.desk.venues[order.venue].held[maker].status.terminal

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

    @rule()
    def disarm(self):
        if self.live is None:
            self.trading = "HEDGE-ONLY"
        else:
            self.tighten(self.trading)
        self.do(self.desk.oms.disarm)

    @rule()
    def panic(self):
        """From every state this one act reaches: no maker arrives any more, and none is left."""
        self.tighten("HEDGE-ONLY")
        self.run(self.desk.oms.panic())
        self.settle()
        assert self.resting() == []

    @rule()
    def halt(self):
        self.tighten("HALTED")
        self.run(self.desk.oms.halt_trading())
        self.settle()
        assert self.resting() == []

    @rule()
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
        try:
            self.do(self.desk.oms.activate)
        except Denied:
            assert self.file.exists()
        else:
            self.trading = "ACTIVE"
            self.run(asyncio.sleep(0.01))

    @rule()
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
    def remove(self):
        """That the file goes away ends nothing."""
        self.file.unlink(missing_ok=True)
        self.run(asyncio.sleep(0.2))

    # ---------------------------------------------------------------- what goes wrong

    skewed = False

    @rule(ms=st.sampled_from([0, 300, -800, 2_000]))
    def skew(self, ms):
        self.desk.oms.health.clock_measured("b", ms * 1_000_000)
        self.skewed = abs(ms) > 500 and self.live is not None
        self.run(asyncio.sleep(1.0))
        if self.skewed and self.arming == "ARMED":
            self.arming = "SAFE"

    @rule()
    def reconnect(self):
        self.do(lambda: self.desk.a.private(connected=False))
        self.tighten(self.trading)
        self.do(lambda: self.desk.a.private(connected=True))
        self.settle()

    @rule(seconds=st.sampled_from([-3600, 60]))
    def jump(self, seconds):
        self.loop.jump(seconds * 1_000_000_000)
        self.pass_time(1.5)
        self.tighten("HEDGE-ONLY")
        self.settle()
        assert self.resting() == []

    @rule(seconds=st.sampled_from([0.3, 5.0, 40.0, 100.0]))
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

    def resting(self):
        """The operator's orders that rest at the venues."""
        pages = self.desk.oms.page
        held = [pages.get(key) for key, each in self.desk.a.held.items() if not each.status.terminal]
        return [order for order in held if order is not None]

    @invariant()
    def nothing_arrived_that_was_refused(self):
        assert self.wrong == []

    @invariant()
    def the_states_are_those_of_the_model(self):
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
        max_examples=25, stateful_step_count=30, deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )  # fmt: skip
