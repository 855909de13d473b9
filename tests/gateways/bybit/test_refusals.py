"""What a return code of the venue means for an order, where its words are needed to tell."""

import pytest

from gateways.bybit.refusals import reason_of
from gateways.standards import RejectReason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Qty invalid", RejectReason.LOT),
        ("The number of contracts exceeds maximum limit allowed: too large, order_qty:2 > max_qty:1", RejectReason.LOT),
        ("Price invalid", RejectReason.TICK),
        ("params error: symbol invalid NOTHING", RejectReason.BAD_REQUEST),
        ("", RejectReason.BAD_REQUEST),
    ],
)
def test_a_parameter_error_is_told_apart_by_its_words(text: str, reason: RejectReason) -> None:
    """The contract's rules are worth asking for anew, a wrong request is not."""
    assert reason_of(10001, text) is reason


def test_the_words_of_other_codes_change_nothing() -> None:
    """A margin refusal that speaks of a quantity is one of margin."""
    assert reason_of(110007, "qty invalid") is RejectReason.MARGIN
    assert reason_of(110999, "qty invalid") is RejectReason.OTHER
