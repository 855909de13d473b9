"""``verify``: a desk's journal against its venues; consistent only if it is, and if not, why."""

import io
import tempfile
from contextlib import asynccontextmanager
from pathlib import Path

from console.headless import run_headless
from console.verify import run_verify
from gateways.paper.sockets import PaperServer, running
from oms.archive import ARCHIVE, Archive
from oms.put_away import VARIABLE
from oms.segments import FIRST, read_recent

HEDGED = "buy 0.0137 hyperliquid:ETH @ opponent1 hedge binance:ETHUSDT market"
RESTS = "buy 0.02 binance:ETHUSDT @ 2650 post hedge hyperliquid:ETH"


async def played(lines):
    for line in lines:
        yield line


@asynccontextmanager
async def traded(*lines):
    """Venues on which a desk has traded and ended, and the folder of its journal."""
    async with running(PaperServer(["binance", "hyperliquid"], seed=7)) as server:
        with tempfile.TemporaryDirectory() as folder:
            out = io.StringIO()
            assert await run_headless(server.endpoints, played([*lines, "quit"]), out, folder=Path(folder)) == 0
            yield server, Path(folder)


async def verified(server, folder, archive=None):
    out = io.StringIO()
    code = await run_verify(server.endpoints, lambda: read_recent(folder), out, archive=archive)
    return code, out.getvalue().splitlines()


def cut_before(folder, kind, contains=""):
    """Leave of the journal what stood in it before the first record of a kind: what a kill leaves."""
    path = folder / FIRST
    kept = []
    for line in path.read_text().splitlines(keepends=True):
        if f'"kind":"{kind}"' in line and contains in line:
            break
        kept.append(line)
    path.write_text("".join(kept))
    return path.read_bytes()


async def test_a_desk_that_ended_well_is_consistent():
    """Every book is printed as its sum, and said to be the venues' own; the journal is not touched."""
    async with traded(HEDGED, "wait idle 10s") as (server, folder):
        before = (folder / FIRST).read_bytes()
        code, said = await verified(server, folder)
        assert (folder / FIRST).read_bytes() == before
    assert code == 0
    assert said[0].startswith(
        "binance:ETHUSDT  target -0.0137 = hedged -0.013 + in flight 0 + balance -0.0007 + forfeited 0"
    )
    assert said[1] == "  as the venues' own fills say"
    assert "binance:ETHUSDT  position -0.013, -0.013 by fills of this journal's orders" in said
    assert said[-1] == "consistent; 1 books, 2 orders"


async def test_orders_that_were_put_away_are_proven_with_the_others(monkeypatch):
    """The journal's last segment leaves them out; with the archive the proof is over all, without it, it says so."""
    monkeypatch.setenv(VARIABLE, "0")
    async with traded(HEDGED, "wait idle 10s", HEDGED, "wait idle 10s", "sleep 2s") as (server, folder):
        with Archive(folder / ARCHIVE) as archive:
            assert len(list(archive.all(1 << 60))) >= 3
            code, said = await verified(server, folder, archive)
            assert (code, said[-1]) == (0, "consistent; 1 books, 4 orders")
        code, said = await verified(server, folder)
        assert code == 1
        assert any("this journal does not have it" in line for line in said), said


async def test_an_intent_whose_order_filled_unheard_is_told_with_the_venues_word():
    """Killed after the bytes left: the journal has the intent, the venue the fill."""
    async with traded(HEDGED, "wait idle 10s") as (server, folder):
        hedge = '"kind":"Intended"'
        line = next(line for line in (folder / FIRST).read_text().splitlines() if hedge in line)
        child = line.split('"child":"')[1][:32]
        before = cut_before(folder, "Evidence", child)
        code, said = await verified(server, folder)
        assert (folder / FIRST).read_bytes() == before
    assert code == 1
    (difference,) = [line for line in said if line.startswith("difference")]
    assert f"hedge {child[:8]} filled -0.013 at the venue, 0 in the journal" in difference
    assert "nothing was heard of it after it was meant; the venue has it: FILLED" in difference
    assert "  by the venues' own fills: target -0.0137, hedged -0.013" in said
    assert said[-1].startswith("not consistent: 1 difference")


async def test_a_hedge_of_this_desk_that_the_journal_lacks_is_a_difference():
    """Records are lost from before the intent on: the venue's fill bears an id that only a desk of ours writes."""
    async with traded(HEDGED, "wait idle 10s") as (server, folder):
        cut_before(folder, "Intended")
        code, said = await verified(server, folder)
    assert code == 1
    assert any("filled: its id is a desk's, this journal does not have it" in line for line in said), said


async def test_a_maker_that_filled_while_the_desk_was_down_is_told():
    """The journal's last word on the maker is older than its fill."""
    async with traded(HEDGED, "wait idle 10s") as (server, folder):
        cut_before(folder, "Evidence")
        code, said = await verified(server, folder)
    assert code == 1
    assert any("maker" in line and "filled 0.0137 at the venue, 0 in the journal" in line for line in said), said


async def test_makers_that_rest_are_no_difference():
    """A desk that was killed with a maker on the book: nothing of it has filled, the books are right."""
    async with traded(RESTS) as (server, folder):
        cut_before(folder, "Evidence", '"CANCEL')
        code, said = await verified(server, folder)
    assert code == 0, said
    assert said[-1] == "consistent; 1 books, 1 orders, 1 of them open by the journal"
