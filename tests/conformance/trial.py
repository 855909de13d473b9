"""One client's trial, in a process of its own: every verb, held against the paper venue's own records.

``python -m tests.conformance.trial NAME FILE`` writes an ``Outcome`` for each verb to FILE as it goes, one a line, and
one without a verb for what went wrong beside them. A process each, since some clients live in threads that nobody can
stop, and others are told their addresses by constants of a module.
"""

import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from decimal import ROUND_FLOOR, Decimal
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from console.papers import PaperProcess, PaperSettings
from gateways.venue import Endpoints
from tests.conformance.client import Client, FillTold, OrderTold, PositionTold, Wanted
from tests.conformance.clients import client_class
from tests.conformance.table import VERBS, Outcome
from tests.conformance.witness import Witness

SEED = 7
PATIENCE_S = 10.0
"""How long the venue's records, or a stream, may take to say what is so."""
LOOK_S = 0.02
OPENING_S = 40.0

RESTING, MADE, TAKEN, CROSSING = (f"{number:032x}" for number in (0xA1, 0xB2, 0xC3, 0xF4))
"""Client ids: of the order that is amended and cancelled, of the one that others fill, of the one that takes, of the
one that must not."""
PLACED, AMENDED, PARTS, SOLD = Decimal("0.02"), Decimal("0.03"), (Decimal("0.005"), Decimal("0.015")), Decimal("0.01")
CANCELS = 3
"""How often what is gone is cancelled again."""
PROBES, PROBE = 6, Decimal("0.005")
"""Small orders that are filled until every private stream has told of one: only then are all subscribed."""


class Trial:
    """The verbs in their order. Each raises what went wrong."""

    def __init__(self, client: Client, witness: Witness, patience_s: float = PATIENCE_S) -> None:
        self.client = client
        self._witness = witness
        self._patience_s = patience_s
        self._prices: dict[str, Decimal] = {}

    async def prepare(self) -> None:
        """Choose the prices, and wait until the private streams are on; what they never tell, their verbs say."""
        bid, ask = await self.client.best()
        assert 0 < bid < ask, f"the book stands at {bid} to {ask}"
        # Whole numbers are ticks on every venue, and two per cent away nobody trades with the order.
        near, far = ((bid * part).quantize(Decimal(1), ROUND_FLOOR) for part in (Decimal("0.99"), Decimal("0.98")))
        self._prices = {"placed": far, "amended": near}
        for number in range(PROBES):
            probe = f"{0xD0 + number:032x}"
            await self._fill(Wanted(client_id=probe, amount=PROBE, price=far), [PROBE])
            end = time.monotonic() + self._patience_s / PROBES
            while time.monotonic() < end:
                if {type(told) for told in self.client.told()} >= {OrderTold, FillTold, PositionTold}:
                    return
                await asyncio.sleep(LOOK_S)

    async def place(self) -> None:
        """A post-only order rests at its price."""
        far = self._prices["placed"]
        await self.client.place(Wanted(client_id=RESTING, amount=PLACED, price=far))
        await self._rests(PLACED, far)

    async def amend(self) -> None:
        """It gets another amount and price, under the same client id."""
        await self.client.amend(Wanted(client_id=RESTING, amount=AMENDED, price=self._prices["amended"]))
        await self._rests(AMENDED, self._prices["amended"])

    async def cancel(self) -> None:
        """It is gone, having filled nothing."""
        await self.client.cancel(RESTING)

        async def gone() -> tuple[object, object]:
            truth = await self._witness.truth()
            return (truth.open, RESTING in truth.fills, RESTING in truth.placed), ({}, False, True)

        await self._until(gone)

    async def get_filled(self) -> None:
        """A resting order is filled by somebody else in parts, a market order takes; the client's queries agree."""
        await self._fill(Wanted(client_id=MADE, amount=PLACED, price=self._prices["placed"]), PARTS)
        await self.client.place(Wanted(client_id=TAKEN, amount=-SOLD))
        for client_id, amount in ((MADE, PLACED), (TAKEN, -SOLD)):

            async def queried(client_id: str = client_id, amount: Decimal = amount) -> tuple[object, object]:
                filled = await self._witness.filled(client_id)
                fills = await self.client.fills(client_id)
                seen = sum(fill.amount for fill in fills), len({fill.trade_id for fill in fills}), filled.filled
                return seen, (filled.filled, len(filled.trades), amount)

            await self._until(queried)

        async def positions() -> tuple[object, object]:
            return await self.client.position(), await self._witness.position()

        await self._until(positions)

    async def get_refused(self) -> None:
        """A post-only order that would take is refused, or ended at once; so is a cancel of what is gone."""
        _, ask = await self.client.best()
        crossing = (ask * Decimal("1.01")).quantize(Decimal(1), ROUND_FLOOR)
        if not await self._refused(self.client.place(Wanted(client_id=CROSSING, amount=PLACED, price=crossing))):

            async def ended() -> tuple[object, object]:
                told = [one for one in self.client.told() if isinstance(one, OrderTold) and one.client_id == CROSSING]
                return told[-1:] and told[-1].status in {"canceled", "refused"}, True

            await self._until(ended)
        truth = await self._witness.truth()
        assert CROSSING not in {*truth.open, *truth.fills}, "a post-only order took, or rests where it crosses"
        # Asked more than once, as a client may lose an answer; a cancel of what is gone changes nothing.
        refused = [await self._refused(self.client.cancel(RESTING)) for _ in range(CANCELS)]
        assert any(refused), "a cancel of what is gone was not refused"

    async def orders_told(self) -> None:
        """The streams told of every state of every order."""
        placed, amended = self._prices["placed"], self._prices["amended"]
        wanted = [
            (RESTING, "open", PLACED, placed),
            (RESTING, "open", AMENDED, amended),
            (RESTING, "canceled", AMENDED, amended),
            (MADE, "open", PLACED, placed),
            (MADE, "filled", PLACED, placed),
        ]

        async def in_turn() -> tuple[object, object]:
            told = [one for one in self.client.told() if isinstance(one, OrderTold)]
            rest = iter((one.client_id, one.status, one.quantity, one.price) for one in told)
            left = [state for state in wanted if state not in rest]
            taken = any((one.client_id, one.status, one.quantity) == (TAKEN, "filled", SOLD) for one in told)
            return (left, "market order filled" if taken else told), ([], "market order filled")

        await self._until(in_turn)

    async def fills_told(self) -> None:
        """The streams told of every fill, once."""
        for client_id in (MADE, TAKEN):

            async def each_once(client_id: str = client_id) -> tuple[object, object]:
                true = await self._witness.filled(client_id)
                fills = [one for one in self.client.told() if isinstance(one, FillTold) and one.client_id == client_id]
                told = len(fills), len({one.trade_id for one in fills}), sum(one.amount for one in fills)
                return told, (len(true.trades), len(true.trades), true.filled)

            await self._until(each_once)

    async def position_told(self) -> None:
        """What the streams last told of the position is what it is."""

        async def last() -> tuple[object, object]:
            told = [one.amount for one in self.client.told() if isinstance(one, PositionTold)]
            return (told[-1] if told else "nothing told"), await self._witness.position()

        await self._until(last)

    async def _refused(self, asked: Awaitable[None]) -> bool:
        """Whether the client raises what is an answer. Raises what is none: no way to the venue, an answer not read."""
        try:
            await asked
        except (OSError, LookupError, TypeError, ValueError, AttributeError):
            raise
        except Exception:  # noqa: BLE001 - each client has errors of its own for it
            return True
        return False

    async def _fill(self, order: Wanted, parts: Sequence[Decimal]) -> None:
        """Place an order and let somebody else trade with it."""

        async def rests() -> tuple[object, object]:
            return order.client_id in (await self._witness.truth()).open, True

        await self.client.place(order)
        await self._until(rests)
        for part in parts:
            await self._witness.trade_with(order.client_id, part)

    async def _rests(self, quantity: Decimal, price: Decimal) -> None:
        async def rests() -> tuple[object, object]:
            truth = await self._witness.truth()
            return (truth.open, truth.prices), ({RESTING: quantity}, {RESTING: price})

        await self._until(rests)

    async def _until(self, fact: Callable[[], Awaitable[tuple[Any, Any]]]) -> None:
        """Wait until both sides of a fact are equal. Raises AssertionError, with both, when they stay apart."""
        end = time.monotonic() + self._patience_s
        while True:
            seen, true = await fact()
            if seen == true:
                return
            assert time.monotonic() < end, f"{seen!r} is not {true!r}"
            await asyncio.sleep(LOOK_S)


