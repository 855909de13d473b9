"""The paper market: a seeded random walk per base asset, shared by the venues, with quotes around it and order flow.

Everything random comes from the seed: the walk of step *n* is the same in every run whatever the users do, and so are
the quotes and the flow as long as the users do the same. No float touches a price or a quantity: the walk is in whole
hundred-millionths of the price, sizes are drawn in Decimals.
"""

from collections.abc import Mapping
from decimal import Decimal
from random import Random

from gateways.contracts import floor_lots, round_price
from gateways.paper.exchange import PaperExchange
from gateways.paper.quoter import MAKER, Quoter, QuoteStyle
from gateways.paper.records import NewOrder
from gateways.standards import ZERO, Contract

STEP_NS = 50_000_000
"""How often ``step`` is meant to be called."""

START_PRICES = {"BTC": Decimal(95_000), "ETH": Decimal(2_700), "SOL": Decimal(135), "FXS": Decimal("7.5")}
"""Where each base asset's price starts, in quote units."""

WALKING = ("BTC", "ETH", "SOL")
"""The base assets that the random market trades; the others have a market only while one is replayed."""

FLOW = "house:flow"
"""The account of all aggressors of an exchange."""

_UNIT = Decimal("1e-8")
"""What the walks count in, as a part of the price."""
_WALK = 400
"""The shared price's lasting part moves by 0.04 bps a step (0.18 bps a second, as standard deviations)."""
_SWING, _SWING_STEPS = 2_000, 100
"""Its passing part moves by 0.2 bps a step and forgets in 5 s: it swings by 1.4 bps, so that what rests at the best
price meets somebody within seconds."""
_BASIS, _BASIS_STEPS = 400, 1_200
"""A venue's basis moves by 0.04 bps a step and forgets in a minute: it wanders by 1 bps."""

_FLOW_CHANCE = 75
"""In a thousand: the chance of an aggressor on one book in one step (1.5 a second)."""
_STIR_CHANCE = 150
"""In a thousand: the chance of a new size on one level behind the best."""
_FLOW_MEDIAN = Decimal(1_500)
_FLOW_SPREAD = 140
_FLOW_MOST = Decimal(150_000)
"""Aggressors' values in quote units: the median, the deviation of the logarithm in hundredths, the largest."""


def open_house(exchange: PaperExchange) -> None:
    """Open the accounts that make the market of an exchange."""
    exchange.open_account(MAKER, ZERO, house=True)
    exchange.open_account(FLOW, ZERO, house=True)


def _bell(rng: Random, deviation: int) -> int:
    # The sum of three even draws has the deviation of one draw's bound, and a bell's shape.
    return sum(rng.randint(-deviation, deviation) for _ in range(3))


class _Book:
    """One venue's book of a base asset, its basis to the shared price and the flow into it."""

    def __init__(self, exchange: PaperExchange, ticker: str, seed: str, price: Decimal) -> None:
        self._exchange = exchange
        self._ticker = ticker
        self._walk = Random(f"{seed}/basis")  # noqa: S311 - a market made of it, not a secret
        self._flow = Random(f"{seed}/flow")  # noqa: S311 - same
        self._basis = 0
        self._last_trade = 0
        quotes = Random(f"{seed}/quotes")  # noqa: S311 - same
        self._quoter = Quoter(exchange, ticker, quotes, QuoteStyle(), price)

    @property
    def _contract(self) -> Contract:
        return self._exchange.contracts[self._ticker]

    def step(self, latent: Decimal, *, rising: bool) -> None:
        """Follow the shared price, fill up what was taken, and let an aggressor come now and then."""
        if not self._exchange.trades_now(self._ticker):
            return
        self._basis += _bell(self._walk, _BASIS) - self._basis // _BASIS_STEPS
        price = latent * (1 + self._basis * _UNIT)
        self._exchange.set_mark(self._ticker, round_price(self._contract, price))
        self._quoter.follow(price)
        if self._flow.randrange(1_000) < _STIR_CHANCE:
            self._quoter.stir()
        if self._flow.randrange(1_000) < _FLOW_CHANCE:
            self._aggress(price, rising=rising)
        latest = self._exchange.trades(self._ticker, 1)
        if latest and latest[0].trade_id != self._last_trade:
            self._last_trade = latest[0].trade_id
            self._quoter.refill()

    def _aggress(self, price: Decimal, *, rising: bool) -> None:
        is_buy = (self._flow.randrange(100) < 65) == rising
        # Log-normal: most are small, a few sweep levels.
        value = min(_FLOW_MEDIAN * (Decimal(_bell(self._flow, _FLOW_SPREAD)) / 100).exp(), _FLOW_MOST)
        quantity = max(floor_lots(self._contract, value / price), self._contract.min_quantity)
        self._exchange.submit(FLOW, NewOrder(ticker=self._ticker, is_buy=is_buy, quantity=quantity))


class _Asset:
    """A base asset: its shared price and its books on all venues."""

    def __init__(self, base: str, books: list[_Book], seed: str) -> None:
        self.price = self._lasting = START_PRICES[base]
        self._swing = 0
        self._books = books
        self._walk = Random(f"{seed}/walk")  # noqa: S311 - a market made of it, not a secret

    def step(self) -> None:
        """Move the price and let each book follow."""
        before = self.price
        self._lasting = (self._lasting * (1 + _bell(self._walk, _WALK) * _UNIT)).quantize(_UNIT)
        self._swing += _bell(self._walk, _SWING) - self._swing // _SWING_STEPS
        self.price = (self._lasting * (1 + self._swing * _UNIT)).quantize(_UNIT)
        for book in self._books:
            book.step(self.price, rising=self.price >= before)


class Market:
    """The random market of ``bases`` over all exchanges that list them. The house's accounts must be open."""

    def __init__(self, exchanges: Mapping[str, PaperExchange], *, seed: int, bases: tuple[str, ...] = WALKING) -> None:
        self._assets = {
            base: _Asset(
                base,
                [
                    _Book(exchange, contract.ticker, f"{seed}/{alias}/{base}", START_PRICES[base])
                    for alias, exchange in exchanges.items()
                    for contract in exchange.contracts.values()
                    if contract.base == base
                ],
                f"{seed}/{base}",
            )
            for base in bases
        }
        # The books are there before anybody looks.
        self.step()

    def price(self, base: str) -> Decimal:
        """The shared price of a base asset."""
        return self._assets[base].price

    def step(self) -> None:
        """Let 50 ms of market happen."""
        for asset in self._assets.values():
            asset.step()
