"""``hedgedesk journal``: from any maker fill to the hedges that answer it and back, out of a journal alone (I15)."""

import csv
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TextIO

import msgspec

from gateways.standards import ZERO
from oms.hedge.events import MakerPlaced
from oms.records import Record
from oms.trail import Answer, By, Fill, Hedge, Trail, follow

_encode = msgspec.json.Encoder(decimal_format="string").encode


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """What to tell of a journal: makers and hedges whose ids begin with these; both empty is all of it."""

    maker: str = ""
    hedge: str = ""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One fill, one leg, one answer: what is exported. Amounts signed, base units; empty where there is nothing.

    Of a maker that was put away before the records begin no more is known than its id.
    """

    fill_record: int | None
    fill_time: str
    maker: str
    maker_venue: str
    maker_ticker: str
    fill_amount: Decimal | None
    """What the maker's fill added, on the maker's contract."""
    maker_filled: Decimal | None
    maker_average_price: Decimal | None
    leg: int
    """From 1."""
    venue: str
    ticker: str
    ratio: Decimal | None
    answered_by: str
    """``hedge``, ``netted`` (by an opposite maker), ``forfeited`` or ``waiting``."""
    quantity: Decimal
    """The part of the leg's obligation that is answered so, on the hedge's contract."""
    record: int | None
    """Where the journal says so: of a hedge, its intent."""
    time: str
    cause: int | None
    hedge: str
    hedge_amount: Decimal | None
    hedge_filled: Decimal | None
    hedge_average_price: Decimal | None
    hedge_status: str


class NothingChosenError(Exception):
    """No maker or hedge of the journal has such an id. One sentence."""


def show(records: Iterable[Record], choice: Choice, out: TextIO) -> None:
    """Write the trail for people. Raises JournalError for damage, NothingChosenError."""
    told = _Told(follow(records), choice)
    out.writelines(f"{line}\n" for line in told.lines())


def export(records: Iterable[Record], choice: Choice, out: TextIO, form: str) -> None:
    """Write the trail as ``csv`` or ``jsonl``, a row for each answer to each fill. Raises as ``show``."""
    rows = _Told(follow(records), choice).rows()
    if form == "jsonl":
        out.writelines(_encode(row).decode() + "\n" for row in rows)
        return
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(Row.__struct_fields__)
    writer.writerows([_cell(value) for value in msgspec.structs.astuple(row)] for row in rows)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def when(ts_ns: int) -> str:
    """A time as people and spreadsheets read it: UTC, to the microsecond."""
    second = datetime.fromtimestamp(ts_ns // 1_000_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{second}.{ts_ns % 1_000_000_000 // 1_000:06d}Z"


class _Told:
    """A trail, and the part of it that was asked for."""

    def __init__(self, trail: Trail, choice: Choice) -> None:
        self._trail = trail
        self._fills = {fill.record: fill for fill in trail.fills}
        self._hedges = {hedge.intended.child: hedge for hedge in trail.hedges}
        answers = trail.answers
        if choice.maker:
            makers = _chosen(trail.placed, choice.maker, "maker")
            answers = tuple(answer for answer in answers if answer.maker in makers)
        if choice.hedge:
            hedges = _chosen(self._hedges, choice.hedge, "hedge")
            answers = tuple(answer for answer in answers if answer.hedge in hedges)
        self._answers = answers
        self._everything = not choice.maker and not choice.hedge
        self._chosen_makers = {answer.maker for answer in answers}
        self._chosen_hedges = {answer.hedge for answer in answers}
        if self._everything:
            self._chosen_makers |= set(trail.placed)
            self._chosen_hedges |= set(self._hedges)
        elif choice.maker:
            self._chosen_makers |= _chosen(trail.placed, choice.maker, "maker")
        else:
            self._chosen_hedges |= _chosen(self._hedges, choice.hedge, "hedge")

    # ------------------------------------------------------------------ for people

    def lines(self) -> Iterator[str]:
        """Makers with their fills and answers, hedges with their fills, what else was done."""
        for maker, record in self._trail.placed.items():
            if maker in self._chosen_makers:
                yield from self._maker(maker, record)
        for hedge in self._trail.hedges:
            if hedge.intended.child in self._chosen_hedges:
                yield from self._hedge(hedge)
        if self._everything:
            yield from map(_act, self._trail.acts)

    def _maker(self, maker: str, record: int) -> Iterator[str]:
        placed = self._placed(maker)
        entered = self._trail.past.entered.get(maker)
        evidence = self._trail.past.evidence.get(maker)
        what = f"{placed.venue}:{placed.ticker}"
        if entered is not None:
            price = "" if entered.order.price is None else f" at {entered.order.price:f}"
            what = f"{entered.order.amount:f} {what}{price}"
        status = evidence.status.value if evidence is not None else "nothing heard"
        yield f"maker {maker}  {when(placed.ts_ns)}  {what}  {status}  (record {record})"
        for number, leg in enumerate(placed.legs, 1):
            yield f"  leg {number}  {leg.venue}:{leg.ticker} x{leg.ratio:f} {leg.policy}"
        for fill in self._trail.fills:
            if fill.maker == maker:
                price = "" if fill.average_price is None else f", average {fill.average_price:f}"
                told = f"{fill.filled:f} in all{price}  (record {fill.record})"
                yield f"  fill {fill.amount:f}  {when(fill.ts_ns)}  {told}"
                yield from self._answers_of(maker, fill.record)
        yield from self._answers_of(maker, None)

    def _answers_of(self, maker: str, fill: int | None) -> Iterator[str]:
        for answer in self._answers:
            if answer.maker == maker and answer.fill == fill:
                yield f"    leg {answer.leg + 1}  {answer.quantity:f}  {self._how(answer)}"

    def _how(self, answer: Answer) -> str:
        if answer.by is By.WAITING:
            return "waits"
        where = f"(record {answer.record})"
        if answer.by is not By.HEDGE:
            return f"{answer.by.value}  {where}"
        if answer.hedge is None:
            return f"by a hedge that filled more than was meant  {where}"
        hedge = self._hedges.get(answer.hedge)
        outcome = "meant before these records" if hedge is None else _outcome(hedge)
        return f"hedge {answer.hedge}  {outcome}  {where}"

    def _hedge(self, hedge: Hedge) -> Iterator[str]:
        intended = hedge.intended
        cause = "on a price or a time" if hedge.cause is None else f"on record {hedge.cause}"
        yield (
            f"hedge {intended.child}  {when(intended.ts_ns)}  {intended.amount:f} {intended.venue}:{intended.ticker} "
            f"{intended.policy.rung(intended.rung)}  {_outcome(hedge)}  (record {hedge.record}, {cause})"
        )
        for answer in self._answers:
            if answer.hedge == intended.child:
                fill = f"fill of record {answer.fill}" if answer.fill is not None else "no fill that is told here"
                yield f"    {answer.quantity:f}  maker {answer.maker} leg {answer.leg + 1}  {fill}"

    # ------------------------------------------------------------------ for machines

    def rows(self) -> Iterator[Row]:
        """A row for each answer."""
        for answer in self._answers:
            fill = None if answer.fill is None else self._fills[answer.fill]
            yield self._row(answer, fill, self._hedges.get(answer.hedge or ""))

    def _row(self, answer: Answer, fill: Fill | None, hedge: Hedge | None) -> Row:
        placed = self._trail.past.kernel.makers.get(answer.maker)
        leg = None if placed is None else placed.legs[answer.leg]
        where = leg or (None if hedge is None else hedge.intended)
        return Row(
            fill_record=answer.fill,
            fill_time="" if fill is None else when(fill.ts_ns),
            maker=answer.maker,
            maker_venue="" if placed is None else placed.venue,
            maker_ticker="" if placed is None else placed.ticker,
            fill_amount=None if fill is None else fill.amount,
            maker_filled=None if fill is None else fill.filled,
            maker_average_price=None if fill is None else fill.average_price,
            leg=answer.leg + 1,
            venue="" if where is None else where.venue,
            ticker="" if where is None else where.ticker,
            ratio=None if leg is None else leg.ratio,
            answered_by=answer.by.value,
            quantity=answer.quantity,
            record=answer.record,
            time="" if hedge is None else when(hedge.intended.ts_ns),
            cause=None if hedge is None else hedge.cause,
            hedge=answer.hedge or "",
            hedge_amount=None if hedge is None else hedge.intended.amount,
            hedge_filled=None if hedge is None else hedge.filled,
            hedge_average_price=None if hedge is None else hedge.average_price,
            hedge_status="" if hedge is None else hedge.status.value,
        )

    def _placed(self, maker: str) -> MakerPlaced:
        known = self._trail.past.kernel.makers[maker]
        return MakerPlaced(maker=maker, venue=known.venue, ticker=known.ticker, legs=known.legs, ts_ns=known.ts_ns)


def _chosen(known: Iterable[str], prefix: str, what: str) -> set[str]:
    found = {each for each in known if each.startswith(prefix.lower())}
    if not found:
        raise NothingChosenError(f"no {what} of this journal has an id that begins with {prefix!r}")
    return found


def _outcome(hedge: Hedge) -> str:
    at = "" if hedge.average_price is None or hedge.filled == ZERO else f" at {hedge.average_price:f}"
    return f"{hedge.status.value} {hedge.filled:f}{at}"


def _act(record: Record) -> str:
    data = record.data if isinstance(record.data, dict) else {}
    words = " ".join(
        f"{name} {value}"
        for name, value in data.items()
        if name not in {"type", "ts_ns"} and value not in {None, "", False}
    )
    return f"{record.kind}  {when(record.ts_ns)}  {words}  (record {record.n})"
