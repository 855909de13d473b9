"""The balances page: the money on each venue, as the venue states it. No clock, no I/O.

An answer is taken as it comes, unless the venue dates it earlier than what is known or a stream spoke since it was
asked for. Positions wait for two answers that agree (``oms.positions``); money has no expectation to be weighed by, and
moves with every price, so that no two true answers agree. No order's size comes from it, and the next answer, or the
stream, replaces an old one.
"""

from collections.abc import Iterable

import msgspec

from gateways.standards import ZERO, BalanceUpdate

Key = tuple[str, str]


class BalanceDelta(msgspec.Struct, frozen=True):
    """A balance changed; ``before`` is None where nothing was known of the asset."""

    before: BalanceUpdate | None
    after: BalanceUpdate

    @property
    def key(self) -> str:
        """What deltas are coalesced by."""
        return f"{self.after.venue}:{self.after.asset}"


class BalancesPage:
    """The balances of all venues by (venue, asset), in units of the asset."""

    def __init__(self) -> None:
        self._balances: dict[Key, BalanceUpdate] = {}
        self._recv_ns: dict[Key, int] = {}
        self._lagging: set[Key] = set()
        """Balances whose last word did not say what is available: that is of an earlier one."""

    def upsert(self, update: BalanceUpdate, ts_recv_ns: int = 0) -> BalanceDelta | None:
        """Take the venue's word; the change it makes, or None for a repetition or one older than what is known.

        Where the message does not say what is available, the last word on that stays: it may lag until a snapshot.
        """
        key = (update.venue, update.asset)
        before = self._balances.get(key)
        if before is not None:
            if 0 < update.ts_venue_ns < before.ts_venue_ns:
                return None
            if update.available is None and before.available is not None:
                self._lagging.add(key)
                update = msgspec.structs.replace(update, available=before.available)
            elif update.available is not None:
                self._lagging.discard(key)
        self._balances[key] = update
        self._recv_ns[key] = max(self._recv_ns.get(key, 0), ts_recv_ns)
        if before is not None and (before.total, before.available) == (update.total, update.available):
            return None
        return BalanceDelta(before, update)

    def snapshot(
        self, venue: str, updates: Iterable[BalanceUpdate], asked_ns: int = 0, ts_recv_ns: int = 0
    ) -> list[BalanceDelta]:
        """Take a *successful* answer with all balances of a venue; the changes it makes.

        An asset that is not in it is zero. What a stream said after ``asked_ns`` (UTC, when the question was sent)
        stays, save what carries a later venue time in the answer.
        """
        answer = {update.asset: update for update in updates}
        for (alias, asset), known in self._balances.items():
            if alias == venue and asset not in answer:
                answer[asset] = msgspec.structs.replace(known, total=ZERO, available=ZERO)
        deltas = []
        for asset, update in answer.items():
            known_or_none = self._balances.get((venue, asset))
            heard_since = asked_ns and self._recv_ns.get((venue, asset), 0) > asked_ns
            if heard_since and known_or_none is not None and update.ts_venue_ns <= known_or_none.ts_venue_ns:
                continue
            delta = self.upsert(update, ts_recv_ns)
            if delta is not None:
                deltas.append(delta)
        return deltas

    def peek(self, venue: str, asset: str) -> BalanceUpdate | None:
        """What the venue last said of an asset, or None when it said nothing."""
        return self._balances.get((venue, asset))

    def lags(self, venue: str, asset: str) -> bool:
        """Whether what is available is of an earlier word than the total."""
        return (venue, asset) in self._lagging

    def get_all(self, venue: str | None = None) -> list[BalanceUpdate]:
        """The balances of one venue or all, zero ones included."""
        return [balance for (alias, _asset), balance in self._balances.items() if venue in {None, alias}]
