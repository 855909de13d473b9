import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.widgets import Input

from console.language import parse
from console.link import Preview, Reply
from console.ticket.draft import Draft, LegDraft, carried, counterpart, cycled, drafted, matching, stepped
from console.ticket.effect import caret_lines, effect, field_of
from console.ticket.ticket import Ticket
from console.widgets.toggle import Toggle
from gateways.contracts import is_multiple
from tests.console.pilots import staged
from tests.console.scripted import D, contract, desk_frame, header, ladder

# ------------------------------------------------------------------ the draft, pure

amounts = st.decimals(min_value=D("0.001"), max_value=D(1000), places=3).map(str)
contracts = st.sampled_from(["binance:ETHUSDT", "hyperliquid:SOL", "bybit:1000PEPEUSDT"])
legs = st.builds(
    LegDraft,
    contract=contracts,
    ratio=st.sampled_from(["", "1", "0.5", "x2"]),
    policy=st.sampled_from(["market", "ioc 8bps", ""]),
    after=st.sampled_from(["", "0", "250", "250ms", "2s"]),
)
drafts = st.builds(
    Draft,
    side=st.sampled_from(["buy", "sell"]),
    amount=amounts,
    contract=st.just("okx:ETH-USDT-SWAP"),
    price=st.sampled_from(["2431.5", "queue5"]),
    post=st.booleans(),
    reduce=st.booleans(),
    legs=st.lists(legs, max_size=3, unique_by=lambda leg: leg.contract).map(tuple),
)


@given(drafts)
def test_every_filled_draft_writes_a_line_of_the_grammar(draft):
    """What the ticket writes is read back as the same order, leg by leg."""
    place = parse(draft.line())
    assert (place.side.value, str(place.amount), place.post, place.reduce) == (
        draft.side, draft.amount, draft.post, draft.reduce,
    )  # fmt: skip
    assert [f"{leg.venue}:{leg.ticker}" for leg in place.legs] == [leg.contract for leg in draft.legs]
    for leg, typed in zip(place.legs, draft.legs, strict=True):
        assert leg.ratio == D(typed.ratio.removeprefix("x") or "1")
        assert leg.policy.trigger_after_ms == {"": 0, "0": 0, "250": 250, "250ms": 250, "2s": 2000}[typed.after]


@given(drafts)
def test_an_order_as_a_draft_is_the_same_order(draft):
    """What a clone opens writes the order again, with its legs, delays and prices by name."""
    place = parse(draft.line())
    assert parse(drafted(place).line()) == place


def test_a_market_order_with_a_ladder_of_policies_is_cloned_whole():
    """No price, ioc, thresholds and what follows a failure are kept."""
    line = "sell 2 okx:ETH-USDT-SWAP @ market ioc hedge x2 binance:ETHUSDT join 2s then ioc 8bps then market"
    assert parse(drafted(parse(line)).line()) == parse(line)


def test_another_contracts_draft_brings_its_own_hedge_and_the_same_ones_is_kept():
    """For the contract kept the legs stay as typed; for another the counterpart is offered, at market."""
    rows = [contract("binance", "ETHUSDT"), contract("hyperliquid", "ETH")]
    kept = Draft(contract="hyperliquid:ETH", amount="3", legs=(LegDraft(contract="okx:X", policy="ioc 8bps"),))
    here = carried(Draft(contract="hyperliquid:ETH", side="sell"), kept, rows)
    assert (here.amount, here.legs, here.side) == ("3", kept.legs, "sell")
    assert carried(Draft(contract="hyperliquid:ETH", amount="1"), kept, rows).amount == "1"
    there = carried(Draft(contract="binance:ETHUSDT"), kept, rows)
    assert (there.amount, there.legs) == ("", (LegDraft(contract="hyperliquid:ETH"),))


def test_a_draft_writes_the_example_of_the_guide():
    """The line is the one a person would type."""
    leg = LegDraft(contract="binance:ETHUSDT", ratio="0.5", policy="ioc 8bps", after="250")
    draft = Draft(side="buy", amount="0.5", contract="hyperliquid:ETH", price="2431.5", legs=(leg, LegDraft()))
    assert draft.line() == "buy 0.5 hyperliquid:ETH @ 2431.5 hedge x0.5 binance:ETHUSDT ioc 8bps after 250ms"


