"""Bybit v5's private streams: what happens to an account, topic by topic.

For a fill: ``execution``, ``position``, ``order``, ``wallet``. An order that is made, changed or cancelled moves
margin, and position and wallet are told again. What an order took at once is told as one: one execution message with a
row for each trade, and one order message with what came of it. The venue promises no order between its topics.

Sources: the pages Order, Execution, Fast Execution, Position and Wallet of the private streams.
"""

from collections.abc import Callable, Sequence

from gateways.paper.bybit import numbers, records
from gateways.paper.bybit.account import AccountDesk
from gateways.paper.bybit.ledger import Ledger
from gateways.paper.bybit.orders import OrderDesk
from gateways.paper.bybit.records import Ending, Json
from gateways.paper.bybit.subscriptions import Subscriptions
from gateways.paper.exchange import PaperExchange
from gateways.paper.front import Push
from gateways.paper.records import BalanceChanged, Happening, OrderChanged, PaperOrder, PositionChanged
from gateways.standards import ZERO

TOO_LATE = Ending("CancelByUser", "EC_OrigClOrdIDDoesNotExist")
"""What the second message of a filled order says whose cancel came too late."""


class UserData:
    """Writes what happens to the accounts as pushes to their topics, and keeps the ledger."""

    def __init__(
        self,
        exchange: PaperExchange,
        subscriptions: Subscriptions,
        ledger: Ledger,
        orders: OrderDesk,
        desk: AccountDesk,
        *,
        now_ns: Callable[[], int],
    ) -> None:
        self._exchange = exchange
        self._subscriptions = subscriptions
        self._ledger = ledger
        self._orders = orders
        self._desk = desk
        self._now_ns = now_ns
        self._messages = 0

    def happened(self, happenings: Sequence[Happening]) -> list[Push]:
        """The pushes of what happened."""
        pushes: list[Push] = []
        changes = [each for each in happenings if isinstance(each, OrderChanged)]
        for change in changes:
            if change.order.status.terminal:
                self._ledger.ended(change.order)
        takers = {each.order.order_id for each in changes if each.fill is not None and not each.fill.is_maker}
        last = {each.order.order_id: place for place, each in enumerate(changes)}
        taken: dict[int, list[OrderChanged]] = {}
        for place, change in enumerate(changes):
            order_id = change.order.order_id
            if order_id not in takers:
                pushes += self._order_changed(change.order, [change])
                continue
            taken.setdefault(order_id, []).append(change)
            if place == last[order_id]:
                pushes += self._order_changed(change.order, taken[order_id])
        told = {(change.order.account, change.order.ticker) for change in changes}
        pushes += self._moved(happenings, told)
        return pushes + self.tick()

    def tick(self) -> list[Push]:
        """Tell of the orders again that filled while their cancel was accepted."""
        raced, self._orders.raced = self._orders.raced, []
        return [push for order in raced for push in self._order(order, TOO_LATE)]

    # ------------------------------------------------------------------ parts

    def _order_changed(self, order: PaperOrder, changes: Sequence[OrderChanged]) -> list[Push]:
        account = order.account
        return [
            *self._executions(account, changes),
            *self._position(account, order.ticker),
            *self._order(order),
            *self._wallet(account),
        ]

    def _executions(self, account: str, changes: Sequence[OrderChanged]) -> list[Push]:
        rows: list[Json] = []
        fast: list[Json] = []
        for change in changes:
            fill, order = change.fill, change.order
            if fill is None:
                continue
            mark = self._exchange.mark(fill.ticker) or ZERO
            self._ledger.add(fill, order, mark)
            beside = self._ledger.execution(fill, order, mark)
            row = records.execution_record(self._exchange.contracts[fill.ticker], fill, beside)
            rows.append(records.execution_push(row, profit=fill.realised))
            fast.append(records.fast_execution(row))
        if not rows:
            return []
        return self._push("execution", account, rows) + self._push("execution.fast", account, fast)

    def _order(self, order: PaperOrder, ending: Ending | None = None) -> list[Push]:
        sums = self._ledger.order(order.order_id)
        said = ending or self._orders.ending(order)
        contract = self._exchange.contracts[order.ticker]
        row = records.order_push(contract, order, fee=sums.fee, closed=sums.closed, ending=said)
        return self._push("order", order.account, [row])

    def _position(self, account: str, ticker: str) -> list[Push]:
        return self._push("position", account, [self._desk.view(account, ticker).push()])

    def _wallet(self, account: str) -> list[Push]:
        return self._push("wallet", account, [self._desk.wallet(account)])

    def _moved(self, happenings: Sequence[Happening], told: set[tuple[str, str]]) -> list[Push]:
        """What changed of positions and money without an order: told once each."""
        pushes: list[Push] = []
        accounts = {account for account, _ in told}
        for each in happenings:
            if isinstance(each, PositionChanged) and (each.position.account, each.position.ticker) not in told:
                told.add((each.position.account, each.position.ticker))
                pushes += self._position(each.position.account, each.position.ticker)
            elif isinstance(each, BalanceChanged) and each.balance.account not in accounts:
                accounts.add(each.balance.account)
                pushes += self._wallet(each.balance.account)
        return pushes

    def _push(self, name: str, account: str, rows: list[Json]) -> list[Push]:
        pushes: list[Push] = []
        for topic in (name, f"{name}.linear"):
            if not self._subscriptions.has(topic, account):
                continue
            self._messages += 1
            message = {
                "topic": topic,
                "id": numbers.trace_id("push", account, self._messages),
                "creationTime": numbers.milliseconds(self._now_ns()),
                "data": rows,
            }
            pushes += self._subscriptions.publish(topic, message, account)
        return pushes
