"""A venue that fails: ``FaultyFront`` wraps any front and lets what its plan says go wrong. Sans-I/O.

Both shells use it like the front itself. What is held back comes out of ``tick``; ``next_due_ns`` says when. A shell
that can refuse connections looks at ``refusing``. What each fault does is in ``fault_plan.SUMMARIES``.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from heapq import heappop, heappush
from typing import TypeVar

import msgspec

from gateways.contracts import floor_lots
from gateways.paper.acts import Acts
from gateways.paper.dialects import Asked
from gateways.paper.exchange import PaperExchange
from gateways.paper.fault_plan import PUSH_FAULTS, REJECTS, REQUEST_FAULTS, SNAPSHOTS, Fault, Faults, Rule
from gateways.paper.front import Front, HttpReply, Push
from gateways.paper.kinds import KINDS
from gateways.paper.records import Happening, OrderChanged, PaperOrder, Refused
from gateways.paper.ways import OverHttp, OverSocket, Way
from gateways.standards import ZERO

__all__ = ["Fault", "Faults", "FaultyFront", "Rule"]

A = TypeVar("A")
Late = Callable[[], list[Push]]
"""What was held back: done when it is due, it gives the pushes."""

_DOWN = (Fault.VENUE_REFUSES, Fault.VENUE_DOWN, Fault.WEBSOCKETS_DOWN)
_HTTP_DOWN = _DOWN[:2]
_CUTS = frozenset({Fault.STREAM_CUT})
_REPEAT_NS = 20_000_000
_ANSWERS_KEPT = 200


class FaultyFront:
    """``front`` of ``exchange``, failing as ``faults`` says. It is a ``Front`` itself.

    ``now_ns``: the venue's clock, the plan's too.
    """

    def __init__(self, front: Front, exchange: PaperExchange, faults: Faults, now_ns: Callable[[], int]) -> None:
        self.faults = faults
        self.acts = Acts(exchange)
        self._front = front
        self._exchange = exchange
        self._now_ns = now_ns
        kind = KINDS[exchange.name]
        self._dialect = kind.dialect(exchange.contracts)
        self._is_private = kind.is_private
        self._one_channel = kind.one_channel
        self._open: set[int] = set()
        self._private: set[int] = set()
        self._held: list[tuple[int, int, int, Late]] = []
        self._numbers = 0
        self._behind: dict[int, int] = {}
        self._answers: dict[str, HttpReply] = {}
        self._told_late: dict[int, int] = {}
        self._was_down = False

    # -------------------------------------------------------------- the front

    def http(self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes) -> HttpReply:
        """Answer a request, or fail to."""
        asked = self._dialect.asked_http(method, path, query, body)
        if not self.faults.active:
            reply = self._front.http(method, path, query, headers, body)
            return reply if asked is None else self._remembered(asked, reply)
        if self._down(_HTTP_DOWN) is not None:
            return HttpReply(fate="cut") if self.refusing else self._dialect.failed()
        way = OverHttp(lambda: self._front.http(method, path, query, headers, body), self._dialect)
        if asked is None:
            return way.run()
        rule = self._strike(asked, "rest")
        if rule is not None and rule.fault is Fault.SNAPSHOT_STALE:
            return self._answers.get(asked.question) or way.run()
        reply = way.run() if rule is None else self._struck(rule, asked, way)
        return reply if rule is not None else self._remembered(asked, reply)

    def ws_open(self, connection: int, path: str, query: str) -> list[Push]:
        """Take a connection, or close it at once."""
        self._open.add(connection)
        self._note(connection, path, query, "")
        if self.faults.active and self._down() is not None:
            return [Push(connection=connection, close=True)]
        return self._front.ws_open(connection, path, query)

    def ws_message(self, connection: int, text: str) -> list[Push]:
        """Answer a message, or fail to."""
        self._note(connection, "", "", text)
        if not self.faults.active:
            return self._front.ws_message(connection, text)
        if self._down() is not None:
            return [Push(connection=connection, close=True)]
        asked = self._dialect.asked_ws(text)
        if asked is None:
            return self._front.ws_message(connection, text)
        way = OverSocket(lambda: self._front.ws_message(connection, text), self._dialect, connection, self._later)
        rule = self._strike(asked, "ws")
        return way.run() if rule is None else self._struck(rule, asked, way)

    def ws_closed(self, connection: int) -> None:
        """Forget a connection and what is held back for it."""
        self._open.discard(connection)
        self._private.discard(connection)
        self._behind.pop(connection, None)
        self._front.ws_closed(connection)

    def happened(self, happenings: Sequence[Happening]) -> list[Push]:
        """Tell what happened, as far as it comes through."""
        if self._told_late:
            happenings = self._without_late(happenings)
        return self._through(self._front.happened(happenings))

    def tick(self) -> list[Push]:
        """Do what is due by time, what was held back first."""
        pushes: list[Push] = []
        now = self._now_ns()
        while self._held and self._held[0][0] <= now:
            connection, late = heappop(self._held)[2:]
            if connection in self._open or connection < 0:
                pushes += late()
        if self.faults.active:
            pushes += self._struck_by_time()
        return pushes + self._through(self._front.tick())

    # ------------------------------------------------------------ for a shell

    def next_due_ns(self) -> int | None:
        """When ``tick`` has something that was held back; None for nothing."""
        return self._held[0][0] if self._held else None

    @property
    def refusing(self) -> bool:
        """Whether connections are to be refused now, and those that are open cut."""
        return self.faults.active and self.faults.rule_of(Fault.VENUE_REFUSES) is not None

    # ----------------------------------------------------------- requests

    def _strike(self, asked: Asked, channel: str) -> Rule | None:
        return self.faults.strike(
            REQUEST_FAULTS,
            verb=asked.verb,
            ticker=asked.ticker,
            client_id=asked.client_id.removeprefix("0x"),
            channel=channel,
        )

    def _struck(self, rule: Rule, asked: Asked, way: Way[A]) -> A:
        """Answer a request that a rule strikes."""
        fault = rule.fault
        if fault in REJECTS:
            return way.said(self._dialect.refused(REJECTS[fault], rule.retry_after, asked), asked)
        match fault:
            case Fault.SNAPSHOT_FAILS | Fault.ORDER_QUERY_FAILS:
                return way.lost() if rule.lost else way.said(self._dialect.failed(), asked)
            case Fault.REFUSED_ANSWER_LOST:
                return way.lost()
            case Fault.CUT_BEFORE:
                return way.cut()
            case Fault.ACCEPTED_LATE:
                self._later(self.faults.delay_ns(rule), way.forgotten, -1)
                return way.lost()
        self._before(rule, asked)
        return self._answered(rule, asked, way, way.run())

    def _before(self, rule: Rule, asked: Asked) -> None:
        """What the market does just before the request arrives."""
        match rule.fault:
            case Fault.IOC_PART_FILLED if asked.quantity is not None and asked.is_buy is not None:
                self.acts.thin(asked.ticker, asked.quantity * rule.share, is_buy=not asked.is_buy)
            case Fault.FILLED_BEFORE_CANCEL:
                self._fill(asked, Decimal(1))
            case Fault.FILL_DURING_CANCEL:
                self._fill(asked, rule.share)
            case Fault.FILL_AFTER_CANCEL:
                filled = self._fill(asked, rule.share)
                if filled is not None:
                    self._told_late[filled.order_id] = self.faults.delay_ns(rule)

    def _answered(self, rule: Rule, asked: Asked, way: Way[A], answer: A) -> A:
        """What becomes of the true answer."""
        match rule.fault:
            case Fault.ANSWER_LOST:
                return way.lost()
            case Fault.ANSWER_5XX:
                return way.said(self._dialect.failed(), asked)
            case Fault.ANSWER_UNKNOWN:
                return way.said(self._dialect.unknown(), asked)
            case Fault.CUT_DURING:
                return way.cut()
            case Fault.CUT_AFTER:
                return way.then_cut(answer)
            case Fault.ANSWER_LATE:
                return way.late(answer, self.faults.delay_ns(rule))
        return answer

    def _fill(self, asked: Asked, share: Decimal) -> PaperOrder | None:
        """Let the market trade a share of what is left of the order that a cancel names."""
        client_id = asked.client_id or None
        for account in self._exchange.users:
            order = self._exchange.order(account, asked.ticker, order_id=asked.order_id, client_id=client_id)
            if order is None or order.status.terminal or order.client_id is None:
                continue
            contract = self._exchange.contracts[asked.ticker]
            quantity = max(floor_lots(contract, order.remaining * share), contract.lot_size)
            try:
                return self.acts.fill(account, asked.ticker, order.client_id, min(quantity, order.remaining))
            except Refused:
                return None
        return None

    def _remembered(self, asked: Asked, reply: HttpReply) -> HttpReply:
        if asked.verb in SNAPSHOTS and reply.status == 200:
            self._answers[asked.question] = reply
            if len(self._answers) > _ANSWERS_KEPT:
                del self._answers[next(iter(self._answers))]
        return reply

    # ------------------------------------------------------------- messages

    def _through(self, pushes: list[Push]) -> list[Push]:
        """What comes through of the messages that are about to leave."""
        if not self.faults.active and not self._behind:
            return pushes
        sent: list[Push] = []
        for push in pushes:
            kind = self._dialect.told(push.text)
            if kind is None:
                sent.append(push)
                continue
            rule = self.faults.strike(_FAULTS_OF[kind], text=push.text)
            if rule is not None:
                sent += self._told(rule, push)
            elif self._behind.get(push.connection, 0) > self._now_ns():
                self._hold(push, self._behind[push.connection] - self._now_ns())
            else:
                self._behind.pop(push.connection, None)
                sent.append(push)
        return sent

    def _told(self, rule: Rule, push: Push) -> list[Push]:
        """What comes through at once of a message that a rule strikes."""
        match rule.fault:
            case Fault.PUSH_DUPLICATED:
                self._hold(push, self.faults.delay_ns(rule))
                return [push, push]
            case Fault.PUSH_REORDERED:
                self._hold(push, self.faults.delay_ns(rule))
            case Fault.PUSH_DELAYED:
                due = max(self._behind.get(push.connection, 0), self._now_ns() + self.faults.delay_ns(rule))
                self._behind[push.connection] = due
                self._hold(push, due - self._now_ns())
            case Fault.STATUS_UNKNOWN:
                return [msgspec.structs.replace(push, text=self._dialect.strange(push.text))]
            case _:
                pass  # it is lost
        return []

    def _without_late(self, happenings: Sequence[Happening]) -> list[Happening]:
        """What is told now; the trades of the orders that ``_told_late`` names, and what they changed, come later."""
        now: list[Happening] = []
        late: list[Happening] = []
        taken: dict[int, Decimal] = {}
        for each in happenings:
            if isinstance(each, OrderChanged) and each.order.order_id in self._told_late:
                order_id = each.order.order_id
                if each.fill is not None:
                    taken[order_id] = taken.get(order_id, ZERO) + each.fill.quantity
                    late.append(each)
                    continue
                if self._one_channel:
                    now.append(each)
                    continue
                before = each.order.filled - taken.get(order_id, ZERO)
                now.append(
                    msgspec.structs.replace(each, order=msgspec.structs.replace(each.order, filled=max(before, ZERO)))
                )
            else:
                now.append(each)
        if late:
            delay = max(self._told_late.pop(order_id, _REPEAT_NS) for order_id in taken)
            self._later(delay, lambda: self._through(self._front.happened(late)), -1)
        return now

    # ------------------------------------------------------------ by time

    def _struck_by_time(self) -> list[Push]:
        down = self._down()
        if down is not None and not self._was_down:
            self.faults.counts[down] += 1
        self._was_down = down is not None
        if down is not None:
            return [Push(connection=one, close=True) for one in sorted(self._open)]
        expire = getattr(self._front, "expire_listen_keys", None)
        if expire is not None and self.faults.strike({Fault.LISTEN_KEY_EXPIRED}) is not None:
            expire()
        if self._private and self.faults.strike(_CUTS) is not None:
            return [Push(connection=one, close=True) for one in sorted(self._private)]
        return []

    def _note(self, connection: int, path: str, query: str, text: str) -> None:
        if connection not in self._private and self._is_private(path, query, text):
            self._private.add(connection)

    def _down(self, faults: Sequence[Fault] = _DOWN) -> Fault | None:
        return next((fault for fault in faults if self.faults.rule_of(fault) is not None), None)

    def _hold(self, push: Push, delay_ns: int) -> None:
        self._later(delay_ns, lambda: [push], push.connection)

    def _later(self, delay_ns: int, late: Late, connection: int) -> None:
        """Do something after a time, unless its connection (negative: none) is closed by then."""
        self._numbers += 1
        heappush(self._held, (self._now_ns() + delay_ns, self._numbers, connection, late))


_FAULTS_OF = {
    "order": PUSH_FAULTS - {Fault.FILL_PUSH_LOST},
    "order with its fill": PUSH_FAULTS,
    "fill": PUSH_FAULTS - {Fault.ORDER_PUSH_LOST, Fault.STATUS_UNKNOWN},
    "account": PUSH_FAULTS - {Fault.FILL_PUSH_LOST, Fault.ORDER_PUSH_LOST, Fault.STATUS_UNKNOWN},
}
"""Which faults may strike a message, by what it tells of."""
