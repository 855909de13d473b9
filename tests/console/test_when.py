"""Every reason for which an action cannot be done, and that it is told wherever the action is offered."""

import pytest

from console.actions import ACTIONS, PANES, for_pane, scopes_of
from console.link import Frame
from console.panes import when
from console.panes.mirror import Mirror
from console.panes.when import NOTHING, Selection
from console.widgets.bars import key_spans
from tests.console.pilots import staged
from tests.console.scripted import CHILD, MAKER, D, book, desk_frame, header, hedge, order, position


def heard(**changes):
    mirror = Mirror()
    mirror.apply(desk_frame(**changes), 1)
    return mirror


NOT_HEARD = Mirror()
DESK = heard()
QUIET = heard(orders=[], positions=[], contracts=[], books=[])
OPEN, DONE = order(MAKER), order(MAKER, terminal=True, status="FILLED")
LOST = order(CHILD, role="hedge", status="UNKNOWN", price=None)

NO_HEDGE = "only a hedge order that is UNKNOWN can be taken as never sent"
NO_POSITION = "no open position under the cursor: choose a contract's line"
SMALL = heard(books=[book(smallest=D("0.009"))])

CASES = {
    when.always: [(NOT_HEARD, NOTHING, None)],
    when.engine_heard: [(NOT_HEARD, NOTHING, "the engine has not been heard yet"), (DESK, NOTHING, None)],
    when.contracts_known: [(QUIET, NOTHING, "no contracts are known yet"), (DESK, NOTHING, None)],
    when.orders_open: [(QUIET, NOTHING, "no order is open"), (DESK, NOTHING, None)],
    when.positions_open: [(QUIET, NOTHING, "every position is flat"), (DESK, NOTHING, None)],
    when.makers_allowed: [
        (NOT_HEARD, NOTHING, "the engine has not been heard yet"),
        (QUIET, NOTHING, "no contracts are known yet"),
        (heard(header=header(trading="HEDGE-ONLY")), NOTHING, "trading is HEDGE-ONLY: no new makers"),
        (heard(header=header(trading="HALTED")), NOTHING, "trading is HALTED: no new makers"),
        (heard(header=header(trading="REDUCING")), NOTHING, None),
        (DESK, NOTHING, None),
    ],
    when.not_active: [
        (NOT_HEARD, NOTHING, "the engine has not been heard yet"),
        (DESK, NOTHING, "trading is ACTIVE already"),
        (heard(header=header(trading="REDUCING")), NOTHING, None),
    ],
    when.fits_anything: [(NOT_HEARD, NOTHING, None)],
    when.fits_row: [(DESK, NOTHING, "there is no row under the cursor"), (DESK, Selection(OPEN), None)],
    when.fits_contract: [
        (DESK, NOTHING, "choose the line of a contract first"),
        (DESK, Selection(desk_frame().money[0]), "choose the line of a contract first"),
        (DESK, Selection(OPEN), None),
    ],
    when.fits_order: [
        (DESK, NOTHING, "no order is under the cursor"),
        (DESK, Selection(hedge("h")), "no order is under the cursor"),
        (DESK, Selection(DONE), None),
    ],
    when.fits_cancel: [
        (DESK, NOTHING, "no order is under the cursor"),
        (DESK, Selection(book()), "no order is under the cursor"),
        (DESK, Selection(DONE), "nothing to cancel here: that order is done"),
        (DESK, Selection(OPEN, (DONE,)), "nothing to cancel here: all marked are done"),
        (DESK, Selection(DONE, (DONE, OPEN)), None),
        (DESK, Selection(OPEN), None),
    ],
    when.fits_amend: [
        (DESK, NOTHING, "only an open order with a price can be amended"),
        (DESK, Selection(DONE), "only an open order with a price can be amended"),
        (DESK, Selection(order(MAKER, price=None)), "only an open order with a price can be amended"),
        (DESK, Selection(OPEN), None),
    ],
    when.fits_absent: [
        (DESK, NOTHING, NO_HEDGE),
        (DESK, Selection(OPEN), NO_HEDGE),
        (DESK, Selection(order(MAKER, status="UNKNOWN")), NO_HEDGE),
        (DESK, Selection(LOST), None),
    ],
    when.fits_position: [
        (DESK, NOTHING, NO_POSITION),
        (DESK, Selection(desk_frame().exposures[0]), NO_POSITION),
        (DESK, Selection(position("binance", "ETHUSDT", "0")), NO_POSITION),
        (DESK, Selection(position("binance", "ETHUSDT", "-1")), None),
    ],
    when.fits_book: [
        (DESK, NOTHING, "no hedge book is under the cursor"),
        (QUIET, Selection(book()), "no hedge book is under the cursor"),
        (DESK, Selection(hedge("h")), None),
    ],
    when.fits_balance: [
        (DESK, NOTHING, "nothing waits in this hedge book"),
        (heard(books=[book(balance=D(0))]), Selection(hedge("h")), "nothing waits in this hedge book"),
        (DESK, Selection(hedge("h")), None),
        (DESK, Selection(book()), None),
    ],
    when.fits_hedge_now: [
        (DESK, NOTHING, "nothing waits in this hedge book"),
        (SMALL, Selection(hedge("h")), "the venue takes 0.009 at least, 0.0002 waits: U rounds it up"),
        (heard(books=[book(smallest=D("0.009"), state="hold")]), Selection(hedge("h")), None),
        (heard(books=[book(smallest=D("0.0001"))]), Selection(hedge("h")), None),
        (DESK, Selection(hedge("h")), None),
    ],
    when.fits_round_up: [
        (DESK, NOTHING, "nothing waits in this hedge book"),
        (heard(books=[book(unknown=D(1))]), Selection(book()), "a hedge of unknown outcome could answer it already"),
        (SMALL, Selection(book()), None),
    ],
}  # fmt: skip


