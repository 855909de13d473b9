"""What a Hyperliquid key may do: the account's own key may do all, an agent's ("API wallet") may only trade.

Sources: "Nonces and API wallets", and "Query a user's role" of the "Info endpoint" page.
"""

import msgspec

from gateways.errors import DecodeError, Denied
from gateways.hyperliquid.session import WEIGHT, Session
from gateways.hyperliquid.signing import address_of
from gateways.permissions import Permissions
from gateways.standards import WireRequest
from gateways.transport.budget import Priority

ROLE_WEIGHT = 60
OWN_KEY = (
    "this is the account's own key, which can do everything: approve an agent (API wallet) and use the agent's key"
)


def request(signer: str) -> WireRequest:
    """Ask for the role of an address."""
    body = msgspec.json.encode({"type": "userRole", "user": signer})
    return WireRequest(method="POST", path="/info", body=body, headers={"Content-Type": "application/json"})


def decode(body: bytes, venue: str, account: str, signer: str) -> Permissions:
    """What the role of ``signer`` means for ``account``, both addresses in small letters. Raises DecodeError."""
    try:
        said = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DecodeError(venue, "userRole", "not JSON") from error
    role = said.get("role") if isinstance(said, dict) else None
    if not isinstance(role, str):
        raise DecodeError(venue, "role", "missing")
    if signer == account:
        return Permissions(trade=True, withdraw=True, note=OWN_KEY)
    data = said.get("data")
    master = data.get("user") if isinstance(data, dict) else None
    if role == "agent" and isinstance(master, str) and master.lower() == account:
        return Permissions(trade=True, withdraw=False)
    return Permissions(trade=False, note=f"the key's address {signer} is no agent of the account {account}")


async def permissions(session: Session) -> Permissions:
    """Ask. Raises as ``Session.ask``, DecodeError, and Denied for a key that is none."""
    try:
        signer = address_of(session.credentials.secret)
    except ValueError as error:
        raise Denied(session.alias, str(error), field="secret") from None
    body = await session.ask(lambda: request(signer), "key permissions", {WEIGHT: ROLE_WEIGHT}, Priority.REST)
    return decode(body, session.alias, session.credentials.key.lower(), signer)
