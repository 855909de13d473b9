"""Long answers of venues are read and taken in turns of the loop: what comes meanwhile does not wait for their end."""

import asyncio

import pytest

from gateways.binance import bodies
from gateways.errors import DecodeError
from gateways.transport.turns import TURN, in_turns
from oms.reconciler import SLICE, take_all


async def test_what_comes_while_an_answer_is_taken_is_taken_before_its_end():
    """After a slice of the answer the loop has its turn; all of it is taken, in its order."""
    taken = []
    asyncio.get_running_loop().call_soon(taken.append, "a fill")
    await take_all(range(3 * SLICE), taken.append)
    assert taken.index("a fill") == SLICE
    assert [each for each in taken if each != "a fill"] == list(range(3 * SLICE))


async def test_what_comes_while_an_answer_is_read_is_read_before_its_end():
    """After so many rows the loop has its turn; all are read, in their order."""
    order = []
    asyncio.get_running_loop().call_soon(order.append, "a fill")
    made = await in_turns(range(2 * TURN + 1), lambda row: order.append(row) or -row)
    assert order.index("a fill") == TURN
    assert made == [-row for row in range(2 * TURN + 1)]


async def test_a_row_that_cannot_be_read_ends_the_reading():
    """The error of a row is the error of the answer."""
    with pytest.raises(ZeroDivisionError):
        await in_turns([1, 0], lambda row: 1 / row)


@pytest.mark.parametrize("body", [b'[{"a": 1}, {"a": [2]}]', '[{"a": 1}, {"a": [2]}]', [{"a": 1}, {"a": [2]}]])
def test_items_of_a_list_are_the_same_read_or_unread(body):
    """Bytes, text or parsed: each item reads the same."""
    assert [bodies.parse(item, "v") for item in bodies.items(body, "v")] == [{"a": 1}, {"a": [2]}]


@pytest.mark.parametrize("body", [b"{}", b"[{]", b"\xff", b"[1,", b"null", {}])
def test_a_body_that_is_no_list_is_told_of(body):
    """Malformed bytes and other values raise DecodeError, never anything else."""
    with pytest.raises(DecodeError):
        bodies.items(body, "v")
