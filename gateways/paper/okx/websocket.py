"""What clients ask of OKX v5's websockets: login, subscriptions, order entry, pings.

Sources: the venue's pages Login, Subscribe, Unsubscribe, Connection (a connection on which nothing is said for thirty
seconds is closed), WS / Place order and the others; order entry names its contract by ``instIdCode``.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gateways.paper.front import Push
from gateways.paper.okx import errors, limits, numbers, subscriptions
from gateways.paper.okx.errors import OkxError, TooMany
from gateways.paper.okx.limits import RateMeter
from gateways.paper.okx.market_streams import MarketStreams
from gateways.paper.okx.orders import OrderDesk
from gateways.paper.okx.requests import Json, Params, check_expiry, login_account, read_json
from gateways.paper.okx.subscriptions import Subscription, Subscriptions, absent, wanted_of
from gateways.paper.okx.user_data import UserData
from gateways.standards import Credentials

SILENT_NS = 30 * limits.SECOND_NS
LARGEST_MESSAGE = 64 * 1_024
"""Most bytes of one subscribe request."""


class WebsocketDesk:
    """Answers what comes by websocket."""

    def __init__(
        self,
        connected: Subscriptions,
        orders: OrderDesk,
        *,
        streams: MarketStreams,
        user_data: UserData,
        meter: RateMeter,
        accounts: Mapping[str, Credentials],
        now_ns: Callable[[], int],
    ) -> None:
        self._connected = connected
        self._by_code = orders.by_code
        self._verbs = {
            "order": (orders.place, False),
            "batch-orders": (orders.place, True),
            "amend-order": (orders.amend, False),
            "batch-amend-orders": (orders.amend, True),
            "cancel-order": (orders.cancel, False),
            "batch-cancel-orders": (orders.cancel, True),
        }
        self._streams = streams
        self._user_data = user_data
        self._meter = meter
        self._accounts = accounts
        self._now_ns = now_ns

    def answer(self, number: int, text: str) -> list[Push]:
        """The answers to one message."""
        connection = self._connected.of(number)
        connection.heard_ns = self._now_ns()
        if text == "ping":
            return [Push(connection=number, text="pong")]
        request: dict[str, Any] = {}
        try:
            request = _request(text)
            return self._do(number, request, _arguments(request, text))
        except OkxError as error:
            return [self._refusal(number, error, request)]

    def tick(self) -> list[Push]:
        """Close the connections on which nothing was said for too long."""
        silent = self._connected.silent_since(self._now_ns() - SILENT_NS)
        return [Push(connection=number, close=True) for number in silent]

    def _do(self, number: int, request: Mapping[str, Any], args: Sequence[dict[str, Any]]) -> list[Push]:
        op = str(request.get("op"))
        if op in self._verbs:
            return [self._connected.say(number, self._order_entry(number, op, request, args))]
        match op:
            case "login":
                self._spend(number)
                return [self._login(number, args)]
            case "subscribe":
                self._spend(number)
                return [push for arg in args for push in self._subscribe(number, arg, request)]
            case "unsubscribe":
                self._spend(number)
                return [self._unsubscribe(number, arg, request) for arg in args]
        raise OkxError("60019", f"Invalid op: {op}")

    # ------------------------------------------------------------------ login and channels

    def _login(self, number: int, args: Sequence[dict[str, Any]]) -> Push:
        connection = self._connected.of(number)
        if connection.place == "public":
            raise OkxError("60008", "Login is not supported for public channels.")
        if len(args) != 1:
            raise OkxError("60031", "The WebSocket endpoint does not support multiple account batch login.")
        connection.account = login_account(self._accounts, Params(args[0]), now_ns=self._now_ns())
        said = {"event": "login", "code": "0", "msg": "", "connId": connection.conn_id}
        return self._connected.say(number, said)

    def _subscribe(self, number: int, arg: dict[str, Any], request: Mapping[str, Any]) -> list[Push]:
        wanted = wanted_of(arg)
        connection = self._connected.of(number)
        try:
            self._check(connection.place, connection.account, wanted)
            self._connected.add(number, wanted)
        except OkxError as error:
            return [self._refusal(number, error, request)]
        pushes = [self._event(number, "subscribe", wanted, request)]
        if wanted.channel not in subscriptions.ACCOUNT:
            return pushes + self._streams.subscribed(number, wanted)
        count = str(self._connected.count(wanted.channel, connection.account))
        said = {"event": "channel-conn-count", "channel": wanted.channel, "connCount": count}
        pushes.append(self._connected.say(number, {**said, "connId": connection.conn_id}))
        return pushes + self._user_data.subscribed(number, connection.account, wanted)

    def _unsubscribe(self, number: int, arg: dict[str, Any], request: Mapping[str, Any]) -> Push:
        unwanted = wanted_of(arg)
        self._connected.remove(number, unwanted)
        return self._event(number, "unsubscribe", unwanted, request)

    def _check(self, place: str, account: str, wanted: Subscription) -> None:
        channel = wanted.channel
        if channel in subscriptions.ACCOUNT:
            if place != "private":
                raise absent(wanted)
            if not account:
                raise OkxError("60011", "Please log in")
            if wanted.arg.get("instType", "ANY") not in subscriptions.KINDS:
                raise absent(wanted)
            if channel in {"orders", "positions"} and "instType" not in wanted.arg:
                raise OkxError("60027", "Parameter instType can not be empty.")
            return
        if channel in subscriptions.FOR_LARGE_TRADERS:
            raise OkxError("64003", "Your trading fee tier doesn't meet the requirement to access this channel.")
        offered = subscriptions.BUSINESS if place == "business" else subscriptions.PUBLIC
        if place == "private" or channel not in offered or not self._streams.knows(wanted):
            raise absent(wanted)

    def _event(self, number: int, event: str, named: Subscription, request: Mapping[str, Any]) -> Push:
        said: Json = {"event": event, "arg": named.arg, "connId": self._connected.of(number).conn_id}
        return self._connected.say(number, {**_id_of(request), **said})

    def _refusal(self, number: int, error: OkxError, request: Mapping[str, Any]) -> Push:
        said: Json = {"event": "error", "code": error.code, "msg": error.msg}
        return self._connected.say(number, {**_id_of(request), **said, "connId": self._connected.of(number).conn_id})

    def _spend(self, number: int) -> None:
        window = (limits.MOST_SUBSCRIBES_AN_HOUR, 3_600)
        try:
            self._meter.spend("subscribe", self._connected.of(number).conn_id, window=window)
        except TooMany:
            raise OkxError("60014", "Requests too frequent") from None

    # ------------------------------------------------------------------ order entry

    def _order_entry(self, number: int, op: str, request: Mapping[str, Any], args: Sequence[dict[str, Any]]) -> Json:
        """The reply to an order request: ``code`` 0, 1 (all failed) or 2 (some did), and each item's own."""
        connection = self._connected.of(number)
        if connection.place != "private":
            raise OkxError("60028", "The current operation is not supported by this URL. Please use the correct URL.")
        if not connection.account:
            raise OkxError("60011", "Please log in")
        now = self._now_ns()
        carry_out, batch = self._verbs[op]
        said: Json = {"id": _text(request.get("id")) or "", "op": op}
        try:
            check_expiry(_text(request.get("expTime")), now)
            data = carry_out([Params(arg) for arg in args], connection.account, self._by_code, batch=batch)
            said |= {"code": outcome(data)["code"], "msg": "", "data": data}
        except OkxError as error:
            said |= error.body
        times = {"inTime": numbers.microseconds(now), "outTime": numbers.microseconds(now)}
        return {**said, **times}


