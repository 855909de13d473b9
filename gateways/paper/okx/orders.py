"""OKX v5's order verbs on a paper exchange: the same for REST and for the websocket.

A request holds one item or, of a batch, up to twenty; each is answered for itself. Sources: the venue's pages Place
order, Place multiple orders, Amend order, Cancel order, Close positions, Cancel All After, and "Error Code".
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from decimal import Decimal

from gateways.contracts import is_multiple
from gateways.paper.exchange import PaperExchange
from gateways.paper.okx import errors, limits, numbers
from gateways.paper.okx.contract_info import largest_size
from gateways.paper.okx.errors import OkxError
from gateways.paper.okx.limits import RateMeter
from gateways.paper.okx.records import ORDER_TYPE, TAG
from gateways.paper.okx.requests import Json, Params
from gateways.paper.okx.tallies import BY_SWITCH, Tallies
from gateways.paper.records import NewOrder, PaperOrder, Refused
from gateways.standards import Contract, RejectReason, TimeInForce

LARGEST_BATCH = 20
SWITCH_S = (10, 120)
"""Shortest and longest time of the dead man's switch, in seconds."""

PLACED = "Order successfully placed."

_CLIENT_ID = re.compile(r"[0-9A-Za-z]{1,32}", re.ASCII)
_TAG = re.compile(r"[0-9A-Za-z]{1,16}", re.ASCII)
_TIMES_IN_FORCE = {"ioc": TimeInForce.IOC, "fok": TimeInForce.FOK}
_MARKET = frozenset({"market", "optimal_limit_ioc"})
_TYPES = ("limit", "market", "post_only", "fok", "ioc", "optimal_limit_ioc")

Named = Callable[[Params], Contract]
"""How an item names its contract: by ``instId`` (REST) or by ``instIdCode`` (websocket)."""


