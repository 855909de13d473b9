"""What faults must understand of OKX v5: what a request asks, what a message tells, how a refusal is said. Pure."""

from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import parse_qsl

import msgspec

from gateways.contracts import Contracts
from gateways.paper.dialects import Asked, Kind, decoded, loaded, number, restated
from gateways.paper.fault_plan import Verb
from gateways.paper.front import HttpReply
from gateways.paper.okx import errors
from gateways.paper.okx.errors import TooMany
from gateways.paper.records import Refused
from gateways.standards import RejectReason


class OkxDialect:
    """v5: HTTP routes and websocket operations; channels named by ``arg``. One channel tells orders and fills."""

    _ROUTES: ClassVar[Mapping[tuple[str, str], Verb]] = {
        ("POST", "order"): Verb.PLACE,
        ("POST", "batch-orders"): Verb.PLACE,
        ("POST", "amend-order"): Verb.AMEND,
        ("POST", "amend-batch-orders"): Verb.AMEND,
        ("POST", "cancel-order"): Verb.CANCEL,
        ("POST", "cancel-batch-orders"): Verb.CANCEL,
        ("GET", "order"): Verb.ORDER,
        ("GET", "orders-pending"): Verb.OPEN_ORDERS,
        ("GET", "fills"): Verb.FILLS,
        ("GET", "fills-history"): Verb.FILLS,
        ("GET", "positions"): Verb.POSITIONS,
        ("GET", "balance"): Verb.BALANCES,
        ("GET", "instruments"): Verb.CONTRACTS,
    }
    _OPS: ClassVar[Mapping[str, Verb]] = {
        "order": Verb.PLACE,
        "batch-orders": Verb.PLACE,
        "amend-order": Verb.AMEND,
        "batch-amend-orders": Verb.AMEND,
        "cancel-order": Verb.CANCEL,
        "batch-cancel-orders": Verb.CANCEL,
    }
    _CHANNELS: ClassVar[Mapping[str, Kind]] = {
        "orders": "order",
        "positions": "account",
        "account": "account",
        "balance_and_position": "account",
    }
    _PREFIX = '{"arg":{"channel":"'

    def __init__(self, contracts: Contracts) -> None:
        self._contracts = contracts

    def asked_http(self, method: str, path: str, query: str, body: bytes) -> Asked | None:
        """See ``Dialect.asked_http``."""
        if not path.startswith(("/api/v5/trade/", "/api/v5/account/", "/api/v5/public/")):
            return None
        verb = self._ROUTES.get((method, path.rsplit("/", 1)[-1]))
        if verb is None:
            return None
        if method == "GET":
            fields: Mapping[str, Any] = dict(parse_qsl(query))
            page = f"{fields.get('instId', '')} {fields.get('after', '')}"
            return msgspec.structs.replace(self._asked(verb, fields), question=f"{path} {page}")
        return self._asked(verb, _first(decoded(body)))

    def asked_ws(self, text: str) -> Asked | None:
        """See ``Dialect.asked_ws``."""
        request = loaded(text)
        op = str(request.get("op"))
        verb = self._OPS.get(op)
        if verb is None:
            return None
        asked = self._asked(verb, _first(request.get("args")))
        return msgspec.structs.replace(asked, request_id={"id": request.get("id") or "", "op": op})

    def _asked(self, verb: Verb, fields: Mapping[str, Any]) -> Asked:
        named = self._contracts.get(str(fields.get("instId"))) or self._contracts.by_venue_id(
            str(fields.get("instIdCode"))
        )
        order_id, size = str(fields.get("ordId", "")), number(fields.get("sz") or None)
        return Asked(
            verb=verb,
            ticker=named.ticker if named is not None else "",
            client_id=str(fields.get("clOrdId") or ""),
            order_id=int(order_id) if order_id.isdecimal() else None,
            is_buy=fields.get("side") == "buy",
            quantity=size * named.multiplier if size is not None and named is not None else None,
        )

    def told(self, text: str) -> Kind | None:
        """See ``Dialect.told``."""
        if not text.startswith(self._PREFIX):
            return None
        kind = self._CHANNELS.get(text[len(self._PREFIX) : text.find('"', len(self._PREFIX))])
        with_fill = kind == "order" and '"tradeId":"' in text and '"tradeId":""' not in text
        return "order with its fill" if with_fill else kind

    def strange(self, text: str) -> str:
        """See ``Dialect.strange``."""
        return restated(text, '"state":"', "half_done")

    def refused(self, reason: RejectReason, retry_after: int, asked: Asked) -> HttpReply:
        """See ``Dialect.refused``; a refusal of one order is that item's, one for rate is the whole request's."""
        error = errors.of_refused(Refused(reason, ""))
        if reason is RejectReason.RATE_LIMIT:
            error = TooMany()
            headers = {"Retry-After": str(retry_after)}
            return HttpReply(status=error.status, body=msgspec.json.encode(error.body), headers=headers)
        item = {"clOrdId": asked.client_id, "ordId": "", "tag": "", "sCode": error.code, "sMsg": error.msg}
        said = {"code": "1", "msg": errors.ALL_FAILED, "data": [item]}
        return HttpReply(body=msgspec.json.encode(said))

    def unknown(self) -> HttpReply:
        """50004, which says of itself that it does not know."""
        text = "API endpoint request timeout (does not mean that the request was successful or failed, please check"
        body = {"code": "50004", "msg": f"{text} the request result).", "data": []}
        return HttpReply(status=400, body=msgspec.json.encode(body))

    def failed(self) -> HttpReply:
        """503: the service is not there for now."""
        body = {"code": "50001", "msg": "Service temporarily unavailable. Please try again later", "data": []}
        return HttpReply(status=503, body=msgspec.json.encode(body))

    def over_ws(self, asked: Asked, reply: HttpReply) -> str:
        """See ``Dialect.over_ws``."""
        return msgspec.json.encode({**(asked.request_id or {}), **loaded(reply.body)}).decode()


def _first(items: Any) -> dict[str, Any]:
    """The item of a request, or the first of its items."""
    found = (items or [None])[0] if isinstance(items, list) else items
    return found if isinstance(found, dict) else {}