@given(
    st.decimals(min_value=D("0.001"), max_value=D(10_000), places=4),
    st.sampled_from([D("0.1"), D("0.01"), D("0.5"), D(1)]),
    st.sampled_from([1, -1, 10]),
)
def test_a_step_lands_on_the_grid_and_moves_the_right_way(value, step, steps):
    """Stepping goes to the next multiple in its direction, and never under one step."""
    after = D(stepped(str(value), step, steps))
    assert is_multiple(after, step)
    assert after >= step
    if steps > 0:
        assert value < after <= value + step * steps
    elif value > step:
        assert after < value


@pytest.mark.parametrize("text", ["", "queue1", "nan", "inf", "1e"])
def test_a_text_that_is_no_number_is_not_stepped(text):
    """Rules and half-typed numbers stay as they are."""
    assert stepped(text, D("0.1"), 1) == text


def test_matching_names_puts_the_likeliest_first():
    """Those that start with it, then tickers that do, then any that hold it."""
    names = ["binance:ETHUSDT", "binance:SOLUSDT", "hyperliquid:ETH", "okx:STETH"]
    assert matching("eth", names) == ["binance:ETHUSDT", "hyperliquid:ETH", "okx:STETH"]
    assert matching("hyper", names) == ["hyperliquid:ETH"]
    assert matching("", names, 2) == names[:2]


def test_the_counterpart_is_the_same_asset_on_another_venue():
    """A maker on one venue is offered its hedge on another, none where there is none."""
    rows = [contract("binance", "ETHUSDT"), contract("hyperliquid", "ETH"), contract("binance", "X", base="X")]
    assert counterpart(rows, "hyperliquid:ETH") == "binance:ETHUSDT"
    assert counterpart(rows, "binance:ETHUSDT") == "hyperliquid:ETH"
    assert counterpart(rows, "binance:X") == ""
    assert counterpart(rows, "binance:none") == ""


def test_cycling_goes_round():
    """The arrows go round the values, from the first where the present is none of them."""
    assert cycled(["a", "b"], "b", 1) == "a"
    assert cycled(["a", "b"], "a", -1) == "b"
    assert cycled(["a", "b"], "other", 1) == "a"
    assert cycled([], "x", 1) == "x"


@pytest.mark.parametrize(
    ("field", "row"),
    [
        ("amount", "amount"),
        ("ticker", "contract"),
        ("venue", "contract"),
        ("price", "price"),
        ("post", "flags"),
        ("leg 2 ticker", "leg2"),
        ("leg 1", "leg1"),
        ("leg 3 ratio", "form"),
        ("", "form"),
        ("surprise", "form"),
    ],
)
def test_an_error_belongs_to_the_row_of_its_field(field, row):
    """Fields as previews name them are found in a form with two legs; any other is the form's."""
    assert field_of(field, 2) == row


@given(st.text(st.characters(categories=["L"]), min_size=1, max_size=60), st.integers(0, 120), st.integers(20, 100))
def test_the_caret_stands_under_its_place(text, caret, width):
    """The caret is at its column (or the last), and the whole text is shown."""
    lines = caret_lines(text, caret, width)
    assert lines[0].index("▲") == min(caret, width - 1)
    assert text in "\n".join(lines)


def test_an_effect_tells_sentence_notional_remainder_and_warnings():
    """Each warning stands on its own line."""
    preview = Preview(
        ok=True, sentence="buy", notional=D("1215.75"), remainder="0.0004 may wait", warnings=("w1", "w2")
    )
    assert effect(preview) == [
        ("buy", "foreground"),
        ("notional 1,215.75 · 0.0004 may wait", "muted"),
        ("! w1", "warn"),
        ("! w2", "warn"),
    ]


# ------------------------------------------------------------------ the form


async def opened(stage):
    await stage.press("n")
    await stage.opened(Ticket)
    await stage.until(lambda: stage.app.screen.focused is not None)
    return stage.app.screen


def shown(ticket, name):
    widget = ticket.query_one(f"#{name}")
    return widget.render().plain if widget.display else ""


LINE = "buy 0.5 hyperliquid:ETH @ queue1 post hedge binance:ETHUSDT market"


async def test_the_ticket_writes_and_sends_one_command_line():
    """Filled in and sent with ctrl+s, the ticket sends the line that it shows, and closes."""
    async with staged() as stage:
        ticket = await opened(stage)
        assert ticket.focused.id == "amount"
        await stage.press(*"0.5", "tab", "tab", *"queue1")
        assert LINE in shown(ticket, "line")
        await stage.press("ctrl+s")
        await stage.on_desk()
        assert stage.link.lines == [LINE]
        assert f"done: {LINE}" in stage.message


