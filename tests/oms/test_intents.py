"""What the journal holds at the moment in which a hedge is handed to its venue."""

from decimal import Decimal

from oms.hedge.policy import Limits
from tests.oms.stub_venue import desk, virtual


@virtual
async def test_the_intent_is_in_the_journal_when_the_hedge_is_handed_to_its_venue():
    """Whatever ends the process from here on, the next start knows of this order."""
    async with desk() as made:
        usual, intended = made.b.place, []

        def place(order, **options):
            intended.append(f'"{order.cloid}"'.encode() in made.journal.image and b'"Intended"' in made.journal.image)
            return usual(order, **options)

        made.b.place = place
        key = await made.maker("1")
        for _ in range(3):
            made.a.trade(key, "0.2")
            await made.until(lambda: not made.book.balance and not made.book.in_flight)
        assert intended == [True, True, True]


@virtual
async def test_a_hedge_leaves_before_the_makers_of_a_book_over_its_cap_are_stopped():
    """What a fill leads to beside its hedge is worked out when the hedge has left, and is done all the same."""
    async with desk(limits=Limits(max_unhedged_value=Decimal(1))) as made:
        usual, done = made.b.place, []

        def place(order, **options):
            done.append(("hedged", made.book.capped))
            return usual(order, **options)

        made.b.place = place
        key = await made.maker("1")
        made.a.trade(key, "0.5")
        await made.until(lambda: not made.oms.page.get(key).working)
        assert done == [("hedged", False)]
