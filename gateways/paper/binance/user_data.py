"""Binance USD-M's user data: listen keys, and what happens to an account as its stream tells it.

For a fill the stream says, in this order: TRADE_LITE (of a taker even before the order's NEW), ACCOUNT_UPDATE with the
position and money after it, ORDER_TRADE_UPDATE with ``x`` TRADE.

Sources: the venue's pages Start, Keepalive and Close User Data Stream, Event: Order Update, Event: Balance and Position
Update, Event: Trade Lite, Event: User Data Stream Expired; the order of events as recorded from the venue.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal

from gateways.paper.binance import errors, numbers
from gateways.paper.binance.account import AccountDesk
from gateways.paper.binance.records import (
    PRICE_MATCH,
    SELF_TRADE_PREVENTION,
    Json,
    entry_price,
    is_recorded,
    kind_of,
    side_of,
    status_of,
    time_in_force_of,
)
from gateways.paper.binance.requests import Params
from gateways.paper.binance.subscriptions import Subscriptions
from gateways.paper.exchange import PaperExchange
from gateways.paper.front import Push
from gateways.paper.records import (
    BalanceChanged,
    Happening,
    OrderChanged,
    PaperFill,
    PaperPosition,
    PositionChanged,
)
from gateways.standards import ZERO

LISTEN_KEY_LIFE_NS = 60 * 60 * 1_000_000_000
LISTEN_KEY_LENGTH = 64

_EXECUTION = {
    "NEW": "NEW",
    "TRADE": "TRADE",
    "CANCELED": "CANCELED",
    "EXPIRED": "EXPIRED",
    "REJECTED": "EXPIRED",
    "AMENDED": "AMENDMENT",
}


class ListenKeys:
    """One listen key an account, alive for 60 minutes after it was last asked for or kept alive."""

    def __init__(self, now_ns: Callable[[], int]) -> None:
        self._now_ns = now_ns
        self._made = 0
        self._keys: dict[str, str] = {}
        self._ends_ns: dict[str, int] = {}

    def start(self, params: Params, account: str) -> Json:
        """``POST /fapi/v1/listenKey``: the living key, extended, or a new one."""
        del params
        key = self._keys.get(account)
        if key is None:
            self._made += 1
            key = numbers.token(LISTEN_KEY_LENGTH, "listen", account, self._made, self._now_ns())
            self._keys[account] = key
        self._ends_ns[key] = self._now_ns() + LISTEN_KEY_LIFE_NS
        return {"listenKey": key}

    def keep_alive(self, params: Params, account: str) -> Json:
        """``PUT /fapi/v1/listenKey``. Raises BinanceError -1125 where there is none."""
        if account not in self._keys:
            raise errors.no_listen_key()
        return self.start(params, account)

    def close(self, account: str) -> str | None:
        """``DELETE /fapi/v1/listenKey``: the key that is no more."""
        key = self._keys.pop(account, None)
        if key is not None:
            del self._ends_ns[key]
        return key

    def of(self, account: str) -> str | None:
        """The account's living key."""
        return self._keys.get(account)

    def __contains__(self, key: str) -> bool:
        return key in self._ends_ns

    def hasten(self) -> None:
        """Let every key's time be over now, as a fault."""
        self._ends_ns = dict.fromkeys(self._ends_ns, self._now_ns())

    def expire(self) -> list[str]:
        """End the keys whose time is over; return them."""
        now = self._now_ns()
        over = [(account, key) for account, key in self._keys.items() if self._ends_ns[key] <= now]
        for account, _ in over:
            self.close(account)
        return [key for _, key in over]


