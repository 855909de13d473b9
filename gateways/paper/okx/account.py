"""OKX v5's positions and money on a paper exchange, as REST and the channels write them.

Sources: the venue's pages Get positions, Positions channel, Get balance, Account channel, Balance and position channel.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal

from gateways.paper.exchange import PaperExchange
from gateways.paper.okx import numbers
from gateways.paper.okx.requests import Json, Params
from gateways.paper.okx.tallies import Tallies
from gateways.paper.records import PaperPosition
from gateways.standards import ZERO

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
        self.leverages: dict[tuple[str, str], Decimal] = {}
        """What was set, by account and contract; it is shown, and margin is taken at the exchange's own."""

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

    # ------------------------------------------------------------------ parts

    def leverage(self, account: str, ticker: str) -> Decimal:
        """The leverage that an account sees of a contract."""
        return self.leverages.get((account, ticker), self._exchange.leverage)

    def _equity(self, account: str) -> Decimal:
        unrealised = sum((each.unrealised for each in self._exchange.positions(account)), ZERO)
        return self._exchange.balance(account).wallet + unrealised


def uid_of(account: str) -> str:
    """A user id that follows from the account alone."""
    return str(10**16 + int.from_bytes(account.encode()) % 10**16)