async def test_the_effect_is_shown_while_typing():
    """After a pause in the typing the preview's sentence stands in the form; nothing is sent."""
    async with staged() as stage:
        stage.link.preview_answers[LINE] = Preview(
            ok=True, sentence="buys half an ether", notional=D(1215), remainder="up to 0.0009 ETH may wait on binance"
        )
        ticket = await opened(stage)
        await stage.press("text:0.5", "tab", "tab", "text:queue1")
        await stage.until(lambda: "buys half an ether" in shown(ticket, "effect"))
        assert "1,215.00" in shown(ticket, "effect")
        assert "may wait on binance" in shown(ticket, "effect")
        assert stage.link.lines == []


async def test_typing_is_checked_when_it_pauses_and_not_at_each_letter(monkeypatch):
    """Letters typed in one go ask for one preview."""
    monkeypatch.setattr("console.ticket.ticket.PREVIEW_AFTER_S", 0.5)  # longer than a loaded machine takes for a letter
    async with staged() as stage:
        await opened(stage)
        await stage.press(*"0.12345")
        await stage.until(lambda: stage.link.previews)
        assert len(stage.link.previews) <= 2


@pytest.mark.parametrize(
    ("field", "row"), [("amount", "amount"), ("price", "price"), ("leg 1 ticker", "leg1"), ("mystery", "form")]
)
async def test_an_error_stands_under_its_field_and_is_not_sent(field, row):
    """A refused preview is shown under the field it names; ctrl+s does not send it; the draft stays."""
    async with staged() as stage:
        stage.link.preview_answers[LINE] = Preview(ok=False, error="this is wrong", field=field)
        ticket = await opened(stage)
        await stage.press("text:0.5", "tab", "tab", "text:queue1", "ctrl+s")
        await stage.until(lambda: "this is wrong" in shown(ticket, f"{row}-error"))
        others = [error.id for error in ticket.query(".error") if error.display and error.id != f"{row}-error"]
        assert others == []
        assert stage.link.lines == []
        assert stage.app.screen is ticket


async def test_a_refused_order_keeps_the_draft():
    """When the engine says no, the form stays with what was typed and the reason."""
    async with staged() as stage:
        stage.link.replies[LINE] = Reply(ok=False, error="margin is short by 12.40 USDC", field="amount")
        ticket = await opened(stage)
        await stage.press("text:0.5", "tab", "tab", "text:queue1", "ctrl+s")
        await stage.until(lambda: "margin is short" in shown(ticket, "amount-error"))
        assert ticket.draft().line() == LINE
        assert stage.app.screen is ticket


async def test_closing_keeps_the_draft_for_the_next_time():
    """Escape closes; the next n shows the same draft."""
    async with staged() as stage:
        await opened(stage)
        await stage.press("text:0.5", "tab", "tab", "text:2431.5", "escape")
        await stage.on_desk()
        ticket = await opened(stage)
        assert ticket.draft().line() == "buy 0.5 hyperliquid:ETH @ 2431.5 post hedge binance:ETHUSDT market"
        assert stage.link.lines == []


async def test_the_amount_is_empty_again_after_an_order_was_taken():
    """A second order needs its amount typed again; the rest is kept."""
    async with staged() as stage:
        await opened(stage)
        await stage.press("text:0.5", "tab", "tab", "text:queue1", "ctrl+s")
        await stage.on_desk()
        draft = (await opened(stage)).draft()
        assert (draft.amount, draft.contract, draft.price) == ("", "hyperliquid:ETH", "queue1")


async def test_a_warning_asks_for_ctrl_s_twice():
    """An order with a warning is sent at the second ctrl+s only; a change asks anew."""
    async with staged() as stage:
        stage.link.preview_answers[LINE] = Preview(ok=True, sentence="s", warnings=("would cross the spread",))
        ticket = await opened(stage)
        await stage.press("text:0.5", "tab", "tab", "text:queue1", "ctrl+s")
        await stage.until(lambda: "once more" in shown(ticket, "form-error"))
        assert stage.link.lines == []
        await stage.press("ctrl+s")
        await stage.until(lambda: stage.link.lines == [LINE])


async def test_a_double_press_sends_once():
    """ctrl+s pressed again while the engine has not answered sends nothing more."""
    async with staged() as stage:
        stage.link.hold = asyncio.Event()
        await opened(stage)
        await stage.press("text:0.5", "tab", "tab", "text:queue1", "ctrl+s", "ctrl+s", "ctrl+s")
        await stage.until(lambda: stage.link.lines)
        await stage.press("ctrl+s")
        stage.link.hold.set()
        await stage.on_desk()
        assert stage.link.lines == [LINE]


