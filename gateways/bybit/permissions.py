"""What a Bybit key may do: "Get API Key Information" of the v5 documentation."""

from gateways.bybit import bodies, encode, limits
from gateways.bybit.session import Session
from gateways.errors import DecodeError
from gateways.permissions import Permissions
from gateways.standards import Credentials, WireRequest
from gateways.transport.budget import Priority


def request(credentials: Credentials, now_ms: int) -> WireRequest:
    """Ask for the key's permissions."""
    return encode.get("/v5/user/query-api", [], credentials, now_ms)


def decode(body: bytes, venue: str) -> Permissions:
    """The answer's meaning. Raises DecodeError."""
    parsed = bodies.parse(body, venue)
    said = parsed.get("result") if isinstance(parsed, dict) else None
    granted = said.get("permissions") if isinstance(said, dict) else None
    if not isinstance(said, dict) or not isinstance(granted, dict) or said.get("readOnly") not in {0, 1}:
        raise DecodeError(venue, "result.permissions", "missing")
    addresses = said.get("ips")
    return Permissions(
        trade=said["readOnly"] == 0
        and ("Order" in _list(granted, "ContractTrade") or "DerivativesTrade" in _list(granted, "Derivatives")),
        withdraw=said["readOnly"] == 0 and "Withdraw" in _list(granted, "Wallet"),
        bound="*" not in addresses if isinstance(addresses, list) and addresses else None,
    )


async def permissions(session: Session) -> Permissions:
    """Ask. Raises as ``Session.ask``, and DecodeError."""
    body = await session.ask(
        lambda: request(session.credentials, session.now_ms()), "key permissions", limits.PRIVATE, Priority.REST
    )
    return decode(body, session.alias)


def _list(granted: dict[str, object], name: str) -> list[object]:
    value = granted.get(name)
    return value if isinstance(value, list) else []
