"""Importing the product reaches nothing: no network, no program, no file but those that it reads."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

PROGRAM = """
import os, pkgutil, sys

WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
reached = []

def seen(event, arguments):
    if event.startswith(("socket.connect", "socket.bind", "socket.getaddrinfo", "socket.gethostby", "socket.sendto")):
        reached.append((event, arguments[1:]))
        raise PermissionError(event)
    if event in {"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "urllib.Request"}:
        reached.append((event, arguments[:1]))
        raise PermissionError(event)
    if event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITES and arguments[0] != os.devnull:
        reached.append((event, arguments[0]))
        raise PermissionError(event)

sys.addaudithook(seen)
count = 0
for package in ("console", "oms", "gateways", "themes"):
    for found in pkgutil.walk_packages([package], f"{package}."):
        if not found.name.endswith("__main__"):
            __import__(found.name)
            count += 1
print(count, reached)
"""

PROOF = """
import socket
for reach in (socket.socket().connect, socket.create_connection):
    try:
        reach(("127.0.0.1", 9))
    except PermissionError:
        pass
try:
    open("/tmp/never-written", "w")
except PermissionError:
    pass
print(len(reached))
"""


def run(program: str) -> str:
    command = [sys.executable, "-B", "-c", program]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)  # noqa: S603
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_every_module_reaches_nothing() -> None:
    """Every one of ours, and with them every library that they bring."""
    count, _, reached = run(PROGRAM).partition(" ")
    assert int(count) > 200
    assert reached == "[]\n"


def test_the_watch_would_have_seen_it() -> None:
    """A connection, and a file that is written, are caught by the same watch."""
    watch, _, _ = PROGRAM.partition("count = 0")
    assert run(watch + PROOF) == "3\n"
