"""``python -m bench.tables [NAME ...] [--quick] [--runs N]``: run benchmarks and print their tables as Markdown.

Each run is a process of its own; the machine, the time and its load stand above the tables. This is the command behind
docs/performance.md.
"""

import argparse
import datetime as dt
import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

NAMES = ("fill_to_hedge", "peers", "throughput", "reconcile", "startup", "soak", "ui")


def processor() -> str:
    """What the processor calls itself."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown processor"
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown processor")


def machine() -> str:
    """One line on where and when, and how busy it is with other things."""
    now = dt.datetime.now(dt.UTC)
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    return (
        f"{now:%Y-%m-%d %H:%M} UTC · {os.cpu_count()} cores, {processor()} · Python {platform.python_version()} · "
        f"{platform.system()} {platform.release()} · load average {load}"
    )


def rows(result: dict[str, Any]) -> list[str]:
    """A result as a Markdown table, what is not of one contender in lines under it."""
    lines: list[str] = []
    contenders: dict[str, dict[str, Any]] = result.get("contenders", {})
    if contenders:
        heads = list(dict.fromkeys(head for row in contenders.values() for head in row))
        lines = ["| | " + " | ".join(heads) + " |", "|---|" + "---:|" * len(heads)]
        for name, row in contenders.items():
            lines.append(f"| {name} | " + " | ".join(str(row.get(head, "")) for head in heads) + " |")
        lines.append("")
    told = {key: value for key, value in result.items() if key != "contenders"}
    return [*lines, ", ".join(f"{key} {value}" for key, value in told.items()), ""]


def main() -> int:
    """Run them; 0 when all ran and met their bars."""
    parser = argparse.ArgumentParser(prog="python -m bench.tables")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)} (default: all)")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--runs", type=int, default=1)
    asked = parser.parse_args()
    unknown = set(asked.names).difference(NAMES)
    if unknown:
        parser.error(f"no benchmark is called {', '.join(sorted(unknown))}")
    print(machine(), flush=True)
    failed = 0
    for name in asked.names or NAMES:
        command = ["-m", "bench", name, "--json", *(["--quick"] if asked.quick else [])]
        print(f"\n### `python {' '.join(command)}`\n", flush=True)
        for _ in range(asked.runs):
            ended = subprocess.run([sys.executable, *command], stdout=subprocess.PIPE, text=True, check=False)  # noqa: S603 - our own module
            failed += ended.returncode != 0
            told = ended.stdout.strip()
            print("\n".join(rows(json.loads(told))) if told else "It did not end: see stderr.\n", flush=True)
    print(machine(), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
