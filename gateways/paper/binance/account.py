"""Binance USD-M's account: positions, money, fees and settings on a paper exchange.

The exchange knows one mode: one-way positions, cross margin, one margin asset. Settings that say so are answered;
changes away from it are refused. Leverage is remembered and shown; margin is taken at the exchange's own leverage.

Sources: the venue's pages Position Information V2 and V3, Account Information V2 and V3, Futures Account Balance V2
and V3, User Commission Rate, Symbol Configuration, Change Initial Leverage, Change Margin Type.
"""

from collections.abc import Callable
from decimal import Decimal

from gateways.paper.binance import errors, numbers
from gateways.paper.binance.contract_info import LARGEST_LEVERAGE, leverage_brackets
from gateways.paper.binance.errors import BinanceError
from gateways.paper.binance.records import MAX_NOTIONAL, Json, PositionView
from gateways.paper.binance.requests import Params
from gateways.paper.exchange import PaperExchange
from gateways.paper.records import PaperFill
from gateways.standards import ZERO, Contract


class PositionTally:
    """What a position has cost and earned, gathered fill by fill. All amounts are quote units."""

    def __init__(self) -> None:
        self.realised = ZERO
        """Profit taken over the account's life in this contract, before fees."""
        self.updated_ns = 0
        self._amount = ZERO
        self._paid = ZERO

    def add(self, fill: PaperFill) -> None:
        """Take in a fill; fills come in order, but for one that a fault tells late."""
        signed = fill.quantity if fill.is_buy else -fill.quantity
        before = fill.start_position
        after = before + signed
        if before == 0 or before * after < 0:
            # What the fill opens beyond flat is a new position and carries its own share of the fee.
            self._paid = after * fill.price + fill.fee * abs(after) / fill.quantity
        else:
            self._paid += signed * fill.price + fill.fee
        self._amount = after
        self.realised += fill.realised
        self.updated_ns = max(self.updated_ns, fill.ts_ns)

    @property
    def break_even(self) -> Decimal:
        """The price at which closing would return all that was paid, fees so far included; zero when flat."""
        return self._paid / self._amount if self._amount else ZERO


