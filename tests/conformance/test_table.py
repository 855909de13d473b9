"""The table of conformance: what is printed, and when a client holds."""

import msgspec
import pytest

from tests.conformance.table import VERBS, Outcome, printed, row_of


def report(**reasons: str) -> bytes:
    """A trial's report in which every verb held but those with a reason (a space is ``_``)."""
    outcomes = [Outcome(verb=verb, reason=reasons.get(verb.replace(" ", "_"), "")) for verb in VERBS]
    return b"\n".join(map(msgspec.json.encode, outcomes))


def test_a_client_holds_only_when_every_verb_was_tried_and_held() -> None:
    """A verb that failed, one that was not reached, or trouble beside them: each is a failure."""
    assert row_of("them", report()).holds
    assert not row_of("them", report(cancel="refused")).holds
    assert not row_of("them", b"\n".join(report().splitlines()[:-1])).holds
    assert not row_of("them", report(), trouble="not done after 150 s").holds
    assert not row_of("them", report() + b'\n{"verb":"","reason":"would not close"}').holds
    assert not row_of("them", b"").holds


def test_the_table_shows_every_verb_and_each_reason_once() -> None:
    """A row a client, a cell a verb; verbs that failed alike share a line under the table."""
    rows = [row_of("theirs", report(amend="no", cancel="no", orders_told="none")), row_of("another", report())]
    lines = printed(rows).splitlines()
    assert [cell.strip() for cell in lines[0].strip("|").split("|")] == ["client", *VERBS]
    assert [cell.strip() for cell in lines[2].strip("|").split("|")] == [
        "theirs", "ok", "FAILS", "FAILS", "ok", "ok", "FAILS", "ok", "ok",
    ]  # fmt: skip
    assert [cell.strip() for cell in lines[3].strip("|").split("|")] == ["another", *["ok"] * len(VERBS)]
    assert lines[4:] == ["theirs: amend, cancel: no", "theirs: orders told: none"]
    assert len({len(line) for line in lines[:4]}) == 1


def test_verbs_that_were_not_reached_say_why() -> None:
    """What ended the trial is the reason of the verbs after it, and is told where all had held before it."""
    reached = b"\n".join(report().splitlines()[:2])
    row = row_of("theirs", reached, trouble="not done after 150 s")
    assert [reason for reason in row.reasons.values() if reason] == ["not done after 150 s"] * (len(VERBS) - 2)
    assert printed([row_of("theirs", report(), trouble="would not close")]).endswith("afterwards: would not close")


def test_a_report_that_cannot_be_read_is_an_error() -> None:
    """Half a line is not taken for a verb that held."""
    with pytest.raises(msgspec.DecodeError):
        row_of("theirs", b'{"verb":"pla')
