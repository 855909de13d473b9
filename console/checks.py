"""What an order of the grammar would do, or what is wrong with it, from the contracts and the quotes. Pure.

The refusals are those of ``oms.checks``, which the engine makes too; here they become a field and a sentence, and an
order that stands becomes a plan in words: what it is worth, what each fill is hedged with, what may be left over.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal

import msgspec

from console import fmt
from console.commands import LegSpec, Place
from console.language import field_column
from console.link import Preview
from gateways.contracts import Contracts, ceil_to_step, decimals, floor_to_step, smallest_order
from gateways.errors import Denied
from gateways.standards import ZERO, Contract, PriceRule, PriceSide, QuoteUpdate, Side, TimeInForce
from oms.checks import check_legs, check_order, find_contract
from oms.hedge.policy import How, OnFailure, Policy, Rung

Quotes = Callable[[str, str], QuoteUpdate | None]
"""The best bid and ask of (venue, ticker), None where nothing was heard."""

FAR = Decimal("0.05")
"""A price further than this part of the mid from it is worth a warning."""


class LegPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What one leg will have to hedge when the order has filled in full. Quantities in base units, unsigned."""

    venue: str
    ticker: str
    base: str
    side: Side
    quantity: Decimal
    smallest: Decimal
    """The least that is sent: what the leg's venue takes now, and the leg's own thresholds."""
    least: str
    """``smallest`` in words, with what makes it so."""
    off_lot: Decimal
    """What of ``quantity`` is no whole lot and can only go with another fill."""
    may_wait: Decimal
    """The most that may be left when the order is done: less than ``smallest``, or all of a hedge under it."""
    text: str
    """The remainder in words."""


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of a check: ``error`` and its ``field``, or the plan."""

    error: str = ""
    field: str = ""
    price: Decimal | None = None
    """The limit price, or the quote that a market order or a price rule would meet now."""
    notional: Decimal | None = None
    sentence: str = ""
    legs: tuple[LegPlan, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing speaks against sending it."""
        return not self.error

    @property
    def remainder(self) -> str:
        """What may wait on each leg, in words."""
        return "; ".join(leg.text for leg in self.legs)

    def preview(self, line: str) -> Preview:
        """This outcome for the console, with the place in ``line`` that an error is about."""
        return Preview(
            ok=self.ok,
            sentence=self.sentence,
            error=self.error,
            field=self.field,
            caret=field_column(line, self.field) if self.error else None,
            notional=self.notional,
            remainder=self.remainder,
            warnings=self.warnings,
        )


def check_place(place: Place, contracts: Mapping[str, Contracts], quotes: Quotes) -> Checked:
    """Check an order and its legs against the contracts, and say what it would do at the quotes."""
    try:
        maker = find_contract(contracts, place.venue, place.ticker)
        price = _expected_price(place, quotes(place.venue, place.ticker))
        check_order(maker, place.order(""), reference=price)
        found = check_legs(maker, [leg.leg() for leg in place.legs], contracts)
    except Denied as denied:
        return Checked(error=denied.text, field=denied.field)
    quote = quotes(place.venue, place.ticker)
    plans = tuple(
        _plan(place, leg, contract, _leg_price(contract, quotes, price, maker))
        for leg, contract in zip(place.legs, found, strict=True)
    )
    return Checked(
        price=price,
        notional=None if price is None else place.amount * price,
        sentence=_sentence(place, maker, price, found, plans),
        legs=plans,
        warnings=(*_price_warnings(place, maker, quote), *_leg_warnings(maker, plans)),
    )


# -------------------------------------------------------------------- prices


def _expected_price(place: Place, quote: QuoteUpdate | None) -> Decimal | None:
    if isinstance(place.price, Decimal):
        return place.price
    if quote is None:
        return None
    queue = isinstance(place.price, PriceRule) and place.price.side is PriceSide.QUEUE
    level = quote.bid if (place.side is Side.BUY) == queue else quote.ask
    return level.price if level else None


def _leg_price(contract: Contract, quotes: Quotes, price: Decimal | None, maker: Contract) -> Decimal | None:
    """The price that the hedge engine checks a minimum at: the bid, for either side."""
    quote = quotes(contract.venue, contract.ticker)
    level = None if quote is None else quote.bid or quote.ask
    if level is not None:
        return level.price
    return price if contract.base == maker.base else None


