"""A quiet market for simulations: a few quotes on each book around a walking price, and takers now and then."""

from collections.abc import Mapping
from decimal import Decimal
from random import Random

from gateways.contracts import floor_lots, round_price
from gateways.paper.exchange import PaperExchange
from gateways.paper.market import FLOW, START_PRICES, open_house
from gateways.paper.quoter import Quoter, QuoteStyle
from gateways.paper.records import NewOrder
from gateways.standards import Contract

STYLE = QuoteStyle(levels=4, spacing=Decimal("0.0003"), least=Decimal(20_000), most=Decimal(60_000))
STEP_NS = 200_000_000
_BPS = Decimal("0.0001")


class _Book:
    """One book's quotes and takers."""

    def __init__(self, exchange: PaperExchange, contract: Contract, rng: Random, price: Decimal) -> None:
        self._exchange = exchange
        self._contract = contract
        self._rng = rng
        self._quoter = Quoter(exchange, contract.ticker, rng, STYLE, price)

    def step(self, price: Decimal) -> None:
        contract, rng = self._contract, self._rng
        self._exchange.set_mark(contract.ticker, round_price(contract, price))
        moved = self._quoter.follow(price)
        if rng.randrange(100) < 50:
            # Mostly some lots, so that what a maker fills is rarely what a hedge can be; now and then a sweep.
            value = Decimal(rng.choice((8, 40, 150, 600, 2_500, 70_000)))
            quantity = max(floor_lots(contract, value / price), contract.min_quantity)
            quantity += contract.lot_size * rng.randrange(4)
            self._exchange.submit(FLOW, NewOrder(ticker=contract.ticker, is_buy=rng.random() < 0.5, quantity=quantity))
            moved = True
        if moved:
            self._quoter.refill()


class QuietMarket:
    """The market of some base assets over all exchanges; opens the house's accounts."""

    def __init__(self, exchanges: Mapping[str, PaperExchange], bases: tuple[str, ...], seed: int) -> None:
        for exchange in exchanges.values():
            open_house(exchange)
        self._rng = Random(f"{seed}/market")  # noqa: S311 - a market, not a secret
        self._prices = {base: START_PRICES[base] for base in bases}
        self._books = {
            base: [
                _Book(exchange, contract, self._rng, self._prices[base])
                for exchange in exchanges.values()
                for contract in exchange.contracts.values()
                if contract.base == base
            ]
            for base in bases
        }
        self.step()

    def step(self) -> None:
        """Move each price by up to 2 bps and let its books follow."""
        for base, books in self._books.items():
            self._prices[base] *= 1 + self._rng.randint(-2, 2) * _BPS
            for book in books:
                book.step(self._prices[base])
