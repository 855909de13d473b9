"""A configuration is read as it is meant, or refused in a sentence that says where, what, and what is allowed."""

from decimal import Decimal
from pathlib import Path

import pytest

from console.config.limits import BaseTable, DeskTable, InstrumentTable, VenueTable
from console.config.messages import ConfigError, is_secret_name
from console.config.model import Profile
from console.config.reading import Loaded, load, parse
from console.config.table import Table
from console.config.wizard import KINDS
from gateways.router import KINDS as GATEWAYS
from oms.limits import BaseLimits, DeskLimits, InstrumentLimits, Limit, VenueLimits, Window

D = Decimal
PATH = Path("/etc/desk.toml")

LIVE = """profile = "live"

[profiles.live]
kind = "venues"
venues.binance = { kind = "binance", environment = "testnet", keys = "keyring:main" }
"""
"""What stands under it begins on line 6."""


def loaded(text: str, **environment: str) -> Loaded:
    return parse(text, PATH, environment=environment)


def problems(text: str, **environment: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse(text, PATH, environment=environment)
    return caught.value.problems


# --------------------------------------------------------------------- wrong


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ('theem = "dark"', "/etc/desk.toml:6: profiles.live.theem: is no setting: did you mean theme?"),
        ('theme = "drak"', "/etc/desk.toml:6: profiles.live.theme = 'drak': is no theme: did you mean dark?"),
        ("dead_man_s = 2", "/etc/desk.toml:6: profiles.live.dead_man_s = 2: must be at least 5"),
        ("dead_man_s = 2.5", "/etc/desk.toml:6: profiles.live.dead_man_s = 2.5: must be a whole number like 30"),
        ("dead_man_s = true", "/etc/desk.toml:6: profiles.live.dead_man_s = true: must be a whole number like 30"),
        ('readiness = "poll hard"', "profiles.live.readiness = 'poll hard': must be poll, rehearse or none"),
        ("refresh = 5", "/etc/desk.toml:6: profiles.live.refresh = 5: must be a table"),
        ('journal_folder = "x"', "profiles.live.journal_folder = 'x': must be a whole path, like /home/me/hedgedesk"),
        (
            "refresh.orders_s = 0\nlimits.each.open_orders = -1",
            "/etc/desk.toml:6: profiles.live.refresh.orders_s = 0: must be at least 1",
        ),
        (
            "\nlimits.each.order_notional = 1e5",
            'desk.toml:7: profiles.live.limits.each.order_notional = 1e5: must be a plain number like 2500 or "0.05"',
        ),
        ("limits.each.order_notional = inf", "order_notional = inf: must be a plain number"),
        (
            "limits.each.order_notional = { soft = 9, hard = 5 }",
            "profiles.live.limits.each.order_notional: the soft limit 9 is over the hard limit 5: it would never ask",
        ),
        ("limits.each.order_notional = { hrd = 5 }", "'hrd' is no end of a limit: did you mean hard?"),
        ("limits.each.order_notional = {}", "needs a hard or a soft end"),
        ("limits.venue.binanc.open_orders = 5", "limits.venue.binanc: there is no such venue in this profile: did you"),
        ('venues.okx.kind = "okx"', "profiles.live.venues.okx: says no environment: it has mainnet, demo"),
        ('venues.okx = { kind = "okx", environment = "demo" }', "venues.okx: has no keys: say where they are"),
        (
            'venues.a = { kind = "okx", environment = "loopback", rest = "http://127.0.0.1:1", ws = "ws://okx.com" }',
            "profiles.live.venues.a.ws: is not on this machine, as environment loopback says",
        ),
        ('venues.okx = { kind = "okex" }', "venues.okx.kind = 'okex': must be binance, bybit, hyperliquid or okx"),
        ("venues.okx = { keys = 'keyring:x' }", "profiles.live.venues.okx.kind: is missing"),
        (
            'venues.okx = { kind = "okx", environment = "testnet", keys = "keyring:x" }',
            "profiles.live.venues.okx.environment: okx has mainnet, demo",
        ),
        ('venues.a = { kind = "okx", rest = "http://127.0.0.1:1", keys = "env:X" }', "goes with environment loopback"),
        ('venues.OKX.kind = "okx"', "must be a name of small letters, digits, - and _"),
        ("paper.seed = 4", "profiles.live.paper: goes with kind paper"),
    ],
)
def test_what_is_wrong_is_told_with_its_place_its_value_and_what_is_allowed(lines: str, said: str) -> None:
    """One sentence, beginning with file and line."""
    first = problems(LIVE + lines)[0]
    assert first.startswith("/etc/desk.toml:")
    assert said in first


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a = ", "/etc/desk.toml:1: is not TOML: invalid value"),
        ('profile = "paper"\n[profiles', "/etc/desk.toml:2: is not TOML"),
        ("a = 1\na = 2\n", "/etc/desk.toml:2: is not TOML: cannot overwrite a value"),
        ("a = " + "9" * 5000, "/etc/desk.toml: is not TOML that can be read"),
        (
            'profile = "liv"\n[profiles.live]\nkind = "paper"',
            "/etc/desk.toml:1: there is no profile 'liv': did you mean live?",
        ),
        (
            "[profiles.x]\nkind = 'venues'",
            "/etc/desk.toml:2: profiles.x.kind: a profile of this kind, venues, names its venues",
        ),
        (
            "[profiles.paper.venues.okx]\nkind = 'okx'\nkeys = 'env:A'",
            "keys: goes with kind venues: nothing is sent to a real",
        ),
        (
            "[profiles.paper]\njournal_folder = '/x'",
            "/etc/desk.toml:2: profiles.paper.journal_folder: goes with kind venues",
        ),
        (
            "[profiles.paper.paper]\nmarket = '/x.csv'",
            "/etc/desk.toml:2: profiles.paper.paper.market: goes with ticker",
        ),
    ],
)
def test_a_file_that_is_no_configuration_is_told_so(text: str, said: str) -> None:
    """With the line, as far as there is one."""
    assert problems(text)[0].startswith(said) or said in problems(text)[0]


