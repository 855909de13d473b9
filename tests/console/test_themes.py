import itertools
import subprocess
import sys
from pathlib import Path

import pytest

from console import themes
from console.themes import ThemeError

ALL = themes.available(Path("none"))
GOOD = """
name = "x"
description = "d"
dark = true
"""


def luminance(colour: str) -> float:
    """Relative luminance of a colour (WCAG 2.2)."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours (WCAG 2.2), 1 to 21."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_the_default_comes_first_and_the_others_are_there():
    """There are dark and light, high contrast, colour-blind-safe, and one for terminals of sixteen colours."""
    assert [theme.name for theme in ALL] == ["dark", "ansi", "contrast", "cvd", "light"]
    assert all(theme.description for theme in ALL)


@pytest.mark.parametrize("theme", ALL, ids=lambda theme: theme.name)
def test_every_text_can_be_read_on_its_background(theme):
    """Text has a contrast of 4.5 on the background and on the cursor, what stands back on purpose one of 3."""
    desk, background = theme.desk, theme.colors.background
    for name in ("bid", "ask", "up", "down", "own", "ok", "warn", "alarm", "paper", "live", "armed", "muted"):
        assert contrast(getattr(desk, name), background) >= 4.5, name
    for name in ("bid", "ask", "own", "warn", "alarm", "muted"):
        assert contrast(getattr(desk, name), desk.cursor) >= 3.6, name
    for name in ("faint", "stale"):
        assert contrast(getattr(desk, name), background) >= 3.0, name
    assert contrast(desk.up, desk.flash_up) >= 4.5
    assert contrast(desk.down, desk.flash_down) >= 4.5
    assert contrast(desk.bid, desk.depth_bid) >= 4.5
    assert contrast(desk.ask, desk.depth_ask) >= 4.5


@pytest.mark.parametrize("theme", ALL, ids=lambda theme: theme.name)
def test_what_must_be_told_apart_has_different_colours(theme):
    """No two of bid, ask, own, paper and alarm share a colour."""
    colours = [theme.desk.bid, theme.desk.ask, theme.desk.own, theme.desk.paper, theme.desk.alarm]
    for one, other in itertools.combinations(colours, 2):
        assert one != other


def test_the_colour_blind_safe_theme_does_not_rest_on_red_against_green():
    """Its bids are blue (more blue than red) and its asks are orange (more red than blue)."""
    desk = themes.named("cvd").desk

    def red_and_blue(colour):
        return int(colour[1:3], 16), int(colour[5:7], 16)

    for name in ("bid", "up", "ok"):
        red, blue = red_and_blue(getattr(desk, name))
        assert blue > red, name
    for name in ("ask", "down", "alarm"):
        red, blue = red_and_blue(getattr(desk, name))
        assert red > blue, name


def test_the_theme_of_sixteen_colours_uses_no_other():
    """Every colour is one of the sixteen, as a terminal of that kind has them."""
    theme = themes.named("ansi")
    allowed = {"#000000", "#800000", "#008000", "#808000", "#000080", "#800080", "#008080", "#c0c0c0",
               "#808080", "#ff0000", "#00ff00", "#ffff00", "#0000ff", "#ff00ff", "#00ffff", "#ffffff"}  # fmt: skip
    assert {value for table in (theme.colors, theme.desk) for _, value in table} <= allowed


@pytest.mark.parametrize("theme", ALL, ids=lambda theme: theme.name)
def test_red_can_stand_for_a_rise(theme):
    """The two sides change over, twice is once, and nothing else changes."""
    red = theme.with_rising("red")
    assert (red.desk.up, red.desk.bid, red.desk.flash_up) == (theme.desk.down, theme.desk.ask, theme.desk.flash_down)
    assert (red.desk.alarm, red.colors) == (theme.desk.alarm, theme.colors)
    assert red.with_rising("red") == theme.with_rising("green") == theme


def test_a_users_own_theme_is_found_and_its_change_is_seen(tmp_path):
    """A file in the user's folder is one more theme; a name that is taken is refused with the file."""
    text = themes.resources.files("themes").joinpath("dark.toml").read_text()
    assert themes.stamp(tmp_path / "not there") == ()
    own = tmp_path / "mine.toml"
    own.write_text(text.replace('name = "dark"', 'name = "mine"'))
    before = themes.stamp(tmp_path)
    assert [theme.name for theme in themes.available(tmp_path)] == ["dark", "ansi", "contrast", "cvd", "light", "mine"]
    own.write_text(text)
    assert themes.stamp(tmp_path) != before
    with pytest.raises(ThemeError, match=r"mine\.toml: name: 'dark' is taken"):
        themes.available(tmp_path)


def test_an_unknown_theme_is_refused_with_the_names_there_are():
    """The error names what was asked for and what there is."""
    with pytest.raises(ThemeError, match="no theme 'drak': choose one of dark, ansi, contrast, cvd, light"):
        themes.named("drak")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name =", "bad.toml is not TOML"),
        (GOOD, "bad.toml: colors: Field required"),
        ('name = "Big Name"' + GOOD.replace('name = "x"', ""), "bad.toml: name:"),
        (GOOD + 'colour = "red"\n[colors]\n[desk]\n', "bad.toml:"),
    ],
)
def test_a_wrong_theme_file_is_told_by_file_and_field(text, told):
    """A broken file is refused with its name and the field."""
    with pytest.raises(ThemeError, match=told.replace(".", r"\.")):
        themes.parse(text, "bad.toml")


def test_a_colour_that_is_none_is_told():
    """A colour must be six hex digits."""
    good = themes.resources.files("themes").joinpath("dark.toml").read_text()
    assert themes.parse(good, "good.toml").name == "dark"
    with pytest.raises(ThemeError, match=r"bad\.toml: desk\.bid: 'green' is not a colour"):
        themes.parse(good.replace('bid = "#7fb08a"', 'bid = "green"', 1), "bad.toml")
    with pytest.raises(ThemeError, match=r"bad\.toml: desk\.extra: Extra inputs are not permitted"):
        themes.parse(good + 'extra = "#000000"\n', "bad.toml")


def test_listing_the_themes_does_not_load_textual():
    """The command that lists themes stays quick."""
    code = "import sys; from console import themes; themes.available(); sys.exit('textual' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0  # noqa: S603  # our own line
