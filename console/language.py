"""The one command grammar: the ticket writes it, the command line accepts it, scripts are made of it.

``parse`` and ``render`` are inverse: ``parse(render(command)) == command``. Everything here is pure. What a line means
for real contracts (ticks, lots, minimums) is checked in ``console.checks``. The grammar with examples: docs/grammar.md.
"""

import contextlib
import difflib
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal

from console.commands import (
    Absent,
    Activate,
    Amend,
    Arm,
    BookAct,
    Cancel,
    CancelById,
    Command,
    Disarm,
    Flatten,
    Forfeit,
    Halt,
    HedgeNow,
    Panic,
    Pause,
    Place,
    Quit,
    Reconcile,
    Reconnect,
    Reducing,
    Reopen,
    Resume,
    RoundUp,
    Sleep,
    Verify,
    WaitIdle,
)
from console.legs import read_legs, render_leg
from console.words import CONTRACT, LONGEST_LINE, VENUE, GrammarError, Reader, hex_prefix, one_of, shorten
from gateways.standards import PRICE_LEVELS, PriceRule, PriceSide, Side, TimeInForce

__all__ = ["GrammarError", "complete", "field_column", "parse", "parse_script_line", "render", "render_leg"]

_RULES = {
    f"{side.value}{level}": PriceRule(side, level)
    for side in (PriceSide.QUEUE, PriceSide.OPPONENT)
    for level in PRICE_LEVELS
}
_RULE_WORDS = {**_RULES, "queue": _RULES["queue1"], "opponent": _RULES["opponent1"]}
_TIFS = {tif.value.lower(): tif for tif in TimeInForce}
_ACT_WORDS: dict[type, str] = {
    HedgeNow: "hedge now",
    RoundUp: "round up",
    Reopen: "reopen",
    Forfeit: "forfeit",
    Pause: "pause",
    Resume: "resume",
}
_SIDES = {"bids": Side.BUY, "offers": Side.SELL}


def parse(line: str) -> Command:
    """Read one command line. Raises GrammarError, and nothing else, for any text that is not of the grammar."""
    return _parse(_reader(line))


def parse_script_line(line: str) -> Command | None:
    """Read one line of a script; None for a blank one or a comment (from ``#`` on). Raises GrammarError."""
    reader = _reader(line)
    return _parse(reader) if reader.words else None


def field_column(line: str, field: str) -> int | None:
    """The column where ``field`` (as checks name it: ``price``, ``leg 2 ticker``) stands in ``line``, if it does."""
    try:
        reader = _reader(line)
        _parse(reader)
    except GrammarError:
        return None
    return reader.places.get(field)


def field_at(line: str, column: int) -> str:
    """The field, as checks name them, that stands at a column of a line, as far as it can be read; empty for none."""
    reader = Reader(line)
    with contextlib.suppress(GrammarError):  # the fields before what is wrong are read
        _parse(reader)
    before = {place: field for field, place in reader.places.items() if place <= column}
    return before[max(before)] if before else ""


def complete(text: str, venues: Mapping[str, Iterable[str]]) -> list[str]:
    """The lines that ``text`` may become by completing its last word, from the grammar and the tickers by venue.

    Each is a whole line; where the word is complete the line ends with a space for the next.
    """
    head, typed = text[: text.rfind(" ") + 1], text[text.rfind(" ") + 1 :]
    if typed.startswith("@") and typed != "@":
        head, typed = head + "@", typed[1:]
    try:
        reader = _reader(head)
    except GrammarError:
        return []
    with contextlib.suppress(GrammarError):  # still being typed: what was allowed after its last word is wanted
        _parse(reader)
    if reader.index < len(reader.words) or reader.end < len(head.rstrip()):
        return []
    words: list[str] = []
    for kind in reader.allowed.get(len(reader.words), []):
        if kind == CONTRACT:
            words += _contracts(typed, venues)
        elif kind == VENUE:
            words += [f"{venue} " for venue in venues]
        else:
            words.append(f"{kind} ")
    wanted = typed.lower()
    return [head + word for word in dict.fromkeys(words) if word.lower().startswith(wanted) and word != typed]


def _contracts(typed: str, venues: Mapping[str, Iterable[str]]) -> list[str]:
    venue, colon, _ = typed.partition(":")
    if colon:
        return [f"{venue}:{ticker} " for ticker in sorted(venues.get(venue.lower(), ()))]
    return [f"{name}:" for name in venues]


# ------------------------------------------------------------------- rendering