def test_every_problem_is_told_in_the_order_of_the_file() -> None:
    """The error's own text is the first one and how many follow."""
    text = LIVE + "theem = 1\ndesk = 5\nrefresh.orders_s = 0\n"
    found = problems(text)
    assert [line.split(":")[1] for line in found] == ["6", "7", "8"]
    assert str(ConfigError(found)) == f"{found[0]} (and 2 more: hedgedesk check lists them)"


# ------------------------------------------------------------------- secrets

CANARY = "kAnArY0123456789abcdefGHIJKLmnop"


@pytest.mark.parametrize(
    "lines",
    [
        f'venues.binance = {{ kind = "binance", keys = "{CANARY}" }}',
        f'venues.binance = {{ kind = "binance", keys = "keyring:{CANARY}" }}',
        f'venues.binance = {{ kind = "binance", keys = "env:{CANARY.upper()}" }}',
        f'venues.binance = {{ kind = "binance", secret = "{CANARY}" }}',
        f'venues.binance = {{ kind = "{CANARY}" }}',
        f"{CANARY} = 1",
        f'desk = "{CANARY}"',
        f'theme = "{CANARY}"',
        f'limits.each.order_notional = "{CANARY}"',
        f'limits.each.order_notional = {{ "{CANARY}" = 1 }}',
        f'limits.venue."{CANARY}".open_orders = 1',
        f'desk = "{CANARY}',
        f'venues."{CANARY}" = {{ kind = "binance" }}',
        f'profile = "{CANARY}"',
        f'"{CANARY}" = [',
    ],
)
def test_no_message_repeats_what_might_be_a_secret(lines: str) -> None:
    """A key that was pasted into a wrong place is not spread to a terminal or a log."""
    for text in (f'[profiles.live]\nkind = "venues"\n{lines}\n', f"{lines}\n"):
        found = problems(text)
        assert not any(CANARY.lower() in problem.lower() for problem in found), found


@pytest.mark.parametrize(
    "name", ["secret", "api_secret", "apiSecret", "private_key", "privateKey", "passphrase", "key"]
)
def test_a_secret_in_the_file_is_refused_with_where_to_put_it(name: str) -> None:
    """The sentence says the line and the way out, in the environment as well."""
    (said,) = problems(f'{LIVE}\n[profiles.live.venues.x]\nkind = "okx"\n{name} = "hunter2"')
    assert said.startswith(
        f"/etc/desk.toml:9: profiles.live.venues.x.{name}: a secret does not belong here: put it into"
    )
    assert 'keys = "keyring:NAME"' in said
    assert "hunter2" not in said
    (said,) = problems("", HEDGEDESK_VENUES__BINANCE__SECRET="hunter2")
    assert said.startswith("HEDGEDESK_VENUES__BINANCE__SECRET: profiles.paper.venues.binance.secret: a secret does not")


def test_names_that_only_sound_like_secrets_are_none() -> None:
    """The names of websockets, of settings and of assets."""
    assert not any(map(is_secret_name, ["private", "keys", "keymap", "public", "theme", *Profile.model_fields]))


# --------------------------------------------------------------------- right


def test_numbers_are_read_from_their_text() -> None:
    """Quoted or not, with underscores or not, and never through a float."""
    text = """
    [profiles.paper.limits.each]
    order_quantity = 0.1000000000000000055511151231
    order_notional = "12_345.67"
    position_notional = 50_000
    collar_mid_bps = { soft = 12.5, hard = "50" }
    open_orders = { soft = 2, hard = 3 }
    duplicate_s = { hard = 1, soft = "2.5" }
    """
    each = loaded(text).profile.limits.values().of("binance", "BTCUSDT")
    assert each == InstrumentLimits(
        order_quantity=Limit(D("0.1000000000000000055511151231")),
        order_notional=Limit(D("12345.67")),
        position_notional=Limit(D(50_000)),
        collar_mid_bps=Limit(D(50), D("12.5")),
        open_orders=Limit(D(3), D(2)),
        duplicate_s=Window(D(1), D("2.5")),
    )


