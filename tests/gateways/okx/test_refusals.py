"""The table of the venue's codes: what each family means, and what it proves."""

import pytest

from gateways.errors import RateLimited, Rejected, Unknown
from gateways.okx import refusals
from gateways.standards import Reject, RejectReason


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("50113", RejectReason.CREDENTIALS),
        ("60024", RejectReason.CREDENTIALS),
        ("50102", RejectReason.CLOCK),
        ("50061", RejectReason.RATE_LIMIT),
        ("51028", RejectReason.HALTED),
        ("51000", RejectReason.BAD_REQUEST),
        ("51121", RejectReason.LOT),
        ("51120", RejectReason.MIN_NOTIONAL),
        ("51137", RejectReason.PRICE_BAND),
        ("51169", RejectReason.REDUCE_ONLY),
        ("51102", RejectReason.TOO_MANY_ORDERS),
        ("51603", RejectReason.UNKNOWN_ORDER),
        ("12345", RejectReason.OTHER),
    ],
)
def test_reasons(code: str, reason: RejectReason) -> None:
    """Each code has the reason that its text gives; one that is not known is OTHER."""
    assert refusals.reason_of(code) is reason


def test_no_code_has_two_reasons() -> None:
    """The table names each code once."""
    named = [code for codes in refusals._BY_REASON.values() for code in codes]
    assert len(named) == len(set(named)) == len(refusals.REASONS)


def test_codes_that_prove_nothing_have_no_reason() -> None:
    """What leaves the outcome open is not in the table of refusals, or an order would be taken for dead."""
    assert refusals.INDEFINITE.isdisjoint(refusals.REASONS)
    assert not any(refusals.is_definite(code) for code in refusals.INDEFINITE)


def test_statuses_that_prove_nothing() -> None:
    """A 5xx and a 408 leave the outcome open whatever the code says."""
    assert refusals.is_definite("51000", 400)
    assert not refusals.is_definite("51000", 503)
    assert not refusals.is_definite("51000", 408)


def test_errors_of_refusals() -> None:
    """Open outcomes are Unknown, rates RateLimited, the rest Rejected with the venue's code."""

    def reject(code: str) -> Reject:
        return Reject(
            venue="okx",
            code=code,
            text="no",
            reason=refusals.reason_of(code),
            definite=refusals.is_definite(code),
        )

    assert isinstance(refusals.error_of(reject("50004")), Unknown)
    assert isinstance(refusals.error_of(reject("50011")), RateLimited)
    error = refusals.error_of(reject("51008"))
    assert type(error) is Rejected
    assert (error.code, error.reason) == ("51008", RejectReason.MARGIN)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Parameter px error ", RejectReason.TICK),
        ("Parameter newPx  error", RejectReason.TICK),
        ("Parameter sz error", RejectReason.LOT),
        ("Parameter posSide error", RejectReason.BAD_REQUEST),
        ("", RejectReason.BAD_REQUEST),
    ],
)
def test_a_wrong_parameter_is_known_by_its_name(text: str, reason: RejectReason) -> None:
    """The code is the same for all; a price is off its tick, a size off its lot."""
    assert refusals.reason_of("51000", text) is reason
