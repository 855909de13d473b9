"""OKX v5's protocol around a paper exchange of linear swaps: REST, public and private channels, order entry."""

from collections.abc import Callable, Mapping, Sequence

import msgspec

from gateways.paper.exchange import PaperExchange
from gateways.paper.front import HttpReply, Push
from gateways.paper.okx import errors, numbers
from gateways.paper.okx.account import AccountDesk
from gateways.paper.okx.errors import OkxError
from gateways.paper.okx.limits import RateMeter
from gateways.paper.okx.market_data import MarketData
from gateways.paper.okx.market_streams import MarketStreams
from gateways.paper.okx.orders import OrderDesk
from gateways.paper.okx.queries import OrderQueries
from gateways.paper.okx.requests import Json, Params, account_of, body_items, check_expiry, query_params
from gateways.paper.okx.settings import AccountSettings
from gateways.paper.okx.subscriptions import PATHS, Subscriptions
from gateways.paper.okx.tallies import Tallies
from gateways.paper.okx.user_data import UserData
from gateways.paper.okx.websocket import WebsocketDesk, outcome
from gateways.paper.records import Happening
from gateways.standards import Credentials

Verb = Callable[[Params, str], Sequence[object]]
Entry = Callable[[Sequence[Params], str], list[Json]]
"""An endpoint of order entry, whose items are each answered for themselves."""


class Route(msgspec.Struct, frozen=True):
    """One REST endpoint: what does it, how often it may be asked (times, in seconds), whether it is signed."""

    verb: Verb
    limit: tuple[int, int] | None
    signed: bool = True


