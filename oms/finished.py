"""Finished orders: which of them nothing depends on any more, and how they leave a desk's memory and come back. Pure.

A hedge order is finished once it is DONE; a maker once all that it filled is hedged, netted or forfeited, and no hedge
order in memory names it. Books keep their sums (target, hedged, forfeited): no order takes a part of them along. What
leaves is kept whole, so that a fill which comes late, for an order of any age, finds everything as it was (I4, I12).
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal

import msgspec

from oms.evidence import Entered, Evidence
from oms.hedge.kernel import Kernel
from oms.hedge.state import Child, ChildState, Maker, Share
from oms.oid_evidence import OidEvidence
from oms.orders import Order, Role


class OidTrades(msgspec.Struct, frozen=True, array_like=True):
    """The evidence on one venue order id, trade by trade; see ``oms.oid_evidence``. Sizes are signed."""

    oid: str
    amount: Decimal | None
    cum: Decimal
    traded: Decimal
    cost: Decimal
    filled: Decimal
    trade_ids: tuple[str, ...]

    def evidence(self) -> OidEvidence:
        """The evidence, to go on with."""
        made = OidEvidence()
        made.amount, made.cum, made.filled = self.amount, self.cum, self.filled
        made.traded, made.cost = self.traded, self.cost
        made.trade_ids.update(self.trade_ids)
        return made


class Finished(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is known of one order. An order that is not of this desk has only ``order`` and ``trades``."""

    order: Order
    trades: tuple[OidTrades, ...]
    entered: Entered | None = None
    evidence: Evidence | None = None
    maker: Maker | None = None
    shares: tuple[Share, ...] = ()
    """Of a maker: its part in the book of each leg."""
    child: Child | None = None

    @property
    def key(self) -> str:
        """The order's key on the page."""
        return self.order.key


class Held(msgspec.Struct, frozen=True):
    """An order as the page has it, with the evidence behind it; ``back``: as it was kept, if it has come back."""

    order: Order
    trades: tuple[OidTrades, ...]
    back: Finished | None = None


def pick(
    kernel: Kernel, entered: Mapping[str, Entered], evidence: Mapping[str, Evidence], held: Mapping[str, Held]
) -> list[Finished]:
    """The orders of ``held`` that nothing depends on, hedge orders before the makers that they name.

    ``kernel``, ``entered`` and ``evidence`` are what the journal tells; an order of which the page says something else
    has changed meanwhile, and stays. So does the latest maker of each book: what is reopened there is for it. One that
    came back and of which the journal tells nothing since is as it was kept.
    """
    ended = {
        key: each for key, each in held.items()
        if each.order.role is Role.EXTERNAL or (_same_end(each.order, evidence.get(key)) and key not in kernel.unwinds)
    }  # fmt: skip
    gone = [
        msgspec.structs.replace(each.back, order=each.order, trades=each.trades)
        for key, each in held.items() if each.back is not None and key not in entered
    ]  # fmt: skip
    gone.sort(key=lambda each: each.maker is not None)
    named = {book.latest[0] for book in kernel.books.values() if book.latest is not None}
    for key, child in kernel.children.items():
        each = ended.get(key)
        if each is not None and child.state is ChildState.DONE and child.cum == each.order.filled:
            gone.append(_finished(each, entered, evidence, child=child))
        else:
            named.update(claim.maker for claim in child.claims)
    for key, each in ended.items():
        if key in kernel.children or key in named:
            continue
        maker = kernel.makers.get(key)
        if maker is None:
            gone.append(_finished(each, entered, evidence))
        elif maker.filled == each.order.filled:
            shares = shares_of(kernel, maker)
            if not any(share.in_flight or share.waiting for share in shares):
                gone.append(_finished(each, entered, evidence, maker=maker, shares=shares))
    return gone


def _same_end(order: Order, known: Evidence | None) -> bool:
    return known is not None and known.status.terminal and (known.status, known.filled) == (order.status, order.filled)


def _finished(
    held: Held, entered: Mapping[str, Entered], evidence: Mapping[str, Evidence], *, maker: Maker | None = None,
    shares: tuple[Share, ...] = (), child: Child | None = None,
) -> Finished:  # fmt: skip
    key = held.order.key
    return Finished(
        order=held.order, trades=held.trades, entered=entered.get(key), evidence=evidence.get(key), maker=maker,
        shares=shares, child=child,
    )  # fmt: skip


def shares_of(kernel: Kernel, maker: Maker) -> tuple[Share, ...]:
    """A maker's part in the book of each of its legs."""
    return tuple([
        kernel.books[leg.venue, leg.ticker].shares[maker.cloid, index] for index, leg in enumerate(maker.legs)
    ])  # fmt: skip


def claimants(kernel: Kernel, gone: Iterable[Finished]) -> dict[str, list[str]]:
    """The hedge orders that name each maker which is to leave; with its hedge orders in memory a maker stays there."""
    found: dict[str, list[str]] = {each.key: [] for each in gone if each.maker is not None}
    for key, child in kernel.children.items():
        for claim in child.claims:
            if claim.maker in found:
                found[claim.maker].append(key)
    return found


def take_out(kernel: Kernel, one: Finished) -> None:
    """Let the kernel forget an order."""
    kernel.children.pop(one.key, None)
    maker = kernel.makers.pop(one.key, None)
    if maker is not None:
        for index, leg in enumerate(maker.legs):
            del kernel.books[leg.venue, leg.ticker].shares[maker.cloid, index]


def bring_back(kernel: Kernel, one: Finished) -> None:
    """Let the kernel know an order again; ``one`` stays as it is. A hedge order's makers must be there, or follow."""
    if one.child is not None:
        child = kernel.children[one.key] = msgspec.structs.replace(one.child)
        child.claims = [msgspec.structs.replace(claim) for claim in child.claims]
        child.absence = msgspec.structs.replace(child.absence)
    if one.maker is not None:
        kernel.makers[one.key] = msgspec.structs.replace(one.maker)
        for index, (leg, share) in enumerate(zip(one.maker.legs, one.shares, strict=True)):
            kernel.book(leg.venue, leg.ticker).shares[one.key, index] = msgspec.structs.replace(share)


def unchanged(kernel: Kernel, one: Finished) -> bool:
    """Whether the kernel still has of an order what is kept of it."""
    child, maker = kernel.children.get(one.key), kernel.makers.get(one.key)
    if one.child is not None:
        kept = one.child
        return child is not None and (child.state, child.cum, child.claims) == (kept.state, kept.cum, kept.claims)
    if one.maker is not None:
        return maker is not None and maker.filled == one.maker.filled and shares_of(kernel, maker) == one.shares
    return child is None and maker is None
