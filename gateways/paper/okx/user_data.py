"""OKX v5's private channels: what happens to an account as they tell it.

``orders`` tells one change a message, one execution at most in each, and nothing of the past. ``positions``,
``account`` and ``balance_and_position`` begin with all that there is; then they tell what changed, after the orders,
and the first two come again every five seconds while there are positions (unless ``updateInterval`` is 0).

Sources: the venue's pages Order channel, Positions channel, Account channel, Balance and position channel.
"""

from collections.abc import Callable, Sequence

from gateways.paper.exchange import PaperExchange
from gateways.paper.front import Push
from gateways.paper.okx import numbers
from gateways.paper.okx.account import AccountDesk, uid_of
from gateways.paper.okx.orders import OrderDesk
from gateways.paper.okx.records import order_news
from gateways.paper.okx.requests import Json, read_json
from gateways.paper.okx.subscriptions import Subscription, Subscriptions
from gateways.paper.okx.tallies import Tallies
from gateways.paper.records import BalanceChanged, Happening, OrderChanged, PaperOrder, PaperPosition, PositionChanged

REGULAR_NS = 5_000_000_000
"""How often positions and money are told although nothing happened."""


class UserData:
    """Writes what happens to the accounts as pushes to their channels, and keeps the tallies."""

    def __init__(
        self,
        exchange: PaperExchange,
        subscriptions: Subscriptions,
        *,
        desk: OrderDesk,
        account: AccountDesk,
        tallies: Tallies,
        now_ns: Callable[[], int],
    ) -> None:
        self._exchange = exchange
        self._subscriptions = subscriptions
        self._desk = desk
        self._account = account
        self._tallies = tallies
        self._now_ns = now_ns
        self._regular_ns = now_ns() + REGULAR_NS

    def subscribed(self, number: int, account: str, wanted: Subscription) -> list[Push]:
        """The first message of a channel that has one."""
        positions = [each for each in self._exchange.positions(account) if wanted.takes(each.ticker)]
        match wanted.channel:
            case "positions":
                return [self._tell(number, account, wanted, self._rows(positions))]
            case "account":
                return [self._tell(number, account, wanted, [self._account.money(account)])]
            case "balance_and_position":
                return [self._tell(number, account, wanted, [self._account.both(account, positions, "snapshot")])]
        return []

    def happened(self, happenings: Sequence[Happening]) -> list[Push]:
        """The pushes of what happened: orders one by one, then positions and money as they are after all of it."""
        pushes: list[Push] = []
        positions: dict[str, dict[str, PaperPosition]] = {}
        paid: dict[str, str] = {}
        for each in happenings:
            if isinstance(each, OrderChanged):
                pushes += self._order_changed(each)
            elif isinstance(each, PositionChanged):
                positions.setdefault(each.position.account, {})[each.position.ticker] = each.position
            elif isinstance(each, BalanceChanged):
                paid[each.balance.account] = "filled" if each.cause == "ORDER" else "deposit"
        for account in [*paid, *(account for account in positions if account not in paid)]:
            changed = list(positions.get(account, {}).values())
            pushes += self._positions(account, changed)
            pushes += self._money(account)
            both = [self._account.both(account, changed, paid.get(account, "filled"))]
            for number, wanted in self._subscriptions.listeners("balance_and_position", account):
                pushes.append(self._tell(number, account, wanted, both))
        return pushes

    def unchanged(self) -> list[Push]:
        """The amends that changed nothing: the orders as they stand."""
        unchanged, self._desk.unchanged = self._desk.unchanged, []
        return [push for order, request_id in unchanged for push in self._order(order, None, request_id)]

    def tick(self) -> list[Push]:
        """Positions and money, at their regular times."""
        now = self._now_ns()
        if now < self._regular_ns:
            return []
        self._regular_ns = now + REGULAR_NS
        pushes: list[Push] = []
        for account in self._exchange.users:
            positions = self._exchange.positions(account)
            if positions:
                pushes += self._positions(account, positions, regular=True)
                pushes += self._money(account, regular=True)
        return pushes

    # ------------------------------------------------------------------ parts

    def _order_changed(self, change: OrderChanged) -> list[Push]:
        order, fill = change.order, change.fill
        if fill is not None:
            self._tallies.add(fill)
        amended = self._desk.amends.pop(order.order_id, "") if change.event == "AMENDED" else None
        return self._order(order, change, amended)

    def _order(self, order: PaperOrder, change: OrderChanged | None, amended: str | None) -> list[Push]:
        listeners = self._subscriptions.listeners("orders", order.account)
        if not listeners:
            return []
        row = order_news(
            self._exchange.contracts[order.ticker],
            order,
            self._tallies.order(order.order_id),
            self._exchange.leverage,
            fill=change.fill if change is not None else None,
            amended=amended,
        )
        return [
            self._tell(number, order.account, wanted, [row])
            for number, wanted in listeners
            if wanted.takes(order.ticker)
        ]

    def _positions(self, account: str, changed: list[PaperPosition], *, regular: bool = False) -> list[Push]:
        pushes = []
        for number, wanted in self._subscriptions.listeners("positions", account):
            data = self._rows([each for each in changed if wanted.takes(each.ticker)])
            if data and not (regular and _only_changes(wanted)):
                pushes.append(self._tell(number, account, wanted, data))
        return pushes

    def _rows(self, positions: Sequence[PaperPosition]) -> list[Json]:
        """Positions with the time of this push."""
        now = numbers.milliseconds(self._now_ns())
        return [{**self._account.position(each), "pTime": now} for each in positions]

    def _money(self, account: str, *, regular: bool = False) -> list[Push]:
        listeners = self._subscriptions.listeners("account", account)
        if not listeners:
            return []
        data = [self._account.money(account)]
        return [
            self._tell(number, account, wanted, data)
            for number, wanted in listeners
            if not (regular and _only_changes(wanted))
        ]

    def _tell(self, number: int, account: str, wanted: Subscription, data: list[Json]) -> Push:
        arg = {**wanted.arg, "uid": uid_of(account)}
        return self._subscriptions.say(number, {"arg": arg, "data": data})


def _only_changes(wanted: Subscription) -> bool:
    """Whether a subscription asks not to be told when nothing happened."""
    try:
        extra = read_json(wanted.arg.get("extraParams", "{}"))
    except ValueError:
        return False
    return isinstance(extra, dict) and str(extra.get("updateInterval")) == "0"
