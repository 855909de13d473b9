"""What every test of the console begins with."""

import pytest


@pytest.fixture(autouse=True)
def _only_one_look(monkeypatch):
    """Forms look at the market once for each change: a screen then comes to rest. Tests of the second look set it."""
    for place in ("console.ticket.ticket", "console.screens.command_line"):
        monkeypatch.setattr(f"{place}.PREVIEW_EVERY_S", 3_600)