def outcome(data: Sequence[Json]) -> Json:
    """The ``code`` and ``msg`` of an answer whose items are each answered for themselves."""
    failed = sum(row.get("sCode") != "0" for row in data)
    if not failed:
        return {"code": "0", "msg": ""}
    if failed == len(data):
        return {"code": "1", "msg": errors.ALL_FAILED}
    return {"code": "2", "msg": errors.SOME_FAILED}


def _request(text: str) -> dict[str, Any]:
    try:
        request = read_json(text)
    except ValueError:
        request = None
    if not isinstance(request, dict):
        raise OkxError("60012", f"Illegal request: {text}")
    return request


def _arguments(request: Mapping[str, Any], text: str) -> list[dict[str, Any]]:
    args = request.get("args")
    if len(text) > LARGEST_MESSAGE or not isinstance(args, list) or not args:
        raise OkxError("60012", f"Illegal request: {text[:LARGEST_MESSAGE]}")
    found = [arg for arg in args if isinstance(arg, dict)]
    if len(found) != len(args):
        raise OkxError("60013", "Invalid args")
    return found


def _id_of(request: Mapping[str, Any]) -> Json:
    named = request.get("id")
    return {"id": named} if isinstance(named, str) and named else {}


def _text(value: object) -> str | None:
    return None if value is None else str(value)
