"""What a Binance key may do: "Get API Key Permission" of the wallet documentation, which has a host of its own."""

from urllib.parse import urlsplit

import msgspec

from gateways.binance import bodies, encode, limits
from gateways.binance.session import Session
from gateways.errors import DecodeError, Rejected
from gateways.permissions import Nobody, Permissions, flag, unheard
from gateways.standards import Credentials, RejectReason, WireRequest
from gateways.transport.budget import Priority
from gateways.venue import Endpoints

_WALLETS = {"fapi.binance.com": "https://api.binance.com"}
"""The wallet's host by the host of the futures; testnet and demo have none."""


UNTOLD = Permissions(note="this exchange does not tell what a key may do")


def place(endpoints: Endpoints) -> Endpoints | None:
    """Where the question goes; None where the venue has nobody to ask. A venue on this machine answers it itself."""
    host = urlsplit(endpoints.rest).hostname or ""
    if host in _WALLETS:
        return msgspec.structs.replace(endpoints, rest=_WALLETS[host])
    return None if host.endswith((".binance.com", ".binancefuture.com")) else endpoints


def request(credentials: Credentials, now_ms: int) -> WireRequest:
    """Ask for the key's permissions."""
    return encode.signed("GET", "/sapi/v1/account/apiRestrictions", [], credentials, now_ms)


def decode(body: bytes, venue: str) -> Permissions:
    """The answer's meaning. Raises DecodeError."""
    said = bodies.parse(body, venue)
    if not isinstance(said, dict):
        raise DecodeError(venue, "apiRestrictions", "not an object")
    return Permissions(
        trade=flag(said, "enableFutures", venue),
        withdraw=flag(said, "enableWithdrawals", venue),
        bound=flag(said, "ipRestrict", venue),
    )


async def permissions(session: Session) -> Permissions:
    """Ask. The key is proven on the futures first. Raises as ``Session.ask``, and DecodeError."""
    await session.ask(
        lambda: encode.position_mode(session.credentials, session.now_ms()),
        "position mode",
        {limits.WEIGHT: limits.POSITION_MODE},
        Priority.REST,
    )
    asked = place(session.endpoints)
    if asked is None:
        return UNTOLD
    wallet = Session(session.alias, asked, clock_ns=session.clock_ns, network=session.network)
    wallet.offset_ms = session.offset_ms
    wallet.open(unheard, Nobody())
    try:
        body = await wallet.ask(
            lambda: request(wallet.credentials, wallet.now_ms()), "key permissions", {limits.WEIGHT: 1}, Priority.REST
        )
    except Rejected as error:
        if error.reason is RejectReason.CREDENTIALS:
            raise
        return UNTOLD
    finally:
        await wallet.close()
    return decode(body, session.alias)