def _price_warnings(place: Place, maker: Contract, quote: QuoteUpdate | None) -> list[str]:
    if quote is None or quote.bid is None or quote.ask is None:
        return [f"there is no quote of {maker.ticker} on {maker.venue} now"]
    price = place.price
    if not isinstance(price, Decimal):
        return []
    warnings = []
    bid, ask = quote.bid.price, quote.ask.price
    buying = place.side is Side.BUY
    word, best = ("ask", ask) if buying else ("bid", bid)
    crosses = price >= ask if buying else price <= bid
    shown = f"{fmt.number(price, maker.tick_size)} would meet the {word} {fmt.number(best, maker.tick_size)}"
    if crosses and place.post:
        warnings.append(f"post-only at {shown}: the venue would refuse it now")
    elif crosses and place.tif is TimeInForce.GTC:
        warnings.append(f"it would cross the spread: {shown}")
    elif not crosses and place.tif is not TimeInForce.GTC:
        tif = place.tif.value.lower()
        warnings.append(f"{tif} would not fill now: the {word} is {fmt.number(best, maker.tick_size)}")
    mid = (bid + ask) / 2
    distance = (price - mid) / mid
    if abs(distance) > FAR:
        side = "over" if distance > 0 else "under"
        warnings.append(f"the price is {abs(distance) * 100:.1f}% {side} the mid {fmt.rounded(mid, _places(maker))}")
    return warnings


def _places(contract: Contract) -> int:
    return decimals(contract.tick_size) + 1


# ---------------------------------------------------------------------- legs


def _plan(place: Place, leg: LegSpec, contract: Contract, price: Decimal | None) -> LegPlan:
    quantity = place.amount * leg.ratio
    smallest, least = _least(contract, leg.policy, price)
    off_lot = quantity - floor_to_step(quantity, contract.lot_size)
    may_wait = min(quantity, smallest - contract.lot_size + off_lot)
    return LegPlan(
        venue=contract.venue,
        ticker=contract.ticker,
        base=contract.base,
        side=Side.SELL if place.side is Side.BUY else Side.BUY,
        quantity=quantity,
        smallest=smallest,
        least=least,
        off_lot=off_lot,
        may_wait=may_wait,
        text=_remainder(contract, quantity, off_lot, may_wait, least, priced=price is not None),
    )


def _least(contract: Contract, policy: Policy, price: Decimal | None) -> tuple[Decimal, str]:
    """The least quantity that is sent, and what makes it so."""
    lot, smallest = contract.lot_size, smallest_order(contract, price)
    notional = f" ({contract.min_notional:f} {contract.quote})" if contract.min_notional > ZERO else ""
    choices = [(smallest, f"the minimum {_size(contract, smallest)}{notional}")]
    if policy.above_quantity:
        above = ceil_to_step(policy.above_quantity, lot)
        choices.append((above, f"the leg's threshold {_size(contract, above)}"))
    if policy.above_value and price:
        worth = ceil_to_step(policy.above_value / price, lot)
        value = f"{policy.above_value.normalize():f} {contract.quote}"
        choices.append((worth, f"the leg's threshold {_size(contract, worth)} ({value})"))
    return max(choices, key=lambda choice: choice[0])


def _size(contract: Contract, value: Decimal) -> str:
    return f"{fmt.number(value, contract.lot_size)} {contract.base}"


def _remainder(
    contract: Contract, quantity: Decimal, off_lot: Decimal, may_wait: Decimal, least: str, *, priced: bool
) -> str:
    name = f"{contract.venue}:{contract.ticker}"
    if may_wait == quantity:
        return f"{name}: all {_size(contract, quantity)} waits, it is under {least}"
    parts = []
    if off_lot:
        parts.append(f"{_size(contract, off_lot)} is off the lot {contract.lot_size:f} and waits")
    if may_wait > off_lot:
        parts.append(f"up to {_size(contract, may_wait)} waits if the last part filled is under {least}")
    if not priced and contract.min_notional > ZERO:
        parts.append(f"what is worth less than {contract.min_notional:f} {contract.quote} waits, which needs a quote")
    return f"{name}: {', '.join(parts) or 'nothing is left over'}"


