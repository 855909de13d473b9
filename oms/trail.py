"""The audit trail (I15): from the journal alone, which hedges answer each fill, and which fills caused each hedge.

The journal is replayed and watched. A maker's fill is owed on each of its legs; what is owed is answered oldest first,
as the kernel does: taken by a hedge order, netted with an opposite maker, or forfeited; what a hedge order could not
fill is owed again, first. Signed base units of the hedge's contract. Pure.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from decimal import Decimal
from enum import Enum
from typing import NoReturn

import msgspec

from gateways.standards import ZERO, OrderStatus
from oms.hedge import events as e
from oms.hedge.kernel import Kernel
from oms.hedge.state import BookKey, ChildState, HedgeBook, Share
from oms.records import Record
from oms.recovery import Past, replay

LegKey = tuple[str, int]
"""A maker and the place of one of its legs."""


class By(str, Enum):
    """What became of a quantity that a fill made owed."""

    HEDGE = "hedge"
    NETTED = "netted"
    FORFEITED = "forfeited"
    WAITING = "waiting"


class Fill(msgspec.Struct, frozen=True, kw_only=True):
    """A growth of what a maker has filled, by the record that told it."""

    record: int
    ts_ns: int
    maker: str
    amount: Decimal
    """The growth, signed, base units of the maker's contract."""
    filled: Decimal
    """In all, after it."""
    average_price: Decimal | None


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """``quantity`` of a fill, on one leg, answered; signed like the hedge."""

    fill: int | None
    """Record of the fill; None for what no fill made owed (a round-up, a quantity that the operator reopened)."""
    maker: str
    leg: int
    by: By
    quantity: Decimal
    hedge: str | None = None
    record: int | None = None
    """Where the journal says so: of a hedge its intent."""


class Hedge(msgspec.Struct, frozen=True, kw_only=True):
    """A hedge order, from its intent to the last that the journal knows of it."""

    record: int
    cause: int | None
    """Record of what it was decided on; None for a price or a time, which are not journaled."""
    intended: e.Intended
    status: OrderStatus
    filled: Decimal
    average_price: Decimal | None
    text: str


class Trail(msgspec.Struct, frozen=True, kw_only=True):
    """A journal, told as fills and their answers. All in the order of the records."""

    past: Past
    placed: dict[str, int]
    """The record in which each maker was placed."""
    fills: tuple[Fill, ...]
    hedges: tuple[Hedge, ...]
    answers: tuple[Answer, ...]
    acts: tuple[Record, ...]
    """What the operator and the engine did beside: pauses, holds, forfeits, panics, sessions."""


ACTS = frozenset({
    "Session", "Panic", "Disarm", "Activate", "Reducing", "Halt", "Armed", "Disarmed", "Paused", "Resumed", "Forfeited",
    "Reopened", "RoundedUp", "AssumedAbsent", "Held",
})  # fmt: skip


def follow(records: Iterable[Record]) -> Trail:
    """Read a journal from its beginning. Raises JournalError as ``replay``."""
    kernel = Kernel(_never)
    follower = _Follower(kernel)
    past = replay(follower.watch(records), kernel)
    return follower.trail(past)


def _never() -> NoReturn:
    raise RuntimeError("a replay decides nothing")


class _Owed:
    """A part of a fill that is not answered yet."""

    __slots__ = ("fill", "quantity")

    def __init__(self, fill: int | None, quantity: Decimal) -> None:
        self.fill = fill
        self.quantity = quantity


