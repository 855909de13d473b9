"""The checks of one order by itself: its size, its price, its like, and how many there are. Pure."""

from decimal import Decimal

from gateways.standards import ZERO
from oms.limits import Limit, Verdict
from oms.risk.exposure import worth
from oms.risk.facts import Market, Request, Sent
from oms.risk.findings import Findings, plain, rounded
from oms.risk.verdict import Reason

BPS = Decimal(10_000)
NS_PER_S = 1_000_000_000


def check_size(found: Findings) -> None:
    """The order's quantity, and what it is worth: a seller's at the market where that is over its limit."""
    request = found.request
    own, name = found.limits.of(*request.key), f"{request.venue}:{request.ticker}"
    quantity = abs(request.total)
    sentence = f"the amount {{value}} is over the {{end}} allowed for one order in {name}"
    found.judge(own.order_quantity, quantity, Reason.ORDER_QUANTITY, sentence, field="amount")
    if own.order_notional is None:
        return
    price = worth(_price(request), found.facts.value(request.key), request.amount)
    if price is None:
        found.unpriced([request.key], Reason.ORDER_NOTIONAL)
        return
    sentence = f"the order is worth {{value}}, over the {{end}} allowed for one in {name}"
    found.judge(own.order_notional, quantity * price, Reason.ORDER_NOTIONAL, sentence, field="amount")


def check_confirmation(found: Findings, above: Decimal) -> None:
    """Ask about an order that raises risk and is worth more than ``above``, or of a worth that nobody knows."""
    request = found.request
    if request.lessens or request.reduce_only:
        return
    price = worth(_price(request), found.facts.value(request.key), request.amount)
    if price is None:
        text = f"there is no price of {request.venue}:{request.ticker} to tell whether it is worth over {plain(above)}"
        found.add(Reason.CONFIRM_ABOVE, text, verdict=Verdict.ASK, field="amount")
        return
    sentence = "the order is worth {value}: over {end} it is asked about"
    value = abs(request.total) * price
    found.judge(Limit(soft=above), value, Reason.CONFIRM_ABOVE, sentence, field="amount")


def check_price(found: Findings) -> None:
    """The collars: how far the price is from the mid, and from the last trade, on the side that costs us."""
    request = found.request
    own = found.limits.of(*request.key)
    market = found.facts.markets.get(request.key, Market())
    price = _price(request)
    collars = (
        (own.collar_mid_bps, Reason.COLLAR_MID, "mid", market.mid),
        (own.collar_last_bps, Reason.COLLAR_LAST, "last trade", market.traded),
    )
    for limit, reason, name, reference in collars:
        if limit is None:
            continue
        if reference is None or price is None:
            missing = f"no {name}" if reference is None else "no book that tells how far a market order would reach"
            text = f"{request.venue}:{request.ticker} has {missing}, and {reason.value} compares with it"
            found.add(Reason.NO_PRICE, text, verdict=Verdict.REFUSE, field="price")
            continue
        worse = price - reference if request.amount > 0 else reference - price
        side = "over" if request.amount > 0 else "under"
        near = rounded(reference, beside=price)
        sentence = f"the price {plain(price)} is {{value}} bps {side} the {name} {near}: {{end}} bps are allowed"
        found.judge(limit, max(worse / reference * BPS, ZERO), reason, sentence, field="price")


def _price(request: Request) -> Decimal | None:
    return request.price if request.price is not None else request.market_price


def check_duplicate(found: Findings) -> None:
    """An order like one that was just sent: same contract, side, price and size. An amend is not looked at."""
    request = found.request
    window = found.limits.of(*request.key).duplicate_s
    last = max((sent.ts_ns for sent in found.facts.sent if _is_like(sent, request)), default=None)
    if window is None or last is None or request.replaces:
        return
    age = max(Decimal(found.facts.now_ns - last) / NS_PER_S, ZERO)
    verdict = window.judge(age)
    end = window.hard if verdict is Verdict.REFUSE else window.soft
    if end is not None:
        text = f"the same order was sent {plain(age)} s ago: again within {plain(end)} s is taken for a double press"
        found.add(Reason.DUPLICATE, text, verdict=verdict, field="amount", value=age, end=end)


def _is_like(sent: Sent, request: Request) -> bool:
    same = (sent.venue, sent.ticker, sent.amount) == (request.venue, request.ticker, request.total)
    priced = sent.rule == request.rule if request.rule or sent.rule else sent.price == request.price
    return same and priced and not (sent.amended or sent.failed)


def check_counts(found: Findings) -> None:
    """Working orders, whoever sent them, and orders sent within a second: of the contract, the venue, the desk."""
    request, limits = found.request, found.limits
    here, desk = limits.venue(request.venue), limits.desk
    if not request.replaces:
        there = [order for order in found.facts.resting if order.venue == request.venue]
        name = f"{request.venue}:{request.ticker}"
        counts = (
            (limits.of(*request.key).open_orders, sum(order.ticker == request.ticker for order in there), name),
            (here.open_orders, len(there), request.venue),
            (desk.open_orders, len(found.facts.resting), "all venues"),
        )
        for limit, count, where in counts:
            sentence = f"it would be working order {{value}} on {where}: {{end}} are allowed"
            found.judge(limit, count + 1, Reason.OPEN_ORDERS, sentence, field="")
    lately = [sent for sent in found.facts.sent if found.facts.now_ns - sent.ts_ns < NS_PER_S]
    rates = (
        (here.orders_per_second, sum(sent.venue == request.venue for sent in lately), request.venue),
        (desk.orders_per_second, len(lately), "all venues"),
    )
    for limit, count, where in rates:
        sentence = f"it would be order {{value}} within a second on {where}: {{end}} are allowed"
        found.judge(limit, count + 1, Reason.ORDERS_PER_SECOND, sentence, field="")
