"""Bybit v5's protocol around a paper exchange: REST, public and private streams, order entry by websocket.

Linear perpetuals in a unified account, as pybit and ccxt speak to it; other products are listed empty.
"""

from collections.abc import Callable, Mapping, Sequence
from urllib.parse import parse_qsl

import msgspec

from gateways.paper.bybit import errors, limits, numbers
from gateways.paper.bybit.account import AccountDesk
from gateways.paper.bybit.candles import Tape
from gateways.paper.bybit.disconnection import Disconnections
from gateways.paper.bybit.errors import BybitError
from gateways.paper.bybit.ledger import Ledger
from gateways.paper.bybit.limits import RateLimits, RateMeter
from gateways.paper.bybit.market_data import MarketData
from gateways.paper.bybit.market_streams import MarketStreams, is_topic
from gateways.paper.bybit.order_entry import OPERATIONS, OrderEntry, Verb
from gateways.paper.bybit.orders import OrderDesk
from gateways.paper.bybit.queries import OrderQueries
from gateways.paper.bybit.requests import account_of, params_of
from gateways.paper.bybit.subscriptions import PRIVATE, PUBLIC, Subscriptions
from gateways.paper.bybit.user_data import UserData
from gateways.paper.exchange import PaperExchange
from gateways.paper.front import HttpReply, Push
from gateways.paper.records import Happening

PUBLIC_PATH, PRIVATE_PATH, TRADE_PATH = "/v5/public/linear", "/v5/private", "/v5/trade"
SILENCE_NS = 600_000_000_000
"""A connection that asks nothing for so long is ended; a private one may ask for less by ``max_active_time``."""

_BANNED = HttpReply(status=403, body=b"403, access too frequent", headers={"Content-Type": "text/plain"})


class Route(msgspec.Struct, frozen=True):
    """One REST endpoint: what does it, and the kind of the account's limit that it counts for; public without one."""

    verb: Verb
    kind: str = ""
    counted: bool = False
    """Whether the verb counts itself, as those do that the order entry websocket has too."""


