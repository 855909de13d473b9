"""What an OKX key may do: "Get account configuration" of the v5 documentation (``perm``, ``ip``)."""

from typing import Any

from gateways.errors import DecodeError
from gateways.okx import encode, limits
from gateways.okx.session import Session
from gateways.permissions import Permissions
from gateways.transport.budget import Priority


def decode(rows: list[Any], venue: str) -> Permissions:
    """The answer's meaning; an answer without ``perm`` tells nothing. Raises DecodeError."""
    said = rows[0] if rows else None
    if not isinstance(said, dict):
        raise DecodeError(venue, "data", "no account configuration")
    granted, addresses = said.get("perm"), said.get("ip")
    if not isinstance(granted, str) or not granted:
        return Permissions()
    names = {name.strip() for name in granted.split(",")}
    bound = bool(addresses) if isinstance(addresses, str) else None
    return Permissions(trade="trade" in names, withdraw="withdraw" in names, bound=bound)


async def permissions(session: Session) -> Permissions:
    """Ask. Raises as ``Session.ask``, and DecodeError."""
    rows = await session.ask(
        lambda: encode.account_config(session.credentials, session.now_ms()),
        "key permissions",
        {limits.CONFIG: 1},
        Priority.REST,
    )
    return decode(rows, session.alias)
