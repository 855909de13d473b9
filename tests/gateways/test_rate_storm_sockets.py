"""The storm of ``test_rate_storm`` over real sockets, against a paper exchange in a process of its own."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from gateways.binance.venue import BinanceVenue
from gateways.contracts import floor_price
from gateways.errors import Unavailable
from gateways.router import load_endpoints
from gateways.standards import CancelOrder, OrderKind, OrderUpdate, PlaceOrder, TimeInForce
from gateways.venue import Endpoints
from tests.gateways.test_rate_storm import FAR, QUANTITY, Log, timed


@pytest.fixture
async def endpoints() -> AsyncIterator[Endpoints]:
    """A paper exchange in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateways.paper", "--venues", "binance", "--seed", "11"),
        stdout=asyncio.subprocess.PIPE,
        env=os.environ.copy(),
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(20):
            line = await process.stdout.readline()
        assert json.loads(line)
        yield load_endpoints(line)["binance"]
    finally:
        process.terminate()
        async with asyncio.timeout(10):
            await process.wait()


async def test_the_storm_over_sockets(endpoints: Endpoints) -> None:
    """The same on real sockets: 400 quotes at once, hedges and cancels in between are not held up by them."""
    log, loop = Log(), asyncio.get_running_loop()
    venue = BinanceVenue("binance", msgspec.structs.replace(endpoints, kind="binance"))
    await venue.connect(lambda batch: None, log)
    try:
        mid = await venue.reference_price("ETHUSDT")
        assert mid is not None
        contract = venue.contracts["ETHUSDT"]
        price = floor_price(contract, mid * FAR)

        def quote(number: int, **terms: Any) -> PlaceOrder:
            return PlaceOrder(ticker="ETHUSDT", cloid=f"{number:032x}", amount=QUANTITY, **terms)

        resting = [await venue.place(quote(number, price=price)) for number in range(5)]
        fleeting = (quote(number, price=price, tif=TimeInForce.IOC) for number in range(100, 500))
        quotes = [asyncio.ensure_future(venue.place(each)) for each in fleeting]
        took = []
        for number, maker in enumerate(resting):
            await asyncio.sleep(0)
            hedge = quote(1_000 + number, kind=OrderKind.MARKET)
            took.append(await timed(loop, venue.place(hedge, hedge=True)))
            took.append(await timed(loop, venue.cancel(CancelOrder(ticker="ETHUSDT", cloid=maker.cloid))))
        ended = await asyncio.gather(*quotes, return_exceptions=True)
        assert {type(each) for each in ended} == {OrderUpdate, Unavailable}
        assert [(verb, answer) for verb, answer, ok in log.requests if not ok] == []
        assert max(took) < 0.9, "a hedge or a cancel waited as long as the quotes that were not sent"
    finally:
        await venue.close()
