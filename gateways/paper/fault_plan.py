"""Faults by name, the rules that switch them on, and the plan that says when one strikes. Pure: seed and clock come in.

A rule strikes the next ``count`` things that it matches, or all for ``seconds``, or each with a ``probability`` drawn
from the plan's seed; without any of these, the next one. Every strike is counted under the fault's name.
"""

from collections import Counter
from collections.abc import Callable, Collection
from decimal import Decimal
from enum import Enum
from random import Random

import msgspec

from gateways.standards import RejectReason


class Verb(str, Enum):
    """What a request to a venue asks for."""

    PLACE = "place"
    AMEND = "amend"
    CANCEL = "cancel"
    ORDER = "order"
    OPEN_ORDERS = "open_orders"
    FILLS = "fills"
    POSITIONS = "positions"
    BALANCES = "balances"
    CONTRACTS = "contracts"
    OTHER = "other"


ENTRY = frozenset({Verb.PLACE, Verb.AMEND, Verb.CANCEL})
SNAPSHOTS = frozenset({Verb.OPEN_ORDERS, Verb.FILLS, Verb.POSITIONS, Verb.BALANCES})


class Fault(str, Enum):
    """What can go wrong; what each does is in ``SUMMARIES``."""

    PUSH_DUPLICATED = "push_duplicated"
    PUSH_DELAYED = "push_delayed"
    PUSH_REORDERED = "push_reordered"
    PUSH_LOST = "push_lost"
    ORDER_PUSH_LOST = "order_push_lost"
    FILL_PUSH_LOST = "fill_push_lost"
    STATUS_UNKNOWN = "status_unknown"
    STREAM_SILENT = "stream_silent"
    STREAM_CUT = "stream_cut"
    LISTEN_KEY_EXPIRED = "listen_key_expired"
    ANSWER_LATE = "answer_late"
    ANSWER_LOST = "answer_lost"
    ANSWER_5XX = "answer_5xx"
    ANSWER_UNKNOWN = "answer_unknown"
    REFUSED_ANSWER_LOST = "refused_answer_lost"
    ACCEPTED_LATE = "accepted_late"
    CUT_BEFORE = "cut_before"
    CUT_DURING = "cut_during"
    CUT_AFTER = "cut_after"
    REJECT_LOT = "reject_lot"
    REJECT_TICK = "reject_tick"
    REJECT_MIN_NOTIONAL = "reject_min_notional"
    REJECT_MARGIN = "reject_margin"
    REJECT_REDUCE_ONLY = "reject_reduce_only"
    REJECT_HALTED = "reject_halted"
    REJECT_RATE_LIMIT = "reject_rate_limit"
    IOC_PART_FILLED = "ioc_part_filled"
    FILLED_BEFORE_CANCEL = "filled_before_cancel"
    FILL_DURING_CANCEL = "fill_during_cancel"
    FILL_AFTER_CANCEL = "fill_after_cancel"
    SNAPSHOT_STALE = "snapshot_stale"
    SNAPSHOT_FAILS = "snapshot_fails"
    ORDER_QUERY_FAILS = "order_query_fails"
    VENUE_REFUSES = "venue_refuses"
    VENUE_DOWN = "venue_down"
    WEBSOCKETS_DOWN = "websockets_down"


