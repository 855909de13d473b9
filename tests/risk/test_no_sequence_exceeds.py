"""No sequence of orders, amends, cancels and fills exceeds a hard limit at a venue, judged by the venue's own books."""

import os
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings

from tests.risk.scenario import KINDS, scenarios
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


@pytest.mark.parametrize("kind", sorted(set(KINDS)))
def test_without_the_checks_the_oracle_finds_each_limit_exceeded(kind):
    """A desk that keeps no limits goes over every kind of them: the oracle sees it, and the scenarios come there."""
    found = find(
        scenarios(only=kind), lambda scenario: bool(played(scenario, kept=False).oracle.broken),
        settings=settings(PLAYED, max_examples=200, phases=(Phase.generate,), database=None),
        random=Random(1),  # noqa: S311 - a scenario, not a secret
    )  # fmt: skip
    assert played(found).oracle.broken == []


@PLAYED
@given(scenarios(troubled=True))
def test_nor_when_answers_and_messages_are_lost(scenario):
    """What is not known counts in full: requests and answers lost, orders accepted late, streams cut and silent."""
    world = played(scenario)
    assert world.oracle.broken == []
    assert world.broke == []
