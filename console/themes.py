"""The colour themes: one TOML file each, validated here, without importing textual.

Those that come with the console are in the ``themes`` package; a user's own are in the folder ``user_folder`` names,
and are taken up while the console runs.
"""

import re
import tomllib
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal

import platformdirs
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

DEFAULT = "dark"
STYLE_SHEET = "console.tcss"

Rising = Literal["green", "red"]
"""Which colour stands for a rise, and for buying: green in the west, red in the east."""

_SWAPPED = (("bid", "ask"), ("up", "down"), ("flash_up", "flash_down"), ("depth_bid", "depth_ask"))

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

    def with_rising(self, rising: Rising) -> "Theme":
        """The theme with the colours of rise and fall, and of the two sides, changed over for ``red``."""
        if rising == "green":
            return self
        desk = self.desk
        changed = {one: getattr(desk, other) for pair in _SWAPPED for one, other in (pair, pair[::-1])}
        return self.model_copy(update={"desk": desk.model_copy(update=changed)})


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


def user_folder() -> Path:
    """Where a user's own themes are; it need not be there."""
    return platformdirs.user_config_path("hedgedesk") / "themes"


def available(folder: Path | None = None) -> list[Theme]:
    """All themes, the default first, then by name: those of the console and those in ``folder``, the user's own.

    Raises ThemeError for a file that is no theme, and for a name that is taken.
    """
    themes: dict[str, Theme] = {}
    built_in = [entry for entry in resources.files("themes").iterdir() if entry.name.endswith(".toml")]
    for file in (*built_in, *_files(folder)):
        theme = parse(file.read_text("utf-8"), str(file) if isinstance(file, Path) else file.name)
        if theme.name in themes:
            raise ThemeError(f"{file}: name: {theme.name!r} is taken by another theme")
        themes[theme.name] = theme
    return sorted(themes.values(), key=lambda theme: (theme.name != DEFAULT, theme.name))


def stamp(folder: Path | None = None) -> tuple[tuple[str, int, int], ...]:
    """What changes when a file of the user's own changes."""
    states = ((file, file.stat()) for file in _files(folder))
    return tuple((file.name, state.st_mtime_ns, state.st_size) for file, state in states)


def _files(folder: Path | None) -> list[Path]:
    return sorted((user_folder() if folder is None else folder).glob("*.toml"))


def named(name: str) -> Theme:
    """The theme called ``name``. Raises ThemeError listing the names that there are."""
    themes = {theme.name: theme for theme in available()}
    if name not in themes:
        raise ThemeError(f"there is no theme {name!r}: choose one of {', '.join(themes)}")
    return themes[name]


def style_sheet() -> str:
    """The console's style sheet."""
    return resources.files("themes").joinpath(STYLE_SHEET).read_text("utf-8")
