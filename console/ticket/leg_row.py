"""One hedge leg in the ticket."""

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.suggester import Suggester
from textual.widgets import Input, Label, Static

from console.ticket.draft import LegDraft

POLICY_HINT = "market, or like: join 2s then ioc 8bps then market"


class LegRow(Vertical):
    """Venue and ticker on one line, the policy in the grammar's words on the next, then ratio and delay, its error."""

    def __init__(self, number: int, leg: LegDraft, suggester: Suggester) -> None:
        super().__init__(classes="leg")
        self.number = number
        self.leg = leg
        self.suggester = suggester

    def compose(self) -> ComposeResult:
        """The fields."""
        leg, number = self.leg, self.number
        with Horizontal(classes="field"):
            yield Label(f"leg {number} →", classes="label", id=f"leg{number}-label")
            yield Input(leg.contract, id=f"leg{number}-contract", placeholder="venue:TICKER", suggester=self.suggester,
                        compact=True, classes="contract")  # fmt: skip
            yield Static("", id=f"leg{number}-note", classes="note")
        with Horizontal(classes="field"):
            yield Label("       by", classes="label")
            yield Input(leg.policy, id=f"leg{number}-policy", placeholder=POLICY_HINT, compact=True, classes="policy")
        with Horizontal(classes="field"):
            yield Label("", classes="label")
            yield Label("ratio x")
            yield Input(leg.ratio, id=f"leg{number}-ratio", placeholder="1", compact=True, classes="short")
            yield Label("  after ")
            yield Input(leg.after, id=f"leg{number}-after", placeholder="0ms", compact=True, classes="short")
        yield Static("", id=f"leg{number}-error", classes="error")

    def draft(self) -> LegDraft:
        """The leg as typed."""
        return LegDraft(
            contract=self._typed("contract"),
            ratio=self._typed("ratio"),
            policy=self._typed("policy") or "market",
            after=self._typed("after"),
        )

    def _typed(self, name: str) -> str:
        return self.query_one(f"#leg{self.number}-{name}", Input).value.strip()
