"""Questions and menus as values: what is asked, and the command lines that the answers send. Pure."""

import msgspec

from console import fmt
from console.commands import Absent
from console.language import render
from console.link import OrderRow, PositionRow
from console.panes.mirror import Mirror


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A question before a command line. The answer that the focus starts on is No."""

    title: str
    text: str
    line: str
    word: str = ""
    """What must be typed to say yes; empty where a key is enough."""
    also: tuple[str, ...] = ()
    """Lines that a yes sends after ``line``, each with an answer of its own."""

    @property
    def lines(self) -> tuple[str, ...]:
        """All that a yes sends, in order."""
        return self.line, *self.also


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a menu: its key, what it does, and how many orders or positions it concerns."""

    key: str
    label: str
    count: int
    lines: tuple[str, ...]
    """Sent at once when chosen, unless there is a question."""
    question: Question | None = None
    noun: str = "order"

    @property
    def text(self) -> str:
        """What the menu shows beside the key."""
        return f"{self.label}  {fmt.count(self.count, self.noun)}"


def cancel_choices(mirror: Mirror, venue: str = "", ticker: str = "") -> list[Choice]:
    """The cancel menu for a contract (that under the cursor): bids, offers, instrument, venue, makers, all.

    Hedge orders are spared by every one of them but the last, which says so and asks.
    """
    where = fmt.contract(venue, ticker)
    choices = []
    if venue and ticker:
        bids = mirror.cancellable(venue=venue, ticker=ticker, sign=1)
        offers = mirror.cancellable(venue=venue, ticker=ticker, sign=-1)
        choices = [
            Choice(key="b", label=f"bids on {where}", count=len(bids), lines=(f"cancel bids {where}",)),
            Choice(key="s", label=f"offers on {where}", count=len(offers), lines=(f"cancel offers {where}",)),
            Choice(key="i", label=f"all on {where}", count=len(bids) + len(offers), lines=(f"cancel {where}",)),
        ]
    if venue:
        count = len(mirror.cancellable(venue=venue))
        choices.append(Choice(key="v", label=f"venue {venue}", count=count, lines=(f"cancel {venue}",)))
    makers = list(mirror.open_orders(role="maker"))
    lines = tuple(f"cancel {row.cloid}" for row in makers)
    choices.append(Choice(key="m", label="makers with hedge legs", count=len(makers), lines=lines, noun="maker"))
    everywhere = len(mirror.cancellable())
    choices.append(Choice(key="a", label="all, everywhere", count=everywhere, lines=("cancel all",)))
    hedges = list(mirror.open_orders(role="hedge"))
    if hedges:
        question = _with_hedges(everywhere, hedges)
        choices.append(
            Choice(
                key="h", label="all, and the hedge orders too", count=everywhere + len(hedges), lines=question.lines,
                question=question,
            )
        )  # fmt: skip
    return choices


def _with_hedges(everywhere: int, hedges: list[OrderRow]) -> Question:
    cancels = [f"cancel {row.cloid}" for row in hedges]
    books = sorted({fmt.contract(row.venue, row.ticker) for row in hedges})
    return Question(
        title="Cancel all, and the hedge orders too",
        text=f"{fmt.count(everywhere, 'order')} and {fmt.count(len(hedges), 'hedge order')}. What the hedges have not "
        f"filled stays unhedged,\nand their books are paused until you resume them: {', '.join(books)}.",
        line="cancel all",
        also=tuple(cancels),
    )


def absent_question(command: Absent, where: str = "") -> Question:
    """What is asked before an unknown hedge order is taken as never sent: its id, typed once more.

    ``command`` names the order and may bring a reason; ``where`` is its contract, if known.
    """
    short = fmt.short_id(command.cloid)
    return Question(
        title=f"Take hedge {short} as never sent",
        text=f"Hedge {short}{' on ' if where else ''}{where} counts in full until the venue speaks for it.\n"
        "If it was sent after all, what it was for is hedged twice: look at the venue's own page first.",
        line=render(msgspec.structs.replace(command, confirmed=True)),
        word=short,
    )


