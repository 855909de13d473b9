"""Carries out the signed actions of Hyperliquid's ``/exchange`` on a paper exchange, and answers as the venue does.

What is worth knowing of the venue, all of it kept:

* an error that the payload alone gives (price, size) is answered once for the whole batch, and nothing is placed;
* a replacement is a cancel and a new order under a new oid. Without ``a`` (always place) the new one only rests, even
  as Gtc; where it would take it is refused *after the old one is gone*. One that could never stand (other side, other
  asset, Ioc, under the minimum) is refused and the old one stays;
* a timed cancel ends every order of the account, and needs five seconds of notice (the real venue also asks a million
  dollars of volume before it grants one; the paper venue does not).

Sources: the "Exchange endpoint" and "Error responses" pages.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from gateways.contracts import is_multiple, is_on_tick
from gateways.paper.exchange import NewOrder, PaperExchange, PaperOrder, Refused
from gateways.paper.hyperliquid.actions import (
    ApproveAgent,
    ApproveBuilderFee,
    BatchModify,
    Cancel,
    CancelByCloid,
    L1Action,
    Modify,
    Noop,
    Order,
    OrderWire,
    ScheduleCancel,
    SetReferrer,
    UpdateLeverage,
    UserSignedAction,
    read_request,
)
from gateways.paper.hyperliquid.limits import AccountUse, batch_length
from gateways.paper.hyperliquid.records import milliseconds, wire
from gateways.paper.hyperliquid.signers import DAY_MS, ActionRefused, Signers
from gateways.standards import Contract, OrderStatus, RejectReason, TimeInForce

NOTICE_MS = 5_000
TRIGGERS_A_DAY = 10
_SCHEDULED_KEPT = 10_000
_AVERAGE_STEP = Decimal("1e-6")
_MISSING = "Order was never placed, already canceled, or filled. asset={asset}"
_INVALID_REPLACEMENT = "Attempted to modify to invalid new order"
_DEFAULT = {"type": "default"}

REFUSALS = {
    RejectReason.LOT: "Order has invalid size.",
    RejectReason.TICK: "Price must be divisible by tick size. asset={asset}",
    RejectReason.MIN_NOTIONAL: "Order must have minimum value of $10. asset={asset}",
    RejectReason.MARGIN: "Insufficient margin to place order. asset={asset}",
    RejectReason.REDUCE_ONLY: "Reduce only order would increase position. asset={asset}",
    RejectReason.PRICE_BAND: "Order price cannot be more than 95% away from the reference price asset={asset}",
    RejectReason.HALTED: "Trading is halted. asset={asset}",
    RejectReason.DUPLICATE_CLOID: "Duplicate cloid. asset={asset}",
    RejectReason.TOO_MANY_ORDERS: "Too many open orders. asset={asset}",
    RejectReason.NO_LIQUIDITY: "No liquidity available for market order. asset={asset}",
}
"""Why an order is refused, in the venue's words."""


