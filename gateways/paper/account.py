"""An account of a paper exchange: its money, its net positions and the margin that they and its orders hold. Pure.

All sums are exact. A closed part of a position takes its share of the cost, rounded at ten decimals, and what was
rounded stays in the cost of the rest, so that money is neither made nor lost: over all accounts, wallets plus fees
minus the cost of the open positions is constant.
"""

from collections import deque
from collections.abc import Callable
from decimal import Decimal

from gateways.paper.records import PaperBalance, PaperFill, PaperPosition
from gateways.standards import ZERO

FILLS_KEPT = 100_000
"""How many fills an account remembers; the oldest are forgotten first."""

_COST_STEP = Decimal("1e-10")
_ENTRY_STEP = Decimal("1e-8")


class Holding:
    """A net position in one contract: the signed ``amount``, and its ``cost``: entry price times amount."""

    __slots__ = ("amount", "cost")

    def __init__(self) -> None:
        self.amount = ZERO
        self.cost = ZERO

    @property
    def entry_price(self) -> Decimal:
        """The average price paid for what is open, to eight decimals; zero when flat."""
        return (self.cost / self.amount).quantize(_ENTRY_STEP).normalize() + ZERO if self.amount else ZERO

    def unrealised(self, mark: Decimal) -> Decimal:
        """Profit if it were closed at ``mark``."""
        return self.amount * mark - self.cost

    def apply(self, delta: Decimal, price: Decimal) -> Decimal:
        """Add a signed quantity at a price; return the profit realised on the part that it closed."""
        if self.amount == 0 or (self.amount > 0) == (delta > 0):
            self.amount += delta
            self.cost += delta * price
            return ZERO
        if abs(delta) >= abs(self.amount):
            closed, released = -self.amount, self.cost
        else:
            closed, released = delta, (self.cost * delta / -self.amount).quantize(_COST_STEP)
        realised = -closed * price - released
        opened = delta - closed
        self.amount += delta
        self.cost += opened * price - released
        return realised


class Account:
    """Money, positions and open quantities of one account; its exchange is the only writer.

    A ``house`` account is the market's own: it trades without margin and keeps no fills.
    """

    def __init__(self, name: str, asset: str, money: Decimal, *, house: bool = False) -> None:
        self.name = name
        self.asset = asset
        self.wallet = money
        self.house = house
        self.fills: deque[PaperFill] = deque(maxlen=FILLS_KEPT)
        self._holdings: dict[str, Holding] = {}
        self._open: dict[str, tuple[Decimal, Decimal]] = {}

    def amount(self, ticker: str) -> Decimal:
        """The signed position."""
        holding = self._holdings.get(ticker)
        return holding.amount if holding is not None else ZERO

    def reducible(self, ticker: str, *, is_buy: bool) -> Decimal:
        """How much an order of that side could reduce the position: zero when there is none on the other side."""
        amount = self.amount(ticker)
        return max(-amount if is_buy else amount, ZERO)

    @property
    def tickers(self) -> list[str]:
        """The contracts in which there is a position."""
        return [ticker for ticker, holding in self._holdings.items() if holding.amount]

    def execute(self, ticker: str, delta: Decimal, price: Decimal, fee: Decimal) -> Decimal:
        """Take a fill into the position and the wallet; return the realised profit, before the fee."""
        holding = self._holdings.get(ticker)
        if holding is None:
            holding = self._holdings[ticker] = Holding()
        realised = holding.apply(delta, price)
        self.wallet += realised - fee
        return realised

    def hold(self, ticker: str, quantity: Decimal, *, is_buy: bool) -> None:
        """Count an open order's quantity (negative: no longer) into the margin."""
        buys, sells = self._open.get(ticker, (ZERO, ZERO))
        self._open[ticker] = (buys + quantity, sells) if is_buy else (buys, sells + quantity)

    def cost(self) -> Decimal:
        """The signed cost of all open positions."""
        return sum((holding.cost for holding in self._holdings.values()), ZERO)

    def equity(self, mark: Callable[[str], Decimal]) -> Decimal:
        """The wallet with the profit that is not realised."""
        return self.wallet + sum(
            (held.unrealised(mark(ticker)) for ticker, held in self._holdings.items() if held.amount), ZERO
        )

    def margin(
        self, mark: Callable[[str], Decimal], leverage: Decimal, *, buying: tuple[str, Decimal] | None = None
    ) -> Decimal:
        """The initial margin of positions and open orders: the worse of all buys or all sells filling, at the mark.

        ``buying`` adds a signed order that is not there yet: ``(ticker, amount)``.
        """
        notional = ZERO
        for ticker in {*self._holdings, *self._open, *((buying[0],) if buying else ())}:
            buys, sells = self._open.get(ticker, (ZERO, ZERO))
            if buying is not None and buying[0] == ticker:
                buys, sells = buys + max(buying[1], ZERO), sells + max(-buying[1], ZERO)
            amount = self.amount(ticker)
            worst = max(abs(amount + buys), abs(amount - sells))
            if worst:
                notional += worst * mark(ticker)
        return notional / leverage

    def position(self, ticker: str, mark: Decimal) -> PaperPosition:
        """The position as a record, valued at ``mark``."""
        holding = self._holdings.get(ticker) or Holding()
        return PaperPosition(
            account=self.name,
            ticker=ticker,
            amount=holding.amount,
            entry_price=holding.entry_price,
            mark=mark,
            unrealised=holding.unrealised(mark),
        )

    def balance(self, mark: Callable[[str], Decimal], leverage: Decimal) -> PaperBalance:
        """The money as a record; ``available`` is never below zero."""
        free = self.equity(mark) - self.margin(mark, leverage)
        return PaperBalance(account=self.name, asset=self.asset, wallet=self.wallet, available=max(free, ZERO))
