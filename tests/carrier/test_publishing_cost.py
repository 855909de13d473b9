"""What telling a console takes of the engine at once does not grow with the desk."""

import asyncio

from console.publisher import BOOKS_A_FRAME, ROWS_A_TURN, Publisher, _in_turns
from tests.oms.stub_venue import desk, virtual


async def test_between_two_turns_of_making_a_frame_the_loop_does_what_else_is_due():
    """A fill that comes in while ten thousand rows are made waits for fifty of them at most."""
    made = between = 0
    done = asyncio.Event()

    async def other():
        nonlocal between
        last = 0
        while not done.is_set():
            between = max(between, made - last)
            last = made
            await asyncio.sleep(0)

    running = asyncio.create_task(other())
    async for _ in _in_turns(range(10_000)):
        made += 1
    done.set()
    await running
    assert made == 10_000
    assert between <= ROWS_A_TURN


@virtual
async def test_of_many_books_each_frame_looks_at_a_few_and_all_have_their_turn():
    """Those with news are looked at at once, whatever else waits."""
    async with desk() as made:
        publisher = Publisher(made.oms, None)
        books = made.oms.kernel.books
        only = next(iter(books.values()), None)
        books.clear()
        books.update({("b", f"T{number:04}"): only for number in range(1_000)})
        publisher._news.add(("b", "T0999"))
        first = publisher._books_due()
        assert ("b", "T0999") in first
        assert len(first) == BOOKS_A_FRAME + 1
        seen = {*first}
        for _ in range(1_000 // BOOKS_A_FRAME - 1):
            due = publisher._books_due()
            assert len(due) == BOOKS_A_FRAME
            seen |= {*due}
        assert seen == set(books)
