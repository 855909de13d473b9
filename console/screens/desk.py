"""The desk: its panes, the bar of its state above and the bar of its keys below."""

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.events import DescendantFocus
from textual.screen import Screen

from console.actions import DESK, PANES, bindings, for_pane
from console.link import Frame
from console.panes.balances import BalancesPane
from console.panes.deltas import DeltasPane
from console.panes.hedges import HedgesPane
from console.panes.ladder import LadderPane
from console.panes.log import LogPane
from console.panes.orders import OrdersPane
from console.panes.pane import Desk, Pane, Where
from console.panes.positions import PositionsPane
from console.panes.trades import TradesPane
from console.panes.unhedged import UnhedgedPane
from console.panes.venues import VenuesPane
from console.panes.when import NOTHING
from console.screens.arrangement import LAYOUTS, arrange, hidden
from console.screens.jump import JumpScreen
from console.screens.pages import DESK as DESK_PAGE
from console.screens.pages import PAGES, page_regions
from console.screens.welcome import Welcome
from console.widgets.banner import Banner
from console.widgets.bars import key_spans, message_spans, pane_spans
from console.widgets.line_bar import LineBar

_KINDS: tuple[Callable[[Desk], Pane], ...] = (
    OrdersPane,
    DeltasPane,
    HedgesPane,
    UnhedgedPane,
    PositionsPane,
    LadderPane,
    LogPane,
    VenuesPane,
    BalancesPane,
    TradesPane,
)


