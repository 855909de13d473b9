"""The desk: carries out the commands of the grammar on an OMS, whoever typed them.

The one place between the grammar and the engine: the console's link, the headless run and ``exec`` all come here.
Refusals come back as replies with one clear sentence; nothing here raises for what a user typed or a venue refused.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from console import commands as c
from console import language
from console.checks import check_place
from console.link import Preview, Reply
from gateways.errors import Denied, VenueError
from oms.checks import find_contract
from oms.journal import JournalError
from oms.orders import Order, Role
from oms.system import OMS


class Desk:
    """Runs commands on ``oms``. Must be used on the engine's loop."""

    def __init__(self, oms: OMS) -> None:
        self.oms = oms
        self._run: dict[type, Callable[[Any], Awaitable[Reply]]] = {
            c.Place: self._place,
            c.Amend: self._amend,
            c.CancelById: self._cancel_by_id,
            c.Cancel: self._cancel,
            c.Flatten: self._flatten,
            c.Panic: self._panic,
            c.Disarm: self._disarm,
            c.Activate: self._activate,
            c.HedgeNow: self._hedge_now,
            c.Forfeit: self._forfeit,
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
            return Reply(ok=False, error=error.text, caret=error.caret)
        return await self.run(command)

    async def run(self, command: c.Command) -> Reply:
        """Run one command."""
        run = self._run.get(type(command))
        if run is None:
            return Reply(ok=False, error=f"{language.render(command)!r} is for scripts only")
        try:
            return await run(command)
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
            return Preview(ok=False, error=error.text, caret=error.caret)
        if isinstance(command, c.Place):
            return self._preview_place(command, text)
        try:
            return Preview(ok=True, sentence=self._sentence(command))
        except Denied as error:
            return Preview(ok=False, error=error.text, field=error.field)

    # ---------------------------------------------------------------- orders

    async def _place(self, command: c.Place) -> Reply:
        self._names(command)
        order = await self.oms.place(command.venue, command.order(""), tuple(leg.leg() for leg in command.legs))
        at = f" at {order.price:f}" if order.price else ""
        return Reply(ok=True, cloid=order.key, text=f"{order.key[:8]} {order.status.value}{at}")

    async def _amend(self, command: c.Amend) -> Reply:
        order = self._one(command.cloid)
        amount = None if command.amount is None else command.amount.copy_sign(order.amount)
        amended = await self.oms.amend_order(order.key, amount=amount, price=command.price)
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
        text = f"PANIC: {taken} of {makers} makers cancelled, HEDGE-ONLY; hedges go on, `activate` allows makers again"
        error = "" if taken == makers else f"{makers - taken} makers are not confirmed as cancelled"
        return Reply(ok=not error, text=text, error=error)

    async def _disarm(self, _command: c.Disarm) -> Reply:
        self.oms.disarm()
        return Reply(ok=True, text="HEDGE-ONLY: no new makers; `activate` allows them again")

    async def _activate(self, _command: c.Activate) -> Reply:
        self.oms.activate()
        return Reply(ok=True, text="ACTIVE: makers are allowed again")

    async def _hedge_now(self, command: c.HedgeNow) -> Reply:
        self._book(command)
        self.oms.hedge.resume(command.venue, command.ticker, now=True)
        return self._book_reply(command)

    async def _forfeit(self, command: c.Forfeit) -> Reply:
        self._book(command)
        self.oms.hedge.forfeit(command.venue, command.ticker, "by the operator")
        return self._book_reply(command)

    async def _pause(self, command: c.Pause) -> Reply:
        self._book(command)
        self.oms.hedge.pause(command.venue, command.ticker, "by the operator")
        return self._book_reply(command)

    async def _resume(self, command: c.Resume) -> Reply:
        self._book(command)
        self.oms.hedge.resume(command.venue, command.ticker)
        return self._book_reply(command)

    async def _reconcile(self, command: c.Reconcile) -> Reply:
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
        if venue is not None:
            self.oms.gateway.venue(venue)
            if ticker is not None:
                self.oms.contract_specs(venue, ticker)

    def _book(self, command: c.HedgeNow | c.Forfeit | c.Pause | c.Resume) -> None:
        self._check_names(command.venue, command.ticker)
        if (command.venue, command.ticker) not in self.oms.kernel.books:
            text = f"{command.venue}:{command.ticker} is no hedge book: no maker has been hedged there"
            raise Denied(command.venue, text, field="ticker")

    def _book_reply(self, command: c.HedgeNow | c.Forfeit | c.Pause | c.Resume) -> Reply:
        book = self.oms.kernel.books[command.venue, command.ticker]
        why = f", {book.waits}" if book.balance != 0 and book.waits else ""
        return Reply(ok=True, text=f"{book.venue}:{book.ticker} {book.balance:f} waits{why}")

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
        return checked.preview(text)

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
            case c.HedgeNow() | c.Forfeit() | c.Pause() | c.Resume():
                self._book(command)
                return f"{language.render(command)}: {self._book_reply(command).text}"
            case _:
                return language.render(command)
