"""How a desk starts: a rate limit is waited out, anything else is said at once."""

import pytest

from console import headless
from gateways.errors import RateLimited, Unavailable


class Starting:
    """Stands for an OMS whose start goes as told."""

    def __init__(self, error):
        self.error = error
        self.closed = False

    async def init(self):
        if self.error is not None:
            raise self.error

    async def cleanup(self):
        self.closed = True


def desks(*errors):
    made = [Starting(error) for error in errors]
    return made, iter(made).__next__


async def test_a_rate_limit_at_the_start_is_waited_out(monkeypatch):
    """The desk closes what it opened, waits as long as the venue says, and starts anew."""
    monkeypatch.setattr(headless, "SHORTEST_WAIT_S", 0.0)
    made, make = desks(RateLimited("v", "slow down", retry_after=0.01), None)
    assert await headless.started(make) is made[1]
    assert [desk.closed for desk in made] == [True, False]


async def test_a_rate_limit_that_does_not_end_is_said(monkeypatch):
    """After a few starts the operator hears of it, and nothing is left open."""
    monkeypatch.setattr(headless, "SHORTEST_WAIT_S", 0.0)
    made, make = desks(*[RateLimited("v", "slow down")] * headless.STARTS)
    with pytest.raises(RateLimited):
        await headless.started(make)
    assert all(desk.closed for desk in made)


async def test_another_error_is_said_at_once():
    """A venue that is not there ends the start, closed."""
    made, make = desks(Unavailable("v", "nobody answers"), None)
    with pytest.raises(Unavailable):
        await headless.started(make)
    assert made[0].closed
