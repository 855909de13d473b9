"""Bybit v5's account: positions, money, fees and settings on a paper exchange.

The exchange knows one mode: a unified account in one-way positions and cross margin. Settings that say so are answered;
changes away from it are refused. Leverage is remembered and shown; margin is taken at the exchange's own leverage.

Sources: the pages Get Position Info, Set Leverage, Switch Position Mode, Get Wallet Balance, Get Account Info, Get Fee
Rate, Get API Key Information.
"""

from collections.abc import Callable

from gateways.paper.bybit import errors, numbers, records
from gateways.paper.bybit.contract_info import LARGEST_LEVERAGE
from gateways.paper.bybit.disconnection import Disconnections
from gateways.paper.bybit.errors import BybitError
from gateways.paper.bybit.ledger import Ledger
from gateways.paper.bybit.pages import page
from gateways.paper.bybit.records import Json, PositionView
from gateways.paper.bybit.requests import Params
from gateways.paper.exchange import PaperExchange

OPENED_MS = 1_700_000_000_000


class AccountDesk:
    """Answers what an account asks of itself. Every verb raises BybitError."""

    def __init__(
        self, exchange: PaperExchange, ledger: Ledger, disconnections: Disconnections, now_ns: Callable[[], int]
    ) -> None:
        self._exchange = exchange
        self._ledger = ledger
        self._disconnections = disconnections
        self._now_ns = now_ns
        self._leverages: dict[tuple[str, str], int] = {}

    # ------------------------------------------------------------- positions

    def view(self, account: str, ticker: str) -> PositionView:
        """One position, also when it is zero."""
        held = self._ledger.position(account, ticker)
        return PositionView(
            contract=self._exchange.contracts[ticker],
            position=self._exchange.position(account, ticker),
            margin_leverage=self._exchange.leverage,
            leverage=self._leverages.get((account, ticker), int(self._exchange.leverage)),
            realised=held.realised,
            updated_ns=held.updated_ns,
            seq=held.seq,
        )

    def positions(self, params: Params, account: str) -> Json:
        """``GET /v5/position/list``: of one symbol, also when it is zero, or those that are not of a settle coin."""
        category = params.text("category")
        if not params.is_linear():
            return {"list": [], "nextPageCursor": "", "category": category}
        contracts = self._exchange.contracts
        if "symbol" in params:
            views = [self.view(account, params.contract(contracts).ticker)]
        elif "settleCoin" in params or "baseCoin" in params:
            base, settle = params.optional("baseCoin"), params.optional("settleCoin")
            held = {position.ticker for position in self._exchange.positions(account)}
            views = [
                self.view(account, each.ticker)
                for each in contracts.values()
                if each.ticker in held and base in {None, each.base} and settle in {None, each.quote}
            ]
        else:
            raise BybitError(10001, "Missing some parameters that must be filled in, symbol or settleCoin")
        places = {ticker: len(contracts) - place for place, ticker in enumerate(contracts)}
        chosen, cursor = page(views, params, lambda view: places[view.contract.ticker], usual=20, most=200)
        return {"list": [view.record() for view in chosen], "nextPageCursor": cursor, "category": category}

    # ------------------------------------------------------------------ money

    def wallet(self, account: str) -> Json:
        """The money of an account as a row."""
        views = [self.view(account, position.ticker) for position in self._exchange.positions(account)]
        return records.wallet_record(self._exchange.balance(account), views, realised=self._ledger.realised(account))

    def balances(self, params: Params, account: str) -> Json:
        """``GET /v5/account/wallet-balance``."""
        if params.text("accountType") != "UNIFIED":
            raise BybitError(10001, "accountType only support UNIFIED.")
        return {"list": [self.wallet(account)]}

    # --------------------------------------------------------------- settings

    def info(self, params: Params, account: str) -> Json:
        """``GET /v5/account/info``."""
        del params
        window = self._disconnections.window_s(account)
        return {
            "marginMode": "REGULAR_MARGIN",
            "updatedTime": str(OPENED_MS),
            "unifiedMarginStatus": 5,
            "dcpStatus": "OFF" if window is None else "ON",
            "timeWindow": window or 0,
            "smpGroup": 0,
            "isMasterTrader": False,
            "spotHedgingStatus": "OFF",
        }

    def key(self, params: Params, account: str) -> Json:
        """``GET /v5/user/query-api``."""
        del params
        return {
            "id": "1",
            "note": "paper",
            "apiKey": account,
            "readOnly": 0,
            "secret": "",
            "permissions": {
                "ContractTrade": ["Order", "Position"],
                "Spot": [],
                "Wallet": ["AccountTransfer"],
                "Options": [],
                "Derivatives": ["DerivativesTrade"],
                "Exchange": [],
            },
            "ips": ["127.0.0.1"],
            "type": 1,
            "unified": 0,
            "uta": 1,
            "userID": 1,
            "inviterID": 0,
            "vipLevel": "No VIP",
            "mktMakerLevel": "0",
            "affiliateID": 0,
            "rsaPublicKey": "",
            "isMaster": True,
            "parentUid": "0",
            "kycLevel": "LEVEL_DEFAULT",
            "kycRegion": "",
        }

    def fee_rates(self, params: Params, account: str) -> Json:
        """``GET /v5/account/fee-rate``."""
        del account
        contracts = self._exchange.contracts
        if not params.is_linear():
            return {"list": []}
        chosen = [params.contract(contracts)] if "symbol" in params else list(contracts.values())
        maker, taker = numbers.plain(self._exchange.maker_fee), numbers.plain(self._exchange.taker_fee)
        rows = [{"symbol": each.ticker, "makerFeeRate": maker, "takerFeeRate": taker} for each in chosen]
        return {"category": "linear", "list": rows}

    def set_leverage(self, params: Params, account: str) -> Json:
        """``POST /v5/position/set-leverage``: the same on both sides, as one-way mode has it."""
        ticker = params.contract(self._exchange.contracts).ticker
        buy, sell = params.number("buyLeverage"), params.number("sellLeverage")
        if buy is None or buy != sell:
            raise errors.bad_parameter(
                "buy leverage invalid" if buy is None else "buy leverage not equal sell leverage"
            )
        if not 1 <= buy <= LARGEST_LEVERAGE or buy != int(buy):
            text = f"cannot set leverage [{buy * 100:f}] gt maxLeverage [{LARGEST_LEVERAGE * 100}] by risk limit"
            raise BybitError(110013, text)
        if self.view(account, ticker).leverage == buy:
            raise BybitError(110043, "leverage not modified")
        self._leverages[account, ticker] = int(buy)
        return {}

    def switch_mode(self, params: Params, account: str) -> Json:
        """``POST /v5/position/switch-mode``: one-way (0) is what every contract has."""
        del account
        if params.integer("mode") == 0:
            raise BybitError(110025, "Position mode is not modified")
        raise BybitError(110029, "Hedge mode is not available for this symbol")

    def switch_margin(self, params: Params, account: str) -> Json:
        """``POST /v5/account/set-margin-mode``: cross margin is what every account has."""
        del account
        if params.text("setMarginMode") == "REGULAR_MARGIN":
            return {"reasons": []}
        raise errors.not_offered(params.text("setMarginMode"))

    # ------------------------------------------------- disconnection protection

    def protect(self, params: Params, account: str) -> Json:
        """``POST /v5/order/disconnected-cancel-all``: how long the private stream may be gone, 3 to 300 s."""
        if params.optional("product") not in {None, "OPTIONS", "DERIVATIVES", "SPOT"}:
            raise errors.bad_parameter("product invalid")
        window = params.integer("timeWindow")
        if window is None or not 3 <= window <= 300:
            raise errors.bad_parameter("timeWindow invalid, it should be in [3, 300]")
        if params.optional("product") == "DERIVATIVES":
            self._disconnections.protect(account, window)
        return {}

    def protection(self, params: Params, account: str) -> Json:
        """``GET /v5/account/query-dcp-info``."""
        del params
        window = self._disconnections.window_s(account)
        rows = [] if window is None else [{"product": "DERIVATIVES", "dcpStatus": "ON", "timeWindow": str(window)}]
        return {"dcpInfos": rows}

    # ----------------------------------------------------------------- others

    def coins(self, params: Params, account: str) -> Json:
        """``GET /v5/asset/coin/query-info``: the one coin, which cannot be deposited or withdrawn here."""
        del account
        coin = self._exchange.quote_asset
        if params.optional("coin") not in {None, coin}:
            return {"rows": []}
        return {"rows": [{"name": coin, "coin": coin, "remainAmount": "0", "chains": []}]}
