"""What faults must understand of Bybit v5: REST routes, order entry operations, the topics of the private stream.

Pure; see ``gateways.paper.dialects``. The order entry websocket answers with the codes of REST.
"""

from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import parse_qsl

import msgspec

from gateways.contracts import Contracts
from gateways.paper.bybit import errors, numbers
from gateways.paper.bybit.errors import BybitError
from gateways.paper.dialects import Asked, Kind, loaded, number, restated
from gateways.paper.fault_plan import Verb
from gateways.paper.front import HttpReply
from gateways.paper.records import Refused
from gateways.standards import RejectReason

_PLAIN_TEXT = {"Content-Type": "text/plain"}


class BybitDialect:
    """Linear contracts; see ``Dialect`` for the verbs."""

    _ROUTES: ClassVar[Mapping[tuple[str, str], Verb]] = {
        ("POST", "/v5/order/create"): Verb.PLACE,
        ("POST", "/v5/order/create-batch"): Verb.PLACE,
        ("POST", "/v5/order/amend"): Verb.AMEND,
        ("POST", "/v5/order/amend-batch"): Verb.AMEND,
        ("POST", "/v5/order/cancel"): Verb.CANCEL,
        ("POST", "/v5/order/cancel-batch"): Verb.CANCEL,
        ("GET", "/v5/order/realtime"): Verb.OPEN_ORDERS,
        ("GET", "/v5/order/history"): Verb.OPEN_ORDERS,
        ("GET", "/v5/execution/list"): Verb.FILLS,
        ("GET", "/v5/position/list"): Verb.POSITIONS,
        ("GET", "/v5/account/wallet-balance"): Verb.BALANCES,
        ("GET", "/v5/market/instruments-info"): Verb.CONTRACTS,
    }
    _OPERATIONS: ClassVar[Mapping[str, Verb]] = {
        "order.create": Verb.PLACE,
        "order.create-batch": Verb.PLACE,
        "order.amend": Verb.AMEND,
        "order.amend-batch": Verb.AMEND,
        "order.cancel": Verb.CANCEL,
        "order.cancel-batch": Verb.CANCEL,
    }
    _TOPICS: ClassVar[Mapping[str, Kind]] = {
        "order": "order",
        "execution": "fill",
        "position": "account",
        "wallet": "account",
    }

    def __init__(self, contracts: Contracts) -> None:
        self._contracts = contracts

    def asked_http(self, method: str, path: str, query: str, body: bytes) -> Asked | None:
        """See ``Dialect.asked_http``."""
        verb = self._ROUTES.get((method, path))
        if verb is None:
            return None
        fields = dict(parse_qsl(query)) if method == "GET" else loaded(body)
        if verb is Verb.OPEN_ORDERS and (fields.get("orderId") or fields.get("orderLinkId")):
            verb = Verb.ORDER
        named = (fields.get(name, "") for name in ("symbol", "settleCoin", "cursor"))
        return msgspec.structs.replace(self._asked(verb, fields), question=" ".join([path, *map(str, named)]))

    def asked_ws(self, text: str) -> Asked | None:
        """See ``Dialect.asked_ws``."""
        request = loaded(text)
        op = str(request.get("op"))
        verb = self._OPERATIONS.get(op)
        if verb is None:
            return None
        asked = self._asked(verb, _first(request.get("args")))
        return msgspec.structs.replace(asked, request_id={"reqId": request.get("reqId"), "op": op})

    def _asked(self, verb: Verb, fields: Mapping[str, Any]) -> Asked:
        item = {**fields, **_first(fields.get("request"))}
        contract = self._contracts.get(str(item.get("symbol")))
        quantity = number(item.get("qty") or None)
        return Asked(
            verb=verb,
            ticker="" if contract is None else contract.ticker,
            client_id=str(item.get("orderLinkId") or ""),
            order_id=numbers.order_number(str(item.get("orderId") or "")),
            is_buy=item.get("side") == "Buy",
            quantity=quantity * contract.multiplier if quantity is not None and contract is not None else None,
        )

    def told(self, text: str) -> Kind | None:
        """See ``Dialect.told``."""
        if not text.startswith('{"topic":"'):
            return None
        return self._TOPICS.get(text[10 : text.find('"', 10)].partition(".")[0])

    def strange(self, text: str) -> str:
        """See ``Dialect.strange``."""
        return restated(text, '"orderStatus":"', "HalfDone")

    def refused(self, reason: RejectReason, retry_after: int, asked: Asked) -> HttpReply:
        """See ``Dialect.refused``."""
        contract = self._contracts.get(asked.ticker)
        minimum = "5" if contract is None else numbers.plain(contract.min_notional)
        headers = {"Retry-After": str(retry_after)} if reason is RejectReason.RATE_LIMIT else {}
        return _reply(errors.of_refused(Refused(reason, ""), minimum=minimum), headers)

    def unknown(self) -> HttpReply:
        """10000, which leaves open whether it was carried out."""
        return _reply(BybitError(10000, "Server Timeout"), {})

    def failed(self) -> HttpReply:
        """503 of what stands before it."""
        return HttpReply(status=503, body=b"Service Temporarily Unavailable", headers=_PLAIN_TEXT)

    def over_ws(self, asked: Asked, reply: HttpReply) -> str:
        """See ``Dialect.over_ws``; what is no answer of the venue's own becomes its internal error."""
        found = loaded(reply.body)
        said = {
            **(asked.request_id or {}),
            "retCode": found.get("retCode", 10016),
            "retMsg": found.get("retMsg", "Internal server error"),
            "data": {},
            "retExtInfo": {},
            "header": {},
            "connId": numbers.connection_id(0),
        }
        return msgspec.json.encode(said).decode()


def _reply(error: BybitError, headers: Mapping[str, str]) -> HttpReply:
    said = {"retCode": error.code, "retMsg": error.text, "result": {}, "retExtInfo": {}, "time": 0}
    return HttpReply(status=error.status, body=msgspec.json.encode(said), headers=dict(headers))


def _first(found: object) -> dict[str, Any]:
    """The first item of a batch."""
    return found[0] if isinstance(found, list) and found and isinstance(found[0], dict) else {}
