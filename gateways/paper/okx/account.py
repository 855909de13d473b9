"""OKX v5's account: positions, money, fees and settings on a paper exchange.

The exchange knows one mode: net positions, cross margin, futures mode with one currency. Settings that say so are
answered; changes away from it are refused. Leverage is remembered and shown; margin is taken at the exchange's own.

Sources: the venue's pages Get positions, Positions channel, Get balance, Account channel, Balance and position channel,
Get account configuration, Set leverage, Get leverage, Set position mode, Get fee rates, Get maximum order quantity.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal

from gateways.paper.exchange import PaperExchange
from gateways.paper.okx import errors, numbers
from gateways.paper.okx.contract_info import LARGEST_LEVERAGE, instrument
from gateways.paper.okx.errors import OkxError
from gateways.paper.okx.requests import Json, Params
from gateways.paper.okx.tallies import Tallies
from gateways.paper.records import PaperPosition
from gateways.standards import ZERO, Contract

MAINTENANCE_RATE = Decimal("0.004")
"""Maintenance margin by notional; one tier for every contract."""

_BALANCE_BLANKS = (
    "accAvgPx",
    "borrowFroz",
    "clSpotInUseAmt",
    "crossLiab",
    "interest",
    "isoLiab",
    "isoUpl",
    "liab",
    "maxLoan",
    "maxSpotInUseAmt",
    "openAvgPx",
    "spotBal",
    "spotInUseAmt",
    "spotUpl",
    "spotUplRatio",
    "totalPnl",
    "totalPnlRatio",
    "uplLiab",
)
_BALANCE_ZEROS = (
    "colBorrAutoConversion",
    "fixedBal",
    "isoEq",
    "rewardBal",
    "smtSyncEq",
    "spotCopyTradingEq",
    "spotIsoBal",
    "stgyEq",
    "twap",
)
_POSITION_BLANKS = (
    "baseBal",
    "baseBorrowed",
    "baseInterest",
    "bizRefId",
    "bizRefType",
    "clSpotInUseAmt",
    "deltaBS",
    "deltaPA",
    "gammaBS",
    "gammaPA",
    "hedgedPos",
    "liab",
    "liabCcy",
    "liqPx",
    "margin",
    "maxSpotInUseAmt",
    "optVal",
    "pendingCloseOrdLiabVal",
    "posCcy",
    "quoteBal",
    "quoteBorrowed",
    "quoteInterest",
    "spotInUseAmt",
    "spotInUseCcy",
    "thetaBS",
    "thetaPA",
    "usdPx",
    "vegaBS",
    "vegaPA",
)


class AccountDesk:
    """Answers what an account asks of itself. Every verb raises OkxError."""

    def __init__(self, exchange: PaperExchange, tallies: Tallies, now_ns: Callable[[], int]) -> None:
        self._exchange = exchange
        self._tallies = tallies
        self._now_ns = now_ns
        self._leverages: dict[tuple[str, str], Decimal] = {}

    # -------------------------------------------------------------- positions

    def positions(self, params: Params, account: str) -> list[Json]:
        """``account/positions``: those that are not zero."""
        if params.choice("instType", ("MARGIN", "SWAP", "FUTURES", "OPTION", "EVENTS"), "SWAP") != "SWAP":
            return []
        wanted = {name for name in (params.optional("instId") or "").split(",") if name}
        found = self._exchange.positions(account)
        return [self.position(each) for each in found if not wanted or each.ticker in wanted]

    def position(self, position: PaperPosition) -> Json:
        """One position, as REST and the channel write it."""
        contract = self._exchange.contracts[position.ticker]
        tally = self._tallies.position(position.account, position.ticker)
        leverage = self.leverage(position.account, position.ticker)
        notional = abs(position.amount) * position.mark
        trades = self._exchange.trades(position.ticker, 1)
        upl = numbers.plain(position.unrealised)
        upl_ratio = numbers.ratio(position.unrealised * leverage, abs(position.amount) * position.entry_price)
        return {
            **dict.fromkeys(_POSITION_BLANKS, ""),
            "adl": "1",
            "availPos": "",
            "avgPx": numbers.optional(position.entry_price or None),
            "bePx": numbers.optional(position.entry_price or None),
            "cTime": numbers.milliseconds(tally.opened_ns),
            "ccy": contract.quote,
            "closeOrderAlgo": [],
            "fee": numbers.plain(ZERO - tally.fee),
            "fundingFee": "0",
            "idxPx": numbers.plain(position.mark),
            "imr": numbers.ratio(notional, self._exchange.leverage),
            "instId": position.ticker,
            "instType": "SWAP",
            "interest": "",
            "last": numbers.plain(trades[-1].price if trades else position.mark),
            "lever": numbers.plain(leverage),
            "liqPenalty": "0",
            "markPx": numbers.plain(position.mark),
            "mgnMode": "cross",
            "mgnRatio": numbers.ratio(self._equity(position.account), notional * MAINTENANCE_RATE),
            "mmr": numbers.plain(notional * MAINTENANCE_RATE),
            "nonSettleAvgPx": "",
            "notionalUsd": numbers.plain(notional),
            "pnl": numbers.plain(tally.realised),
            "pos": numbers.size(contract, position.amount),
            "posId": contract.venue_id,
            "posSide": "net",
            "realizedPnl": numbers.plain(tally.gained),
            "settledPnl": "",
            "tradeId": str(tally.trade_id),
            "uTime": numbers.milliseconds(tally.updated_ns),
            "upl": upl,
            "uplLastPx": upl,
            "uplRatio": upl_ratio,
            "uplRatioLastPx": upl_ratio,
        }

    # ------------------------------------------------------------------ money

    def balance(self, params: Params, account: str) -> list[Json]:
        """``account/balance``."""
        wanted = {name for name in (params.optional("ccy") or "").split(",") if name}
        money = self.money(account)
        if wanted and self._exchange.quote_asset not in wanted:
            money["details"] = []
        return [money]

    def money(self, account: str) -> Json:
        """The whole account, as REST and the channel write it."""
        balance = self._exchange.balance(account)
        positions = self._exchange.positions(account)
        upl = numbers.plain(sum((each.unrealised for each in positions), ZERO))
        notional = sum((abs(each.amount) * each.mark for each in positions), ZERO)
        equity = self._equity(account)
        used = numbers.plain(max(equity - balance.available, ZERO))
        maintenance = numbers.plain(notional * MAINTENANCE_RATE)
        total, free = numbers.plain(equity), numbers.plain(balance.available)
        updated = numbers.milliseconds(self._now_ns())
        ratio = numbers.ratio(equity, notional * MAINTENANCE_RATE)
        return {
            "adjEq": total,
            "availEq": free,
            "borrowFroz": "0",
            "delta": "",
            "deltaLever": "",
            "deltaNeutralStatus": "",
            "details": [
                {
                    **dict.fromkeys(_BALANCE_BLANKS, ""),
                    **dict.fromkeys(_BALANCE_ZEROS, "0"),
                    "availBal": free,
                    "availEq": free,
                    "cashBal": numbers.plain(balance.wallet),
                    "ccy": balance.asset,
                    "coinUsdPrice": "1",
                    "collateralEnabled": False,
                    "collateralRestrict": False,
                    "disEq": total,
                    "eq": total,
                    "eqUsd": total,
                    "frozenBal": used,
                    "imr": used,
                    "mgnRatio": ratio,
                    "mmr": maintenance,
                    "notionalLever": numbers.ratio(notional, equity),
                    "ordFrozen": "0",
                    "uTime": updated,
                    "upl": upl,
                }
            ],
            "imr": used,
            "isoEq": "0",
            "mgnRatio": ratio,
            "mmr": maintenance,
            "notionalUsd": numbers.plain(notional),
            "notionalUsdForBorrow": "0",
            "notionalUsdForFutures": "0",
            "notionalUsdForOption": "0",
            "notionalUsdForSwap": numbers.plain(notional),
            "ordFroz": "0",
            "totalEq": total,
            "uTime": updated,
            "upl": upl,
        }

    def both(self, account: str, positions: Sequence[PaperPosition], event: str) -> Json:
        """Cash and positions together, as ``balance_and_position`` writes them."""
        balance = self._exchange.balance(account)
        now = numbers.milliseconds(self._now_ns())
        rows = [self.position(each) for each in positions]
        names = ("avgPx", "ccy", "instId", "instType", "mgnMode", "pos", "posCcy", "posId", "posSide", "tradeId")
        return {
            "pTime": now,
            "eventType": event,
            "balData": [{"ccy": balance.asset, "cashBal": numbers.plain(balance.wallet), "uTime": now}],
            "posData": [
                {**{name: row[name] for name in names}, "nonSettleAvgPx": "", "settledPnl": "", "uTime": row["uTime"]}
                for row in rows
            ],
            "trades": [{"instId": row["instId"], "tradeId": row["tradeId"]} for row in rows if event == "filled"],
        }

    # --------------------------------------------------------------- settings

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
        if params.choice("instType", ("SPOT", "MARGIN", "SWAP", "FUTURES", "OPTION", "EVENTS")) != "SWAP":
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
                "instType": params.choice("instType", ("SPOT", "MARGIN", "SWAP", "FUTURES", "OPTION", "EVENTS")),
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

    def leverage(self, account: str, ticker: str) -> Decimal:
        """The leverage that an account sees of a contract."""
        return self._leverages.get((account, ticker), self._exchange.leverage)

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
        self._leverages[account, contract.ticker] = lever
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
        lever = numbers.plain(self.leverage(account, ticker))
        return {"ccy": "", "instId": ticker, "mgnMode": "cross", "posSide": "net", "lever": lever}

    def _free_quantity(self, params: Params, contract: Contract, account: str) -> Decimal:
        price = params.decimal("px") if "px" in params else self._exchange.mark(contract.ticker)
        if not price:
            return ZERO
        free = self._exchange.balance(account).available * self._exchange.leverage / price
        return free // contract.lot_size * contract.lot_size

    def _equity(self, account: str) -> Decimal:
        unrealised = sum((each.unrealised for each in self._exchange.positions(account)), ZERO)
        return self._exchange.balance(account).wallet + unrealised


def uid_of(account: str) -> str:
    """A user id that follows from the account alone."""
    return str(10**16 + int.from_bytes(account.encode()) % 10**16)
