"""What the risk checks say of an order: each limit that it breaks, by a typed reason, with the numbers.

A hard end refuses (``OverLimit``). A soft end asks (``Unconfirmed``): the same order passes when it is said once more,
as confirmed. Both are ``Denied``: nothing was sent.
"""

from decimal import Decimal
from enum import Enum

import msgspec

from gateways.errors import Denied
from gateways.standards import RejectReason
from oms.limits import Verdict


class Reason(str, Enum):
    """Which limit an order breaks. The words are the settings' names in the configuration, where it has one."""

    ORDER_QUANTITY = "order_quantity"
    ORDER_NOTIONAL = "order_notional"
    POSITION_QUANTITY = "position_quantity"
    POSITION_NOTIONAL = "position_notional"
    NET_QUANTITY = "net_quantity"
    NET_NOTIONAL = "net_notional"
    OPEN_ORDERS = "open_orders"
    COLLAR_MID = "collar_mid_bps"
    COLLAR_LAST = "collar_last_bps"
    DUPLICATE = "duplicate_s"
    ORDERS_PER_SECOND = "orders_per_second"
    DAILY_TURNOVER = "daily_turnover"
    DAILY_LOSS = "daily_loss"
    UNHEDGED = "unhedged_notional"
    HEDGE_MARGIN = "leverage"
    HEDGE_DEPTH = "hedge_slippage_bps"
    HEDGE_MINIMUM = "hedge_minimum"
    HEDGE_STATE = "hedge_state"
    CONFIRM_ABOVE = "confirm_above"
    """Of a live desk's arming, not of its limits: it only asks."""
    NO_PRICE = "no_price"
    """A limit in money is set, and nothing is known to value the order with."""


class Breach(msgspec.Struct, frozen=True, kw_only=True):
    """One limit that an order breaks.

    ``value`` is what it would come to and ``allowed`` the end that it breaks, in the limit's own unit; both None where
    the reason has no number. ``field`` is the part of a form that it is about. ``text`` is one sentence.
    """

    reason: Reason
    verdict: Verdict
    venue: str
    text: str
    value: Decimal | None = None
    allowed: Decimal | None = None
    field: str = ""


class Judgement(msgspec.Struct, frozen=True):
    """All that was found against an order; empty where nothing was."""

    breaches: tuple[Breach, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """The hardest of them."""
        found = {breach.verdict for breach in self.breaches}
        return next((verdict for verdict in (Verdict.REFUSE, Verdict.ASK) if verdict in found), Verdict.PASS)

    def enforce(self, *, confirmed: bool) -> None:
        """Raise OverLimit for a hard breach, Unconfirmed for soft ones that nobody said yes to."""
        hard = [breach for breach in self.breaches if breach.verdict is Verdict.REFUSE]
        if hard:
            raise OverLimit(hard[0], tuple(hard))
        if self.breaches and not confirmed:
            raise Unconfirmed(self.breaches[0], self.breaches)


class OverLimit(Denied):
    """Refused by a limit of the desk: nothing was sent. ``breach`` is the first of ``breaches``."""

    def __init__(self, breach: Breach, breaches: tuple[Breach, ...]) -> None:
        super().__init__(
            breach.venue, "; ".join(each.text for each in breaches), field=breach.field, reason=RejectReason.OTHER
        )
        self.breach = breach
        self.breaches = breaches


class Unconfirmed(OverLimit):
    """Over soft limits only: nothing was sent, and the same order passes when it is said again as confirmed."""
