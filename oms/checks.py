"""What can be said against an order before it is sent, from its contract alone. Pure.

Every refusal is a ``gateways.errors.Denied`` with one sentence: which field, what was given, what is allowed. Fields
are named as a form names them: ``venue``, ``ticker``, ``amount``, ``price``, ``post``, ``tif``, and with ``leg 1 ``
before them for a hedge leg. The venue's own rules are in docs of each: Binance "Common Definition / Filters",
Hyperliquid "Tick and lot size".
"""

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal

from gateways.contracts import (
    Contracts,
    ceil_price,
    ceil_to_step,
    decimals,
    floor_price,
    floor_to_step,
    is_multiple,
    is_on_tick,
    smallest_order,
)
from gateways.errors import Denied
from gateways.standards import ZERO, Contract, OrderKind, PlaceOrder, PriceSide, RejectReason, TimeInForce
from oms.hedge.policy import How, Leg, OnFailure
from oms.hedge.state import HedgeBook, Outage


def find_venue(contracts: Mapping[str, Contracts], venue: str, *, prefix: str = "") -> Contracts:
    """A venue's contracts. Raises Denied, with what was given and the nearest names, for a venue that is not here."""
    if venue not in contracts:
        near = difflib.get_close_matches(venue, contracts, n=2, cutoff=0.5) or list(contracts)
        raise Denied(venue, f"there is no venue {venue!r} here: {_or(near)}", field=f"{prefix}venue", reason=_BAD)
    return contracts[venue]


def find_contract(contracts: Mapping[str, Contracts], venue: str, ticker: str, *, prefix: str = "") -> Contract:
    """A venue's contract by its ticker. Raises Denied with the nearest names; ``prefix`` goes before the field."""
    contract = find_venue(contracts, venue, prefix=prefix).get(ticker)
    if contract is None:
        near = contracts[venue].nearest(ticker)
        hint = f"did you mean {_or(near)}?" if near else f"it has {len(contracts[venue])} others"
        raise Denied(venue, f"{venue} has no contract {ticker!r}: {hint}", field=f"{prefix}ticker", reason=_BAD)
    return contract


def check_order(contract: Contract, order: PlaceOrder, *, reference: Decimal | None = None) -> None:
    """Refuse an order that its contract does not allow.

    ``reference`` is a recent price, for the minimum notional of an order without a price of its own. A reduce-only
    order is not held to the minimum notional: venues exempt it. Raises Denied.
    """
    check_trading(contract)
    _check_flags(contract, order)
    _check_amount(contract, order)
    if order.kind is OrderKind.LIMIT and order.price is not None:
        _check_price(contract, order.price)
    price = reference if order.kind is OrderKind.MARKET or order.price is None else order.price
    if price is not None and not order.reduce_only:
        _check_notional(contract, order.quantity, price)


def check_trading(contract: Contract, *, prefix: str = "") -> None:
    """Refuse a contract that its venue does not trade now. Raises Denied."""
    if not contract.trading:
        raise Denied(
            contract.venue,
            f"{contract.ticker} is not trading on {contract.venue} now",
            field=f"{prefix}ticker",
            reason=RejectReason.HALTED,
        )


