"""``hedgedesk check`` looks at all that a desk needs, tells each thing in a line, and trades nothing."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.check import Finding, Verdict, check
from console.cli import main
from console.config.model import Profile
from console.config.reading import parse
from gateways.permissions import Permissions
from gateways.venue import Endpoints
from tests.console.profiles import Venues, running

EVERY = ("binance", "bybit", "hyperliquid", "okx")


@pytest.fixture(scope="module")
def venues() -> Iterator[Venues]:
    with running(*EVERY) as there:
        yield there


def checked(text: str, environment: dict[str, str], path: Path = Path("config.toml")) -> dict[str, list[Finding]]:
    """The findings of a configuration by what they are about."""
    loaded = parse(text, path, environment=environment, found=path.exists())
    found: dict[str, list[Finding]] = {}
    for finding in asyncio.run(check(loaded, environment)):
        found.setdefault(finding.about, []).append(finding)
    return found


def verdicts(findings: list[Finding]) -> list[str]:
    return [finding.verdict.value for finding in findings]


def test_every_kind_of_venue_is_reached_and_its_keys_are_proven(venues: Venues) -> None:
    """Reached, on time, allowed to trade; what Hyperliquid's own key may do is warned of."""
    keys = {alias: f"env:HEDGEDESK_KEYS_{alias.upper()}" for alias in EVERY}
    environment = {name: value for alias in EVERY for name, value in venues.variables(alias).items()}
    found = checked(venues.profile(keys), environment)
    for about in ("keys", "reach", "clock"):
        assert verdicts(found[about]) == ["ok"] * len(EVERY)
    allowed = {finding.text.partition(":")[0] for finding in found["permissions"] if finding.verdict is Verdict.OK}
    assert allowed == set(EVERY)
    warned = [finding.text for finding in found["permissions"] if finding.verdict is Verdict.WARN]
    assert any(text.startswith("hyperliquid: this is the account's own key") for text in warned)
    lines = "\n".join(str(finding) for findings in found.values() for finding in findings)
    assert not [secret for secret in venues.secrets() if secret in lines]


@pytest.mark.parametrize("alias", EVERY)
def test_keys_that_the_venue_does_not_take_are_told(alias: str, venues: Venues) -> None:
    """The venue's own words, without the key."""
    environment = venues.variables(alias)
    name = f"HEDGEDESK_KEYS_{alias.upper()}_SECRET"
    environment[name] = "0x" + "7c" * 32 if alias == "hyperliquid" else "wrong-secret-wrong-secret"
    found = checked(venues.profile({alias: f"env:HEDGEDESK_KEYS_{alias.upper()}"}), environment)
    assert verdicts(found["permissions"]) == ["no"]
    assert environment[name] not in found["permissions"][0].text


def test_keys_that_are_missing_are_told_and_nobody_is_asked(venues: Venues) -> None:
    """With what to do."""
    found = checked(venues.profile({"binance": "env:HEDGEDESK_KEYS_BINANCE"}), {})
    assert found["keys"] == [
        Finding("keys", Verdict.NO, "binance: the environment has no HEDGEDESK_KEYS_BINANCE_KEY and no "
                "HEDGEDESK_KEYS_BINANCE_SECRET")
    ]  # fmt: skip
    assert "reach" not in found


def test_a_venue_that_nobody_serves_is_not_reached() -> None:
    """One line, and an end."""
    nobody = Venues(
        {"okx": {"rest": "http://127.0.0.1:9", "ws": {"public": "ws://127.0.0.1:9", "private": "ws://127.0.0.1:9"}}}
    )
    found = checked(nobody.profile({"okx": "env:MY"}), {"MY_KEY": "k", "MY_SECRET": "s"})
    assert verdicts(found["reach"]) == ["no"]


