"""Binance USD-M futures' protocol around a paper exchange: REST, market and user data streams, websocket API."""

from collections.abc import Callable, Mapping, Sequence
from urllib.parse import parse_qsl

import msgspec

from gateways.paper.binance import errors
from gateways.paper.binance.account import AccountDesk
from gateways.paper.binance.errors import BinanceError
from gateways.paper.binance.limits import RateLimits, RateMeter
from gateways.paper.binance.market_data import MarketData, depth_weight, weight_without_symbol
from gateways.paper.binance.market_streams import MarketStreams
from gateways.paper.binance.orders import OrderDesk
from gateways.paper.binance.queries import OrderQueries
from gateways.paper.binance.records import Json
from gateways.paper.binance.requests import Params, account_of, check_signature, check_timing, params_of, signed_payload
from gateways.paper.binance.subscriptions import PRIVATE, Subscriptions, address_of
from gateways.paper.binance.user_data import ListenKeys, UserData
from gateways.paper.binance.websocket_api import CONNECTION_WEIGHT, Method, Verb, WebsocketApi
from gateways.paper.exchange import PaperExchange
from gateways.paper.front import HttpReply, Push
from gateways.paper.records import Happening

WEBSOCKET_API_PATH = "/ws-fapi/v1"

Weight = int | Callable[[Params], int]


class Route(msgspec.Struct, frozen=True):
    """One REST endpoint: what does it, its request weight, and what it asks for: nothing, a key, or a signature."""

    verb: Verb
    weight: Weight = 1
    signed: bool = True
    keyed: bool = False
    is_order: bool = False


