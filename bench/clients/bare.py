"""The baseline: the same websocket library and loop, two websockets, nothing decoded, a ready-made order sent.

``callback`` takes frames as the desk's own transport does, in the turn in which they were read; ``iterate`` is the
library's usual ``async for`` and ``send``.
"""

import argparse
import asyncio
import sys

from websockets.asyncio.client import connect

from console.runtime import new_loop
from gateways.transport.sockets import SOCKETS

ORDER = (
    b'{"id":"0123456789","method":"order.place","params":{"symbol":"ETHUSDT","side":"SELL","type":"MARKET",'
    b'"quantity":"0.01","newClientOrderId":"0123456789abcdef0123456789abcdef","newOrderRespType":"RESULT",'
    b'"apiKey":"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef","recvWindow":5000,'
    b'"timestamp":1700000000000,"signature":"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}}'
)


async def callback(url: str, name: str) -> None:
    """Answer each frame from within its reading."""
    options = {"ping_every": 15.0, "ping_timeout": 10.0, "open_timeout": 10.0, "max_size": 1 << 24}
    out = await SOCKETS.connect(f"{url}/{name}/hedge/api", lambda _data: None, **options)
    fills = await SOCKETS.connect(f"{url}/{name}/maker/private", lambda _data: out.write(ORDER), **options)
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


def main() -> int:
    """Run one of the two until the venue ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--name", required=True)
    asked = parser.parse_args()
    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run((iterate if asked.name == "bare-iterate" else callback)(asked.url, asked.name))
    return 0


if __name__ == "__main__":
    sys.exit(main())