def render(command: Command) -> str:
    """The canonical line of a command: ``parse`` of it gives the command back."""
    match command:
        case Place():
            return _render_place(command)
        case Amend(cloid=cloid, amount=amount, price=price):
            size = "" if amount is None else f" amount {amount:f}"
            confirmed = " confirmed" if command.confirmed else ""
            return f"amend {cloid}{size}{'' if price is None else f' @ {price:f}'}{confirmed}"
        case CancelById(cloid=cloid):
            return f"cancel {cloid}"
        case Cancel(venue=venue, ticker=ticker, side=side):
            word = next((f"{word} " for word, value in _SIDES.items() if value is side), "")
            return f"cancel {word}{_render_scope(venue, ticker)}"
        case Flatten(venue=venue, ticker=ticker):
            return f"flatten {_render_scope(venue, ticker)}"
        case Absent(cloid=cloid, confirmed=confirmed, reason=reason):
            return f"absent {cloid}{' confirmed' if confirmed else ''}{_render_reason(reason)}"
        case HedgeNow() | RoundUp() | Reopen() | Forfeit() | Pause() | Resume():
            return _render_act(command)
        case Reconcile(venue=venue) | Reconnect(venue=venue):
            verb = "reconcile" if isinstance(command, Reconcile) else "reconnect"
            return f"{verb} {venue}" if venue else verb
        case Sleep(ms=ms):
            return f"sleep {ms}ms"
        case WaitIdle(within_ms=ms):
            return f"wait idle {ms}ms"
        case Arm(name=name):
            return f"arm {name}"
        case Panic() | Disarm() | Activate() | Reducing() | Halt() | Verify() | Quit():
            return type(command).__name__.lower()


def _render_reason(reason: str) -> str:
    return f" because {reason}" if reason else ""


def _render_place(place: Place) -> str:
    price = (
        "market"
        if place.price is None
        else f"{place.price:f}"
        if isinstance(place.price, Decimal)
        else str(place.price)
    )
    words = [place.side.value, f"{place.amount:f}", f"{place.venue}:{place.ticker}", "@", price]
    words += ["post"] if place.post else []
    words += ["reduce"] if place.reduce else []
    words += [] if place.tif is TimeInForce.GTC else [place.tif.value.lower()]
    words += [f"hedge {render_leg(leg)}" for leg in place.legs]
    words += ["confirmed"] if place.confirmed else []
    return " ".join(words)


def _render_act(act: BookAct) -> str:
    amount = f"{act.amount:f} " if isinstance(act, (Reopen, Forfeit)) and act.amount is not None else ""
    return f"{_ACT_WORDS[type(act)]} {amount}{act.venue}:{act.ticker}{_render_reason(act.reason)}"


def _render_scope(venue: str | None, ticker: str | None) -> str:
    return "all" if venue is None else venue if ticker is None else f"{venue}:{ticker}"


# --------------------------------------------------------------------- parsing


def _reader(line: str) -> Reader:
    if len(line) > LONGEST_LINE:
        raise GrammarError(f"a line may have at most {LONGEST_LINE} characters, not {len(line)}", LONGEST_LINE)
    return Reader(line)


def _parse(reader: Reader) -> Command:
    verb = reader.keyword(*_VERBS)
    if verb is None:
        word = reader.next
        if word is None:
            reader.fail("nothing was typed: a line begins with a command like buy, sell, cancel or flatten")
        near = difflib.get_close_matches(word.text.lower()[:40], _VERBS, n=2, cutoff=0.5)
        hint = f"did you mean {one_of(near)}?" if near else f"the commands are {', '.join(_VERBS)}"
        reader.fail(f"{shorten(word.text)!r} is not a command: {hint}")
    command = _VERBS[verb](reader)
    reader.finish()
    return command


def _buy(reader: Reader) -> Place:
    return _place(reader, Side.BUY)


def _sell(reader: Reader) -> Place:
    return _place(reader, Side.SELL)


def _place(reader: Reader, side: Side) -> Place:
    reader.mark("amount")
    amount = reader.number("the amount")
    venue, ticker = reader.contract()
    price: Decimal | PriceRule | None = None
    tif = TimeInForce.GTC
    given: set[str] = set()
    options = {"@": "price", "post": "post", "reduce": "reduce", **dict.fromkeys(_TIFS, "tif")}
    while True:
        where = reader.next
        word = reader.keyword(*(word for word, kind in options.items() if kind not in given))
        if word is None:
            break
        given.add(options[word])
        reader.places[options[word]] = where.column if where else reader.end
        if word == "@":
            reader.mark("price")
            price = _price_or_rule(reader)
        elif word in _TIFS:
            tif = _TIFS[word]
    legs = read_legs(reader)
    return Place(
        side=side,
        amount=amount,
        venue=venue,
        ticker=ticker,
        price=price,
        post="post" in given,
        reduce="reduce" in given,
        tif=tif,
        legs=legs,
        confirmed=reader.keyword("confirmed") is not None,
    )


def _price_or_rule(reader: Reader) -> Decimal | PriceRule | None:
    word = reader.keyword("market", *_RULES, "queue", "opponent")
    if word is not None:
        return None if word == "market" else _RULE_WORDS[word]
    given = reader.next
    if given is not None and given.text[0].isalpha():
        levels = one_of([str(level) for level in PRICE_LEVELS])
        reader.fail(
            f"the price must be a number, market, or queue or opponent with a level {levels}, "
            f"not {shorten(given.text)!r}"
        )
    return reader.number("the price")


