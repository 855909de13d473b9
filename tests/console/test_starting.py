"""What a desk starts from: the command line over the profile, the profile over the defaults."""

import argparse
import inspect
import json
from decimal import Decimal
from pathlib import Path

import pytest

from console.cli import main
from console.config.reading import parse
from console.papers import SEED, VENUES, PaperSettings
from console.starting import DEFAULT_TIMERS, Start, Timers, UsageError, paper_settings
from oms.system import OMS

PAPER = """
[profiles.paper]
venues.okx.kind = "okx"
venues.bybit.kind = "bybit"
refresh = { orders_s = 10, positions_s = 20, pending_timeout_s = 3 }
dead_man_s = 60
arming.clock_skew_ms = 250
paper.seed = 4
"""


def options(**given: object) -> argparse.Namespace:
    return argparse.Namespace(**{**dict.fromkeys(("seed", "market", "ticker", "speed")), **given})


def profile(text: str):
    return parse(text, Path("c.toml")).profile


def test_a_profiles_times_reach_the_engine() -> None:
    """By the names that the engine has for them; without a profile they are its own defaults."""
    assert Timers.of(profile(PAPER)) == Timers(3, 10, 20, 60, 250)
    parameters = inspect.signature(OMS).parameters
    assert {name: parameters[name].default for name in Timers._fields} == DEFAULT_TIMERS._asdict()
    assert Timers.of(profile("")) == DEFAULT_TIMERS


def test_paper_venues_are_as_the_profile_says_and_the_command_line_over_it() -> None:
    """Venues, seed, recording."""
    said = profile(PAPER)
    assert paper_settings(options(), said) == PaperSettings(venues=("okx", "bybit"), seed=4)
    assert paper_settings(options(seed=9), said).seed == 9
    assert paper_settings(options()) == PaperSettings(venues=VENUES, seed=SEED)


def test_an_engine_of_real_accounts_polls_and_one_of_paper_sleeps_between_rehearsals() -> None:
    """Unless the profile says another readiness."""
    live = """profile = "live"
[profiles.live]
kind = "venues"
{}
[profiles.live.venues.binance]
kind = "binance"
environment = "testnet"
keys = "keyring:binance"
"""
    found = {
        text: Start({}, Path(), profile=profile(text)).readiness
        for text in (live.format(""), PAPER, "", live.format('readiness = "none"'), PAPER + 'readiness = "poll"')
    }
    assert list(found.values()) == ["poll", "rehearse", "rehearse", "none", "poll"]
    assert Start({}, Path()).readiness == "rehearse"


def test_a_recording_of_the_profile_is_replayed(tmp_path: Path) -> None:
    """Unless the command line names another one; one that is not there is told."""
    tape, other = tmp_path / "tape.csv", tmp_path / "other.csv"
    said = profile(f'[profiles.paper.paper]\nmarket = "{tape}"\nticker = "FXS"\nspeed = "2.5"')
    with pytest.raises(UsageError, match=r"the market file .*tape.csv is not there"):
        paper_settings(options(), said)
    tape.touch()
    other.touch()
    found = paper_settings(options(), said)
    assert (found.market, found.ticker, found.speed) == (tape, "FXS", Decimal("2.5"))
    found = paper_settings(options(market=str(other), ticker="BTC"), said)
    assert (found.market, found.ticker, found.speed) == (other, "BTC", Decimal(1))


def test_a_desk_runs_on_the_paper_venues_of_its_profile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Named by a file, with a variable over it."""
    path = tmp_path / "desk.toml"
    path.write_text(PAPER, encoding="utf-8")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv("HEDGEDESK_PAPER__SEED", "6")
    line = "buy 0.2 okx:ETH-USDT-SWAP @ opponent1 hedge bybit:ETHUSDT market"
    assert main(["exec", "--config", str(path), line]) == 0
    summary = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (summary["consistent"], [book["venue"] for book in summary["books"]]) == (True, ["bybit"])
