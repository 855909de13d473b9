"""What is found against an order, gathered limit by limit, each as one sentence with the numbers. Pure."""

from collections.abc import Iterable
from decimal import Decimal

from oms.limits import Limit, Limits, Verdict
from oms.risk.facts import Facts, Key, Request
from oms.risk.verdict import Breach, Reason


class Findings:
    """Judges values of one request by its limits and keeps what breaks them, in the order found."""

    def __init__(self, request: Request, facts: Facts, limits: Limits) -> None:
        self.request = request
        self.facts = facts
        self.limits = limits
        self.breaches: list[Breach] = []

    def judge(self, limit: Limit | None, value: Decimal | int, reason: Reason, sentence: str, *, field: str) -> None:
        """Compare a value with a limit; in ``sentence``, {value} and {end} stand for the value and the broken end."""
        if limit is None:
            return
        verdict, value = limit.judge(value), Decimal(value)
        end = limit.hard if verdict is Verdict.REFUSE else limit.soft
        if verdict is not Verdict.PASS and end is not None:
            text = sentence.format(value=rounded(value, beside=end), end=plain(end))
            self.add(reason, text, verdict=verdict, field=field, value=value, end=end)

    def add(
        self, reason: Reason, text: str, *, verdict: Verdict, field: str,
        value: Decimal | None = None, end: Decimal | None = None,
    ) -> None:  # fmt: skip
        """Keep something found. PASS is nothing found."""
        if verdict is not Verdict.PASS:
            found = Breach(
                reason=reason, verdict=verdict, venue=self.request.venue, text=text, value=value, allowed=end,
                field=field,
            )  # fmt: skip
            self.breaches.append(found)

    def unpriced(self, keys: Iterable[Key], reason: Reason) -> None:
        """Refuse what cannot be compared with a limit in money, for want of a price."""
        names = ", ".join(sorted(f"{venue}:{ticker}" for venue, ticker in keys))
        text = f"there is no price of {names} to hold the limit {reason.value} with"
        self.add(Reason.NO_PRICE, text, verdict=Verdict.REFUSE, field="price")


def plain(value: Decimal) -> str:
    """A number without an exponent and without trailing zeros."""
    return f"{value.normalize():f}" if value else "0"


def rounded(value: Decimal, *, beside: Decimal) -> str:
    """A number to eight digits, to more where it would read like the one that it is compared with."""
    if not value.is_finite() or not value:
        return plain(value)
    short = round(value, 7 - value.adjusted())
    return plain(value if short == beside else short)
