"""The actions of Hyperliquid's ``/exchange``: what the server takes, and the form of it that a signature binds. Pure.

The real server reads an action into its own types and hashes those, not the sender's bytes: the order of the JSON keys
does not matter, unknown keys are not signed, and a price of ``"60000.0"`` is hashed as ``"60000"`` (so that a client
that signs trailing zeros is told that a wallet nobody knows does not exist). ``signed_form`` does the same.

Source: the "Exchange endpoint" and "Signing" pages; ``hyperliquid/utils/signing.py`` of the official Python SDK.
"""

from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

Number = Annotated[str, msgspec.Meta(pattern=r"^[0-9]+(\.[0-9]+)?$", max_length=40)]
Cloid = Annotated[str, msgspec.Meta(pattern=r"^0x[0-9a-fA-F]{32}$")]
Address = Annotated[str, msgspec.Meta(pattern=r"^0x[0-9a-fA-F]{40}$")]
Hex = Annotated[str, msgspec.Meta(pattern=r"^0x[0-9a-fA-F]{1,64}$")]
Unsigned = Annotated[int, msgspec.Meta(ge=0, le=(1 << 63) - 1)]


class Limit(msgspec.Struct, frozen=True):
    """A limit order's time in force; ``FrontendMarket`` is the web site's market order. There is no fill-or-kill."""

    tif: Literal["Alo", "Ioc", "Gtc", "FrontendMarket"]


class Trigger(msgspec.Struct, frozen=True):
    """A stop or take-profit, which the paper venue reads (its signature must verify) and declines."""

    is_market: bool = msgspec.field(name="isMarket")
    trigger_px: Number = msgspec.field(name="triggerPx")
    tpsl: Literal["tp", "sl"]


class OrderType(msgspec.Struct, frozen=True):
    """One of the two."""

    limit: Limit | UnsetType = UNSET
    trigger: Trigger | UnsetType = UNSET


class OrderWire(msgspec.Struct, frozen=True, kw_only=True):
    """An order: asset index, buy, limit price, size (base units), reduce-only, type, client id."""

    a: Unsigned
    b: bool
    p: Number
    s: Number
    r: bool
    t: OrderType
    c: Cloid | UnsetType | None = UNSET

    @property
    def tif(self) -> str:
        """The time in force of a limit order; empty for a trigger."""
        return self.t.limit.tif if isinstance(self.t.limit, Limit) else ""


class Builder(msgspec.Struct, frozen=True):
    """Whom a builder fee goes to (tenths of a basis point). Taken and not charged."""

    b: Address
    f: Unsigned


class Order(msgspec.Struct, frozen=True, tag_field="type", tag="order"):
    """Place orders."""

    orders: list[OrderWire]
    grouping: Literal["na", "normalTpsl", "positionTpsl"]
    builder: Builder | UnsetType = UNSET


class CancelWire(msgspec.Struct, frozen=True):
    """An order to cancel: asset index and oid."""

    a: Unsigned
    o: Unsigned


class Cancel(msgspec.Struct, frozen=True, tag_field="type", tag="cancel"):
    """Cancel orders by oid."""

    cancels: list[CancelWire]


class CancelCloidWire(msgspec.Struct, frozen=True):
    """An order to cancel: asset index and client id."""

    asset: Unsigned
    cloid: Cloid


class CancelByCloid(msgspec.Struct, frozen=True, tag_field="type", tag="cancelByCloid"):
    """Cancel orders by client id."""

    cancels: list[CancelCloidWire]


class Modify(msgspec.Struct, frozen=True, tag_field="type", tag="modify"):
    """Replace one order. ``a``: place the new one also where it takes (else it only rests)."""

    oid: Unsigned | Cloid
    order: OrderWire
    a: bool | UnsetType = UNSET


class ModifyWire(msgspec.Struct, frozen=True):
    """One replacement of a batch."""

    oid: Unsigned | Cloid
    order: OrderWire


class BatchModify(msgspec.Struct, frozen=True, tag_field="type", tag="batchModify"):
    """Replace several orders."""

    modifies: list[ModifyWire]
    a: bool | UnsetType = UNSET


