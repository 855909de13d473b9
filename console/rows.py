"""From the engine's pages to the rows of the link. Pure: what is read here is only read."""

from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from console.commands import LegSpec
from console.legs import render_leg
from console.link import (
    BookRow,
    ClaimRow,
    ContractRow,
    DeltaRow,
    ExposureRow,
    FillRow,
    HandlerRow,
    HedgeRow,
    LadderRow,
    LogLine,
    MoneyRow,
    OrderRow,
    PositionRow,
    TradeRow,
    VenueRow,
)
from gateways.contracts import tick_at
from gateways.standards import ZERO, BalanceUpdate, Contract, FillEvent, PositionUpdate, TradeEvent
from oms.deltas import HedgeDelta, RequestDelta, Subscription
from oms.fills import trade_key
from oms.health import VenueHealth
from oms.hedge.book import BookView, ClaimView, LegView
from oms.hedge.policy import Leg
from oms.mirrors import Mirrors
from oms.orders import Order, OrderDelta
from oms.pnl import Earned, unrealised

LADDER_DEPTH = 50


class Mark(NamedTuple):
    """A price to value a position at, and where it is from: ``mark`` or ``mid``."""

    price: Decimal
    source: str
    ts_ns: int


def legs_text(legs: Iterable[Leg]) -> str:
    """Hedge legs in the grammar's words, as they end the line of their order."""
    return " ".join(f"hedge {render_leg(LegSpec.of(leg))}" for leg in legs)


def order_row(
    order: Order, legs: Iterable[Leg], claims: Iterable[ClaimView] = (), slippage_bps: Decimal | None = None
) -> OrderRow:
    """One order of the page; ``claims`` and ``slippage_bps`` of a hedge order."""
    flags = " ".join(word for word, on in (("post", order.post_only), ("reduce", order.reduce_only)) if on)
    reason = order.text or (order.reason.value if order.reason else "")
    return OrderRow(
        key=order.key, cloid=order.cloid or "", venue=order.venue, ticker=order.ticker, role=order.role.value,
        status=order.status.value, amount=order.amount, filled=order.filled, price=order.price,
        average_price=order.average_price, tif=order.tif.value, flags=flags, legs=legs_text(legs), reason=reason,
        terminal=order.status.terminal, ts_created_ns=order.ts_created_ns, ts_changed_ns=order.ts_recv_ns,
        claims=tuple(
            ClaimRow(maker=claim.maker, leg=claim.leg, quantity=claim.quantity, filled=claim.filled)
            for claim in claims
        ),
        slippage_bps=slippage_bps,
    )  # fmt: skip


def delta_row(delta: OrderDelta) -> DeltaRow:
    """One line of the order deltas."""
    after = delta.after
    return DeltaRow(
        ts_ns=delta.ts_recv_ns, cloid=after.key, venue=after.venue, ticker=after.ticker, role=after.role.value,
        label=delta.label, before=delta.before.status.value if delta.before else "", after=after.status.value,
        last_fill=delta.last_fill, filled=after.filled, amount=after.amount, price=delta.last_price or after.price,
    )  # fmt: skip


def hedge_row(view: LegView, maker: Order | None, ts_changed_ns: int, slippage_bps: Decimal | None = None) -> HedgeRow:
    """One maker's leg."""
    return HedgeRow(
        key=f"{view.maker}/{view.index}", maker=view.maker, maker_venue=view.maker_venue,
        maker_ticker=view.maker_ticker, maker_status=maker.status.value if maker else "",
        maker_filled=view.maker_filled, maker_average=view.maker_average, venue=view.venue, ticker=view.ticker,
        ratio=view.ratio, policy=view.policy, target=view.target, hedged=view.hedged, in_flight=view.in_flight,
        unknown=view.unknown, waiting=view.waiting, netted=view.netted, hedge_average=view.hedge_average,
        basis_bps=view.basis_bps, state=view.state, ts_changed_ns=ts_changed_ns, leg=view.index,
        forfeited=view.forfeited, slippage_bps=slippage_bps, waits=view.waits, release=view.release,
        ts_unhedged_ns=view.ts_unhedged_ns,
    )  # fmt: skip


