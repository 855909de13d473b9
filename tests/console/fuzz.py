"""``make fuzz-texts``: the configuration's loader and the grammar against many thousands of texts, in processes.

Prints what each was given and what was found; ends with 0 only if nothing was.
"""

import argparse
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor

from hypothesis import HealthCheck, given, seed, settings

from tests.console import config_texts, test_language

CHUNK = 2_500
"""Examples of one run: Hypothesis remembers what it tried, and slows down with it."""


def configurations(examples: int, start: int) -> str:
    """Read texts and environments; what went wrong, empty for nothing."""

    def read(text: str, environment: dict[str, str]) -> None:
        config_texts.read(text, environment)

    return _found(given(config_texts.texts, config_texts.variables)(read), examples, start)


def grammar(examples: int, start: int) -> str:
    """Read command lines; what went wrong, empty for nothing."""
    return _found(given(test_language.lines)(test_language.check_line), examples, start)


def _found(test: Callable[[], None], examples: int, start: int) -> str:
    quiet = settings(
        max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck), print_blob=False
    )
    try:
        quiet(seed(start)(test))()
    except Exception as error:  # noqa: BLE001 - whatever a text brings about is what is looked for
        return f"seed {start}: {type(error).__name__}: {error}"
    return ""


def main() -> int:
    """Run both campaigns."""
    parser = argparse.ArgumentParser(prog="python -m tests.console.fuzz", description=__doc__)
    parser.add_argument("--examples", type=int, default=100_000, help="of each (default 100000)")
    parser.add_argument("--processes", type=int, default=3)
    arguments = parser.parse_args()
    starts = range(0, arguments.examples, CHUNK)
    failed = 0
    with ProcessPoolExecutor(arguments.processes) as pool:
        for campaign in (configurations, grammar):
            sizes = [min(CHUNK, arguments.examples - start) for start in starts]
            found = [text for text in pool.map(campaign, sizes, starts) if text]
            for text in found:
                print(text)
            print(f"{campaign.__name__}: {sum(sizes)} examples, {len(found)} findings")
            failed += len(found)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