def test_limits_of_every_scope_reach_the_engine() -> None:
    """Desk, venue, each contract, one contract, each base asset, one base asset."""
    text = (
        LIVE
        + """
    [profiles.live.limits]
    desk = { daily_loss = 5, unhedged_notional = 6 }
    each = { order_notional = 1, open_orders = 9 }
    each_base = { net_notional = 7 }
    base.BTC = { net_quantity = "0.5" }
    venue.binance = { daily_turnover = 3, each = { order_notional = 2 }, instrument.BTCUSDT = { order_notional = 4 } }
    """
    )
    limits = loaded(text).profile.limits.values()
    assert limits.desk == DeskLimits(daily_loss=Limit(D(5)), unhedged_notional=Limit(D(6)))
    assert limits.venue("binance") == VenueLimits(daily_turnover=Limit(D(3)))
    assert limits.of("okx", "X").order_notional == Limit(D(1))
    assert limits.of("binance", "ETHUSDT").order_notional == Limit(D(2))
    assert limits.of("binance", "BTCUSDT") == InstrumentLimits(order_notional=Limit(D(4)), open_orders=Limit(D(9)))
    assert limits.net("BTC") == BaseLimits(net_quantity=Limit(D("0.5")), net_notional=Limit(D(7)))


@pytest.mark.parametrize(
    ("table", "kind"),
    [
        (InstrumentTable, InstrumentLimits), (BaseTable, BaseLimits), (DeskTable, DeskLimits),
        (VenueTable, VenueLimits),
    ],
)  # fmt: skip
def test_the_file_knows_every_limit_of_the_engine(table: type[Table], kind: type) -> None:
    """No limit can be kept that cannot be set, and none can be set that is not kept."""
    assert set(table.model_fields) - {"each", "instrument"} == set(kind.__struct_fields__)


def test_the_kinds_of_venue_are_those_of_the_gateways() -> None:
    """A venue that can be traded can be configured."""
    assert set(KINDS) == set(GATEWAYS)


def test_the_environment_stands_over_the_profile_that_starts() -> None:
    """Its letters may be of any case, keys of the file keep their spelling, tickers are in capitals."""
    text = LIVE + "[profiles.live.limits.venue.binance.instrument.kPEPEUSDT]\nopen_orders = 1"
    found = loaded(
        text,
        HEDGEDESK_THEME="light",
        HEDGEDESK_limits__EACH__order_notional="{ soft = 1.5, hard = 2 }",
        HEDGEDESK_LIMITS__VENUE__BINANCE__INSTRUMENT__KPEPEUSDT__OPEN_ORDERS="4",
        HEDGEDESK_LIMITS__VENUE__BINANCE__INSTRUMENT__BTCUSDT__OPEN_ORDERS="5",
        HEDGEDESK_KEYS_MAIN_SECRET="not a setting",
        HEDGEDESK_KILL="after-send:1",
    )
    limits = found.profile.limits.values()
    assert found.profile.theme == "light"
    assert limits.of("x", "y").order_notional == Limit(D(2), D("1.5"))
    assert limits.of("binance", "kPEPEUSDT").open_orders == Limit(D(4))
    assert limits.of("binance", "BTCUSDT").open_orders == Limit(D(5))


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("HEDGEDESK_THEEM", "dark", "HEDGEDESK_THEEM: profiles.paper.theem: is no setting: did you mean theme?"),
        ("HEDGEDESK_PROFILE", "papre", "HEDGEDESK_PROFILE: there is no profile 'papre': did you mean paper?"),
        ("HEDGEDESK_REFRESH", "5", "HEDGEDESK_REFRESH: profiles.paper.refresh = '5': must be a table"),
        ("HEDGEDESK_DESK__NAME", "x", "HEDGEDESK_DESK__NAME: names no setting"),
        ("HEDGEDESK_REFRESH__ORDERS_S", "soon", "orders_s = 'soon': must be a whole number like 30"),
    ],
)
def test_a_wrong_variable_is_told_by_its_name(name: str, value: str, said: str) -> None:
    """In the place of a file and a line."""
    text = '[profiles.paper]\ndesk = "x"' if "DESK__" in name else ""
    assert said in problems(text, **{name: value})[0]


def test_a_file_that_was_named_must_be_there(tmp_path: Path) -> None:
    """By argument or by variable; the user's own may be missing."""
    missing = tmp_path / "none.toml"
    with pytest.raises(ConfigError, match=r"none.toml: the configuration cannot be read: No such file"):
        load(str(missing), environment={})
    with pytest.raises(ConfigError, match="cannot be read"):
        load(environment={"HEDGEDESK_CONFIG": str(missing)})


@pytest.mark.parametrize(
    ("content", "said"), [(b"a = 1\nb = '\xff'\n", r"odd.toml:2: is not UTF-8"), (b"#" * 1_000_001, "is larger than")]
)
def test_a_file_that_is_no_text_is_refused(content: bytes, said: str, tmp_path: Path) -> None:
    """With the line where it ceases to be one."""
    odd = tmp_path / "odd.toml"
    odd.write_bytes(content)
    with pytest.raises(ConfigError, match=said):
        load(str(odd), environment={})
