"""The table of client by verb. Pure."""

from collections.abc import Iterable, Sequence

import msgspec

VERBS = ("place", "amend", "cancel", "get filled", "get refused", "orders told", "fills told", "position told")
"""What a client must do, in the order of the columns; the last three are its private streams."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How one verb went; ``reason`` says why not, and is empty where it held. No verb: the trial as a whole."""

    verb: str
    reason: str = ""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One client, and what is known of its verbs."""

    client: str
    outcomes: tuple[Outcome, ...]
    trouble: str = ""
    """Why the trial as a whole failed, and then why verbs may be missing."""

    @property
    def reasons(self) -> dict[str, str]:
        """By verb, why it does not hold; empty where it does."""
        known = {outcome.verb: outcome.reason for outcome in self.outcomes}
        return {verb: known.get(verb, self.trouble or "not tried") for verb in VERBS}

    @property
    def holds(self) -> bool:
        """Whether every verb was tried and held."""
        return not self.trouble and not any(self.reasons.values())


def row_of(client: str, report: bytes, trouble: str = "") -> Row:
    """What a trial reported, an ``Outcome`` a line. ``trouble``: what is known of the trial from outside."""
    outcomes = [msgspec.json.decode(line, type=Outcome) for line in report.splitlines()]
    beside = [outcome.reason for outcome in outcomes if not outcome.verb]
    return Row(
        client=client,
        outcomes=tuple(outcome for outcome in outcomes if outcome.verb),
        trouble="; ".join([*beside, *([trouble] if trouble else [])]),
    )


def printed(rows: Sequence[Row]) -> str:
    """The table, and under it each reason once with its client and verbs."""
    cells = [("client", *VERBS), *((row.client, *map(_cell, row.reasons.values())) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [_line(line, widths) for line in cells]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join([*lines, *(line for row in rows for line in _reasons(row))])


def _cell(reason: str) -> str:
    return "FAILS" if reason else "ok"


def _line(cells: Iterable[str], widths: Iterable[int]) -> str:
    return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"


def _reasons(row: Row) -> list[str]:
    verbs: dict[str, list[str]] = {row.trouble: []} if row.trouble else {}
    for verb, reason in row.reasons.items():
        if reason:
            verbs.setdefault(reason, []).append(verb)
    return [f"{row.client}: {', '.join(names) or 'afterwards'}: {reason}" for reason, names in verbs.items()]
