"""Who calls the operator: a toast for each error, a bell at a bounded rate, the terminal's title for a while."""

from typing import Any

from textual.app import App

from console.alerts import FILLED_WITHIN_NS, Alerts
from console.link import Frame
from console.panes.mirror import Mirror

TOAST_S = 8.0
TOASTS = 3
"""Most toasts of one frame: the history has them all."""


class Herald:
    """Tells on an ``app``'s terminal what its frames alert of."""

    def __init__(self, app: App[Any]) -> None:
        self.alerts = Alerts()
        self._app = app
        self._title = ""

    def tell(self, frame: Frame, mirror: Mirror, now_ns: int) -> None:
        """Take a frame that the mirror has merged; ``now_ns`` is the console's monotonic clock."""
        told = self.alerts.take(frame, mirror)
        for alert in [alert for alert in told if alert.severity == "error"][-TOASTS:]:
            text = f"{alert.kind.value}: {alert.text}"
            self._app.notify(text, severity="error", timeout=TOAST_S, markup=False)
        filled = any(mirror.now_ns - fill.ts_ns < FILLED_WITHIN_NS for fill in frame.fills)
        if self.alerts.ring(told, now_ns, filled=filled):
            self._app.bell()

    def show_title(self, now_ns: int) -> None:
        """Write the terminal's title where it changes: the last alert that rang, or the app's name."""
        title = self.alerts.title(now_ns) or str(self._app.title)
        driver = self._app._driver  # noqa: SLF001 - textual has no public way to write a title
        if title != self._title and driver is not None:
            self._title = title
            driver.write(f"\x1b]2;{title}\x07")
