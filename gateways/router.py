"""The gateway: every venue of a desk by its alias, connected and closed together.

Order entry on anything but this machine is refused here, before a connection is made, to every desk that is not live:
one that starts SAFE and must be armed (docs/states.md). A desk on paper never reaches a real account.
"""

import asyncio
import difflib
import importlib
import ipaddress
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

import msgspec

from gateways.errors import Denied
from gateways.transport.network import Network
from gateways.venue import Endpoints, Sink, Venue, Watcher

VenueFactory = Callable[[str, Endpoints], Venue]

KINDS: Mapping[str, tuple[str, str]] = {
    "binance": ("gateways.binance.venue", "BinanceVenue"),
    "bybit": ("gateways.bybit.venue", "BybitVenue"),
    "hyperliquid": ("gateways.hyperliquid.venue", "HyperliquidVenue"),
    "okx": ("gateways.okx.venue", "OkxVenue"),
}
"""Module and class by kind of venue. Loaded when a desk names the kind: each brings its own libraries."""


class _EndpointsFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    venues: dict[str, Endpoints]


def load_endpoints(text: str | bytes) -> dict[str, Endpoints]:
    """Endpoints by alias, of the JSON object ``{"venues": {alias: {"rest", "ws", "key", "secret"}}}``.

    It is the line that ``hedgedesk paper`` prints. Raises Denied, naming the field, for anything else.
    """
    try:
        venues = msgspec.json.decode(text, type=_EndpointsFile).venues
    except (msgspec.DecodeError, UnicodeError) as error:
        # A complaint names fields and types, never the values, which hold secrets.
        raise Denied("venues", f"not a list of endpoints: {error}", field="venues") from error
    if not venues:
        raise Denied("venues", "the list of endpoints names no venue", field="venues")
    return venues


def is_loopback(url: str) -> bool:
    """Whether an address is on this machine: ``localhost``, 127.0.0.0/8 or ::1."""
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def refuse_remote(alias: str, endpoints: Endpoints, *, live: bool = False) -> None:
    """Raise Denied for private endpoints off this machine: to a desk that is not live, and to any without TLS."""
    for url in endpoints.urls:
        if is_loopback(url):
            continue
        place = urlsplit(url)
        host = place.netloc.rpartition("@")[2] or url
        if not live:
            text = f"{host} is not on this machine: only a live desk, which must be armed, trades there"
            raise Denied(alias, text, field="endpoints")
        if place.scheme not in {"https", "wss"}:
            raise Denied(alias, f"{host} is reached by {place.scheme or 'no scheme'}, without TLS", field="endpoints")


def make_venue(alias: str, endpoints: Endpoints, network: Network | None = None) -> Venue:
    """The venue that speaks to these endpoints, over ``network`` (None: the sockets of this machine).

    Raises Denied for a kind that is not known.
    """
    kind = endpoints.kind or alias
    known = KINDS.get(kind)
    if known is None:
        raise Denied(alias, f"there is no gateway for {kind!r}{_nearest(kind, KINDS)}", field="kind")
    module, name = known
    options = {} if network is None else {"network": network}
    venue: Venue = getattr(importlib.import_module(module), name)(alias, endpoints, **options)
    return venue


class Gateway:
    """The venues of one desk. Nothing is connected before ``connect``.

    ``live``: whether its desk must be armed to raise risk, or sends no orders at all.
    Raises Denied when made with endpoints that it may not reach (``refuse_remote``), or of an unknown kind.
    """

    def __init__(
        self, endpoints: Mapping[str, Endpoints], *, make: VenueFactory = make_venue, live: bool = False
    ) -> None:
        for alias, each in endpoints.items():
            refuse_remote(alias, each, live=live)
        self._venues = {alias: make(alias, each) for alias, each in endpoints.items()}

    @property
    def venues(self) -> Mapping[str, Venue]:
        """Every venue by its alias."""
        return self._venues

    def venue(self, alias: str) -> Venue:
        """One venue. Raises Denied, with the nearest names, for an alias that the desk does not have."""
        found = self._venues.get(alias)
        if found is None:
            raise Denied(alias, f"there is no venue {alias!r} here{_nearest(alias, self._venues)}", field="venue")
        return found

    async def connect(self, sink: Sink, watcher: Watcher) -> None:
        """Connect all venues at once. When one cannot, all are closed and its error is raised."""
        tasks = {alias: asyncio.ensure_future(venue.connect(sink, watcher)) for alias, venue in self._venues.items()}
        try:
            await asyncio.gather(*tasks.values())
        except BaseException:
            for task in tasks.values():
                task.cancel()
            await asyncio.gather(*tasks.values(), return_exceptions=True)
            await self.close()
            raise

    async def close(self) -> None:
        """Close all venues, each whatever becomes of the others. Idempotent."""
        ended = await asyncio.gather(*(venue.close() for venue in self._venues.values()), return_exceptions=True)
        failed = [error for error in ended if isinstance(error, Exception)]
        if failed:
            raise ExceptionGroup("closing the venues failed", failed) if len(failed) > 1 else failed[0]


def _nearest(name: str, known: Mapping[str, object]) -> str:
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.4) or sorted(known)
    return f"; did you mean {', '.join(near)}?" if near else ""