@pytest.mark.parametrize("condition", CASES, ids=lambda condition: condition.__name__)
def test_each_condition_gives_each_of_its_reasons_and_none_where_it_holds(condition):
    """One phrase says why not."""
    takes_selection = condition.__name__.startswith("fits_")
    for mirror, selection, reason in CASES[condition]:
        said = condition(mirror, selection) if takes_selection else condition(mirror)
        assert said == reason


def test_every_condition_of_the_table_has_its_cases():
    """No action is disabled for a reason that is not tried here; each condition that can say no is seen to."""
    used = {action.enabled for action in ACTIONS} | {action.fits for action in ACTIONS}
    assert used - set(CASES) == set()
    for condition, cases in CASES.items():
        silent = condition in {when.always, when.fits_anything}
        assert any(reason for *_, reason in cases) is not silent


@pytest.mark.parametrize("pane", PANES)
def test_what_is_disabled_is_grey_in_the_footer_and_nothing_else_is(pane):
    """The keys of the footer are faint exactly where the action is blocked, by the desk or by the row."""
    for mirror in (QUIET, DESK):
        for selection in (NOTHING, Selection(OPEN), Selection(DONE), Selection(book())):
            footer = [action for action in for_pane(pane) if action.footer]
            spans = key_spans(footer, mirror, selection)
            grey = [span.ink == "faint" for span in spans]
            blocked = [action.blocked(mirror, selection) is not None for action in footer for _ in range(2)]
            assert grey == blocked


async def test_every_action_that_is_disabled_says_why_when_its_key_is_pressed():
    """On a desk where nothing is open and nothing is under a cursor, each says its reason and sends nothing."""
    async with staged(Frame(header=header(trading="HALTED"))) as stage:
        for action in ACTIONS:
            here = next((name for name in PANES if set(scopes_of(name)) & set(action.scopes)), PANES[0])
            reason = action.blocked(stage.app.mirror, NOTHING)
            if reason is not None:
                stage.app.perform(action.id, stage.app.desk.panes[here])
                assert f"{action.label}: {reason}"[:60] in stage.message, action.id
        assert stage.link.lines == []
        assert stage.app.screen is stage.app.desk
