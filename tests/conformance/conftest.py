"""What the tests of ccxt.pro share: a paper venue of the kind that the test module names, and ccxt's client on it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from console.papers import PaperProcess, PaperSettings
from gateways.venue import Endpoints
from tests.conformance.ccxt_venues import WAIT_S, ccxt_client


@pytest.fixture(scope="module")
def venue(request: pytest.FixtureRequest) -> Iterator[Endpoints]:
    """A paper venue of the module's ``KIND`` in a process of its own."""
    kind = request.module.KIND
    with PaperProcess(PaperSettings(venues=(kind,))) as papers:
        yield papers.endpoints[kind]


@pytest.fixture
async def exchange(request: pytest.FixtureRequest, venue: Endpoints) -> AsyncIterator[Any]:
    """ccxt.pro's client there, with the module's ``OPTIONS`` if it has some, and its markets loaded."""
    client = ccxt_client(request.module.KIND, venue, **getattr(request.module, "OPTIONS", {}))
    try:
        async with asyncio.timeout(WAIT_S):
            await client.load_markets()
        yield client
    finally:
        await client.close()
