"""One Hyperliquid account's way to the venue by HTTP, and which of its events are ours to take."""

import time
from collections.abc import Callable, Mapping

import msgspec

from gateways.errors import DecodeError, Denied, RateLimited, VenueError
from gateways.hyperliquid.answers import refused
from gateways.hyperliquid.decode import decode_channel, is_known
from gateways.hyperliquid.vocabulary import is_perpetual
from gateways.hyperliquid.wire import ExchangeStatus, read
from gateways.standards import Event, WireRequest
from gateways.transport import session
from gateways.transport.budget import Pool, Priority
from gateways.transport.network import Network
from gateways.transport.session import ClockNs
from gateways.transport.sockets import SOCKETS
from gateways.venue import Endpoints

WEIGHT = "weight"
MESSAGES = "messages"
ORDERS = "orders"
POOLS = (Pool(WEIGHT, 1_200, 60.0), Pool(MESSAGES, 2_000, 60.0), Pool(ORDERS, 2_000, 60.0))
"""Per IP address: weight of HTTP requests, messages sent by websocket ("Rate limits and user limits" page). Orders and
changes are limited by what the account has traded, which is not known here: a refusal holds them up. Cancels have a
limit of their own, much larger."""

STATUS_WEIGHT = 2
"""Of ``exchangeStatus`` (same page)."""

_STATUS = WireRequest(
    method="POST",
    path="/info",
    body=msgspec.json.encode({"type": "exchangeStatus"}),
    headers={"Content-Type": "application/json"},
)

LONGEST_WAIT_S = 5.0
"""How long a question may wait for the rate budget."""


class Session(session.Session):
    """What the channels of one Hyperliquid account share. The account's address is no secret, its key is."""

    def __init__(
        self, alias: str, endpoints: Endpoints, *, clock_ns: ClockNs = time.time_ns, network: Network = SOCKETS
    ) -> None:
        if not isinstance(endpoints.ws, str):
            raise Denied(alias, "Hyperliquid has one websocket address", field="ws")
        secrets = (endpoints.secret, endpoints.secret.removeprefix("0x"))
        super().__init__(alias, endpoints, POOLS, secrets, clock_ns=clock_ns, network=network)
        self.ws_url = endpoints.ws

    async def ask(
        self,
        build: Callable[[], WireRequest],
        verb: str,
        costs: Mapping[str, int],
        priority: Priority = Priority.QUERY,
        *,
        max_wait: float = LONGEST_WAIT_S,
        timeout: float | None = None,  # noqa: ASYNC109 - as in ``exchange``
    ) -> bytes:
        """``exchange``, but return the body of a success. Raises Rejected too."""
        answer = await self.exchange(build, verb, costs, priority, max_wait=max_wait, timeout=timeout)
        if answer.ok:
            return answer.body
        text = f"{answer.status} {answer.body[:500].decode('utf-8', 'replace')}"
        raise self.held_up(refused(self.alias, text, whole=True, retry_after_s=answer.retry_after_s), WEIGHT)

    def held_up(self, error: VenueError, pool: str) -> VenueError:
        """The error; one for rate holds up what spends from ``pool``."""
        if isinstance(error, RateLimited):
            self.pause(error.retry_after, [pool])
        return error

    async def _server_ms(self) -> int:
        """The time of the venue's status. Raises DecodeError too."""
        body = await self.ask(lambda: _STATUS, "clock", {WEIGHT: STATUS_WEIGHT}, Priority.REST)
        return read(ExchangeStatus, body, self.alias).time

    def events(self, channel: str, data: msgspec.Raw) -> list[Event]:
        """The events of a channel that concern contracts of ours. Raises DecodeError."""
        if not is_known(channel):
            self.dropped(f"unknown channel {channel}")
        return [event for event in decode_channel(channel, data, self.contracts) if self._concerns_us(event)]

    def unreadable(self, error: Exception) -> None:
        """Count a message that could not be taken."""
        self.dropped(error.text if isinstance(error, DecodeError) else f"{type(error).__name__}: {error}")

    def _concerns_us(self, event: Event) -> bool:
        """Not of a spot pair, an outcome or another dex's perpetual, which share an account with ours."""
        ticker = getattr(event, "ticker", None)
        return ticker is None or ticker in self.contracts or (is_perpetual(ticker) and ":" not in ticker)
