"""The part of the app that dresses it: its themes, a user's own ones taken up while it runs, and no colour at all."""

from collections.abc import Callable, Sequence

from rich.segment import Segment
from textual.app import App
from textual.color import Color
from textual.filter import LineFilter, Monochrome
from textual.theme import Theme as TextualTheme

from console import themes
from console.panes.pane import Pane


class Colourless(LineFilter):
    """Takes every colour out of what is written to the terminal, as https://no-color.org asks; weight and such stay."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002  # textual's
        """The segments without colour."""
        return [Segment(text, style and style.without_color, control) for text, style, control in segments]


class Theming(App[int]):
    """An app in the colours of one of ``console.themes``."""

    say: Callable[..., None]
    configured_theme: str
    """What the configuration says."""
    begun_theme: str
    """What the run began with."""
    theme_kept: tuple[str, str] = "", ""
    """What an earlier run left: the theme chosen, and what was configured then."""

    _colourless = Colourless()

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Textual's, but with NO_COLOR there is no colour at all where textual still writes greys."""
        filters = super().get_line_filters()
        if not self.no_color:
            return filters
        return [*(each for each in filters if not isinstance(each, Monochrome)), self._colourless]

    def dress(self, theme: str, rising: themes.Rising) -> None:
        """Choose the colours before textual starts. Raises ThemeError for an unknown theme."""
        self.configured_theme = self.begun_theme = theme
        self._rising: themes.Rising = rising
        self._desk_variables = themes.named(theme).with_rising(rising).variables()
        self._themes_stamp = themes.stamp()

    def put_on(self, theme: str) -> None:
        """Make the themes known, and take one; the one configured where there is none of that name."""
        names = [found.name for found in themes.available()]
        self._make_known(themes.available())
        self.theme = theme if theme in names else self.configured_theme

    def _make_known(self, found: list[themes.Theme]) -> None:
        for theme in found:
            self.register_theme(_textual_theme(theme.with_rising(self._rising)))

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """The desk's colours, for themes that do not bring them."""
        return self._desk_variables

    def do_theme(self, _: Pane | None) -> None:
        """Change to the next theme."""
        names = [theme.name for theme in themes.available()]
        self.theme = names[(names.index(self.theme) + 1) % len(names)]
        self.say(f"theme {self.theme}")

    def look_at_themes(self) -> None:
        """Take up a user's theme that was changed meanwhile; a broken one changes nothing and is told of."""
        stamp = themes.stamp()
        if stamp == self._themes_stamp:
            return
        self._themes_stamp = stamp
        try:
            found = themes.available()
        except (OSError, ValueError) as error:
            self.say(str(error), "warning")
            return
        self._make_known(found)
        if self.theme in {theme.name for theme in found}:
            self.mutate_reactive(Theming.theme)
            self.say(f"theme {self.theme} read anew")


def _textual_theme(theme: themes.Theme) -> TextualTheme:
    return TextualTheme(name=theme.name, dark=theme.dark, variables=theme.variables(), **dict(iter(theme.colors)))
