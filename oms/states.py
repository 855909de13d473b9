"""The desk's states: what may be sent in each, as tables. Pure.

Two states stand beside each other. *Trading* says which orders go out: ACTIVE all, REDUCING those that make a position
smaller and hedges, HEDGE-ONLY hedges, HALTED none. *Arming* says whether a live desk may raise risk: it starts SAFE
after every start and is ARMED by the operator, never by itself; PAPER needs no arming. Cancelling and flattening are
allowed in every one, whatever else holds. docs/states.md tells what changes them.
"""

from collections.abc import Mapping
from enum import Enum
from functools import cache

import msgspec

from oms import limits


class Trading(str, Enum):
    """Which orders go out, from the most to the least."""

    ACTIVE = "ACTIVE"
    REDUCING = "REDUCING"
    HEDGE_ONLY = "HEDGE-ONLY"
    HALTED = "HALTED"
    RECOVERING = "RECOVERING"
    """The start is not over: hedges that are owed since before it go out, nothing new."""

    def __str__(self) -> str:
        return self.value


class Arming(str, Enum):
    """Whether risk may be raised."""

    PAPER = "PAPER"
    SAFE = "SAFE"
    ARMED = "ARMED"

    def __str__(self) -> str:
        return self.value


class Act(str, Enum):
    """What is judged by the states."""

    RAISE = "raise"
    """An order that can make a position larger, or an amend that enlarges or moves one."""
    REDUCE = "reduce"
    """A reduce-only order: it can only make a position smaller."""
    HEDGE = "hedge"
    """An order for what a hedge book owes, or one that closes on the maker's venue what it cannot hedge."""
    CORRECT = "correct"
    """A hedge by the operator's word alone: rounded up, reopened, or for an order taken as never sent."""
    CANCEL = "cancel"
    FLATTEN = "flatten"


class Live(msgspec.Struct, frozen=True, kw_only=True):
    """What makes a desk one of real accounts: its name, typed to arm it, and when it disarms by itself."""

    name: str
    rules: limits.Arming = limits.Arming()


ALLOWED: Mapping[Trading, frozenset[Act]] = {
    Trading.ACTIVE: frozenset(Act),
    Trading.REDUCING: frozenset(Act) - {Act.RAISE},
    Trading.HEDGE_ONLY: frozenset({Act.HEDGE, Act.CORRECT, Act.CANCEL, Act.FLATTEN}),
    Trading.HALTED: frozenset({Act.CANCEL, Act.FLATTEN}),
    Trading.RECOVERING: frozenset({Act.HEDGE, Act.CANCEL, Act.FLATTEN}),
}
"""What each trading state lets out."""

NEEDS_ARMING = frozenset({Act.RAISE, Act.CORRECT})
"""What may raise risk: nothing of it leaves a live desk that is SAFE. A hedge of what is owed lowers it."""

RESTORED: Mapping[str, Trading] = {
    "Activate": Trading.ACTIVE,
    "Reducing": Trading.REDUCING,
    "Panic": Trading.HEDGE_ONLY,
    "Disarm": Trading.HEDGE_ONLY,
    "Halt": Trading.HALTED,
}
"""The trading state after each journaled act; arming is never restored. ``Disarm`` is of a desk without arming."""

_ONLY: Mapping[Trading, str] = {
    Trading.REDUCING: "only reduce-only orders, hedges, cancels and flattens go out",
    Trading.HEDGE_ONLY: "only hedges, cancels and flattens go out",
    Trading.HALTED: "only cancels and flattens go out",
    Trading.RECOVERING: "nothing new goes out before it knows what happened while it was away",
}


@cache
def refusal(trading: Trading, arming: Arming, act: Act) -> str:
    """Why an act is refused in these states, in one sentence; empty where it is allowed."""
    if act not in ALLOWED[trading]:
        return f"the desk is {trading}: {_ONLY[trading]}"
    if arming is Arming.SAFE and act in NEEDS_ARMING:
        return "the desk is LIVE SAFE: nothing that raises risk goes out before it is armed"
    return ""


def act_of(*, reduce_only: bool) -> Act:
    """What an order of the operator is, by whether its venue keeps it from making a position larger."""
    return Act.REDUCE if reduce_only else Act.RAISE
