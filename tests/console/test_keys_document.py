"""docs/keys.md and ``hedgedesk keys`` say what the table of actions says."""

from pathlib import Path

import pytest

from console.actions import ACTIONS, PANE_ABOUT, PANES
from console.cli import main
from console.keys import document, lines, sections

DOCUMENT = Path(__file__).parents[2] / "docs" / "keys.md"


def test_the_document_is_the_one_that_the_table_makes():
    """It is made anew by ``python -m console.keys --write docs/keys.md``."""
    assert DOCUMENT.read_text(encoding="utf-8") == document()


def test_every_action_stands_in_the_sections_and_every_pane_is_explained():
    """None is left out, whatever its scope."""
    assert {action.id for _, _, found in sections() for action in found} == {action.id for action in ACTIONS}
    assert set(PANE_ABOUT) == set(PANES)


def test_every_condition_has_its_words():
    """The column that says when is made of the conditions' own first lines: none is without one."""
    for action in ACTIONS:
        for condition in (action.enabled, action.fits):
            assert (condition.__doc__ or "").splitlines()[0].endswith("."), (action.id, condition)


@pytest.fixture
def configured(tmp_path, monkeypatch):
    path = tmp_path / "config.toml"
    path.write_text('[profiles.paper.keymap]\nmute = "f8"\n', encoding="utf-8")
    monkeypatch.setenv("HEDGEDESK_CONFIG", str(path))
    monkeypatch.setattr("console.actions.ACTIONS", ACTIONS)
    return path


def test_the_command_prints_the_keys_with_the_users_own(configured, capsys, monkeypatch):
    """What ``hedgedesk keys`` prints is each action with the key that it has on this desk."""
    monkeypatch.setattr("console.actions.BY_ID", {})
    assert main(["keys"]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in printed if " mute " in line] == [["f8", "mute"]]
    assert len([line for line in printed if line.startswith("  ")]) == len(
        [each for each in lines() if each[:2] == "  "]
    )


def test_the_command_refuses_a_keymap_that_cannot_be(configured, capsys):
    """With the line of the file, and exit code 2."""
    configured.write_text('[profiles.paper.keymap]\nmute = "c"\namend = "c"\n', encoding="utf-8")
    assert main(["keys"]) == 2
    assert "profiles.paper.keymap.amend: cannot be so: c in orders: both cancel and amend" in capsys.readouterr().err