SUMMARIES: dict[Fault, str] = {
    Fault.PUSH_DUPLICATED: "a private message comes twice, at once and again later",
    Fault.PUSH_DELAYED: "private messages of a connection come late, in order",
    Fault.PUSH_REORDERED: "a private message is overtaken by those after it",
    Fault.PUSH_LOST: "a private message is lost, the socket stays open",
    Fault.ORDER_PUSH_LOST: "an order message is lost, the fill message comes",
    Fault.FILL_PUSH_LOST: "a fill message is lost, the order message comes",
    Fault.STATUS_UNKNOWN: "an order message has a status that nobody knows",
    Fault.STREAM_SILENT: "no private message comes for a time, the socket stays open",
    Fault.STREAM_CUT: "the venue drops the private connections",
    Fault.LISTEN_KEY_EXPIRED: "the listen key ends before its time",
    Fault.ANSWER_LATE: "the answer comes after the messages of what it did",
    Fault.ANSWER_LOST: "carried out, no answer",
    Fault.ANSWER_5XX: "carried out, answered 503",
    Fault.ANSWER_UNKNOWN: "carried out, answered that the outcome is unknown",
    Fault.REFUSED_ANSWER_LOST: "not carried out, no answer",
    Fault.ACCEPTED_LATE: "no answer, carried out seconds later",
    Fault.CUT_BEFORE: "the connection is cut, not carried out",
    Fault.CUT_DURING: "carried out, the connection is cut without an answer",
    Fault.CUT_AFTER: "carried out and answered, then the connection is cut",
    Fault.REJECT_LOT: "refused: lot",
    Fault.REJECT_TICK: "refused: tick",
    Fault.REJECT_MIN_NOTIONAL: "refused: minimum notional",
    Fault.REJECT_MARGIN: "refused: margin",
    Fault.REJECT_REDUCE_ONLY: "refused: reduce-only",
    Fault.REJECT_HALTED: "refused: contract halted",
    Fault.REJECT_RATE_LIMIT: "refused: rate limit, with Retry-After",
    Fault.IOC_PART_FILLED: "the liquidity is taken away first: only a share can fill",
    Fault.FILLED_BEFORE_CANCEL: "the order fills before its cancel is looked at",
    Fault.FILL_DURING_CANCEL: "a share of the order fills before its cancel is done",
    Fault.FILL_AFTER_CANCEL: "a share of the order fills, told only after its cancel",
    Fault.SNAPSHOT_STALE: "open orders, fills, positions and balances are answered as they were",
    Fault.SNAPSHOT_FAILS: "open orders, fills, positions and balances cannot be asked",
    Fault.ORDER_QUERY_FAILS: "single orders cannot be asked",
    Fault.VENUE_REFUSES: "the venue refuses connections for a time",
    Fault.VENUE_DOWN: "the venue answers 503 and drops its websockets for a time",
    Fault.WEBSOCKETS_DOWN: "the venue drops and refuses websockets for a time, HTTP works",
}

REJECTS: dict[Fault, RejectReason] = {
    Fault.REJECT_LOT: RejectReason.LOT,
    Fault.REJECT_TICK: RejectReason.TICK,
    Fault.REJECT_MIN_NOTIONAL: RejectReason.MIN_NOTIONAL,
    Fault.REJECT_MARGIN: RejectReason.MARGIN,
    Fault.REJECT_REDUCE_ONLY: RejectReason.REDUCE_ONLY,
    Fault.REJECT_HALTED: RejectReason.HALTED,
    Fault.REJECT_RATE_LIMIT: RejectReason.RATE_LIMIT,
}

_CANCELS = frozenset({Fault.FILLED_BEFORE_CANCEL, Fault.FILL_DURING_CANCEL, Fault.FILL_AFTER_CANCEL})
_ON_ENTRY = frozenset(
    {
        Fault.ANSWER_LATE,
        Fault.ANSWER_LOST,
        Fault.ANSWER_5XX,
        Fault.ANSWER_UNKNOWN,
        Fault.REFUSED_ANSWER_LOST,
        Fault.ACCEPTED_LATE,
        Fault.CUT_BEFORE,
        Fault.CUT_DURING,
        Fault.CUT_AFTER,
    }
)

REQUEST_FAULTS = frozenset({
    *_ON_ENTRY, *REJECTS, *_CANCELS, Fault.IOC_PART_FILLED, Fault.SNAPSHOT_STALE, Fault.SNAPSHOT_FAILS,
    Fault.ORDER_QUERY_FAILS,
})  # fmt: skip
PUSH_FAULTS = frozenset({
    Fault.PUSH_DUPLICATED, Fault.PUSH_DELAYED, Fault.PUSH_REORDERED, Fault.PUSH_LOST, Fault.ORDER_PUSH_LOST,
    Fault.FILL_PUSH_LOST, Fault.STATUS_UNKNOWN, Fault.STREAM_SILENT,
})  # fmt: skip


