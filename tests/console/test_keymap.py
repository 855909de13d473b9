"""A user's own keys: what they may be, and that the whole console goes by them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.actions import ACTIONS, clashes
from console.acts.forms import FORM_KEYS
from console.check import Verdict, check
from console.config.reading import parse
from console.keymap import KeymapError, rebound
from console.screens.command_line import CommandLine
from console.screens.filter_line import FilterLine
from console.screens.picker import InstrumentPicker
from console.screens.template_picker import TemplatePicker
from console.ticket.ticket import Ticket

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
        ({"quit": "ctrl+s"}, "quit", "cannot be ctrl+s: it works over every form, which has ctrl+s for itself"),
        ({"quit": "ctrl+k"}, "quit", "cannot be ctrl+k: it works over every form"),
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


KEY = st.sampled_from([*"abcdefmnopqrtuvwxyzABCDHNPUX", "f6", "f8", "ctrl+k", "ctrl+s", "plus", "comma", "space"])


@given(st.dictionaries(st.sampled_from(sorted(KEYS)), KEY, min_size=1, max_size=4))
def test_whatever_a_user_writes_no_key_has_two_meanings_and_none_hides_risk(keymap):
    """A table that is taken has no clash, keeps panic's keys, and has what was written; any other is refused."""
    try:
        table = rebound(keymap)
    except KeymapError:
        return
    assert clashes(table) == []
    keys = {action.id: action.keys for action in table}
    assert keys["panic"] == KEYS["panic"]
    assert all(keys[name] == (key,) for name, key in keymap.items())


def test_an_override_frees_the_key_that_it_leaves():
    """Two actions can change places; sorting is one like others."""
    table = rebound({"cancel": "x", "amend": "c", "sort_next": "less_than_sign", "mute": "o"})
    assert clashes(table) == []


def test_the_forms_keys_are_all_in_their_table():
    """Every key that a form binds for itself before its fields: none is left out of the check and the document."""
    told = {key for keys, _ in FORM_KEYS for key in keys}
    for form in (Ticket, CommandLine, FilterLine, TemplatePicker, InstrumentPicker):
        own = [binding for binding in form.BINDINGS if binding.priority or "ctrl" in binding.key]
        assert {key for binding in own for key in binding.key.split(",")} <= told, form


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
