"""What is told of a journal whose orders were put away before its records begin."""

import asyncio
import io
import json
from decimal import Decimal

from console.folders import journal_records
from console.journal import Choice, export, show
from oms.journal import Journal
from tests.oms.stub_venue import at_once, desk, virtual
from tests.oms.test_put_away import ALL, filled_and_hedged, hedge_of, put_away

D = Decimal


def told_of(path):
    """Makers, what answered them, and how much, as exported."""
    out = io.StringIO()
    show(journal_records(path), Choice(), out)
    out = io.StringIO()
    export(journal_records(path), Choice(), out, "jsonl")
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_a_later_segment_alone_tells_of_the_orders_that_it_knows(tmp_path):
    """I15: late fills of orders put away are passed over, the archive is not read; others are told as they were."""

    @virtual
    async def story():
        journal = at_once(Journal(tmp_path / "journal.jsonl", asyncio.get_running_loop()))
        async with desk(journal=journal, kept=ALL) as made:
            makers = await filled_and_hedged(made)
            hedge = hedge_of(made, makers[1])
            await put_away(made)
            known = await made.maker("0.101", "100", legs={"exc": "b", "ticker": "X", "ratio": "0.5"})
            made.a.trade(known, "0.101")
            await made.oms.wait_idle(10.0)
            made.b.trade(hedge, "-0.05")
            await made.oms.wait_idle(10.0)
        rows = told_of(tmp_path / "journal.0001.jsonl")
        assert {row["maker"] for row in rows} == {known}
        answered = {(row["answered_by"], row["quantity"]) for row in rows}
        assert ("hedge", "-0.050") in answered
        assert "netted" not in {by for by, _ in answered}
        assert sum(D(quantity) for _, quantity in answered) == D("-0.0505")

    story()


def test_a_hedge_order_for_one_put_away_and_another_is_told(tmp_path):
    """One hedge order answers both: of the maker that is not known here its id is told, and no more."""

    @virtual
    async def story():
        journal = at_once(Journal(tmp_path / "journal.jsonl", asyncio.get_running_loop()))
        async with desk(journal=journal, kept=ALL) as made:
            makers = await filled_and_hedged(made)
            await put_away(made)
            known = await made.maker("0.101", "100", legs={"exc": "b", "ticker": "X", "ratio": "0.5"})
            made.a.trade(known, "0.101")
            await made.oms.wait_idle(10.0)
            made.a.trade(makers[0], "0.2")
            await made.oms.wait_idle(10.0)
        rows = told_of(tmp_path / "journal.0001.jsonl")
        unknown = [row for row in rows if row["maker"] == makers[0]]
        assert unknown
        assert all(row["maker_venue"] == "" and row["ratio"] is None for row in unknown)
        assert sum(D(row["quantity"]) for row in rows if row["maker"] == known) == D("-0.0505")

    story()
