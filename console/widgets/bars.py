"""What the bars at the edges say: the desk's state above, the panes, the keys below. Pure: values in, spans out."""

from collections.abc import Iterable

from console import fmt
from console.actions import APP, Action
from console.panes.mirror import Mirror
from console.panes.when import NOTHING, Selection
from console.widgets.line_bar import Span

_ARMING = {"PAPER": "badge-paper", "SAFE": "badge-live", "ARMED": "badge-armed"}
_ARMING_TEXT = {"PAPER": "PAPER", "SAFE": "LIVE SAFE", "ARMED": "LIVE ARMED"}


def state_spans(mirror: Mirror, silence_ns: int, *, silent: bool, faults: int) -> tuple[list[Span], list[Span]]:
    """The top bar: arming and trading state, counts, and the engine's heartbeat. What alarms is never left out."""
    header = mirror.header
    if header is None:
        return [Span(" waiting for the engine … ", "muted")], [Span("hedgedesk ", "faint", 9)]
    left = [
        Span(f" {_ARMING_TEXT.get(header.arming, header.arming)} ", _ARMING.get(header.arming, "badge-alarm")),
        *([Span(" VIEW ONLY ", "badge-warn")] if header.view else []),
        *([Span(f" {header.desk}", "bold", 6)] if header.desk else []),
        Span(f" {header.trading} ", "muted" if header.trading == "ACTIVE" else "badge-warn"),
        *_count("makers", header.working, 3),
        *_count("hedging", header.children, 3, "accent"),
        *_count("unknown", header.unknown, 5, "bold alarm", always=1),
        *_waiting(mirror),
    ]
    if faults:
        left.append(Span(f"  {fmt.count(faults, 'screen fault')} (7)", "alarm"))
    if silent:
        return left, [Span(f" ENGINE SILENT {silence_ns // 1_000_000_000} s ", "badge-alarm")]
    right = [Span(f"{name} {symbol}  ", ink, 4) for name, symbol, ink in _venues(mirror)]
    right += [Span("♥ ", "ok", 2), Span(f"{fmt.clock(header.now_ns, millis=False)} UTC ", "muted", 2)]
    return left, right


def _count(label: str, value: int, priority: int, ink: str = "", *, always: int = 0) -> list[Span]:
    if value:
        place = 0 if always else priority
        return [Span(f"  {label} ", "muted", place), Span(str(value), ink, place)]
    return [Span(f"  {label} 0", "faint", priority)]


def _waiting(mirror: Mirror) -> list[Span]:
    header = mirror.header
    if header is None or not header.waiting_notional:
        return [Span("  unhedged 0", "faint", 1)]
    return [Span("  unhedged ", "muted", 1), Span(fmt.money(header.waiting_notional), "warn", 1)]


def _venues(mirror: Mirror) -> Iterable[tuple[str, str, str]]:
    for row in sorted(mirror.venues.values(), key=lambda row: row.venue):
        symbol = {"up": "●", "part": "◐", "DOWN": "○ DOWN"}[row.state]
        yield row.venue, symbol, "muted" if row.state == "up" else "alarm"


def pane_spans(captions: Iterable[tuple[str, str, str, str]], focused: str, shown: Iterable[str]) -> list[Span]:
    """The strip of panes: (name, key, title, ink of its counters) each; the focused and the shown ones stand out.

    Where the width is short, the titles of those that are neither leave, the last first: every key stays.
    """
    visible = set(shown)
    spans = []
    for place, (name, key, title, ink) in enumerate(captions):
        title_ink = "bold" if name == focused else "" if name in visible else "muted"
        leaves = 0 if name == focused or name in visible else 2 + place
        if ink in {"alarm", "warn"}:
            title_ink, leaves = f"bold {ink}", 0
        spans += [Span(f" {key}", "accent"), Span(f" {title}", title_ink, leaves), Span(" ", "", 100)]
    return spans


def key_spans(actions: Iterable[Action], mirror: Mirror, selection: Selection = NOTHING) -> list[Span]:
    """The footer: the keys of the focused pane. What cannot be done now is dimmed; panic and help leave last."""
    spans = []
    for place, action in enumerate(action for action in actions if action.footer):
        priority = 0 if APP in action.scopes or action.id in {"help", "leave"} else place + 2
        blocked = action.blocked(mirror, selection) is not None
        key_ink = "faint" if blocked else "bold alarm" if action.id == "panic" else "accent"
        spans.append(Span(f" {action.key_label} ", key_ink, priority))
        spans.append(Span(f"{action.label} ", "faint" if blocked else "muted", priority))
    return spans


_SEVERITY = {"info": ("✓ ", "ok"), "warning": ("! ", "warn"), "error": ("✕ ", "bold alarm")}


def message_spans(text: str, severity: str) -> list[Span]:
    """The message line, which stands in for the keys for a while."""
    symbol, ink = _SEVERITY.get(severity, _SEVERITY["info"])
    return [Span(f" {symbol}", ink), Span(text, "" if severity == "info" else ink)]
