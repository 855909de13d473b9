"""When an action can be done: each says None, or one phrase that tells the operator why not. Pure."""

from console.panes.mirror import Mirror

_NOT_HEARD = "the engine has not been heard yet"


def always(_: Mirror) -> str | None:
    """At any time."""
    return None


def engine_heard(mirror: Mirror) -> str | None:
    """Once the engine has sent its first frame."""
    return None if mirror.header is not None else _NOT_HEARD


def contracts_known(mirror: Mirror) -> str | None:
    """Once the contracts are known."""
    return None if mirror.contracts else "no contracts are known yet"


def orders_open(mirror: Mirror) -> str | None:
    """While an order is open."""
    return None if any(mirror.open_orders()) else "no order is open"


def positions_open(mirror: Mirror) -> str | None:
    """While a position is not flat."""
    return None if mirror.open_positions() else "every position is flat"


def makers_allowed(mirror: Mirror) -> str | None:
    """While the trading state takes new makers."""
    if mirror.header is None:
        return _NOT_HEARD
    if mirror.header.trading in {"HEDGE-ONLY", "HALTED"}:
        return f"trading is {mirror.header.trading}: no new makers"
    return contracts_known(mirror)
