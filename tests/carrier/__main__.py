"""``make carrier``: fill to hedge with a console in trouble against the same desk without, for as long as asked."""

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Callable

from tests.carrier.engines import short_folder
from tests.carrier.stalls import Terminal, arena, figures

MAKERS = 200

Trouble = Callable[[list[Terminal]], None]

TROUBLES: dict[str, tuple[int, Trouble, Trouble]] = {
    "killed": (1, lambda consoles: consoles[0].process.kill(), lambda _: None),
    "stopped": (
        1, lambda consoles: consoles[0].process.send_signal(signal.SIGSTOP),
        lambda consoles: consoles[0].process.send_signal(signal.SIGCONT),
    ),
    "terminal stalled": (1, lambda consoles: consoles[0].stall(), lambda consoles: consoles[0].go_on()),
    "ten attached": (10, lambda _: None, lambda _: None),
}  # fmt: skip
"""By name: how many consoles, what happens to them, and how it ends."""


async def trial(name: str, seconds: float, seed: int) -> bool:
    """One trouble; whether every fill was hedged once."""
    count, begin, end = TROUBLES[name]
    with short_folder() as folder, arena(folder, seed) as ring:
        status = ring.start("--no-restart")
        without = ring.fill(await ring.place(status, MAKERS), seconds)
        consoles = ring.consoles(count)
        try:
            beside = ring.fill(await ring.place(status, MAKERS), seconds)
            makers = await ring.place(status, MAKERS)
            begin(consoles)
            during = ring.fill(makers, seconds)
            end(consoles)
        finally:
            for console in consoles:
                console.close()
        code = ring.stop()
        findings = ring.findings()
    told = {
        "trouble": name, "without console": figures(without), "with it": figures(beside), "during": figures(during),
        "ratio_p99": round(figures(during)["p99_ms"] / figures(without)["p99_ms"], 2),
        "ratio_p99_to_with_it": round(figures(during)["p99_ms"] / figures(beside)["p99_ms"], 2), "engine": code,
        "hedged": findings.clean, "findings": findings.sentences,
    }  # fmt: skip
    print(json.dumps(told), flush=True)
    return findings.clean and code == 0


def main() -> int:
    """Run the troubles one after another; 0 if every fill was hedged in each."""
    parser = argparse.ArgumentParser(prog="python -m tests.carrier")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each phase")
    parser.add_argument("--trouble", choices=TROUBLES, action="append")
    asked = parser.parse_args()
    names = asked.trouble or list(TROUBLES)
    done = [asyncio.run(trial(name, asked.seconds, seed)) for seed, name in enumerate(names, 7)]
    return 0 if all(done) else 1


if __name__ == "__main__":
    sys.exit(main())
