"""``journal show`` and ``export``: what a desk did and why, from its journal alone; bad words in one sentence."""

import csv
import io
import json
from decimal import Decimal
from pathlib import Path

import pytest

from console.cli import main
from console.headless import run_headless
from gateways.paper.sockets import PaperServer, running
from oms.records import Record
from oms.segments import FIRST, read_all

D = Decimal
HEDGED = "buy 0.0137 hyperliquid:ETH @ opponent1 hedge binance:ETHUSDT market"
SOLD = "sell 0.021 binance:ETHUSDT @ opponent1 hedge hyperliquid:ETH hedge x0.02 hyperliquid:BTC"


async def lines():
    for line in (HEDGED, "wait idle 10s", SOLD, "wait idle 10s", "quit"):
        yield line


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    """The folder of the journal of a desk that hedged two makers on three books."""
    async with running(PaperServer(["binance", "hyperliquid"], seed=7)) as server:
        assert await run_headless(server.endpoints, lines(), io.StringIO(), folder=tmp_path) == 0
    return tmp_path


def kinds(folder: Path, kind: str) -> list[Record]:
    return [record for record in read_all(folder) if record.kind == kind]


def exported(capsys, *arguments: str) -> list[dict]:
    assert main(["journal", "export", *arguments]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


async def test_every_fill_is_exported_with_its_answers(folder, capsys):
    """A row for each answer; together they are what the maker's fill asked for, leg by leg."""
    rows = exported(capsys, "--journal", str(folder))
    assert {(row["ticker"], row["answered_by"], row["quantity"]) for row in rows} == {
        ("ETHUSDT", "hedge", "-0.013"), ("ETHUSDT", "waiting", "-0.0007"), ("ETH", "hedge", "0.021"),
        ("BTC", "hedge", "0.00042"),
    }  # fmt: skip
    intents = {record.data["child"]: record for record in kinds(folder, "Intended")}
    for row in rows:
        if row["answered_by"] == "hedge":
            assert row["record"] == intents[row["hedge"]].n
            assert row["hedge_status"] == "FILLED"
            assert (row["fill_record"] or 0) < row["record"]


async def test_the_first_hedge_of_a_book_is_decided_on_the_fill_itself(folder, capsys):
    """Nothing else had to happen between the fill and its hedge: the cause is the fill's own record."""
    rows = exported(capsys, "--journal", str(folder))
    hedged = [row for row in rows if row["answered_by"] == "hedge"]
    assert [row["cause"] for row in hedged] == [row["fill_record"] for row in hedged]


async def test_csv_has_the_rows_of_jsonl(folder, capsys):
    """The same rows, by the same names, numbers written out."""
    rows = exported(capsys, "--journal", str(folder / FIRST))
    assert main(["journal", "export", "--format", "csv", "--journal", str(folder)]) == 0
    table = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert table == [{name: "" if value is None else str(value) for name, value in row.items()} for row in rows]


async def test_show_goes_from_a_maker_to_its_hedge_and_back(folder, capsys):
    """By the first digits of an id: the maker's fills with the hedges, the hedge with the fills."""
    intent = kinds(folder, "Intended")[0]
    hedge, maker = intent.data["child"], intent.data["parts"][0]["maker"]
    assert main(["journal", "show", "--journal", str(folder), "--maker", maker[:6]]) == 0
    shown = capsys.readouterr().out
    assert f"maker {maker}" in shown
    assert f"leg 1  -0.013  hedge {hedge}  FILLED -0.013" in shown
    assert "leg 1  -0.0007  waits" in shown
    assert shown.count("\nmaker ") == 0, "one maker alone"
    assert main(["journal", "show", "--journal", str(folder), "--hedge", hedge[:8].upper()]) == 0
    shown = capsys.readouterr().out
    assert f"hedge {hedge}" in shown
    assert f"-0.013  maker {maker} leg 1  fill of record {intent.cause}" in shown


async def test_show_tells_the_acts_beside(folder, capsys):
    """Without a choice: every maker, every hedge, and when sessions began."""
    assert main(["journal", "show", "--journal", str(folder)]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert sum(line.startswith("maker ") for line in shown) == 2
    assert sum(line.startswith("hedge ") for line in shown) == 3
    assert sum(line.startswith("Session ") for line in shown) == 1


async def test_an_id_that_is_not_there_is_bad_usage(folder, capsys):
    """Named, in one sentence."""
    assert main(["journal", "show", "--journal", str(folder), "--maker", "zz"]) == 2
    assert "no maker of this journal has an id that begins with 'zz'" in capsys.readouterr().err


async def test_a_damaged_journal_is_one_sentence(folder, capsys):
    """A byte that changed on disk: nothing is told of it but where."""
    path = folder / FIRST
    path.write_bytes(path.read_bytes().replace(b'"0.0137"', b'"0.0138"', 1))
    assert main(["journal", "export", "--journal", str(folder)]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert "journal.jsonl line" in said.err
    assert said.err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["journal"], "required: act"),
        (["journal", "dump"], "invalid choice: 'dump'"),
        (["journal", "show"], "give --venues FILE or --journal FILE"),
        (["journal", "show", "--journal", "/a", "--venues", "/b"], "give --venues FILE or --journal FILE"),
        (["journal", "show", "--journal", "/nowhere.jsonl"], "there is no journal /nowhere.jsonl"),
        (["journal", "show", "--venues", "/nowhere.json"], "/nowhere.json cannot be read"),
        (["journal", "show", "--journal", "/", "--format", "csv"], "--format goes with export"),
        (["journal", "export", "--format", "xml", "--journal", "/a"], "invalid choice: 'xml'"),
        (["verify"], "verify needs --venues FILE"),
        (["verify", "--venues", "/nowhere.json"], "/nowhere.json cannot be read"),
        (["verify", "--seed", "3"], "unrecognized arguments: --seed"),
    ],
)
def test_bad_usage_is_one_sentence(arguments, words, capsys):
    """Exit code 2, nothing on stdout."""
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert words in said.err
    assert said.err.count("\n") == 1


def test_venues_without_a_journal_are_bad_input(tmp_path, monkeypatch, capsys):
    """Nobody has traded there: there is nothing to prove."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    file = tmp_path / "venues.json"
    file.write_text('{"venues":{"binance":{"rest":"http://127.0.0.1:9","ws":"ws://127.0.0.1:9","key":"k"}}}')
    for arguments in (["verify"], ["journal", "show"]):
        assert main([*arguments, "--venues", str(file)]) == 2
        assert "no desk has traded on these venues" in capsys.readouterr().err


def test_a_kill_point_that_is_none_is_bad_usage(monkeypatch, capsys):
    """The drill's switch is refused by name, before anything is started."""
    monkeypatch.setenv("HEDGEDESK_KILL", "soon")
    assert main(["exec", "verify", "--seed", "3"]) == 2
    assert "HEDGEDESK_KILL=soon is no kill point" in capsys.readouterr().err
