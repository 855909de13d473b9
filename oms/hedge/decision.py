"""The decision: what of a book's balance may be sent now, at what price, and if nothing, why and what releases it.

Pure functions on ``HedgeBook`` and the time; they change nothing but the book's word on what waits.
"""

from collections.abc import Iterator
from decimal import Decimal

from gateways.contracts import ceil_price, floor_lots, floor_price, floor_to_step, smallest_order, tick_at
from gateways.standards import ZERO, Contract, RejectReason
from oms.hedge.policy import MARKET, How, Limits, Rung
from oms.hedge.state import NEXT_PRICE, RULES_TOLD, HedgeBook, Obligation

BPS = Decimal(10_000)
LARGER = Decimal("1.01")
"""By how much what was refused as too small must have grown before it is tried again: not at each tick of the price."""
RATE_LIMITED = "the rate limit lets no hedge out yet"


Sendable = tuple[Decimal, Obligation]
"""What may be sent, signed, and the obligation under whose policy: the oldest that is due."""


def note_waiting(book: HedgeBook, now_ns: int) -> None:
    """Note since when something waits; forget why, once nothing does."""
    if book.balance == 0:
        book.waits = book.release = ""
        book.ts_waiting_ns = 0
    elif not book.ts_waiting_ns:
        book.ts_waiting_ns = now_ns


def due_part(book: HedgeBook, now_ns: int) -> tuple[Decimal, Obligation | None]:
    """What is due, signed, and the oldest obligation of it: its policy and rung are those of the next hedge order."""
    due, oldest = ZERO, None
    for item in book.obligations:
        if item.due_ns <= now_ns:
            due += item.quantity
            if oldest is None:
                oldest = item
    return due, oldest


def due_times(book: HedgeBook, now_ns: int) -> Iterator[int]:
    """When time alone may change a decision about a book; nothing while it waits for anything else."""
    yield from (child.step_due_ns for child in book.open_children.values() if child.step_due_ns > now_ns)
    if book.paused or book.hold or book.down or book.halted or not book.obligations:
        return
    if book.retry_ns > now_ns:
        yield book.retry_ns
    else:
        yield from (item.due_ns for item in book.obligations if item.due_ns > now_ns)


def next_order(book: HedgeBook, now_ns: int) -> Sendable | None:
    """What of what waits may be sent now, a lot multiple over the minimums (I2); None, with the reason, if nothing."""
    contract = book.contract
    if book.paused:
        return _wait(book, f"paused {book.paused}", "resume it")
    if book.hold:
        return _wait(book, f"HOLD: {book.hold}", "mend it, then resume")
    if book.down:
        return _wait(book, f"HOLD: {book.down}", "the venue: it goes on by itself")
    if book.halted:
        return _wait(book, book.halted, "`activate`")
    if book.unwinding:
        return _wait(book, "it is being closed on the maker's venue", "the end of that")
    if contract is None:
        return _wait(book, "the contract's rules are not known yet", RULES_TOLD)
    if not contract.trading:
        return _wait(book, "the venue does not trade this contract now", "the venue")
    wanted = _agreed_and_due(book, now_ns)
    if wanted is None:
        return None
    amount, oldest = floor_to_step(wanted[0], contract.lot_size), wanted[1]
    largest = contract.market_max_quantity or contract.max_quantity
    if largest is not None and abs(amount) > largest:
        amount = floor_to_step(largest.copy_sign(amount), contract.lot_size)
    return _above_minimums(book, contract, amount, oldest)


def _agreed_and_due(book: HedgeBook, now_ns: int) -> Sendable | None:
    """The smaller of what every resolution of the unknown orders agrees on and of what is due."""
    sendable = book.sendable(book.balance)
    due, oldest = due_part(book, now_ns)
    if sendable == 0:
        return _wait(book, "an unknown hedge order could answer it", "the venue's word on that order")
    if oldest is None or due * sendable < 0:
        return _wait(book, "its delay has not passed", "time")
    if book.retry_ns > now_ns:
        limited = book.last_reject is RejectReason.RATE_LIMIT
        return _wait(book, RATE_LIMITED if limited else "the last hedge failed", "time: it is tried again")
    return due if abs(due) <= abs(sendable) else sendable, oldest


