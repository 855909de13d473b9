"""Configurations as they might be typed: whole, damaged and of odd values; what the loader may make of any of them."""

import string
from pathlib import Path

from hypothesis import strategies as st

from console.config.messages import ConfigError
from console.config.reading import Loaded, parse
from console.config.showing import lines
from console.config.template import TEMPLATE

PATH = Path("/somewhere/config.toml")

LINES = [line.lstrip("# ") for line in TEMPLATE.splitlines() if line.strip()]
ODD_VALUES = [
    "1", "-1", "0", "2.5", "1e5", "-1e999999999", "inf", "nan", "9" * 40, "9" * 5000, "0x1f", "true", '""', '"\\u0000"',
    '"x"', "'a\nb'", '"""a\nb"""', "[]", "[1, [2]]", "{}", "{ soft = 2, hard = 1 }", "{ soft = 1 }", "{ sof = 1 }",
    "1979-05-27", "07:32:00", '"keyring:a"', '"env:A"', '"~nobody-here/x"', '"http://[::1"', '"http://h:99999999/"',
    "[" * 300 + "]" * 300, "{ a = " * 40 + "1" + " }" * 40, '"loopback"', '"venues"', '"paper-on-live"', "1_000",
]  # fmt: skip
KEYS = [
    *string.ascii_lowercase[:3], "kind", "desk", "venues", "limits", "each", "desk", "hard", "keys", "keymap", "secret",
    '"a\\nb"', '""', "'quoted key'", "ÿ", '"\\u202e"', "order_notional", "ws", "rest", "paper", "profiles", "profile",
]  # fmt: skip

keys = st.sampled_from(KEYS)
values = st.sampled_from(ODD_VALUES)
paths = st.lists(keys, min_size=1, max_size=4).map(".".join)
odd_lines = st.one_of(
    st.builds("{} = {}".format, paths, values),
    st.builds("[profiles.{}]".format, paths),
    st.builds("[profiles.live.{}]".format, paths),
    st.builds("[[{}]]".format, paths),
    st.sampled_from(LINES),
)


def _damaged(text: str, at: int, with_: str) -> str:
    place = at % (len(text) + 1)
    return text[:place] + with_ + text[place + len(with_) :]


texts = st.one_of(
    st.text(max_size=60),
    st.lists(odd_lines, max_size=12).map("\n".join),
    st.builds(_damaged, st.just(TEMPLATE), st.integers(0, len(TEMPLATE)), st.text(min_size=1, max_size=6)),
    st.builds(_damaged, st.just(TEMPLATE), st.integers(0, len(TEMPLATE)), odd_lines.map("\n{}\n".format)),
)
variables = st.dictionaries(
    st.one_of(
        st.lists(keys.map(str.upper), min_size=1, max_size=4).map("__".join).map("HEDGEDESK_{}".format),
        st.text(max_size=10).map("HEDGEDESK_{}".format),
    ),
    st.one_of(values, st.text(max_size=20)),
    max_size=3,
)


def read(text: str, environment: dict[str, str]) -> None:
    """Check that a text is a configuration that can be used and shown, or is refused in good sentences."""
    loaded, problems = _outcome(text, environment)
    for problem in problems:
        assert problem.isprintable(), problem
        assert ": " in problem
        assert len(problem) < 1_000
        assert problem.startswith((str(PATH), "HEDGEDESK_"))
    if loaded is not None:
        assert all(line.isprintable() for line in lines(loaded))
        loaded.profile.limits.values().of("binance", "BTCUSDT")
    else:
        assert problems


def _outcome(text: str, environment: dict[str, str]) -> tuple[Loaded | None, list[str]]:
    try:
        return parse(text, PATH, environment=environment), []
    except ConfigError as error:
        return None, error.problems
