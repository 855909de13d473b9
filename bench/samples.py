"""Durations of several contenders, taken in turn in one run, and their ratios to the baseline."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

QUANTILES = (50, 99, 99.9)


def quantile(ranked: Sequence[int], percent: float) -> int:
    """The value at a percentile of sorted values, by nearest rank. Raises IndexError when there are none."""
    return ranked[min(len(ranked) - 1, int(len(ranked) * percent / 100))]


class Samples:
    """Nanoseconds by contender."""

    def __init__(self, baseline: str) -> None:
        self.baseline = baseline
        self._taken: dict[str, list[int]] = {baseline: []}
        self._against: dict[str, str] = {}

    def add(self, name: str, took_ns: int, *, baseline: str | None = None) -> None:
        """Keep one; ``baseline``: what the contender's ratios are to, where it is another than the run's."""
        self._taken.setdefault(name, []).append(took_ns)
        self._against[name] = baseline or self.baseline

    def result(self, main: str) -> dict[str, Any]:
        """What is printed: by contender the count, the quantiles in microseconds and their ratios to the baseline.

        ``ratio_p50`` and ``ratio_p99`` at the top are those of ``main``.
        """
        rows: dict[str, Any] = {}
        for name, taken in self._taken.items():
            mine, base = self._quantiles(name), self._quantiles(self._against.get(name, self.baseline))
            rows[name] = {"samples": len(taken)}
            for percent in QUANTILES:
                rows[name][f"p{percent:g}_us"] = round(mine[percent] / 1_000, 1)
                rows[name][f"ratio_p{percent:g}"] = round(mine[percent] / base[percent], 2)
        return {
            "baseline": self.baseline, "main": main, "ratio_p50": rows[main]["ratio_p50"],
            "ratio_p99": rows[main]["ratio_p99"], "contenders": rows,
        }  # fmt: skip

    def _quantiles(self, name: str) -> dict[float, int]:
        ranked = sorted(self._taken[name])
        return {percent: quantile(ranked, percent) for percent in QUANTILES}


def table(result: Mapping[str, Any]) -> str:
    """The result as lines for a terminal."""
    heads = [
        "samples",
        *(f"p{percent:g}_us" for percent in QUANTILES),
        *(f"ratio_p{percent:g}" for percent in QUANTILES),
    ]
    rows = result["contenders"]
    heads += dict.fromkeys(head for row in rows.values() for head in row if head not in heads)
    width = max(len(name) for name in rows)
    lines = [" " * width + "".join(f"{head:>13}" for head in heads)]
    lines += [f"{name:<{width}}" + "".join(f"{row.get(head, ''):>13}" for head in heads) for name, row in rows.items()]
    others = {key: value for key, value in result.items() if key != "contenders"}
    return "\n".join([*lines, "", *(f"{key}: {value}" for key, value in others.items())])


def shown(result: Mapping[str, Any], *, as_json: bool) -> str:
    """The result as asked for."""
    if as_json:
        return json.dumps(result)
    if "contenders" in result:
        return table(result)
    width = max(len(name) for name in result)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in result.items())
