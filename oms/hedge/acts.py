"""The operator's acts on a book: what speaks against each before it is journaled, and what it changes.

An act that is refused live must not be in the journal: there it would be refused again, at the next start. The checks
change nothing.
"""

from collections.abc import Container, Mapping
from decimal import Decimal

from gateways.standards import ZERO
from oms.hedge import decision, ledger
from oms.hedge import events as e
from oms.hedge.state import BookKey, Child, HedgeBook, Maker, Obligation


def check(
    event: e.HedgeEvent, makers: Mapping[str, Maker], children: Mapping[str, Child], books: Mapping[BookKey, HedgeBook]
) -> None:
    """Raise ValueError for what cannot be taken."""
    match event:
        case e.MakerPlaced():
            check_placed(event, makers, children)
        case e.Forfeited(amount=amount, unwind=""):
            check_forfeit(_book(books, event), amount)
        case e.Reopened():
            check_reopen(_book(books, event))
        case e.RoundedUp():
            check_round_up(_book(books, event))
        case e.AssumedAbsent():
            check_absent(event.child, children.get(event.child))
        case _:
            pass


def _book(books: Mapping[BookKey, HedgeBook], event: e.Forfeited | e.Reopened | e.RoundedUp) -> HedgeBook:
    return books.get((event.venue, event.ticker)) or HedgeBook(event.venue, event.ticker)


def check_placed(event: e.MakerPlaced, makers: Container[str], children: Container[str]) -> None:
    """Refuse a maker whose id is in use, or whose legs cannot be told apart from it or from each other."""
    if event.maker in makers or event.maker in children:
        raise ValueError(f"maker id {event.maker} is already in use: every order needs its own")
    keys = [(leg.venue, leg.ticker) for leg in event.legs]
    if (event.venue, event.ticker) in keys:
        raise ValueError(f"a leg on {event.venue}:{event.ticker}, the maker's own contract, would hedge nothing")
    if len(set(keys)) < len(keys):
        raise ValueError("two legs of one maker are on one contract: use one leg with the sum of the ratios")


def check_forfeit(book: HedgeBook, amount: Decimal | None) -> None:
    """Refuse to write off anything but a part of the balance; None is all of it."""
    balance = book.balance
    if amount is not None and (amount * balance < 0 or abs(amount) > abs(balance)):
        raise ValueError(
            f"amount {amount:f} cannot be forfeited: the balance is {balance:f}, give its sign and at most its size"
        )


def check_reopen(book: HedgeBook) -> None:
    """Refuse to reopen in a book that no maker was ever hedged in."""
    if book.latest is None:
        raise ValueError(f"{book.venue}:{book.ticker} has no maker: there is nobody to reopen an obligation for")


def check_round_up(book: HedgeBook) -> None:
    """Refuse to round up where nothing waits or can be sent, or where an unknown order might be the answer already."""
    if book.down:
        raise ValueError(f"{book.venue}:{book.ticker} cannot be sent to: {book.down}")
    if book.halted:
        raise ValueError(f"{book.venue}:{book.ticker} sends nothing: {book.halted}")
    if book.unwinding:
        raise ValueError(f"{book.venue}:{book.ticker} is being closed on the maker's venue: wait for its end")
    if any(child.unsure for child in book.open_children.values()):
        raise ValueError(f"{book.venue}:{book.ticker} has an unknown hedge order: it must be resolved first")
    if decision.rounded_up(book) == 0:
        raise ValueError(f"{book.venue}:{book.ticker} has nothing to round up")


def check_absent(key: str, child: Child | None) -> None:
    """Refuse to take an order as gone unless it is a hedge order that nobody has spoken for, or whose end is unsure."""
    if child is None or not child.unsure:
        raise ValueError(f"hedge {key[:8]!r} is not unknown: only an unknown one can be taken as not sent")


def resume(book: HedgeBook, event: e.Resumed, now_ns: int) -> None:
    """Let a book send again, with a fresh retry budget; one whose venue is down has it tried."""
    book.paused = book.hold = book.down = ""
    book.failures = book.retry_ns = 0
    book.refreshed = False
    book.refused_notional = ZERO
    if event.now:
        for obligation in book.obligations:
            obligation.due_ns = min(obligation.due_ns, now_ns)


def forfeit(book: HedgeBook, amount: Decimal, makers: Mapping[str, Maker], ts_ns: int) -> None:
    """Write off ``amount`` of the balance, for those whom it has waited for longest.

    What an unwind has closed over the balance, because a fill answered that meanwhile, is owed the other way.
    """
    claims = ledger.take(book, amount, None)
    for claim in claims:
        book.share(claim.maker, claim.leg).forfeited += claim.quantity
        book.forfeited += claim.quantity
        amount -= claim.quantity
    if amount != 0:
        reopen(book, -amount, makers, ts_ns)


def reopen(book: HedgeBook, amount: Decimal, makers: Mapping[str, Maker], ts_ns: int) -> None:
    """Make an amount due in a book, under the policy of its latest maker's leg."""
    if book.latest is None:
        raise ValueError(f"{book.venue}:{book.ticker} has no maker to owe {amount:f} for")
    maker, leg = book.latest
    policy = makers[maker].legs[leg].policy
    book.forfeited -= amount
    book.share(maker, leg).forfeited -= amount
    ledger.open_obligation(book, Obligation(maker, leg, amount, ts_ns, policy))