def _leg_warnings(maker: Contract, plans: tuple[LegPlan, ...]) -> list[str]:
    warnings = []
    for number, plan in enumerate(plans, 1):
        name = f"{plan.venue}:{plan.ticker}"
        if plan.quantity < plan.smallest:
            warnings.append(
                f"leg {number}: the whole order's hedge of {plan.quantity.normalize():f} {plan.base} on {name} is "
                f"under {plan.least}: nothing is hedged until more fills"
            )
        if plan.base != maker.base:
            warnings.append(f"leg {number}: {name} is {plan.base}, the order is {maker.base}")
    return warnings


# --------------------------------------------------------------------- words


def _sentence(
    place: Place, maker: Contract, price: Decimal | None, found: list[Contract], plans: tuple[LegPlan, ...]
) -> str:
    amount = fmt.number(place.amount, maker.lot_size)
    words = f"{place.side.value} {amount} {maker.ticker} on {maker.venue} {_at(place, maker, price)}"
    words += ", post-only" if place.post else ""
    words += ", reduce-only" if place.reduce else ""
    words += {TimeInForce.IOC: ", immediate or cancel", TimeInForce.FOK: ", fill or kill"}.get(place.tif, "")
    parts = [words]
    parts += [_leg_sentence(place, leg, contract) for leg, contract in zip(place.legs, found, strict=True)]
    waiting = [f"{plan.may_wait.normalize():f} {plan.base}" for plan in plans if plan.may_wait]
    if waiting:
        parts.append(f"up to {' and '.join(waiting)} may wait")
    return "; ".join(parts)


def _at(place: Place, maker: Contract, price: Decimal | None) -> str:
    near = "" if price is None else f" (near {fmt.number(price, maker.tick_size)})"
    if place.price is None:
        return f"at market{near}"
    if isinstance(place.price, PriceRule):
        return f"at {place.price}{near if place.price.level == 1 else ''}"
    return f"at {fmt.number(place.price, maker.tick_size)}"


def _leg_sentence(place: Place, leg: LegSpec, contract: Contract) -> str:
    buying = place.side is Side.SELL
    share = "" if leg.ratio == 1 else f"{leg.ratio.normalize():f} times its size of "
    policy = leg.policy
    words = [f"each fill {'buys' if buying else 'sells'} {share}{contract.ticker} on {contract.venue}"]
    words[0] += _how(policy, buying=buying)
    words += [f"{_time(policy.trigger_after_ms)} later"] if policy.trigger_after_ms else []
    words += [f"once {policy.above_quantity.normalize():f} {contract.base} is due"] if policy.above_quantity else []
    words += [f"once {policy.above_value.normalize():f} {contract.quote} is due"] if policy.above_value else []
    words += ["reduce-only"] if policy.reduce_only else []
    words += {
        OnFailure.ESCALATE: ["on failure one more try at market"],
        OnFailure.UNWIND: [f"on failure closed again on {place.venue}"],
    }.get(policy.on_failure, [])
    return ", ".join(words)


def _how(policy: Policy, *, buying: bool) -> str:
    first, *more = policy.rungs
    if not more:
        return " at market" if first.how is How.MARKET else f" by IOC within {_slippage(first)}"
    return f": {', then '.join(_rung(rung, buying=buying) for rung in policy.rungs)}"


def _rung(rung: Rung, *, buying: bool) -> str:
    if rung.how is How.JOIN:
        return f"joins the {'bid' if buying else 'ask'} for {_time(rung.for_ms)}"
    return "market" if rung.how is How.MARKET else f"ioc within {_slippage(rung)}"


def _slippage(rung: Rung) -> str:
    if rung.slippage_ticks:
        return f"{rung.slippage_ticks} tick{'s' if rung.slippage_ticks > 1 else ''}"
    return f"{rung.slippage_bps.normalize():f} bps"


def _time(ms: int) -> str:
    return f"{ms} ms" if ms % 1000 else f"{ms // 1000} s"
