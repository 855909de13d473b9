"""What users of the OMS hand in: typed requests (or plain dicts of the same fields), checked at this door.

Pydantic stands here and not behind: past this module an order is a ``gateways.standards.PlaceOrder``.
"""

from decimal import Decimal
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from gateways.errors import Denied
from gateways.standards import PRICE_LEVELS, OrderKind, PlaceOrder, PriceRule, PriceSide, TimeInForce
from oms.hedge.policy import How, Leg, OnFailure, Policy, Rung

M = TypeVar("M", bound=BaseModel)


def _no_floats(value: Any) -> Any:
    if isinstance(value, float):
        raise ValueError("give it as text or Decimal: a float has already lost digits")  # noqa: TRY004 - pydantic's form
    return value


Number = Annotated[Decimal, BeforeValidator(_no_floats), Field(allow_inf_nan=False)]


def _price_rule(value: Any) -> Any:
    """``QUEUE_5``, ``opponent1`` and the like."""
    if not isinstance(value, str):
        return value
    name, digits = value.rstrip("0123456789").rstrip("_").lower(), value[len(value.rstrip("0123456789")) :]
    try:
        rule = PriceRule(PriceSide(name), int(digits or 1))
    except ValueError:
        rule = None
    if rule is None or rule.level not in PRICE_LEVELS:
        raise ValueError(f"{value!r} is not a price rule: QUEUE_n or OPPONENT_n with n of 1, 5, 10, 20")
    return rule


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True, populate_by_name=True)


class OrderRequest(_Request):
    """An order: ``amount`` signed (+ buy, - sell), and a ``price``, a ``price_rule`` or neither (market)."""

    exc: str
    """Alias of the venue."""
    ticker: str
    amount: Number
    """Signed quantity, base units, not zero."""
    price: Number | None = Field(default=None, gt=0)
    price_rule: Annotated[PriceRule | None, BeforeValidator(_price_rule)] = None
    kind: OrderKind = OrderKind.LIMIT
    tif: TimeInForce = TimeInForce.GTC
    post_only: bool = False
    reduce_only: bool = False

    @model_validator(mode="after")
    def _consistent(self) -> "OrderRequest":
        if self.amount == 0:
            raise ValueError("amount is 0: give a quantity, + to buy or - to sell")
        priced = (self.price is not None) + (self.price_rule is not None)
        if self.kind is OrderKind.LIMIT and priced != 1:
            raise ValueError("a limit order needs a price or a price_rule, and not both")
        if self.kind is OrderKind.MARKET and (priced or self.post_only):
            raise ValueError("a market order takes no price, no price_rule and no post_only")
        if self.post_only and self.tif is not TimeInForce.GTC:
            raise ValueError(f"post_only with {self.tif.value} would never trade: use GTC")
        return self

    def placed(self) -> PlaceOrder:
        """The order as gateways know it; its cloid is still to be given."""
        return PlaceOrder(
            ticker=self.ticker, cloid="", amount=self.amount, kind=self.kind, price=self.price,
            price_rule=self.price_rule, tif=self.tif, post_only=self.post_only, reduce_only=self.reduce_only,
        )  # fmt: skip


class HedgeRequest(_Request):
    """One hedge leg: ``ratio`` base units on ``exc``:``ticker``, the other way, for each one that the maker fills."""

    exc: str
    ticker: str
    ratio: Number = Field(default=Decimal(1), gt=0)
    how: How = How.MARKET
    slippage_bps: Number = Field(default=Decimal(0), ge=0, lt=10_000)
    rungs: tuple[Rung, ...] = ()
    """A ladder instead of ``how``: join and chase, for one."""
    above_quantity: Number = Field(default=Decimal(0), ge=0)
    above_value: Number = Field(default=Decimal(0), ge=0)
    reduce_only: bool = False
    on_failure: OnFailure = OnFailure.HOLD
    trigger_after_ms: int | None = Field(default=None, ge=0)
    """Delay of this leg; None takes the call's ``trigger_after_ms``."""

    def leg(self, trigger_after_ms: int) -> Leg:
        """The leg as the kernel knows it, its ratio signed against the maker."""
        delay = trigger_after_ms if self.trigger_after_ms is None else self.trigger_after_ms
        rungs = self.rungs or (Rung(how=self.how, slippage_bps=self.slippage_bps),)
        policy = Policy(
            rungs=rungs, trigger_after_ms=delay, above_quantity=self.above_quantity, above_value=self.above_value,
            reduce_only=self.reduce_only, on_failure=self.on_failure,
        )  # fmt: skip
        return Leg(venue=self.exc, ticker=self.ticker, ratio=-self.ratio, policy=policy)


def parsed(model: type[M], given: M | dict[str, Any]) -> M:
    """``given`` as ``model``. Raises Denied: one sentence with the field, what was given and what is allowed."""
    if isinstance(given, model):
        return given
    try:
        return model.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        text = first["msg"].removeprefix("Value error, ")
        shown = f"{field} {first['input']!r}: {text}" if field else text
        venue = given.get("exc", "") if isinstance(given, dict) else ""
        raise Denied(str(venue) or "order", shown, field=field) from None
