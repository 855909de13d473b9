"""Signed HTTP on aiohttp: one WireRequest out, byte for byte, one answer in. Nothing is ever sent twice from here.

What an error proves: a refused or timed-out connect is ``Unavailable`` (nothing left); a timeout or disconnect after
that, a 408 or a 5xx is ``Unknown`` (docs/architecture.md; Binance "HTTP Return Codes": a 503 may have succeeded).
"""

import time
from collections.abc import Callable, Mapping

import aiohttp
import msgspec
from yarl import URL

from gateways.errors import Unavailable, Unknown
from gateways.standards import WireRequest
from gateways.transport.redact import Redactor
from gateways.venue import Watcher


class Answer(msgspec.Struct, frozen=True):
    """An HTTP answer under 500, with its header names in lower case."""

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


Observer = Callable[[int, Mapping[str, str]], None]
"""Told the status and headers (names in lower case) of every answer, whatever becomes of it: rate budgets learn so."""


class _LostError(Exception):
    """The connection broke after the request may have left."""


async def _once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Keep aiohttp from sending again: it repeats PUT and DELETE (an amend, a cancel) when a connection breaks."""
    try:
        return await handler(request)
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise _LostError(str(error) or type(error).__name__) from error


class Rest:
    """Keep-alive HTTP to one venue. Made on the loop that uses it; ``close`` ends its connections."""

    def __init__(
        self,
        venue: str,
        base_url: str,
        *,
        redactor: Redactor | None = None,
        watcher: Watcher | None = None,
        observe: Observer | None = None,
        clock_ns: Callable[[], int] = time.monotonic_ns,
        timeout: float = 10.0,
        connect_timeout: float = 5.0,
        connections: int = 20,
    ) -> None:
        self._venue = venue
        self._base = base_url.rstrip("/")
        self._redactor = redactor if redactor is not None else Redactor()
        self._watcher = watcher
        self._observe = observe
        self._clock_ns = clock_ns
        self._timeout = timeout
        self._connect_timeout = connect_timeout
        self._connections = connections
        self._session: aiohttp.ClientSession | None = None
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
        started = self._clock_ns()
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
                took = self._clock_ns() - started
                sent = self._redactor.cut(_shown(request))
                self._watcher.request_done(
                    self._venue, verb, sent=sent, answer=said or "cancelled", took_ns=took, ok=ok
                )

    async def close(self) -> None:
        """Close every connection. Idempotent; a later ``send`` raises Unavailable."""
        self._closed = True
        if self._session is not None:
            session, self._session = self._session, None
            await session.close()

    async def _exchange(self, request: WireRequest, timeout: float) -> Answer:  # noqa: ASYNC109 - handed to aiohttp, which tells connecting from waiting
        if self._closed:
            raise Unavailable(self._venue, "the connection is closed: not sent")
        url = self._base + request.path + (f"?{request.params}" if request.params else "")
        limits = aiohttp.ClientTimeout(
            total=self._connect_timeout + timeout, connect=self._connect_timeout, sock_read=timeout
        )
        try:
            async with self._opened().request(
                request.method,
                URL(url, encoded=True),
                data=request.body or None,
                headers=request.headers,
                allow_redirects=False,
                timeout=limits,
            ) as response:
                body = await response.read()
                headers = {name.lower(): value for name, value in response.headers.items()}
                status = response.status
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL) as error:
            raise Unavailable(self._venue, f"not sent, no connection: {error or type(error).__name__}") from error
        except TimeoutError as error:
            raise Unknown(self._venue, f"sent, but no answer within {timeout:g} s") from error
        except (_LostError, aiohttp.ClientError) as error:
            what = str(error) or type(error).__name__
            raise Unknown(self._venue, f"sent, but the connection was lost before the answer: {what}") from error
        if self._observe is not None:
            self._observe(status, headers)
        if status >= 500 or status == 408:
            raise Unknown(self._venue, f"sent, but answered HTTP {status}: {self._redactor.cut(body[:500])}")
        return Answer(status, body, headers)

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._connections),
                cookie_jar=aiohttp.DummyCookieJar(),
                skip_auto_headers=("User-Agent", "Content-Type"),
                middlewares=(_once,),
            )
        return self._session


def _shown(request: WireRequest) -> str:
    query = f"?{request.params}" if request.params else ""
    body = f" {request.body.decode('utf-8', 'replace')}" if request.body else ""
    return f"{request.method} {request.path}{query}{body}"
