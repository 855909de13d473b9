"""One desk for an account, from the door of the engine."""

import pytest

from console.headless import open_oms
from gateways.errors import Denied
from gateways.paper.sockets import PaperServer, running


async def test_a_second_desk_on_the_same_venues_is_refused_and_a_third_may_follow(tmp_path):
    """Another folder makes no difference; a desk that has ended is not in the way, and the first one trades on."""
    locks = tmp_path / "locks"
    async with running(PaperServer(["binance"], seed=7)) as server:
        async with open_oms(server.endpoints, tmp_path / "first", locks=locks) as oms:
            with pytest.raises(Denied, match=rf"its journal in {tmp_path / 'first'}"):
                async with open_oms(server.endpoints, tmp_path / "second", locks=locks):
                    pass
            assert not (tmp_path / "second").exists(), "a desk that is refused touches nothing"
            assert oms.trading == "ACTIVE"
        async with open_oms(server.endpoints, tmp_path / "second", locks=locks) as oms:
            assert oms.trading == "ACTIVE"
    assert not list(locks.iterdir())
