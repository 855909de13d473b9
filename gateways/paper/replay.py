"""The replayed market of one base asset: recorded trades arrive as aggressors, and the house quotes round their price.

On the book of the recorded venue every trade comes as a limit order, immediate or cancelled, of the recorded side,
quantity and price. Just before it the house moves its quotes so that the recorded price is the touch, and puts the
recorded quantity there, behind whoever rests already: with nobody else on the book the tape prints exactly as it was
recorded, and a user's order at that price, or better, has its share first. The house itself never takes a user's order.
The other venues' books follow the last price with quotes of full size.

Pure: the trades and the time are passed in.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from random import Random

from gateways.contracts import floor_lots, round_price
from gateways.paper.exchange import PaperExchange
from gateways.paper.market import FLOW
from gateways.paper.quoter import MAKER, Quoter, QuoteStyle
from gateways.paper.recording import RecordedTrade, RecordingError
from gateways.paper.records import NewOrder
from gateways.standards import ZERO, Contract, TimeInForce

LEAD_NS = 1_000_000_000
"""From ``begin`` to the first trade: time for a desk to place the orders that are to meet it."""

_STYLE = QuoteStyle(spacing=ZERO, least=Decimal(2_000), most=Decimal(4_000), touch=Decimal(20), post_only=True)
"""The recorded book: a level at every tick, thin at the touch, so that a user's order there gets its part."""

_MOST_TRADES_A_STEP = 500
"""However fast the replay, others get their turn between two steps; what is late is made up for in the next ones."""

_SECOND_NS = 1_000_000_000


def base_of(ticker: str, listed: Sequence[Contract]) -> str:
    """The base asset that an operator means by itself (``FXS``) or by a venue's contract (``FXSUSDT``), in any case.

    Raises RecordingError where no contract of ``listed`` is meant.
    """
    bases = sorted({contract.base for contract in listed})
    for contract in listed:
        if ticker.upper() in {contract.base.upper(), contract.ticker.upper()}:
            return contract.base
    raise RecordingError(f"No paper venue lists {ticker}: choose one of {', '.join(bases)}.")


class Replay:
    """The market of one base asset over all exchanges that list it; the first one that does is the recorded venue.

    The house's accounts must be open. ``speed``: recorded seconds in a second. Nothing trades before ``begin``; after
    the last trade the quotes stay round its price. Raises RecordingError for a speed that is not over zero.
    """

    def __init__(
        self,
        exchanges: Mapping[str, PaperExchange],
        trades: Sequence[RecordedTrade],
        *,
        base: str,
        speed: Decimal,
        seed: int,
    ) -> None:
        if speed <= 0:
            raise RecordingError(f"The speed of a replay must be over zero, not {speed}.")
        self.base = base
        self._trades = trades
        self._speed = speed
        self._next = 0
        self._start_ns: int | None = None
        (self._exchange, self._contract), *others = (
            (exchange, contract)
            for exchange in exchanges.values()
            for contract in exchange.contracts.values()
            if contract.base == base
        )
        price = round_price(self._contract, trades[0].price)
        rng = Random(f"{seed}/replay")  # noqa: S311 - sizes of quotes, not a secret
        highest = max(trade.price for trade in trades)
        self._quoter = Quoter(self._exchange, self._contract.ticker, rng, _STYLE, price, highest=highest)
        self._others = [
            (exchange, contract, Quoter(exchange, contract.ticker, rng, QuoteStyle(), price, highest=highest))
            for exchange, contract in others
        ]
        self._price = price
        self._quoter.touch(price, is_buy=not trades[0].is_buy)
        self._follow()

    @property
    def done(self) -> bool:
        """Whether every recorded trade has been made."""
        return self._next == len(self._trades)

    def begin(self, now_ns: int) -> None:
        """Start the clock of the replay, once: the first trade comes a second after the first call."""
        if self._start_ns is None:
            self._start_ns = now_ns + LEAD_NS

    def step(self, now_ns: int) -> int:
        """Make the trades that are due, return how many, fill up the quotes that were taken from."""
        made = 0
        if self._start_ns is not None:
            reached = self._trades[0].ts_ns + int((now_ns - self._start_ns) * self._speed)
            while made < _MOST_TRADES_A_STEP and not self.done and self._trades[self._next].ts_ns <= reached:
                self._trade(self._trades[self._next])
                self._next += 1
                made += 1
        self._quoter.refill()
        self._follow()
        return made

    def _trade(self, trade: RecordedTrade) -> None:
        ticker = self._contract.ticker
        price = round_price(self._contract, trade.price)
        most = self._contract.max_quantity
        quantity = floor_lots(self._contract, trade.quantity if most is None else min(trade.quantity, most))
        if quantity < self._contract.min_quantity:
            return
        self._price = price
        self._quoter.touch(price, is_buy=not trade.is_buy)
        behind = self._exchange.submit(
            MAKER, NewOrder(ticker=ticker, is_buy=not trade.is_buy, quantity=quantity, price=price, post_only=True)
        )
        self._exchange.submit(
            FLOW, NewOrder(ticker=ticker, is_buy=trade.is_buy, quantity=quantity, price=price, tif=TimeInForce.IOC)
        )
        if self._exchange.order(MAKER, ticker, order_id=behind.order_id) is not None:
            self._exchange.cancel(MAKER, ticker, order_id=behind.order_id)

    def _follow(self) -> None:
        self._exchange.set_mark(self._contract.ticker, self._price)
        for exchange, contract, quoter in self._others:
            exchange.set_mark(contract.ticker, round_price(contract, self._price))
            quoter.follow(self._price)
            quoter.refill()
