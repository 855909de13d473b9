"""Flatten within a slippage, judged by the paper venues' own books."""

import tempfile
from decimal import Decimal
from pathlib import Path

import aiohttp
import pytest

from console.desk import Desk
from console.headless import open_oms
from gateways.paper.sockets import PaperServer, running
from oms.limits import Limits
from tests.desk import until

D = Decimal


def traded(oms, since):
    """What all executions after the first so many add up to."""
    return sum(fill.amount for fill in oms.fills.get_all()[since:])


@pytest.mark.parametrize(("alias", "ticker"), [("binance", "ETHUSDT"), ("hyperliquid", "ETH")])
async def test_no_trade_is_beyond_the_cap_and_what_is_left_is_what_the_venue_holds(alias, ticker, monkeypatch):
    """A long larger than the book holds within one basis point goes out press by press."""
    limits = Limits(flatten_slippage_bps=D(1))
    async with running(PaperServer([alias], seed=7)) as server, aiohttp.ClientSession() as web:
        place = server.endpoints[alias]

        async def at_venue():
            async with web.get(f"{place.rest}/paper/books?account={place.key}") as answer:
                return D((await answer.json(content_type=None))["positions"].get(ticker, "0"))

        with tempfile.TemporaryDirectory() as folder:
            home = Path(folder)
            async with open_oms(server.endpoints, home / "desk", locks=home / "locks", risk=limits) as oms:
                await oms.watch(alias, ticker)
                assert (await Desk(oms).line(f"buy 25 {alias}:{ticker} @ market")).ok
                venue, bids = oms.gateway.venue(alias), []
                answered = venue.book

                async def book(*asked):
                    found = await answered(*asked)
                    bids.append(found.bids[0].price)
                    return found

                monkeypatch.setattr(venue, "book", book)
                held = D(25)
                while held and len(bids) < 40:
                    done = len(oms.fills.get_all())
                    result = await oms.flatten(alias, ticker)
                    assert result.residual == await at_venue() < held
                    sold = result.residual - held
                    await until(lambda done=done, sold=sold: traded(oms, done) == sold)
                    assert all(fill.price >= bids[-1] * D("0.9999") for fill in oms.fills.get_all()[done:])
                    held = result.residual
                assert held == 0
                assert len(bids) > 1
