"""No case of the recorded material is passed over: files, readings of orders and requests, counted for all four venues.

The material lies beside the project (``../shared/wire``); where it is absent these tests skip. What each case must give
is in the four files beside this one.
"""

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest

from gateways.binance import encode as binance
from gateways.binance.decode import decode as binance_decode
from gateways.bybit import encode as bybit
from gateways.bybit.decode import decode as bybit_decode
from gateways.contracts import Contracts
from gateways.hyperliquid.decode import decode as hyperliquid_decode
from gateways.hyperliquid.signing import address_of, recover, sign_l1_action
from gateways.okx import encode as okx
from gateways.okx.decode import decode as okx_decode
from gateways.standards import Credentials, OrderUpdate
from tests.gateways import test_wire_binance, test_wire_bybit, test_wire_hyperliquid, test_wire_okx

WIRE = Path(__file__).resolve().parents[3] / "shared" / "wire"

pytestmark = pytest.mark.skipif(not WIRE.is_dir(), reason="recorded messages are not beside the project")

DECODERS = {
    "binance_usdm": binance_decode,
    "bybit": bybit_decode,
    "hyperliquid": hyperliquid_decode,
    "okx": okx_decode,
}
CASES: dict[str, Any] = {
    "binance_usdm": test_wire_binance,
    "bybit": test_wire_bybit,
    "hyperliquid": test_wire_hyperliquid,
    "okx": test_wire_okx,
}
NOW_MS = 1_700_000_000_000
CREDENTIALS = Credentials("key", "secretsecret", "password")


def kat(name: str) -> Any:
    return json.loads((WIRE / "kat" / name).read_bytes()) if WIRE.is_dir() else {}


def requests(venue: str) -> list[dict[str, Any]]:
    """The requests of the collection, each with its description."""
    found: list[dict[str, Any]] = kat("ccxt_request_vectors.json").get(venue, [])
    return found


# ------------------------------------------------------------------ messages


@pytest.mark.parametrize("folder", sorted(DECODERS))
def test_every_file_of_a_folder_is_a_case(folder: str) -> None:
    """The folder, the manifest and the cases of the venue's own test are the same files."""
    with (WIRE / "MANIFEST.csv").open(newline="", encoding="utf-8") as rows:
        listed = [row["file"] for row in csv.DictReader(rows) if row["file"].startswith(f"{folder}/")]
    there = sorted(f"{folder}/{path.name}" for path in (WIRE / folder).iterdir())
    assert sorted(listed) == there
    assert sorted(row["file"] for row in CASES[folder].manifest()) == there


def test_every_venue_of_the_recordings_is_ours() -> None:
    """There is no folder of messages that nobody reads."""
    folders = {path.name for path in WIRE.iterdir() if path.is_dir()}
    assert folders == set(DECODERS) | {"kat", "client_transcripts", "recorded"}


def test_every_order_that_another_library_read_is_compared() -> None:
    """Each message with a reading is decoded to as many orders as the reading has.

    The venues' own tests compare their fields. Bybit's orders of spot pairs and options give none on purpose, since a
    spot pair has the name of a contract; they are counted here as if they were of the linear contracts.
    """
    parsed = kat("ccxt_parsed_private_orders.json")["parsed"]
    for name, theirs in parsed.items():
        folder = name.partition("/")[0]
        message = json.loads((WIRE / name).read_bytes())
        if folder == "bybit":
            message = {**message, "data": [{**row, "category": "linear"} for row in message["data"]]}
        events = DECODERS[folder](message, Contracts(folder))
        assert sum(isinstance(event, OrderUpdate) for event in events) == len(theirs), name
    compared = [each for each in CASES.values() if hasattr(each, "parsed_by_ccxt")]
    counted = sum(len({name for name, _ in case.parsed_by_ccxt()}) for case in compared)
    alone = sum(name.startswith("hyperliquid/") for name in parsed)  # compared by a test without parameters
    assert counted + alone == len(parsed)


# ------------------------------------------------------------------ requests
#
# Conditional orders, leverage, batches of new orders and dates are verbs that the desk does not send. Their requests
# are made here of the decoded parameters by what signs every request of ours.


def fields_of(text: str) -> list[tuple[str, str]]:
    """The parameters of a query or form, without what the client adds to every one."""
    return [(name, value) for name, value in parse_qsl(text) if name not in {"timestamp", "recvWindow", "signature"}]


@pytest.mark.parametrize("case", requests("binanceusdm"), ids=lambda case: case["description"])
def test_any_request_of_binance_can_be_signed(case: dict[str, Any]) -> None:
    """Made of the same parameters it decodes to them, and both signatures verify over the bytes that were sent."""
    request = case["request"]
    url = urlsplit(request["url"])
    theirs = url.query or request["body"]
    if not theirs:
        assert binance.listen_key(request["method"], CREDENTIALS).path == url.path
        return
    ours = binance.signed(request["method"], url.path, fields_of(theirs), CREDENTIALS, NOW_MS)
    assert (ours.method, ours.path, fields_of(ours.params)) == (request["method"], url.path, fields_of(theirs))
    for sent in (theirs, ours.params):
        payload, _, signature = sent.rpartition("&signature=")
        assert binance.sign(CREDENTIALS.secret, payload) == signature


