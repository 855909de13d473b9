"""The greeting of the first run: what kind of desk this is, and the three keys that matter. Takes no key itself."""

from textual.content import Content
from textual.widgets import Static

from console.actions import BY_ID
from console.link import Header

WIDTH, HEIGHT = 64, 13
"""With its border."""

_THREE = {
    "new": "make an order that is hedged on another venue",
    "help": "what the pane in focus is for, and its keys",
    "panic": "PANIC: cancel every maker at once, go on hedging",
}


def kind_of_desk(header: Header | None) -> tuple[str, str, str]:
    """A badge, its ink, and what it means."""
    if header is None or header.arming == "PAPER":
        return "PAPER", "paper", "simulated venues, simulated money"
    if header.arming == "SAFE":
        return "LIVE SAFE", "live", f"real accounts; {BY_ID['arming'].key_label} arms it, by a question"
    return "LIVE ARMED", "armed", "real accounts: orders go out"


class Welcome(Static):
    """A card in the middle of the desk, until the first key or click, which do what they always do."""

    DEFAULT_CSS = """
    Welcome {
        layer: welcome;
        position: absolute;
        display: none;
        padding: 1 3;
        background: $surface;
        border: round $primary;
        border-title-color: $accent;
        border-title-style: bold;
    }
    """

    def __init__(self) -> None:
        super().__init__(id="welcome")
        self.wanted = False
        self.border_title = "welcome to hedgedesk"
        self.styles.width, self.styles.height = WIDTH, HEIGHT

    def place(self, width: int, height: int) -> None:
        """Stand in the middle of a screen of this size, where it has room."""
        self.display = self.wanted and width >= WIDTH + 2 and height >= HEIGHT + 4
        self.styles.offset = (max(0, (width - WIDTH) // 2), max(0, (height - HEIGHT) // 2))

    def show(self, header: Header | None) -> None:
        """Say what kind of desk it is."""
        if self.display:
            badge, ink, means = kind_of_desk(header)
            three = [(BY_ID[name].key_label, text) for name, text in _THREE.items()]
            self.update(
                Content.assemble(
                    (f" {badge} ", f"bold $background on ${ink}"), f"  {means}\n\n",
                    *(part for key, text in three for part in ((f"  {key:<5}", "bold $accent"), f"{text}\n")),
                    ("\nEvery fill on one venue is hedged on another, once.\n", "$muted"),
                    ("Any key closes this card, and does what it does.", "$muted"),
                )
            )  # fmt: skip
