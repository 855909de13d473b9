"""A link that asks the operator where a limit asks: the ticket, the command line and the keys need not know of it."""

from collections.abc import Awaitable, Callable

import msgspec

from console.language import parse, render
from console.link import Frame, Link, Preview, Reply
from console.screens.choices import Question


def limit_question(line: str, reply: Reply) -> Question:
    """What is asked before an order goes over limits that ask."""
    confirmed = msgspec.structs.replace(parse(line), confirmed=True)
    return Question(title="Over a limit that asks", text=reply.question, line=render(confirmed))


class AskingLink:
    """The link's contract over another link. ``ask`` shows a question and returns whether the answer was yes.

    ``command`` must be called where ``ask`` may wait for the operator.
    """

    def __init__(self, link: Link, ask: Callable[[Question], Awaitable[bool | None]]) -> None:
        self._link = link
        self._ask = ask
        self.outlives = link.outlives

    async def command(self, line: str) -> Reply:
        """Run a command line; where the engine asks, once more as confirmed if the operator says yes."""
        reply = await self._link.command(line)
        if not reply.question:
            return reply
        question = limit_question(line, reply)
        if await self._ask(question):
            return await self._link.command(question.line)
        return msgspec.structs.replace(reply, error=f"not sent: {reply.error}")

    async def preview(self, line: str) -> Preview:
        """Check a command line."""
        return await self._link.preview(line)

    def take(self) -> Frame | None:
        """What was published since the last call."""
        return self._link.take()

    def watch(self, venue: str, ticker: str) -> None:
        """Ask for a contract's ladder."""
        self._link.watch(venue, ticker)

    async def stop(self, *, two_phase: bool) -> Reply:
        """End the engine."""
        return await self._link.stop(two_phase=two_phase)