@pytest.mark.parametrize("case", requests("bybit"), ids=lambda case: case["description"])
def test_any_request_of_bybit_can_be_signed(case: dict[str, Any]) -> None:
    """Made of the same parameters it decodes to them, and both signatures verify over the bytes that were sent."""
    request = case["request"]
    url, body = urlsplit(request["url"]), request["body"]
    if body:
        ours = bybit.post(url.path, json.loads(body), CREDENTIALS, NOW_MS)
        assert json.loads(ours.body) == json.loads(body)
    else:
        ours = bybit.get(url.path, parse_qsl(url.query), CREDENTIALS, NOW_MS)
        assert parse_qsl(ours.params) == parse_qsl(url.query)
    assert (ours.method, ours.path) == (request["method"], url.path)
    for headers, sent in (
        (request["headers"], url.query + (body or "")),
        (ours.headers, ours.params + ours.body.decode()),
    ):
        stamp = f"{headers['X-BAPI-TIMESTAMP']}{headers['X-BAPI-API-KEY']}{headers['X-BAPI-RECV-WINDOW']}"
        assert bybit.sign(CREDENTIALS.secret, stamp + sent) == headers["X-BAPI-SIGN"]


@pytest.mark.parametrize("case", requests("okx"), ids=lambda case: case["description"])
def test_any_request_of_okx_can_be_signed(case: dict[str, Any]) -> None:
    """Made of the same parameters it decodes to them, and both signatures verify over the bytes that were sent."""
    request = case["request"]
    url, body = urlsplit(request["url"]), request["body"]
    content = msgspec.json.encode(json.loads(body)) if body else b""
    ours = okx.signed(request["method"], url.path, CREDENTIALS, NOW_MS, params=url.query, body=content)
    assert (ours.method, ours.path, ours.params) == (request["method"], url.path, url.query)
    assert (json.loads(ours.body) if ours.body else "") == (json.loads(body) if body else "")
    target = url.path + (f"?{url.query}" if url.query else "")
    for headers, sent in ((request["headers"], body or ""), (ours.headers, ours.body.decode())):
        payload = f"{headers['OK-ACCESS-TIMESTAMP']}{request['method']}{target}{sent}"
        assert okx.sign(CREDENTIALS.secret, payload) == headers["OK-ACCESS-SIGN"]


@pytest.mark.parametrize("case", requests("hyperliquid"), ids=lambda case: case["description"])
def test_any_action_of_hyperliquid_can_be_signed(case: dict[str, Any]) -> None:
    """The same action gets the same signature, which names the account; questions are not signed."""
    sent = json.loads(case["request"]["body"])
    if case["request"]["url"].endswith("/info"):
        assert "signature" not in sent
        return
    secret = kat("ccxt_request_vectors.json")["credentials"]["hyperliquid_private_key"]
    args = (sent["action"], sent["nonce"], sent.get("vaultAddress"), sent.get("expiresAfter"))
    made = sign_l1_action(secret, *args, is_mainnet=True)
    theirs = sent["signature"]
    assert (int(made.r, 16), int(made.s, 16), made.v) == (int(theirs["r"], 16), int(theirs["s"], 16), theirs["v"])
    assert recover(made, *args, is_mainnet=True) == address_of(secret)


NOT_HYPERLIQUIDS = {
    "take profit market",  # conditional orders
    "trigger limit",
    "set leverage",
    "batch create",
}
NOT_OFFICIAL = {
    "tp trigger market",  # conditional orders
    "sl trigger limit",
    "bulk 2 orders",
    "order with builder",
    # An amend of ours names the order by its oid, and leaves its client id as it is.
    "modify by cloid",
    "update leverage cross",
    "update leverage isolated",
}


def test_every_request_of_hyperliquid_is_compared_or_named() -> None:
    """No request of the two collections is passed over by accident: what has no verb here is named above."""
    theirs = {case["description"] for case in requests("hyperliquid")}
    assert theirs == set(test_wire_hyperliquid.other_requests()) | {"limit FOK"} | NOT_HYPERLIQUIDS
    official = {case["description"] for case in kat("hyperliquid_sdk_action_vectors.json")["vectors"]}
    assert official == set(test_wire_hyperliquid.official_requests()) | {"bulk cancel"} | NOT_OFFICIAL


def test_every_known_signature_has_its_venue() -> None:
    """The collection of signatures is of three venues, each of which reproduces its own; one is of Bybit's login."""
    counted = Counter(each["venue"] for each in kat("hmac_signing_binance_bybit_okx.json"))
    compared = {
        "binance": len(test_wire_binance.hmac_answers()),
        "bybit": len(test_wire_bybit.hmac_answers()),
        "bybit_ws": len(test_wire_bybit.login_answers()),
        "okx": len(test_wire_okx.hmac_answers()),
    }
    assert counted == compared
