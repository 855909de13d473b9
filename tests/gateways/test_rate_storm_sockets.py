"""The storm of ``test_rate_storm`` over real sockets, against a paper exchange in a process of its own."""

import asyncio

from gateways.errors import Unavailable
from gateways.standards import CancelOrder, OrderUpdate, TimeInForce
from tests.gateways.on_paper import trading
from tests.gateways.test_rate_storm import QUANTITY, timed


async def test_the_storm_over_sockets() -> None:
    """The same on real sockets: 400 quotes at once, hedges and cancels in between are not held up by them."""
    loop = asyncio.get_running_loop()
    async with trading("binance") as paper:
        venue, price, size = paper.venue, await paper.away(), str(QUANTITY)
        resting = [await venue.place(paper.order(size, price)) for _ in range(5)]
        fleeting = (paper.order(size, price, tif=TimeInForce.IOC) for _ in range(400))
        quotes = [asyncio.ensure_future(venue.place(each)) for each in fleeting]
        took = []
        for maker in resting:
            await asyncio.sleep(0)
            took.append(await timed(loop, venue.place(paper.order(size), hedge=True)))
            took.append(await timed(loop, venue.cancel(CancelOrder(ticker=paper.ticker, cloid=maker.cloid))))
        ended = await asyncio.gather(*quotes, return_exceptions=True)
        assert {type(each) for each in ended} == {OrderUpdate, Unavailable}
        assert [(verb, answer) for verb, _, answer, ok in paper.desk.requests if not ok] == []
        assert max(took) < 0.9, "a hedge or a cancel waited as long as the quotes that were not sent"
