"""Orders that are begun, on every paper venue: their bytes leave in the call; a rehearsed one leaves never."""

from decimal import Decimal

import pytest

from gateways.standards import OrderKind, OrderStatus, OrderUpdate
from gateways.transport.stream import Stream
from tests.gateways.test_batches_on_paper import Trial, trial

__all__ = ["trial"]

D = Decimal


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What was given to the sockets, in order."""
    seen: list[bytes] = []
    usual = Stream.send

    def send(self: Stream, data: str | bytes) -> None:
        seen.append(data.encode() if isinstance(data, str) else data)
        usual(self, data)

    monkeypatch.setattr(Stream, "send", send)
    return seen


async def test_an_order_has_left_before_it_is_awaited(trial: Trial, written: list[bytes]) -> None:
    """In the call itself, once; and its acknowledgement is there for whoever awaits it."""
    order = trial.order()
    answer = trial.venue.place(order, hedge=True)
    assert sum(order.cloid.encode() in each for each in written) == 1
    update = await answer
    assert (update.cloid, trial.known(order.cloid)) == (order.cloid, 1)
    assert sum(order.cloid.encode() in each for each in written) == 1


async def test_an_order_that_nobody_awaits_is_told_of_by_the_stream(trial: Trial) -> None:
    """What was begun goes on: the exchange takes the order, and the sink hears of it."""
    order = trial.order()
    trial.venue.place(order, hedge=True)

    def told() -> bool:
        events = [each for each in trial.desk.events if isinstance(each, OrderUpdate)]
        return any(each.cloid == order.cloid and each.status is OrderStatus.NEW for each in events)

    await trial.desk.until(told)
    assert trial.known(order.cloid) == 1


async def test_a_rehearsed_order_never_leaves(trial: Trial, written: list[bytes]) -> None:
    """No bytes, no order at the exchange, nothing counted in the rate budget; the next real one goes as ever."""
    await trial.venue.place(trial.order())
    before, used = list(written), trial.venue.budget_used()
    rehearsed = trial.order(kind=OrderKind.MARKET, price=None, post_only=False)
    for _ in range(3):
        trial.venue.rehearse_fill()
        trial.venue.rehearse_order(rehearsed)
    assert (written, trial.venue.budget_used()) == (before, used)
    order = trial.order()
    assert (await trial.venue.place(order)).cloid == order.cloid
    assert (trial.known(rehearsed.cloid), trial.known(order.cloid)) == (0, 1)


async def test_what_the_venue_does_not_take_is_told_when_it_is_asked_for(trial: Trial, written: list[bytes]) -> None:
    """A rehearsal of an order that could not be written is silent: the order itself says why."""
    before = list(written)
    trial.venue.rehearse_order(trial.order(ticker="NOSUCH"))
    assert written == before
