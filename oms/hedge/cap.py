"""The cap (I10): too much unhedged in a book, or in all of them together, stops the makers that would add to it."""

from collections.abc import Callable, Collection
from decimal import Decimal

from gateways.standards import ZERO
from oms.hedge import decision
from oms.hedge import events as e
from oms.hedge.state import BookKey, HedgeBook


class Cap:
    """The limits, in quote units without a sign, and whether all books together are over theirs."""

    def __init__(self, of: Callable[[BookKey], Decimal | None]) -> None:
        self.of = of
        """The most that may be unhedged in a book; None for any amount."""
        self.of_all: Decimal | None = None
        """The same for the sum of all books."""
        self.reached = False
        """Whether all books together have too much unhedged."""

    def judge(self, book: HedgeBook, books: Collection[HedgeBook]) -> list[e.Command]:
        """Stop the makers of a book that has too much unhedged; allow them again once it is back under.

        Where all ``books`` together have too much, the makers of every one are stopped.
        """
        commands: list[e.Command] = []
        limit, price = self.of(book.key), decision.reference_price(book)
        if limit is not None and price is not None:
            exposed = book.exposed * price
            if exposed > limit and not book.capped:
                name = f"{book.venue}:{book.ticker}"
                commands.append(_stop(book, f"{exposed:.2f} is unhedged in {name}, over the limit of {limit:f}"))
            book.capped = exposed > limit
        if self.of_all is not None:
            commands += self._judge_all(books, self.of_all)
        return commands

    def _judge_all(self, books: Collection[HedgeBook], limit: Decimal) -> list[e.Command]:
        prices = ((book, decision.reference_price(book)) for book in books)
        exposed = sum((book.exposed * price for book, price in prices if price is not None), ZERO)
        news = exposed > limit and not self.reached
        self.reached = exposed > limit
        text = f"{exposed:.2f} is unhedged in all books, over the limit of {limit:f}"
        return [_stop(book, text) for book in books] if news else []


def _stop(book: HedgeBook, reason: str) -> e.Command:
    return e.StopMakers(venue=book.venue, ticker=book.ticker, reason=reason)
