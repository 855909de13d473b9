"""The desk: carries out the commands of the grammar on an OMS, whoever typed them.

The one place between the grammar and the engine: the console's link, the headless run and ``exec`` all come here.
Refusals come back as replies with one clear sentence; nothing here raises for what a user typed or a venue refused.
"""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import msgspec

from console import commands as c
from console import language
from console.checks import Checked, check_place
from console.language import field_column
from console.link import Preview, Reply
from console.log_records import log_command, log_reply, log_unread, next_act
from gateways.errors import Denied, VenueError
from gateways.standards import PlaceOrder
from oms.checks import check_books, find_contract, find_venue
from oms.correlation import under_act
from oms.hedge.acts import check_absent, check_forfeit, check_reopen, check_round_up
from oms.hedge.decision import rounded_up
from oms.hedge.policy import Leg
from oms.hedge.state import HedgeBook
from oms.journal import JournalError
from oms.orders import Order, Role
from oms.risk.verdict import Unconfirmed
from oms.states import Act, act_of
from oms.system import OMS


class Desk:
    """Runs commands on ``oms``. Must be used on the engine's loop.

    ``facts``: what an operator is shown before arming it, each a word and a sentence.
    """

    def __init__(self, oms: OMS, facts: tuple[tuple[str, str], ...] = ()) -> None:
        self.oms = oms
        self.facts = facts
        self._run: dict[type, Callable[[Any], Awaitable[Reply]]] = {
            c.Place: self._place,
            c.Amend: self._amend,
            c.CancelById: self._cancel_by_id,
            c.Cancel: self._cancel,
            c.Flatten: self._flatten,
            c.Panic: self._panic,
            c.Arm: self._arm,
            c.Disarm: self._disarm,
            c.Activate: self._activate,
            c.Reducing: self._reducing,
            c.Halt: self._halt,
            c.HedgeNow: self._hedge_now,
            c.RoundUp: self._round_up,
            c.Reopen: self._reopen,
            c.Forfeit: self._forfeit,
            c.Absent: self._take_as_absent,
            c.Pause: self._pause,
            c.Resume: self._resume,
            c.Reconcile: self._reconcile,
            c.Verify: self._verify,
        }

    async def line(self, text: str) -> Reply:
        """Parse and run one line; an empty line or a comment does nothing, successfully."""
        try:
            command = language.parse(text)
        except language.GrammarError as error:
            reply = Reply(ok=False, error=error.text, caret=error.caret)
            log_unread(text, reply)
            return reply
        return await self.run(command)

    async def run(self, command: c.Command) -> Reply:
        """Run one command, as one act of the operator."""
        act = next_act(self.oms)
        log_command(act, language.render(command))
        with under_act(act):
            reply = await self._outcome(command)
        log_reply(act, reply)
        return reply

    async def _outcome(self, command: c.Command) -> Reply:
        run = self._run.get(type(command))
        if run is None:
            return Reply(ok=False, error=f"{language.render(command)!r} is for scripts only")
        self.oms.state.touch()
        try:
            return await run(command)
        except Unconfirmed as error:
            question = f"{error.text}. Do it all the same?"
            text = f"{error.text}: the same line with confirmed at its end does it"
            return Reply(ok=False, error=text, field=error.field, question=question)
        except Denied as error:
            return Reply(ok=False, error=error.text, field=error.field)
        except VenueError as error:
            return Reply(ok=False, error=str(error))
        except (ValueError, JournalError) as error:
            return Reply(ok=False, error=str(error))

    def preview(self, text: str) -> Preview:
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

    # ---------------------------------------------------------------- orders

    async def _place(self, command: c.Place) -> Reply:
        self._names(command)
        legs = tuple(leg.leg() for leg in command.legs)
        order = await self.oms.place(command.venue, command.order(""), legs, confirmed=command.confirmed)
        at = f" at {order.price:f}" if order.price else ""
        return Reply(ok=True, cloid=order.key, text=f"{order.key[:8]} {order.status.value}{at}")

    async def _amend(self, command: c.Amend) -> Reply:
        order = self._one(command.cloid)
        amount = None if command.amount is None else command.amount.copy_sign(order.amount)
        amended = await self.oms.amend_order(order.key, amount=amount, price=command.price, confirmed=command.confirmed)
        return Reply(ok=True, cloid=order.key, text=f"{order.key[:8]} now {amended.amount:f} at {amended.price:f}")

    async def _cancel_by_id(self, command: c.CancelById) -> Reply:
        order = self._one(command.cloid)
        after = await self.oms.cancel_order(order.venue, order.ticker, cloid=order.key)
        return Reply(ok=True, cloid=order.key, text=f"{order.key[:8]} {after.status.value}")

    async def _cancel(self, command: c.Cancel) -> Reply:
        orders = self._matching(command)
        taken = await self.oms.cancel_orders(orders)
        text = f"{taken} of {len(orders)} cancelled; hedge orders are spared"
        if taken < len(orders):
            return Reply(ok=False, text=text, error=f"{len(orders) - taken} of {len(orders)} cancels were not taken")
        return Reply(ok=True, text=text)

    async def _flatten(self, command: c.Flatten) -> Reply:
        pairs = await self._to_flatten(command)
        results = await asyncio.gather(*(self.oms.flatten(*pair) for pair in pairs))
        lines = [f"{result.venue}:{result.ticker} {result.before:f}: {result.text}" for result in results]
        left = [
            f"{result.venue}:{result.ticker} {'not known' if result.residual is None else format(result.residual, 'f')}"
            for result in results
            if not result.done
        ]
        text = "; ".join(lines) or "no positions"
        return Reply(ok=not left, text=text, error=f"left: {', '.join(left)}" if left else "")

    # ----------------------------------------------------------- desk's state

    async def _panic(self, _command: c.Panic) -> Reply:
        makers = len(self.oms.makers_working())
        taken = await self.oms.panic()
        text = f"PANIC: {taken} of {makers} makers cancelled, {self._stands}; `activate` allows makers again"
        left = makers - taken
        error = f"{left} makers are not confirmed as cancelled, their venues are asked again" if left else ""
        return Reply(ok=not error, text=text, error=error)

    async def _arm(self, command: c.Arm) -> Reply:
        self.oms.arm(command.name)
        return Reply(ok=True, text=f"{self._stands}: what raises risk goes out; `disarm` ends it at once")

    async def _disarm(self, _command: c.Disarm) -> Reply:
        self.oms.disarm()
        again = "`activate` allows makers" if self.oms.state.live is None else "`arm` allows what raises risk"
        return Reply(ok=True, text=f"{self._stands}: no new makers; {again} again")

    async def _activate(self, _command: c.Activate) -> Reply:
        self.oms.activate()
        return Reply(ok=True, text=f"{self._stands}: {self.oms.state.refusal(Act.RAISE) or 'makers are allowed again'}")

    async def _reducing(self, _command: c.Reducing) -> Reply:
        taken = await self.oms.reducing()
        return Reply(ok=True, text=f"{self._stands}: only what reduces, and hedges; {taken} other orders cancelled")

    async def _halt(self, _command: c.Halt) -> Reply:
        taken = await self.oms.halt_trading()
        return Reply(ok=True, text=f"{self._stands}: no hedges either, {taken} makers cancelled; `activate` ends it")

    @property
    def _stands(self) -> str:
        """The desk's states in words."""
        return f"{'' if self.oms.state.live is None else f'LIVE {self.oms.arming} '}{self.oms.trading}"

    # ------------------------------------------------------------ hedge books

    async def _hedge_now(self, command: c.HedgeNow) -> Reply:
        self._book(command)
        self.oms.hedge.resume(command.venue, command.ticker, now=True, reason=_why(command.reason))
        return self._book_reply(command)

    async def _round_up(self, command: c.RoundUp) -> Reply:
        self.oms.state.check(command.venue, Act.CORRECT)
        before = set(self._book(command).open_children)
        self.oms.hedge.round_up(command.venue, command.ticker, _why(command.reason))
        book = self._book(command)
        sent = [child for key, child in book.open_children.items() if key not in before]
        if not sent:
            return Reply(ok=False, error=f"nothing was sent: the desk is {self.oms.trading}")
        names = ", ".join(f"hedge {child.cloid[:8]} of {child.amount:f} is sent" for child in sent)
        return Reply(ok=True, cloid=sent[0].cloid, text=f"{names}; {self._book_reply(command).text}")

    async def _reopen(self, command: c.Reopen) -> Reply:
        self._book(command)
        self.oms.state.check(command.venue, Act.CORRECT)
        self.oms.hedge.reopen(command.venue, command.ticker, command.amount, _why(command.reason))
        return self._book_reply(command)

    async def _forfeit(self, command: c.Forfeit) -> Reply:
        amount = self._to_forfeit(command)
        self.oms.hedge.forfeit(command.venue, command.ticker, _why(command.reason), amount)
        return self._book_reply(command)

    async def _take_as_absent(self, command: c.Absent) -> Reply:
        order = self._unknown_hedge(command.cloid)
        if not command.confirmed:
            text = (
                f"if {order.key[:8]} was sent after all it is hedged twice: look at {order.venue} first, "
                f"then say: absent {command.cloid} confirmed"
            )
            return Reply(ok=False, error=text)
        self.oms.state.check(order.venue, Act.CORRECT)
        self.oms.hedge.assume_absent(order.key, _why(command.reason))
        book = self.oms.kernel.books[order.venue, order.ticker]
        text = f"{order.key[:8]} is taken as never sent; {book.venue}:{book.ticker} {_waits(book)}"
        return Reply(ok=True, cloid=order.key, text=text)

    async def _pause(self, command: c.Pause) -> Reply:
        self._book(command)
        self.oms.hedge.pause(command.venue, command.ticker, _why(command.reason))
        return self._book_reply(command)

    async def _resume(self, command: c.Resume) -> Reply:
        self._book(command)
        self.oms.hedge.resume(command.venue, command.ticker, reason=_why(command.reason))
        return self._book_reply(command)

    # ------------------------------------------------------------- the proof

    async def _reconcile(self, command: c.Reconcile) -> Reply:
        self._check_names(command.venue, None)
        await self.oms.reconcile(command.venue)
        return Reply(ok=True, text=f"{command.venue or 'every venue'} reconciled")

    async def _verify(self, _command: c.Verify) -> Reply:
        proof = await self.oms.verify()
        if proof.consistent:
            return Reply(ok=True, text=f"consistent: {len(proof.books)} hedge books equal the venues' own fills")
        return Reply(ok=False, error="; ".join(proof.problems))

    # -------------------------------------------------------------- look-ups

    def _one(self, prefix: str) -> Order:
        found = self.oms.page.find(prefix)
        if not found:
            raise Denied("order", f"no order starts with {prefix!r}", field="cloid")
        if len(found) > 1:
            raise Denied("order", f"{len(found)} orders start with {prefix!r}: give more digits", field="cloid")
        return found[0]

    def _matching(self, command: c.Cancel) -> list[Order]:
        self._check_names(command.venue, command.ticker)
        return [
            order
            for order in self.oms.makers_working()
            if command.venue in {None, order.venue}
            and command.ticker in {None, order.ticker}
            and command.side in {None, order.side}
        ]

    async def _to_flatten(self, command: c.Flatten) -> list[tuple[str, str]]:
        self._check_names(command.venue, command.ticker)
        if command.venue is not None and command.ticker is not None:
            return [(command.venue, command.ticker)]
        venues = [command.venue] if command.venue else list(self.oms.gateway.venues)
        return [(exc, row.ticker) for exc in venues for row in await self.oms.positions_get(exc) if row.amount != 0]

    def _check_names(self, venue: str | None, ticker: str | None) -> None:
        if venue is not None and ticker is not None:
            find_contract(self.oms.contracts, venue, ticker)
        elif venue is not None:
            find_venue(self.oms.contracts, venue)

    def _book(self, command: c.BookAct) -> HedgeBook:
        self._check_names(command.venue, command.ticker)
        book = self.oms.kernel.books.get((command.venue, command.ticker))
        if book is None:
            text = f"{command.venue}:{command.ticker} is no hedge book: no maker has been hedged there"
            raise Denied(command.venue, text, field="ticker")
        return book

    def _book_reply(self, command: c.BookAct) -> Reply:
        book = self._book(command)
        return Reply(ok=True, text=f"{book.venue}:{book.ticker} {_waits(book)}")

    def _to_forfeit(self, command: c.Forfeit) -> Decimal:
        """What is to be written off. Raises Denied where nothing waits, ValueError for more than waits."""
        book = self._book(command)
        if book.balance == 0:
            raise Denied(command.venue, f"{book.venue}:{book.ticker} has nothing to forfeit: its balance is 0")
        check_forfeit(book, command.amount)
        return book.balance if command.amount is None else command.amount

    def _unknown_hedge(self, prefix: str) -> Order:
        order = self._one(prefix)
        if order.role is not Role.HEDGE:
            text = (
                f"order {order.key[:8]} is {_A_ROLE[order.role]}: only an unknown hedge order can be taken as not sent"
            )
            raise Denied(order.venue, text, field="cloid")
        check_absent(order.key, self.oms.kernel.children.get(order.key))
        return order

    # -------------------------------------------------------------- previews

    def _names(self, command: c.Place) -> None:
        """Refuse a venue or ticker that is not there, naming the nearest and the leg."""
        find_contract(self.oms.contracts, command.venue, command.ticker)
        for number, leg in enumerate(command.legs, 1):
            find_contract(self.oms.contracts, leg.venue, leg.ticker, prefix=f"leg {number} ")

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
                order = self._one(cloid)
                note = "; it is a hedge, its book is paused" if order.role is Role.HEDGE else ""
                return f"cancel {order.side.value} {order.quantity:f} {order.venue}:{order.ticker}{note}"
            case c.Cancel():
                return f"cancel {len(self._matching(command))} orders; hedge orders are spared"
            case c.Amend(cloid=cloid):
                order = self._one(cloid)
                return f"amend {order.side.value} {order.quantity:f} {order.venue}:{order.ticker}"
            case c.Flatten(venue=venue, ticker=ticker):
                self._check_names(venue, ticker)
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
                order = self._unknown_hedge(cloid)
                what = f"{order.side.value} {order.quantity:f} {order.venue}:{order.ticker}"
                return f"take hedge {order.key[:8]}, {what}, as never sent: if it was sent, it is hedged twice"
            case c.HedgeNow() | c.RoundUp() | c.Reopen() | c.Forfeit() | c.Pause() | c.Resume():
                return self._act_sentence(command)
            case c.Reconcile(venue=venue):
                self._check_names(venue, None)
                return language.render(command)
            case _:
                return language.render(command)

    def _act_sentence(self, command: c.BookAct) -> str:
        book = self._book(command)
        said = f"{language.render(command)}: {book.venue}:{book.ticker} {_waits(book)}"
        match command:
            case c.RoundUp():
                check_round_up(book)
                return f"{said}; one order of {rounded_up(book):f} is sent at market"
            case c.Reopen(amount=amount):
                check_reopen(book)
                return f"{said}; then {book.balance + amount:f}"
            case c.Forfeit():
                return f"{said}; then {book.balance - self._to_forfeit(command):f}"
            case _:
                return said


_A_ROLE = {Role.MAKER: "a maker", Role.MANUAL: "a manual order", Role.FLATTEN: "a flatten", Role.EXTERNAL: "not ours"}


def _why(reason: str) -> str:
    return f"by the operator because {reason}" if reason else "by the operator"


def _waits(book: HedgeBook) -> str:
    if book.balance == 0:
        return "nothing waits"
    return f"{book.balance:f} waits{', ' if book.waits else ''}{book.waits}"