class _Follower:
    """Looks at the kernel after each record and keeps what changed."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._placed: dict[str, int] = {}
        self._fills: list[Fill] = []
        self._intents: dict[str, Record] = {}
        self._acts: list[Record] = []
        self._filled: dict[str, Decimal] = defaultdict(lambda: ZERO)
        self._owed: dict[BookKey, dict[LegKey, deque[_Owed]]] = defaultdict(lambda: defaultdict(deque))
        self._answers: list[Answer] = []
        self._taken: dict[str, list[Answer]] = {}
        """What each open hedge order took."""
        self._known: dict[tuple[BookKey, LegKey], tuple[Decimal, Decimal]] = {}
        """Netted and forfeited as last seen, by share."""

    def watch(self, records: Iterable[Record]) -> Iterator[Record]:
        """Hand each record to the replay, and look once it has been taken."""
        for record in records:
            yield record
            self._look(record)

    def trail(self, past: Past) -> Trail:
        """What was seen, when all records have been."""
        waiting = [
            Answer(fill=owed.fill, maker=maker, leg=leg, by=By.WAITING, quantity=owed.quantity)
            for legs in self._owed.values()
            for (maker, leg), queue in legs.items()
            for owed in queue
        ]
        taken = [answer for some in self._taken.values() for answer in some]
        order = {fill.record: place for place, fill in enumerate(self._fills)}
        answers = sorted(
            [*self._answers, *taken, *waiting],
            key=lambda answer: (
                -1 if answer.fill is None else order[answer.fill],
                answer.leg,
                answer.record is None,  # what waits comes last
                answer.record or 0,
            ),
        )
        return Trail(
            past=past,
            placed=self._placed,
            fills=tuple(self._fills),
            hedges=tuple(self._hedge(past, record) for record in self._intents.values()),
            answers=tuple(answers),
            acts=tuple(self._acts),
        )

    def _hedge(self, past: Past, record: Record) -> Hedge:
        intended = record.value(e.Intended)
        child = self._kernel.children[intended.child]
        known = past.evidence.get(intended.child)
        status = OrderStatus.UNKNOWN if known is None else known.status
        if known is None and child.state is ChildState.DONE:
            status = OrderStatus.REJECTED
        return Hedge(
            record=record.n,
            cause=record.cause,
            intended=intended,
            status=status,
            filled=child.cum,
            average_price=known.average_price if known is not None else None,
            text=child.text or (known.text if known is not None else ""),
        )

    # ------------------------------------------------------------------ one record

    def _look(self, record: Record) -> None:
        data = record.data if isinstance(record.data, dict) else {}
        if record.kind in ACTS:
            self._acts.append(record)
        match record.kind:
            case "Checkpoint" if not self._placed:
                self._resume(record)
            case "MakerPlaced":
                self._placed[data["maker"]] = record.n
            case "Evidence" if data["key"] in self._kernel.makers:
                self._maker_told(record, data["key"])
            case "Intended" if data["child"] in self._kernel.children:
                self._intents[data["child"]] = record
                self._take(record)
                self._settle((data["venue"], data["ticker"]), record, None)
            case "Intended":
                pass  # for makers that were put away before the records begin: it was passed over
            case _:
                child = self._kernel.children.get(data.get("key") or data.get("child") or "")
                if child is not None:
                    if child.state is ChildState.DONE:
                        self._landed(child.cloid)
                    self._settle(child.book, record, child.cloid)
                elif (data.get("venue"), data.get("ticker")) in self._kernel.books:
                    self._settle((data["venue"], data["ticker"]), record, None)

    def _resume(self, record: Record) -> None:
        """The records begin here: what was before is known in sums, and belongs to no fill that could be named."""
        for maker in self._kernel.makers.values():
            self._placed[maker.cloid] = record.n
            self._filled[maker.cloid] = maker.filled
        for key, book in self._kernel.books.items():
            for leg, share in book.shares.items():
                self._known[key, leg] = share.netted, share.forfeited
                if share.waiting != 0:
                    self._owed[key][leg].append(_Owed(None, share.waiting))

    def _maker_told(self, record: Record, key: str) -> None:
        maker = self._kernel.makers[key]
        growth = maker.filled - self._filled[key]
        if growth == 0:
            return
        self._filled[key] = maker.filled
        self._fills.append(
            Fill(record=record.n, ts_ns=record.ts_ns, maker=key, amount=growth, filled=maker.filled,
                 average_price=maker.average_price)
        )  # fmt: skip
        for index, leg in enumerate(maker.legs):
            book = leg.venue, leg.ticker
            self._owed[book][key, index].append(_Owed(record.n, growth * leg.ratio))
            self._settle(book, record, None)

    def _take(self, record: Record) -> None:
        intended = record.value(e.Intended)
        book = intended.venue, intended.ticker
        taken = self._taken.setdefault(intended.child, [])
        for part in intended.parts:
            for fill, quantity in _oldest(self._owed[book][part.maker, part.leg], part.quantity):
                taken.append(
                    Answer(fill=fill, maker=part.maker, leg=part.leg, by=By.HEDGE, quantity=quantity,
                           hedge=intended.child, record=record.n)
                )  # fmt: skip

    def _landed(self, key: str) -> None:
        """A hedge order has ended: what it filled is answered, what it did not is owed again, before all else."""
        taken = self._taken.pop(key, None)
        if taken is None:
            return
        child = self._kernel.children[key]
        unfilled: dict[LegKey, Decimal] = defaultdict(lambda: ZERO)
        for claim in child.claims:
            unfilled[claim.maker, claim.leg] += claim.quantity - claim.filled
        kept: list[Answer] = []
        for answer in reversed(taken):
            rest = unfilled[answer.maker, answer.leg]
            back = rest if abs(rest) < abs(answer.quantity) else answer.quantity
            if back != 0:
                unfilled[answer.maker, answer.leg] = rest - back
                self._owed[child.book][answer.maker, answer.leg].appendleft(_Owed(answer.fill, back))
            if back != answer.quantity:
                kept.append(msgspec.structs.replace(answer, quantity=answer.quantity - back))
        self._answers += reversed(kept)

    def _settle(self, key: BookKey, record: Record, hedge: str | None) -> None:
        """Bring what is owed to what the book's shares say: by netting, by forfeits, by a hedge that filled late."""
        book, queues = self._kernel.books[key], self._owed[key]
        for leg in dict.fromkeys([*queues, *self._touched(book, record, hedge)]):
            share = book.share(*leg)
            netted, forfeited = self._known.get((key, leg), (ZERO, ZERO))
            self._known[key, leg] = share.netted, share.forfeited
            self._answer(key, leg, By.NETTED, share.netted - netted, record=record)
            if (share.forfeited - forfeited) * share.waiting >= 0 or record.kind == "Forfeited":
                self._answer(key, leg, By.FORFEITED, share.forfeited - forfeited, record=record)
            self._even(key, leg, share, record, hedge)
            if not queues[leg]:
                del queues[leg]  # only what is owed is looked at with each record

    def _touched(self, book: HedgeBook, record: Record, hedge: str | None) -> Iterable[LegKey]:
        """The shares that a record may have made grow without a fill."""
        child = hedge or (record.data["child"] if record.kind == "Intended" else None)
        if child is not None:
            return [(claim.maker, claim.leg) for claim in self._kernel.children[child].claims]
        return list(book.shares) if record.kind == "Reopened" else []

    def _even(self, key: BookKey, leg: LegKey, share: Share, record: Record, hedge: str | None) -> None:
        queue = self._owed[key][leg]
        surplus = sum((owed.quantity for owed in queue), ZERO) - share.waiting
        if surplus == 0:
            return
        if surplus * share.waiting < 0 or not queue:
            queue.append(_Owed(None, -surplus))
        else:
            self._answer(key, leg, By.HEDGE, surplus, record=record, hedge=hedge)

    def _answer(
        self, key: BookKey, leg: LegKey, by: By, quantity: Decimal, *, record: Record, hedge: str | None = None
    ) -> None:
        for fill, taken in _oldest(self._owed[key][leg], quantity):
            self._answers.append(
                Answer(fill=fill, maker=leg[0], leg=leg[1], by=by, quantity=taken, hedge=hedge, record=record.n)
            )


def _oldest(queue: deque[_Owed], quantity: Decimal) -> Iterator[tuple[int | None, Decimal]]:
    """Take ``quantity`` out of a queue, the oldest first; what it does not hold belongs to no fill."""
    left = quantity
    while left != 0 and queue and queue[0].quantity * left > 0:
        owed = queue[0]
        taken = left if abs(left) < abs(owed.quantity) else owed.quantity
        owed.quantity -= taken
        left -= taken
        if owed.quantity == 0:
            queue.popleft()
        yield owed.fill, taken
    if left != 0:
        yield None, left
