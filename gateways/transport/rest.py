"""Signed HTTP: one WireRequest out, byte for byte, one answer in. Nothing is ever sent twice from here.

What an error proves: a refused or timed-out connect is ``Unavailable`` (nothing left); a timeout or disconnect after
that, a 408 or a 5xx is ``Unknown`` (docs/architecture.md; Binance "HTTP Return Codes": a 503 may have succeeded),
but for what a venue documents as a refusal.
"""

from collections.abc import Callable, Mapping

import msgspec

from gateways.errors import Rejected, Unavailable, Unknown, VenueError
from gateways.standards import RejectReason, WireRequest
from gateways.transport.network import Http, LostError, Network, NotSentError
from gateways.transport.redact import Redactor
from gateways.transport.sockets import SOCKETS
from gateways.venue import Watcher


class Answer(msgspec.Struct, frozen=True):
    """An HTTP answer that says what became of its request, with its header names in lower case."""

    status: int
    body: bytes
    headers: dict[str, str]

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    @property
    def retry_after_s(self) -> float | None:
        """Seconds of the ``Retry-After`` header, None where absent or a date."""
        try:
            return max(0.0, float(self.headers["retry-after"]))
        except (KeyError, ValueError):
            return None


SHOWN = 200
"""Bytes of an answer that is not in the venue's form that are told."""

Judge = Callable[[int, bytes], bool]
"""Whether a status of 5xx and its body are, by the venue's documentation, a refusal: nothing was carried out."""

REFUSALS = frozenset({*range(400, 408), 410, 411, 413, 414, 415, 418, 421, 422, 425, 426, 428, 429, 431, 451})
"""Statuses that say by themselves that a request was not carried out (RFC 9110, "Client Error 4xx"; 418 and 429 are the
venues' own). Not among them: 408 and 5xx, after which it may have been; 409, which may speak of its own result; 3xx."""

Observer = Callable[[int, Mapping[str, str]], None]
"""Told the status and headers (names in lower case) of every answer, whatever becomes of it: rate budgets learn so."""


class Rest:
    """Keep-alive HTTP to one venue. Made on the loop that uses it; ``close`` ends its connections.

    ``headers`` go with every request beside its own; ``refuses`` knows the venue's 5xx answers that are refusals.
    """

    def __init__(
        self,
        venue: str,
        base_url: str,
        *,
        headers: Mapping[str, str] | None = None,
        redactor: Redactor | None = None,
        watcher: Watcher | None = None,
        observe: Observer | None = None,
        refuses: Judge | None = None,
        timeout: float = 10.0,
        connect_timeout: float = 5.0,
        connections: int = 20,
        network: Network = SOCKETS,
    ) -> None:
        self._venue = venue
        self._base = base_url.rstrip("/")
        self._headers = dict(headers or {})
        self._redactor = redactor if redactor is not None else Redactor()
        self._watcher = watcher
        self._observe = observe
        self._refuses = refuses
        self._timeout = timeout
        self._connect_timeout = connect_timeout
        self._connections = connections
        self._network = network
        self._http: Http | None = None
        self._closed = False

    async def send(
        self,
        request: WireRequest,
        *,
        verb: str,
        timeout: float | None = None,  # noqa: ASYNC109 - it becomes Unknown, which asyncio.timeout around the caller could not say
    ) -> Answer:
        """Send once; return the answer, whatever its status under 500 (but 408).

        ``timeout``: seconds for the whole exchange. Raises Unavailable when nothing left, Unknown when the outcome is
        not known. When the caller is cancelled the request may have been sent.
        """
        started = self._network.monotonic_ns()
        said, ok = "", False
        try:
            answer = await self._exchange(request, self._timeout if timeout is None else timeout)
            said, ok = f"{answer.status} {self._redactor.cut(answer.body)}", answer.ok
        except (Unavailable, Unknown) as error:
            said = self._redactor.cut(error.text)
            raise
        else:
            return answer
        finally:
            if self._watcher is not None:
                took = self._network.monotonic_ns() - started
                sent = self._redactor.cut(_shown(request))
                self._watcher.request_done(
                    self._venue, verb, sent=sent, answer=said or "cancelled", took_ns=took, ok=ok
                )

    async def close(self) -> None:
        """Close every connection. Idempotent; a later ``send`` raises Unavailable."""
        self._closed = True
        http, self._http = self._http, None
        if http is not None:
            await http.close()

    async def _exchange(self, request: WireRequest, timeout: float) -> Answer:  # noqa: ASYNC109 - handed to the network, which tells connecting from waiting
        if self._closed:
            raise Unavailable(self._venue, "the connection is closed: not sent")
        if self._http is None:
            self._http = self._network.http(self._connections)
        url = self._base + request.path + (f"?{request.params}" if request.params else "")
        try:
            said = await self._http.request(
                request.method,
                url,
                headers={**self._headers, **request.headers},
                body=request.body,
                connect_timeout=self._connect_timeout,
                answer_timeout=timeout,
            )
        except NotSentError as error:
            raise Unavailable(self._venue, f"not sent, no connection: {error}") from error
        except TimeoutError as error:
            raise Unknown(self._venue, f"sent, but no answer within {timeout:g} s") from error
        except LostError as error:
            raise Unknown(self._venue, f"sent, but the connection was lost before the answer: {error}") from error
        if self._observe is not None:
            self._observe(said.status, said.headers)
        open_ended = said.status >= 500 or said.status == 408
        if open_ended and not (self._refuses is not None and self._refuses(said.status, said.body)):
            text = self._redactor.cut(said.body[:500])
            raise Unknown(self._venue, f"sent, but answered HTTP {said.status}: {text}")
        return Answer(said.status, said.body, said.headers)


def unread(venue: str, answer: Answer, redactor: Redactor) -> VenueError:
    """What an answer without success proves whose body is not in the venue's form: its status alone speaks."""
    text = f"HTTP {answer.status}: {redactor.cut(answer.body[:SHOWN]) or 'no text'}"
    if answer.status not in REFUSALS:
        return Unknown(venue, text)
    reason = RejectReason.CREDENTIALS if answer.status == 401 else RejectReason.OTHER
    return Rejected(venue, text, reason=reason)


def _shown(request: WireRequest) -> str:
    query = f"?{request.params}" if request.params else ""
    body = f" {request.body.decode('utf-8', 'replace')}" if request.body else ""
    return f"{request.method} {request.path}{query}{body}"