class BybitFront:
    """Speaks Bybit v5 for ``exchange``. ``accounts``: API key to secret; the exchange's account is the key."""

    def __init__(
        self,
        exchange: PaperExchange,
        *,
        accounts: Mapping[str, str],
        now_ns: Callable[[], int],
        limits: RateLimits | None = None,
    ) -> None:
        self._accounts = accounts
        self._now_ns = now_ns
        self._meter = RateMeter(limits or RateLimits(), now_ns)
        self._disconnections = Disconnections(now_ns)
        ledger, tape = Ledger(), Tape()
        self._orders = OrderDesk(exchange, self._meter, now_ns)
        self._queries = OrderQueries(exchange, self._orders, ledger, now_ns)
        self._account = AccountDesk(exchange, ledger, self._disconnections, now_ns)
        self._market = MarketData(exchange, tape, now_ns)
        self._subscriptions = Subscriptions(
            accounts, self._disconnections, lambda topic: is_topic(topic, exchange.contracts), now_ns
        )
        self._streams = MarketStreams(exchange, self._subscriptions, tape, now_ns)
        self._user_data = UserData(exchange, self._subscriptions, ledger, self._orders, self._account, now_ns=now_ns)
        routes = {**self._public_routes(), **self._trade_routes(), **self._account_routes()}
        self._routes = {tuple(name.split(" ")): route for name, route in routes.items()}
        verbs = {name: routes[f"POST /v5/order/{name.removeprefix('order.')}"].verb for name in OPERATIONS}
        self._entry = OrderEntry(verbs, self._meter, accounts, now_ns)
        self._heard_ns: dict[int, tuple[int, int]] = {}
        """When each open connection last asked something, and how long it may be silent."""

    # ---------------------------------------------------------------- the front

    def http(self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes) -> HttpReply:
        """Answer a REST request."""
        if not self._meter.arrives():
            return _BANNED
        status, code, text = 200, 0, "OK"
        result: object = {}
        ext: object = {}
        stated: Mapping[str, str] = {}
        try:
            route = self._routes.get((method, path))
            if route is None:
                raise errors.no_route(path)
            params = params_of(method, query, body)
            account = ""
            if route.kind:
                payload = query.encode("utf-8", "surrogatepass") if method == "GET" else body
                account = account_of(headers, payload, self._accounts, self._now_ns())
                if not route.counted:
                    self._meter.use(account, route.kind)
            try:
                answer = route.verb(params, account)
            finally:
                stated = self._meter.header(account, route.kind) if account else {}
            result, ext = answer if isinstance(answer, tuple) else (answer, {})
        except BybitError as error:
            status, code, text = error.status, error.code, error.text
        now_ms = numbers.milliseconds(self._now_ns())
        said = {"retCode": code, "retMsg": text, "result": result, "retExtInfo": ext, "time": now_ms}
        return HttpReply(status=status, body=msgspec.json.encode(said), headers=dict(stated))

    def ws_open(self, connection: int, path: str, query: str) -> list[Push]:
        """Take a connection; one at another path is closed."""
        if path == TRADE_PATH:
            self._entry.open(connection)
        elif path in {PUBLIC_PATH, PRIVATE_PATH}:
            self._subscriptions.open(connection, PUBLIC if path == PUBLIC_PATH else PRIVATE)
        else:
            return [Push(connection=connection, close=True)]
        self._heard_ns[connection] = (self._now_ns(), _longest_silence_ns(query))
        return []

    def ws_message(self, connection: int, text: str) -> list[Push]:
        """Answer a request over a websocket."""
        if connection not in self._heard_ns:
            return []
        self._heard_ns[connection] = (self._now_ns(), self._heard_ns[connection][1])
        if connection in self._entry:
            return self._entry.answer(connection, text)
        pushes, added = self._subscriptions.request(connection, text)
        return pushes + self._streams.subscribed(connection, added)

    def ws_closed(self, connection: int) -> None:
        """Forget a connection."""
        self._heard_ns.pop(connection, None)
        self._entry.close(connection)
        self._subscriptions.close(connection)

    def happened(self, happenings: Sequence[Happening]) -> list[Push]:
        """Tell the accounts first, then the market."""
        return self._user_data.happened(happenings) + self._streams.happened(happenings)

    def tick(self) -> list[Push]:
        """Disconnection protection, the public streams, and the end of connections that ask nothing."""
        for account in self._disconnections.due():
            self._orders.disconnected(account)
        now = self._now_ns()
        silent = [number for number, (heard, longest) in self._heard_ns.items() if now - heard > longest]
        pushes = self._user_data.tick() + self._streams.tick()
        return pushes + [Push(connection=number, close=True) for number in silent]

    # ------------------------------------------------------------------- routes

    def _public_routes(self) -> dict[str, Route]:
        market = self._market
        return {
            "GET /v5/market/time": Route(market.time),
            "GET /v5/market/instruments-info": Route(market.instruments),
            "GET /v5/market/tickers": Route(market.tickers),
            "GET /v5/market/orderbook": Route(market.book),
            "GET /v5/market/recent-trade": Route(market.trades),
            "GET /v5/market/kline": Route(market.klines),
            "GET /v5/market/mark-price-kline": Route(market.klines),
            "GET /v5/market/index-price-kline": Route(market.klines),
            "GET /v5/market/funding/history": Route(market.funding),
            "GET /v5/market/open-interest": Route(market.open_interest),
            "GET /v5/market/risk-limit": Route(market.risk_limits),
        }

    def _trade_routes(self) -> dict[str, Route]:
        orders, queries = self._orders, self._queries
        return {
            "POST /v5/order/create": Route(orders.create, limits.CREATE, counted=True),
            "POST /v5/order/amend": Route(orders.amend, limits.AMEND, counted=True),
            "POST /v5/order/cancel": Route(orders.cancel, limits.CANCEL, counted=True),
            "POST /v5/order/cancel-all": Route(orders.cancel_all, limits.CANCEL_ALL, counted=True),
            "POST /v5/order/create-batch": Route(orders.create_batch, "create-batch", counted=True),
            "POST /v5/order/amend-batch": Route(orders.amend_batch, "amend-batch", counted=True),
            "POST /v5/order/cancel-batch": Route(orders.cancel_batch, "cancel-batch", counted=True),
            "GET /v5/order/realtime": Route(queries.realtime, "realtime"),
            "GET /v5/order/history": Route(queries.history, "history"),
            "GET /v5/execution/list": Route(queries.executions, "executions"),
            "GET /v5/position/closed-pnl": Route(queries.closed_profit, "closed-pnl"),
        }

    def _account_routes(self) -> dict[str, Route]:
        account = self._account
        return {
            "GET /v5/position/list": Route(account.positions, "positions"),
            "POST /v5/position/set-leverage": Route(account.set_leverage, "settings"),
            "POST /v5/position/switch-mode": Route(account.switch_mode, "settings"),
            "POST /v5/account/set-margin-mode": Route(account.switch_margin, "settings"),
            "GET /v5/account/wallet-balance": Route(account.balances, "wallet"),
            "GET /v5/account/info": Route(account.info, "account"),
            "GET /v5/account/fee-rate": Route(account.fee_rates, "fees"),
            "GET /v5/account/query-dcp-info": Route(account.protection, "account"),
            "POST /v5/order/disconnected-cancel-all": Route(account.protect, "settings"),
            "GET /v5/user/query-api": Route(account.key, "account"),
            "GET /v5/asset/coin/query-info": Route(account.coins, "account"),
        }


def _longest_silence_ns(query: str) -> int:
    """``max_active_time``, 30 to 600 seconds or 1 to 10 minutes, such as ``30s`` or ``1m``; else what is usual."""
    text = dict(parse_qsl(query)).get("max_active_time", "")
    number, unit = text[:-1], text[-1:]
    if not (number.isascii() and number.isdecimal()) or unit not in {"s", "m"}:
        return SILENCE_NS
    seconds = int(number) * (60 if unit == "m" else 1)
    return max(30, min(seconds, 600)) * 1_000_000_000