def book_row(view: BookView, smallest: Decimal = ZERO) -> BookRow:
    """One hedge book; ``smallest``: the least order that its venue takes now."""
    notional = None if view.price is None else view.balance * view.price
    return BookRow(
        key=f"{view.venue}:{view.ticker}", venue=view.venue, ticker=view.ticker, target=view.target,
        hedged=view.hedged, in_flight=view.in_flight, unknown=view.unknown, balance=view.balance,
        forfeited=view.forfeited, notional=notional, waits=view.waits, release=view.release, state=view.state,
        ts_waiting_ns=view.ts_waiting_ns, blocked=view.blocked, smallest=abs(smallest),
    )  # fmt: skip


def position_row(
    position: PositionUpdate, contract: Contract | None, mark: Mark | None, earned: Earned, ts_ns: int
) -> PositionRow:
    """One position, valued at ``mark``, with what its contract earned."""
    entry = position.entry_price or earned.average
    price = None if mark is None else mark.price
    gain = unrealised(position.amount, entry, price)
    return PositionRow(
        key=f"{position.venue}:{position.ticker}", venue=position.venue, ticker=position.ticker,
        base=contract.base if contract else position.ticker, amount=position.amount,
        entry_price=entry, mark=price, notional=None if price is None else price * position.amount,
        unrealised=position.unrealised if gain is None else gain, ts_ns=ts_ns,
        mark_source=mark.source if mark else "", ts_mark_ns=mark.ts_ns if mark else 0, realised=earned.realised,
        fees=earned.fees, other_fees=" ".join(f"{fee:f} {asset}" for asset, fee in earned.other_fees),
        funding=earned.funding,
    )  # fmt: skip


def exposure_rows(positions: Iterable[PositionRow]) -> list[ExposureRow]:
    """Net position and result by base asset, from the position rows."""
    bases: dict[str, list[PositionRow]] = {}
    for row in positions:
        bases.setdefault(row.base, []).append(row)
    rows = []
    for base, held in sorted(bases.items()):
        net = sum((row.amount for row in held), ZERO)
        mark = next((row.mark for row in held if row.mark is not None), None)
        rows.append(
            ExposureRow(
                key=base, base=base, long=sum((row.amount for row in held if row.amount > 0), ZERO),
                short=sum((row.amount for row in held if row.amount < 0), ZERO), net=net,
                notional=None if mark is None else net * mark, unrealised=total(row.unrealised for row in held),
                realised=total(row.realised for row in held), fees=total(row.fees for row in held),
                funding=total(row.funding for row in held),
            )
        )  # fmt: skip
    return rows


def total(values: Iterable[Decimal | None]) -> Decimal | None:
    """The sum; None where one of the values is not known."""
    known = list(values)
    return None if None in known else sum((value for value in known if value is not None), ZERO)


def money_row(balance: BalanceUpdate, unrealised: Decimal | None, *, lags: bool) -> MoneyRow:
    """One balance of money; ``unrealised`` of the positions quoted in it; ``lags``: see ``MoneyRow``."""
    return MoneyRow(
        key=f"{balance.venue}:{balance.asset}", venue=balance.venue, asset=balance.asset, total=balance.total,
        available=balance.available, available_lags=lags, unrealised=unrealised, ts_ns=balance.ts_venue_ns,
    )  # fmt: skip


def trade_row(trade: TradeEvent) -> TradeRow:
    """One public trade."""
    return TradeRow(
        ts_ns=trade.ts_venue_ns, venue=trade.venue, ticker=trade.ticker, amount=trade.amount, price=trade.price,
        trade_id=trade.trade_id,
    )  # fmt: skip


def fill_row(fill: FillEvent, order: Order | None) -> FillRow:
    """One execution of ours; ``order`` is what it belongs to, if that is known."""
    liquidity = "" if fill.is_maker is None else "maker" if fill.is_maker else "taker"
    return FillRow(
        key=" ".join(trade_key(fill)), ts_ns=fill.ts_venue_ns, venue=fill.venue, ticker=fill.ticker,
        cloid=order.key if order else fill.cloid or "", role=order.role.value if order else "", amount=fill.amount,
        price=fill.price, fee=fill.fee, fee_asset=fill.fee_asset, liquidity=liquidity, trade_id=fill.trade_id,
        oid=fill.oid,
    )  # fmt: skip


