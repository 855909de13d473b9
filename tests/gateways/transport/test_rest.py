"""Signed HTTP against real servers on loopback: bytes as signed, one sending, and what each failure proves."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import web

from gateways.errors import Unavailable, Unknown
from gateways.standards import WireRequest
from gateways.transport.redact import Redactor
from gateways.transport.rest import Rest
from gateways.venue import ChannelState, Watcher


class Log(Watcher):
    """Keeps what a watcher is told."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, str, bool]] = []

    def channel_changed(self, venue: str, state: ChannelState) -> None:
        raise AssertionError("a request changes no channel")

    def request_done(self, venue: str, verb: str, *, sent: str, answer: str, took_ns: int, ok: bool) -> None:
        assert took_ns >= 0
        self.requests.append((verb, sent, answer, ok))

    def message_dropped(self, venue: str, reason: str) -> None:
        raise AssertionError("a request drops no message")


@contextlib.asynccontextmanager
async def http(handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@contextlib.asynccontextmanager
async def raw(handler: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]) -> AsyncIterator[str]:
    served: list[asyncio.Task[None]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(reader, writer)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.append(asyncio.get_running_loop().create_task(serve(reader, writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    if served:
        await asyncio.wait(served, timeout=2)


@contextlib.asynccontextmanager
async def rest(url: str, **options: object) -> AsyncIterator[Rest]:
    client = Rest("venue", url, **options)
    try:
        yield client
    finally:
        await client.close()


async def test_bytes_are_sent_as_signed() -> None:
    """Query, body and headers arrive exactly as given: nothing is re-encoded after the signature."""
    seen: list[tuple[str, str, bytes, str | None]] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append((request.method, request.raw_path, await request.read(), request.headers.get("X-KEY")))
        return web.json_response({"ok": True}, headers={"X-Used": "7"})

    wire = WireRequest(
        method="POST",
        path="/order",
        params="symbol=%EF%BC%91&list=%5B1,2%5D&plus=a+b&signature=00ff",
        body=b"a=%20b",
        headers={"X-KEY": "k"},
    )
    async with http(handler) as url, rest(url) as client:
        answer = await client.send(wire, verb="place")
    assert seen == [
        ("POST", "/order?symbol=%EF%BC%91&list=%5B1,2%5D&plus=a+b&signature=00ff", b"a=%20b", "k"),
    ]
    assert answer.ok
    assert answer.headers["x-used"] == "7"


async def test_client_errors_are_answers() -> None:
    """A 4xx comes back with its body and Retry-After: what it means is the venue's business."""

    async def handler(request: web.Request) -> web.Response:
        return web.Response(status=429, text='{"code":-1003}', headers={"Retry-After": "12"})

    async with http(handler) as url, rest(url) as client:
        answer = await client.send(WireRequest(method="GET", path="/x"), verb="query")
    assert (answer.status, answer.body, answer.retry_after_s) == (429, b'{"code":-1003}', 12.0)


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408])
async def test_server_errors_are_unknown(status: int) -> None:
    """A 5xx or 408 may have been carried out."""

    async def handler(request: web.Request) -> web.Response:
        return web.Response(status=status, text="Unknown error")

    async with http(handler) as url, rest(url) as client:
        with pytest.raises(Unknown, match=str(status)):
            await client.send(WireRequest(method="POST", path="/order"), verb="place")


async def test_a_documented_refusal_among_5xx_is_an_answer() -> None:
    """What the venue's gateway knows for a refusal is answered; any other 5xx stays Unknown."""

    async def handler(request: web.Request) -> web.Response:
        return web.Response(status=503, text=request.query_string)

    async with http(handler) as url, rest(url, refuses=lambda status, body: (status, body) == (503, b"no")) as client:
        assert (await client.send(WireRequest(method="POST", path="/order", params="no"), verb="place")).status == 503
        with pytest.raises(Unknown):
            await client.send(WireRequest(method="POST", path="/order", params="maybe"), verb="place")


async def test_refused_connect_is_unavailable() -> None:
    """Nobody listens: nothing left."""
    async with raw(lambda reader, writer: asyncio.sleep(0)) as url:
        pass
    async with rest(url) as client:
        with pytest.raises(Unavailable, match="not sent"):
            await client.send(WireRequest(method="POST", path="/order"), verb="place")


async def test_timeout_is_unknown() -> None:
    """No answer in time: the request was sent."""

    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with raw(mute) as url, rest(url) as client:
        with pytest.raises(Unknown, match="no answer"):
            await client.send(WireRequest(method="POST", path="/order"), verb="place", timeout=0.05)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "GET"])
async def test_disconnect_is_unknown_and_sent_once(method: str) -> None:
    """A connection that breaks after the request is Unknown, and no method is sent a second time."""
    received: list[bytes] = []

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.append(await reader.readuntil(b"\r\n\r\n"))

    async with raw(hang_up) as url, rest(url) as client:
        with pytest.raises(Unknown, match="connection was lost"):
            await client.send(WireRequest(method=method, path="/order", params="a=1"), verb="cancel")
    assert len(received) == 1


async def test_disconnect_on_a_reused_connection_is_sent_once() -> None:
    """Also on a kept-alive connection (where HTTP libraries like to repeat) nothing is sent a second time."""
    received: list[bytes] = []

    async def one_then_hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        received.append(await reader.readuntil(b"\r\n\r\n"))

    async with raw(one_then_hang_up) as url, rest(url) as client:
        assert (await client.send(WireRequest(method="GET", path="/first"), verb="query")).ok
        with pytest.raises(Unknown):
            await client.send(WireRequest(method="DELETE", path="/second"), verb="cancel")
    assert [line.split(b" ")[1] for line in received] == [b"/first", b"/second"]


async def test_the_log_has_no_secrets() -> None:
    """What the command log is told keeps the request readable and cuts signature, keys and listen keys."""
    log = Log()

    async def handler(request: web.Request) -> web.Response:
        return web.json_response({"listenKey": "K" * 30, "echo": "apikeyapikey"})

    wire = WireRequest(method="POST", path="/order", params="symbol=A&signature=deadbeef", body=b"listenKey=abc&x=1")
    async with http(handler) as url, rest(url, watcher=log, redactor=Redactor(["apikeyapikey"])) as client:
        await client.send(wire, verb="place")
    [(verb, sent, answer, ok)] = log.requests
    assert (verb, sent, ok) == ("place", "POST /order?symbol=A&signature=*** listenKey=***&x=1", True)
    assert answer == '200 {"listenKey":"***", "echo": "***"}'


async def test_failures_are_logged_too() -> None:
    """A request that failed ends in the log as not ok, with its reason."""
    log = Log()
    async with raw(lambda reader, writer: asyncio.sleep(0)) as url:
        pass
    async with rest(url, watcher=log) as client:
        with pytest.raises(Unavailable):
            await client.send(WireRequest(method="GET", path="/x"), verb="query")
    [(verb, _, answer, ok)] = log.requests
    assert (verb, ok) == ("query", False)
    assert "no connection" in answer


async def test_closed_is_unavailable() -> None:
    """After close nothing is sent."""
    client = Rest("venue", "http://127.0.0.1:9")
    await client.close()
    with pytest.raises(Unavailable, match="closed"):
        await client.send(WireRequest(method="GET", path="/x"), verb="query")