def _amend(reader: Reader) -> Amend:
    cloid = reader.order_id()
    amount = price = None
    if reader.keyword("amount"):
        reader.mark("amount")
        amount = reader.number("the new amount")
    if reader.keyword("@"):
        reader.mark("price")
        price = reader.number("the new price")
    if amount is None and price is None:
        reader.fail("amend needs a new amount, a new price or both, like: amend 7f3a amount 2 @ 134.5")
    return Amend(cloid=cloid, amount=amount, price=price, confirmed=reader.keyword("confirmed") is not None)


def _cancel(reader: Reader) -> Cancel | CancelById:
    word = reader.next
    if word is not None and (found := hex_prefix(word.text)) is not None:
        reader.index += 1
        return CancelById(found)
    if word is not None and word.text[0].isdigit():
        reader.fail(f"an order id is 4 to 32 hex digits like 7f3a, not {shorten(word.text)!r}")
    side = reader.keyword(*_SIDES)
    if side is not None:
        venue, ticker = reader.contract()
        return Cancel(venue=venue, ticker=ticker, side=_SIDES[side])
    scope = _scope(reader, "what to cancel (an order id, VENUE:TICKER, a venue, bids or offers of one, or all)")
    return Cancel(venue=scope[0], ticker=scope[1])


def _flatten(reader: Reader) -> Flatten:
    scope = _scope(reader, "what to flatten (VENUE:TICKER, a venue or all)")
    return Flatten(venue=scope[0], ticker=scope[1])


def _scope(reader: Reader, what: str) -> tuple[str | None, str | None]:
    if reader.keyword("all"):
        return None, None
    reader.expect(CONTRACT, VENUE)
    word = reader.next
    if word is None:
        reader.fail(f"{what} is missing at the end")
    if ":" in word.text:
        return reader.contract()
    reader.places["venue"] = word.column
    return reader.venue(), None


def _hedge_now(reader: Reader) -> HedgeNow:
    if reader.keyword("now") is None:
        reader.fail(
            "hedge alone is not a command: it is 'hedge now VENUE:TICKER', or a leg at the end of a buy or sell line"
        )
    return HedgeNow(*reader.contract(), reader.reason())


def _round_up(reader: Reader) -> RoundUp:
    if reader.keyword("up") is None:
        reader.fail("round is followed by up and a contract, like: round up binance:ETHUSDT")
    return RoundUp(*reader.contract(), reader.reason())


def _reopen(reader: Reader) -> Reopen:
    reader.mark("amount")
    amount = reader.signed("the amount to reopen")
    venue, ticker = reader.contract()
    return Reopen(amount=amount, venue=venue, ticker=ticker, reason=reader.reason())


def _forfeit(reader: Reader) -> Forfeit:
    reader.expect(CONTRACT)
    word, amount = reader.next, None
    if word is not None and ":" not in word.text:
        reader.mark("amount")
        amount = reader.signed("the amount to forfeit")
    venue, ticker = reader.contract()
    return Forfeit(venue=venue, ticker=ticker, amount=amount, reason=reader.reason())


def _absent(reader: Reader) -> Absent:
    cloid = reader.order_id()
    confirmed = reader.keyword("confirmed") is not None
    return Absent(cloid=cloid, confirmed=confirmed, reason=reader.reason())


def _venue_if_any(reader: Reader) -> str | None:
    reader.expect(VENUE)
    return reader.venue() if reader.next else None


def _sleep(reader: Reader) -> Sleep:
    return Sleep(reader.duration("how long to sleep"))


def _wait(reader: Reader) -> WaitIdle:
    if reader.keyword("idle") is None:
        reader.fail("wait is followed by idle and a time, like: wait idle 10s")
    return WaitIdle(reader.duration("how long to wait"))


_VERBS: dict[str, Callable[[Reader], Command]] = {
    "buy": _buy,
    "sell": _sell,
    "amend": _amend,
    "cancel": _cancel,
    "flatten": _flatten,
    "hedge": _hedge_now,
    "round": _round_up,
    "reopen": _reopen,
    "forfeit": _forfeit,
    "absent": _absent,
    "pause": lambda reader: Pause(*reader.contract(), reader.reason()),
    "resume": lambda reader: Resume(*reader.contract(), reader.reason()),
    "panic": lambda _: Panic(),
    "arm": lambda reader: Arm(reader.name("the desk's name")),
    "disarm": lambda _: Disarm(),
    "activate": lambda _: Activate(),
    "reducing": lambda _: Reducing(),
    "halt": lambda _: Halt(),
    "reconcile": lambda reader: Reconcile(_venue_if_any(reader)),
    "reconnect": lambda reader: Reconnect(_venue_if_any(reader)),
    "verify": lambda _: Verify(),
    "sleep": _sleep,
    "wait": _wait,
    "quit": lambda _: Quit(),
}
