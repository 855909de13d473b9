"""The subscriptions of Hyperliquid's websocket: who hears what, first and when it changes. Pure but for the clock.

``orderUpdates`` tells statuses, not fills: a partial fill changes no status and is heard in ``userFills`` alone.
``l2Book`` is a whole book of twenty levels after changes, gathered until the next tick; ``bbo``, ``trades`` and all
private channels are pushed at once.

Source: the "Websocket / Subscriptions" page; the error texts are those that clients report.
"""

from collections.abc import Callable, Sequence
from typing import Any, Literal, get_args

import msgspec

from gateways.paper.exchange import (
    BalanceChanged,
    BookChanged,
    Happening,
    OrderChanged,
    PaperExchange,
    PositionChanged,
    Traded,
)
from gateways.paper.front import Push
from gateways.paper.hyperliquid.actions import Address
from gateways.paper.hyperliquid.desk import ActionDesk
from gateways.paper.hyperliquid.info import InfoDesk
from gateways.paper.hyperliquid.records import (
    asset_context,
    basic_order,
    fill_record,
    level_record,
    milliseconds,
    status_time,
    status_word,
    trade_record,
)
from gateways.standards import OrderStatus, TimeInForce

SUBSCRIPTIONS_MOST = 1_000
USERS_MOST = 10
MARKET_PERIOD_NS = 1_000_000_000
"""How often mids and contexts are pushed."""
STATE_PERIOD_NS = 5_000_000_000
"""How often the state of an account is pushed when nothing happens to it: its value moves with the mark."""

_encode = msgspec.json.Encoder().encode
_ByUser = Literal[
    "orderUpdates",
    "userEvents",
    "userFills",
    "userFundings",
    "userNonFundingLedgerUpdates",
    "notification",
    "webData2",
    "clearinghouseState",
    "spotState",
    "openOrders",
]
_ByCoin = Literal["l2Book", "bbo", "trades", "activeAssetCtx", "candle"]
_BY_USER = frozenset(get_args(_ByUser))
_BY_COIN = frozenset(get_args(_ByCoin))
_STATES = frozenset({"webData2", "clearinghouseState", "spotState", "openOrders"})