class ActionDesk:
    """Takes requests of ``/exchange``: who signed, what is asked, what the exchange says to it."""

    def __init__(
        self, exchange: PaperExchange, signers: Signers, use: AccountUse, *, now_ns: Callable[[], int]
    ) -> None:
        self.leverages: dict[tuple[str, str], int] = {}
        """What accounts asked for, by (account, ticker). Shown; the exchange's own leverage is what margin costs."""
        self.scheduled: dict[int, None] = {}
        """The orders that the timed cancel ended, latest last."""
        self._exchange = exchange
        self._signers = signers
        self._use = use
        self._now_ns = now_ns
        self._assets = {int(contract.venue_id): contract for contract in exchange.contracts.values()}
        self._schedule: dict[str, int] = {}
        self._triggered: dict[str, tuple[int, int]] = {}

    def take(self, raw: dict[str, Any]) -> dict[str, Any]:
        """Answer a request body. Raises msgspec.ValidationError for what the server does not deserialize."""
        request = read_request(raw)
        try:
            account = self._signers.authorise(request, milliseconds(self._now_ns()))
            self._use.sent(account, batch_length(raw["action"]))
            return {"status": "ok", "response": self._act(account, request.action)}
        except ActionRefused as refusal:
            return {"status": "err", "response": refusal.text}

    def run_schedule(self) -> None:
        """Do the timed cancels that are due."""
        now = milliseconds(self._now_ns())
        for account, time in list(self._schedule.items()):
            if time > now:
                continue
            del self._schedule[account]
            day, count = self._triggers(account, now)
            self._triggered[account] = day, count + 1
            self.scheduled.update(dict.fromkeys(order.order_id for order in self._exchange.cancel_all(account)))
        while len(self.scheduled) > _SCHEDULED_KEPT:
            del self.scheduled[next(iter(self.scheduled))]

    # ---------------------------------------------------------------- actions

    def _act(self, account: str, action: L1Action | UserSignedAction) -> dict[str, Any]:
        match action:
            case Order():
                return _statuses("order", self._place_all(account, action))
            case Cancel():
                return _statuses("cancel", [self._cancel(account, one.a, order_id=one.o) for one in action.cancels])
            case CancelByCloid():
                return _statuses(
                    "cancel",
                    [self._cancel(account, one.asset, client_id=one.cloid.lower()) for one in action.cancels],
                )
            case Modify():
                status = self._replace(account, action.oid, action.order, always=action.a is True)
                if "error" in status:
                    raise ActionRefused(status["error"])
            case BatchModify():
                always = action.a is True
                return _statuses(
                    "order",
                    [self._replace(account, one.oid, one.order, always=always) for one in action.modifies],
                )
            case ScheduleCancel():
                self._set_schedule(account, action)
            case UpdateLeverage():
                self._set_leverage(account, action)
            case ApproveAgent():
                self._signers.approve(account, action)
            case ApproveBuilderFee() | SetReferrer() | Noop():
                pass  # taken without effect, as their docstrings say
        return _DEFAULT

    def _place_all(self, account: str, action: Order) -> list[dict[str, Any]]:
        if not action.orders:
            raise ActionRefused("Batch of orders is empty")
        for order in action.orders:
            problem = self._prevalidate(order)
            if problem is not None:
                return [{"error": problem}]
        return [self._place(account, order, only_rest=order.tif == "Alo") for order in action.orders]

    def _prevalidate(self, order: OrderWire) -> str | None:
        """What is wrong with an order whatever the market and the account; None for nothing."""
        contract = self._assets.get(order.a)
        if contract is None or not contract.trading:
            raise ActionRefused(f"Asset {order.a} does not exist or is delisted.")
        if not order.tif:
            return f"Trigger orders are not offered by this paper venue. asset={order.a}"
        price, size = Decimal(order.p), Decimal(order.s)
        if not size:
            return "Order has zero size."
        if not is_multiple(size, contract.lot_size):
            return "Order has invalid size."
        if not price:
            return "Order has invalid price."
        if not is_on_tick(contract, price):
            return REFUSALS[RejectReason.TICK].format(asset=order.a)
        return None

    def _place(self, account: str, order: OrderWire, *, only_rest: bool) -> dict[str, Any]:
        contract = self._assets[order.a]
        tif = order.tif
        new = NewOrder(
            ticker=contract.ticker,
            client_id=order.c.lower() if order.c else None,
            is_buy=order.b,
            quantity=Decimal(order.s),
            price=Decimal(order.p),
            tif=TimeInForce.GTC if tif in {"Alo", "Gtc"} else TimeInForce.IOC,
            post_only=only_rest,
            reduce_only=order.r,
            extra={"tif": tif},
        )
        try:
            return self._outcome(self._exchange.submit(account, new), contract, order)
        except Refused as refusal:
            return {"error": REFUSALS.get(refusal.reason, refusal.text).format(asset=order.a)}

    def _outcome(self, placed: PaperOrder, contract: Contract, order: OrderWire) -> dict[str, Any]:
        named: dict[str, Any] = {"oid": placed.order_id}
        if placed.client_id is not None:
            named["cloid"] = placed.client_id
        if placed.status in {OrderStatus.NEW, OrderStatus.PARTIAL}:
            return {"resting": named}
        if placed.filled:
            average = placed.average_price.quantize(_AVERAGE_STEP)
            return {"filled": {"totalSz": wire(placed.filled), "avgPx": wire(average), **named}}
        if placed.end_reason is RejectReason.POST_ONLY:
            best = "@".join(f"{side.price.normalize():f}" for side in self._exchange.best(contract.ticker) if side)
            return {"error": f"Post only order would have immediately matched, bbo was {best}. asset={order.a}"}
        if order.tif == "FrontendMarket":
            return {"error": f"No liquidity available for market order. asset={order.a}"}
        return {"error": f"Order could not immediately match against any resting orders. asset={order.a}"}

    def _cancel(
        self, account: str, asset: int, *, order_id: int | None = None, client_id: str | None = None
    ) -> str | dict[str, Any]:
        contract = self._assets.get(asset)
        if contract is None:
            return {"error": _MISSING.format(asset=asset)}
        try:
            self._exchange.cancel(account, contract.ticker, order_id=order_id, client_id=client_id)
        except Refused:
            return {"error": _MISSING.format(asset=asset)}
        return "success"

    def _replace(self, account: str, oid: int | str, order: OrderWire, *, always: bool) -> dict[str, Any]:
        wanted = oid.lower() if isinstance(oid, str) else oid
        resting = self._exchange.open_orders(account)
        old = next((one for one in resting if wanted in (one.order_id, one.client_id)), None)
        if old is None:
            return {"error": "Cannot modify canceled or filled order"}
        if self._prevalidate(order) is not None or not self._may_replace(old, order):
            return {"error": _INVALID_REPLACEMENT}
        self._exchange.cancel(account, old.ticker, order_id=old.order_id)
        status = self._place(account, order, only_rest=not always or order.tif == "Alo")
        if "error" in status:
            text = status["error"].partition(". asset=")[0]
            return {"error": f"Error placing new order during modify: {text}"}
        return status

    def _may_replace(self, old: PaperOrder, order: OrderWire) -> bool:
        contract = self._assets[order.a]
        enough = order.r or Decimal(order.p) * Decimal(order.s) >= contract.min_notional
        rests = order.tif in {"Alo", "Gtc"}
        return enough and rests and contract.ticker == old.ticker and order.b == old.is_buy

    def _set_schedule(self, account: str, action: ScheduleCancel) -> None:
        now = milliseconds(self._now_ns())
        if not isinstance(action.time, int):
            self._schedule.pop(account, None)
            return
        if action.time < now + NOTICE_MS:
            raise ActionRefused("Scheduled cancel time too early, must be at least 5 seconds from now.")
        if self._triggers(account, now)[1] >= TRIGGERS_A_DAY:
            raise ActionRefused(f"Too many scheduled cancels triggered for the day. Limit is {TRIGGERS_A_DAY}")
        self._schedule[account] = action.time

    def _triggers(self, account: str, now_ms: int) -> tuple[int, int]:
        day, count = self._triggered.get(account, (0, 0))
        today = now_ms // DAY_MS
        return today, count if day == today else 0

    def _set_leverage(self, account: str, action: UpdateLeverage) -> None:
        contract = self._assets.get(action.asset)
        if contract is None or not 1 <= action.leverage <= int(self._exchange.leverage):
            raise ActionRefused("Invalid leverage value")
        if not action.is_cross:
            raise ActionRefused("Isolated margin is not offered by this paper venue.")
        self.leverages[account, contract.ticker] = action.leverage


def _statuses(kind: str, statuses: list[Any]) -> dict[str, Any]:
    return {"type": kind, "data": {"statuses": statuses}}
