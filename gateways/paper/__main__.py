"""``python -m gateways.paper --venues binance,hyperliquid --seed N``: see ``gateways.paper.server``."""

import argparse
import sys
from decimal import Decimal, InvalidOperation
from pathlib import Path

from gateways.paper.server import serve


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None


def main() -> int:
    """Read the arguments and serve; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m gateways.paper", description="Serve paper venues on loopback.")
    parser.add_argument("--venues", default="binance,hyperliquid", help="comma-separated kinds of venues")
    parser.add_argument("--seed", type=int, default=0, help="of the market, and of the keys")
    parser.add_argument("--market", type=Path, help="a file of recorded trades to replay")
    parser.add_argument("--ticker", help="the contract of the recorded trades, such as FXS")
    parser.add_argument("--speed", type=_decimal, default=Decimal(1), help="recorded seconds in a second")
    parser.add_argument("--with-parent", action="store_true", help="end when the process that started it ends")
    given = parser.parse_args()
    venues = [name.strip() for name in given.venues.split(",") if name.strip()]
    return serve(venues, given.seed, given.market, given.ticker, given.speed, with_parent=given.with_parent)


if __name__ == "__main__":
    sys.exit(main())
