"""An operator who does anything at any moment: places, amends, cancels, pauses, flattens, panics, all from one seed."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from decimal import Decimal
from random import Random
from typing import Any

from gateways.contracts import floor_lots, round_price, smallest_order
from gateways.errors import VenueError
from gateways.standards import Contract
from oms.orders import Order, Role
from oms.system import OMS

Leg = dict[str, Any]


class Operator:
    """Acts on a desk. ``did`` counts its acts, ``refused`` what a venue or the desk said no to, by the type of no."""

    def __init__(self, rng: Random, bases: tuple[str, ...], log: Callable[[str], None]) -> None:
        self.did: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self._rng = rng
        self._bases = bases
        self._log = log
        self._sides = rng.choice(((1, -1), (1, -1), (1,), (-1,)))
        """Many sessions trade one side only: there a hedge can never be more than is owed."""
        self._acts: tuple[tuple[int, Callable[[], Awaitable[object]]], ...] = (
            (50, self.place),
            (10, self.amend),
            (10, self.cancel),
            (2, self.cancel_all),
            (3, self.pause),
            (3, self.resume),
            (3, self.by_hand),
            (1, self.panic),
            (1, self.flatten),
        )
        self._weights = [weight for weight, _ in self._acts]

    @property
    def one_sided(self) -> bool:
        """Whether all makers are on one side."""
        return len(self._sides) == 1

    async def work(self, oms: OMS, until: float) -> None:
        """Do things on a desk, several at once where they overlap, until the loop's time ``until``."""
        self._oms = oms
        loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as group:
            while (pause := self._rng.choice((0.01, 0.15, 0.4, 1.0, 2.5))) + loop.time() < until:
                await asyncio.sleep(pause)
                _, act = self._rng.choices(self._acts, self._weights)[0]
                group.create_task(self._do(act))

    async def _do(self, act: Callable[[], Awaitable[object]]) -> None:
        name = act.__name__
        self.did[name] += 1
        try:
            done = await act()
        except VenueError as error:
            if "Error(" in error.text:
                raise  # not a venue's doing: something of ours broke and was taken for silence
            self.refused[type(error).__name__] += 1
            self._log(f"{name}: {type(error).__name__}: {error}")
        else:
            self._log(f"{name}: {done}")

    # ------------------------------------------------------------------ acts

    async def place(self) -> Order:
        """Rest a maker with one leg or two."""
        rng, oms = self._rng, self._oms
        contract = self._contract()
        side = rng.choice(self._sides)
        legs = self._legs(contract)
        quote = oms.feed.quote(contract.venue, contract.ticker)
        amount = self._amount(contract) * side
        request: dict[str, Any] = {"exc": contract.venue, "ticker": contract.ticker, "amount": amount}
        if quote is None or quote.bid is None or quote.ask is None:
            await oms.watch(contract.venue, contract.ticker)
            request["price_rule"] = "QUEUE_1"
        else:
            own, other = (quote.bid.price, quote.ask.price) if side > 0 else (quote.ask.price, quote.bid.price)
            share = Decimal(rng.choice((0, 0, 30, 60, 90, 110))) / 100
            request["price"] = round_price(contract, own + (other - own) * share)
        request["post_only"] = rng.random() < 0.3
        return await oms.hedge_order(request, legs, rng.choice((0, 0, 0, 100, 1_500)))

    async def amend(self) -> object:
        """Change a resting order's price, its size or both."""
        order = self._working()
        if order is None or order.price is None:
            return "nothing to amend"
        contract = self._oms.contract_specs(order.venue, order.ticker)
        price = round_price(contract, order.price * (1 + Decimal(self._rng.randint(-4, 4)) / 10_000))
        step = contract.lot_size * self._rng.randint(-20, 60)
        amount = (abs(order.amount) + step).copy_sign(order.amount)
        what = self._rng.randrange(3)
        return await self._oms.amend_order(
            order.key, amount=amount if what else None, price=price if what != 1 else None
        )

    async def cancel(self) -> object:
        """Cancel one order, twice at once sometimes."""
        order = self._working()
        if order is None:
            return "nothing to cancel"
        one = self._oms.cancel_order(order.venue, order.ticker, cloid=order.key)
        if self._rng.random() < 0.8:
            return await one
        both = await asyncio.gather(
            one, self._oms.cancel_order(order.venue, order.ticker, cloid=order.key), return_exceptions=True
        )
        for result in both:
            if isinstance(result, BaseException) and not isinstance(result, VenueError):
                raise result
        return both

    async def cancel_all(self) -> int:
        """Cancel every maker."""
        return await self._oms.cancel_orders(self._oms.makers_working())

    async def pause(self) -> str:
        """Pause a hedge book."""
        contract = self._contract()
        self._oms.hedge.pause(contract.venue, contract.ticker, "the operator looks at it")
        return f"{contract.venue}:{contract.ticker}"

    async def resume(self) -> str:
        """Resume every book that is paused or on hold, and the desk."""
        self._oms.activate()
        stopped = [book for book in self._oms.kernel.books.values() if book.paused or book.hold]
        for book in stopped:
            self._oms.hedge.resume(book.venue, book.ticker, now=self._rng.random() < 0.5)
        return ", ".join(f"{book.venue}:{book.ticker}" for book in stopped)

    async def by_hand(self) -> Order:
        """Trade by hand in a contract that hedges go to: no book's business."""
        contract = self._contract()
        amount = self._amount(contract) * self._rng.choice((1, -1))
        return await self._oms.market_order({"exc": contract.venue, "ticker": contract.ticker, "amount": amount})

    async def panic(self) -> int:
        """Panic, and think better of it."""
        taken = await self._oms.panic()
        self._oms.activate()
        return taken

    async def flatten(self) -> object:
        """Close a position; the makers of other books go on."""
        contract = self._contract()
        return await self._oms.flatten(contract.venue, contract.ticker)

    # ------------------------------------------------------------------ choices

    def _contract(self) -> Contract:
        listed = [
            contract
            for contracts in self._oms.contracts.values()
            for contract in contracts.values()
            if contract.base in self._bases
        ]
        return self._rng.choice(listed)

    def _working(self) -> Order | None:
        orders = [order for order in self._oms.page.working() if order.role in {Role.MAKER, Role.MANUAL}]
        return self._rng.choice(orders) if orders else None

    def _amount(self, contract: Contract) -> Decimal:
        mid = self._oms.feed.mid(contract.venue, contract.ticker)
        least = smallest_order(contract, mid)
        if mid is None:
            least *= 10
        value = Decimal(self._rng.choice((0, 30, 300, 4_000)))
        extra = floor_lots(contract, value / mid) if mid else contract.lot_size
        return least + extra + contract.lot_size * self._rng.randrange(3)

    def _legs(self, maker: Contract) -> list[Leg]:
        rng = self._rng
        others = [
            contract
            for contracts in self._oms.contracts.values()
            for contract in contracts.values()
            if contract.base in self._bases and (contract.venue, contract.ticker) != (maker.venue, maker.ticker)
        ]
        same = [contract for contract in others if contract.base == maker.base]
        chosen = [rng.choice(same)]
        if rng.random() < 0.3:
            chosen.append(rng.choice([contract for contract in others if contract is not chosen[0]] or chosen))
        return [self._leg(contract) for contract in dict.fromkeys(chosen)]

    def _leg(self, contract: Contract) -> Leg:
        rng = self._rng
        leg: Leg = {
            "exc": contract.venue,
            "ticker": contract.ticker,
            "ratio": Decimal(rng.choice(("1", "1", "1", "0.5", "0.37", "2"))),
        }
        if rng.random() < 0.4:
            leg |= {"how": "ioc", "slippage_bps": Decimal(rng.choice((0, 1, 5, 20)))}
        return leg
