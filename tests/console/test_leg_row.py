"""The ticket's leg row: a policy is typed in the grammar's words, and refused beside the leg that it is of."""

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from console.commands import Place
from console.language import parse
from console.link import Preview
from console.ticket.draft import POLICY_CYCLE, Draft, LegDraft
from console.ticket.ticket import Ticket
from tests.console.pilots import staged
from tests.console.test_language import policies

LADDER = "join 2s then ioc 8bps then market above 0.5 reduce escalate"
START = "buy 0.5 hyperliquid:ETH @ queue1 post hedge"


@settings(max_examples=100, deadline=None)
@given(policies)
def test_any_policy_can_be_typed_in_the_leg_row(policy):
    """The words of a policy, typed where the row asks how, place an order with that policy."""
    leg = LegDraft(contract="binance:ETHUSDT", policy=str(policy))
    place = parse(Draft(side="sell", amount="1", contract="hyperliquid:ETH", legs=(leg,)).line())
    assert isinstance(place, Place)
    assert place.legs[0].policy == policy


@given(st.sampled_from(POLICY_CYCLE), st.sampled_from(["", "250ms"]))
def test_the_policies_that_the_arrows_go_through_are_of_the_grammar(words, after):
    """None of what the form offers is refused by the grammar."""
    leg = LegDraft(contract="binance:ETHUSDT", policy=words, after=after)
    place = parse(Draft(amount="1", contract="hyperliquid:ETH", legs=(leg,)).line())
    assert isinstance(place, Place)
    assert place.legs[0].ratio == Decimal(1)


async def opened(stage):
    await stage.press("n")
    await stage.opened(Ticket)
    ticket = stage.app.screen
    await stage.until(lambda: ticket.focused is not None)
    await stage.press(*"0.5", "tab", "tab", *"queue1")
    field = ticket.query_one("#leg1-policy")
    field.focus()
    field.value = ""
    return ticket


async def test_a_ladder_typed_in_the_leg_row_is_sent_as_typed():
    """What stands in the field is in the line that is shown, and in the line that is sent."""
    async with staged() as stage:
        ticket = await opened(stage)
        await stage.press(*LADDER)
        line = f"{START} binance:ETHUSDT {LADDER}"
        assert line in ticket.query_one("#line").render().plain
        await stage.press("ctrl+s")
        await stage.on_desk()
        assert stage.link.lines == [line]


async def test_a_policy_off_the_grammar_is_refused_in_its_row_while_typing():
    """The engine's word on a leg's policy stands under that leg; nothing is sent."""
    async with staged() as stage:
        error = "a ladder ends with ioc or market"
        line = f"{START} binance:ETHUSDT join 2s"
        stage.link.preview_answers[line] = Preview(ok=False, error=error, field="leg 1 policy", caret=len(line))
        ticket = await opened(stage)
        await stage.press(*"join 2s")
        await stage.until(lambda: ticket.query_one("#leg1-error").display)
        assert error in ticket.query_one("#leg1-error").render().plain
        assert stage.link.lines == []
