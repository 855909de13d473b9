"""What stands around a configuration: lines of keys, the template, the wizard, what is shown, the schema."""

import json
import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.config.messages import ConfigError
from console.config.model import Config, Profile
from console.config.places import places
from console.config.reading import parse
from console.config.showing import rows, schema
from console.config.table import Table
from console.config.template import TEMPLATE
from console.config.wizard import next_steps, wizard
from oms.limits import Limit
from tests.console.test_config import LIVE, PATH, D, loaded

# -------------------------------------------------------------------- places


def _tree(depth: int) -> st.SearchStrategy[dict[str, object]]:
    leaf = st.one_of(st.integers(), st.booleans(), st.text(max_size=5), st.lists(st.integers(), max_size=2))
    value = leaf if depth == 0 else st.one_of(leaf, _tree(depth - 1))
    return st.dictionaries(st.text(min_size=1, max_size=4), value, max_size=3)


def _toml(tree: dict[str, object]) -> str:
    """A tree on one line a key at the top, inline below."""

    def inline(value: object) -> str:
        if isinstance(value, dict):
            return "{" + ", ".join(f"{_quoted(name)} = {inline(each)}" for name, each in value.items()) + "}"
        return _quoted(value) if isinstance(value, str) else json.dumps(value)

    return "".join(f"# {{ [ 'x\n{_quoted(name)} = {inline(value)} # = {{\n" for name, value in tree.items())


def _quoted(text: str) -> str:
    return '"' + "".join(f"\\U{ord(letter):08X}" for letter in text) + '"'


def _paths(tree: dict[str, object], prefix: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    below = (_paths(each, (*prefix, name)) for name, each in tree.items() if isinstance(each, dict))
    return {(*prefix, name) for name in tree}.union(*below)


@settings(max_examples=100, deadline=None)
@given(_tree(2))
def test_every_key_has_its_line(tree: dict[str, object]) -> None:
    """Whatever the keys and values are made of, comments with brackets among them."""
    text = _toml(tree)
    found = places(text)
    assert tomllib.loads(text) == tree
    assert set(found) == _paths(tree)
    assert [found[name,] for name in tree] == [2 * place for place in range(1, len(tree) + 1)]


def test_lines_of_every_way_to_write_toml() -> None:
    """Headers, dotted keys, texts and lists over several lines, literal texts, carriage returns."""
    text = (
        'a = """x\n[b]\n""" # c = 1\r\nd.e = [\n 1, # ]\n "]" ]\n[ f . "g h" ]\n'
        "i = '''\n'''\nj = { k = 1 }\n[[l]]\nm=1\n[[l]]\nm=2"
    )
    tomllib.loads(text)
    assert places(text) == {
        ("a",): 1, ("d",): 4, ("d", "e"): 4, ("f",): 7, ("f", "g h"): 7, ("f", "g h", "i"): 8, ("f", "g h", "j"): 10,
        ("f", "g h", "j", "k"): 10, ("l",): 11, ("l", "m"): 12,
    }  # fmt: skip


# ------------------------------------------------------- template, wizard, show


def test_the_template_holds_and_names_every_setting() -> None:
    """A setting that is added to the model must be explained there."""
    found = parse(TEMPLATE, PATH, environment={})
    assert found.name == "paper"
    assert set(found.config.profiles) == {"paper", "testnet", "live"}
    settings_ = {name for table in _tables(Table) for name in table.model_fields} - {"profiles"}
    assert sorted(name for name in settings_ if name not in TEMPLATE) == []


def _tables(kind: type[Table]) -> list[type[Table]]:
    return [each for sub in kind.__subclasses__() for each in (sub, *_tables(sub))]


def test_each_value_is_shown_with_where_it_stands() -> None:
    """File and line, variable, or default."""
    shown = {key: (value, source) for key, value, source in rows(loaded(LIVE, HEDGEDESK_THEME="light"))}
    assert shown["profile"] == ('"live"', "/etc/desk.toml:1")
    assert shown["venues.binance.environment"] == ('"testnet"', "/etc/desk.toml:5")
    assert shown["theme"] == ('"light"', "HEDGEDESK_THEME")
    assert shown["refresh.orders_s"] == ("30", "default")


def test_the_schema_is_that_of_the_model() -> None:
    """Editors learn the same keys, with their descriptions."""
    said = json.loads(schema())
    assert set(said["properties"]) == set(Config.model_fields)
    profile = said["$defs"]["Profile"]["properties"]
    assert set(profile) == set(Profile.model_fields)
    described = [
        entry if "description" in entry else said["$defs"][entry["$ref"].split("/")[-1]] for entry in profile.values()
    ]
    assert all(entry["description"] for entry in described)


def answers(*lines: str):
    given_, said = iter(lines), []

    def ask(question: str) -> str:
        said.append(question)
        try:
            return next(given_)
        except StopIteration:
            raise EOFError from None

    return ask, said


def test_the_wizard_writes_what_was_answered() -> None:
    """An answer that cannot be used is asked for again; empty ones take what is proposed."""
    ask, asked = answers("", "okx, nonsense", "okx", "mainnet", "env:MY", "1e9", "250", "", "")
    told: list[str] = []
    text = wizard(ask, told.append)
    profile = parse(text, PATH, profile="live", environment={}).profile
    assert profile.desk == "main"
    assert profile.venues["okx"].environment == "mainnet"
    assert profile.venues["okx"].keys == "env:MY"
    assert profile.limits.values().of("okx", "X").order_notional == Limit(D(250))
    assert len(asked) == 9
    assert sum("must be" in line for line in told) == 2
    assert next_steps(text, PATH) == ["hedgedesk check --profile live"]


def test_the_wizard_proposes_what_holds() -> None:
    """Every question answered with enter gives a configuration, and says which keys it needs."""
    ask, _ = answers(*[""] * 9)
    text = wizard(ask, lambda _: None)
    steps = next_steps(text, PATH)
    assert steps[:2] == ["hedgedesk keys set binance-demo", "hedgedesk keys set hyperliquid-testnet"]


def test_answers_that_end_early_write_nothing() -> None:
    """The end of the input is no answer."""
    ask, _ = answers("", "")
    with pytest.raises(EOFError):
        wizard(ask, lambda _: None)


def test_thresholds_of_the_unhedged_are_settings() -> None:
    """What the profile says of amber and red reaches the console; red under amber is refused with a sentence."""
    text = '[profiles.paper.unhedged]\namber_notional = "1.5"\nred_age_s = 60\n'
    found = parse(text, PATH, environment={}).profile.unhedged.thresholds
    assert (found.amber_notional, found.red_notional, found.red_age_ns) == (D("1.5"), 250, 60 * 10**9)
    with pytest.raises(ConfigError, match="red is no less than amber"):
        parse("[profiles.paper.unhedged]\nred_age_s = 1\n", PATH, environment={})
