"""OKX v5's account settings, fees and limits on a paper exchange.

The exchange knows one mode: net positions, cross margin, futures mode with one currency. Settings that say so are
answered; changes away from it are refused.

Sources: the venue's pages Get account configuration, Get instruments (account), Get fee rates, Set leverage, Get
leverage, Set position mode, Get maximum order quantity, Get maximum available balance, Get currencies.
"""

from collections.abc import Callable
from decimal import Decimal

from gateways.paper.exchange import PaperExchange
from gateways.paper.okx import errors, numbers
from gateways.paper.okx.account import AccountDesk, uid_of
from gateways.paper.okx.contract_info import LARGEST_LEVERAGE, instrument
from gateways.paper.okx.errors import OkxError
from gateways.paper.okx.requests import Json, Params
from gateways.standards import ZERO, Contract

_TYPES = ("SPOT", "MARGIN", "SWAP", "FUTURES", "OPTION", "EVENTS")


class AccountSettings:
    """Answers what an account asks of its terms. Every verb raises OkxError."""

    def __init__(self, exchange: PaperExchange, desk: AccountDesk, now_ns: Callable[[], int]) -> None:
        self._exchange = exchange
        self._desk = desk
        self._now_ns = now_ns

    def config(self, params: Params, account: str) -> list[Json]:
        """``account/config``."""
        del params
        return [
            {
                "acctLv": "2",
                "acctStpMode": "cancel_maker",
                "autoLoan": False,
                "ctIsoMode": "automatic",
                "enableSpotBorrow": False,
                "greeksType": "PA",
                "feeType": "0",
                "ip": "",
                "type": "0",
                "kycLv": "3",
                "label": "paper",
                "level": "Lv1",
                "levelTmp": "",
                "liquidationGear": "-1",
                "mainUid": uid_of(account),
                "mgnIsoMode": "automatic",
                "opAuth": "1",
                "perm": "read_only,trade",
                "posMode": "net_mode",
                "roleType": "0",
                "settleCcy": self._exchange.quote_asset,
                "settleCcyList": [self._exchange.quote_asset],
                "spotBorrowAutoRepay": False,
                "spotOffsetType": "",
                "spotRoleType": "0",
                "spotTraderInsts": [],
                "stgyType": "0",
                "traderInsts": [],
                "uid": uid_of(account),
            }
        ]

    def instruments(self, params: Params, account: str) -> list[Json]:
        """``account/instruments``: what the account may trade."""
        del account
        if params.choice("instType", _TYPES) != "SWAP":
            return []
        contracts = [self._contract(params)] if "instId" in params else self._exchange.contracts.values()
        return [instrument(each, trading=self._exchange.trades_now(each.ticker)) for each in contracts]

    def fees(self, params: Params, account: str) -> list[Json]:
        """``account/trade-fee``."""
        del account
        maker, taker = (numbers.plain(ZERO - fee) for fee in (self._exchange.maker_fee, self._exchange.taker_fee))
        return [
            {
                "category": "1",
                "delivery": "",
                "exercise": "",
                "feeGroup": [{"groupId": "4", "maker": maker, "taker": taker}],
                "fiat": [],
                "instType": params.choice("instType", _TYPES),
                "level": "Lv1",
                "maker": maker,
                "makerU": maker,
                "makerUSDC": maker,
                "ruleType": "normal",
                "settle": "",
                "taker": taker,
                "takerU": taker,
                "takerUSDC": taker,
                "ts": numbers.milliseconds(self._now_ns()),
            }
        ]

    def leverages(self, params: Params, account: str) -> list[Json]:
        """``account/leverage-info``."""
        params.choice("mgnMode", ("cross", "isolated"))
        wanted = [name for name in params.text("instId").split(",") if name]
        if any(name not in self._exchange.contracts for name in wanted):
            raise errors.unknown_instrument()
        return [self._leverage_row(account, name) for name in wanted]

    def set_leverage(self, params: Params, account: str) -> list[Json]:
        """``account/set-leverage``."""
        contract = self._contract(params)
        lever = params.decimal("lever")
        params.choice("mgnMode", ("cross",))
        if lever > LARGEST_LEVERAGE:
            raise OkxError("59102", "Leverage exceeds the maximum limit. Please lower the leverage.")
        self._desk.leverages[account, contract.ticker] = lever
        row = self._leverage_row(account, contract.ticker)
        del row["ccy"]
        return [row]

    def set_position_mode(self, params: Params, account: str) -> list[Json]:
        """``account/set-position-mode``: net positions are what every account has."""
        del account
        mode = params.choice("posMode", ("net_mode", "long_short_mode"))
        if mode != "net_mode":
            raise errors.unsupported()
        return [{"posMode": mode}]

    def most(self, params: Params, account: str) -> list[Json]:
        """``account/max-size``: what the free margin would carry."""
        contract = self._contract(params)
        params.choice("tdMode", ("cross",))
        size = numbers.size(contract, self._free_quantity(params, contract, account))
        return [{"ccy": contract.quote, "instId": contract.ticker, "maxBuy": size, "maxSell": size}]

    def most_available(self, params: Params, account: str) -> list[Json]:
        """``account/max-avail-size``."""
        contract = self._contract(params)
        params.choice("tdMode", ("cross",))
        free = numbers.plain(self._exchange.balance(account).available)
        return [{"instId": contract.ticker, "availBuy": free, "availSell": free}]

    def nothing(self, params: Params, account: str) -> list[Json]:
        """Bills, closed positions, algo orders, funds elsewhere: this exchange has none."""
        del params, account
        return []

    def currencies(self, params: Params, account: str) -> list[Json]:
        """``asset/currencies``: the margin currency, which goes neither in nor out."""
        del params, account
        asset = self._exchange.quote_asset
        return [
            {
                "ccy": asset,
                "name": asset,
                "chain": f"{asset}-ERC20",
                "canDep": False,
                "canInternal": False,
                "canWd": False,
                "logoLink": "",
                "mainNet": False,
                "maxFee": "0",
                "maxWd": "0",
                "minDep": "0",
                "minFee": "0",
                "minWd": "0",
                "needTag": False,
                "wdTickSz": "8",
            }
        ]

    # ------------------------------------------------------------------ parts

    def _contract(self, params: Params) -> Contract:
        return params.contract(self._exchange.contracts)

    def _leverage_row(self, account: str, ticker: str) -> Json:
        lever = numbers.plain(self._desk.leverage(account, ticker))
        return {"ccy": "", "instId": ticker, "mgnMode": "cross", "posSide": "net", "lever": lever}

    def _free_quantity(self, params: Params, contract: Contract, account: str) -> Decimal:
        price = params.decimal("px") if "px" in params else self._exchange.mark(contract.ticker)
        if not price:
            return ZERO
        free = self._exchange.balance(account).available * self._exchange.leverage / price
        return free // contract.lot_size * contract.lot_size