class OrderDesk:
    """Takes the order requests of all accounts. Every verb raises OkxError where it refuses the whole request.

    ``amends`` holds the ``reqId`` of each amend that was carried out and not told of yet, by order;
    ``unchanged`` the amends that changed nothing, which the exchange says nothing of.
    """

    def __init__(self, exchange: PaperExchange, tallies: Tallies, meter: RateMeter, now_ns: Callable[[], int]) -> None:
        self._exchange = exchange
        self._tallies = tallies
        self._meter = meter
        self._now_ns = now_ns
        self._switches: dict[tuple[str, str], int] = {}
        self.amends: dict[int, str] = {}
        self.unchanged: list[tuple[PaperOrder, str]] = []

    def by_id(self, item: Params) -> Contract:
        """The contract that an item names by ``instId``."""
        return item.contract(self._exchange.contracts)

    def by_code(self, item: Params) -> Contract:
        """The contract that an item names by ``instIdCode``."""
        return item.contract_by_code(self._exchange.contracts)

    # ------------------------------------------------------------------ verbs

    def place(self, items: Sequence[Params], account: str, named: Named, *, batch: bool = False) -> list[Json]:
        """``trade/order``, ``trade/batch-orders``; the ops ``order`` and ``batch-orders``."""
        self._spend(limits.PLACE_BATCH if batch else limits.PLACE, items, account, named, batch=batch)
        self._meter.spend_order(account, len(items))
        return [self._receipt(self._place, item, account, named) for item in items]

    def amend(self, items: Sequence[Params], account: str, named: Named, *, batch: bool = False) -> list[Json]:
        """``trade/amend-order``, ``trade/amend-batch-orders``; the ops ``amend-order`` and ``batch-amend-orders``."""
        self._spend(limits.AMEND_BATCH if batch else limits.AMEND, items, account, named, batch=batch)
        self._meter.spend_order(account, len(items))
        return [self._receipt(self._amend, item, account, named) for item in items]

    def cancel(self, items: Sequence[Params], account: str, named: Named, *, batch: bool = False) -> list[Json]:
        """``trade/cancel-order``, ``trade/cancel-batch-orders``; the ops ``cancel-order``, ``batch-cancel-orders``."""
        self._spend(limits.CANCEL_BATCH if batch else limits.CANCEL, items, account, named, batch=batch)
        return [self._receipt(self._cancel, item, account, named) for item in items]

    def close_position(self, params: Params, account: str) -> list[Json]:
        """``trade/close-position``: the whole position at the market."""
        contract = self.by_id(params)
        params.choice("mgnMode", ("cross",))
        amount = self._exchange.position(account, contract.ticker).amount
        if not amount:
            raise OkxError("51023", "Position doesn't exist.")
        client_id = self._client_id(params)
        new = NewOrder(
            ticker=contract.ticker,
            client_id=client_id,
            is_buy=amount < 0,
            quantity=abs(amount),
            reduce_only=True,
            extra={ORDER_TYPE: "market", TAG: params.optional("tag") or ""},
        )
        try:
            self._exchange.submit(account, new)
        except Refused as refused:
            raise errors.of_refused(refused) from None
        return [
            {
                "instId": contract.ticker,
                "posSide": "net",
                "clOrdId": client_id or "",
                "tag": params.optional("tag") or "",
            }
        ]

    def switch(self, params: Params, account: str) -> list[Json]:
        """``trade/cancel-all-after``: cancel all orders (of one ``tag``) after ``timeOut`` seconds; 0 stops it."""
        self._meter.spend("cancel-all-after", account)
        params.text("timeOut")
        seconds = params.integer("timeOut") or 0
        shortest, longest = SWITCH_S
        if seconds and not shortest <= seconds <= longest:
            raise errors.wrong("timeOut")
        tag, now = params.optional("tag") or "", self._now_ns()
        self._switches.pop((account, tag), None)
        due = 0
        if seconds:
            due = self._switches[account, tag] = now + seconds * limits.SECOND_NS
        return [
            {
                "triggerTime": numbers.milliseconds(due) if due else "0",
                "tag": tag,
                "ts": numbers.milliseconds(now),
            }
        ]

    def tick(self) -> None:
        """Carry out the switches whose time is over."""
        now = self._now_ns()
        for account, tag in [key for key, due in self._switches.items() if due <= now]:
            del self._switches[account, tag]
            for order in self._exchange.open_orders(account):
                if not tag or order.extra.get(TAG) == tag:
                    self._tallies.order(order.order_id).cancel_source = BY_SWITCH
                    self._exchange.cancel(account, order.ticker, order_id=order.order_id)

    def find(self, params: Params, account: str, contract: Contract, absent: Callable[[], OkxError]) -> PaperOrder:
        """The order that ``ordId`` (it wins) or ``clOrdId`` names, open or closed. Raises what ``absent`` makes."""
        order_id, client_id = params.optional("ordId"), params.optional("clOrdId")
        if order_id is None and client_id is None:
            raise errors.unnamed_order()
        found: PaperOrder | None = None
        if order_id is None:
            found = self._exchange.order(account, contract.ticker, client_id=client_id)
        elif order_id.isascii() and order_id.isdecimal():
            found = self._exchange.order(account, contract.ticker, order_id=int(order_id))
        if found is None:
            raise absent()
        return found

    # ------------------------------------------------------------------ one item

    def _receipt(
        self, verb: Callable[[Params, str, Contract], PaperOrder], item: Params, account: str, named: Named
    ) -> Json:
        ids = {name: _text(item, name) for name in ("clOrdId", "ordId", "tag")}
        request_id = {"reqId": _text(item, "reqId")} if item.given("newSz") or item.given("newPx") else {}
        said: Json = {"sCode": "0", "sMsg": ""}
        try:
            order = verb(item, account, named(item))
        except OkxError as error:
            said = {"sCode": error.code, "sMsg": error.msg}
        else:
            ids.update(clOrdId=order.client_id or "", ordId=str(order.order_id))
            if item.given("sz"):
                said["sMsg"] = PLACED
        return {**ids, **request_id, "ts": numbers.milliseconds(self._now_ns()), **said}

    def _place(self, item: Params, account: str, contract: Contract) -> PaperOrder:
        item.choice("tdMode", ("cross",))
        side = item.choice("side", ("buy", "sell"))
        item.choice("posSide", ("net",), "net")
        kind = item.choice("ordType", _TYPES)
        item.choice("stpMode", ("cancel_maker",), "cancel_maker")
        if item.given("attachAlgoOrds"):
            raise errors.unsupported()
        market = kind in _MARKET
        quantity = self._quantity(item, "sz", contract, market=market)
        tag = item.optional("tag") or ""
        if tag and not _TAG.fullmatch(tag):
            raise errors.wrong("tag")
        new = NewOrder(
            ticker=contract.ticker,
            client_id=self._client_id(item),
            is_buy=side == "buy",
            quantity=quantity,
            price=None if market else self._price(item, "px", contract),
            tif=_TIMES_IN_FORCE.get(kind, TimeInForce.GTC),
            post_only=kind == "post_only",
            reduce_only=item.flag("reduceOnly"),
            extra={ORDER_TYPE: kind, TAG: tag},
        )
        try:
            return self._exchange.submit(account, new)
        except Refused as refused:
            raise self._error(refused, contract) from None

    def _amend(self, item: Params, account: str, contract: Contract) -> PaperOrder:
        order = self.find(item, account, contract, errors.not_amendable)
        if order.status.terminal or order.price is None:
            raise errors.not_amendable()
        if "newSz" not in item and "newPx" not in item:
            raise OkxError("51500", "You must enter a price, quantity, or TP/SL.")
        request_id = item.optional("reqId") or ""
        if request_id and not _CLIENT_ID.fullmatch(request_id):
            raise errors.wrong("reqId")
        try:
            return self._amended(item, account, contract, order, request_id)
        except OkxError:
            if item.flag("cxlOnFail"):
                self._exchange.cancel(account, contract.ticker, order_id=order.order_id)
            raise

    def _amended(
        self, item: Params, account: str, contract: Contract, order: PaperOrder, request_id: str
    ) -> PaperOrder:
        quantity = self._quantity(item, "newSz", contract, market=False) if "newSz" in item else order.quantity
        price = self._price(item, "newPx", contract) if "newPx" in item else order.price
        if price is None or quantity <= order.filled:
            raise errors.wrong("newSz")
        if (quantity, price) == (order.quantity, order.price):
            self.unchanged.append((order, request_id))
            return order
        bid, ask = self._exchange.best(contract.ticker)
        if order.post_only and (
            (ask is not None and price >= ask.price) if order.is_buy else (bid is not None and price <= bid.price)
        ):
            raise errors.not_post_only()
        self.amends[order.order_id] = request_id
        try:
            return self._exchange.amend(
                account, contract.ticker, order_id=order.order_id, quantity=quantity, price=price
            )
        except Refused as refused:
            del self.amends[order.order_id]
            raise self._error(refused, contract) from None

    def _cancel(self, item: Params, account: str, contract: Contract) -> PaperOrder:
        order = self.find(item, account, contract, errors.not_cancellable)
        try:
            return self._exchange.cancel(account, contract.ticker, order_id=order.order_id)
        except Refused:
            raise errors.not_cancellable() from None

    # ------------------------------------------------------------------ parts

    def _spend(self, name: str, items: Sequence[Params], account: str, named: Named, *, batch: bool) -> None:
        if not items or (len(items) > 1 and not batch):
            raise errors.wrong("args")
        if len(items) > LARGEST_BATCH:
            raise OkxError("51111", f"Maximum {LARGEST_BATCH} orders can be placed in bulk", status=400)
        counts: Counter[str] = Counter()
        for item in items:
            try:
                counts[named(item).ticker] += 1
            except OkxError:
                continue  # the item itself is refused for it
        for ticker, count in counts.items():
            self._meter.spend(name, f"{account} {ticker}", count)

    def _quantity(self, item: Params, name: str, contract: Contract, *, market: bool) -> Decimal:
        quantity = item.decimal(name) * contract.multiplier
        if quantity < contract.min_quantity:
            raise OkxError("51020", "Your order should meet or exceed the minimum order amount.")
        if quantity > largest_size(contract, market=market):
            most = numbers.size(contract, largest_size(contract, market=market))
            if market:
                raise OkxError("51202", f"The maximum amount per market order is {most} contracts.")
            raise OkxError("51101", f"The maximum amount per order is {most} contracts.")
        if not is_multiple(quantity, contract.lot_size):
            raise OkxError("51121", "Order quantity must be a multiple of the lot size.")
        return quantity

    def _price(self, item: Params, name: str, contract: Contract) -> Decimal:
        price = item.decimal(name)
        if not is_multiple(price, contract.tick_size):
            raise errors.wrong(name)
        return price

    def _client_id(self, item: Params) -> str | None:
        client_id = item.optional("clOrdId")
        if client_id is not None and not _CLIENT_ID.fullmatch(client_id):
            raise errors.wrong("clOrdId")
        return client_id

    def _error(self, refused: Refused, contract: Contract) -> OkxError:
        if refused.reason is RejectReason.PRICE_BAND:
            highest, lowest = self.price_limits(contract)
            return errors.price_limit(numbers.optional(highest), numbers.optional(lowest))
        return errors.of_refused(refused)

    def price_limits(self, contract: Contract) -> tuple[Decimal | None, Decimal | None]:
        """The highest price to buy at and the lowest to sell at; None without a mark or a limit."""
        mark, band = self._exchange.mark(contract.ticker), self._exchange.price_bands.get(contract.ticker)
        if mark is None or band is None:
            return None, None
        return mark * (1 + band), mark * (1 - band)


def _text(item: Params, name: str) -> str:
    try:
        return item.optional(name) or ""
    except OkxError:
        return ""