class BinanceFront:
    """Speaks Binance USD-M for ``exchange``. ``accounts``: API key to secret; the exchange's account is the key."""

    def __init__(
        self,
        exchange: PaperExchange,
        *,
        accounts: Mapping[str, str],
        now_ns: Callable[[], int],
        limits: RateLimits | None = None,
    ) -> None:
        limits = limits or RateLimits()
        self._accounts = accounts
        self._now_ns = now_ns
        self._meter = RateMeter(limits, now_ns)
        self._keys = ListenKeys(now_ns)
        self._subscriptions = Subscriptions(self._keys.__contains__)
        self._orders = OrderDesk(exchange, self._meter, now_ns)
        self._queries = OrderQueries(exchange, self._orders, now_ns)
        self._account = AccountDesk(exchange, now_ns)
        self._market = MarketData(exchange, limits, now_ns)
        self._streams = MarketStreams(exchange, self._subscriptions, self._market.aggregates, now_ns)
        self._user_data = UserData(
            exchange,
            self._subscriptions,
            self._keys,
            self._account,
            now_ns=now_ns,
        )
        self._websocket_api = WebsocketApi(self._methods(), self._meter, accounts, now_ns)
        self._api_connections: dict[int, bool] = {}
        self._waiting: list[Push] = []
        self._routes = {**self._public_routes(), **self._trade_routes(), **self._account_routes()}

    # ---------------------------------------------------------------- the front

    def http(self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes) -> HttpReply:
        """Answer a REST request."""
        extra: dict[str, str] = {}
        try:
            route = self._routes.get((method, path))
            params = params_of(query, body)
            weight = 1 if route is None else route.weight if isinstance(route.weight, int) else route.weight(params)
            self._meter.request(weight)
            if route is None:
                raise errors.invalid_path(method, path)
            account = self._authorised(route, params, query, headers, body)
            answer = route.verb(params, account)
            if route.is_order:
                extra = self._meter.order_headers(account)
            reply = HttpReply(status=200, body=msgspec.json.encode(answer))
        except BinanceError as error:
            if error.retry_after is not None:
                extra["Retry-After"] = str(error.retry_after)
            reply = HttpReply(status=error.status, body=msgspec.json.encode(error.body))
        return msgspec.structs.replace(reply, headers={**self._meter.weight_header(), **extra})

    def ws_open(self, connection: int, path: str, query: str) -> list[Push]:
        """Take a stream or a websocket API connection; close one at another path or with a listen key that is none."""
        if path == WEBSOCKET_API_PATH:
            try:
                self._meter.request(CONNECTION_WEIGHT)
            except BinanceError:
                return [Push(connection=connection, close=True)]
            self._api_connections[connection] = dict(parse_qsl(query)).get("returnRateLimits") != "false"
            return []
        address = address_of(path, query)
        if address is None or (address.category == PRIVATE and any(name not in self._keys for name in address.streams)):
            return [Push(connection=connection, close=True)]
        self._subscriptions.open(connection, address)
        self._streams.subscribed(address.streams)
        return []

    def ws_message(self, connection: int, text: str) -> list[Push]:
        """Answer a request over a websocket."""
        if connection in self._api_connections:
            with_limits = self._api_connections[connection]
            return [Push(connection=connection, text=self._websocket_api.answer(text, with_limits=with_limits))]
        if connection not in self._subscriptions:
            return []
        pushes, added = self._subscriptions.request(connection, text)
        self._streams.subscribed(added)
        return pushes

    def ws_closed(self, connection: int) -> None:
        """Forget a connection."""
        self._api_connections.pop(connection, None)
        self._subscriptions.close(connection)

    def happened(self, happenings: Sequence[Happening]) -> list[Push]:
        """Tell the accounts first, then the market."""
        return self._take_waiting() + self._user_data.happened(happenings) + self._streams.happened(happenings)

    def tick(self) -> list[Push]:
        """Countdowns, listen keys, depth events and mark prices."""
        self._orders.tick()
        return self._take_waiting() + self._user_data.tick() + self._streams.tick()

    def expire_listen_keys(self) -> None:
        """Let the listen keys end at the next tick, whatever time they have left: a fault."""
        self._keys.hasten()

    # ------------------------------------------------------------------- parts

    def _authorised(self, route: Route, params: Params, query: str, headers: Mapping[str, str], body: bytes) -> str:
        if not (route.signed or route.keyed):
            return ""
        account = account_of(headers.get("x-mbx-apikey"), self._accounts)
        if route.signed:
            check_signature(signed_payload(query, body), params.text("signature"), self._accounts[account])
            check_timing(params, self._now_ns())
        return account

    def _take_waiting(self) -> list[Push]:
        waiting, self._waiting = self._waiting, []
        return waiting

    def _set_leverage(self, params: Params, account: str) -> Json:
        answer = self._account.set_leverage(params, account)
        self._waiting += self._user_data.leverage_changed(account, params.text("symbol"), int(params.text("leverage")))
        return answer

    def _close_listen_key(self, params: Params, account: str) -> Json:
        del params
        key = self._keys.close(account)
        if key is not None:
            self._subscriptions.drop(key)
        return {}

    def _order_limits(self, params: Params, account: str) -> list[Json]:
        del params
        return [
            {name: value for name, value in row.items() if name != "count"}
            for row in self._meter.usage(account)
            if row["rateLimitType"] == "ORDERS"
        ]

    def _public_routes(self) -> dict[tuple[str, str], Route]:
        market = self._market

        def route(verb: Verb, weight: Weight) -> Route:
            return Route(verb, weight, signed=False)

        return {
            ("GET", "/fapi/v1/ping"): route(market.ping, 1),
            ("GET", "/fapi/v1/time"): route(market.time, 1),
            ("GET", "/fapi/v1/exchangeInfo"): route(market.info, 1),
            ("GET", "/fapi/v1/depth"): route(market.depth, depth_weight),
            ("GET", "/fapi/v1/trades"): route(market.trades, 5),
            ("GET", "/fapi/v1/aggTrades"): route(market.aggregate_trades, 20),
            ("GET", "/fapi/v1/ticker/bookTicker"): route(market.book_ticker, weight_without_symbol(2, 5)),
            ("GET", "/fapi/v1/ticker/price"): route(market.price_ticker, weight_without_symbol(1, 2)),
            ("GET", "/fapi/v2/ticker/price"): route(market.price_ticker, weight_without_symbol(1, 2)),
            ("GET", "/fapi/v1/premiumIndex"): route(market.premium_index, weight_without_symbol(1, 10)),
        }

    def _trade_routes(self) -> dict[tuple[str, str], Route]:
        orders, queries = self._orders, self._queries
        return {
            ("POST", "/fapi/v1/order"): Route(orders.place, 0, is_order=True),
            ("PUT", "/fapi/v1/order"): Route(orders.modify, 0, is_order=True),
            ("DELETE", "/fapi/v1/order"): Route(orders.cancel),
            ("GET", "/fapi/v1/order"): Route(queries.order),
            ("POST", "/fapi/v1/order/test"): Route(orders.place_test, 0),
            ("POST", "/fapi/v1/batchOrders"): Route(orders.place_batch, 5, is_order=True),
            ("DELETE", "/fapi/v1/batchOrders"): Route(orders.cancel_batch),
            ("DELETE", "/fapi/v1/allOpenOrders"): Route(orders.cancel_all),
            ("POST", "/fapi/v1/countdownCancelAll"): Route(orders.count_down, 10),
            ("GET", "/fapi/v1/openOrder"): Route(queries.open_order),
            ("GET", "/fapi/v1/openOrders"): Route(queries.open_orders, weight_without_symbol(1, 40)),
            ("GET", "/fapi/v1/allOrders"): Route(queries.all_orders, 5),
            ("GET", "/fapi/v1/userTrades"): Route(queries.trades, 5),
            ("POST", "/fapi/v1/listenKey"): Route(self._keys.start, signed=False, keyed=True),
            ("PUT", "/fapi/v1/listenKey"): Route(self._keys.keep_alive, signed=False, keyed=True),
            ("DELETE", "/fapi/v1/listenKey"): Route(self._close_listen_key, signed=False, keyed=True),
        }

    def _account_routes(self) -> dict[tuple[str, str], Route]:
        account = self._account
        return {
            ("GET", "/fapi/v2/positionRisk"): Route(account.risk_v2, 5),
            ("GET", "/fapi/v3/positionRisk"): Route(account.risk_v3, 5),
            ("GET", "/fapi/v2/account"): Route(account.account_v2, 5),
            ("GET", "/fapi/v3/account"): Route(account.account_v3, 5),
            ("GET", "/fapi/v2/balance"): Route(account.balance_v2, 5),
            ("GET", "/fapi/v3/balance"): Route(account.balance_v2, 5),
            ("GET", "/fapi/v1/leverageBracket"): Route(account.brackets),
            ("GET", "/fapi/v1/commissionRate"): Route(account.commission_rate, 20),
            ("GET", "/fapi/v1/symbolConfig"): Route(account.symbol_config, 5),
            ("GET", "/fapi/v1/accountConfig"): Route(account.account_config, 5),
            ("GET", "/fapi/v1/income"): Route(account.income, 30),
            ("GET", "/fapi/v1/rateLimit/order"): Route(self._order_limits),
            ("GET", "/fapi/v1/positionSide/dual"): Route(account.position_mode, 30),
            ("POST", "/fapi/v1/positionSide/dual"): Route(account.set_position_mode),
            ("GET", "/fapi/v1/multiAssetsMargin"): Route(account.multi_assets, 30),
            ("POST", "/fapi/v1/multiAssetsMargin"): Route(account.set_multi_assets),
            ("POST", "/fapi/v1/leverage"): Route(self._set_leverage),
            ("POST", "/fapi/v1/marginType"): Route(account.set_margin_type),
        }

    def _methods(self) -> dict[str, Method]:
        orders, account, market = self._orders, self._account, self._market
        return {
            "ping": Method(market.ping, signed=False),
            "time": Method(market.time, signed=False),
            "depth": Method(market.depth, 20, signed=False),
            "ticker.price": Method(market.price_ticker, 2, signed=False),
            "ticker.book": Method(market.book_ticker, 5, signed=False),
            "order.place": Method(orders.place, 0, is_order=True),
            "order.modify": Method(orders.modify, 0, is_order=True),
            "order.cancel": Method(orders.cancel),
            "order.status": Method(self._queries.order),
            "account.position": Method(account.risk_websocket, 5),
            "v2/account.position": Method(account.risk_websocket, 5),
            "account.balance": Method(account.balance_v2, 5),
            "v2/account.balance": Method(account.balance_v2, 5),
            "account.status": Method(account.account_v2, 5),
            "v2/account.status": Method(account.account_v3, 5),
            "userDataStream.start": Method(self._keys.start, 5, signed=False, keyed=True),
            "userDataStream.ping": Method(self._keys.keep_alive, 1, signed=False, keyed=True),
            "userDataStream.stop": Method(self._close_listen_key, 1, signed=False, keyed=True),
        }
