"""What the desk's log says: one line for each command, request, order's change, fill and hedge, with the ids in it.

The ids lead from an act of the operator to its requests (``act``), from those to the order (``cloid``, ``oid``), to its
fills (``trade_id``) and to the hedges that answer them (``makers``). docs/logs.md follows one through.
"""

import asyncio
import itertools
import logging
import re
from typing import Any

from console.config.messages import without_secrets
from console.link import Reply
from console.logs import LOG
from oms import cloid
from oms.balances import BalanceDelta
from oms.deltas import Delta, FillDelta, HealthDelta, HedgeDelta, RequestDelta
from oms.orders import OrderDelta
from oms.positions import PositionDelta
from oms.system import OMS

LINES_A_TURN = 32
"""How many lines are logged in one turn of the engine's loop."""

_IDS = re.compile(r"[0-9a-f]{32}")
_LEVELS = {"info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
_acts = itertools.count(1)


def log(event: str, level: int = logging.INFO, **fields: object) -> None:
    """Log a line of these fields; those without a value are left out."""
    LOG.log(level, event, extra={"fields": fields})


def next_act(oms: OMS) -> str:
    """The id of a new act of the operator: the session and a number in it."""
    return f"{oms.cloids.session_ms:012x}-{next(_acts)}"


def log_command(act: str, line: str) -> None:
    """Log a command as it begins, in the grammar's words."""
    log("command", act=act, line=line)


def log_reply(act: str, reply: Reply) -> None:
    """Log what became of it."""
    level = logging.INFO if reply.ok else logging.WARNING
    log("reply", level, act=act, ok=reply.ok, cloid=reply.cloid, text=reply.text, error=reply.error)


def log_unread(line: str, reply: Reply) -> None:
    """Log a line that is no command. It may be anything, a key too: long runs of letters and digits are masked."""
    log("command not understood", logging.WARNING, line=without_secrets(line), error=without_secrets(reply.error))


def follow(oms: OMS) -> None:
    """Log what happens on ``oms`` from now on, where anything is logged. The engine never waits for it."""
    if not LOG.isEnabledFor(logging.ERROR) or not LOG.hasHandlers():
        return
    kinds = (OrderDelta, FillDelta, HedgeDelta, HealthDelta, RequestDelta, PositionDelta, BalanceDelta)

    turns = itertools.cycle(range(LINES_A_TURN))

    async def on_delta(delta: Delta) -> None:
        event, level, fields = record_of(oms, delta)
        if LOG.isEnabledFor(level):
            log(event, level, **fields)
            if next(turns) == 0:
                await asyncio.sleep(0)  # after a burst there are many lines: others get their turn between them

    oms.register(on_delta, kinds=kinds, name="log")
    log("session", session=f"{oms.cloids.session_ms:012x}", desk=oms.cloids.desk, venues=list(oms.gateway.venues))


def record_of(oms: OMS, delta: Delta) -> tuple[str, int, dict[str, Any]]:
    """A delta as the log has it: its event, its level, its fields."""
    match delta:
        case OrderDelta(after=order):
            return "order", logging.INFO, {
                "venue": order.venue, "ticker": order.ticker, "cloid": order.key, "oid": order.oid,
                "role": order.role.value, "status": order.status.value, "label": delta.label, "amount": order.amount,
                "filled": order.filled, "last_fill": delta.last_fill or None, "price": order.price,
                "makers": makers_of(oms, order.key), "text": order.text,
            }  # fmt: skip
        case FillDelta(fill=fill):
            return "fill", logging.INFO, {
                "venue": fill.venue, "ticker": fill.ticker, "cloid": fill.cloid, "oid": fill.oid,
                "trade_id": fill.trade_id, "amount": fill.amount, "price": fill.price, "fee": fill.fee,
                "fee_asset": fill.fee_asset, "makers": makers_of(oms, fill.cloid or ""),
            }  # fmt: skip
        case HedgeDelta():
            return delta.event, _LEVELS.get(delta.severity, logging.ERROR), {
                "venue": delta.venue, "ticker": delta.ticker, "cloid": delta.cloid,
                "makers": makers_of(oms, delta.cloid), "text": delta.text,
            }  # fmt: skip
        case HealthDelta(venue=venue, state=state):
            return "channel", logging.INFO if state.connected else logging.WARNING, {
                "venue": venue, "channel": state.channel.value, "up": state.connected, "text": state.note,
            }  # fmt: skip
        case RequestDelta():
            ids = [found for found in dict.fromkeys(_IDS.findall(delta.sent)) if cloid.parse(found) is not None]
            level = logging.WARNING if not delta.ok else logging.INFO if ids or delta.act else logging.DEBUG
            return "request", level, {
                "venue": delta.venue, "act": delta.act, "verb": delta.verb, "cloids": ids, "ok": delta.ok,
                "took_us": delta.took_ns // 1_000, "sent": delta.sent, "answer": delta.answer,
            }  # fmt: skip
        case PositionDelta(after=position):
            return "position", logging.DEBUG, {
                "venue": position.venue, "ticker": position.ticker, "amount": position.amount,
            }  # fmt: skip
        case BalanceDelta(after=money):
            return "balance", logging.DEBUG, {"venue": money.venue, "asset": money.asset, "total": money.total}


def makers_of(oms: OMS, key: str) -> list[str]:
    """The makers that a hedge order answers, none for any other order."""
    child = oms.kernel.children.get(key)
    return list(dict.fromkeys(claim.maker for claim in child.claims)) if child else []
