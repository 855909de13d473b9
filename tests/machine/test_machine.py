"""The state machine in its short form, run with the tests; ``make soak`` runs the long one."""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.machine.machine import HedgeMachine

SHORT = settings(
    max_examples=500, stateful_step_count=60, deadline=None, suppress_health_check=list(HealthCheck),
    print_blob=True,
)  # fmt: skip


@pytest.mark.timeout(600)
def test_no_schedule_of_faults_loses_or_doubles_a_hedge():
    """I1 to I9 and I11 to I14 under any schedule of the fault matrix, crashes included, against independent oracles."""
    run_state_machine_as_test(HedgeMachine, settings=SHORT)
