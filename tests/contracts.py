"""Contracts that tests trade, made from what is usual."""

from decimal import Decimal

from gateways.standards import Contract

D = Decimal


def swap(venue: str, ticker: str, base: str, lot: str = "0.001", **rules: object) -> Contract:
    """A linear swap in USDT, ``lot`` also its smallest order, which is worth 5 or more; ``rules`` say otherwise."""
    usual: dict[str, object] = {"quote": "USDT", "tick_size": D("0.01"), "min_notional": D(5)}
    sizes = {"lot_size": D(lot), "min_quantity": D(lot)}
    return Contract(venue=venue, ticker=ticker, base=base, **{**usual, **sizes, **rules})


HYPERLIQUID_SOL = swap(
    "hyperliquid",
    "SOL",
    "SOL",
    lot="0.01",
    quote="USDC",
    tick_size=D("0.0001"),
    min_notional=D(10),
    significant_digits=5,
)
