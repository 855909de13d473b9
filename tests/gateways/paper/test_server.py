import asyncio
import contextlib
import json
import os
import select
import signal
import subprocess
import sys
from decimal import Decimal

import aiohttp
import msgspec
import pytest
from aiohttp import WSMsgType
from yarl import URL

from gateways.hyperliquid.signing import address_of
from gateways.paper import sockets
from gateways.paper.exchange import BookChanged, NewOrder, OrderChanged, Refused, Traded
from gateways.paper.front import HttpReply, Push
from gateways.paper.kinds import KINDS, Kind
from gateways.paper.recording import RecordedTrade
from gateways.paper.sockets import PaperServer, running
from gateways.standards import Credentials

D = Decimal


class PlainFront:
    """A protocol of a few words, so that the shell is tested without any venue's."""

    def __init__(self, exchange, accounts, now_ns):
        self.exchange = exchange
        self.account = next(iter(accounts))
        self.open = {}
        self.closed = []
        self.ticks = 0

    def http(self, method, path, query, headers, body):
        if path == "/buy":
            try:
                order = self.exchange.submit(
                    self.account, NewOrder(ticker=query, is_buy=True, quantity=D(body.decode()))
                )
            except Refused as refused:
                return HttpReply(status=400, body=refused.text.encode(), headers={"Content-Type": "text/plain"})
            return HttpReply(body=str(order.order_id).encode())
        seen = {"method": method, "path": path, "query": query, "key": headers.get("x-key"), "body": body.decode()}
        return HttpReply(body=msgspec.json.encode(seen), headers={"X-Weight": "3"})

    def ws_open(self, connection, path, query):
        if path == "/no":
            return [Push(connection=connection, text="go away", close=True)]
        self.open[connection] = path
        return [Push(connection=connection, text=f"open {path}?{query}")]

    def ws_message(self, connection, text):
        if text == "buy":
            self.exchange.submit(self.account, NewOrder(ticker="ETHUSDT", is_buy=True, quantity=D("0.05")))
            return [Push(connection=connection, text="bought")]
        if text == "flood":
            return [Push(connection=connection, text="x" * 400_000) for _ in range(40)]
        return [Push(connection=connection, text=f"heard {text}")]

    def ws_closed(self, connection):
        self.closed.append(connection)
        self.open.pop(connection, None)

    def happened(self, happenings):
        words = []
        for each in happenings:
            if isinstance(each, OrderChanged):
                words.append(f"order {each.event}")
            elif isinstance(each, Traded) and each.ticker == "FXSUSDT":
                words.append(f"trade {each.price}")
            elif isinstance(each, BookChanged) and each.ticker == "ETHUSDT":
                words.append("book")
        private = [number for number, path in self.open.items() if path == "/private"]
        public = [number for number, path in self.open.items() if path == "/public"]
        return [
            Push(connection=number, text=word)
            for word in words
            for number in (private if word.startswith(("order", "trade")) else public)
        ]

    def tick(self):
        self.ticks += 1
        return []


PLAIN = Kind(
    name="binance",
    front=PlainFront,
    credentials=lambda seed: Credentials(f"key{seed}", "secret"),
    ws_paths={"public": "/public", "private": "/private"},
    is_private=lambda path, query, text: path == "/private",
    dialect=KINDS["binance"].dialect,
)


@pytest.fixture
async def server():
    async with running(PaperServer(["binance"], seed=3, kinds={"binance": PLAIN})) as made:
        yield made


@pytest.fixture
async def session():
    async with aiohttp.ClientSession() as made:
        yield made


async def until(socket, word):
    """The messages up to the first that is ``word``."""
    seen = []
    async with asyncio.timeout(5):
        while not seen or seen[-1] != word:
            message = await socket.receive()
            assert message.type is WSMsgType.TEXT, message
            seen.append(message.data)
    return seen


async def wait_for(fact):
    async with asyncio.timeout(5):
        while not fact():
            await asyncio.sleep(0.005)


async def test_a_request_reaches_the_front_byte_for_byte_and_its_reply_the_client(server, session):
    """Target, headers and body arrive as sent; status, body and headers come back."""
    url = server.endpoints["binance"].rest + "/a/path?x=%7B1%7D&y=a+b%20c"
    async with session.post(URL(url, encoded=True), data=b"body=1&z=2", headers={"X-Key": "k"}) as response:
        assert response.status == 200
        assert (response.headers["X-Weight"], response.content_type) == ("3", "application/json")
        assert await response.json() == {
            "method": "POST",
            "path": "/a/path",
            "query": "x=%7B1%7D&y=a+b%20c",
            "key": "k",
            "body": "body=1&z=2",
        }


