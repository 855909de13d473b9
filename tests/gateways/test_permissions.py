"""What venues say of a key's permissions means what it means: withdrawal is never missed."""

import json

import pytest

from gateways.binance import permissions as binance
from gateways.bybit import permissions as bybit
from gateways.errors import DecodeError
from gateways.hyperliquid import permissions as hyperliquid
from gateways.okx import permissions as okx
from gateways.permissions import Permissions
from gateways.standards import Credentials
from gateways.venue import Endpoints

MASTER, AGENT = "0x" + "a1" * 20, "0x" + "b2" * 20


def restrictions(**values):
    return json.dumps({
        "ipRestrict": True, "createTime": 1623840271000, "enableReading": True, "enableWithdrawals": False,
        "enableInternalTransfer": False, "enableMargin": False, "enableFutures": True,
        "permitsUniversalTransfer": False, "enableVanillaOptions": False, "enableSpotAndMarginTrading": False, **values,
    }).encode()  # fmt: skip


@pytest.mark.parametrize(
    ("values", "meaning"),
    [
        ({}, Permissions(trade=True, withdraw=False, bound=True)),
        ({"enableWithdrawals": True}, Permissions(trade=True, withdraw=True, bound=True)),
        ({"enableFutures": False, "ipRestrict": False}, Permissions(trade=False, withdraw=False, bound=False)),
    ],
)
def test_binance_tells_all_of_it(values, meaning):
    """As in "Get API Key Permission" of the wallet documentation."""
    assert binance.decode(restrictions(**values), "v") == meaning


@pytest.mark.parametrize("body", [b"{", b"[]", b"{}", restrictions(enableWithdrawals=None), restrictions(ipRestrict=1)])
def test_binance_half_an_answer_is_none(body):
    """A missing word is not a no."""
    with pytest.raises(DecodeError):
        binance.decode(body, "v")


@pytest.mark.parametrize(
    ("rest", "asked"),
    [
        ("https://fapi.binance.com", "https://api.binance.com"),
        ("https://testnet.binancefuture.com", None),
        ("https://demo-fapi.binance.com", None),
        ("http://127.0.0.1:81", "http://127.0.0.1:81"),
    ],
)
def test_binance_is_asked_on_the_host_that_knows(rest, asked):
    """The wallet has a host of its own; the exchanges for trying things out have none."""
    place = binance.place(Endpoints(rest=rest, ws={}))
    assert (place and place.rest) == asked


def key_information(**values):
    result = {"id": "1", "readOnly": 0, "ips": ["10.0.0.1"], "permissions": {"ContractTrade": ["Order", "Position"]}}
    return json.dumps({"retCode": 0, "retMsg": "OK", "result": {**result, **values}, "time": 1}).encode()


@pytest.mark.parametrize(
    ("values", "meaning"),
    [
        ({}, Permissions(trade=True, withdraw=False, bound=True)),
        ({"ips": ["*"]}, Permissions(trade=True, withdraw=False, bound=False)),
        ({"readOnly": 1}, Permissions(trade=False, withdraw=False, bound=True)),
        ({"permissions": {"Derivatives": ["DerivativesTrade"]}}, Permissions(trade=True, withdraw=False, bound=True)),
        (
            {"permissions": {"Spot": ["SpotTrade"], "Wallet": ["AccountTransfer", "Withdraw"]}},
            Permissions(trade=False, withdraw=True, bound=True),
        ),
    ],
)
def test_bybit_lists_what_is_granted(values, meaning):
    """As in "Get API Key Information"; a key that may only read withdraws nothing."""
    assert bybit.decode(key_information(**values), "v") == meaning


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b'{"result": {}}', key_information(permissions=[]), key_information(readOnly="no")]
)
def test_bybit_half_an_answer_is_none(body):
    """A missing list is not an empty one."""
    with pytest.raises(DecodeError):
        bybit.decode(body, "v")


@pytest.mark.parametrize(
    ("row", "meaning"),
    [
        ({"perm": "read_only,trade", "ip": "1.2.3.4"}, Permissions(trade=True, withdraw=False, bound=True)),
        ({"perm": "read_only, withdraw, trade", "ip": ""}, Permissions(trade=True, withdraw=True, bound=False)),
        ({"perm": "read_only"}, Permissions(trade=False, withdraw=False)),
        ({"posMode": "net_mode"}, Permissions()),
    ],
)
def test_okx_lists_words(row, meaning):
    """``perm`` and ``ip`` of "Get account configuration"; without ``perm`` nothing is told."""
    assert okx.decode([row], "v") == meaning


@pytest.mark.parametrize("rows", [[], [5]])
def test_okx_no_row_is_no_answer(rows):
    """An answer without a configuration is malformed."""
    with pytest.raises(DecodeError):
        okx.decode(rows, "v")


@pytest.mark.parametrize(
    ("body", "signer", "trade", "withdraw"),
    [
        ({"role": "user"}, MASTER, True, True),
        ({"role": "agent", "data": {"user": MASTER.upper().replace("0X", "0x")}}, AGENT, True, False),
        ({"role": "agent", "data": {"user": AGENT}}, AGENT, False, None),
        ({"role": "missing"}, AGENT, False, None),
        ({"role": "user"}, AGENT, False, None),
    ],
)
def test_hyperliquid_an_agent_trades_and_the_own_key_does_all(body, signer, trade, withdraw):
    """A key whose address is no agent of the account trades nothing."""
    said = hyperliquid.decode(json.dumps(body).encode(), "v", MASTER, signer)
    assert (said.trade, said.withdraw) == (trade, withdraw)
    assert bool(said.note) == (withdraw is not False)


@pytest.mark.parametrize("body", [b"{", b"null", b'{"role": 5}', b"\xff"])
def test_hyperliquid_no_role_is_no_answer(body):
    """What is no role says nothing of a key."""
    with pytest.raises(DecodeError):
        hyperliquid.decode(body, "v", MASTER, AGENT)


def test_the_questions_are_signed_where_they_must_be():
    """And carry no secret."""
    credentials = Credentials("the-key", "the-secret")
    asked = binance.request(credentials, 1_700_000_000_000)
    assert (asked.method, asked.path) == ("GET", "/sapi/v1/account/apiRestrictions")
    assert "signature=" in asked.params
    other = bybit.request(credentials, 1_700_000_000_000)
    assert (other.method, other.path, other.headers["X-BAPI-API-KEY"]) == ("GET", "/v5/user/query-api", "the-key")
    third = hyperliquid.request(AGENT)
    assert json.loads(third.body) == {"type": "userRole", "user": AGENT}
    assert all("the-secret" not in f"{each.params}{each.body!r}{each.headers}" for each in (asked, other, third))
