"""The grammar of one hedge leg: where, how much, and the policy that says when, how, and what if it fails.

A policy is written in one form only, that of ``oms.hedge.policy.Policy.__str__``: the reader here takes it in any order
after the leg's contract, the writer asks the policy itself.
"""

from decimal import Decimal
from typing import Any

from console.commands import LegSpec
from console.words import Reader, Word, shorten
from oms.hedge.policy import How, OnFailure, Policy, Rung

LARGEST_RATIO = Decimal(1000)
LARGEST_BPS = Decimal(10_000)
LARGEST_TICKS = 10_000
MOST_LEGS = 8
MOST_RUNGS = 5

_RUNGS = tuple(how.value for how in How)
_FAILURES = {failure.value: failure for failure in OnFailure}
_OPTIONS = {
    **dict.fromkeys(_RUNGS, "policy"),
    "after": "after",
    "above": "above",
    "worth": "worth",
    "reduce": "reduce",
    **dict.fromkeys(_FAILURES, "failure"),
}
"""Words after a leg's contract, and the field that each is of: a field is given once."""


def render_leg(leg: LegSpec) -> str:
    """The canonical words of one hedge leg, without ``hedge`` before them."""
    ratio = "" if leg.ratio == 1 else f"x{leg.ratio:f} "
    return f"{ratio}{leg.venue}:{leg.ticker} {leg.policy}"


def read_legs(reader: Reader) -> tuple[LegSpec, ...]:
    """Take the hedge legs at the end of an order, each after its ``hedge``."""
    legs: list[LegSpec] = []
    while True:
        where = reader.next
        if reader.keyword("hedge") is None:
            break
        if len(legs) == MOST_LEGS:
            reader.fail(f"an order may have at most {MOST_LEGS} hedge legs", where)
        legs.append(_leg(reader, f"leg {len(legs) + 1} "))
    word = reader.next
    if legs and word is not None and word.text.lower() in ("@", "post", "gtc", "fok"):
        reader.fail(f"{word.text!r} is of the maker order and stands before its first hedge leg")
    return tuple(legs)


def _leg(reader: Reader, field: str) -> LegSpec:
    ratio = Decimal(1)
    word = reader.next
    reader.mark(f"{field}ratio")
    if word is not None and ":" not in word.text and word.text[0] in "xX" and word.text[1:2] in tuple("0123456789."):
        ratio = reader.as_number("a leg's ratio", reader.take("a ratio"), word.text[1:])
        if ratio > LARGEST_RATIO:
            reader.fail(f"a leg's ratio must be at most x{LARGEST_RATIO}, not {word.text!r}", word)
    venue, ticker = reader.contract(field)
    return LegSpec(venue=venue, ticker=ticker, ratio=ratio, policy=_policy(reader, field))


def _policy(reader: Reader, field: str) -> Policy:
    read: dict[str, Any] = {}
    given: set[str] = set()
    while True:
        where = reader.next
        option = reader.keyword(*(word for word, kind in _OPTIONS.items() if kind not in given))
        if option is None:
            return Policy(**read)
        given.add(_OPTIONS[option])
        reader.places[f"{field}{_OPTIONS[option]}"] = where.column if where else reader.end
        if option in _RUNGS:
            read["rungs"] = _ladder(reader, option)
        elif option == "after":
            read["trigger_after_ms"] = reader.duration("a leg's delay")
        elif option == "above":
            read["above_quantity"] = reader.number("a leg's least quantity")
        elif option == "worth":
            read["above_value"] = reader.number("a leg's least value")
        elif option == "reduce":
            read["reduce_only"] = True
        else:
            read["on_failure"] = _FAILURES[option]


def _ladder(reader: Reader, first: str) -> tuple[Rung, ...]:
    rungs = [_rung(reader, How(first))]
    while True:
        last = rungs[-1].how
        then = reader.next
        if last is How.MARKET:
            if then is not None and then.text.lower() == "then":
                reader.fail("market ends a ladder: a market order leaves nothing for another")
            break
        if reader.keyword("then") is None:
            if last is How.JOIN:
                reader.fail("a ladder ends with ioc or market, as a joined order may never fill: join 2s then market")
            break
        if len(rungs) == MOST_RUNGS:
            reader.fail(f"a ladder may have at most {MOST_RUNGS} rungs", then)
        word = reader.keyword(*_RUNGS)
        if word is None:
            reader.fail("then is followed by another way to hedge: market, ioc 8bps or join 2s")
        rungs.append(_rung(reader, How(word)))
    return tuple(rungs)


def _rung(reader: Reader, how: How) -> Rung:
    if how is How.IOC:
        return _ioc(reader)
    if how is How.JOIN:
        word = reader.next
        rests_ms = reader.duration("how long a joined order rests")
        if rests_ms == 0:
            reader.fail("a joined order must rest for a time above zero, like: join 2s then market", word)
        return Rung(how=how, for_ms=rests_ms)
    return Rung()


def _ioc(reader: Reader) -> Rung:
    what = "a leg's slippage limit"
    word = reader.take(f"{what}, like 8bps or 5ticks,")
    text = word.text.lower()
    if text.endswith(("ticks", "tick")):
        return Rung(how=How.IOC, slippage_ticks=_ticks(reader, word, text.removesuffix("s").removesuffix("tick")))
    if not text.endswith("bps"):
        allowed = "in basis points like 8bps or in ticks like 5ticks"
        reader.fail(f"{what} must be {allowed}, not {shorten(word.text)!r}", word)
    bps = reader.as_number(what, word, text.removesuffix("bps"), zero=True)
    if bps > LARGEST_BPS:
        reader.fail(f"{what} must be at most {LARGEST_BPS}bps, not {word.text!r}", word)
    return Rung(how=How.IOC, slippage_bps=bps)


def _ticks(reader: Reader, word: Word, text: str) -> int:
    ticks = reader.as_number("a leg's slippage limit", word, text, zero=True)
    if ticks != ticks.to_integral_value() or ticks > LARGEST_TICKS:
        reader.fail(
            f"a leg's slippage limit must be whole ticks and at most {LARGEST_TICKS}ticks, not {word.text!r}", word
        )
    return int(ticks)
