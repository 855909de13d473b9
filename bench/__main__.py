"""``python -m bench NAME [--json] [--quick]``: run one benchmark and print its ratios."""

import argparse
import importlib
import sys

from bench.samples import shown

NAMES = ("fill_to_hedge", "peers", "reconcile", "soak", "startup", "throughput", "ui")


def main() -> int:
    """Run it; 0 when it ran, and met the bars that it has."""
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("name", choices=NAMES)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true", help="few samples: to see that it runs")
    asked = parser.parse_args()
    result = importlib.import_module(f"bench.{asked.name}").run(quick=asked.quick)
    print(shown(result, as_json=asked.json))
    return 0 if result.get("met", True) else 1


if __name__ == "__main__":
    sys.exit(main())
