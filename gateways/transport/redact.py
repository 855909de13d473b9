"""Cut secrets out of what is shown or logged: signatures, keys and whatever else the caller names.

The command log shows what was really sent, so the cut replaces the value and keeps the name: ``signature=***``.
"""

import re
from collections.abc import Iterable

MASK = "***"

LOG_LIMIT = 2_000
"""Most characters of one request or answer that a log line keeps."""

_NAMES = "signature|listenKey|apiKey|passphrase|secret"
_IN_QUERY = re.compile(rf"\b({_NAMES})=[^&\s\"']*")
_IN_JSON = re.compile(rf'"({_NAMES})"\s*:\s*(?:"[^"]*"|\{{[^}}]*\}})')


class Redactor:
    """Cuts named secrets (query and JSON spelling) and the literal ``secrets`` given, wherever they occur."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._literals: set[str] = set()
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str) -> None:
        """Cut this text too from now on (a listen key, say). Very short texts would blank innocent ones: ignored."""
        if len(secret) >= 8:
            self._literals.add(secret)

    def forget(self, secret: str) -> None:
        """Stop cutting a text that is no longer a secret."""
        self._literals.discard(secret)

    def cut(self, text: str | bytes) -> str:
        """``text`` without its secrets, at most ``LOG_LIMIT`` characters long."""
        shown = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
        truncated = len(shown) > 2 * LOG_LIMIT
        # Cut before shortening, with a margin, so that no secret is split at the end and shown in part.
        shown = shown[: 2 * LOG_LIMIT] if truncated else shown
        for literal in self._literals:
            shown = shown.replace(literal, MASK)
        shown = _IN_QUERY.sub(rf"\1={MASK}", shown)
        shown = _IN_JSON.sub(rf'"\1":"{MASK}"', shown)
        return shown if len(shown) <= LOG_LIMIT else shown[:LOG_LIMIT] + "..."
