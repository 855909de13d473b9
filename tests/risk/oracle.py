"""The oracle: hard limits judged by the paper exchanges' own orders and positions, after all that happens there.

It knows nothing of what the desk believes. What is exempt by design (docs/limits.md) it does not count: hedges where
orders are counted, and orders that only reduce where turnover is.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import chain

from gateways.paper.exchange import PaperExchange
from gateways.paper.records import Happening, OrderChanged, PaperOrder
from gateways.standards import ZERO, TimeInForce
from oms.cloid import CloidKind, parse
from oms.limits import Limit, Limits

BPS = Decimal(10_000)
JITTER_NS = 4_000_000
"""By how much two messages may come closer together on their way: what left over a second apart arrives within one."""
OURS = {CloidKind.MAKER, CloidKind.MANUAL}


class Oracle:
    """Looks at the exchanges whenever something happens; ``broken`` says each limit that was exceeded.

    ``prices`` are the latent ones by base asset; ``swing`` is how far, as a part of them, the books' prices may be off.
    """

    def __init__(
        self, exchanges: Mapping[str, PaperExchange], accounts: Mapping[str, str], limits: Limits, *,
        prices: Mapping[str, Decimal], swing: Decimal,
    ) -> None:  # fmt: skip
        self.broken: list[str] = []
        self.orders = self.fills = self.hedges = 0
        self._exchanges = exchanges
        self._accounts = accounts
        self._limits = limits
        self._prices = prices
        self._slack = 1 + swing
        self._arrived: dict[str, list[int]] = defaultdict(list)
        self._seen: dict[tuple[str, int], int] = {}
        self._like: dict[tuple[object, ...], int] = {}
        self._turnover: dict[str, Decimal] = defaultdict(lambda: ZERO)

    def happened(self, venue: str, happenings: Sequence[Happening]) -> None:
        """Take what happened on a venue's exchange and look at all that is there now."""
        ours = [
            each
            for each in happenings
            if isinstance(each, OrderChanged) and each.order.account == self._accounts[venue]
        ]
        for changed in ours:
            self._changed(venue, changed)
        if ours:
            self._look()

    # ------------------------------------------------------------- one order

    def _changed(self, venue: str, changed: OrderChanged) -> None:
        order = changed.order
        cloid = parse(order.client_id)
        kind = None if cloid is None else cloid.kind
        if changed.fill is not None:
            self.fills += 1
            if not order.reduce_only:
                self._turnover[venue] += changed.fill.quantity * changed.fill.price
            if kind in OURS:
                limit = self._limits.of(venue, order.ticker).order_notional
                self._hold(limit, order.quote_filled / self._slack, f"what order {order.order_id} on {venue} traded")
        if kind is CloidKind.HEDGE:
            self.hedges += changed.event == "NEW"
        if kind in OURS and changed.event in {"NEW", "AMENDED"}:
            self._arrived_now(venue, order, fresh=changed.event == "NEW")

    def _arrived_now(self, venue: str, order: PaperOrder, *, fresh: bool) -> None:
        self.orders += 1
        own = self._limits.of(venue, order.ticker)
        name = f"{venue}:{order.ticker} order {order.order_id}"
        self._hold(own.order_quantity, order.quantity, f"quantity of {name}")
        if order.price is not None:
            if order.tif is TimeInForce.GTC:  # what does not rest is judged by what it took
                self._hold(own.order_notional, order.quantity * order.price, f"notional of {name}")
            price = self._price(venue, order.ticker)
            worse = (order.price - price) if order.is_buy else (price - order.price)
            allowed = own.collar_mid_bps and own.collar_mid_bps.hard
            if allowed is not None and worse / price * BPS > allowed + (self._slack - 1) * BPS:
                self.broken.append(f"{name} at {order.price} is too far from {price}")
        now = order.ts_changed_ns
        self._arrived[venue].append(now)
        self._rate(self._limits.venue(venue).orders_per_second, self._arrived[venue], venue)
        self._rate(self._limits.desk.orders_per_second, sorted(chain(*self._arrived.values())), "all venues")
        if fresh and order.filled == 0:
            like = (venue, order.ticker, order.is_buy, order.quantity, order.price)
            window = own.duplicate_s and own.duplicate_s.hard
            before = self._like.get(like)
            if window is not None and before is not None and now - before < window * 1_000_000_000 - JITTER_NS:
                self.broken.append(f"{name} came twice within {now - before} ns")
            self._like[like] = now

    def _rate(self, limit: Limit | None, arrived: list[int], where: str) -> None:
        if limit is not None and limit.hard is not None and arrived:
            recent = [ts for ts in arrived if arrived[-1] - ts < 1_000_000_000 - JITTER_NS]
            self._hold(limit, Decimal(len(recent)), f"orders within a second on {where}")

    # ----------------------------------------------------- the whole of it all

    def _look(self) -> None:
        limits = self._limits
        nets: dict[str, list[Decimal]] = defaultdict(lambda: [ZERO, ZERO])
        values: dict[str, Decimal] = defaultdict(lambda: ZERO)
        counts: dict[str, int] = defaultdict(int)
        for venue, exchange in self._exchanges.items():
            for ticker, contract in exchange.contracts.items():
                open_orders = exchange.open_orders(self._accounts[venue], ticker)
                held = exchange.position(self._accounts[venue], ticker).amount
                resting = [order for order in open_orders if not order.reduce_only]
                high = held + sum((order.remaining for order in resting if order.is_buy), ZERO)
                low = held - sum((order.remaining for order in resting if not order.is_buy), ZERO)
                reach = max(high, -low, ZERO)
                name, price = f"{venue}:{ticker}", self._price(venue, ticker)
                own = limits.of(venue, ticker)
                self._hold(own.position_quantity, reach, f"position of {name} with what works there")
                self._hold(own.position_notional, reach * price / self._slack, f"notional of {name}")
                ours = [order for order in open_orders if _is_ours(order)]
                self._hold(own.open_orders, Decimal(len(ours)), f"open orders on {name}")
                counts[venue] += len(ours)
                values[venue] += reach * price / self._slack
                nets[contract.base][0] += low
                nets[contract.base][1] += high
            self._hold(limits.venue(venue).open_orders, Decimal(counts[venue]), f"open orders on {venue}")
            self._hold(limits.venue(venue).position_notional, values[venue], f"positions on {venue}")
            turnover = self._turnover[venue] / self._slack
            self._hold(limits.venue(venue).daily_turnover, turnover, f"turnover on {venue}")
        self._hold(limits.desk.open_orders, Decimal(sum(counts.values())), "open orders on all venues")
        self._hold(limits.desk.position_notional, sum(values.values(), ZERO), "positions on all venues")
        self._hold(limits.desk.daily_turnover, sum(self._turnover.values(), ZERO) / self._slack, "turnover")
        for base, (low, high) in nets.items():
            self._hold(limits.net(base).net_quantity, max(high, -low, ZERO), f"net {base} with what works")

    def _price(self, venue: str, ticker: str) -> Decimal:
        return self._prices[self._exchanges[venue].contracts[ticker].base]

    def _hold(self, limit: Limit | None, value: Decimal, what: str) -> None:
        if limit is not None and limit.hard is not None and value > limit.hard:
            self.broken.append(f"{what} is {value}, over {limit.hard}")


def _is_ours(order: PaperOrder) -> bool:
    cloid = parse(order.client_id)
    return cloid is not None and cloid.kind in OURS
