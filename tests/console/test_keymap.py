"""A user's own keys: what they may be, and that the whole console goes by them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from console.actions import ACTIONS
from console.check import Verdict, check
from console.config.reading import parse
from console.keymap import KeymapError, rebound

KEYS = {action.id: action.keys for action in ACTIONS}


def test_named_actions_have_the_named_keys_and_no_others_change():
    """Several with commas between; signs may be written as they are."""
    table = rebound({"mute": "m, f6", "command_line": "semicolon,:", "verify": "ctrl+v"})
    assert {action.id: action.keys for action in table} == {
        **KEYS, "mute": ("m", "f6"), "command_line": ("semicolon", "colon"), "verify": ("ctrl+v",)
    }  # fmt: skip
    assert rebound({}) == ACTIONS


@pytest.mark.parametrize(
    ("keymap", "about", "said"),
    [
        ({"canel": "x"}, "canel", "is no action: did you mean cancel?"),
        ({"panic": "f8"}, "panic", "keeps its keys, f9 and ctrl+backslash, on every desk"),
        ({"mute": "f9"}, "mute", "cannot be f9"),
        ({"mute": "j"}, "mute", "cannot be j: that moves in every table"),
        ({"cancel": "escape"}, "cancel", "cannot be escape: that closes, goes on or opens the palette"),
        ({"quit": "x"}, "quit", "cannot be x: it works over every form, where x is typed"),
        ({"quit": "question_mark"}, "quit", "cannot be question_mark: it works over every form"),
        ({"filter": "C"}, "filter", "cannot be so: C in orders: filter hides cancel_menu, which carries risk"),
        ({"mute": ""}, "mute", "has no key that is called ''"),
        ({"mute": "c\x1b"}, "mute", "has no key that is called"),
        ({"mute": "f6", "amend": "c"}, "amend", "cannot be so: c in orders: both cancel and amend"),
    ],
)
def test_a_keymap_that_cannot_be_is_told_by_its_action(keymap, about, said):
    """Unknown actions, fixed ones, keys that are taken or are none."""
    with pytest.raises(KeymapError) as caught:
        rebound(keymap)
    assert caught.value.action == about
    assert str(caught.value).startswith(said)


def test_the_whole_console_goes_by_the_users_keys():
    """Bindings, footer, help and palette read one table: in a process where it was rebound before they were made."""
    program = """
import json
from console import actions
from console.keymap import rebound
actions.rebind(rebound({"mute": "f6", "cancel": "ctrl+x", "quit": "f12, ctrl+q"}))
from console.app import HedgedeskApp
from console.panes.orders import OrdersPane
print(json.dumps({
    "orders": [b.key for b in OrdersPane.BINDINGS if b.id == "cancel"],
    "desk": [action.key_label for action in actions.for_pane("orders") if action.id in ("mute", "cancel")],
    "app": [b.key for b in HedgedeskApp.BINDINGS if b.id == "quit"],
    "by id": list(actions.BY_ID["mute"].keys),
}))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)  # noqa: S603  # our own code
    assert json.loads(done.stdout) == {
        "orders": ["ctrl+x"], "desk": ["ctrl+x", "f6"], "app": ["f12,ctrl+q"], "by id": ["f6"]
    }  # fmt: skip


async def test_check_tells_a_keymap_that_cannot_be():
    """With its line."""
    loaded = parse('[profiles.paper.keymap]\nmute = "f6"\namend = "c"\n', Path("c.toml"), found=False)
    told = [finding.text for finding in await check(loaded, {}) if finding.verdict is Verdict.NO]
    assert told == ["c.toml:3: profiles.paper.keymap.amend: cannot be so: c in orders: both cancel and amend"]
