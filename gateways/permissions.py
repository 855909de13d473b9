"""What a venue says of a key: what it may do, as far as the venue tells. ``gateways.<venue>.permissions`` asks."""

import msgspec

from gateways.errors import DecodeError
from gateways.standards import Batch
from gateways.venue import ChannelState, Watcher


class Permissions(msgspec.Struct, frozen=True, kw_only=True):
    """What a key may do; None where the venue does not say."""

    trade: bool | None = None
    """Place and cancel orders in perpetuals."""
    withdraw: bool | None = None
    """Take money out of the account: a desk never needs it."""
    bound: bool | None = None
    """Whether the key works from named addresses only."""
    note: str = ""
    """What else there is to know, a sentence."""


def flag(said: dict[str, object], name: str, venue: str) -> bool:
    """A true or false of an answer. Raises DecodeError for anything else."""
    value = said.get(name)
    if not isinstance(value, bool):
        raise DecodeError(venue, name, "missing, or neither true nor false")
    return value


class Nobody(Watcher):
    """Who watches a session that asks one thing and ends."""

    def channel_changed(self, venue: str, state: ChannelState) -> None:
        """Nothing."""

    def request_done(self, venue: str, verb: str, *, sent: str, answer: str, took_ns: int, ok: bool) -> None:
        """Nothing."""

    def message_dropped(self, venue: str, reason: str) -> None:
        """Nothing."""


def unheard(_: Batch) -> None:
    """Take events for nobody."""
