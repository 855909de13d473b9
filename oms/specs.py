"""What the contracts of all venues say, by the names that users of the OMS know."""

from decimal import Decimal

from gateways import contracts as arithmetic
from gateways.errors import Denied
from gateways.router import Gateway
from gateways.standards import Contract


class Specs:
    """Looks contracts up by (exc, ticker). Every method raises Denied, naming the nearest, for an unknown one."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def contract_specs(self, exc: str, ticker: str) -> Contract:
        """The contract."""
        known = self.gateway.venue(exc).contracts
        if ticker in known:
            return known[ticker]
        nearest = ", ".join(known.nearest(ticker)) or "none"
        raise Denied(exc, f"ticker {ticker!r} is not known there; nearest: {nearest}", field="ticker")

    def lot_precision(self, exc: str, ticker: str) -> Decimal:
        """The lot size, base units."""
        return self.contract_specs(exc, ticker).lot_size

    def price_precision(self, exc: str, ticker: str, price: Decimal | None = None) -> Decimal:
        """The tick size: at ``price`` where the venue's tick depends on it, else the finest."""
        contract = self.contract_specs(exc, ticker)
        return contract.tick_size if price is None else arithmetic.tick_at(contract, price)

    def min_notional(self, exc: str, ticker: str) -> Decimal:
        """The smallest order's price times quantity, quote units."""
        return self.contract_specs(exc, ticker).min_notional

    def common_lot_precision(self, *pairs: tuple[str, str]) -> Decimal:
        """The smallest lot that all the given (exc, ticker) take."""
        return arithmetic.common_step(self.lot_precision(*pair) for pair in pairs)

    def common_price_precision(self, *pairs: tuple[str, str]) -> Decimal:
        """The smallest tick that all the given (exc, ticker) take."""
        return arithmetic.common_step(self.price_precision(*pair) for pair in pairs)

    def common_min_notional(self, *pairs: tuple[str, str]) -> Decimal:
        """The smallest notional that all the given (exc, ticker) take."""
        return max(self.min_notional(*pair) for pair in pairs)

    def rounded_lots(self, exc: str, ticker: str, amount: Decimal) -> Decimal:
        """``amount`` to the nearest lot."""
        return arithmetic.round_to_step(amount, self.lot_precision(exc, ticker))

    def rounded_lots_floor(self, exc: str, ticker: str, amount: Decimal) -> Decimal:
        """``amount`` toward zero to the lot."""
        return arithmetic.floor_lots(self.contract_specs(exc, ticker), amount)

    def rounded_lots_ceil(self, exc: str, ticker: str, amount: Decimal) -> Decimal:
        """``amount`` away from zero to the lot."""
        return arithmetic.ceil_to_step(amount, self.lot_precision(exc, ticker))

    def rounded_price(self, exc: str, ticker: str, price: Decimal) -> Decimal:
        """``price`` to the nearest tick."""
        return arithmetic.round_price(self.contract_specs(exc, ticker), price)

    def rounded_price_floor(self, exc: str, ticker: str, price: Decimal) -> Decimal:
        """``price`` down to the tick."""
        return arithmetic.floor_price(self.contract_specs(exc, ticker), price)

    def rounded_price_ceil(self, exc: str, ticker: str, price: Decimal) -> Decimal:
        """``price`` up to the tick."""
        return arithmetic.ceil_price(self.contract_specs(exc, ticker), price)