async def test_legs_are_added_and_dropped():
    """ctrl+n adds a leg and goes to it, ctrl+g drops it; an empty leg is left out of the line."""
    async with staged() as stage:
        ticket = await opened(stage)
        await stage.press("text:0.5", "ctrl+n")
        await stage.until(lambda: len(ticket.legs) == 2 and ticket.focused.id == "leg2-contract")
        await stage.press("text:binance:SOL", "enter")
        assert ticket.draft().legs[1].contract == "binance:SOLUSDT"
        assert ticket.draft().line().endswith("hedge binance:ETHUSDT market hedge binance:SOLUSDT market")
        ticket.query_one("#leg1-contract").focus()
        await stage.press("ctrl+g")
        await stage.until(lambda: len(ticket.legs) == 1)
        assert ticket.draft().line().endswith("@ market post hedge binance:SOLUSDT market")
        ticket.query_one("#leg1-contract", Input).value = ""
        await stage.until(lambda: "left out" in shown(ticket, "leg1-note"))
        assert ticket.draft().line().endswith("@ market post")


async def test_arrows_step_price_and_amount_by_tick_and_lot():
    """Up and down move by the contract's own steps; an empty price begins at the market."""
    async with staged() as stage:
        ticket = await opened(stage)
        await stage.press("text:0.5", "up", "up", "down")
        assert ticket.query_one("#amount", Input).value == "0.5001"
        await stage.press("tab", "tab", "up")
        assert ticket.query_one("#price", Input).value == "2431.5"
        await stage.press("up")
        assert ticket.query_one("#price", Input).value == "2431.6"


async def test_a_price_steps_by_the_tick_of_the_market():
    """Where the tick grows with the price, the ladder's is used: each step is a price that the venue takes."""
    rows = [contract("hyperliquid", "ETH", tick=D("0.01"))]
    async with staged(desk_frame(contracts=rows, ladders=[ladder(tick=D("0.1"))])) as stage:
        ticket = await opened(stage)
        await stage.press("tab", "tab", "text:2431.5", "up")
        assert ticket.query_one("#price", Input).value == "2431.6"
        assert shown(ticket, "price-note") == "tick 0.1"


async def test_enter_goes_on_and_never_sends():
    """Enter in any field goes to the next; all round the form nothing is sent."""
    async with staged() as stage:
        ticket = await opened(stage)
        await stage.press("text:0.5", *["enter"] * 14)
        assert stage.link.lines == []
        assert stage.app.screen is ticket


async def test_a_letter_chooses_the_side():
    """On the side, s is sell and b is buy; no other letter changes it."""
    async with staged() as stage:
        ticket = await opened(stage)
        side = ticket.query_one("#side", Toggle)
        side.focus()
        for key, value in (("s", "sell"), ("s", "sell"), ("x", "sell"), ("b", "buy")):
            await stage.press(key)
            assert side.value == value


async def test_the_side_and_flags_turn_with_space():
    """Space turns the side, post and reduce, and the line follows."""
    async with staged() as stage:
        ticket = await opened(stage)
        ticket.query_one("#side", Toggle).focus()
        await stage.press("space")
        ticket.query_one("#post", Toggle).focus()
        await stage.press("space")
        ticket.query_one("#reduce", Toggle).focus()
        await stage.press("space")
        assert ticket.draft().line().startswith("sell hyperliquid:ETH @ market reduce")


async def test_the_ticket_does_not_open_where_makers_are_not_taken():
    """In HEDGE-ONLY the key says why instead of opening a form that would be refused."""
    async with staged(desk_frame(header=header(trading="HEDGE-ONLY"))) as stage:
        await stage.press("n")
        await stage.until(lambda: "HEDGE-ONLY: no new makers" in stage.message)
        assert stage.app.screen is stage.app.desk


async def test_the_ticket_fits_the_smallest_usual_terminal():
    """At 80 by 24 the form with two legs, its line and its keys are on the screen."""
    async with staged(size=(80, 24)) as stage:
        ticket = await opened(stage)
        await stage.press("text:0.5", "ctrl+n")
        await stage.until(lambda: len(ticket.legs) == 2)
        text = stage.text()
        assert "ctrl+s" in text
        assert "buy 0.5" in text


async def test_ctrl_y_copies_the_line():
    """The terminal is given the equivalent command line."""
    async with staged() as stage:
        ticket = await opened(stage)
        await stage.press("text:0.5", "ctrl+y")
        assert stage.app.clipboard == ticket.draft().line()
        assert stage.link.lines == []
