"""What of a running console is kept between runs, and how the next run begins with it."""

from typing import Protocol

from console.herald import Herald
from console.panes.desk import Where
from console.panes.pane import TablePane
from console.screens.arrangement import LAYOUTS
from console.screens.desk import DeskScreen
from console.screens.pages import DESK, PAGES
from console.session import Session
from console.times import TimeMode


class Console(Protocol):
    """The app, as far as it is kept."""

    theme: str
    configured_theme: str
    begun_theme: str
    theme_kept: tuple[str, str]
    herald: Herald

    @property
    def desk(self) -> DeskScreen:
        """The desk's screen."""
        ...


def session_of(app: Console) -> Session:
    """How the console is looked at now."""
    desk = app.desk
    tables = {name: pane for name, pane in desk.panes.items() if isinstance(pane, TablePane)}
    theme, theme_over = app.theme_kept if app.theme == app.begun_theme else (app.theme, app.configured_theme)
    return Session(
        layout=desk.layout_name,
        page=desk.page,
        zoomed=desk.zoomed,
        focused=desk.focused_pane.NAME if desk.focused_pane is not None else desk.first,
        recent=tuple(desk.recent),
        tables={name: pane.view() for name, pane in tables.items()},
        ladder=str(desk.ladder_wanted or ""),
        times=next(iter(tables.values())).time_mode.value,
        theme=theme,
        theme_over=theme_over,
        ring_on_fills=app.herald.alerts.ring_on_fills,
        size_once=desk.ladder.hands.size_once,
    )


def resume(app: Console, session: Session) -> None:
    """Begin as an earlier run ended; what is no more (a pane, a layout) is passed over."""
    desk = app.desk
    app.theme_kept = session.theme, session.theme_over
    if session.layout in LAYOUTS:
        desk.layout_name = session.layout
    if session.page in {DESK, *PAGES}:
        desk.page = session.page
    desk.zoomed = session.zoomed if session.zoomed in desk.panes else ""
    desk.recent = [name for name in session.recent if name in desk.panes]
    if session.focused in desk.panes:
        desk.first = session.focused
    venue, _, ticker = session.ladder.partition(":")
    if venue and ticker:
        desk.ladder_wanted = Where(venue, ticker)
    for name, pane in desk.panes.items():
        if isinstance(pane, TablePane):
            if session.times in {mode.value for mode in TimeMode}:
                pane.show_times(TimeMode(session.times))
            if name in session.tables:
                pane.resume(session.tables[name])
    app.herald.alerts.ring_on_fills = session.ring_on_fills
    desk.ladder.hands.size_once = session.size_once


def theme_of(session: Session, configured: str) -> str:
    """The theme to begin with: the one chosen here, unless the configuration has said otherwise since."""
    return session.theme if session.theme and session.theme_over == configured else configured