def venue_row(health: VenueHealth, budget: str, *, watched: bool) -> VenueRow:
    """The health of one venue; ``budget``: what is used of its limits, ``watched``: whether its books are asked for."""
    return VenueRow(
        key=health.venue, venue=health.venue, public=health.public, private=health.private, trade=health.trade,
        rest=health.rest, ts_private_ns=health.ts_private_ns, ts_public_ns=health.ts_public_ns,
        reconnects=health.reconnects, round_trip_p50_us=_microseconds(health.round_trip.p50_ns),
        round_trip_p99_us=_microseconds(health.round_trip.p99_ns), hedge_p50_us=_microseconds(health.hedge.p50_ns),
        hedge_p99_us=_microseconds(health.hedge.p99_ns), budget=budget, dropped=health.dropped, note=health.note,
        clock_offset_ns=health.clock_offset_ns, guarded_until_ns=health.guarded_until_ns, requests=health.requests,
        failures=health.failures, public_idle=not (watched or health.public),
    )  # fmt: skip


def handler_row(place: int, handler: Subscription) -> HandlerRow:
    """One handler of the engine's deltas, the ``place``-th registered."""
    return HandlerRow(
        key=f"{place} {handler.name}", name=handler.name, lag=handler.lag, coalesced=handler.coalesced,
        failures=handler.failures, last_error=handler.last_error.strip().rpartition("\n")[2],
    )  # fmt: skip


def _microseconds(nanoseconds: int | None) -> int | None:
    return None if nanoseconds is None else nanoseconds // 1000


def ladder_row(desk: Mirrors, contract: Contract, own: dict[Decimal, Decimal]) -> LadderRow | None:
    """The book of one contract; None until there is one."""
    book = desk.feed.book(contract.venue, contract.ticker)
    if book is None:
        return None
    bids, asks = book.bids(LADDER_DEPTH), book.asks(LADDER_DEPTH)
    trade = desk.feed.last_trade(contract.venue, contract.ticker)
    best = bids[0].price if bids else asks[0].price if asks else None
    return LadderRow(
        key=f"{contract.venue}:{contract.ticker}", venue=contract.venue, ticker=contract.ticker,
        tick=contract.tick_size if best is None else tick_at(contract, best), lot=contract.lot_size,
        bids=tuple((level.price, level.quantity) for level in bids),
        asks=tuple((level.price, level.quantity) for level in asks),
        own=tuple(sorted(own.items())), last_price=trade.price if trade else None,
        last_amount=trade.amount if trade else None, ts_ns=desk.feed.ts_recv_ns(contract.venue, contract.ticker),
        stale=not book.in_sequence,
    )  # fmt: skip


def contract_row(desk: Mirrors, contract: Contract) -> ContractRow:
    """What a form needs to know of a contract, with its best prices where it is watched."""
    quote = desk.feed.quote(contract.venue, contract.ticker)
    tick = tick_at(contract, quote.bid.price) if quote and quote.bid else contract.tick_size
    return ContractRow(
        key=f"{contract.venue}:{contract.ticker}", venue=contract.venue, ticker=contract.ticker, base=contract.base,
        quote=contract.quote, tick=tick, lot=contract.lot_size, min_quantity=contract.min_quantity,
        min_notional=contract.min_notional, bid=quote.bid.price if quote and quote.bid else None,
        ask=quote.ask.price if quote and quote.ask else None, trading=contract.trading,
    )  # fmt: skip


def hedge_line(delta: HedgeDelta) -> LogLine:
    """What the hedge engine did, for the log."""
    kind = "event" if delta.severity == "info" else "alert"
    return LogLine(ts_ns=delta.ts_ns, kind=kind, severity=delta.severity, venue=delta.venue, text=delta.text,
                   event=delta.event)  # fmt: skip


def request_lines(delta: RequestDelta) -> list[LogLine]:
    """What was really sent to a venue and what it answered."""
    severity = "info" if delta.ok else "warning"
    took = f"{delta.took_ns // 1_000_000}.{delta.took_ns // 100_000 % 10} ms"
    return [
        LogLine(
            ts_ns=delta.ts_ns - delta.took_ns,
            kind="sent",
            severity="info",
            venue=delta.venue,
            text=f"{delta.verb} {delta.sent}",
        ),
        LogLine(ts_ns=delta.ts_ns, kind="answer", severity=severity, venue=delta.venue, text=f"{took} {delta.answer}"),
    ]
