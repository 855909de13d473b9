import decimal
import signal

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("tests", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")  # how long an example takes says how busy the machine is, not whether a property holds


def pytest_configure():
    """Let tests end programs by signal though their runner, in the background or under nohup, ignores it itself."""
    for number, heed in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, lambda *_: None)):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, heed)


def pytest_addoption(parser):
    """Options of our own."""
    parser.addoption(
        "--update-snapshots", action="store_true", help="write the console's text snapshots instead of comparing them"
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol():
    """Give each test the same decimal context: ccxt changes the one of the thread that it rounds in, for good."""
    context = decimal.getcontext()
    before = context.copy()
    result = yield
    context.prec, context.rounding = before.prec, before.rounding
    context.traps, context.flags = before.traps, before.flags
    return result