async def test_what_a_request_makes_happen_is_pushed_to_who_subscribed(server, session):
    """An order over HTTP is news on the private socket: new, then traded; the public one hears of the book."""
    there = server.endpoints["binance"]
    async with session.ws_connect(there.ws["private"]) as private, session.ws_connect(there.ws["public"]) as public:
        assert await until(private, "open /private?") == ["open /private?"]
        await until(public, "open /public?")
        async with session.post(there.rest + "/buy?ETHUSDT", data=b"0.05") as response:
            assert response.status == 200
        assert await until(private, "order TRADE") == ["order NEW", "order TRADE"]
        await until(public, "book")
        async with session.post(there.rest + "/buy?ETHUSDT", data=b"0.0001") as response:
            assert (response.status, response.content_type) == (400, "text/plain")


async def test_a_reply_on_a_socket_comes_before_what_it_made_happen(server, session):
    """Pushes of the call first, then the happenings, each in order."""
    async with session.ws_connect(server.endpoints["binance"].ws["private"]) as private:
        await until(private, "open /private?")
        await private.send_str("buy")
        assert await until(private, "order TRADE") == ["bought", "order NEW", "order TRADE"]


async def test_the_front_may_close_a_connection_and_hears_of_every_end(server, session):
    """A close comes after its text; connections that either side closed are forgotten, once each."""
    front = server.venues["binance"].front
    base = server.endpoints["binance"].rest.replace("http", "ws")
    async with session.ws_connect(base + "/no") as refused:
        assert (await refused.receive()).data == "go away"
        assert (await refused.receive()).type is WSMsgType.CLOSE
    async with session.ws_connect(base + "/public") as public:
        await until(public, "open /public?")
    await wait_for(lambda: front.closed == [1, 2])
    assert front.open == {}


async def test_a_connection_that_does_not_read_is_cut_off_and_others_go_on(server, session, monkeypatch):
    """When more waits than may, the connection ends; one that reads gets as much and stays."""
    monkeypatch.setattr(sockets, "OUTGOING_LIMIT", 50)
    there = server.endpoints["binance"]
    front = server.venues["binance"].front
    port = int(there.rest.rsplit(":", 1)[1])
    _, writer = await asyncio.open_connection("127.0.0.1", port, limit=1_024)
    upgrade = (
        b"GET /slow HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
    )
    writer.write(upgrade + b"\x81\x85\x00\x00\x00\x00flood" * 3)
    await wait_for(lambda: front.closed == [1])
    async with session.ws_connect(there.ws["private"]) as private:
        await until(private, "open /private?")
        for _ in range(3):
            await private.send_str("flood")
            for _ in range(40):
                assert len((await private.receive()).data) == 400_000
        await private.send_str("hello")
        assert await until(private, "heard hello") == ["heard hello"]
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


async def test_the_market_moves_and_the_front_ticks_while_nobody_asks(server, session):
    """Time passes on its own: books change and ticks come."""
    async with session.ws_connect(server.endpoints["binance"].ws["public"]) as public:
        await until(public, "book")
    front = server.venues["binance"].front
    before = front.ticks
    await wait_for(lambda: front.ticks > before)


async def test_a_replay_waits_for_the_first_private_connection(session, monkeypatch):
    """A public reader does not start the tape; a private one does, and then hears every trade."""
    clock = [10**18]
    trades = [RecordedTrade(False, D("7.5"), D(10), 1_000 * n) for n in range(1, 4)]
    made = PaperServer(
        ["binance"],
        seed=3,
        trades=trades,
        ticker="FXS",
        speed=D(1),
        kinds={"binance": PLAIN},
        now_ns=lambda: clock[0],
    )
    async with running(made) as server:
        there = server.endpoints["binance"]
        async with session.ws_connect(there.ws["public"]) as public:
            await until(public, "book")
            clock[0] += 10**12
            await until(public, "book")
            assert not server.replay.done
            async with session.ws_connect(there.ws["private"]) as private:
                await until(private, "open /private?")
                clock[0] += 10**12
                await until(private, "trade 7.500")
                await wait_for(lambda: server.replay.done)


async def test_an_error_of_the_market_ends_the_server(monkeypatch):
    """A market that fails is not passed over in silence."""
    made = PaperServer(["binance"], seed=3, kinds={"binance": PLAIN})

    def failing():
        raise ArithmeticError("no price")

    monkeypatch.setattr(made, "step", failing)
    with pytest.raises(ExceptionGroup) as caught:
        async with running(made):
            await asyncio.Event().wait()
    assert caught.value.subgroup(ArithmeticError)


def test_keys_come_from_the_seed_in_each_venues_form():
    """The same seed gives the same keys: 64 hexadecimal digits, and an address with its private key."""
    binance, hyperliquid = KINDS["binance"].credentials(7), KINDS["hyperliquid"].credentials(7)
    assert binance == KINDS["binance"].credentials(7) != KINDS["binance"].credentials(8)
    assert len(bytes.fromhex(binance.key)) == len(bytes.fromhex(binance.secret)) == 32
    assert hyperliquid.key == address_of(hyperliquid.secret)
    assert hyperliquid.key == hyperliquid.key.lower()


