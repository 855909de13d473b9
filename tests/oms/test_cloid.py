"""Client order ids: they say what an order is, and nobody else's says it."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oms.cloid import SEQUENCE_LIMIT, Cloid, CloidKind, CloidSource, make, parse

SESSION_MS = 1_790_000_000_123
KNOWN = "6393db279420651200a701a0c4506c7b"

kinds = st.sampled_from(CloidKind)
desks = st.integers(0, 2**16 - 1)
sessions = st.integers(0, 2**48 - 1)
sequences = st.integers(0, SEQUENCE_LIMIT - 1)


@given(desks, kinds, sessions, sequences)
def test_what_is_made_reads_back(desk, kind, session_ms, sequence):
    """An id reads back to exactly what it was made of, in either case and with the prefix of Hyperliquid."""
    text = make(desk, kind, session_ms, sequence)
    assert len(text) == 32
    assert parse(text) == Cloid(text, desk, kind, session_ms, sequence)
    assert parse(f"0x{text}") == parse(text.upper()) == parse(text)


def test_known_answer():
    """The layout is fixed: ids of running desks stay readable."""
    assert make(0x00A7, CloidKind.HEDGE, SESSION_MS, 41) == KNOWN
    assert parse(KNOWN) == Cloid(KNOWN, 0x00A7, CloidKind.HEDGE, SESSION_MS, 41)


def test_every_wrong_digit_is_noticed():
    """Changing any one digit of an id to any other makes it foreign (the check is linear, so one id stands for all)."""
    text = make(7, CloidKind.MAKER, SESSION_MS, 12_345)
    for place, digit in enumerate(text):
        for other in set("0123456789abcdef") - {digit}:
            assert parse(text[:place] + other + text[place + 1 :]) is None


@given(st.text(alphabet="0123456789abcdef", min_size=32, max_size=32))
def test_foreign_hex_is_not_ours(text):
    """32 hex characters that we did not make are not ours."""
    parsed = parse(text)
    assert parsed is None or make(parsed.desk, parsed.kind, parsed.session_ms, parsed.sequence) == text


@pytest.mark.parametrize(
    "text", [None, "", "0x", "web_1Ab", "autoclose-1723161256302", "g" * 32, "1" * 31, "\uff11" * 32]
)
def test_other_texts_are_not_ours(text):
    """What is not 32 hex characters is not ours."""
    assert parse(text) is None


def test_short_prefixes_name_orders():
    """Any 50,000 consecutive orders of a session differ in their first four digits, whatever their kinds."""
    kinds_in_turn = list(CloidKind)
    for session_ms in (SESSION_MS, SESSION_MS + 1):
        prefixes = {make(3, kinds_in_turn[n % 5], session_ms, n)[:4] for n in range(50_000)}
        assert len(prefixes) == 50_000


def test_consecutive_orders_look_different():
    """Neighbours differ in their first digit."""
    texts = [make(3, CloidKind.MAKER, SESSION_MS, n) for n in range(1_000)]
    assert all(one[0] != other[0] for one, other in itertools.pairwise(texts))


def test_the_sequence_overflows_loudly():
    """Beyond 32 bits there is an error, never a repetition."""
    make(1, CloidKind.MAKER, SESSION_MS, SEQUENCE_LIMIT - 1)
    with pytest.raises(OverflowError, match="does not fit 32 bits"):
        make(1, CloidKind.MAKER, SESSION_MS, SEQUENCE_LIMIT)


@pytest.mark.parametrize(("desk", "session_ms"), [(-1, SESSION_MS), (2**16, SESSION_MS), (1, -1), (1, 2**48)])
def test_a_desk_or_session_that_does_not_fit_is_refused(desk, session_ms):
    """A desk or a session out of range is refused when the source is made."""
    with pytest.raises(ValueError, match="is not"):
        CloidSource(desk, session_ms)


def test_a_source_counts_over_all_kinds():
    """A source gives every order its own number, and two sessions of a desk never share an id."""
    source, later = CloidSource(9, SESSION_MS), CloidSource(9, SESSION_MS + 1)
    ids = [parse(source.next(kind)) for kind in [*CloidKind, *CloidKind]]
    assert [one.sequence for one in ids] == list(range(10))
    assert [one.kind for one in ids] == [*CloidKind, *CloidKind]
    assert not {one.text for one in ids} & {later.next(kind) for kind in CloidKind}