def check_legs(maker: Contract, legs: Sequence[Leg], contracts: Mapping[str, Contracts]) -> list[Contract]:
    """The legs' contracts, in their order. Raises Denied for a leg that cannot hedge ``maker``.

    A leg on the maker's own contract and two legs on one contract are refused: their fills could not be told apart.
    """
    found: list[Contract] = []
    for number, leg in enumerate(legs, 1):
        prefix = f"leg {number} "
        contract = find_contract(contracts, leg.venue, leg.ticker, prefix=prefix)
        check_trading(contract, prefix=prefix)
        name = f"{contract.venue}:{contract.ticker}"
        if (contract.venue, contract.ticker) == (maker.venue, maker.ticker):
            raise Denied(
                leg.venue,
                f"leg {number} is {name}, the order's own contract: a hedge must be on another one",
                field=f"{prefix}ticker",
                reason=_BAD,
            )
        for earlier, other in enumerate(found, 1):
            if (other.venue, other.ticker) == (contract.venue, contract.ticker):
                raise Denied(
                    leg.venue,
                    f"legs {earlier} and {number} are both {name}: give it one leg with the sum of their ratios",
                    field=f"{prefix}ticker",
                    reason=_BAD,
                )
        if leg.ratio >= 0:
            raise Denied(
                leg.venue,
                f"leg {number} has the ratio {leg.ratio:f}: it must be below zero, a hedge trades the opposite way",
                field=f"{prefix}ratio",
                reason=_BAD,
            )
        if not leg.policy.rungs or leg.policy.rungs[-1].how is How.JOIN:
            raise Denied(
                leg.venue,
                f"leg {number}'s ladder must end with ioc or market, as a joined order may never fill",
                field=f"{prefix}policy",
                reason=_BAD,
            )
        found.append(contract)
    unwinds = any(leg.policy.on_failure is OnFailure.UNWIND for leg in legs)
    if unwinds and len(found) > 1 and any(contract.base != maker.base for contract in found):
        text = f"several legs of which one unwinds must all be in {maker.base}: no part of the order stands for one"
        raise Denied(maker.venue, text, field="leg 1 policy", reason=_BAD)
    return found


def check_clock(venues: Iterable[str], offset_ns: Callable[[str], int | None], most_ms: int | None) -> None:
    """Refuse while the clock of one of these venues and ours differ by more than ``most_ms`` (None: by however much).

    With a wrong clock a request can be accepted long after it was given up, or never, and no age is to be believed.
    Raises Denied.
    """
    for venue in dict.fromkeys(venues):
        offset = offset_ns(venue)
        if most_ms is not None and offset is not None and abs(offset) > most_ms * 1_000_000:
            text = f"its clock and ours differ by {abs(offset) // 1_000_000} ms, more than {most_ms} ms"
            raise Denied(venue, f"{text}: set this machine's clock", reason=RejectReason.CLOCK)


def check_books(
    legs: Sequence[Leg], books: Mapping[tuple[str, str], HedgeBook], outages: Mapping[str, Outage] | None = None
) -> None:
    """Refuse a maker whose hedges would not be sent, or would add to too much that is not hedged (I10).

    ``outages`` are those of venues that cannot be reached. Raises Denied with why the leg's book is blocked.
    """
    for number, leg in enumerate(legs, 1):
        text = blocked([leg], books, outages or {})
        if text:
            raise Denied(leg.venue, text, field=f"leg {number} ticker")


def blocked(
    legs: Sequence[Leg], books: Mapping[tuple[str, str], HedgeBook], outages: Mapping[str, Outage]
) -> str:  # fmt: skip
    """Why the first leg whose book is blocked would not hedge a maker; empty where all would."""
    for leg in legs:
        outage, book = outages.get(leg.venue), books.get((leg.venue, leg.ticker))
        why = outage.text if outage is not None else book.blocked if book is not None else ""
        if why:
            return f"{leg.venue}:{leg.ticker} would not hedge it: {why}"
    return ""


def check_reduce_only(
    amount: Decimal, legs: Sequence[Leg], position: Callable[[str, str], Decimal], reserved: Callable[[Leg], Decimal]
) -> None:
    """Refuse reduce-only legs that cannot answer all of ``amount`` (signed, what the maker may still fill).

    ``position`` is what is held in (venue, ticker), ``reserved`` what other reduce-only legs will trade there the same
    way (``oms.hedge.book.reserved``); all signed base units. A leg fits if its hedge makes the position smaller and
    what is not reserved is enough for it. Raises Denied.
    """
    for number, leg in enumerate(legs, 1):
        if not leg.policy.reduce_only:
            continue
        held, taken, needed = position(leg.venue, leg.ticker), reserved(leg), amount * leg.ratio
        if needed * held < 0 and abs(needed) + abs(taken) <= abs(held):
            continue
        verb = "buy" if needed > 0 else "sell"
        text = f"leg {number} is reduce-only and would {verb} {abs(needed).normalize():f}, but the position in "
        text += f"{leg.venue}:{leg.ticker} is {held.normalize():f}"
        if taken:
            text += f", {abs(taken).normalize():f} of it is for other reduce-only legs"
        raise Denied(leg.venue, text, field=f"leg {number} reduce", reason=RejectReason.REDUCE_ONLY)