def strikes(fault: Fault) -> frozenset[Verb]:
    """The verbs whose requests a fault may strike."""
    if fault in _CANCELS:
        return frozenset({Verb.CANCEL})
    if fault in REJECTS or fault is Fault.IOC_PART_FILLED:
        return frozenset({Verb.PLACE})
    if fault in {Fault.SNAPSHOT_STALE, Fault.SNAPSHOT_FAILS}:
        return SNAPSHOTS
    return frozenset({Verb.ORDER}) if fault is Fault.ORDER_QUERY_FAILS else ENTRY


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A fault switched on. What is None matches everything; times are in seconds."""

    fault: Fault
    count: int | None = None
    seconds: float | None = None
    probability: float | None = None
    verb: Verb | None = None
    ticker: str | None = None
    client_id: str | None = None
    """As the desk writes it: 32 hex characters."""
    channel: str | None = None
    """``ws`` or ``rest``: the way that a request came."""
    delay: float | None = None
    """Of what is delayed or repeated; None draws 0.02 to 0.4 (``accepted_late``: 1 to 4)."""
    share: Decimal = Decimal("0.5")
    """Of the order's quantity that still fills."""
    retry_after: int = 1
    lost: bool = False
    """Of a query that fails: no answer at all, instead of 503."""


class Faults:
    """The plan of one venue: its rules, their draws and the counts of what struck.

    ``seed`` makes the draws; ``now_ns`` is the venue's clock.
    """

    def __init__(self, *, seed: int | str, now_ns: Callable[[], int]) -> None:
        self.counts: Counter[Fault] = Counter()
        """How often each fault struck."""
        self._now_ns = now_ns
        self._draw = Random(f"{seed}/faults")  # noqa: S311 - a drill made of it, not a secret
        self._rules: list[_Active] = []

    @property
    def active(self) -> bool:
        """Whether any rule is on."""
        return bool(self._rules)

    @property
    def rules(self) -> list[Rule]:
        """The rules that are on, oldest first."""
        return [one.rule for one in self._rules if not self._over(one)]

    def switch(self, rule: Rule) -> None:
        """Switch a rule on, beside those that are on already."""
        until = None if rule.seconds is None else self._now_ns() + int(rule.seconds * 1e9)
        left = 1 if rule.count is None and rule.seconds is None and rule.probability is None else rule.count
        self._rules.append(_Active(rule, left, until))

    def clear(self, fault: Fault | None = None) -> None:
        """Switch a fault off, or (None) all of them; what is held already still comes."""
        self._rules = [one for one in self._rules if fault is not None and one.rule.fault is not fault]

    def strike(
        self,
        faults: Collection[Fault],
        *,
        verb: Verb | None = None,
        ticker: str = "",
        client_id: str = "",
        channel: str = "",
        text: str = "",
    ) -> Rule | None:
        """The first rule of these faults that matches, used up by one and counted; None when nothing strikes.

        A request is described by its parts, a message by its ``text``, in which a ticker or client id must stand.
        """
        for one in list(self._rules):
            rule = one.rule
            if self._over(one):
                self._rules.remove(one)
            elif (
                rule.fault in faults
                and (verb is None or (verb in strikes(rule.fault) and rule.verb in {None, verb}))
                and (rule.ticker in {None, ticker} or (text and f'"{rule.ticker}"' in text))
                and (rule.client_id in {None, client_id} or (text and str(rule.client_id) in text))
                and rule.channel in {None, channel}
                and (rule.probability is None or self._draw.random() < rule.probability)
            ):
                if one.left is not None:
                    one.left -= 1
                self.counts[rule.fault] += 1
                return rule
        return None

    def rule_of(self, fault: Fault) -> Rule | None:
        """The first rule of a fault that is on; nothing is used up or counted."""
        return next((one.rule for one in self._rules if one.rule.fault is fault and not self._over(one)), None)

    def delay_ns(self, rule: Rule) -> int:
        """How long a rule holds something back."""
        if rule.delay is not None:
            return int(rule.delay * 1e9)
        least, most = (1_000, 4_000) if rule.fault is Fault.ACCEPTED_LATE else (20, 400)
        return self._draw.randint(least, most) * 1_000_000

    def _over(self, one: "_Active") -> bool:
        return one.left == 0 or (one.until_ns is not None and self._now_ns() >= one.until_ns)


class _Active:
    """A rule with what is left of it."""

    __slots__ = ("left", "rule", "until_ns")

    def __init__(self, rule: Rule, left: int | None, until_ns: int | None) -> None:
        self.rule = rule
        self.left = left
        self.until_ns = until_ns
