"""Which act of the operator a request belongs to: set where a command begins, read where a request ends.

Tasks that are started under an act inherit it (``contextvars``), and so do the requests they make. What the engine does
by itself (a hedge of a fill) belongs to none: its ids lead to the maker, and the maker's to its act.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_ACT: ContextVar[str] = ContextVar("act", default="")


def current_act() -> str:
    """The id of the act that this runs under, empty for none."""
    return _ACT.get()


@contextmanager
def under_act(act: str) -> Iterator[None]:
    """Let everything inside, and every task started inside, belong to an act."""
    token = _ACT.set(act)
    try:
        yield
    finally:
        _ACT.reset(token)