class AccountDesk:
    """Answers what an account asks of itself. Every verb raises BinanceError."""

    def __init__(self, exchange: PaperExchange, now_ns: Callable[[], int]) -> None:
        self._exchange = exchange
        self._now_ns = now_ns
        self._tallies: dict[tuple[str, str], PositionTally] = {}
        self._leverages: dict[tuple[str, str], int] = {}

    def tally(self, account: str, ticker: str) -> PositionTally:
        """The tally of one position, made when first asked for."""
        return self._tallies.setdefault((account, ticker), PositionTally())

    # -------------------------------------------------------------- positions

    def risk_v2(self, params: Params, account: str) -> list[Json]:
        """``GET /fapi/v2/positionRisk``: every contract, or one."""
        return [view.risk_v2(self._leverage(account, view.position.ticker)) for view in self._views(params, account)]

    def risk_v3(self, params: Params, account: str) -> list[Json]:
        """``GET /fapi/v3/positionRisk``: only contracts with a position or an open order."""
        return [view.risk_v3(self._exchange.quote_asset) for view in self._views(params, account) if not view.idle]

    def risk_websocket(self, params: Params, account: str) -> list[Json]:
        """``account.position`` and ``v2/account.position``: only contracts with a position or an open order."""
        views = self._views(params, account)
        return [view.risk_websocket(self._exchange.quote_asset) for view in views if not view.idle]

    # ------------------------------------------------------------------ money

    def balance_v2(self, params: Params, account: str) -> list[Json]:
        """``GET /fapi/v2/balance``; V3 has the same fields."""
        del params
        balance = self._exchange.balance(account)
        unrealised = sum((position.unrealised for position in self._exchange.positions(account)), ZERO)
        available = numbers.money(balance.available)
        return [
            {
                "accountAlias": numbers.token(6, "alias", account),
                "asset": balance.asset,
                "balance": numbers.money(balance.wallet),
                "crossWalletBalance": numbers.money(balance.wallet),
                "crossUnPnl": numbers.money(unrealised),
                "availableBalance": available,
                "maxWithdrawAmount": available,
                "marginAvailable": True,
                "updateTime": numbers.milliseconds(self._updated_ns(account)),
            }
        ]

    def account_v2(self, params: Params, account: str) -> Json:
        """``GET /fapi/v2/account``."""
        views = self._views(params, account)
        return {
            "feeTier": 0,
            "feeBurn": False,
            "canTrade": True,
            "canDeposit": True,
            "canWithdraw": True,
            "tradeGroupId": -1,
            "updateTime": 0,
            "multiAssetsMargin": False,
            **self._totals(account, views, with_flag=True),
            "positions": [view.account_v2(self._leverage(account, view.position.ticker)) for view in views],
        }

    def account_v3(self, params: Params, account: str) -> Json:
        """``GET /fapi/v3/account``: only contracts with a position or an open order."""
        views = self._views(params, account)
        positions = [view.account_v3() for view in views if not view.idle]
        return {**self._totals(account, views, with_flag=False), "positions": positions}

    # --------------------------------------------------------------- settings

    def commission_rate(self, params: Params, account: str) -> Json:
        """``GET /fapi/v1/commissionRate``."""
        del account
        return {
            "symbol": params.contract(self._exchange.contracts).ticker,
            "makerCommissionRate": numbers.plain(self._exchange.maker_fee),
            "takerCommissionRate": numbers.plain(self._exchange.taker_fee),
            "rpiCommissionRate": "0",
        }

    def brackets(self, params: Params, account: str) -> list[Json]:
        """``GET /fapi/v1/leverageBracket``."""
        del account
        return [leverage_brackets(contract) for contract in self._contracts(params)]

    def symbol_config(self, params: Params, account: str) -> list[Json]:
        """``GET /fapi/v1/symbolConfig``."""
        return [
            {
                "symbol": contract.ticker,
                "marginType": "CROSSED",
                "isAutoAddMargin": False,
                "leverage": self._leverage(account, contract.ticker),
                "maxNotionalValue": MAX_NOTIONAL,
            }
            for contract in self._contracts(params)
        ]

    def account_config(self, params: Params, account: str) -> Json:
        """``GET /fapi/v1/accountConfig``."""
        del params, account
        return {
            "feeTier": 0,
            "canTrade": True,
            "canDeposit": True,
            "canWithdraw": True,
            "dualSidePosition": False,
            "updateTime": 0,
            "multiAssetsMargin": False,
            "tradeGroupId": -1,
        }

    def set_leverage(self, params: Params, account: str) -> Json:
        """``POST /fapi/v1/leverage``."""
        ticker = params.contract(self._exchange.contracts).ticker
        leverage = params.integer("leverage")
        if leverage is None:
            raise errors.missing("leverage")
        if not 1 <= leverage <= LARGEST_LEVERAGE:
            raise BinanceError(-4028, f"Leverage {leverage} is not valid")
        self._leverages[account, ticker] = leverage
        return {"symbol": ticker, "leverage": leverage, "maxNotionalValue": MAX_NOTIONAL}

    def set_margin_type(self, params: Params, account: str) -> Json:
        """``POST /fapi/v1/marginType``: cross margin is what every contract has."""
        del account
        params.contract(self._exchange.contracts)
        if params.choice("marginType", ("ISOLATED", "CROSSED"), "") == "CROSSED":
            raise BinanceError(-4046, "No need to change margin type.")
        raise errors.unsupported("isolated margin")

    def position_mode(self, params: Params, account: str) -> Json:
        """``GET /fapi/v1/positionSide/dual``."""
        del params, account
        return {"dualSidePosition": False}

    def set_position_mode(self, params: Params, account: str) -> Json:
        """``POST /fapi/v1/positionSide/dual``: one-way is what every account has."""
        del account
        params.text("dualSidePosition")
        if params.flag("dualSidePosition"):
            raise errors.unsupported("hedge mode")
        raise BinanceError(-4059, "No need to change position side.")

    def multi_assets(self, params: Params, account: str) -> Json:
        """``GET /fapi/v1/multiAssetsMargin``."""
        del params, account
        return {"multiAssetsMargin": False}

    def set_multi_assets(self, params: Params, account: str) -> Json:
        """``POST /fapi/v1/multiAssetsMargin``: a single margin asset is what every account has."""
        del account
        params.text("multiAssetsMargin")
        if params.flag("multiAssetsMargin"):
            raise errors.unsupported("multi-assets margin")
        raise BinanceError(-4171, "Adjusted asset mode is currently set and does not need to be adjusted repeatedly.")

    def income(self, params: Params, account: str) -> list[Json]:
        """``GET /fapi/v1/income``: no funding and no transfers take place here."""
        del params, account
        return []

    # ------------------------------------------------------------------ parts

    def _contracts(self, params: Params) -> list[Contract]:
        if "symbol" in params:
            return [params.contract(self._exchange.contracts)]
        return list(self._exchange.contracts.values())

    def _views(self, params: Params, account: str) -> list[PositionView]:
        return [self._view(account, contract) for contract in self._contracts(params)]

    def _view(self, account: str, contract: Contract) -> PositionView:
        tally = self.tally(account, contract.ticker)
        return PositionView(
            contract,
            self._exchange.position(account, contract.ticker),
            self._exchange.open_orders(account, contract.ticker),
            leverage=self._exchange.leverage,
            break_even=tally.break_even,
            updated_ns=tally.updated_ns,
        )

    def _leverage(self, account: str, ticker: str) -> int:
        return self._leverages.get((account, ticker), int(self._exchange.leverage))

    def _updated_ns(self, account: str) -> int:
        return max((tally.updated_ns for (owner, _), tally in self._tallies.items() if owner == account), default=0)

    def _totals(self, account: str, views: list[PositionView], *, with_flag: bool) -> Json:
        balance = self._exchange.balance(account)
        unrealised = sum((view.position.unrealised for view in views), ZERO)
        position_margin = sum((view.position_margin for view in views), ZERO)
        order_margin = sum((view.order_margin for view in views), ZERO)
        amounts = {
            "InitialMargin": position_margin + order_margin,
            "MaintMargin": sum((view.maintenance for view in views), ZERO),
            "WalletBalance": balance.wallet,
            "UnrealizedProfit": unrealised,
            "MarginBalance": balance.wallet + unrealised,
            "PositionInitialMargin": position_margin,
            "OpenOrderInitialMargin": order_margin,
            "CrossWalletBalance": balance.wallet,
            "CrossUnPnl": unrealised,
        }
        free = {
            "availableBalance": numbers.money(balance.available),
            "maxWithdrawAmount": numbers.money(balance.available),
        }
        asset: Json = {"asset": balance.asset}
        asset.update({f"{name[0].lower()}{name[1:]}": numbers.money(value) for name, value in amounts.items()})
        asset.update(free)
        if with_flag:
            asset["marginAvailable"] = True
        asset["updateTime"] = numbers.milliseconds(self._updated_ns(account))
        return {**{f"total{name}": numbers.money(value) for name, value in amounts.items()}, **free, "assets": [asset]}
