"""When an order that nobody has spoken for may be believed never to have existed (I9)."""

import msgspec

GAP_NS = 1_000_000_000
"""How far apart two answers must be: a venue's query may lag behind its order entry."""


class Absence(msgspec.Struct):
    """Collects "no such order" answers. Errors and timeouts are not answers and must not be given to it."""

    accept_until_ns: int = 0
    """Until when the venue could still accept the request."""
    first_ns: int = 0

    def proven(self, answered_ns: int, gap_ns: int = GAP_NS) -> bool:
        """Count one successful answer; True at the second one, ``gap_ns`` apart, both after the acceptance bound."""
        if answered_ns <= self.accept_until_ns:
            return False
        if self.first_ns <= self.accept_until_ns:  # none yet, or one from before the bound was put off
            self.first_ns = answered_ns
            return False
        return answered_ns - self.first_ns >= gap_ns

    def seen(self) -> None:
        """The order showed itself: answers from before count no more."""
        self.first_ns = 0
