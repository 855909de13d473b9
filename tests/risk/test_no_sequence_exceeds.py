"""No sequence of orders, amends, cancels and fills exceeds a hard limit at a venue, judged by the venue's own books."""

import os

from hypothesis import HealthCheck, Phase, given, settings

from tests.risk.scenario import scenarios
from tests.risk.world import played

EXAMPLES = int(os.environ.get("RISK_EXAMPLES", "60"))
"""``make risk`` plays many more."""
PLAYED = settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # sessions shrink slowly: the blob plays one again
)  # fmt: skip


@PLAYED
@given(scenarios())
def test_no_sequence_of_orders_exceeds_a_hard_limit_at_the_venue(scenario):
    """Quantities, positions, nets, counts, rates, turnover and collars, on two venues of any kind."""
    world = played(scenario)
    assert world.oracle.broken == []
    assert world.broke == []


@PLAYED
@given(scenarios(troubled=True))
def test_nor_when_answers_and_messages_are_lost(scenario):
    """What is not known counts in full: requests and answers lost, orders accepted late, streams cut and silent."""
    world = played(scenario)
    assert world.oracle.broken == []
    assert world.broke == []
