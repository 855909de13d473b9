"""What can be done with the hedge book under the cursor, in the panes that show hedge books."""

from console import fmt
from console.link import BookRow
from console.panes.pane import Pane
from console.screens.choices import Question


class BookActs(Pane):
    """Hedge now, round up, forfeit, pause, resume: for the panes whose rows stand in a hedge book."""

    def do_hedge_now(self) -> None:
        """Ask, then hedge what waits in the book under the cursor."""
        self._ask_about_balance(
            "Hedge {where} now",
            "Delays, backoffs and holds are lifted; lots and minimums are not.",
            "hedge now {where}",
        )

    def do_round_up(self) -> None:
        """Ask, then hedge a balance under the minimum with the smallest order there is."""
        book = self._book()
        said = "The smallest order that the venue takes is sent: the excess stands the other way until fills use it up."
        if book is not None and book.missing:
            excess = fmt.number(book.missing.copy_sign(-book.balance), sign=True)
            said = f"{fmt.number(book.smallest)} is sent at market, the least that the venue takes.\n"
            said += f"Then {excess} waits, the other way, until fills use it up."
        self._ask_about_balance("Round up {where}", said, "round up {where}")

    def do_forfeit(self) -> None:
        """Ask, then write off what waits in the book under the cursor."""
        self._ask_about_balance(
            "Forfeit what waits on {where}",
            "It is written off: it stays in the positions, and no hedge will ever answer for it.",
            "forfeit {where}",
        )

    def _ask_about_balance(self, title: str, text: str, line: str) -> None:
        where, book = self.where(), self._book()
        if where is None or book is None or not book.balance:
            self.desk.say("nothing waits in this hedge book", "warning")
            return
        waits = f"{fmt.number(book.balance, sign=True)} waits on {where}: {book.waits or 'no reason given'}.\n"
        self.desk.ask(Question(title=title.format(where=where), text=waits + text, line=line.format(where=where)))

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
        text = f"What waits on {where} ({fmt.number(book.balance, sign=True)}) is hedged as soon as it can be."
        self.desk.ask(Question(title=f"Resume hedging in {where}", text=text, line=f"resume {where}"))

    def _book(self) -> BookRow | None:
        where = self.where()
        if where is None:
            return None
        books = self.desk.mirror.books.values()
        return next((row for row in books if (row.venue, row.ticker) == where), None)
