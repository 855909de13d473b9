"""What the Hyperliquid paper venue says of one account: margin, positions, balances, fees. Pure.

An address that nobody opened is answered like an empty account, as the real venue does.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from gateways.paper.exchange import PaperExchange, PaperPosition
from gateways.paper.hyperliquid.records import basic_order, frontend_order, milliseconds, money, wire
from gateways.standards import ZERO

_RATIO = Decimal("1e-8")
_NO_FUNDING = {"allTime": "0.0", "sinceOpen": "0.0", "sinceChange": "0.0"}


class AccountView:
    """Reads accounts of a paper exchange. ``leverages``: what was asked for, by (account, ticker)."""

    def __init__(
        self, exchange: PaperExchange, accounts: frozenset[str], leverages: Mapping[tuple[str, str], int]
    ) -> None:
        self._exchange = exchange
        self._accounts = accounts
        self._leverages = leverages

    def knows(self, user: str) -> bool:
        """Whether ``user`` (lower case) is an account here."""
        return user in self._accounts

    def clearinghouse_state(self, user: str, now_ns: int) -> dict[str, Any]:
        """The margin summary and the positions of ``clearinghouseState``."""
        held = self._exchange.positions(user) if self.knows(user) else []
        balance = self._exchange.balance(user) if self.knows(user) else None
        value = (balance.wallet if balance else ZERO) + sum((position.unrealised for position in held), ZERO)
        notional = sum((abs(position.amount) * position.mark for position in held), ZERO)
        net = sum((position.amount * position.mark for position in held), ZERO)
        summary = {
            "accountValue": money(value),
            "totalNtlPos": money(notional),
            "totalRawUsd": money(value - net),
            "totalMarginUsed": money(notional / self._exchange.leverage),
        }
        return {
            "marginSummary": summary,
            "crossMarginSummary": summary,
            "crossMaintenanceMarginUsed": money(notional / self._exchange.leverage / 2),
            "withdrawable": money(balance.available if balance else ZERO),
            "assetPositions": [{"type": "oneWay", "position": self._position(one)} for one in held],
            "time": milliseconds(now_ns),
        }

    def spot_state(self, user: str) -> dict[str, Any]:
        """The spot wallet: the paper venue has no spot market, so its one token is empty."""
        empty = {"coin": "USDC", "token": 0, "total": "0.0", "hold": "0.0", "entryNtl": "0.0"}
        return {"balances": [empty] if self.knows(user) else []}

    def open_orders(self, user: str, *, frontend: bool) -> list[dict[str, Any]]:
        """The open orders, latest first, with what is open of each now."""
        if not self.knows(user):
            return []
        write = frontend_order if frontend else basic_order
        return [write(order, order.remaining) for order in reversed(self._exchange.open_orders(user))]

    def fees(self, user: str) -> dict[str, Any]:
        """The fee rates of ``userFees``: the exchange's own, with no discount."""
        taker, maker = wire(self._exchange.taker_fee), wire(self._exchange.maker_fee)
        schedule = {
            "cross": taker,
            "add": maker,
            "spotCross": taker,
            "spotAdd": maker,
            "tiers": {"vip": [], "mm": []},
            "referralDiscount": "0.0",
            "stakingDiscountTiers": [],
        }
        return {
            "dailyUserVlm": [],
            "feeSchedule": schedule,
            "userCrossRate": taker if self.knows(user) else "0.0",
            "userAddRate": maker if self.knows(user) else "0.0",
            "userSpotCrossRate": taker,
            "userSpotAddRate": maker,
            "activeReferralDiscount": "0.0",
            "trial": None,
            "feeTrialReward": "0.0",
            "nextTrialAvailableTimestamp": None,
            "stakingLink": None,
            "activeStakingDiscount": {"bpsOfMaxSupply": "0.0", "discount": "0.0"},
        }

    def _position(self, position: PaperPosition) -> dict[str, Any]:
        notional = abs(position.amount) * position.mark
        margin = notional / self._exchange.leverage
        most = int(self._exchange.leverage)
        leverage = self._leverages.get((position.account, position.ticker), most)
        return {
            "coin": position.ticker,
            "szi": wire(position.amount),
            "leverage": {"type": "cross", "value": leverage},
            "entryPx": wire(position.entry_price),
            "positionValue": money(notional),
            "unrealizedPnl": money(position.unrealised),
            "returnOnEquity": wire((position.unrealised / margin).quantize(_RATIO) if margin else ZERO),
            "liquidationPx": None,
            "marginUsed": money(margin),
            "maxLeverage": most,
            "cumFunding": _NO_FUNDING,
        }
