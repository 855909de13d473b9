"""The error tree of the gateways. It decides money: what an error proves about an order is its type.

::

    VenueError
    ├── Denied         we refused before sending: nothing left this process
    ├── Rejected       the venue refused: definite, with a normalized reason and the venue's own code and text
    │   └── RateLimited   refused for its rate, with retry_after in seconds
    ├── Unknown        sent, outcome not known: timeout, disconnect, 5xx. The order may exist
    ├── Unavailable    definitely not sent: no connection, budget exhausted
    ├── NotFound       a *successful* answer that there is no such order
    └── DecodeError    a message that does not have its documented form

A failed query is never an answer, and an order request is never retried by the transport (docs/architecture.md).
"""

from gateways.standards import RejectReason


class VenueError(Exception):
    """Anything that a venue, or the way to it, did to a request. ``venue``: the alias; ``text``: one clear sentence."""

    def __init__(self, venue: str, text: str) -> None:
        super().__init__(f"{venue}: {text}")
        self.venue = venue
        self.text = text


class Denied(VenueError):
    """Refused before sending. ``field`` names what was wrong, so that a form can point at it."""

    def __init__(self, venue: str, text: str, *, field: str = "", reason: RejectReason = RejectReason.OTHER) -> None:
        super().__init__(venue, text)
        self.field = field
        self.reason = reason


class Rejected(VenueError):
    """Refused by the venue: no order exists for the request (or the cancel or amend was not done)."""

    def __init__(self, venue: str, text: str, *, code: str = "", reason: RejectReason = RejectReason.OTHER) -> None:
        super().__init__(venue, f"{text} ({code})" if code else text)
        self.code = code
        self.reason = reason


class RateLimited(Rejected):
    """Refused for its rate. ``retry_after`` is in seconds, 0 where the venue did not say."""

    def __init__(self, venue: str, text: str, *, code: str = "", retry_after: float = 0.0) -> None:
        super().__init__(venue, text, code=code, reason=RejectReason.RATE_LIMIT)
        self.retry_after = retry_after


class Unknown(VenueError):
    """Sent, but what became of it is not known: it counts in full until the venue says."""


class Unavailable(VenueError):
    """Definitely not sent. ``reason`` tells a venue that cannot be reached from a limit of ours that held it back.

    ``retry_after``: after how many seconds that limit is free again, 0 where that is not known.
    """

    def __init__(
        self, venue: str, text: str, *, reason: RejectReason = RejectReason.UNREACHABLE, retry_after: float = 0.0
    ) -> None:
        super().__init__(venue, text)
        self.reason = reason
        self.retry_after = retry_after


class NotFound(VenueError):
    """The venue answered, successfully, that there is no such order."""


class DecodeError(VenueError):
    """A message without its documented form. ``field`` is the first field that was missing or wrong."""

    def __init__(self, venue: str, field: str, text: str = "") -> None:
        super().__init__(venue, f"malformed message at {field!r}{': ' if text else ''}{text}")
        self.field = field