class DeskScreen(Screen[None]):
    """The one screen under all dialogs."""

    DEFAULT_CSS = """
    DeskScreen { layers: default welcome; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings(DESK),
        Binding("tab", "step(1)", show=False),
        Binding("shift+tab", "step(-1)", show=False),
    ]

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk
        self.state_bar = LineBar(id="state")
        self.banner = Banner()
        self.strip = LineBar(id="strip")
        self.keys_bar = LineBar(id="keys")
        self.welcome = Welcome()
        self.panes: dict[str, Pane] = {pane.NAME: pane for pane in (kind(desk) for kind in _KINDS)}
        self.zoomed = ""
        self.page = DESK_PAGE
        """Which of the screens is shown: the desk's own, or one of ``PAGES``."""
        self.layout_name = next(iter(LAYOUTS))
        self.first = PANES[0]
        """The pane that has the focus when the desk is opened."""
        self.recent: list[str] = []
        """Panes asked for, the latest first."""
        self.ladder_wanted: Where | None = None
        """The contract that the operator chose for the ladder, here or in an earlier run."""
        self._message: tuple[str, str] | None = None
        self._area = Container(*self.panes.values(), id="desk")

    def compose(self) -> ComposeResult:
        """The bars and the panes."""
        yield self.state_bar
        yield self.banner
        yield self.strip
        yield self._area
        yield self.keys_bar
        yield self.welcome

    def on_mount(self) -> None:
        """Begin where the operator left, else on the orders."""
        self.place()
        self.panes[self.first].focus()

    def on_resize(self) -> None:
        """Place the panes for the new size."""
        self.place()

    def place(self) -> None:
        """Give each pane its region; hide those that share a place with one more wanted."""
        width, height = self.app.size
        self.banner.show(self.desk.mirror, width)
        self.welcome.place(width, height)
        height -= 2 + len(self.banner.lines)
        paged = self.page != DESK_PAGE and not self.zoomed
        strip = paged or bool(self.zoomed) or hidden(width, height, self.layout_name)
        self.strip.display = strip
        room = height - strip
        if paged:
            regions = page_regions(self.page, width, room)
        else:
            regions = arrange(width, room, self.recent, self.zoomed, self.layout_name)
        for name, pane in self.panes.items():
            region = regions.get(name)
            pane.display = region is not None
            if region is not None:
                pane.styles.offset = (region.x, region.y)
                pane.styles.width, pane.styles.height = region.width, region.height
        if self.focused is not None and not self.focused.display:
            self.panes[next(iter(regions))].focus()
        self.show_bars()

    # ------------------------------------------------------------ what is shown

    @property
    def focused_pane(self) -> Pane | None:
        """The pane with the focus."""
        return self.focused if isinstance(self.focused, Pane) else None

    @property
    def ladder(self) -> LadderPane:
        """The ladder."""
        pane = self.panes["ladder"]
        assert isinstance(pane, LadderPane)  # noqa: S101  # for the type checker: _KINDS says so
        return pane

    @property
    def log_pane(self) -> LogPane:
        """The log."""
        pane = self.panes["log"]
        assert isinstance(pane, LogPane)  # noqa: S101  # for the type checker: _KINDS says so
        return pane

    def feed(self, frame: Frame) -> None:
        """Give a frame to every pane. One that fails is reported; the others get theirs."""
        for name, pane in self.panes.items():
            try:
                pane.feed(frame)
            except Exception as error:  # noqa: BLE001  # one pane's fault must not blind the others
                self.desk.fault(f"pane {name}", error)

    def flush(self, *, tick: bool, silent: bool) -> None:
        """Paint what was fed; once a second also what shows the passing of time."""
        for name, pane in self.panes.items():
            try:
                pane.set_silent(silent=silent)
                pane.flush()
                if tick:
                    pane.tick()
                pane.retitle()
            except Exception as error:  # noqa: BLE001  # one pane's fault must not blind the others
                self.desk.fault(f"pane {name}", error)
        self.show_bars()

    def show_bars(self) -> None:
        """Bring the banner, the strip of panes and the keys up to date."""
        if self.banner.show(self.desk.mirror, self.app.size.width):
            self.place()
        self.welcome.show(self.desk.mirror.header)
        pane = self.focused_pane
        name = pane.NAME if pane else ""
        if self.strip.display:
            captions = [
                (each, *each_pane.caption()[:2], each_pane.counters()[1]) for each, each_pane in self.panes.items()
            ]
            shown = [each for each, each_pane in self.panes.items() if each_pane.display]
            self.strip.show(pane_spans(captions, name, shown))
        if self._message is not None:
            self.keys_bar.show(message_spans(*self._message))
        else:
            selection = NOTHING if pane is None else pane.selection()
            self.keys_bar.show(key_spans(for_pane(name or "orders"), self.desk.mirror, selection))

    def show_message(self, message: tuple[str, str] | None) -> None:
        """Show a text and its severity in place of the keys, or the keys again."""
        self._message = message
        self.show_bars()

    def greet(self) -> None:
        """Welcome whoever is here for the first time."""
        self.welcome.wanted = True

    def greeted(self) -> None:
        """Take the greeting away."""
        if self.welcome.wanted:
            self.welcome.wanted = self.welcome.display = False

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        """Show the keys of the pane that has the focus."""
        event.stop()
        self.show_bars()

    # ------------------------------------------------------------ going about

    def go_to(self, name: str) -> None:
        """Show a pane and give it the focus."""
        self.recent = [name, *(other for other in self.recent if other != name)]
        if self.zoomed:
            self.zoomed = name
        elif self.page != DESK_PAGE and not self.panes[name].display:
            self.page = DESK_PAGE
        self.place()
        self.panes[name].focus()

    def show_page(self, page: str) -> None:
        """Show the desk, or another screen with the focus on its first pane."""
        self.page, self.zoomed = page, ""
        self.place()
        if page != DESK_PAGE:
            self.panes[PAGES[page][0][0]].focus()

    def do_show_desk(self, _: Pane | None) -> None:
        """Show the desk."""
        self.show_page(DESK_PAGE)

    def do_show_blotter(self, _: Pane | None) -> None:
        """Show the orders and their changes."""
        self.show_page("blotter")

    def do_show_venues(self, _: Pane | None) -> None:
        """Show the venues and the log."""
        self.show_page("venues")

    def do_show_log(self, _: Pane | None) -> None:
        """Show the log."""
        self.show_page("log")

    def action_step(self, steps: int) -> None:
        """Go to the next or the previous pane in sight."""
        shown = [name for name in PANES if self.panes[name].display]
        here = self.focused_pane
        place = shown.index(here.NAME) if here is not None and here.NAME in shown else -steps
        name = shown[(place + steps) % len(shown)]
        self.panes[name].focus()

    def show_ladder(self, where: Where) -> None:
        """Show a contract in the ladder, and the ladder if it shares its place."""
        self.page = DESK_PAGE
        self.ladder_wanted = where
        self.ladder.show(where)
        self.recent = ["ladder", *(other for other in self.recent if other != "ladder")]
        focused = self.focused
        self.place()
        if focused is not None and focused.display:
            focused.focus()

    def do_zoom(self, pane: Pane | None) -> None:
        """Give a pane the whole desk, or give it back."""
        self.zoomed = "" if self.zoomed else (pane.NAME if pane else "orders")
        self.place()

    def do_next_layout(self, _: Pane | None) -> None:
        """Take the next layout."""
        self._step_layout(1)

    def do_previous_layout(self, _: Pane | None) -> None:
        """Take the layout before."""
        self._step_layout(-1)

    def _step_layout(self, steps: int) -> None:
        names = list(LAYOUTS)
        self.take_layout(names[(names.index(self.layout_name) + steps) % len(names)])
        self.desk.say(f"layout {self.layout_name}: {LAYOUTS[self.layout_name].about}")

    def take_layout(self, name: str) -> None:
        """Place the panes by another layout, each in its own place again."""
        self.layout_name = name
        self.zoomed, self.page, self.recent = "", DESK_PAGE, []
        self.place()

    def do_jump(self, _: Pane | None) -> None:
        """Write a letter on every pane in sight; the letter typed next goes there."""
        targets = {name: pane.region for name, pane in self.panes.items() if pane.display}

        def chosen(name: str | None) -> None:
            if name is not None:
                self.go_to(name)

        self.app.push_screen(JumpScreen(targets), chosen)

    def action_perform(self, action_id: str) -> None:
        """Do an action of the table that is bound on the desk."""
        self.desk.perform(action_id, self.focused_pane)
