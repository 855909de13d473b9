"""Whether a paper exchange takes an order: the contract's filters, the price band, reduce-only and the margin. Pure."""

from collections.abc import Callable
from decimal import Decimal

from gateways.contracts import is_multiple, is_on_tick
from gateways.paper.account import Account
from gateways.paper.records import NewOrder, Refused
from gateways.standards import ZERO, Contract, RejectReason, TimeInForce


def check_filters(contract: Contract, new: NewOrder, mark: Decimal | None, *, house: bool = False) -> None:
    """Refuse what the contract's published filters refuse; ``mark`` values a market order.

    The house trades any notional: recorded trades, and the rests that others leave, are of any size.

    Raises Refused: LOT, TICK, MIN_NOTIONAL, HALTED, BAD_REQUEST.
    """
    if not contract.trading:
        raise Refused(RejectReason.HALTED, f"Trading in {contract.ticker} is halted.")
    if new.price is None and (new.post_only or new.tif is not TimeInForce.GTC):
        raise Refused(RejectReason.BAD_REQUEST, "A market order is neither post-only nor has it a time in force.")
    if new.post_only and new.tif is not TimeInForce.GTC:
        raise Refused(RejectReason.BAD_REQUEST, "A post-only order rests: its time in force is GTC.")
    check_quantity(contract, new.quantity, market=new.price is None)
    if new.price is not None and not is_on_tick(contract, new.price):
        raise Refused(RejectReason.TICK, "Price not increased by tick size.")
    price = new.price if new.price is not None else mark
    if not house and not new.reduce_only and price is not None and new.quantity * price < contract.min_notional:
        raise Refused(
            RejectReason.MIN_NOTIONAL,
            f"Order's notional must be no smaller than {contract.min_notional} (unless you choose reduce only).",
        )


def check_quantity(contract: Contract, quantity: Decimal, *, market: bool) -> None:
    """Refuse a quantity outside of the contract's limits or between its lots. Raises Refused (LOT)."""
    most = contract.market_max_quantity if market else contract.max_quantity
    if quantity < contract.min_quantity:
        raise Refused(RejectReason.LOT, f"Quantity less than the minimum quantity {contract.min_quantity}.")
    if most is not None and quantity > most:
        raise Refused(RejectReason.LOT, f"Quantity greater than max quantity {most}.")
    if not is_multiple(quantity, contract.lot_size):
        raise Refused(RejectReason.LOT, f"Quantity not a multiple of the lot size {contract.lot_size}.")


def check_band(price: Decimal, *, is_buy: bool, mark: Decimal | None, band: Decimal | None) -> None:
    """Refuse a price worse for its sender than the mark by more than ``band`` (a fraction of it).

    Only the aggressive side is bounded (Binance PERCENT_PRICE: buys from above, sells from below). Raises Refused
    (PRICE_BAND).
    """
    if mark is None or band is None:
        return
    limit = mark * (1 + band) if is_buy else mark * (1 - band)
    if (price > limit) if is_buy else (price < limit):
        word = "higher" if is_buy else "lower"
        raise Refused(RejectReason.PRICE_BAND, f"Limit price can't be {word} than {limit.normalize():f}.")


def check_reduces(account: Account, new: NewOrder) -> None:
    """Refuse a reduce-only order where there is nothing on the other side to reduce. Raises Refused (REDUCE_ONLY)."""
    if new.reduce_only and not account.reducible(new.ticker, is_buy=new.is_buy):
        raise Refused(RejectReason.REDUCE_ONLY, "ReduceOnly Order is rejected.")


def check_margin(
    account: Account, new: NewOrder, *, mark: Callable[[str], Decimal], leverage: Decimal, fee: Decimal = ZERO
) -> None:
    """Refuse an order that would need more margin than the account has. ``fee`` is the most that filling it costs.

    An order that does not raise the margin passes whatever the account holds. Raises Refused (MARGIN).
    """
    if account.house or new.reduce_only:
        return
    signed = new.quantity if new.is_buy else -new.quantity
    needed = account.margin(mark, leverage, buying=(new.ticker, signed))
    if needed > account.margin(mark, leverage) and needed + fee > account.equity(mark):
        raise Refused(RejectReason.MARGIN, "Margin is insufficient.")