class OkxFront:
    """Speaks OKX v5 for ``exchange``. ``accounts`` by API key; the exchange's account is the key."""

    def __init__(
        self,
        exchange: PaperExchange,
        *,
        accounts: Mapping[str, Credentials],
        now_ns: Callable[[], int],
        meter: RateMeter | None = None,
    ) -> None:
        self._accounts = accounts
        self._now_ns = now_ns
        self._meter = meter or RateMeter(now_ns)
        tallies = Tallies()
        self._subscriptions = Subscriptions(now_ns)
        self._orders = OrderDesk(exchange, tallies, self._meter, now_ns)
        self._queries = OrderQueries(exchange, self._orders, tallies, now_ns)
        self._account = AccountDesk(exchange, tallies, now_ns)
        self._settings = AccountSettings(exchange, self._account, now_ns)
        self._market = MarketData(exchange, self._orders, now_ns)
        self._streams = MarketStreams(exchange, self._subscriptions, self._market, now_ns)
        self._user_data = UserData(
            exchange, self._subscriptions, desk=self._orders, account=self._account, tallies=tallies, now_ns=now_ns
        )
        self._websocket = WebsocketDesk(
            self._subscriptions,
            self._orders,
            streams=self._streams,
            user_data=self._user_data,
            meter=self._meter,
            accounts=accounts,
            now_ns=now_ns,
        )
        self._gets = {**self._public_routes(), **self._account_routes()}
        self._posts = self._setting_routes()
        self._entries = self._entry_routes()

    # ---------------------------------------------------------------- the front

    def http(self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes) -> HttpReply:
        """Answer a REST request."""
        try:
            answer = self._answer(method, path, query, headers, body)
        except OkxError as error:
            return HttpReply(status=error.status, body=msgspec.json.encode(error.body))
        return HttpReply(body=msgspec.json.encode(answer))

    def ws_open(self, connection: int, path: str, query: str) -> list[Push]:
        """Take a connection; close one at another path."""
        del query
        place = PATHS.get(path)
        if place is None:
            return [Push(connection=connection, close=True)]
        self._subscriptions.open(connection, place)
        return []

    def ws_message(self, connection: int, text: str) -> list[Push]:
        """Answer a message of a connection."""
        if connection not in self._subscriptions:
            return []
        return self._websocket.answer(connection, text) + self._user_data.unchanged()

    def ws_closed(self, connection: int) -> None:
        """Forget a connection."""
        self._subscriptions.close(connection)

    def happened(self, happenings: Sequence[Happening]) -> list[Push]:
        """Tell the accounts first, then the market."""
        return self._user_data.happened(happenings) + self._streams.happened(happenings)

    def tick(self) -> list[Push]:
        """The dead man's switches, what is told at times, and the connections that fell silent."""
        self._orders.tick()
        return self._user_data.unchanged() + self._user_data.tick() + self._streams.tick() + self._websocket.tick()

    # ------------------------------------------------------------------- parts

    def _answer(self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes) -> Json:
        name = path.removeprefix("/api/v5/")
        entry = self._entries.get(name) if method == "POST" else None
        route = (self._gets if method == "GET" else self._posts).get(name) if method in {"GET", "POST"} else None
        if entry is None and route is None:
            raise errors.invalid_path()
        account = ""
        if route is None or route.signed:
            target = f"{path}?{query}" if query else path
            account = account_of(
                self._accounts, headers, method=method, target=target, body=body, now_ns=self._now_ns()
            )
        if entry is not None:
            return self._enter(entry, account, headers, body)
        assert route is not None  # noqa: S101 - for the type checker: one of the two was found
        if route.limit is not None:
            self._meter.spend(path, account, window=route.limit)
        params = query_params(query) if method == "GET" else body_items(body)[0]
        return {"code": "0", "msg": "", "data": route.verb(params, account)}

    def _enter(self, entry: Entry, account: str, headers: Mapping[str, str], body: bytes) -> Json:
        now = self._now_ns()
        check_expiry(headers.get("exptime"), now)
        data = entry(body_items(body), account)
        times = {"inTime": numbers.microseconds(now), "outTime": numbers.microseconds(self._now_ns())}
        return {**outcome(data), "data": data, **times}

    def _entry_routes(self) -> dict[str, Entry]:
        desk = self._orders
        by_id = desk.by_id
        return {
            "trade/order": lambda items, account: desk.place(items, account, by_id),
            "trade/batch-orders": lambda items, account: desk.place(items, account, by_id, batch=True),
            "trade/amend-order": lambda items, account: desk.amend(items, account, by_id),
            "trade/amend-batch-orders": lambda items, account: desk.amend(items, account, by_id, batch=True),
            "trade/cancel-order": lambda items, account: desk.cancel(items, account, by_id),
            "trade/cancel-batch-orders": lambda items, account: desk.cancel(items, account, by_id, batch=True),
        }

    def _public_routes(self) -> dict[str, Route]:
        market = self._market

        def route(verb: Verb, limit: tuple[int, int]) -> Route:
            return Route(verb, limit, signed=False)

        return {
            "public/time": route(market.time, (10, 2)),
            "public/instruments": route(market.instruments, (20, 2)),
            "public/mark-price": route(market.marks, (10, 2)),
            "public/funding-rate": route(market.funding, (10, 2)),
            "public/funding-rate-history": route(market.funding_history, (10, 2)),
            "public/open-interest": route(market.interest, (20, 2)),
            "public/price-limit": route(market.price_limit, (20, 2)),
            "public/position-tiers": route(market.tiers, (10, 2)),
            "market/ticker": route(market.one_ticker, (20, 2)),
            "market/tickers": route(market.tickers, (20, 2)),
            "market/index-tickers": route(market.index_tickers, (20, 2)),
            "market/books": route(market.book, (40, 2)),
            "market/trades": route(market.trades, (100, 2)),
            "market/history-trades": route(market.trades, (20, 2)),
            "market/candles": route(market.candles, (40, 2)),
            "market/history-candles": route(market.candles, (20, 2)),
            "system/status": route(market.status, (1, 5)),
        }

    def _account_routes(self) -> dict[str, Route]:
        account, settings, queries = self._account, self._settings, self._queries
        return {
            "trade/order": Route(queries.order, (60, 2)),
            "trade/orders-pending": Route(queries.pending, (60, 2)),
            "trade/orders-history": Route(queries.history, (40, 2)),
            "trade/orders-history-archive": Route(queries.archive, (20, 2)),
            "trade/fills": Route(queries.fills, (60, 2)),
            "trade/fills-history": Route(queries.fills_archive, (10, 2)),
            "trade/orders-algo-pending": Route(settings.nothing, (20, 2)),
            "account/balance": Route(account.balance, (10, 2)),
            "account/positions": Route(account.positions, (10, 2)),
            "account/positions-history": Route(settings.nothing, (10, 2)),
            "account/bills": Route(settings.nothing, (5, 1)),
            "account/bills-archive": Route(settings.nothing, (5, 2)),
            "account/config": Route(settings.config, (5, 2)),
            "account/instruments": Route(settings.instruments, (20, 2)),
            "account/trade-fee": Route(settings.fees, (5, 2)),
            "account/leverage-info": Route(settings.leverages, (20, 2)),
            "account/max-size": Route(settings.most, (20, 2)),
            "account/max-avail-size": Route(settings.most_available, (20, 2)),
            "asset/currencies": Route(settings.currencies, (6, 1)),
            "asset/balances": Route(settings.nothing, (6, 1)),
        }

    def _setting_routes(self) -> dict[str, Route]:
        settings = self._settings
        return {
            "trade/close-position": Route(self._orders.close_position, (20, 2)),
            "trade/cancel-all-after": Route(self._orders.switch, None),
            "account/set-leverage": Route(settings.set_leverage, (20, 2)),
            "account/set-position-mode": Route(settings.set_position_mode, (5, 2)),
        }
