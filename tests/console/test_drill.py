"""The fault drill as a program: its table, its exit codes, and that a verdict can fail."""

import io
from pathlib import Path

import pytest

from console import drill
from console.cli import main
from gateways.paper.fault_plan import SUMMARIES, Fault


def test_a_drilled_fault_is_a_row_that_holds(capsys):
    """The fault strikes, all that the venue filled is hedged once, and the exit code says so."""
    assert main(["drill", "--fault", "answer_lost", "--seed", "3"]) == 0
    heading, row, last = capsys.readouterr().out.splitlines()
    assert heading.split()[:2] == ["fault", "injected"]
    assert row.split()[:2] == ["answer_lost", "1"]
    assert row.endswith("holds")
    assert "-0.1     -0.1        0        0" in row
    assert last == "1 of 1 faults cost nothing"


def test_an_unknown_fault_is_bad_usage(capsys):
    """The names that there are stand in the sentence."""
    assert main(["drill", "--fault", "nonsense"]) == 2
    assert "answer_lost" in capsys.readouterr().err


def test_every_fault_has_a_scenario_and_a_summary():
    """``all`` drills each of them, and each of its rules strikes at a venue that there is."""
    assert drill.named("all") == list(Fault) == list(SUMMARIES)
    for fault in Fault:
        scenario = drill._scenario(fault)
        assert fault in [rule.fault for rule in scenario.rules]
        assert set(scenario.at) <= {"maker", "hedge", "binance"}


def test_every_fault_stands_in_its_document():
    """Whoever looks a fault up finds what the desk does about it."""
    text = Path("docs/faults.md").read_text(encoding="utf-8")
    assert [fault.value for fault in Fault if f"`{fault.value}`" not in text] == []


async def test_a_fault_that_does_not_strike_is_no_success(monkeypatch):
    """A drill in which nothing went wrong proves nothing: the row fails, and so does the run."""
    idle = drill.Scenario(rules=(drill.Rule(fault=Fault.REJECT_LOT, ticker="NOTHING"),))
    monkeypatch.setattr(drill, "_scenario", lambda _: idle)
    out = io.StringIO()
    assert await drill.run_drill([Fault.REJECT_LOT], 7, out) == 1
    assert "FAILS: the fault did not strike" in out.getvalue()


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (drill.Row(fault="answer_lost", injected=1), "holds"),
        (drill.Row(fault="answer_lost", problems=("sent more than once: abc",)), "FAILS: sent more than once: abc"),
    ],
)
def test_a_row_says_its_verdict(row, words):
    """Problems are spelled out."""
    assert drill.shown(row).endswith(words)
