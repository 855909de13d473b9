"""The ticket's draft: what has been typed so far, as text, and the command line that it writes. Pure."""

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation

import msgspec

from console import fmt
from console.commands import LegSpec, Place
from console.link import ContractRow
from gateways.contracts import ceil_to_step, floor_to_step, is_multiple

SIDES = ("buy", "sell")
TIFS = ("gtc", "ioc", "fok")
POLICY_CYCLE = (
    "market",
    "ioc 5bps",
    "ioc 10bps",
    "ioc 20bps",
    "join 2s then market",
    "join 2s then ioc 10bps then market",
)
RULES = ("queue1", "queue5", "queue10", "queue20", "opponent1", "opponent5", "market")
"""Prices by name that the arrows go through."""


class LegDraft(msgspec.Struct, frozen=True, kw_only=True):
    """One hedge leg as typed."""

    contract: str = ""
    ratio: str = ""
    """Empty for 1: all of the fill."""
    policy: str = "market"
    """Any policy of the grammar: ``market``, ``join 2s then ioc 8bps then market above 0.5 escalate``."""
    after: str = ""
    """Empty for at once, else ``250ms``."""

    def words(self) -> str:
        """The leg in the grammar's words; nothing for a leg without a contract."""
        if not self.contract.strip():
            return ""
        ratio = self.ratio.strip().removeprefix("x")
        after = self.after.strip()
        words = [
            "hedge",
            f"x{ratio}" if ratio and ratio != "1" else "",
            self.contract.strip(),
            self.policy.strip() or "market",
            f"after {after}{'ms' if after.isdecimal() else ''}" if after and after != "0" else "",
        ]
        return " ".join(word for word in words if word)


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A maker order as typed."""

    side: str = "buy"
    amount: str = ""
    contract: str = ""
    price: str = ""
    """A price, ``queue1`` .. ``queue20``, ``opponent1`` .., or ``market``."""
    post: bool = False
    reduce: bool = False
    tif: str = "gtc"
    legs: tuple[LegDraft, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether too little is typed for a line to be worth checking."""
        return not (self.amount.strip() and self.contract.strip())

    def line(self) -> str:
        """The command line that this draft writes."""
        words = [
            self.side,
            self.amount.strip(),
            self.contract.strip(),
            "@",
            self.price.strip() or "market",
            "post" if self.post else "",
            "reduce" if self.reduce else "",
            self.tif if self.tif != "gtc" else "",
            *(leg.words() for leg in self.legs),
        ]
        return " ".join(word for word in words if word)


def drafted(place: Place) -> Draft:
    """An order of the grammar as the ticket's draft: ``parse(drafted(place).line())`` is the order again."""
    return Draft(
        side=place.side.value,
        amount=f"{place.amount:f}",
        contract=f"{place.venue}:{place.ticker}",
        price="market" if place.price is None else str(place.price),
        post=place.post,
        reduce=place.reduce,
        tif=place.tif.value.lower(),
        legs=tuple(_drafted_leg(leg) for leg in place.legs),
    )


def _drafted_leg(leg: LegSpec) -> LegDraft:
    """The delay stays among the policy's words."""
    ratio = "" if leg.ratio == 1 else f"{leg.ratio:f}"
    return LegDraft(contract=f"{leg.venue}:{leg.ticker}", ratio=ratio, policy=str(leg.policy))


def counterpart(contracts: Iterable[ContractRow], name: str) -> str:
    """The contract to hedge ``name`` with: the same base asset on another venue; empty where there is none."""
    known = {f"{row.venue}:{row.ticker}": row for row in contracts}
    here = known.get(name)
    if here is None:
        return ""
    others = sorted(key for key, row in known.items() if row.base == here.base and row.venue != here.venue)
    return others[0] if others else ""


def carried(draft: Draft, kept: Draft, contracts: Iterable[ContractRow]) -> Draft:
    """A draft with the amount and legs of the one kept, for the same contract; for another, hedged at market."""
    if kept.contract == draft.contract:
        return msgspec.structs.replace(draft, amount=draft.amount or kept.amount, legs=kept.legs)
    other = counterpart(contracts, draft.contract)
    return msgspec.structs.replace(draft, legs=(LegDraft(contract=other),) if other else ())


def stepped(text: str, step: Decimal, steps: int) -> str:
    """A number one or more steps up or down, on the step's grid; never under one step. Other text stays as it is."""
    try:
        value = Decimal(text.strip())
    except InvalidOperation:
        return text
    if not value.is_finite():
        return text
    if not is_multiple(value, step):
        value = ceil_to_step(value, step) if steps > 0 else floor_to_step(value, step)
        steps -= 1 if steps > 0 else -1
    return fmt.number(max(step, value + steps * step), step)


def matching(typed: str, names: list[str], most: int = 6) -> list[str]:
    """Contract names that ``typed`` may become: those that start with it, then those that hold it, best first."""
    wanted = typed.strip().lower()
    starts = [name for name in names if name.lower().startswith(wanted)]
    tickers = [name for name in names if name.partition(":")[2].lower().startswith(wanted) and name not in starts]
    holds = [name for name in names if wanted in name.lower() and name not in starts and name not in tickers]
    return [*starts, *tickers, *holds][:most]


def cycled(values: list[str], present: str, steps: int) -> str:
    """The value a number of steps after the present one, going round; the first where the present is none of them."""
    if not values:
        return present
    return values[(values.index(present) + steps) % len(values)] if present in values else values[0]
