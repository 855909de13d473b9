"""What OKX v5 publishes of its swaps: ``public/instruments``.

Sizes, lots and limits are in contracts of ``ctVal`` base units. Source: the venue's page Get instruments.
"""

from decimal import Decimal

from gateways.paper.okx import numbers
from gateways.paper.okx.requests import Json
from gateways.standards import Contract

LARGEST_LEVERAGE = 100

_LISTED_MS = "1573557408000"
_UNLIMITED = Decimal(100_000_000)


def family_of(contract: Contract) -> str:
    """The instrument family, which is also the index: ``BTC-USDT``."""
    return f"{contract.base}-{contract.quote}"


def largest_size(contract: Contract, *, market: bool) -> Decimal:
    """``maxMktSz`` or ``maxLmtSz``, in base units."""
    limit = contract.max_quantity or _UNLIMITED * contract.multiplier
    return (contract.market_max_quantity or limit) if market else limit


def instrument(contract: Contract, *, trading: bool) -> Json:
    """One row of the list."""
    most = numbers.size(contract, largest_size(contract, market=False))
    most_at_market = numbers.size(contract, largest_size(contract, market=True))
    family = family_of(contract)
    return {
        "alias": "",
        "auctionEndTime": "",
        "baseCcy": "",
        "category": "1",
        "contTdSwTime": "",
        "ctMult": "1",
        "ctType": "linear",
        "ctVal": numbers.plain(contract.multiplier),
        "ctValCcy": contract.base,
        "expTime": "",
        "futureSettlement": False,
        "groupId": "4",
        "instFamily": family,
        "instId": contract.ticker,
        "instIdCode": int(contract.venue_id),
        "instType": "SWAP",
        "lever": str(LARGEST_LEVERAGE),
        "listTime": _LISTED_MS,
        "lotSz": numbers.size(contract, contract.lot_size),
        "maxIcebergSz": most,
        "maxLmtAmt": "20000000",
        "maxLmtSz": most,
        "maxMktAmt": "",
        "maxMktSz": most_at_market,
        "maxPlatOILmt": "",
        "maxStopSz": most_at_market,
        "maxTriggerSz": most,
        "maxTwapSz": most,
        "minSz": numbers.size(contract, contract.min_quantity),
        "openType": "",
        "optType": "",
        "posLmtAmt": "",
        "posLmtPct": "",
        "preMktSwTime": "",
        "quoteCcy": "",
        "ruleType": "normal",
        "settleCcy": contract.quote,
        "state": "live" if trading else "suspend",
        "stk": "",
        "tickSz": numbers.plain(contract.tick_size),
        "tradeQuoteCcyList": [],
        "uly": family,
        "upcChg": [],
    }
