"""The ticket: a maker order and its hedge legs as a form that writes one command line."""

import asyncio
from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import partial
from typing import ClassVar

import msgspec
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.suggester import Suggester
from textual.widgets import Input, Label, Static
from textual.worker import Worker

from console import fmt
from console.link import ContractRow, Link, Preview
from console.panes.mirror import Mirror
from console.screens.template_picker import TemplatePicker
from console.templates import Templates
from console.ticket.draft import (
    POLICY_CYCLE,
    RULES,
    SIDES,
    TIFS,
    Draft,
    LegDraft,
    counterpart,
    cycled,
    matching,
    stepped,
)
from console.ticket.effect import effect, field_of
from console.ticket.leg_row import LegRow
from console.widgets.toggle import Toggle

PREVIEW_AFTER_S = 0.12
PREVIEW_EVERY_S = 0.5
"""How often an unchanged draft is checked again: quotes come, and move."""

KEYS = "ctrl+s send · ctrl+n/g leg · ctrl+t templates · ctrl+y copy · ↑↓ step"


class ContractSuggester(Suggester):
    """Suggests the rest of a ``venue:TICKER``."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(case_sensitive=True)
        self.names = names

    async def get_suggestion(self, value: str) -> str | None:
        """The first contract that starts with what is typed."""
        return next((name for name in self.names if value and name.startswith(value)), None)


class Ticket(ModalScreen[str | None]):
    """Dismissed with the engine's answer when the order was taken, None when the ticket was closed.

    ``keep`` is given every change of the draft, so that closing or a refusal loses nothing.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", show=False),
        Binding("ctrl+s", "send", show=False, priority=True),
        Binding("ctrl+n", "add_leg", show=False, priority=True),
        Binding("ctrl+g", "drop_leg", show=False, priority=True),
        Binding("ctrl+t", "templates", show=False, priority=True),
        Binding("ctrl+y", "copy_line", show=False, priority=True),
        Binding("up", "step(1)", show=False),
        Binding("down", "step(-1)", show=False),
    ]

    def __init__(
        self, link: Link, mirror: Mirror, draft: Draft, keep: Callable[[Draft], None], templates: Templates
    ) -> None:
        super().__init__()
        self.templates = templates
        self.link = link
        self.mirror = mirror
        self.start = draft
        self._keep = keep
        self._sending = False
        self._warned = ""
        self._held = True
        """Whether the form stays as it is: while its rows come or go, and under a refusal, which is to be read."""
        self._checking: Worker[None] | None = None
        self._shown: Preview | None = None

    # ------------------------------------------------------------ the form

    def compose(self) -> ComposeResult:
        """The maker's fields, the legs, and what will happen."""
        draft, names = self.start, self.mirror.contract_names()
        self.suggester = ContractSuggester(names)
        header = self.mirror.header
        hint = f"{header.default_venue or 'venue'}:TICKER" if header else "venue:TICKER"
        with Vertical(classes="dialog ticket") as box:
            box.border_title = "new order"
            with VerticalScroll(id="fields"):
                with Horizontal(classes="field"):
                    yield Label("side", classes="label")
                    yield Toggle(SIDES, draft.side, id="side")
                yield from self._field("amount", Input(draft.amount, id="amount", placeholder="0", compact=True))
                contract = Input(
                    draft.contract, id="contract", placeholder=hint, suggester=self.suggester, compact=True
                )
                yield from self._field("contract", contract)
                price = Input(draft.price, id="price", placeholder="price, queue1, market", compact=True)
                yield from self._field("price", price)
                with Horizontal(classes="field"):
                    yield Label("flags", classes="label")
                    yield Toggle(("no-post", "post"), "post" if draft.post else "no-post", id="post")
                    yield Toggle(("no-reduce", "reduce"), "reduce" if draft.reduce else "no-reduce", id="reduce")
                    yield Toggle(TIFS, draft.tif, id="tif")
                yield Static("", id="flags-error", classes="error")
                with Vertical(id="legs"):
                    for number, leg in enumerate(draft.legs, 1):
                        yield LegRow(number, leg, self.suggester)
            yield Static("", id="form-error", classes="error")
            yield Static("", id="effect")
            yield Static("", id="line", classes="line")
            yield Static(KEYS, classes="hint")

    def _field(self, name: str, field: Input) -> Iterable[Horizontal | Static]:
        yield Horizontal(Label(name, classes="label"), field, Static("", id=f"{name}-note", classes="note"),
                         classes="field")  # fmt: skip
        yield Static("", id=f"{name}-error", classes="error")

    def on_mount(self) -> None:
        """Begin."""
        self._begin()
        self.set_interval(PREVIEW_EVERY_S, self._look_again)

    def _begin(self) -> None:
        """Focus where something is missing, and check."""
        missing = [name for name in ("contract", "amount", "price") if not getattr(self.start, name)]
        self.query_one(f"#{'amount' if 'amount' in missing else (missing or ['amount'])[0]}").focus()
        self._changed()

    @property
    def legs(self) -> list[LegRow]:
        """The legs' rows."""
        return list(self.query(LegRow))

    def draft(self) -> Draft:
        """What is typed."""
        return Draft(
            side=self.query_one("#side", Toggle).value,
            amount=self._typed("amount"),
            contract=self._typed("contract"),
            price=self._typed("price"),
            post=self.query_one("#post", Toggle).value == "post",
            reduce=self.query_one("#reduce", Toggle).value == "reduce",
            tif=self.query_one("#tif", Toggle).value,
            legs=tuple(leg.draft() for leg in self.legs),
        )

    def _typed(self, name: str) -> str:
        return self.query_one(f"#{name}", Input).value.strip()

    def _contract(self, name: str) -> ContractRow | None:
        venue, _, ticker = name.partition(":")
        return self.mirror.contracts.get((venue, ticker))

    # ------------------------------------------------------------ checking as one types

    def on_input_changed(self, event: Input.Changed) -> None:
        """Check again."""
        event.stop()
        self._changed()

    def on_toggle_turned(self, event: Toggle.Turned) -> None:
        """Check again."""
        event.stop()
        self._changed()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go to the next field: a stray enter never sends."""
        event.stop()
        if "contract" in (event.input.id or ""):
            offer = next((name for name in self.suggester.names if event.value and name.startswith(event.value)), "")
            event.input.value = offer or event.value
        self.focus_next()

    def _changed(self) -> None:
        self._held = False
        draft = self.draft()
        self._keep(draft)
        self.query_one("#line", Static).update(Content(f"› {draft.line()}"))  # noqa: RUF001  # a prompt, not a >
        self._notes(draft)
        self._checking = self.run_worker(partial(self._check, draft), group="preview", exclusive=True)

    def _notes(self, draft: Draft) -> None:
        self._note("amount", self._amount_note(draft))
        self._note("contract", self._contract_note(draft.contract))
        self._note("price", self._price_note(draft))
        for leg, typed in zip(self.legs, draft.legs, strict=True):
            note = self._contract_note(typed.contract) if typed.contract else "no contract: this leg is left out"
            self._note(f"leg{leg.number}", note)

    def _note(self, name: str, text: str) -> None:
        self.query_one(f"#{name}-note", Static).update(Content(text))

    def _amount_note(self, draft: Draft) -> str:
        row = self._contract(draft.contract)
        if row is None:
            return "in the base asset"
        return f"{row.base}  lot {row.lot:f}  min {row.min_quantity:f} / {row.min_notional:f} {row.quote}"

    def _contract_note(self, typed: str) -> str:
        row = self._contract(typed)
        if row is None:
            return "  ".join(name for name in matching(typed, self.suggester.names, 3) if name != typed)
        if row.bid is None or row.ask is None:
            return "no quote yet"
        return f"{fmt.number(row.bid, row.tick)} / {fmt.number(row.ask, row.tick)}"

    def _price_note(self, draft: Draft) -> str:
        row = self._contract(draft.contract)
        return f"tick {self.mirror.price_step(row.venue, row.ticker) or row.tick:f}" if row else ""

    async def _check(self, draft: Draft, wait_s: float = PREVIEW_AFTER_S) -> None:
        await asyncio.sleep(wait_s)  # the next key cancels this worker
        preview = None if draft.empty else await self.link.preview(draft.line())
        if self in self.app.screen_stack and (wait_s or preview != self._shown):  # it may have been left meanwhile
            self._show(preview)

    def _look_again(self) -> None:
        """Check the form as it stands, unless it is held: quotes come, and move."""
        if not (self._sending or self._held) and (self._checking is None or self._checking.is_finished):
            draft = self.draft()
            self._notes(draft)
            self._checking = self.run_worker(partial(self._check, draft, 0), group="preview", exclusive=True)

    def _show(self, preview: Preview | None) -> None:
        self._shown = preview
        wrong = "" if preview is None or preview.ok else field_of(preview.field, len(self.legs))
        for error in self.query(".error"):
            name = (error.id or "").removesuffix("-error")
            error.display = name == wrong
            if name == wrong and preview is not None and isinstance(error, Static):
                error.update(Content(f"✕ {preview.error}"))
                error.scroll_visible(animate=False)
        lines = [("What the order will do is shown here as you type.", "muted")]
        if preview is not None:
            lines = effect(preview) if preview.ok else []
        pieces = [Content.styled(text, f"${ink}") for text, ink in lines]
        self.query_one("#effect", Static).update(Content("\n").join(pieces))

    # ------------------------------------------------------------ keys

    def action_step(self, steps: int) -> None:
        """Step the field with the focus: a tick, a lot, the next rule, policy or contract."""
        field = self.focused
        if isinstance(field, Toggle):
            field.action_turn(steps)
            return
        if not isinstance(field, Input):
            return
        name = field.id or ""
        row = self._contract(self._typed("contract"))
        if name == "amount" and row is not None:
            field.value = stepped(field.value or "0", row.lot, steps)
        elif name == "price":
            field.value = self._stepped_price(field.value, row, steps)
        elif name.endswith("contract"):
            field.value = cycled(matching("", self.suggester.names, len(self.suggester.names)), field.value, -steps)
        elif name.endswith("policy"):
            field.value = cycled(list(POLICY_CYCLE), field.value, -steps)
        field.cursor_position = len(field.value)

    def _stepped_price(self, text: str, row: ContractRow | None, steps: int) -> str:
        if text in RULES:
            return cycled(list(RULES), text, -steps)
        if row is None:
            return text
        step = self.mirror.price_step(row.venue, row.ticker) or row.tick
        if not text:
            near: Decimal | None = row.bid if self.query_one("#side", Toggle).value == "buy" else row.ask
            return fmt.number(near, row.tick) if near is not None else ""
        return stepped(text, step, steps)

    async def action_add_leg(self) -> None:
        """Add a leg and go to it. The first is offered the same base asset on another venue."""
        number = len(self.legs) + 1
        other = "" if self.legs else counterpart(self.mirror.contracts.values(), self._typed("contract"))
        row = LegRow(number, LegDraft(contract=other), self.suggester)
        self._held = True
        await self.query_one("#legs").mount(row)
        row.query_one(f"#leg{number}-contract").focus()
        row.scroll_visible(animate=False)
        self._changed()

    async def action_drop_leg(self) -> None:
        """Drop the leg with the focus, else the last."""
        legs = self.legs
        if not legs:
            return
        here = next((leg for leg in legs if self.focused in leg.query("*")), legs[-1])
        drafts = [leg.draft() for leg in legs if leg is not here]
        box = self.query_one("#legs")
        self._held = True
        await box.remove_children()
        await box.mount_all(LegRow(number, leg, self.suggester) for number, leg in enumerate(drafts, 1))
        self.query_one("#price").focus()
        self._changed()

    def action_copy_line(self) -> None:
        """Copy the command line that the ticket writes."""
        self.app.copy_to_clipboard(self.draft().line())
        self._say("the line is on the terminal's clipboard")

    def action_templates(self) -> None:
        """Recall a template, or save the draft as one."""
        if not self._sending:
            self.app.push_screen(TemplatePicker(self.templates, self.draft()), self._recalled)

    async def _recalled(self, draft: Draft | None) -> None:
        if draft is not None:
            self.start = draft
            self._held = True
            self.workers.cancel_group(self, "preview")
            await self.recompose()
            self._begin()

    def action_send(self) -> None:
        """Check once more and send. A second press while the first is under way does nothing."""
        if not self._sending:
            self._sending = True
            self.workers.cancel_group(self, "preview")  # it would write over the answer
            self.run_worker(partial(self._send, self.draft()), group="send")

    async def _send(self, draft: Draft) -> None:
        line = draft.line()
        preview = await self.link.preview(line)
        if not preview.ok:
            self._stay(preview)
        elif preview.warnings and self._warned != line:
            self._warned = line
            self._stay(preview, "ctrl+s once more sends it in spite of the warning")
        else:
            self._say("sending …")
            reply = await self.link.command(line)
            if reply.ok:
                self._keep(msgspec.structs.replace(draft, amount=""))
                self.dismiss(reply.text or line)
            else:
                self._held = True
                self._stay(Preview(ok=False, error=reply.error, field=reply.field))

    def _stay(self, preview: Preview, text: str = "") -> None:
        self._sending = False
        self._show(preview)
        if text:
            self._say(text)

    def _say(self, text: str) -> None:
        self.query_one("#form-error", Static).update(Content(text))
        self.query_one("#form-error").display = True

    def action_leave(self) -> None:
        """Close; the draft is kept."""
        self.dismiss(None)
