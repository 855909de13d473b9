"""Where the venues are, and that none of these addresses is reachable by accident."""

import msgspec
import pytest
from aiohttp import web

from gateways.errors import Denied
from gateways.profiles import PROFILES, endpoints, environments
from gateways.router import KINDS, Gateway, is_loopback, make_venue
from gateways.standards import WireRequest
from gateways.transport.rest import Rest
from tests.gateways.transport.test_rest import http

EVERY = [(kind, each) for kind in sorted(PROFILES) for each in environments(kind)]


def test_every_kind_of_venue_has_its_profiles() -> None:
    """The router's kinds and the profiles are the same, each with a mainnet and something to try things out on."""
    assert set(PROFILES) == set(KINDS)
    for kind in KINDS:
        assert "mainnet" in environments(kind)
        assert len(environments(kind)) > 1


@pytest.mark.parametrize(("kind", "environment"), EVERY)
def test_profiles_are_encrypted_complete_and_without_keys(kind: str, environment: str) -> None:
    """Each address is encrypted, the venue's gateway can be made of them, and there is no key in them."""
    found = endpoints(kind, environment)
    assert found.kind == kind
    assert (found.key, found.secret, found.passphrase) == ("", "", "")
    assert all(url.startswith(("https://", "wss://")) and not is_loopback(url) for url in found.urls)
    assert make_venue("here", found).alias == "here"


@pytest.mark.parametrize(("kind", "environment"), EVERY)
def test_a_desk_is_refused_every_one_of_them(kind: str, environment: str) -> None:
    """Order entry off this machine stays refused, on play money too."""
    with pytest.raises(Denied) as raised:
        Gateway({"here": endpoints(kind, environment)})
    assert raised.value.field == "endpoints"


@pytest.mark.parametrize("kind", sorted(PROFILES))
def test_environments_share_no_account_address(kind: str) -> None:
    """What tells an account's exchange, host or header, is another one in each environment."""
    seen = [(found.rest, tuple(found.headers.items())) for found in PROFILES[kind].values()]
    assert len(set(seen)) == len(seen)
    sockets = [url for found in PROFILES[kind].values() for url in found.urls if "private" in url]
    assert len(set(sockets)) == len(sockets)


def test_what_there_is_not_is_denied_with_what_there_is() -> None:
    """An unknown kind, or an environment that a venue lacks, says what could have been meant."""
    with pytest.raises(Denied, match="did you mean binance"):
        endpoints("binnance", "testnet")
    with pytest.raises(Denied, match="no 'demo' of hyperliquid, but mainnet, testnet"):
        endpoints("hyperliquid", "demo")
    with pytest.raises(Denied, match="no 'paper' of okx, but mainnet, demo"):
        endpoints("okx", "paper")


async def test_a_demo_is_asked_for_by_its_header() -> None:
    """The headers of the endpoints go with every request, and the request's own beside them."""
    seen: dict[str, str] = {}

    async def answer(request: web.Request) -> web.Response:
        seen.update({name.lower(): value for name, value in request.headers.items()})
        return web.json_response({})

    async with http(answer) as url:
        demo = msgspec.structs.replace(endpoints("okx", "demo"), rest=url)
        rest = Rest("okx", demo.rest, headers=demo.headers)
        await rest.send(WireRequest(method="GET", path="/", headers={"OK-ACCESS-KEY": "k"}), verb="ask")
        await rest.close()
    assert (seen["x-simulated-trading"], seen["ok-access-key"]) == ("1", "k")