class ScheduleCancel(msgspec.Struct, frozen=True, tag_field="type", tag="scheduleCancel"):
    """Cancel all orders at ``time`` (milliseconds); without it, forget the schedule."""

    time: Unsigned | UnsetType = UNSET


class UpdateLeverage(msgspec.Struct, frozen=True, tag_field="type", tag="updateLeverage"):
    """Set the leverage of one asset."""

    asset: Unsigned
    is_cross: bool = msgspec.field(name="isCross")
    leverage: Unsigned


class SetReferrer(msgspec.Struct, frozen=True, tag_field="type", tag="setReferrer"):
    """Name a referrer. Taken without effect."""

    code: str


class Noop(msgspec.Struct, frozen=True, tag_field="type", tag="noop"):
    """Use up a nonce, which is how a request in flight is made void."""


L1Action = Order | Cancel | CancelByCloid | Modify | BatchModify | ScheduleCancel | UpdateLeverage | SetReferrer | Noop


class ApproveAgent(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="approveAgent"):
    """Let another address sign for the account; the zero address revokes. Signed by the account itself."""

    signature_chain_id: Hex = msgspec.field(name="signatureChainId")
    hyperliquid_chain: Literal["Mainnet", "Testnet"] = msgspec.field(name="hyperliquidChain")
    agent_address: Address = msgspec.field(name="agentAddress")
    agent_name: str | None = msgspec.field(name="agentName", default=None)
    nonce: Unsigned


class ApproveBuilderFee(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="approveBuilderFee"):
    """Allow a builder a fee. Signed by the account itself; taken without effect."""

    signature_chain_id: Hex = msgspec.field(name="signatureChainId")
    hyperliquid_chain: Literal["Mainnet", "Testnet"] = msgspec.field(name="hyperliquidChain")
    max_fee_rate: str = msgspec.field(name="maxFeeRate")
    builder: Address
    nonce: Unsigned


UserSignedAction = ApproveAgent | ApproveBuilderFee


class SignatureWire(msgspec.Struct, frozen=True):
    """``r`` and ``s`` as 0x-hex integers (leading zeros may be missing), ``v`` 27 or 28."""

    r: Hex
    s: Hex
    v: int


class ExchangeRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The body of ``/exchange``. ``nonce`` and ``expires_after`` are milliseconds."""

    action: L1Action | UserSignedAction
    nonce: Unsigned
    signature: SignatureWire
    vault_address: Address | None = msgspec.field(name="vaultAddress", default=None)
    expires_after: Unsigned | None = msgspec.field(name="expiresAfter", default=None)


def read_request(raw: object) -> ExchangeRequest:
    """Read a decoded JSON body. Raises msgspec.ValidationError for what the server does not deserialize."""
    return msgspec.convert(raw, ExchangeRequest)


def signed_form(action: L1Action) -> dict[str, Any]:
    """The action as the server hashes it: its own key order, numbers without trailing zeros, ids in lower case."""
    form: dict[str, Any] = msgspec.to_builtins(action)
    for order in [*form.get("orders", ()), *(item["order"] for item in form.get("modifies", ()))]:
        _normalise_order(order)
    if "order" in form:
        _normalise_order(form["order"])
    for item in [form, *form.get("modifies", ())]:
        if isinstance(item.get("oid"), str):
            item["oid"] = item["oid"].lower()
    for cancel in form.get("cancels", ()):
        if "cloid" in cancel:
            cancel["cloid"] = cancel["cloid"].lower()
    if "builder" in form:
        form["builder"]["b"] = form["builder"]["b"].lower()
    return form


def _normalise_order(order: dict[str, Any]) -> None:
    order["p"], order["s"] = plain(order["p"]), plain(order["s"])
    if order.get("c") is None:
        order.pop("c", None)
    else:
        order["c"] = order["c"].lower()
    trigger = order["t"].get("trigger")
    if trigger is not None:
        trigger["triggerPx"] = plain(trigger["triggerPx"])


def plain(number: str) -> str:
    """A number without leading or trailing zeros: ``60000`` for ``60000.0``."""
    return f"{Decimal(number).normalize():f}"
