"""What consoles are told: everything once, then what changed; slow ones get less often, and never less."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.carrier import wire
from console.carrier.publication import Known, Outbox, Publication
from console.link import Frame, LogLine, TradeRow
from console.mailbox import Mailbox, rows_in
from console.panes.mirror import Mirror
from tests.console.scripted import desk_frame, header, hedge, order

D = Decimal


def line(number):
    return LogLine(ts_ns=number, kind="event", severity="info", venue="", text=f"line {number}")


def trade(number, ticker="X"):
    return TradeRow(ts_ns=number, venue="a", ticker=ticker, amount=D(1), price=D(1), trade_id=str(number))


changes = st.lists(
    st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(-1, 5)), max_size=6), min_size=1, max_size=12
)
"""Frames: of each order the new filled size, or -1 where it is gone."""


def frames_of(steps):
    for number, step in enumerate(steps):
        rows = {key: order(key * 32, filled=D(filled)) for key, filled in step if filled >= 0}
        gone = [key * 32 for key, filled in step if filled < 0 and key not in rows]
        yield Frame(header=header(deltas=number), orders=list(rows.values()), gone={"orders": gone} if gone else {})


@given(changes, st.integers(0, 12), st.sets(st.integers(0, 12)), st.integers(1, 7))
def test_whoever_comes_and_looks_whenever_ends_with_the_same_rows(steps, comes, looks, most):
    """A console that is there from the start, and one that comes later, looks seldom and in small parts: one state."""
    publication = Publication()
    early, late = Mirror(), Mirror()
    all_of_it, outbox = Outbox(lambda: None), Outbox(lambda: None)
    whole = publication.open(all_of_it)
    for number, frame in enumerate([*frames_of(steps), *[Frame(header=header())] * 13]):
        if number == comes:
            for part in publication.open(outbox):
                late.apply(part, 1)
        publication.put(frame)
        if number in looks and number >= comes:
            part = outbox.take(most)
            if part is not None:
                late.apply(part, 1)
    for part in (*whole, *iter(all_of_it.take, None)):
        early.apply(part, 1)
    for part in iter(lambda: outbox.take(most), None):
        assert rows_in(part) <= most
        late.apply(part, 1)
    assert late.orders == early.orders
    assert late.header == early.header


def test_a_snapshot_comes_in_slices_and_tells_rows_as_they_stand_when_it_comes_to_them():
    """None is longer than a slice; what is gone by then is left out."""
    publication = Publication()
    publication.put(Frame(header=header(), orders=[order(f"{number:032x}") for number in range(wire.SLICE + 10)]))
    parts = publication.open(Outbox(lambda: None))
    head, first = next(parts), next(parts)
    assert (rows_in(head), rows_in(first)) == (0, wire.SLICE)
    changed, gone = f"{wire.SLICE:032x}", f"{wire.SLICE + 1:032x}"
    publication.put(Frame(orders=[order(changed, filled=D(1))], gone={"orders": [gone]}))
    (rest,) = parts
    assert [row.filled for row in rest.orders if row.key == changed] == [D(1)]
    assert gone not in {row.key for row in rest.orders}
    assert rows_in(rest) == 9


def test_who_keeps_up_gets_the_engines_own_frame_encoded_once_for_all():
    """The bytes of one frame are the same object for every console."""
    publication = Publication()
    outboxes = [Outbox(lambda: None) for _ in range(3)]
    for outbox in outboxes:
        list(publication.open(outbox))
    publication.put(desk_frame())
    encoded = {id(publication.encoded(outbox.take(wire.SLICE))) for outbox in outboxes}
    assert len(encoded) == 1


def test_finished_orders_are_forgotten_oldest_first():
    """A session of any length is told to a newcomer in bounded room; an open order is never forgotten."""
    publication = Publication()
    publication.put(Frame(orders=[order("f" * 32)]))
    for number in range(9_000):
        publication.put(Frame(orders=[order(f"{number:032x}", status="CANCELLED", terminal=True)]))
    told = [row.key for part in publication.open(Outbox(lambda: None)) for row in part.orders]
    assert len(told) <= 4_001
    assert {"f" * 32, f"{8_999:032x}"} <= set(told)


def test_legs_that_are_hedged_are_forgotten_when_their_makers_are_finished():
    """The oldest first; a leg that owes something, and one whose maker rests, are told to whoever comes."""
    publication = Publication()
    publication.put(Frame(orders=[order("f" * 32)], hedges=[hedge("rests", maker="f" * 32, state="idle")]))
    publication.put(Frame(hedges=[hedge("owes", maker="e" * 32, state="waiting")]))
    for number in range(9_000):
        publication.put(Frame(hedges=[hedge(f"{number}", maker=f"{number:032x}", state="hedged")]))
    told = [row.key for part in publication.open(Outbox(lambda: None)) for row in part.hedges]
    assert len(told) <= 4_001
    assert {"rests", "owes", "8999"} <= set(told)


def test_open_orders_of_any_number_are_kept_and_seldom_walked_through():
    """What is looked for among them costs little for each frame, however many rest."""
    looks = 0

    class Counted(Publication):
        def _forget(self, table, finished):
            def counted(row):
                nonlocal looks
                looks += 1
                return finished(row)

            super()._forget(table, counted)

    publication = Counted()
    for number in range(20_000):
        publication.put(Frame(orders=[order(f"{number:032x}")]))
    assert sum(len(part.orders) for part in publication.open(Outbox(lambda: None))) == 20_000
    assert looks < 10 * 20_000


def test_what_fell_out_on_the_way_is_added_to_the_header():
    """The count of dropped lines is the sum of all who had to drop."""
    first, second = Mailbox(), Mailbox()
    for start in range(0, 12_000, 1_000):
        first.put(Frame(header=header(), log=[line(number) for number in range(start, start + 1_000)]))
    frame = first.take()
    assert frame.header.dropped == first.dropped == 7_000
    second.put(frame)
    assert second.take().header.dropped == 7_000


# ------------------------------------------------------------------ a console that knows from before


def test_after_a_new_connection_what_did_not_come_again_is_gone():
    """An engine that was started anew knows less: those rows leave the screen, the others stay."""
    known = Known()
    known.begin()
    known.take(Frame(orders=[order("a" * 32), order("b" * 32)]))
    assert known.end().gone == {}
    known.begin()
    known.take(Frame(orders=[order("b" * 32)]))
    assert known.end().gone == {"orders": ["a" * 32]}


def test_lines_told_again_are_not_shown_again():
    """The log that a new connection begins with is the one that was there already, and its news."""
    known = Known()
    known.begin()
    known.take(Frame(log=[line(1), line(2)]))
    known.end()
    known.begin()
    assert known.take(Frame(log=[line(1), line(2), line(3)])).log == [line(3)]


def test_only_the_watched_tape_comes_each_trade_once():
    """An engine tells the trades that any of its consoles watches, and tells them again to one that comes."""
    known = Known()
    known.begin()
    known.end()
    assert known.take(Frame(trades=[trade(1)])).trades == []
    known.watch("a", "X")
    assert known.take(Frame(trades=[trade(1), trade(2), trade(3, "Y")])).trades == [trade(1), trade(2)]
    assert known.take(Frame(trades=[trade(1), trade(2), trade(4)])).trades == [trade(4)]


# ------------------------------------------------------------------------- the wire


@pytest.mark.parametrize("message", [b"", b"\xc1", b"\x81\xa4type\xa3nop", "text", b"\x91" * 5_000, wire.encode(1)])
def test_what_is_no_message_is_a_wire_error(message):
    """Whatever bytes come, nothing else is raised."""
    with pytest.raises(wire.WireError):
        wire.read_asked(message)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_a_wire_error(message):
    """The door's reader is total."""
    try:
        wire.read_asked(message)
    except wire.WireError:
        return


def test_frames_come_through_unchanged():
    """Decimals to the last digit, tuples, gone keys."""
    frame = desk_frame(gone={"orders": ["x"]})
    assert wire.read_told(wire.encode(wire.Told(frame))) == wire.Told(frame)


def test_another_version_and_other_records_are_refused_each_by_its_sentence():
    """Who only asks may be of another build; who wants frames may not."""
    asks = wire.Hello(wire.VERSION)
    assert wire.refusal(asks) == ""
    assert wire.refusal(msgspec.structs.replace(asks, records=wire.fingerprint())) == ""
    assert "another build" in wire.refusal(msgspec.structs.replace(asks, records="other"))
    assert "version" in wire.refusal(wire.Hello(wire.VERSION + 1))
