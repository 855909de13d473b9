"""What decides has no clock, no randomness, no environment and no I/O: those come in as arguments."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PURE = [
    "gateways/standards.py", "gateways/contracts.py", "gateways/errors.py",
    *(f"gateways/{venue}/{name}.py" for venue in ("binance", "hyperliquid", "bybit", "okx")
      for name in ("decode", "bodies", "encode", "wire", "refusals", "vocabulary", "translate", "answers", "signing")),
    *(f"gateways/paper/{name}.py" for name in ("matching", "account", "clearing", "admission", "exchange", "records",
                                               "live")),
    "gateways/paper/binance/*.py", "gateways/paper/hyperliquid/*.py", "gateways/paper/okx/*.py",
    "gateways/paper/bybit/*.py",
    "oms/absence.py", "oms/checks.py", "oms/evidence.py", "oms/order_book.py", "oms/orders.py", "oms/reconcile.py",
    "oms/order_status.py", "oms/oid_evidence.py", "oms/alignment.py", "oms/positions.py",
    "oms/cloid.py", "oms/checkpoint.py", "oms/finished.py", "oms/limits.py", "oms/hedgeability.py",
    *(f"oms/risk/{name}.py" for name in ("day", "day_checks", "engine", "exposure", "facts", "findings", "holdings",
                                         "order_checks", "position_checks", "verdict")),
    *(f"oms/hedge/{name}.py" for name in ("acts", "book", "decision", "events", "failures", "kernel", "ledger",
                                          "policy", "slippage", "state")),
    "oms/pnl.py", "oms/balances.py", "console/concern.py", "console/frame_times.py", "console/rows.py",
    "console/screens/drill_lines.py",
    *(f"console/config/{name}.py" for name in ("limits", "messages", "numbers", "overrides", "places", "problems",
                                               "showing", "table", "template", "wizard")),
    "console/language.py", "console/legs.py", "console/words.py", "console/commands.py", "console/checks.py",
]  # fmt: skip
FORBIDDEN = {"time", "random", "secrets", "os", "socket", "asyncio", "threading", "subprocess", "aiohttp"}
CLOCKS = {f"{name}.{call}" for name in ("datetime", "date") for call in ("now", "utcnow", "today")}
"""Readings of datetime, which may only format a time that was passed in."""
FILES = sorted({path for pattern in PURE for path in ROOT.glob(pattern)})


def imported(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


def test_the_pure_parts_are_there():
    """The list names files that exist, so that it cannot rot into nothing."""
    assert len(FILES) > 50


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_pure_part_imports_no_clock_no_randomness_and_no_io(path):
    """Time, chance and the world come in as arguments; no await stands where something is decided."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert FORBIDDEN.isdisjoint(imported(tree)), sorted(FORBIDDEN.intersection(imported(tree)))
    assert not any(isinstance(node, (ast.Await, ast.AsyncFunctionDef)) for node in ast.walk(tree))
    assert CLOCKS.isdisjoint(ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_float_is_made_where_prices_and_quantities_are(path):
    """Decimal from the wire to the screen: a pure part never calls float()."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    assert not any(isinstance(call.func, ast.Name) and call.func.id == "float" for call in calls)
