"""Answers the questions of Hyperliquid's ``/info`` from a paper exchange. Pure but for the injected clock.

Sources: the "Info endpoint" pages (general, perpetuals, spot) and what the official SDK and ccxt ask at their start.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Any

import msgspec

from gateways.paper.exchange import PaperExchange, PaperOrder
from gateways.paper.hyperliquid.account import AccountView
from gateways.paper.hyperliquid.actions import Address, Cloid
from gateways.paper.hyperliquid.desk import ActionDesk
from gateways.paper.hyperliquid.limits import AccountUse
from gateways.paper.hyperliquid.records import (
    asset_context,
    coarser,
    delisted_context,
    fill_record,
    level_record,
    milliseconds,
    money,
    order_with_status,
    trade_record,
    universe,
    wire,
)
from gateways.paper.hyperliquid.signers import Signers

BOOK_LEVELS = 20
_ALL_LEVELS = 10_000
FILLS_SHOWN = 2_000
TRADES_SHOWN = 10
_USDC = {
    "name": "USDC",
    "szDecimals": 8,
    "weiDecimals": 8,
    "index": 0,
    "tokenId": "0x6d1e7cde53ba9467b783cb7c530ce054",
    "isCanonical": True,
    "evmContract": None,
    "fullName": None,
}


class NoSuchThing(Exception):
    """A well-formed question about a coin that is not there: the venue answers HTTP 500 with ``null``."""


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """A body of ``/info``, with the fields that any of the questions reads; times are milliseconds."""

    type: str
    user: Address | None = None
    coin: str | None = None
    oid: int | Cloid | None = None
    dex: str | None = None
    start_time: int | None = msgspec.field(name="startTime", default=None)
    end_time: int | None = msgspec.field(name="endTime", default=None)
    digits: Annotated[int, msgspec.Meta(ge=2, le=5)] | None = msgspec.field(name="nSigFigs", default=None)
    mantissa: Annotated[int, msgspec.Meta(ge=1, le=5)] | None = None


class InfoDesk:
    """Answers questions. ``desk`` knows which orders the timed cancel ended, ``use`` what accounts sent and traded."""

    def __init__(
        self,
        exchange: PaperExchange,
        signers: Signers,
        desk: ActionDesk,
        use: AccountUse,
        *,
        now_ns: Callable[[], int],
    ) -> None:
        self.accounts = AccountView(exchange, signers.accounts, desk.leverages)
        self._exchange = exchange
        self._signers = signers
        self._desk = desk
        self._use = use
        self._now_ns = now_ns
        self._answers: dict[str, Callable[[Query], object]] = {
            "meta": lambda query: self.meta() if not query.dex else _EMPTY_META,
            "metaAndAssetCtxs": lambda query: [self.meta(), self.contexts()] if not query.dex else [_EMPTY_META, []],
            "allMids": lambda query: self.mids() if not query.dex else {},
            "l2Book": lambda query: self.book(_coin(query), query.digits, query.mantissa or 1),
            "recentTrades": lambda query: self.recent_trades(_coin(query)),
            "candleSnapshot": lambda _: [],
            "fundingHistory": lambda _: [],
            "perpDexs": lambda _: [None],
            "spotMeta": lambda _: {"tokens": [_USDC], "universe": []},
            "spotMetaAndAssetCtxs": lambda _: [{"tokens": [_USDC], "universe": []}, []],
            "exchangeStatus": lambda _: {"specialStatuses": None, "time": milliseconds(now_ns())},
            "clearinghouseState": lambda query: self.accounts.clearinghouse_state(_user(query), now_ns()),
            "spotClearinghouseState": lambda query: self.accounts.spot_state(_user(query)),
            "openOrders": lambda query: self.accounts.open_orders(_user(query), frontend=False),
            "frontendOpenOrders": lambda query: self.accounts.open_orders(_user(query), frontend=True),
            "orderStatus": self._order_status,
            "historicalOrders": self._historical_orders,
            "userFills": lambda query: self.user_fills(_user(query)),
            "userFillsByTime": self._fills_by_time,
            "userTwapSliceFills": lambda query: _user(query) and [],
            "userFunding": lambda query: _user(query) and [],
            "userNonFundingLedgerUpdates": lambda query: _user(query) and [],
            "userRateLimit": lambda query: self._rate_limit(_user(query)),
            "userFees": lambda query: self.accounts.fees(_user(query)),
            "userAbstraction": lambda query: _user(query) and "disabled",
            "userRole": lambda query: self._role(_user(query)),
            "extraAgents": lambda query: self._agents(_user(query)),
            "maxBuilderFee": lambda query: _user(query) and 0,
            "subAccounts": lambda query: _user(query) and None,
        }

    def answer(self, raw: object) -> object:
        """Answer a decoded body. Raises msgspec.ValidationError for one that the server does not read."""
        query = msgspec.convert(raw, Query)
        write = self._answers.get(query.type)
        if write is None:
            raise msgspec.ValidationError(f"unknown variant {query.type!r}")
        return write(query)

    # ----------------------------------------------------------------- market

    def meta(self) -> dict[str, Any]:
        """The universe: the place of a contract in it is its asset index."""
        listed = universe(self._exchange)
        tables = sorted({one["marginTableId"] for one in listed})
        return {
            "universe": listed,
            "marginTables": [
                [most, {"description": "", "marginTiers": [{"lowerBound": "0.0", "maxLeverage": most}]}]
                for most in tables
            ],
            "collateralToken": 0,
        }

    def contexts(self) -> list[dict[str, Any]]:
        """The prices of every contract of the universe, in its order."""
        return [
            delisted_context() if one.get("isDelisted") else asset_context(self._exchange, one["name"])
            for one in universe(self._exchange)
        ]

    def mids(self) -> dict[str, str]:
        """The middle of every book, the mark where a side is empty; a contract without any price is left out."""
        found: dict[str, str] = {}
        for ticker in self._exchange.contracts:
            bid, ask = self._exchange.best(ticker)
            mark = self._exchange.mark(ticker)
            if bid is not None and ask is not None:
                found[ticker] = wire((bid.price + ask.price) / 2)
            elif mark is not None:
                found[ticker] = wire(mark)
        return found

    def book(self, coin: str, digits: int | None = None, mantissa: int = 1) -> dict[str, Any]:
        """Twenty levels a side, gathered at ``digits`` significant figures if given. Raises NoSuchThing."""
        if coin not in self._exchange.contracts:
            raise NoSuchThing(coin)
        full = self._exchange.book(coin, BOOK_LEVELS if digits is None else _ALL_LEVELS)
        sides = []
        for levels, is_buy in ((full.bids, True), (full.asks, False)):
            shown = levels if digits is None else coarser(levels, digits, mantissa, is_buy=is_buy)[:BOOK_LEVELS]
            sides.append([level_record(level) for level in shown])
        return {"coin": coin, "time": milliseconds(full.ts_ns), "levels": sides}

    def recent_trades(self, coin: str) -> list[dict[str, Any]]:
        """The last public trades, latest first. Raises NoSuchThing."""
        if coin not in self._exchange.contracts:
            raise NoSuchThing(coin)
        return [trade_record(trade) for trade in reversed(self._exchange.trades(coin, TRADES_SHOWN))]

    # ---------------------------------------------------------------- account

    def user_fills(self, user: str) -> list[dict[str, Any]]:
        """The last fills, latest first."""
        if not self.accounts.knows(user):
            return []
        return [fill_record(fill) for fill in reversed(self._exchange.fills(user)[-FILLS_SHOWN:])]

    def _fills_by_time(self, query: Query) -> list[dict[str, Any]]:
        user = _user(query)
        if query.start_time is None:
            raise msgspec.ValidationError("missing field startTime")
        if not self.accounts.knows(user):
            return []
        found = self._exchange.fills(user, since_ns=query.start_time * 1_000_000)
        end = query.end_time
        return [fill_record(fill) for fill in found if end is None or milliseconds(fill.ts_ns) <= end][:FILLS_SHOWN]

    def _order_status(self, query: Query) -> dict[str, Any]:
        user = _user(query)
        if query.oid is None:
            raise msgspec.ValidationError("missing field oid")
        order = self._find(user, query.oid) if self.accounts.knows(user) else None
        if order is None:
            return {"status": "unknownOid"}
        return {"status": "order", "order": order_with_status(order, self._desk.scheduled)}

    def _find(self, user: str, oid: int | str) -> PaperOrder | None:
        for ticker in self._exchange.contracts:
            if isinstance(oid, int):
                found = self._exchange.order(user, ticker, order_id=oid)
            else:
                found = self._exchange.order(user, ticker, client_id=oid.lower())
            if found is not None:
                return found
        return None

    def _historical_orders(self, query: Query) -> list[dict[str, Any]]:
        user = _user(query)
        orders = self._exchange.orders(user) if self.accounts.knows(user) else []
        return [order_with_status(order, self._desk.scheduled) for order in reversed(orders[-FILLS_SHOWN:])]

    def _rate_limit(self, user: str) -> Mapping[str, Any]:
        return {
            "cumVlm": money(self._use.volume(user)),
            "nRequestsUsed": self._use.requests(user),
            "nRequestsCap": self._use.allowance(user),
            "nRequestsSurplus": 0,
        }

    def _role(self, user: str) -> dict[str, Any]:
        if self.accounts.knows(user):
            return {"role": "user"}
        principal = self._signers.principal(user)
        return {"role": "agent", "data": {"user": principal}} if principal is not None else {"role": "missing"}

    def _agents(self, user: str) -> list[dict[str, Any]]:
        return [{"name": name, "address": agent} for name, agent in self._signers.agents(user).items() if name]


_EMPTY_META: dict[str, Any] = {"universe": [], "marginTables": [], "collateralToken": 0}


def _user(query: Query) -> str:
    if query.user is None:
        raise msgspec.ValidationError("missing field user")
    return query.user.lower()


def _coin(query: Query) -> str:
    if query.coin is None:
        raise msgspec.ValidationError("missing field coin")
    return query.coin
