"""Keeps what each contract earned in step with the engine's fills, positions and marks. Runs on the engine's loop."""

from decimal import Decimal

from gateways.standards import FillEvent
from oms.fills import TradeKey, trade_key
from oms.pnl import Earned, Key, Results
from oms.system import OMS

WITHOUT_FEE = 1_000
"""Fills whose fee is not known yet that are looked at again; the oldest are given up."""


class Earnings:
    """The results of this session: of every fill since the journal's last word before it.

    ``paper``: no funding is reckoned, since paper venues publish rates and pay none.
    """

    def __init__(self, oms: OMS, *, paper: bool) -> None:
        self._oms = oms
        self._paper = paper
        self._results = Results()
        self._unpriced: dict[Key, list[FillEvent]] = {}
        """Fills of contracts whose opening position has no price yet: they wait for it."""
        self._without_fee: dict[TradeKey, None] = {}
        self._openings: dict[Key, Decimal] = {}
        known = [fill for fill in oms.fills.get_all() if self._counts(fill)]
        for position in oms.positions.get_all():
            self._openings[position.venue, position.ticker] = position.amount
        for fill in known:
            key = fill.venue, fill.ticker
            self._openings[key] = self._openings.get(key, Decimal(0)) - fill.amount
        self._openings = {key: amount for key, amount in self._openings.items() if amount}
        self._unpriced = {key: [] for key in self._openings}
        self._open()
        for fill in known:
            self.take(fill)

    def take(self, fill: FillEvent) -> None:
        """Count a fill that was not known before."""
        key = fill.venue, fill.ticker
        if not self._counts(fill):
            return
        if key in self._unpriced:
            self._unpriced[key].append(fill)
            return
        self._results.traded(key, fill.amount, fill.price)
        if fill.fee is not None:
            self._charge(fill, fill.fee)
            return
        self._without_fee[trade_key(fill)] = None
        if len(self._without_fee) > WITHOUT_FEE:
            del self._without_fee[next(iter(self._without_fee))]

    def refresh(self) -> list[FillEvent]:
        """Look at what comes without a fill: prices, fees told later, funding. Returns the fills that got a fee."""
        self._open()
        charged = []
        for key in list(self._without_fee):
            fill = self._oms.fills.peek(*key)
            if fill is not None and fill.fee is not None:
                self._charge(fill, fill.fee)
                charged.append(fill)
                del self._without_fee[key]
        if not self._paper:
            self._fund()
        return charged

    def _fund(self) -> None:
        now = self._oms.clock.now_ns()
        for position in self._oms.positions.get_all():
            mark = self._oms.feed.mark(position.venue, position.ticker)
            if mark is not None:
                self._results.marked(mark, position.amount, now)

    def earned(self, key: Key) -> Earned:
        """A contract's result."""
        return self._results.earned(key)

    @property
    def keys(self) -> list[Key]:
        """The contracts that have a result."""
        return list(self._results.keys)

    def _counts(self, fill: FillEvent) -> bool:
        return not fill.snapshot or fill.ts_venue_ns > self._oms.known_until_ns

    def _charge(self, fill: FillEvent, fee: Decimal) -> None:
        contract = self._oms.contracts.get(fill.venue, {}).get(fill.ticker)
        quote = fill.fee_asset if contract is None else contract.quote
        self._results.charged((fill.venue, fill.ticker), fee, fill.fee_asset, quote)

    def _open(self) -> None:
        for key in list(self._unpriced):
            position = self._oms.positions.peek(*key)
            price = position.entry_price if position is not None and position.entry_price else self._oms.feed.mid(*key)
            if price is None:
                continue
            self._results.open(key, self._openings.pop(key), price)
            for fill in self._unpriced.pop(key):
                self.take(fill)
