"""The history of alerts: what, where, when, how often. Live while it is open."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from console import fmt
from console.alerts import Alert, Alerts
from console.panes.mirror import Mirror
from console.screens.dialog import DetailsDialog
from console.widgets.columns import Cell, Column
from console.widgets.live_table import LiveTable

REFRESH_S = 0.25

_INK = {"warning": "warn", "error": "alarm"}


class AlertsScreen(ModalScreen[None]):
    """Reads the history; enter shows an alert in full."""

    DEFAULT_CSS = """
    AlertsScreen LiveTable { height: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,exclamation_mark", "leave", show=False)]

    def __init__(self, alerts: Alerts, mirror: Mirror) -> None:
        super().__init__()
        self._alerts = alerts
        self._mirror = mirror
        self.table: LiveTable[Alert] = LiveTable(
            self._columns(), empty="Nothing to report: no alert since the console was opened.", follow=True
        )

    def _columns(self) -> list[Column[Alert]]:
        return [
            Column(key="time", label="time", width=8, priority=1,
                   cell=lambda row: Cell(fmt.clock(row.ts_ns, millis=False), "muted")),
            Column(key="age", label="age", width=5, right=True, priority=3, ticking=True,
                   cell=lambda row: Cell(fmt.age(self._mirror.now_ns, row.ts_ns), "muted")),
            Column(key="kind", label="kind", width=8, cell=lambda row: Cell(row.kind.value, _INK[row.severity])),
            Column(key="times", label="said", width=4, right=True, priority=2,
                   cell=lambda row: Cell(f"{row.times}x" if row.times > 1 else "", "muted")),
            Column(key="venue", label="venue", width=11, priority=4, cell=lambda row: Cell(row.venue, "muted")),
            Column(key="text", label="what", width=30, grow=1, widest=400, cell=lambda row: Cell(row.text)),
        ]  # fmt: skip

    def compose(self) -> ComposeResult:
        """The table and how to leave."""
        with Vertical(classes="dialog") as box:
            box.border_title = "alerts"
            box.styles.width, box.styles.max_width, box.styles.height = "100%", 160, "75%"
            yield self.table
            muted = "the bell is silent (M)" if self._alerts.muted else "the bell rings (M silences it)"
            yield Static(f"enter shows all of a line · escape leaves · {muted}", classes="hint")

    def on_mount(self) -> None:
        """Show them, and keep them up to date."""
        self.table.focus()
        self._show()
        self.set_interval(REFRESH_S, self._show)

    def _show(self) -> None:
        self.table.put(
            (str(alert.number), alert)
            for alert in self._alerts.history
            if self.table.rows.get(str(alert.number)) != alert
        )
        self.table.flush()

    def on_live_table_row_chosen(self, event: LiveTable.RowChosen) -> None:
        """Show one in full."""
        self.app.push_screen(DetailsDialog("alert", event.row))

    def action_leave(self) -> None:
        """Back to the desk."""
        self.dismiss(None)