def _check_flags(contract: Contract, order: PlaceOrder) -> None:
    venue = contract.venue
    rule = order.price_rule
    if order.post_only:
        if order.kind is OrderKind.MARKET:
            raise Denied(venue, "post cannot go with a market order: give a price or a queue level", field="post")
        if order.tif is not TimeInForce.GTC:
            text = f"post cannot go with {order.tif.value.lower()}: a post-only order rests, take one of the two away"
            raise Denied(venue, text, field="post")
        if rule is not None and rule.side is PriceSide.OPPONENT:
            text = f"post cannot go with {rule}: that price takes, use a queue level or a price"
            raise Denied(venue, text, field="post")
    if order.kind is OrderKind.MARKET and order.tif is TimeInForce.FOK:
        raise Denied(venue, "fok cannot go with a market order: give a price for it", field="tif")


def _check_amount(contract: Contract, order: PlaceOrder) -> None:
    quantity, lot = order.quantity, contract.lot_size
    if quantity == ZERO:
        raise Denied(contract.venue, "the amount must be above zero", field="amount", reason=RejectReason.LOT)
    least = smallest_order(contract, None)
    if quantity < least:
        text = f"the amount {_text(quantity, lot)} is under {contract.ticker}'s smallest order {_text(least, lot)}"
        raise Denied(contract.venue, text, field="amount", reason=RejectReason.LOT)
    if not is_multiple(quantity, lot):
        near = f"{_text(floor_to_step(quantity, lot), lot)} and {_text(ceil_to_step(quantity, lot), lot)}"
        text = f"the amount {quantity:f} is not a multiple of {contract.ticker}'s lot {lot:f}: the nearest are {near}"
        raise Denied(contract.venue, text, field="amount", reason=RejectReason.LOT)
    most = contract.max_quantity
    kind = "order"
    if order.kind is OrderKind.MARKET and contract.market_max_quantity is not None:
        most, kind = contract.market_max_quantity, "market order"
    if most is not None and quantity > most:
        text = f"the amount {_text(quantity, lot)} is over {contract.ticker}'s largest {kind} {_text(most, lot)}"
        raise Denied(contract.venue, text, field="amount", reason=RejectReason.LOT)


def _check_price(contract: Contract, price: Decimal) -> None:
    if price <= ZERO:
        text = f"the price must be above zero, not {price:f}"
        raise Denied(contract.venue, text, field="price", reason=RejectReason.TICK)
    if is_on_tick(contract, price):
        return
    below, above = floor_price(contract, price), ceil_price(contract, price)
    tick = contract.tick_size
    near = f"{_text(below, tick)} and {_text(above, tick)}" if below > ZERO else f"at least {_text(above, tick)}"
    text = f"the price {price:f} is not on {contract.ticker}'s tick {above - below:f}: the nearest are {near}"
    raise Denied(contract.venue, text, field="price", reason=RejectReason.TICK)


def _check_notional(contract: Contract, quantity: Decimal, price: Decimal) -> None:
    if contract.min_notional <= ZERO or quantity * price >= contract.min_notional:
        return
    least = smallest_order(contract, price)
    text = (
        f"the amount {_text(quantity, contract.lot_size)} is worth {quantity * price:.2f} {contract.quote}, under "
        f"{contract.ticker}'s minimum of {contract.min_notional:f} {contract.quote}: "
        f"at {_text(price, contract.tick_size)} the smallest is {_text(least, contract.lot_size)}"
    )
    raise Denied(contract.venue, text, field="amount", reason=RejectReason.MIN_NOTIONAL)


_BAD = RejectReason.BAD_REQUEST


def _text(value: Decimal, step: Decimal) -> str:
    """``value`` with the decimals of its step, and with more where it has them."""
    return f"{value:.{max(decimals(step), decimals(value))}f}"


def _or(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}" if len(names) > 1 else "".join(names) or "none are connected"
