"""What a session says of its rate budget."""

from gateways.transport.budget import Pool
from gateways.transport.session import Session
from gateways.venue import Endpoints


class Clockless(Session):
    """A session of a venue whose clock cannot be asked."""

    async def _server_ms(self):
        raise AssertionError("not asked")


async def test_the_two_fullest_pools_are_told_and_a_ban_first():
    """By share of the limit, not by count; a ban says for how long."""
    pools = (Pool("weight", 2_400, 60.0), Pool("orders", 10, 60.0), Pool("queries", 50, 60.0))
    session = Clockless("v", Endpoints(rest="http://127.0.0.1:9", ws="ws://127.0.0.1:9"), pools, ())
    session.gate.budget.spend({"weight": 1_200, "orders": 6, "queries": 1}, session.gate.now())
    assert session.budget_used() == "orders 6/10, weight 1200/2400"
    session.pause(30.0)
    assert session.budget_used().startswith("banned ")
