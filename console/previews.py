"""What a line of the grammar would do, in words: checked against contracts, books and limits; nothing is sent."""

import msgspec

from console import commands as c
from console import language
from console.checks import Checked, check_place
from console.language import field_column
from console.link import Preview
from console.named import Named, waiting
from gateways.errors import Denied
from gateways.standards import PlaceOrder
from oms.checks import check_books
from oms.hedge.acts import check_reopen, check_round_up
from oms.hedge.decision import rounded_up
from oms.hedge.policy import Leg
from oms.orders import Role
from oms.states import act_of


class Previews:
    """Previews on an OMS. ``facts``: what an operator is shown before arming it, each a word and a sentence."""

    def __init__(self, find: Named, facts: tuple[tuple[str, str], ...] = ()) -> None:
        self.find = find
        self.oms = find.oms
        self.facts = facts

    def of(self, text: str) -> Preview:
        """What a line would do: checked against contracts and books, nothing sent."""
        try:
            command = language.parse(text)
        except language.GrammarError as error:
            field = language.field_at(text, error.caret)
            return Preview(ok=False, error=error.text, caret=error.caret, field=field)
        if isinstance(command, c.Place):
            return self._preview_place(command, text)
        try:
            facts = self.facts if isinstance(command, c.Arm) else ()
            return Preview(ok=True, sentence=self._sentence(command), facts=facts)
        except Denied as error:
            return Preview(ok=False, error=error.text, field=error.field, caret=field_column(text, error.field))
        except ValueError as error:
            return Preview(ok=False, error=str(error))

    def _preview_place(self, command: c.Place, text: str) -> Preview:
        checked = check_place(command, self.oms.contracts, self.oms.feed.quote)
        if checked.ok or checked.price is None:  # the next preview will know a price
            for venue, ticker in ((command.venue, command.ticker), *((leg.venue, leg.ticker) for leg in command.legs)):
                if ticker in self.oms.contracts.get(venue, {}):
                    self.oms.supervisor.watch_soon(venue, ticker)
        if checked.ok:
            order, legs = command.order(""), tuple(leg.leg() for leg in command.legs)
            try:
                check_books(legs, self.oms.kernel.books)
                self.oms.check_room(order.amount, legs)
                asked = self._limits_asking(command.venue, order, legs)
                checked = msgspec.structs.replace(checked, warnings=(*checked.warnings, *asked))
            except Denied as denied:
                checked = Checked(error=denied.text, field=denied.field)
        preview = checked.preview(text)
        refused = self.oms.state.refusal(act_of(reduce_only=command.reduce))
        if preview.ok and refused:  # it may be written and looked at all the same
            preview = msgspec.structs.replace(preview, warnings=(refused, *preview.warnings))
        return preview

    def _limits_asking(self, venue: str, order: PlaceOrder, legs: tuple[Leg, ...]) -> tuple[str, ...]:
        """What limits would ask before the order, a sentence each. Raises OverLimit for those that refuse it.

        Before its books are there nothing is said: the order itself waits for them.
        """
        books = ((venue, order.ticker), *((leg.venue, leg.ticker) for leg in legs))
        if not all(self.oms.feed.in_sequence(*book) for book in books):
            return ()
        judged = self.oms.guard.judge(venue, order, legs)
        judged.enforce(confirmed=True)
        return tuple(f"asks: {breach.text}" for breach in judged.breaches)

    def _sentence(self, command: c.Command) -> str:
        match command:
            case c.CancelById(cloid):
                order = self.find.one(cloid)
                note = "; it is a hedge, its book is paused" if order.role is Role.HEDGE else ""
                return f"cancel {order.side.value} {order.quantity:f} {order.venue}:{order.ticker}{note}"
            case c.Cancel():
                return f"cancel {len(self.find.matching(command))} orders; hedge orders are spared"
            case c.Amend(cloid=cloid):
                order = self.find.one(cloid)
                return f"amend {order.side.value} {order.quantity:f} {order.venue}:{order.ticker}"
            case c.Flatten(venue=venue, ticker=ticker):
                self.find.check_names(venue, ticker)
                where = f"{venue}:{ticker}" if ticker else venue or "every venue"
                return f"flatten {where}: stop its makers, settle and forfeit its hedges, close reduce-only"
            case c.Panic():
                return f"PANIC: cancel all {len(self.oms.makers_working())} makers, allow only hedges"
            case c.Reducing():
                return "cancel what does not reduce a position, allow only what does, and hedges"
            case c.Halt():
                return f"HALT: cancel all {len(self.oms.makers_working())} makers, send no hedges"
            case c.Arm(name=name):
                self.oms.state.check_arm(name)
                return f"arm {name}: orders of this desk raise risk on real accounts"
            case c.Absent(cloid=cloid):
                order = self.find.unknown_hedge(cloid)
                what = f"{order.side.value} {order.quantity:f} {order.venue}:{order.ticker}"
                return f"take hedge {order.key[:8]}, {what}, as never sent: if it was sent, it is hedged twice"
            case c.HedgeNow() | c.RoundUp() | c.Reopen() | c.Forfeit() | c.Pause() | c.Resume():
                return self._act_sentence(command)
            case c.Reconcile(venue=venue) | c.Reconnect(venue=venue):
                self.find.check_names(venue, None)
                return language.render(command)
            case _:
                return language.render(command)

    def _act_sentence(self, command: c.BookAct) -> str:
        book = self.find.book(command)
        said = f"{language.render(command)}: {book.venue}:{book.ticker} {waiting(book)}"
        match command:
            case c.RoundUp():
                check_round_up(book)
                return f"{said}; one order of {rounded_up(book):f} is sent at market"
            case c.Reopen(amount=amount):
                check_reopen(book)
                return f"{said}; then {book.balance + amount:f}"
            case c.Forfeit():
                return f"{said}; then {book.balance - self.find.to_forfeit(command):f}"
            case _:
                return said