@pytest.mark.parametrize(
    ("kind", "path", "query", "text", "private"),
    [
        ("binance", "/private/ws", "listenKey=abc", "", True),
        ("binance", "/private/stream", "", "", True),
        ("binance", "/ws/" + "k" * 64, "", "", True),
        ("binance", "/ws/btcusdt@depth@100ms", "", "", False),
        ("binance", "/public/stream", "streams=btcusdt@bookTicker/ethusdt@depth", "", False),
        ("binance", "/ws-fapi/v1", "", '{"method":"order.place"}', False),
        ("hyperliquid", "/ws", "", "", False),
        ("hyperliquid", "/ws", "", '{"method":"subscribe","subscription":{"type":"l2Book","coin":"ETH"}}', False),
        ("hyperliquid", "/ws", "", '{"method":"subscribe","subscription":{"type":"userFills","user":"0x"}}', True),
    ],
)
def test_private_streams_are_told_from_public_ones(kind, path, query, text, private):
    """What asks for an account's own news starts a replay; what asks for the market's does not."""
    assert KINDS[kind].is_private(path, query, text) is private


def paper(*arguments, **options):
    return subprocess.Popen(  # noqa: S603 - our own module
        [sys.executable, "-m", "gateways.paper", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


async def test_the_process_says_where_it_is_serves_and_ends_when_told():
    """One JSON line with both venues; real fronts answer over it; SIGTERM ends it with 0 and nothing more said."""
    process = paper("--venues", "binance,hyperliquid", "--seed", "7")
    try:
        venues = json.loads(process.stdout.readline())["venues"]
        assert list(venues) == ["binance", "hyperliquid"]
        assert set(venues["binance"]["ws"]) == {"public", "market", "private", "api"}
        assert venues["binance"]["key"] == KINDS["binance"].credentials(7).key
        async with aiohttp.ClientSession() as session:
            async with session.get(venues["binance"]["rest"] + "/fapi/v1/depth?symbol=ETHUSDT&limit=5") as response:
                book = await response.json()
            async with session.post(venues["hyperliquid"]["rest"] + "/info", json={"type": "allMids"}) as response:
                middles = await response.json()
            assert abs(D(book["bids"][0][0]) / D(middles["ETH"]) - 1) < D("0.01")
            async with session.ws_connect(venues["hyperliquid"]["ws"]) as socket:
                await socket.send_json({"method": "subscribe", "subscription": {"type": "bbo", "coin": "ETH"}})
                async with asyncio.timeout(5):
                    while json.loads((await socket.receive()).data)["channel"] != "bbo":
                        pass
                process.send_signal(signal.SIGTERM)
                assert (await socket.receive()).type is WSMsgType.CLOSE
        assert process.communicate(timeout=10) == ("", "")
        assert process.returncode == 0
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--market", "/nowhere/tape.csv", "--ticker", "FXS"], "There is no file /nowhere/tape.csv."),
        (["--market", "pyproject.toml", "--ticker", "FXS"], "Line 1 of pyproject.toml is not a recorded trade"),
        (["--market", "TAPE", "--ticker", "DOGE"], "No paper venue lists DOGE"),
        (["--market", "TAPE"], "needs --ticker"),
        (["--market", "TAPE", "--ticker", "FXS", "--speed", "0"], "must be over zero"),
        (["--venues", "nasdaq"], f"There is no paper venue 'nasdaq': choose from {', '.join(KINDS)}."),
    ],
)
def test_what_cannot_be_served_is_one_sentence_and_exit_code_2(tmp_path, arguments, words):
    """No traceback, nothing on standard output."""
    tape = tmp_path / "tape.csv"
    tape.write_text("1,sell,25.3,7.503,1700000000000\n")
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    given = [str(tape) if argument == "TAPE" else argument for argument in arguments]
    process = paper(*given, cwd=tmp_path, env={**os.environ, "PYTHONPATH": os.getcwd()})  # noqa: PTH109 - the root
    out, error = process.communicate(timeout=20)
    assert (process.returncode, out) == (2, "")
    assert words in error
    assert error.count("\n") == 1


def test_a_child_of_a_dead_parent_ends():
    """With ``--with-parent`` the venues do not outlive the process that started them."""
    script = (
        "import subprocess, sys; child = subprocess.Popen([sys.executable, '-m', 'gateways.paper', '--with-parent', "
        "'--venues', 'binance'], stdout=subprocess.PIPE, text=True); child.stdout.readline(); print(child.pid)"
    )
    parent = subprocess.run(  # noqa: S603 - our own module
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=20
    )
    child = int(parent.stdout)
    watched = os.pidfd_open(child)
    try:
        assert select.select([watched], [], [], 10)[0], "the paper venues outlived their parent"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        os.close(watched)
