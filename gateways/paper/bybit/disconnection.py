"""Bybit v5's disconnection protection (DCP): an account's orders are cancelled when its private stream stays away.

On the real venue a client manager switches it on; here setting its window does. It watches the private connections
that subscribed to the ``dcp`` topic: when the last of them is gone the time runs, and a new one that is logged in,
subscribed and has sent a ping stops it.

Source: the pages Set Disconnect Cancel All and DCP.
"""

from collections.abc import Callable

SECOND_NS = 1_000_000_000


class Disconnections:
    """The protection of every account."""

    def __init__(self, now_ns: Callable[[], int]) -> None:
        self._now_ns = now_ns
        self._windows_s: dict[str, int] = {}
        self._watched: dict[str, set[int]] = {}
        self._due_ns: dict[str, int] = {}

    def protect(self, account: str, window_s: int) -> None:
        """Cancel an account's orders when it is away for so long, from its next disconnection on."""
        self._windows_s[account] = window_s

    def window_s(self, account: str) -> int | None:
        """How long the account may be away; None without protection."""
        return self._windows_s.get(account)

    def watch(self, account: str, connection: int) -> None:
        """A private connection subscribed to the topic."""
        self._watched.setdefault(account, set()).add(connection)

    def heartbeat(self, account: str, connection: int) -> None:
        """A private connection sent a ping: where it is watched, the account is back."""
        if connection in self._watched.get(account, ()):
            self._due_ns.pop(account, None)

    def leave(self, account: str, connection: int) -> None:
        """A private connection left the topic: its end is no disconnection any more."""
        self._watched.get(account, set()).discard(connection)

    def closed(self, account: str, connection: int) -> None:
        """A private connection is gone."""
        watched = self._watched.get(account, set())
        if connection not in watched:
            return
        watched.discard(connection)
        window = self._windows_s.get(account)
        if not watched and window is not None:
            self._due_ns.setdefault(account, self._now_ns() + window * SECOND_NS)

    def due(self) -> list[str]:
        """The accounts that were away for too long, each once."""
        now = self._now_ns()
        over = [account for account, due in self._due_ns.items() if due <= now]
        for account in over:
            del self._due_ns[account]
        return over
