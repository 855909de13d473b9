"""The two ways that a request comes, and how an answer by each of them goes wrong. Pure."""

from collections.abc import Callable
from typing import Protocol, TypeVar

import msgspec

from gateways.paper.dialects import Asked, Dialect
from gateways.paper.front import HttpReply, Push

A = TypeVar("A")


class Way(Protocol[A]):
    """One request that waits to be carried out and answered."""

    def run(self) -> A:
        """Carry it out; the true answer."""
        ...

    def forgotten(self) -> list[Push]:
        """Carry it out and tell nobody."""
        ...

    def said(self, reply: HttpReply, asked: Asked) -> A:
        """Another answer than the true one."""
        ...

    def lost(self) -> A:
        """No answer, ever."""
        ...

    def cut(self) -> A:
        """The connection ends without an answer."""
        ...

    def then_cut(self, answer: A) -> A:
        """The connection ends after the answer."""
        ...

    def late(self, answer: A, delay_ns: int) -> A:
        """The answer, that much later."""
        ...


class OverHttp:
    """A request by HTTP."""

    def __init__(self, carry_out: Callable[[], HttpReply], dialect: Dialect) -> None:
        self._carry_out = carry_out
        self._dialect = dialect

    def run(self) -> HttpReply:
        """See ``Way``, as for all here."""
        return self._carry_out()

    def forgotten(self) -> list[Push]:
        """See ``Way``."""
        self._carry_out()
        return []

    def said(self, reply: HttpReply, asked: Asked) -> HttpReply:  # noqa: ARG002 - a websocket's answer names the request
        """See ``Way``."""
        return reply

    def lost(self) -> HttpReply:
        """See ``Way``."""
        return HttpReply(fate="lost")

    def cut(self) -> HttpReply:
        """See ``Way``."""
        return HttpReply(fate="cut")

    def then_cut(self, answer: HttpReply) -> HttpReply:
        """See ``Way``."""
        return msgspec.structs.replace(answer, headers={**answer.headers, "Connection": "close"})

    def late(self, answer: HttpReply, delay_ns: int) -> HttpReply:
        """See ``Way``."""
        return msgspec.structs.replace(answer, after_ns=delay_ns)


class OverSocket:
    """A request by a websocket. ``later`` takes what is held back: for how long, what to do, for which connection."""

    def __init__(
        self,
        carry_out: Callable[[], list[Push]],
        dialect: Dialect,
        connection: int,
        later: Callable[[int, Callable[[], list[Push]], int], None],
    ) -> None:
        self._carry_out = carry_out
        self._dialect = dialect
        self._connection = connection
        self._later = later

    def run(self) -> list[Push]:
        """See ``Way``, as for all here."""
        return self._carry_out()

    def forgotten(self) -> list[Push]:
        """See ``Way``."""
        self._carry_out()
        return []

    def said(self, reply: HttpReply, asked: Asked) -> list[Push]:
        """See ``Way``."""
        return [Push(connection=self._connection, text=self._dialect.over_ws(asked, reply))]

    def lost(self) -> list[Push]:
        """See ``Way``."""
        return []

    def cut(self) -> list[Push]:
        """See ``Way``."""
        return [Push(connection=self._connection, close=True)]

    def then_cut(self, answer: list[Push]) -> list[Push]:
        """See ``Way``."""
        return [*answer, Push(connection=self._connection, close=True)]

    def late(self, answer: list[Push], delay_ns: int) -> list[Push]:
        """See ``Way``."""
        self._later(delay_ns, lambda: answer, self._connection)
        return []
