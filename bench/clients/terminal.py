"""A terminal that is read all the time, with a console attached to an engine in it, painting at full load.

In a process of its own, so that reading what was painted takes nothing from whoever measures. It says ``ready`` once
the first screen is painted and ends with its input.
"""

import argparse
import sys
import threading

from bench.ui import FIRST, Terminal

SECONDS = 3_600
"""How long the console would paint: longer than any run."""
FIRST_WITHIN_S = 25.0


def main() -> int:
    """Run until standard input ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--socket", required=True)
    asked = parser.parse_args()
    terminal = Terminal(["-m", "bench.clients.attached", "--socket", asked.socket, "--seconds", str(SECONDS)])
    ending = threading.Event()

    def wait() -> None:
        sys.stdin.read()
        ending.set()

    try:
        terminal.until(FIRST, FIRST_WITHIN_S)
        print("ready", flush=True)
        threading.Thread(target=wait, daemon=True).start()
        while not ending.is_set():
            terminal.read(0.1)
    finally:
        terminal.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