def flatten_question(mirror: Mirror, row: PositionRow) -> Question:
    """What is asked before a position is closed."""
    where = fmt.contract(row.venue, row.ticker)
    return Question(
        title=f"Flatten {where}",
        text=f"Position {_held(mirror, row)}, closed reduce-only.\n{_flatten_steps(where)}",
        line=f"flatten {where}",
    )


def _held(mirror: Mirror, row: PositionRow) -> str:
    amount = fmt.number(row.amount, mirror.lot(row.venue, row.ticker), sign=True)
    worth = f" ({fmt.money(abs(row.notional))})" if row.notional is not None else ""
    return f"{amount} {row.base}{worth}"


def hedged_with(mirror: Mirror, venue: str, ticker: str) -> list[PositionRow]:
    """The open positions that a contract's is hedged with: those of every contract that hedging ties to it.

    Makers and their hedge contracts, at any distance, so that closing all of them leaves none of them alone.
    """
    ties = [((row.maker_venue, row.maker_ticker), (row.venue, row.ticker)) for row in mirror.hedges.values()]
    tied = {(venue, ticker)}
    while more := {end for tie in ties if tied.intersection(tie) for end in tie} - tied:
        tied |= more
    held = [row for row in mirror.open_positions() if (row.venue, row.ticker) in tied - {(venue, ticker)}]
    return sorted(held, key=lambda row: (row.venue, row.ticker))


def _with_its_hedge(mirror: Mirror, row: PositionRow, hedge: list[PositionRow]) -> Question:
    every = [row, *hedge]
    names = [fmt.contract(each.venue, each.ticker) for each in every]
    held = "\n".join(f"{name}  {_held(mirror, each)}" for name, each in zip(names, every, strict=True))
    return Question(
        title=f"Flatten {names[0]} and its hedge",
        text=f"{held}\nEach closed reduce-only, by itself. {_flatten_steps('them')}",
        line=f"flatten {names[0]}",
        also=tuple(f"flatten {name}" for name in names[1:]),
    )


def _flatten_steps(what: str) -> str:
    books = "their hedge books are" if what == "them" else "its hedge book is"
    return f"First the makers that feed {what} are cancelled and {books} paused."


def flatten_choices(mirror: Mirror, venue: str = "", ticker: str = "") -> list[Choice]:
    """The flatten menu: the position under the cursor, with its hedge, its venue, and all (typed in full)."""
    choices = []
    held = next((row for row in mirror.open_positions() if (row.venue, row.ticker) == (venue, ticker)), None)
    if held is not None:
        where = fmt.contract(venue, ticker)
        question = flatten_question(mirror, held)
        choices.append(Choice(key="i", label=where, count=1, lines=question.lines, question=question, noun="position"))
        hedge = hedged_with(mirror, venue, ticker)
        if hedge:
            question = _with_its_hedge(mirror, held, hedge)
            choices.append(
                Choice(
                    key="h", label=f"{where} and its hedge", count=1 + len(hedge), lines=question.lines,
                    question=question, noun="position",
                )
            )  # fmt: skip
    if venue:
        count = len(mirror.open_positions(venue=venue))
        question = Question(
            title=f"Flatten venue {venue}",
            text=f"{fmt.count(count, 'position')} on {venue} closed reduce-only.\n{_flatten_steps('them')}",
            line=f"flatten {venue}",
        )
        choices.append(
            Choice(
                key="v", label=f"venue {venue}", count=count, lines=(question.line,), question=question, noun="position"
            )
        )
    count = len(mirror.open_positions())
    question = Question(
        title="Flatten all",
        text=f"{fmt.count(count, 'position')} on every venue closed reduce-only.\n{_flatten_steps('them')}",
        line="flatten all",
        word="flatten all",
    )
    choices.append(
        Choice(
            key="a", label="all, everywhere", count=count, lines=(question.line,), question=question, noun="position"
        )
    )
    return choices
