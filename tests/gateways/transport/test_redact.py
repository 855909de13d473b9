"""Secrets are cut from what is shown."""

from hypothesis import given
from hypothesis import strategies as st

from gateways.transport.redact import LOG_LIMIT, Redactor


@given(before=st.text(max_size=50), after=st.text(max_size=5000))
def test_a_named_secret_never_shows(before: str, after: str) -> None:
    """Wherever a literal secret stands, no part of it is left, also where the text is shortened."""
    secret = "s3cr3t-0123456789"
    assert secret not in Redactor([secret]).cut(f"{before}{secret}{after}{secret}")


def test_spelt_out_secrets() -> None:
    """Query and JSON spellings are cut by name, an object signature (Hyperliquid's r, s, v) included."""
    cut = Redactor().cut
    assert cut("a=1&signature=abc&b=2") == "a=1&signature=***&b=2"
    assert cut('{"params":{"apiKey":"k","signature":"s"}}') == '{"params":{"apiKey":"***","signature":"***"}}'
    assert cut('{"signature":{"r":"0x1","s":"0x2","v":27},"nonce":1}') == '{"signature":"***","nonce":1}'


def test_long_text_is_shortened() -> None:
    """A log line is bounded."""
    assert len(Redactor().cut("x" * 100_000)) <= LOG_LIMIT + 3


def test_a_forgotten_secret_shows_again() -> None:
    """A listen key that is no longer valid need not be cut."""
    redactor = Redactor(["0123456789"])
    redactor.forget("0123456789")
    assert redactor.cut("0123456789") == "0123456789"
