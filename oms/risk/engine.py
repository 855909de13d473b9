"""The pre-trade risk checks: an order, the facts, the limits, and what the limits say. Pure: no clock, no I/O.

Which limit looks at what, and why hedges and what closes positions pass, is in docs/limits.md. Every limit is judged
with the order counted in, in the worst case (``oms.risk.exposure``); what is equal to a limit is inside. An act that
enlarges nothing is not refused for what is too large already, so that the way out is never closed.
"""

from decimal import Decimal

from oms.hedgeability import check_hedgeability
from oms.limits import Limits
from oms.risk.day_checks import check_books, check_day
from oms.risk.facts import Facts, Request
from oms.risk.findings import Findings
from oms.risk.order_checks import check_confirmation, check_counts, check_duplicate, check_price, check_size
from oms.risk.position_checks import check_net, check_positions
from oms.risk.verdict import Judgement


def check(request: Request, facts: Facts, limits: Limits, confirm_above: Decimal | None = None) -> Judgement:
    """Judge an order, or an amend, by all limits; ask about one that is worth more than ``confirm_above``."""
    found = Findings(request, facts, limits)
    if confirm_above is not None:
        check_confirmation(found, confirm_above)
    if not limits.any:
        return Judgement(tuple(found.breaches))
    if request.lessens:
        check_counts(found)
        return Judgement(tuple(found.breaches))
    check_size(found)
    check_price(found)
    check_duplicate(found)
    check_counts(found)
    check_positions(found)
    check_net(found)
    if request.legs or not request.reduce_only:  # what hedges a reduce-only order does not reduce
        check_day(found)
    if request.legs:
        check_books(found)
        check_hedgeability(found)
    return Judgement(tuple(found.breaches))