def reason_of(error: BaseException) -> str:
    """An error in one line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}"[:400] if text else type(error).__name__


async def try_all(trial: Trial, tell: Callable[[Outcome], None]) -> None:
    """Try every verb, also after one that failed."""
    for verb in VERBS:
        try:
            await getattr(trial, verb.replace(" ", "_"))()
        except Exception as error:  # noqa: BLE001 - whatever a client raises is what the table says
            tell(Outcome(verb=verb, reason="; ".join([reason_of(error), *trial.client.failures])))
        else:
            tell(Outcome(verb=verb))


async def run(chosen: type[Client], venue: Endpoints, tell: Callable[[Outcome], None]) -> None:
    """Open a client, try it, close it. Raises what keeps it from being opened or closed."""
    # Made in the running loop: some take hold of it at once.
    client = chosen(venue)
    async with aiohttp.ClientSession() as session:
        trial = Trial(client, Witness(venue, chosen.ticker, session))
        async with asyncio.timeout(OPENING_S):
            await client.open()
            await trial.prepare()
        await try_all(trial, tell)
        async with asyncio.timeout(OPENING_S):
            await client.close()


def main() -> None:
    """Run the trial of the client that is named."""
    name, report = sys.argv[1], Path(sys.argv[2])
    chosen = client_class(name)
    with report.open("a") as lines, PaperProcess(PaperSettings(venues=(chosen.kind,), seed=SEED)) as papers:

        def tell(outcome: Outcome) -> None:
            lines.write(msgspec.json.encode(outcome).decode() + "\n")
            lines.flush()

        try:
            asyncio.run(run(chosen, papers.endpoints[chosen.kind], tell))
        except Exception as error:  # noqa: BLE001 - whatever a client raises is what the table says
            tell(Outcome(verb="", reason=reason_of(error)))


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    # Threads that a client left behind would keep the process alive for ever.
    os._exit(0)
