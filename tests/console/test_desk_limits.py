"""Limits at the desk: what a command that breaks one is answered, and what its preview says before it is sent."""

from decimal import Decimal

from console.desk import Desk
from oms.limits import InstrumentLimits, Limit, Limits
from tests.oms.stub_venue import desk, virtual

D = Decimal
LIMITS = Limits(each=InstrumentLimits(order_quantity=Limit(soft=D(1), hard=D(5))))
LINE = "buy {} a:X @ 99 hedge b:X market"


@virtual
async def test_a_soft_limit_is_answered_with_a_question_and_the_confirmed_line_is_done():
    """Nothing is sent until the line is said again as confirmed."""
    async with desk(risk=LIMITS) as made:
        console = Desk(made.oms)
        reply = await console.line(LINE.format(2))
        assert not reply.ok
        assert reply.question == "the amount 2 is over the 1 allowed for one order in a:X. Do it all the same?"
        assert reply.field == "amount"
        assert made.a.asked("place") == []
        assert (await console.line(f"{LINE.format(2)} confirmed")).ok
        assert [order.amount for order in made.a.asked("place")] == [D(2)]


@virtual
async def test_a_hard_limit_is_refused_whatever_is_confirmed():
    """There is no question to say yes to."""
    async with desk(risk=LIMITS) as made:
        reply = await Desk(made.oms).line(f"{LINE.format(6)} confirmed")
        assert (reply.ok, reply.question, reply.field) == (False, "", "amount")
        assert reply.error == "the amount 6 is over the 5 allowed for one order in a:X"
        assert made.a.asked("place") == []


@virtual
async def test_an_amend_asks_too():
    """Its confirmed line goes."""
    async with desk(risk=LIMITS) as made:
        console, key = Desk(made.oms), await made.maker("1", "99")
        assert (await console.line(f"amend {key[:8]} amount 2")).question
        assert made.a.asked("amend") == []
        assert (await console.line(f"amend {key[:8]} amount 2 confirmed")).ok


@virtual
async def test_the_preview_says_what_limits_would():
    """Before the books are there it says nothing; then it warns of what would be asked and shows what is refused."""
    async with desk(risk=LIMITS) as made:
        console = Desk(made.oms)
        assert console.preview(LINE.format(6)).ok
        await made.until(lambda: made.oms.feed.in_sequence("a", "X") and made.oms.feed.in_sequence("b", "X"))
        preview = console.preview(LINE.format(6))
        assert (preview.ok, preview.field, preview.caret) == (False, "amount", 4)
        asked = console.preview(LINE.format(2))
        assert asked.ok
        assert "asks: the amount 2 is over the 1 allowed for one order in a:X" in asked.warnings
        assert not any(warning.startswith("asks") for warning in console.preview(LINE.format(1)).warnings)