@pytest.mark.parametrize(
    ("alias", "ws", "said"),
    [
        ("okx", {"public": "ws://127.0.0.1:9"}, "okx: the endpoints name no websocket address for private"),
        ("hyperliquid", {"public": "ws://127.0.0.1:9"}, "hyperliquid: Hyperliquid has one websocket address"),
    ],
)
def test_addresses_that_the_gateway_cannot_use_are_told(alias: str, ws: dict[str, str], said: str) -> None:
    """By the gateway's own words, with nobody asked."""
    place = Venues({alias: {"rest": "http://127.0.0.1:9", "ws": ws}})
    found = checked(place.profile({alias: "env:MY"}), {"MY_KEY": "k", "MY_SECRET": "s"})
    assert [finding.text for finding in found["reach"]] == [said]


def test_a_clock_that_is_off_is_told(venues: Venues, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the limit that it breaks."""
    import gateways.okx.session as okx  # noqa: PLC0415  # only its clock is moved

    async def hour_ahead(_: object) -> int:
        return time.time_ns() // 1_000_000 + 3_600_000

    monkeypatch.setattr(okx.Session, "_server_ms", hour_ahead)
    environment = venues.variables("okx")
    found = checked(venues.profile({"okx": "env:HEDGEDESK_KEYS_OKX"}), environment)
    (clock,) = found["clock"]
    assert clock.verdict is Verdict.NO
    assert "over clock_skew_ms = 1000" in clock.text


REMOTE = """profile = "live"
[profiles.live]
kind = "venues"
venues.binance = { kind = "binance", environment = "mainnet", keys = "env:MY" }
"""


async def test_a_real_venue_is_asked_with_the_keys_of_a_profile_that_trades_there() -> None:
    """Where it is, and as whom; what it answers is a line."""
    asked = []

    async def ask(alias: str, kind: str, place: Endpoints, profile: Profile) -> list[Finding]:
        asked.append((alias, kind, place.rest, place.key, profile.kind))
        return [Finding("reach", Verdict.OK, "answered")]

    loaded = parse(REMOTE, Path("config.toml"), environment={}, found=False)
    findings = await check(loaded, {"MY_KEY": "k", "MY_SECRET": "s"}, ask=ask)
    assert asked == [("binance", "binance", "https://fapi.binance.com", "k", "venues")]
    assert [finding.about for finding in findings if finding.verdict is Verdict.OK][:3] == ["config", "keys", "reach"]


async def test_a_profile_without_accounts_there_asks_no_real_venue() -> None:
    """Paper on live data takes what is public."""

    async def ask(alias: str, *_: object) -> list[Finding]:
        raise AssertionError(alias)

    text = REMOTE.replace(', keys = "env:MY"', "").replace('"venues"', '"paper-on-live"')
    found = await check(parse(text, Path("config.toml"), environment={}, found=False), {}, ask=ask)
    assert any("no account there" in finding.text for finding in found)


def test_the_limits_that_hold_are_told_for_each_venue_and_contract() -> None:
    """Sums, each contract, and those with values of their own."""
    text = f"""{REMOTE}
    limits.desk.daily_loss = 500
    limits.each.order_notional = {{ soft = 100, hard = 1000 }}
    limits.each.duplicate_s = {{ hard = 1, soft = 10 }}
    limits.base.BTC.net_quantity = 2
    limits.venue.binance.instrument.BTCUSDT.order_quantity = "0.5"
    """
    told = [finding.text for finding in checked(text, {})["limits"]]
    each = "order_notional refused above 1000 and asked above 100, duplicate_s refused within 1 and asked within 10"
    assert told == [
        "a maker that could not be hedged now is refused",
        "all venues: daily_loss refused above 500",
        "each base asset: none",
        "net BTC: net_quantity refused above 2",
        "binance in all: none",
        f"binance, each contract: {each}",
        f"binance BTCUSDT: order_quantity refused above 0.5, {each}",
    ]


def test_a_file_that_others_can_change_is_warned_of(tmp_path: Path) -> None:
    """It holds the limits."""
    path = tmp_path / "config.toml"
    path.write_text("", encoding="utf-8")
    path.chmod(0o666)
    found = checked("", {}, path)["config"]
    assert verdicts(found) == ["ok", "warn"]
    path.chmod(0o644)
    assert verdicts(checked("", {}, path)["config"]) == ["ok"]


@pytest.mark.parametrize(
    ("allowed", "told"),
    [
        (Permissions(trade=True, withdraw=True, bound=True), ["ok", "warn"]),
        (Permissions(trade=True, withdraw=False, bound=False), ["ok", "warn"]),
        (Permissions(trade=False), ["no"]),
        (Permissions(), ["ok"]),
    ],
)
def test_what_a_key_may_do_is_judged(
    allowed: Permissions, told: list[str], venues: Venues, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Withdrawal and keys that work from anywhere are warned of; a key that may not trade is none."""

    async def permissions(_: object) -> Permissions:
        return allowed

    monkeypatch.setattr("gateways.bybit.permissions.permissions", permissions)
    found = checked(venues.profile({"bybit": "env:HEDGEDESK_KEYS_BYBIT"}), venues.variables("bybit"))
    assert verdicts(found["permissions"]) == told


# ---------------------------------------------------------------- the commands


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user without any configuration; where it would be."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "hedgedesk" / "config.toml"


def test_the_commands_of_a_user_without_a_configuration(alone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Defaults are shown and checked, the template and the schema printed."""
    assert main(["config", "path"]) == 0
    assert capsys.readouterr().out.strip() == str(alone)
    assert main(["config", "show"]) == 0
    assert '"paper"' in capsys.readouterr().out
    assert main(["check"]) == 0
    assert "the defaults hold" in capsys.readouterr().out
    assert main(["init", "--template"]) == 0
    alone.parent.mkdir()
    alone.write_text(capsys.readouterr().out, encoding="utf-8")
    assert main(["config", "schema"]) == 0
    capsys.readouterr()
    assert main(["check"]) == 0
    assert f"{alone} (profile paper" in capsys.readouterr().out
    assert main(["init"]) == 2
    assert "is there already: --force" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command", [["check"], ["config", "show"], ["run", "--headless"], ["exec", "quit"], ["verify"], ["keys", "list"]]
)
def test_a_wrong_configuration_starts_nothing(
    command: list[str], alone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, and the sentence, whatever the command."""
    alone.parent.mkdir()
    alone.write_text("[profiles.paper]\ntheem = 1\n", encoding="utf-8")
    assert main(command) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == f"hedgedesk: {alone}:2: profiles.paper.theem: is no setting: did you mean theme?\n"


def test_check_lists_every_problem(alone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line each, where other commands say the first."""
    alone.parent.mkdir()
    alone.write_text("[profiles.paper]\ntheem = 1\ndesk = 5\n", encoding="utf-8")
    assert main(["check"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 2


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("--profile live", "the profile live: binance: the environment has no MY_KEY"),
        ("--profile shadow --seed 3", "it cannot go with a profile whose market is that of real venues"),
        ("--profile liv", "--profile: there is no profile 'liv': did you mean live?"),
        ("--profile live --seed 3", "--seed is for the desk's own paper venues"),
        (
            "--profile live --venues /x",
            "--venues FILE goes with a paper profile: the profile live has venues of its own",
        ),
    ],
)
def test_a_profile_that_cannot_start_says_why(
    more: str, said: str, alone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before anything is connected."""
    alone.parent.mkdir()
    shadow = (
        '[profiles.shadow]\nkind = "paper-on-live"\nvenues.binance = { kind = "binance", environment = "mainnet" }\n'
    )
    alone.write_text(REMOTE.removeprefix('profile = "live"') + shadow, encoding="utf-8")
    assert main(["run", "--headless", *more.split()]) == 2
    assert said in capsys.readouterr().err


def test_a_desk_on_paper_is_refused_a_real_venue(
    alone: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before a connection is made: it has no arming."""
    place = '{"rest": "https://fapi.binance.com", "ws": "wss://fstream.binance.com", "key": "k", "secret": "s"}'
    venues = tmp_path / "venues.json"
    venues.write_text(f'{{"venues": {{"binance": {place}}}}}', encoding="utf-8")
    assert main(["run", "--headless", "--venues", str(venues)]) == 1
    assert "fapi.binance.com is not on this machine: only a live desk" in capsys.readouterr().err
