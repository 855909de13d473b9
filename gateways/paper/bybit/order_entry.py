"""Bybit v5's order entry websocket (``/v5/trade``): logged in once, then requests and answers over one connection.

Source: the page Websocket Trade Guideline. Answers have ``retCode`` and ``data`` where REST has ``retCode`` and
``result``, and state the rate limit in a ``header``.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping

import msgspec

from gateways.paper.bybit import numbers
from gateways.paper.bybit.errors import BybitError
from gateways.paper.bybit.limits import RateMeter
from gateways.paper.bybit.records import Json
from gateways.paper.bybit.requests import Params, check_time, login_of, read_json
from gateways.paper.front import Push

REMEMBERED = 10_000
"""How many request ids a connection remembers, to refuse one that comes again."""

Answer = Json | tuple[Json, Json]
"""A result, with how each of its items ended where it is a batch's."""
Verb = Callable[[Params, str], Answer]

OPERATIONS = frozenset({
    "order.create", "order.amend", "order.cancel",
    "order.create-batch", "order.amend-batch", "order.cancel-batch",
})  # fmt: skip


class Session:
    """One connection: who is logged in, and the request ids that it used."""

    def __init__(self) -> None:
        self.account = ""
        self._seen: OrderedDict[str, None] = OrderedDict()

    def is_new(self, request_id: str) -> bool:
        """Whether the id was not used before; it is now."""
        if request_id in self._seen:
            return False
        self._seen[request_id] = None
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return True


class OrderEntry:
    """Answers order entry requests for all accounts. ``verbs`` by operation."""

    def __init__(
        self, verbs: Mapping[str, Verb], meter: RateMeter, accounts: Mapping[str, str], now_ns: Callable[[], int]
    ) -> None:
        self._verbs = verbs
        self._meter = meter
        self._accounts = accounts
        self._now_ns = now_ns
        self._sessions: dict[int, Session] = {}
        self._requests = 0

    def __contains__(self, connection: int) -> bool:
        return connection in self._sessions

    def open(self, connection: int) -> None:
        """Take a new connection."""
        self._sessions[connection] = Session()

    def close(self, connection: int) -> None:
        """Forget a connection."""
        self._sessions.pop(connection, None)

    def answer(self, connection: int, text: str) -> list[Push]:
        """Answer one message."""
        session = self._sessions[connection]
        try:
            request = read_json(text)
        except ValueError:
            request = None
        if not isinstance(request, dict):
            request = {}
        operation = str(request.get("op", ""))
        said: Json = {"reqId": request["reqId"]} if "reqId" in request else {}
        said |= {"retCode": 0, "retMsg": "OK", "op": operation}
        end = False
        if operation == "ping":
            said["op"] = "pong"
            said["data"] = [str(numbers.milliseconds(self._now_ns()))]
        elif operation == "auth":
            end = not self._log_in(session, request, said)
        else:
            self._carry_out(session, request, operation, said)
        said["connId"] = numbers.connection_id(connection)
        pushes = [Push(connection=connection, text=msgspec.json.encode(said).decode())]
        return [*pushes, Push(connection=connection, close=True)] if end else pushes

    def _log_in(self, session: Session, request: Mapping[str, object], said: Json) -> bool:
        if session.account:
            said |= {"retCode": 20001, "retMsg": "Repeat auth"}
            return True
        try:
            session.account = login_of(request.get("args"), self._accounts, self._now_ns())
        except BybitError as error:
            said |= {"retCode": error.code, "retMsg": error.text}
        return bool(session.account)

    def _carry_out(self, session: Session, request: Mapping[str, object], operation: str, said: Json) -> None:
        kind = operation.removeprefix("order.")
        said |= {"data": {}, "retExtInfo": {}}
        try:
            said["data"] = self._done(session, request, operation, said)
        except BybitError as error:
            said |= {"retCode": error.code, "retMsg": error.text}
        self._requests += 1
        limit = self._meter.header(session.account, kind) if operation in self._verbs and session.account else {}
        trace = numbers.trace_id("entry", self._requests)
        said["header"] = {**limit, "Traceid": trace, "Timenow": str(numbers.milliseconds(self._now_ns()))}

    def _done(self, session: Session, request: Mapping[str, object], operation: str, said: Json) -> Json:
        if not session.account:
            raise BybitError(10003, "Not authorized: please log in first")
        verb = self._verbs.get(operation)
        if verb is None:
            raise BybitError(10404, f"op type {operation} is not found")
        header = request.get("header")
        named = Params(header if isinstance(header, dict) else {})
        check_time(named.text("X-BAPI-TIMESTAMP"), named.optional("X-BAPI-RECV-WINDOW") or "", self._now_ns())
        request_id = request.get("reqId")
        if request_id is not None and not session.is_new(str(request_id)):
            raise BybitError(20006, "reqId is duplicated")
        args = request.get("args")
        if not isinstance(args, list) or len(args) != 1 or not isinstance(args[0], dict):
            raise BybitError(10001, "args must hold one item")
        answer = verb(Params(args[0]), session.account)
        if isinstance(answer, tuple):
            said["retExtInfo"] = answer[1]
            return answer[0]
        return answer
