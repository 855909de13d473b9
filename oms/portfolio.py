"""The desk as a whole: equity by venue, and bringing each base asset's net position to zero."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

from gateways.contracts import floor_lots, smallest_order
from gateways.errors import Denied
from gateways.standards import ZERO, BalanceUpdate, Contract, OrderKind, PositionUpdate

if TYPE_CHECKING:
    from oms.orders import Order
    from oms.system import OMS


def equity(balances: Iterable[BalanceUpdate], positions: Iterable[PositionUpdate]) -> Decimal:
    """Wallets plus unrealised profit, in quote units; what a venue does not state counts as zero."""
    wallets = sum((row.total for row in balances), ZERO)
    return wallets + sum((row.unrealised or ZERO for row in positions), ZERO)


async def hedge_portfolio_delta(oms: "OMS", venues: Mapping[str, str]) -> list["Order"]:
    """Bring each base asset's net position over all venues to zero with one market order for each.

    ``venues`` names the venue for a base asset; for others it is the one with the most free margin that trades it. What
    is under a lot or a minimum stays. Works on positions asked fresh, touches no hedge book: what a book will still
    answer (in flight, or waiting there) counts as done, so that nothing is hedged twice. Returns the orders sent.
    Raises Denied while a venue's answer is against its stream and the fills: one of them is old.
    """
    for exc, answer in (await oms.positions_get_all()).items():
        _check_believed(oms, exc, answer)
    balances = await oms.get_all_balances()
    free = {
        exc: sum((row.total if row.available is None else row.available for row in rows), ZERO)
        for exc, rows in balances.items()
    }
    orders = []
    owed = _owed_by_base(oms)
    for base, held in sorted(oms.positions_get_net_base().items()):
        net = held + owed.get(base, ZERO)
        if net == 0:
            continue
        contract = _contract_for(oms, base, venues.get(base), free)
        await oms.watch(contract.venue, contract.ticker)
        amount = floor_lots(contract, -net)
        if abs(amount) >= smallest_order(contract, oms.feed.mid(contract.venue, contract.ticker)):
            request = {"exc": contract.venue, "ticker": contract.ticker, "amount": amount, "kind": OrderKind.MARKET}
            orders.append(await oms.market_order(request))
    return orders


def _check_believed(oms: "OMS", exc: str, answer: list[PositionUpdate]) -> None:
    for ticker in oms.positions.doubted(exc):
        told = sum((row.amount for row in answer if row.ticker == ticker), ZERO)
        held = oms.positions.get(exc, ticker)
        if told != held:
            text = f"{exc} answers {told:f} of {ticker}, and {held:f} is what its stream and the fills say"
            raise Denied(exc, f"{text}: it is asked again, try it in some seconds")


def _owed_by_base(oms: "OMS") -> dict[str, Decimal]:
    owed: dict[str, Decimal] = {}
    for book in oms.kernel.books.values():
        base = book.contract.base if book.contract is not None else book.ticker
        owed[base] = owed.get(base, ZERO) + book.balance + book.in_flight
    return owed


def _contract_for(oms: "OMS", base: str, named: str | None, free: Mapping[str, Decimal]) -> Contract:
    candidates = [named] if named is not None else sorted(free, key=lambda exc: free[exc], reverse=True)
    for exc in candidates:
        for contract in oms.gateway.venue(exc).contracts.values():
            if contract.base == base and contract.trading:
                return contract
    where = named or "any venue"
    raise Denied(where, f"base asset {base!r} has no contract on {where} to bring its net position to zero with")
