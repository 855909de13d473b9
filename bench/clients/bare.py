"""The baseline: the same websocket library and loop, two websockets, nothing decoded, a ready-made order sent.

``callback`` takes frames as the desk's own transport does, in the turn in which they were read; ``iterate`` is the
library's usual ``async for`` and ``send``. ``signing`` is ``callback`` with its order on Hyperliquid: the order stays
the same, but each is signed anew, with a nonce and an expiry of its own, for no venue takes one twice.
"""

import argparse
import asyncio
import sys
import time
from typing import NoReturn

import msgspec
from websockets.asyncio.client import connect

from console.runtime import new_loop
from gateways.hyperliquid.encode import ACCEPTANCE_WINDOW_MS
from gateways.hyperliquid.signing import sign_l1_action
from gateways.transport.sockets import SOCKETS

OPTIONS = {"ping_every": 15.0, "ping_timeout": 10.0, "open_timeout": 10.0, "max_size": 1 << 24}

ORDER = (
    b'{"id":"0123456789","method":"order.place","params":{"symbol":"ETHUSDT","side":"SELL","type":"MARKET",'
    b'"quantity":"0.01","newClientOrderId":"0123456789abcdef0123456789abcdef","newOrderRespType":"RESULT",'
    b'"apiKey":"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef","recvWindow":5000,'
    b'"timestamp":1700000000000,"signature":"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}}'
)

SECRET = "0x" + "5c" * 32
"""The private key that all sign with on the bench's Hyperliquid."""
ACTION = {
    "type": "order",
    "orders": [{"a": 0, "b": False, "p": "2375", "s": "0.01", "r": False, "t": {"limit": {"tif": "Ioc"}},
                "c": "0x0123456789abcdef0123456789abcdef"}],
    "grouping": "na",
}  # fmt: skip
POST = (
    b'{"method":"post","id":1,"request":{"type":"action","payload":{"action":' + msgspec.json.encode(ACTION) + b","
    b'"nonce":%d,"signature":{"r":"%b","s":"%b","v":%d},"vaultAddress":null,"expiresAfter":%d}}}'
)


async def callback(url: str, name: str) -> None:
    """Answer each frame from within its reading."""
    out = await SOCKETS.connect(f"{url}/{name}/hedge/api", lambda _data: None, **OPTIONS)
    fills = await SOCKETS.connect(f"{url}/{name}/maker/private", lambda _data: out.write(ORDER), **OPTIONS)
    print("ready", flush=True)
    await fills.wait_closed()


async def polling() -> NoReturn:
    """Let the loop never sleep."""
    while True:  # noqa: ASYNC110 - there is no event: it looks for any
        await asyncio.sleep(0)


async def signing(url: str, name: str) -> None:
    """Answer each frame from within its reading, with an order on Hyperliquid."""
    out = await SOCKETS.connect(f"{url}/{name}/hyperliquid/ws", lambda _data: None, **OPTIONS)

    def send(_data: bytes) -> None:
        nonce = time.time_ns() // 1_000_000
        expires = nonce + ACCEPTANCE_WINDOW_MS
        signed = sign_l1_action(SECRET, ACTION, nonce, None, expires, is_mainnet=False)
        out.write(POST % (nonce, signed.r.encode(), signed.s.encode(), signed.v, expires))

    fills = await SOCKETS.connect(f"{url}/{name}/maker/private", send, **OPTIONS)
    print("ready", flush=True)
    await fills.wait_closed()


async def iterate(url: str, name: str) -> None:
    """Answer each frame as the library's documentation does."""
    async with (
        connect(f"{url}/{name}/hedge/api", compression=None) as out,
        connect(f"{url}/{name}/maker/private", compression=None) as fills,
    ):
        print("ready", flush=True)
        async for _ in fills:
            await out.send(ORDER, text=True)


WAYS = {"callback": callback, "iterate": iterate, "signing": signing}


def main() -> int:
    """Run one of them until the venue ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--way", choices=WAYS, default="callback")
    parser.add_argument("--poll", action="store_true", help="ask the sockets again and again, never sleep")
    asked = parser.parse_args()

    async def answer() -> None:
        poll = asyncio.create_task(polling()) if asked.poll else None
        await WAYS[asked.way](asked.url, asked.name)
        if poll is not None:
            poll.cancel()

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(answer())
    return 0


if __name__ == "__main__":
    sys.exit(main())
