"""The colour themes: one TOML file each in the ``themes`` package, validated here, without importing textual."""

import re
import tomllib
from collections.abc import Iterator
from importlib import resources
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

DEFAULT = "dark"
STYLE_SHEET = "console.tcss"

_HEX = re.compile(r"#[0-9a-f]{6}")


class ThemeError(ValueError):
    """A theme that cannot be used: one sentence naming the file, the field and what is allowed."""


def _colour(text: str) -> str:
    if not _HEX.fullmatch(text):
        raise ValueError(f"{text!r} is not a colour: write six lower-case hex digits after '#', as in '#7fb08a'")
    return text


Colour = Annotated[str, AfterValidator(_colour)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    def __iter__(self) -> Iterator[tuple[str, str]]:  # type: ignore[override]  # every field of these is a colour
        yield from ((name, str(value)) for name, value in self.__dict__.items())


class Colors(_Table):
    """The colours of the interface itself, by textual's own names."""

    primary: Colour
    secondary: Colour
    accent: Colour
    foreground: Colour
    background: Colour
    surface: Colour
    panel: Colour
    success: Colour
    warning: Colour
    error: Colour


class Desk(_Table):
    """The colours of what is traded. Each is used with a word, a sign or a symbol beside it, never alone."""

    muted: Colour
    """Text of second rank: labels, times, ids."""
    faint: Colour
    """Column heads, trailing zeros."""
    rule: Colour
    """Lines between panes."""
    cursor: Colour
    """Background of the cursor's row."""
    bid: Colour
    ask: Colour
    up: Colour
    down: Colour
    flash_up: Colour
    """Background of a number that has just risen."""
    flash_down: Colour
    stale: Colour
    """What is older than its limit, and everything when the engine is silent."""
    own: Colour
    """Our own orders in the ladder."""
    live: Colour
    paper: Colour
    armed: Colour
    ok: Colour
    warn: Colour
    alarm: Colour
    depth_bid: Colour
    """Background of a ladder's size bars."""
    depth_ask: Colour


class Theme(BaseModel):
    """One theme, as its file says it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
    description: Annotated[str, Field(min_length=1, max_length=80)]
    dark: bool
    colors: Colors
    desk: Desk

    def variables(self) -> dict[str, str]:
        """The desk's colours as style sheet variables: ``bid``, ``flash-up`` ..."""
        return {name.replace("_", "-"): value for name, value in self.desk}


def parse(text: str, source: str) -> Theme:
    """The theme in the TOML ``text``; ``source`` names it in errors. Raises ThemeError."""
    try:
        return Theme.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ThemeError(f"{source} is not TOML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise ThemeError(f"{source}: {field}: {first['msg'].removeprefix('Value error, ')}") from error


def available() -> list[Theme]:
    """All themes that come with the console, the default first, then by name. Raises ThemeError."""
    files = (entry for entry in resources.files("themes").iterdir() if entry.name.endswith(".toml"))
    themes = [parse(file.read_text("utf-8"), file.name) for file in files]
    return sorted(themes, key=lambda theme: (theme.name != DEFAULT, theme.name))


def named(name: str) -> Theme:
    """The theme called ``name``. Raises ThemeError listing the names that there are."""
    themes = {theme.name: theme for theme in available()}
    if name not in themes:
        raise ThemeError(f"there is no theme {name!r}: choose one of {', '.join(themes)}")
    return themes[name]


def style_sheet() -> str:
    """The console's style sheet."""
    return resources.files("themes").joinpath(STYLE_SHEET).read_text("utf-8")
