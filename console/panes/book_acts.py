"""What can be done with the hedge book under the cursor, in the panes that show hedge books."""

from console.link import BookRow
from console.panes.pane import Pane
from console.screens.choices import Question


class BookActs(Pane):
    """Hedge now, pause, resume: for the panes whose rows stand in a hedge book."""

    def do_hedge_now(self) -> None:
        """Ask, then hedge what waits in the book under the cursor."""
        where = self.where()
        book = self._book()
        if where is None or book is None or not book.balance:
            self.desk.say("nothing waits in this hedge book", "warning")
            return
        self.desk.ask(
            Question(
                title=f"Hedge {where} now",
                text=f"{book.balance:+f} waits on {where}: {book.waits or 'no reason given'}.\n"
                "Hedging it now crosses the spread.",
                line=f"hedge now {where}",
            )
        )

    def do_pause_book(self) -> None:
        """Ask, then pause the book under the cursor, or resume it if it is not active."""
        where = self.where()
        book = self._book()
        if where is None or book is None:
            self.desk.say("no hedge book here", "warning")
            return
        if book.state == "active":
            text = f"While {where} is paused, fills are not hedged there: they add up in the unhedged balance."
            self.desk.ask(Question(title=f"Pause hedging in {where}", text=text, line=f"pause {where}"))
            return
        text = f"What waits on {where} ({book.balance:+f}) is hedged as soon as it can be."
        self.desk.ask(Question(title=f"Resume hedging in {where}", text=text, line=f"resume {where}"))

    def _book(self) -> BookRow | None:
        where = self.where()
        if where is None:
            return None
        books = self.desk.mirror.books.values()
        return next((row for row in books if (row.venue, row.ticker) == where), None)
