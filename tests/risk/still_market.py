"""A market whose latent price stands still: what a position is worth changes only as far as takers push the books."""

from tests.simulation.market import QuietMarket


class StillMarket(QuietMarket):
    """The simulation's books and takers around prices that do not walk."""

    def step(self) -> None:
        """Let takers come and the quotes follow."""
        for base, books in self._books.items():
            for book in books:
                book.step(self._prices[base])
