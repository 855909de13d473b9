from types import SimpleNamespace

import msgspec
import pytest
from textual.keys import key_to_character
from textual.widgets import Input

from console.actions import ACTIONS, APP, BY_ID, DESK, PANE, PANES, TABLE, Risk, bindings, clashes, for_pane, scopes_of
from console.app import HedgedeskApp
from console.panes.action import key_label
from console.panes.mirror import Mirror
from console.screens.desk import DeskScreen
from console.widgets.live_table import LiveTable
from tests.console.scripted import NOW, desk_frame, header, order


def test_no_key_has_two_meanings_and_nothing_risky_is_hidden():
    """The table of actions has no clash."""
    assert clashes() == []


def with_key(action_id, key, *scopes):
    return tuple(
        msgspec.structs.replace(action, keys=(key,), scopes=scopes or action.scopes)
        if action.id == action_id
        else action
        for action in ACTIONS
    )


def test_the_check_refuses_two_actions_on_one_key():
    """A second action on a key of the same pane is a clash."""
    assert clashes(with_key("amend", "c")) == ["c in orders: both cancel and amend"]


def test_the_check_refuses_a_pane_that_hides_a_risky_action():
    """A pane's own key may not stand before an action that carries risk."""
    found = clashes(with_key("look", "C", "orders"))
    assert found == ["C in orders: look hides cancel_menu, which carries risk"]


def test_the_check_refuses_to_hide_what_works_everywhere():
    """Panic's keys belong to panic."""
    assert any("mark hides panic" in clash for clash in clashes(with_key("mark", "f9")))


@pytest.mark.parametrize("pane", PANES)
def test_no_action_takes_a_key_that_moves_in_tables(pane):
    """The keys of the live table stay the live table's in every pane."""
    taken = {key for binding in LiveTable.BINDINGS for key in binding.key.split(",")}
    used = {key for action in for_pane(pane) for key in action.keys}
    assert not used & taken


def test_letters_that_carry_risk_are_bound_on_panes_only():
    """No letter on the desk or the app raises risk, so no form can leak one."""
    for action in ACTIONS:
        if action.risk >= Risk.INCREASES and any(len(key) == 1 for key in action.keys):
            assert action.id == "leave" or not {DESK, APP} & set(action.scopes)


def test_panic_is_bound_with_priority_and_free_in_text_fields():
    """Panic's keys are taken before any widget sees them, and are none that a text field uses."""
    panic = [binding for binding in bindings(APP) if binding.id == "panic"]
    assert all(binding.priority for binding in panic)
    fields = {key for binding in Input.BINDINGS for key in binding.key.split(",")}
    assert not {"f9", "ctrl+backslash"} & fields
    assert BY_ID["panic"].risk is Risk.REDUCES


def test_every_action_is_done_by_something():
    """Each action of the table has its method where it is looked for."""
    panes = {pane.NAME: type(pane) for pane in DeskScreen(SimpleNamespace(fault=None)).panes.values()}
    for action in ACTIONS:
        name = f"do_{action.id}"
        if action.goes_to:
            assert action.goes_to in PANES
        elif set(action.scopes) & {*PANES, TABLE}:
            for scope in [pane for pane in PANES if set(scopes_of(pane)) & set(action.scopes)]:
                assert hasattr(panes[scope], name) or hasattr(HedgedeskApp, name), (scope, name)
        else:
            assert hasattr(DeskScreen, name) or hasattr(HedgedeskApp, name), name


def test_every_action_is_explained():
    """Each action has a label for the footer, and a sentence for the help."""
    for action in ACTIONS:
        assert action.label, action.id
        assert action.help.endswith("."), action.id
    assert len(BY_ID) == len(ACTIONS)


def test_number_keys_go_to_the_panes_in_order():
    """1 to 8 are the panes."""
    assert [BY_ID[f"pane_{pane}"].keys for pane in PANES] == [(str(n),) for n in (*range(1, 10), 0)]


def test_a_disabled_action_says_why():
    """What cannot be done now gives its reason, and none when it can be."""
    mirror = Mirror()
    assert BY_ID["cancel"].enabled(mirror) == "no order is open"
    assert BY_ID["new"].enabled(mirror) == "the engine has not been heard yet"
    assert BY_ID["panic"].enabled(mirror) is None
    mirror.apply(desk_frame(), 1)
    for name in ("cancel", "cancel_menu", "flatten", "new"):
        assert BY_ID[name].enabled(mirror) is None
    mirror.apply(desk_frame(header=header(now_ns=NOW + 1, trading="HALTED")), 2)
    assert BY_ID["new"].enabled(mirror) == "trading is HALTED: no new makers"
    assert BY_ID["cancel"].enabled(mirror) is None


def test_what_reduces_risk_is_never_blocked_by_the_trading_state():
    """Cancels and flatten stay enabled in every trading state."""
    mirror = Mirror()
    for trading in ("ACTIVE", "REDUCING", "HEDGE-ONLY", "HALTED"):
        mirror.apply(desk_frame(header=header(trading=trading)), 1)
        for name in ("cancel", "cancel_menu", "flatten", "flatten_menu", "panic"):
            assert BY_ID[name].enabled(mirror) is None, (trading, name)


def test_a_hedge_is_not_counted_among_what_a_set_cancel_takes():
    """Hedge orders are spared by cancels of a set."""
    mirror = Mirror()
    mirror.apply(desk_frame(orders=[order("a" * 32), order("b" * 32, role="hedge")]), 1)
    assert [row.cloid for row in mirror.cancellable()] == ["a" * 32]


def test_shared_keys_are_listed_for_every_pane():
    """The footer of each pane offers panic and help."""
    for pane in PANES:
        ids = {action.id for action in for_pane(pane) if action.footer}
        assert {"panic", "help", "new"} <= ids
    assert PANE not in PANES


def test_every_key_is_written_as_it_is_printed():
    """No key is told by textual's name of a sign: the keyboard has none of those."""
    for action in ACTIONS:
        for key in action.keys:
            sign = key_to_character(key) or ""
            if sign.isprintable() and sign.strip():
                assert key_label(key) == sign, key