class Subscription(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One subscription; ``digits`` and ``mantissa`` make the levels of a book coarser."""

    type: _ByUser | _ByCoin | Literal["allMids"]
    user: Address | None = None
    coin: str | None = None
    interval: str | None = None
    digits: Literal[2, 3, 4, 5] | None = msgspec.field(name="nSigFigs", default=None)
    mantissa: Literal[1, 2, 5] | None = None
    aggregate_by_time: bool | None = msgspec.field(name="aggregateByTime", default=None)
    dex: str | None = None
    portfolio: bool | None = msgspec.field(name="isPortfolioMargin", default=None)


class SubscriptionRefused(Exception):
    """Said to the client on the channel ``error``."""


class _News:
    """What happened since the last pushes, by account and by ticker."""

    def __init__(self) -> None:
        self.updates: dict[str, list[dict[str, Any]]] = {}
        self.fills: dict[str, list[dict[str, Any]]] = {}
        self.trades: dict[str, list[dict[str, Any]]] = {}
        self.touched: set[str] = set()
        self.books: set[str] = set()


class Streams:
    """The subscriptions of all connections, and the pushes for them."""

    def __init__(self, exchange: PaperExchange, desk: ActionDesk, info: InfoDesk, *, now_ns: Callable[[], int]) -> None:
        self._exchange = exchange
        self._desk = desk
        self._info = info
        self._now_ns = now_ns
        self._subscriptions: dict[int, dict[bytes, Subscription]] = {}
        self._changed_books: set[str] = set()
        self._quotes: dict[str, object] = {}
        self._market_due_ns = 0
        self._state_due_ns = 0

    def open(self, connection: int) -> None:
        """Take a new connection."""
        self._subscriptions[connection] = {}

    def close(self, connection: int) -> None:
        """Forget a connection."""
        self._subscriptions.pop(connection, None)

    def subscribe(self, connection: int, wanted: Subscription) -> list[Push]:
        """Add a subscription: its echo and its first message. Raises SubscriptionRefused."""
        mine = self._subscriptions[connection]
        key, wanted = self._admit(wanted)
        if key in mine:
            raise SubscriptionRefused(f"Already subscribed: {key.decode()}")
        if sum(map(len, self._subscriptions.values())) >= SUBSCRIPTIONS_MOST:
            raise SubscriptionRefused(f"Cannot subscribe to more than {SUBSCRIPTIONS_MOST} channels.")
        users = {one.user for others in self._subscriptions.values() for one in others.values() if one.user}
        if wanted.user is not None and len(users | {wanted.user}) > USERS_MOST:
            raise SubscriptionRefused(f"Cannot track more than {USERS_MOST} total users.")
        mine[key] = wanted
        first = self._first(wanted)
        echo = Push(connection=connection, text=_echo("subscribe", wanted))
        return [echo] if first is None else [echo, Push(connection=connection, text=_text(*first))]

    def unsubscribe(self, connection: int, wanted: Subscription) -> list[Push]:
        """Take a subscription back. Raises SubscriptionRefused where there is none."""
        key, wanted = self._admit(wanted)
        if self._subscriptions[connection].pop(key, None) is None:
            raise SubscriptionRefused(f"Already unsubscribed: {key.decode()}")
        return [Push(connection=connection, text=_echo("unsubscribe", wanted))]

    def happened(self, happenings: Sequence[Happening]) -> list[Push]:
        """Tell what happened to those who hear it."""
        news = _News()
        for happening in happenings:
            self._gather(news, happening)
        self._changed_books |= news.books
        moved = {ticker for ticker in news.books if self._quote_moved(ticker)}
        return self._tell(lambda wanted: self._news(wanted, news, moved))

    def tick(self) -> list[Push]:
        """Push the books that changed, and what is due by time."""
        now = self._now_ns()
        books, self._changed_books = self._changed_books, set()
        market, state = now >= self._market_due_ns, now >= self._state_due_ns
        if market:
            self._market_due_ns = now + MARKET_PERIOD_NS
        if state:
            self._state_due_ns = now + STATE_PERIOD_NS
        return self._tell(lambda wanted: self._timed(wanted, books, market=market, state=state))

    # -------------------------------------------------------------- messages

    def _tell(self, write: Callable[[Subscription], tuple[str, object] | None]) -> list[Push]:
        """Write a message for every subscription that has one; equal subscriptions share the text."""
        written: dict[bytes, str] = {}
        pushes: list[Push] = []
        for connection, mine in self._subscriptions.items():
            for key, wanted in mine.items():
                if key not in written:
                    message = write(wanted)
                    written[key] = _text(*message) if message is not None else ""
                if written[key]:
                    pushes.append(Push(connection=connection, text=written[key]))
        return pushes

    def _first(self, wanted: Subscription) -> tuple[str, object] | None:
        """What a new subscriber hears at once."""
        user, coin = wanted.user or "", wanted.coin or ""
        match wanted.type:
            case "userFills":
                return "userFills", {"isSnapshot": True, "user": user, "fills": self._info.user_fills(user)}
            case "userFundings":
                return "userFundings", {"isSnapshot": True, "user": user, "fundings": []}
            case "userNonFundingLedgerUpdates":
                return wanted.type, {"isSnapshot": True, "user": user, "nonFundingLedgerUpdates": []}
            case "trades":
                recent = self._info.recent_trades(coin)
                return ("trades", recent[::-1]) if recent else None
            case "bbo":
                return "bbo", self._quote(coin)
            case "allMids" | "l2Book" | "activeAssetCtx":
                return self._timed(wanted, {coin}, market=True, state=True)
        return self._state(wanted)

    def _news(self, wanted: Subscription, news: _News, moved: set[str]) -> tuple[str, object] | None:
        user, coin = wanted.user or "", wanted.coin or ""
        match wanted.type:
            case "orderUpdates" if user in news.updates:
                return "orderUpdates", news.updates[user]
            case "userEvents" if user in news.fills:
                return "user", {"fills": news.fills[user]}
            case "userFills" if user in news.fills:
                return "userFills", {"user": user, "fills": news.fills[user]}
            case "trades" if coin in news.trades:
                return "trades", news.trades[coin]
            case "bbo" if coin in moved:
                return "bbo", self._quote(coin)
        return self._state(wanted) if user in news.touched else None

    def _timed(self, wanted: Subscription, books: set[str], *, market: bool, state: bool) -> tuple[str, object] | None:
        coin = wanted.coin or ""
        match wanted.type:
            case "l2Book":
                return ("l2Book", self._info.book(coin, wanted.digits, wanted.mantissa or 1)) if coin in books else None
            case "allMids" if market and not wanted.dex:
                return "allMids", {"mids": self._info.mids()}
            case "activeAssetCtx" if market:
                return "activeAssetCtx", {"coin": coin, "ctx": asset_context(self._exchange, coin)}
        return self._state(wanted) if state else None

    def _state(self, wanted: Subscription) -> tuple[str, object] | None:
        """The state of an account, for the channels that tell it whole."""
        if wanted.type not in _STATES or wanted.user is None:
            return None
        user, now, accounts = wanted.user, self._now_ns(), self._info.accounts
        if wanted.type == "spotState":
            return "spotState", {"user": user, "spotState": accounts.spot_state(user)}
        if wanted.type == "openOrders":
            return "openOrders", {"dex": "", "user": user, "orders": accounts.open_orders(user, frontend=True)}
        clearinghouse = accounts.clearinghouse_state(user, now)
        if wanted.type == "clearinghouseState":
            return wanted.type, {"dex": "", "user": user, "clearinghouseState": clearinghouse}
        return wanted.type, {
            "clearinghouseState": clearinghouse,
            "leadingVaults": [],
            "totalVaultEquity": "0.0",
            "openOrders": accounts.open_orders(user, frontend=True),
            "agentAddress": None,
            "agentValidUntil": None,
            "cumLedger": "0.0",
            "meta": self._info.meta(),
            "assetCtxs": self._info.contexts(),
            "serverTime": milliseconds(now),
            "isVault": False,
            "user": user,
            "twapStates": [],
        }

    # ------------------------------------------------------------- happenings

    def _gather(self, news: _News, happening: Happening) -> None:
        match happening:
            case OrderChanged(order=order, fill=fill):
                news.touched.add(order.account)
                if _changes_status(happening):
                    news.updates.setdefault(order.account, []).append(
                        {
                            "order": basic_order(order, order.remaining),
                            "status": status_word(order, self._desk.scheduled),
                            "statusTimestamp": status_time(order),
                        }
                    )
                if fill is not None:
                    news.fills.setdefault(fill.account, []).append(fill_record(fill))
            case PositionChanged(position=position):
                news.touched.add(position.account)
            case BalanceChanged(balance=balance):
                news.touched.add(balance.account)
            case Traded():
                news.trades.setdefault(happening.ticker, []).append(trade_record(happening))
            case BookChanged():
                news.books.add(happening.ticker)

    def _quote_moved(self, ticker: str) -> bool:
        best = self._exchange.best(ticker)
        if self._quotes.get(ticker) == best:
            return False
        self._quotes[ticker] = best
        return True

    def _quote(self, coin: str) -> dict[str, Any]:
        best = self._exchange.best(coin)
        sides = [level_record(level) if level is not None else None for level in best]
        return {"coin": coin, "time": milliseconds(self._now_ns()), "bbo": sides}

    def _admit(self, wanted: Subscription) -> tuple[bytes, Subscription]:
        """The subscription with its address in lower case, and what makes it the same as another."""
        if wanted.user is not None:
            wanted = msgspec.structs.replace(wanted, user=wanted.user.lower())
        key = _encode(wanted)
        known = wanted.type == "allMids"
        if wanted.type in _BY_USER:
            known = wanted.user is not None
        elif wanted.type in _BY_COIN:
            known = wanted.coin in self._exchange.contracts
        if not known:
            raise SubscriptionRefused(f"Invalid subscription {key.decode()}")
        return key, wanted


def _changes_status(changed: OrderChanged) -> bool:
    """Whether the venue tells of it: not of a partial fill, nor that an order which never rests is open."""
    order = changed.order
    if changed.event == "TRADE":
        return order.status is OrderStatus.FILLED
    return changed.event != "AMENDED" and not (changed.event == "NEW" and order.tif is TimeInForce.IOC)


def _text(channel: str, data: object) -> str:
    return _encode({"channel": channel, "data": data}).decode()


def _echo(method: str, wanted: Subscription) -> str:
    said: dict[str, Any] = msgspec.to_builtins(wanted)
    if wanted.type == "l2Book":
        said = {**said, "nSigFigs": wanted.digits, "mantissa": wanted.mantissa}
    return _text("subscriptionResponse", {"method": method, "subscription": said})
