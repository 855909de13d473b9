"""What an OMS asks its venues now, by the names that users know. The mirrors learn from every answer."""

from collections.abc import Collection
from decimal import Decimal
from typing import TYPE_CHECKING

from gateways.standards import BalanceUpdate, FillEvent, OrderUpdate, PositionUpdate
from oms import portfolio
from oms.clock import Clock
from oms.journal import JournalError, Recorder
from oms.mirrors import Mirrors
from oms.verify import PastProof, PastQuestion, Proof, prove, prove_past

if TYPE_CHECKING:
    from oms.hedge.handler import HedgeHandler
    from oms.supervisor import Supervisor


class Asked(Mirrors):
    """The questions of a desk. Each raises VenueError as the venues do; a failed one changes nothing."""

    clock: Clock
    journal: Recorder
    hedge: "HedgeHandler"
    supervisor: "Supervisor"
    began_ns: int
    """When the first session of this journal began: proofs go back to there."""

    async def orders_get(self, exc: str, ticker: str | None = None) -> list[OrderUpdate]:
        """The open orders, asked fresh; the mirror learns from the answer."""
        found = await self.gateway.venue(exc).open_orders(ticker)
        for update in found:
            self.publish(self.page.upsert(update, self.clock.now_ns()))
        return found

    async def orders_get_all(self) -> dict[str, list[OrderUpdate]]:
        """The open orders of every venue, asked fresh."""
        return {exc: await self.orders_get(exc) for exc in self.gateway.venues}

    async def positions_get(self, exc: str) -> list[PositionUpdate]:
        """The positions, asked fresh; the mirror learns from the answer."""
        return await self.supervisor.refresh_positions(exc)

    async def positions_get_all(self) -> dict[str, list[PositionUpdate]]:
        """The positions of every venue, asked fresh."""
        return {exc: await self.positions_get(exc) for exc in self.gateway.venues}

    async def get_balance(self, exc: str) -> list[BalanceUpdate]:
        """The money on a venue, asked fresh; the mirror learns from the answer."""
        return await self.supervisor.refresh_balances(exc)

    async def get_all_balances(self) -> dict[str, list[BalanceUpdate]]:
        """The money on every venue, asked fresh."""
        return {exc: await self.get_balance(exc) for exc in self.gateway.venues}

    async def get_all_equities(self) -> dict[str, Decimal]:
        """Wallets plus unrealised profit by venue, asked fresh, in the venue's quote currency."""
        return {
            exc: portfolio.equity(await self.get_balance(exc), await self.positions_get(exc))
            for exc in self.gateway.venues
        }  # fmt: skip

    async def update_exchange_contracts(self, exc: str) -> None:
        """Fetch a venue's contracts anew; hedges go by the new rules from then on."""
        contracts = await self.gateway.venue(exc).load_contracts()
        for venue, ticker in list(self.kernel.books):
            if venue == exc and ticker in contracts:
                self.hedge.specify(contracts[ticker])

    async def reconcile(self, exc: str | None = None) -> None:
        """Compare the mirrors with a venue's own state (None: with every venue's) and correct them now."""
        for alias in [exc] if exc else list(self.gateway.venues):
            await self.supervisor.reconcile(alias)

    async def verify(self) -> Proof:
        """Prove the books against the venues' own fills: see ``oms.verify``."""
        return await prove(
            self.gateway, self.page, self.positions, self.kernel, since_ns=self.began_ns, past=self._prove_past
        )

    async def _prove_past(self, others: list[FillEvent], answered: Collection[str]) -> PastProof:
        """Compare the orders that were put away; that they cannot be read is a problem, not a proof."""
        upto = self.store.upto
        if not upto:
            return PastProof()
        here = frozenset(order.key for order in self.page.orders())
        question = PastQuestion(upto, here, others, tuple(answered))
        try:
            return PastProof.read(await self.journal.apart(prove_past, question.written()))
        except JournalError as error:
            return PastProof((f"orders that were put away cannot be compared: {error}",))

    async def watch(self, exc: str, ticker: str) -> None:
        """Open a contract's public data and wait, briefly, for its first book. Idempotent."""
        await self.supervisor.watch(exc, ticker)
