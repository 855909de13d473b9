"""What a running desk leaves and opens: files for its owner alone, sockets on this machine alone."""

import json
import os
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = "buy 0.02 hyperliquid:ETH @ opponent1 hedge binance:ETHUSDT\nwait idle 10s\nsleep 60s\n"


def children_of(pid: int) -> Iterator[int]:
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in map(int, (task / "children").read_text().split()):
            yield child
            yield from children_of(child)


def sockets_of(pid: int) -> set[str]:
    """The inodes of a process's sockets."""
    links = (str(each.readlink()) for each in Path(f"/proc/{pid}/fd").iterdir() if each.is_symlink())
    return {link[8:-1] for link in links if link.startswith("socket:[")}


def address_of(written: str) -> str:
    """An address as /proc/net writes it: hex, each four bytes in the machine's own order."""
    raw = bytes.fromhex(written.partition(":")[0])
    words = (raw[place : place + 4] for place in range(0, len(raw), 4))
    return str(ip_address(b"".join(word[::-1] if sys.byteorder == "little" else word for word in words)))


def addresses_of(pid: int) -> set[str]:
    """The local and remote addresses of a process's internet sockets, those that listen among them."""
    inodes, found = sockets_of(pid), set()
    for table in ("tcp", "tcp6", "udp", "udp6"):
        for row in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            cells = row.split()
            if cells[9] in inodes:
                found |= {address_of(cells[1])} | ({address_of(cells[2])} if cells[3] != "0A" else set())
    return found


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, set[str], int]]:
    """A desk on its own paper venues that has hedged and still runs: its folders, what it opened, its programs."""
    if not Path("/proc/self/net/tcp").exists():
        pytest.skip("sockets are looked up in /proc, which this system does not have")
    home = tmp_path_factory.mktemp("home")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HEDGEDESK", "XDG"))}
    environment = {**kept, "HOME": str(home), "TMPDIR": str(home)}
    command = [sys.executable, "-c", "import os; os.umask(0); from console.cli import main; main(['run','--headless'])"]
    with subprocess.Popen(  # noqa: S603  # our own interpreter and program
        command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as desk:
        assert desk.stdin is not None
        assert desk.stdout is not None
        try:
            desk.stdin.write(SCRIPT)
            desk.stdin.flush()
            for line in desk.stdout:
                reply = json.loads(line)
                if reply["type"] == "reply" and reply["line"] == 2:
                    assert reply["ok"], reply
                    break
            programs = {desk.pid, *children_of(desk.pid)}
            opened = set().union(*(addresses_of(pid) for pid in programs))
            yield home, opened, len(programs)
        finally:
            desk.terminate()
            for _ in desk.stdout:
                pass


def test_an_address_is_read_as_the_system_writes_it() -> None:
    """Of both kinds, listening ones too."""
    if sys.byteorder == "little":
        assert address_of("0100007F:1F90") == "127.0.0.1"
        assert address_of("08080808:0035") == "8.8.8.8"
        assert address_of("00000000000000000000000001000000:0050") == "::1"


def test_every_socket_is_on_this_machine(world: tuple[Path, set[str], int]) -> None:
    """Those of the desk and of its paper venues, that listen or are connected."""
    _, opened, programs = world
    assert programs > 1
    assert opened
    assert all(ip_address(each).is_loopback for each in opened), opened


def test_every_file_and_folder_is_its_owners_alone(world: tuple[Path, set[str], int]) -> None:
    """However the user's umask is set: journal, log, lock, status, whatever there is."""
    home, _, _ = world
    files = [each for each in home.rglob("*") if not each.is_dir()]
    names = {each.name for each in files}
    assert {"journal.jsonl", "log.jsonl"} <= names
    assert {each: oct(stat.S_IMODE(each.stat().st_mode)) for each in files if each.stat().st_mode & 0o077} == {}
    folders = [each for each in home.rglob("*") if each.is_dir()]
    assert {each: oct(stat.S_IMODE(each.stat().st_mode)) for each in folders if each.stat().st_mode & 0o077} == {}


def test_the_log_of_a_running_desk_is_written_as_it_goes(world: tuple[Path, set[str], int]) -> None:
    """What is looked at after a crash is there before it."""
    [log] = world[0].rglob("log.jsonl")
    deadline = time.monotonic() + 10
    while '"event":"sent"' not in log.read_text() and time.monotonic() < deadline:
        os.sched_yield()
    assert '"event":"sent"' in log.read_text()
