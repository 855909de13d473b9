"""Paper over live data: another venue's book and tape make the market, our orders and money stay on paper.

"The real venue" of these tests is a paper server of its own, asked by the public half of the real gateways.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Iterator
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from console.cli import main
from console.live_data import LiveDataError, live_server
from console.papers import PaperProcess, PaperSettings
from gateways.errors import VenueError
from gateways.paper.acts import Acts
from gateways.paper.kinds import KINDS
from gateways.paper.records import NewOrder
from gateways.paper.sockets import PaperServer, running
from gateways.standards import ZERO
from gateways.venue import Endpoints

D = Decimal
ETH = {"binance": "ETHUSDT", "bybit": "ETHUSDT", "hyperliquid": "ETH", "okx": "ETH-USDT-SWAP"}


async def until(fact: Callable[[], object], seconds: float = 10.0) -> None:
    async with asyncio.timeout(seconds):
        while not fact():
            await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def still(*kinds: str) -> AsyncIterator[PaperServer]:
    """A real venue whose market moves only when a test moves it."""
    server = PaperServer(kinds, seed=11)
    server._market = None
    async with running(server):
        yield server


@pytest.mark.parametrize("kind", sorted(KINDS))
async def test_the_market_is_the_other_venues(kind: str) -> None:
    """Its contracts, its depth; its trades fill what rests here, behind what was there before it. No key is sent."""
    ticker = ETH[kind]
    async with still(kind) as real, live_server(real.endpoints, bases=("ETH",), seed=12) as paper:
        there, here = real.venues[kind].exchange, paper.venues[kind].exchange
        assert list(here.contracts) == [ticker]
        assert msgspec.structs.replace(here.contracts[ticker], trading=True) == there.contracts[ticker]
        async with running(paper):
            await until(lambda: here.best(ticker)[0] and here.best(ticker) == there.best(ticker))
            bid = there.best(ticker)[0]
            assert bid is not None
            user = paper.venues[kind].credentials.key
            lot = here.contracts[ticker].lot_size * 100
            while not here.trades(ticker, 1):  # until its tape is heard as its book is
                Acts(there).aggress(ticker, lot, is_buy=True)
                await asyncio.sleep(0.05)
            order = here.submit(user, NewOrder(ticker=ticker, is_buy=True, quantity=lot, price=bid.price))
            Acts(there).aggress(ticker, bid.quantity, is_buy=False)
            await until(lambda: here.best(ticker)[0].quantity == lot)
            assert here.order(user, ticker, order_id=order.order_id).filled == ZERO
            lower = there.best(ticker)[0]
            Acts(there).aggress(ticker, lower.quantity, is_buy=False)
            await until(lambda: here.order(user, ticker, order_id=order.order_id).filled == lot)
            assert there.users == [real.venues[kind].credentials.key]
            assert not there.orders(there.users[0])


async def test_without_the_venues_stream_nothing_trades() -> None:
    """Its quotes are withdrawn and orders are refused until the stream is back, with a fresh book."""
    async with still("hyperliquid") as real, live_server(real.endpoints, bases=("ETH",)) as paper:
        here = paper.venues["hyperliquid"].exchange
        async with running(paper):
            await until(lambda: here.trades_now("ETH"))
            port = int(real.endpoints["hyperliquid"].rest.rpartition(":")[2])
            await real.close()
            await until(lambda: not here.trades_now("ETH"))
            assert here.best("ETH") == (None, None)
            again = PaperServer(["hyperliquid"], seed=11)
            again.venues["hyperliquid"]._port = port
            async with running(again):
                await until(lambda: here.trades_now("ETH"), 20.0)
                assert here.best("ETH")[0] is not None


async def test_a_venue_without_the_assets_says_so() -> None:
    """And one that is not there is told as such."""
    async with still("binance") as real:
        with pytest.raises(LiveDataError, match="trades none of XYZ against USDT"):
            async with live_server(real.endpoints, bases=("XYZ",)):
                pass
    with pytest.raises(VenueError):
        async with live_server({"binance": real.endpoints["binance"]}, bases=("ETH",)):
            pass


@pytest.fixture
def real() -> Iterator[dict[str, Endpoints]]:
    """Real venues, as far as the desk can tell, in a process of their own."""
    with PaperProcess(PaperSettings(venues=("binance", "hyperliquid"), seed=11)) as venues:
        yield venues.endpoints


def table(alias: str, kind: str, place: Endpoints) -> str:
    urls = {"ws": place.ws} if isinstance(place.ws, str) else {f"ws.{name}": url for name, url in place.ws.items()}
    lines = [f"{name} = {json.dumps(url)}" for name, url in {"rest": place.rest, **urls}.items()]
    head = [f"[profiles.shadow.venues.{alias}]", f'kind = "{kind}"', 'environment = "loopback"']
    return "\n".join([*head, *lines, ""])


def test_a_profile_trades_on_paper_over_live_data(
    real: dict[str, Endpoints], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The desk starts from the profile alone, under aliases of its own; its order is hedged, on paper."""
    for name in ("HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    config = tmp_path / "config.toml"
    tables = table("make", "hyperliquid", real["hyperliquid"]) + table("take", "binance", real["binance"])
    config.write_text(f'[profiles.shadow]\nkind = "paper-on-live"\npaper.bases = ["ETH"]\n{tables}', encoding="utf-8")
    line = "buy 0.02 make:ETH @ opponent1 hedge take:ETHUSDT"
    assert main(["exec", "--config", str(config), "--profile", "shadow", line]) == 0
    summary = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert summary["consistent"]
    assert {(row["venue"], D(row["at_venue"])) for row in summary["positions"]} == {
        ("make", D("0.02")),
        ("take", D("-0.02")),
    }


def test_paper_serves_live_data_from_a_file(real: dict[str, Endpoints], tmp_path: Path) -> None:
    """The line that ``hedgedesk paper`` prints will do: the keys in it are not used, those printed are others."""
    file = tmp_path / "live.json"
    file.write_bytes(msgspec.json.encode({"venues": real}))
    with PaperProcess(PaperSettings(live_data=file, bases=("ETH", "SOL"), seed=5)) as paper:
        assert set(paper.endpoints) == {"binance", "hyperliquid"}
        assert paper.endpoints["binance"].key != real["binance"].key
        assert paper.endpoints["binance"].rest != real["binance"].rest


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--live-data", "/nowhere.json"], "/nowhere.json names no venues"),
        (["--live-data", "/x", "--venues", "binance"], "no --venues, no --market beside it"),
    ],
)
def test_a_file_that_is_none_is_refused(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """In one sentence."""
    assert main(["paper", *words]) == 2
    assert said in capsys.readouterr().err