class UserData:
    """Writes what happens to the accounts as pushes to their streams, and keeps their tallies."""

    def __init__(
        self,
        exchange: PaperExchange,
        subscriptions: Subscriptions,
        keys: ListenKeys,
        desk: AccountDesk,
        *,
        now_ns: Callable[[], int],
    ) -> None:
        self._exchange = exchange
        self._subscriptions = subscriptions
        self._keys = keys
        self._desk = desk
        self._now_ns = now_ns

    def happened(self, happenings: Sequence[Happening]) -> list[Push]:
        """The pushes of what happened, in the venue's order."""
        pushes: list[Push] = []
        refused = {
            happening.order.order_id
            for happening in happenings
            if isinstance(happening, OrderChanged) and not is_recorded(happening.order)
        }
        taken: dict[int, list[PaperFill]] = {}
        for happening in happenings:
            if isinstance(happening, OrderChanged) and happening.fill is not None and not happening.fill.is_maker:
                taken.setdefault(happening.order.order_id, []).append(happening.fill)
        balances: dict[str, BalanceChanged] = {}
        positions: dict[str, list[PaperPosition]] = {}
        for happening in happenings:
            if isinstance(happening, BalanceChanged):
                balances[happening.balance.account] = happening
            elif isinstance(happening, PositionChanged):
                positions.setdefault(happening.position.account, []).append(happening.position)
            elif isinstance(happening, OrderChanged) and happening.order.order_id not in refused:
                account, order = happening.order.account, happening.order
                if happening.event in {"NEW", "AMENDED"}:
                    for taker_fill in taken.pop(order.order_id, ()):
                        pushes += self._push(account, self._trade_lite(happening, taker_fill))
                fill = happening.fill
                if fill is not None:
                    self._desk.tally(account, order.ticker).add(fill)
                    if fill.is_maker or order.order_id in taken:
                        pushes += self._push(account, self._trade_lite(happening, fill))
                    pushes += self._account_update(account, balances.pop(account, None), positions.pop(account, []))
                pushes += self._push(account, self._order_update(happening))
        for account in [*balances, *(account for account in positions if account not in balances)]:
            pushes += self._account_update(account, balances.get(account), positions.get(account, []))
        return pushes

    def tick(self) -> list[Push]:
        """Tell of the listen keys whose time is over; their streams fall silent."""
        pushes: list[Push] = []
        for key in self._keys.expire():
            pushes += self._subscriptions.publish(
                key, {"e": "listenKeyExpired", "E": numbers.milliseconds(self._now_ns()), "listenKey": key}
            )
            self._subscriptions.drop(key)
        return pushes

    def leverage_changed(self, account: str, ticker: str, leverage: int) -> list[Push]:
        """ACCOUNT_CONFIG_UPDATE."""
        now = numbers.milliseconds(self._now_ns())
        return self._push(
            account, {"e": "ACCOUNT_CONFIG_UPDATE", "E": now, "T": now, "ac": {"s": ticker, "l": leverage}}
        )

    def _push(self, account: str, message: Json) -> list[Push]:
        key = self._keys.of(account)
        return [] if key is None else self._subscriptions.publish(key, message, str(message["e"]))

    def _account_update(
        self, account: str, balance: BalanceChanged | None, positions: Sequence[PaperPosition]
    ) -> list[Push]:
        if balance is None and not positions:
            return []
        now = numbers.milliseconds(self._now_ns())
        money: list[Json] = []
        if balance is not None:
            wallet = numbers.money(balance.balance.wallet)
            money.append({"a": balance.balance.asset, "wb": wallet, "cw": wallet, "bc": "0"})
        latest = {position.ticker: position for position in positions}
        return self._push(
            account,
            {
                "e": "ACCOUNT_UPDATE",
                "T": now,
                "E": now,
                "a": {
                    "B": money,
                    "P": [self._position(account, position) for position in latest.values()],
                    "m": balance.cause if balance is not None else "ORDER",
                },
            },
        )

    def _position(self, account: str, position: PaperPosition) -> Json:
        contract = self._exchange.contracts[position.ticker]
        tally = self._desk.tally(account, position.ticker)
        return {
            "s": position.ticker,
            "pa": numbers.quantity(contract, position.amount),
            "ep": entry_price(contract, position.entry_price),
            "cr": numbers.money(tally.realised),
            "up": numbers.money(position.unrealised),
            "mt": "cross",
            "iw": "0",
            "ps": "BOTH",
            "ma": self._exchange.quote_asset,
            "bep": entry_price(contract, tally.break_even),
        }

    def _trade_lite(self, change: OrderChanged, fill: PaperFill) -> Json:
        order = change.order
        contract = self._exchange.contracts[order.ticker]
        return {
            "e": "TRADE_LITE",
            "E": numbers.milliseconds(self._now_ns()),
            "T": numbers.milliseconds(fill.ts_ns),
            "s": order.ticker,
            "q": numbers.quantity(contract, order.quantity),
            "p": numbers.price(contract, order.price),
            "m": fill.is_maker,
            "c": order.client_id or "",
            "S": side_of(order),
            "L": numbers.price(contract, fill.price),
            "l": numbers.quantity(contract, fill.quantity),
            "t": fill.trade_id,
            "i": order.order_id,
        }

    def _order_update(self, change: OrderChanged) -> Json:
        order, fill = change.order, change.fill
        contract = self._exchange.contracts[order.ticker]
        changed_ms = numbers.milliseconds(order.ts_changed_ns)
        bids, asks = self._open_notional(order.account, order.ticker)
        return {
            "e": "ORDER_TRADE_UPDATE",
            "T": changed_ms,
            "E": numbers.milliseconds(self._now_ns()),
            "o": {
                "s": order.ticker,
                "c": order.client_id or "",
                "S": side_of(order),
                "o": kind_of(order),
                "f": time_in_force_of(order),
                "q": numbers.quantity(contract, order.quantity),
                "p": numbers.price(contract, order.price),
                "ap": numbers.average(contract, order.average_price),
                "sp": "0",
                "x": _EXECUTION[change.event],
                "X": status_of(order),
                "i": order.order_id,
                "l": numbers.quantity(contract, fill.quantity if fill else ZERO),
                "z": numbers.quantity(contract, order.filled),
                "L": numbers.price(contract, fill.price if fill else ZERO),
                "n": numbers.money(fill.fee) if fill else "0",
                "N": fill.fee_asset if fill else self._exchange.quote_asset,
                "T": changed_ms,
                "t": fill.trade_id if fill else 0,
                "b": numbers.plain(bids),
                "a": numbers.plain(asks),
                "m": fill.is_maker if fill else False,
                "R": order.reduce_only,
                "wt": "CONTRACT_PRICE",
                "ot": kind_of(order),
                "ps": "BOTH",
                "cp": False,
                "rp": numbers.money(fill.realised) if fill else "0",
                "pP": False,
                "si": 0,
                "ss": 0,
                "V": SELF_TRADE_PREVENTION,
                "pm": order.extra.get(PRICE_MATCH, "NONE"),
                "gtd": 0,
            },
        }

    def _open_notional(self, account: str, ticker: str) -> tuple[Decimal, Decimal]:
        bids = asks = ZERO
        for order in self._exchange.open_orders(account, ticker):
            notional = (order.price or ZERO) * order.remaining
            if order.is_buy:
                bids += notional
            else:
                asks += notional
        return bids, asks
