"""What only Binance does on the paper exchange: the reply to an order says what became of it at once."""

from gateways.standards import OrderStatus, TimeInForce
from tests.gateways.on_paper import trading


async def test_an_ioc_takes_what_is_there_and_the_reply_says_so() -> None:
    """At a price with depth it is filled; away from the market it has expired."""
    async with trading("binance") as paper:
        high = (await paper.venue.book(paper.ticker, 20)).asks[-1].price
        sweep = paper.order("0.1", high, tif=TimeInForce.IOC)
        swept = await paper.venue.place(sweep)
        assert (swept.status, swept.filled) == (OrderStatus.FILLED, sweep.amount)
        missed = await paper.venue.place(paper.order("0.1", await paper.away(), tif=TimeInForce.IOC))
        assert (missed.status, missed.filled) == (OrderStatus.EXPIRED, 0)
