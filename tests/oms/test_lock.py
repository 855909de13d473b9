"""The lock of an account: one desk at a time, told who it is, and never in the way once that one is gone."""

import os
import signal
import subprocess
import sys

import pytest

from gateways.errors import Denied
from gateways.venue import Endpoints
from oms.clock import ManualClock
from oms.lock import AccountLocks, account_name

CLOCK = ManualClock(now_ns=1_790_000_000_123_456_789)


def place(key="key", rest="http://127.0.0.1:8100", secret="hush"):  # noqa: S107 a paper account's
    return Endpoints(rest=rest, ws="ws://127.0.0.1:8100", key=key, secret=secret)


def take(tmp_path, folder="desk", **accounts):
    return AccountLocks(accounts or {"binance": place()}, tmp_path / "locks", folder=tmp_path / folder, clock=CLOCK)


def files(tmp_path):
    return sorted((tmp_path / "locks").iterdir())


def test_a_second_desk_is_refused_and_told_who_trades(tmp_path):
    """Another folder, another alias: the account is the same, and one sentence says who has it."""
    with take(tmp_path, folder="first"), pytest.raises(Denied) as refused:
        take(tmp_path, folder="second", hub=place())
    assert refused.value.text == (
        f"this account is traded by another desk already: process {os.getpid()}, since 2026-09-21T14:13:20+00:00, "
        f"its journal in {tmp_path / 'first'}: end that one first"
    )


def test_a_lock_that_was_let_go_is_free(tmp_path):
    """Closing lets go, leaves no file, and may be done twice."""
    for _ in range(2):
        locks = take(tmp_path)
        assert len(files(tmp_path)) == 1
        locks.close()
        locks.close()
        assert files(tmp_path) == []


def test_other_accounts_are_not_in_the_way(tmp_path):
    """Another key or another address is another account."""
    with take(tmp_path), take(tmp_path, binance=place(key="other")):
        take(tmp_path, binance=place(rest="http://127.0.0.1:8101")).close()


def test_all_locks_or_none(tmp_path):
    """A desk that is refused one of its accounts holds none of them."""
    with take(tmp_path, b=place(key="b")):
        with pytest.raises(Denied):
            take(tmp_path, a=place(key="a"), b=place(key="b"))
        take(tmp_path, a=place(key="a")).close()


def test_one_account_under_two_names_is_refused(tmp_path):
    """A desk cannot hedge an account on itself."""
    with pytest.raises(Denied, match="a is the same account"):
        take(tmp_path, a=place(), b=place(rest="http://LOCALHOST:8100/"))
    take(tmp_path).close()


def test_the_name_hides_the_key_and_not_the_account():
    """The file's name is the account's alone: the secret and the way the address is written are no part of it."""
    assert account_name(place()) == account_name(place(rest="HTTP://localhost:8100/", secret="new"))
    assert "key" not in account_name(place())


@pytest.mark.parametrize("content", [b"", b"\0\xff torn", b'{"pid":1', b"[]", b'{"pid":"x","since":1,"folder":2}'])
def test_a_torn_or_foreign_lock_file_is_no_obstacle(tmp_path, content):
    """What a crash or somebody else left in the file is overwritten; a refusal does not repeat it."""
    take(tmp_path).close()
    path = tmp_path / "locks" / f"{account_name(place())}.lock"
    path.write_bytes(content)
    path.chmod(0o644)
    with take(tmp_path):
        assert path.stat().st_mode & 0o777 == 0o600
        path.write_bytes(content)
        with pytest.raises(Denied, match="traded by another desk already: end that one first"):
            take(tmp_path)


def test_files_are_the_owners_alone(tmp_path):
    """Others can neither read nor list the locks, and the secret is in none."""
    with take(tmp_path):
        (path,) = files(tmp_path)
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o777 == 0o700
        assert b"hush" not in path.read_bytes()


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path):
    """A lock that cannot be taken refuses the desk rather than letting it trade without."""
    (tmp_path / "locks").write_text("a file")
    with pytest.raises(Denied, match=r"lock .* cannot be taken"):
        take(tmp_path)


HOLDS = """
import sys
from pathlib import Path
from gateways.venue import Endpoints
from oms.clock import SystemClock
from oms.lock import AccountLocks
place = Endpoints(rest="http://127.0.0.1:8100", ws="", key="key")
AccountLocks({"binance": place}, Path(sys.argv[1]), folder=Path("elsewhere"), clock=SystemClock())
print("held", flush=True)
sys.stdin.read()
"""


def test_a_killed_desk_leaves_the_account_free(tmp_path):
    """The system lets go of a lock with the process, however that ended."""
    child = subprocess.Popen(  # noqa: S603 our own code
        [sys.executable, "-c", HOLDS, str(tmp_path / "locks")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with child:
        assert child.stdout.readline() == "held\n"
        with pytest.raises(Denied, match=f"process {child.pid}, since .* its journal in elsewhere"):
            take(tmp_path)
        child.send_signal(signal.SIGKILL)
        child.wait()
    assert len(files(tmp_path)) == 1
    take(tmp_path).close()


def test_a_file_taken_along_by_its_last_holder_is_not_trusted(tmp_path, monkeypatch):
    """Between opening and locking the last holder may end and remove the file: the lock must be on the one in place."""
    first = take(tmp_path)
    real, opened = os.open, []

    def open_and_end(path, *args, **options):
        file = real(path, *args, **options)
        if not opened:
            opened.append(path)
            first.close()
        return file

    monkeypatch.setattr(os, "open", open_and_end)
    with take(tmp_path):
        assert opened
        with pytest.raises(Denied):
            take(tmp_path)