def _above_minimums(book: HedgeBook, contract: Contract, amount: Decimal, oldest: Obligation) -> Sendable | None:
    quantity, policy = abs(amount), oldest.policy
    smallest = max(contract.lot_size, contract.min_quantity)
    if quantity < smallest:
        return _wait(book, f"under the lot of {smallest:f}", "the next fill, or hand")
    if quantity < policy.above_quantity:
        return _wait(book, f"under the leg's threshold of {policy.above_quantity:f}", "the next fill, or hand")
    least = max(contract.min_notional, book.refused_notional, policy.above_value)
    if least == 0:
        return amount, oldest
    price = reference_price(book)
    if price is None:
        return _wait(book, "no price to check the minimum with", NEXT_PRICE)
    notional = quantity * price
    limit = quantity * lowest_limit(book, contract, price, policy.rung(oldest.rung), buying=amount > 0)
    if notional < least or notional < book.refused_notional * LARGER or limit < contract.min_notional:
        return _wait(book, f"under the minimum of {least:f}", "the next fill, the price, or hand")
    return amount, oldest


def rounded_up(book: HedgeBook) -> Decimal:
    """The smallest order that the venue takes, in the balance's direction; zero when that cannot be known."""
    if book.contract is None or book.balance == 0:
        return ZERO
    price = reference_price(book)
    if price is not None:
        price = lowest_limit(book, book.contract, price, MARKET, buying=book.balance > 0)
    smallest = smallest_order(book.contract, price)
    return max(smallest, abs(floor_lots(book.contract, book.balance))).copy_sign(book.balance)


def limit_price(book: HedgeBook, rung: Rung, now_ns: int, limits: Limits, *, buying: bool) -> Decimal | None:
    """The price of a limit hedge; None, with the reason, where there is no fresh quote to set it from (I14).

    IOC: through the best opposite price by the slippage, on the tick, never beyond. JOIN: the best of our own side.
    """
    contract = book.contract
    joins = rung.how is How.JOIN
    best = (book.bid if buying else book.ask) if joins else (book.ask if buying else book.bid)
    if best is None or contract is None or now_ns - book.ts_quote_ns > limits.max_quote_age_ns:
        _wait(book, "no fresh price to set the limit from", NEXT_PRICE)
        return None
    if joins:
        return best
    slack = _slack(contract, best, rung)
    if buying:
        return floor_price(contract, best + slack)
    return max(ceil_price(contract, best - slack), contract.tick_size)  # a limit of zero is none


def lowest_limit(book: HedgeBook, contract: Contract, price: Decimal, rung: Rung, *, buying: bool) -> Decimal:
    """The price that a venue values the order at that is worth least: a seller's limit is below the market."""
    if buying or rung.how is How.JOIN:
        return price
    if rung.how is How.MARKET:
        return price if book.market_slippage == 0 else floor_price(contract, price * (1 - book.market_slippage))
    return price - _slack(contract, price, rung)


def _slack(contract: Contract, best: Decimal, rung: Rung) -> Decimal:
    return tick_at(contract, best) * rung.slippage_ticks if rung.slippage_ticks else best * rung.slippage_bps / BPS


def reference_price(book: HedgeBook) -> Decimal | None:
    """The price that a minimum notional is checked at: the lower side, so that the check is not too kind."""
    return book.bid if book.bid is not None else book.ask


def _wait(book: HedgeBook, why: str, release: str) -> Sendable | None:
    """Nothing may be sent, for this reason."""
    book.waits, book.release = why, release
    return None
