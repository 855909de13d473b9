"""The paper venues' own requests, under ``/paper/``: switch faults, act on the market, and ask what is true.

No real venue has them. They are not signed: a paper venue listens on loopback only.

=======  ================  =====================================================================================
POST     /paper/faults     a ``fault_plan.Rule`` as JSON: ``{"fault": "push_lost", "count": 2}``
DELETE   /paper/faults     switch all of them off
GET      /paper/faults     ``{"counts": {fault: times}, "active": [rules]}``
POST     /paper/act        an ``Act`` as JSON: ``{"act": "fill", "client_id": ..., "quantity": "0.3", ...}``
GET      /paper/books      ``?account=``: the venue's own fills by client id, open orders and positions
=======  ================  =====================================================================================
"""

from decimal import Decimal
from typing import Literal
from urllib.parse import parse_qs

import msgspec

from gateways.paper.exchange import PaperExchange
from gateways.paper.faults import FaultyFront, Rule
from gateways.paper.front import HttpReply
from gateways.paper.records import PaperFill, Refused
from gateways.standards import ZERO

PREFIX = "/paper/"

_encode = msgspec.json.Encoder(decimal_format="string").encode


class Act(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One act on the exchange; see ``gateways.paper.acts``. ``account`` empty is the user's."""

    act: Literal["fill", "aggress", "thin", "force", "correct", "halt", "resume"]
    ticker: str
    account: str = ""
    client_id: str = ""
    """Of ``fill``: as the desk writes it, 32 hex characters."""
    side: Literal["buy", "sell"] = "buy"
    """Of ``aggress``: what the aggressor does. Of ``thin``: whose quotes are taken away."""
    quantity: Decimal = ZERO
    price: Decimal | None = None
    kind: str = "liquidation"
    trade_id: int = 0
    """Of ``correct``: which trade becomes one of ``quantity``."""


class Filled(msgspec.Struct, frozen=True, kw_only=True):
    """What one order has filled: signed, with the trade ids that made it."""

    ticker: str
    filled: Decimal
    trades: list[int]


class Truth(msgspec.Struct, frozen=True, kw_only=True):
    """What an account has done by the venue's own records. Client ids as the desk writes them, amounts signed."""

    fills: dict[str, Filled]
    open: dict[str, Decimal]
    """What is left of the open orders, unsigned, by client id."""
    prices: dict[str, Decimal]
    """The limit prices of the open orders, by client id."""
    placed: dict[str, int]
    """How many orders ever bore a client id."""
    positions: dict[str, Decimal]


def truth_of(exchange: PaperExchange, account: str) -> Truth:
    """The account's records."""
    fills: dict[str, list[PaperFill]] = {}
    for fill in exchange.fills(account):
        fills.setdefault(_plain(fill.client_id), []).append(fill)
    placed: dict[str, int] = {}
    for order in exchange.orders(account):
        placed[_plain(order.client_id)] = placed.get(_plain(order.client_id), 0) + 1
    resting = exchange.open_orders(account)
    return Truth(
        fills={
            client_id: Filled(
                ticker=some[0].ticker,
                filled=sum((one.quantity if one.is_buy else -one.quantity for one in some), ZERO),
                trades=[one.trade_id for one in some],
            )
            for client_id, some in fills.items()
        },
        open={_plain(order.client_id): order.remaining for order in resting},
        prices={_plain(order.client_id): order.price for order in resting if order.price is not None},
        placed=placed,
        positions={position.ticker: position.amount for position in exchange.positions(account)},
    )


class Control:
    """Answers the requests under ``/paper/`` of one venue."""

    def __init__(self, front: FaultyFront, exchange: PaperExchange) -> None:
        self._front = front
        self._exchange = exchange

    def answer(self, method: str, path: str, query: str, body: bytes) -> HttpReply:
        """Answer a request; 400 with a sentence for what cannot be read, 409 for what the exchange refuses."""
        try:
            match method, path.removeprefix(PREFIX):
                case "POST", "faults":
                    self._front.faults.switch(msgspec.json.decode(body, type=Rule))
                case "DELETE", "faults":
                    self._front.faults.clear()
                case "GET", "faults":
                    faults = self._front.faults
                    counts = {fault.value: times for fault, times in faults.counts.items()}
                    return HttpReply(body=_encode({"counts": counts, "active": faults.rules}))
                case "POST", "act":
                    self._do(msgspec.json.decode(body, type=Act))
                case "GET", "books":
                    account = parse_qs(query).get("account", [self._exchange.users[0]])[0]
                    return HttpReply(body=_encode(truth_of(self._exchange, account)))
                case _:
                    return _error(404, f"{method} {path} is not offered")
        except msgspec.DecodeError as error:
            return _error(400, str(error))
        except Refused as refused:
            return _error(409, refused.text)
        except KeyError as error:
            return _error(404, f"there is no {error}")
        return HttpReply(body=b'{"ok":true}')

    def _do(self, act: Act) -> None:
        account = act.account or self._exchange.users[0]
        is_buy = act.side == "buy"
        match act.act:
            case "fill":
                client_id = f"0x{act.client_id}" if self._exchange.name == "hyperliquid" else act.client_id
                self._front.acts.fill(account, act.ticker, client_id, act.quantity)
            case "aggress":
                self._front.acts.aggress(act.ticker, act.quantity, is_buy=is_buy, price=act.price)
            case "thin":
                self._front.acts.thin(act.ticker, act.quantity, is_buy=is_buy)
            case "force":
                self._front.acts.force(account, act.ticker, act.quantity, act.kind)
            case "correct":
                self._front.acts.correct(account, act.trade_id, act.quantity)
            case "halt":
                self._exchange.halt(act.ticker)
            case "resume":
                self._exchange.resume(act.ticker)


def _plain(client_id: str | None) -> str:
    return (client_id or "").removeprefix("0x")


def _error(status: int, text: str) -> HttpReply:
    return HttpReply(status=status, body=_encode({"error": text}))
