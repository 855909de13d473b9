"""The desk: carries out the commands of the grammar on an OMS, whoever typed them.

The one place between the grammar and the engine: the console's link, the headless run and ``exec`` all come here.
Refusals come back as replies with one clear sentence; nothing here raises for what a user typed or a venue refused.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from console import commands as c
from console import language
from console.link import Preview, Reply
from console.log_records import log_command, log_reply, log_unread, next_act
from console.named import Named, waiting
from console.previews import Previews
from gateways.errors import Denied, VenueError
from oms.correlation import under_act
from oms.journal import JournalError
from oms.risk.verdict import Unconfirmed
from oms.states import Act
from oms.system import OMS


class Desk:
    """Runs commands on ``oms``. Must be used on the engine's loop.

    ``facts``: what an operator is shown before arming it, each a word and a sentence.
    """

    def __init__(self, oms: OMS, facts: tuple[tuple[str, str], ...] = ()) -> None:
        self.oms = oms
        self.find = Named(oms)
        self._previews = Previews(self.find, facts)
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
            c.Reconnect: self._reconnect,
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
        return self._previews.of(text)

    # ---------------------------------------------------------------- orders

    async def _place(self, command: c.Place) -> Reply:
        self.find.names(command)
        legs = tuple(leg.leg() for leg in command.legs)
        order = await self.oms.place(command.venue, command.order(""), legs, confirmed=command.confirmed)
        at = f" at {order.price:f}" if order.price else ""
        return Reply(ok=True, cloid=order.key, text=f"{order.key[:8]} {order.status.value}{at}")

    async def _amend(self, command: c.Amend) -> Reply:
        order = self.find.one(command.cloid)
        amount = None if command.amount is None else command.amount.copy_sign(order.amount)
        amended = await self.oms.amend_order(order.key, amount=amount, price=command.price, confirmed=command.confirmed)
        return Reply(ok=True, cloid=order.key, text=f"{order.key[:8]} now {amended.amount:f} at {amended.price:f}")

    async def _cancel_by_id(self, command: c.CancelById) -> Reply:
        order = self.find.one(command.cloid)
        after = await self.oms.cancel_order(order.venue, order.ticker, cloid=order.key)
        return Reply(ok=True, cloid=order.key, text=f"{order.key[:8]} {after.status.value}")

    async def _cancel(self, command: c.Cancel) -> Reply:
        orders = self.find.matching(command)
        taken = await self.oms.cancel_orders(orders)
        text = f"{taken} of {len(orders)} cancelled; hedge orders are spared"
        if taken < len(orders):
            return Reply(ok=False, text=text, error=f"{len(orders) - taken} of {len(orders)} cancels were not taken")
        return Reply(ok=True, text=text)

    async def _flatten(self, command: c.Flatten) -> Reply:
        pairs = await self.find.to_flatten(command)
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
        self.find.book(command)
        self.oms.hedge.resume(command.venue, command.ticker, now=True, reason=_why(command.reason))
        return self._book_reply(command)

    async def _round_up(self, command: c.RoundUp) -> Reply:
        self.oms.state.check(command.venue, Act.CORRECT)
        before = set(self.find.book(command).open_children)
        self.oms.hedge.round_up(command.venue, command.ticker, _why(command.reason))
        book = self.find.book(command)
        sent = [child for key, child in book.open_children.items() if key not in before]
        if not sent:
            return Reply(ok=False, error=f"nothing was sent: the desk is {self.oms.trading}")
        names = ", ".join(f"hedge {child.cloid[:8]} of {child.amount:f} is sent" for child in sent)
        return Reply(ok=True, cloid=sent[0].cloid, text=f"{names}; {self._book_reply(command).text}")

    async def _reopen(self, command: c.Reopen) -> Reply:
        self.find.book(command)
        self.oms.state.check(command.venue, Act.CORRECT)
        self.oms.hedge.reopen(command.venue, command.ticker, command.amount, _why(command.reason))
        return self._book_reply(command)

    async def _forfeit(self, command: c.Forfeit) -> Reply:
        amount = self.find.to_forfeit(command)
        self.oms.hedge.forfeit(command.venue, command.ticker, _why(command.reason), amount)
        return self._book_reply(command)

    async def _take_as_absent(self, command: c.Absent) -> Reply:
        order = self.find.unknown_hedge(command.cloid)
        if not command.confirmed:
            text = (
                f"if {order.key[:8]} was sent after all it is hedged twice: look at {order.venue} first, "
                f"then say: absent {command.cloid} confirmed"
            )
            return Reply(ok=False, error=text)
        self.oms.state.check(order.venue, Act.CORRECT)
        self.oms.hedge.assume_absent(order.key, _why(command.reason))
        book = self.oms.kernel.books[order.venue, order.ticker]
        text = f"{order.key[:8]} is taken as never sent; {book.venue}:{book.ticker} {waiting(book)}"
        return Reply(ok=True, cloid=order.key, text=text)

    async def _pause(self, command: c.Pause) -> Reply:
        self.find.book(command)
        self.oms.hedge.pause(command.venue, command.ticker, _why(command.reason))
        return self._book_reply(command)

    async def _resume(self, command: c.Resume) -> Reply:
        self.find.book(command)
        self.oms.hedge.resume(command.venue, command.ticker, reason=_why(command.reason))
        return self._book_reply(command)

    # ------------------------------------------------------------- the proof

    async def _reconcile(self, command: c.Reconcile) -> Reply:
        self.find.check_names(command.venue, None)
        await self.oms.reconcile(command.venue)
        return Reply(ok=True, text=f"{command.venue or 'every venue'} reconciled")

    async def _reconnect(self, command: c.Reconnect) -> Reply:
        self.find.check_names(command.venue, None)
        for venue in [command.venue] if command.venue else list(self.oms.gateway.venues):
            self.oms.gateway.venue(venue).renew_private("asked for by the operator")
        return Reply(ok=True, text=f"{command.venue or 'every venue'}: the private stream is opened anew")

    async def _verify(self, _command: c.Verify) -> Reply:
        proof = await self.oms.verify()
        if proof.consistent:
            return Reply(ok=True, text=f"consistent: {len(proof.books)} hedge books equal the venues' own fills")
        return Reply(ok=False, error="; ".join(proof.problems))

    def _book_reply(self, command: c.BookAct) -> Reply:
        book = self.find.book(command)
        return Reply(ok=True, text=f"{book.venue}:{book.ticker} {waiting(book)}")


def _why(reason: str) -> str:
    return f"by the operator because {reason}" if reason else "by the operator"
