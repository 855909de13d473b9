"""Who may act for whom on the Hyperliquid paper front: signatures, agents, nonces; what real clients signed."""

import json
from decimal import Decimal
from typing import Any

import coincurve
import msgspec
import pytest

from gateways.hyperliquid.signing import Signature
from gateways.paper.hyperliquid.actions import read_request, signed_form
from gateways.paper.hyperliquid.front import HyperliquidFront
from gateways.paper.hyperliquid.signers import (
    NONCES_KEPT,
    ZERO_ADDRESS,
    ActionRefused,
    Signers,
    recover_user_signed,
    user_signed_digest,
)
from tests.gateways.paper.hyperliquid_session import (
    ACCOUNT,
    AGENT,
    AGENT_KEY,
    CLOID,
    KEY,
    START_MS,
    Session,
    order,
    placing,
)
from tests.recordings import WIRE, needs_recordings

STRANGER = "0x" + "77" * 20


@pytest.fixture
def session() -> Session:
    return Session()


@pytest.mark.parametrize("mainnet", [True, False])
def test_both_networks_signatures_are_taken(session: Session, mainnet: bool) -> None:
    """A client may sign as for the main network or for the test network."""
    assert session.act({"type": "noop"}, mainnet=mainnet)["status"] == "ok"


def test_stranger_is_named(session: Session) -> None:
    """Another key's signature is refused with the address that it recovers to, and nothing is placed."""
    assert session.act(placing(order()), key=AGENT_KEY) == {
        "status": "err",
        "response": f"User or API Wallet {AGENT} does not exist.",
    }
    assert session.mine("openOrders") == []


def test_tampered_action_is_a_strangers(session: Session) -> None:
    """What was changed after the signature recovers to a wallet that nobody knows."""
    body = session.signed(placing(order()))
    body["action"]["orders"][0]["s"] = "0.02"
    answer = json.loads(session.post("/exchange", body).body)
    assert answer["response"].endswith("does not exist.")
    assert ACCOUNT not in answer["response"]


def test_the_server_hashes_its_own_reading(session: Session) -> None:
    """Key order and unknown keys do not matter to the signature; trailing zeros and capitals do, as on the venue."""
    body = session.signed(placing(order()))
    body["action"] = {**dict(reversed(body["action"].items())), "unknown": 1}
    assert json.loads(session.post("/exchange", body).body)["status"] == "ok"
    assert session.act(placing(order(price="50000.0")))["response"].endswith("does not exist.")
    assert session.act(placing(order(cloid="0x" + CLOID[2:].upper())))["response"].endswith("does not exist.")


def test_used_nonce(session: Session) -> None:
    """A nonce is taken once for a signer."""
    body = session.signed({"type": "noop"})
    session.post("/exchange", body)
    assert json.loads(session.post("/exchange", body).body) == {
        "status": "err",
        "response": f"Invalid nonce: duplicate nonce {body['nonce']}",
    }


def test_nonces_stay_near_the_clock(session: Session) -> None:
    """A nonce two days old or a day ahead is refused, with the bound."""
    two_days = 2 * 86_400_000
    assert session.act({"type": "noop"}, nonce=START_MS - two_days)["response"] == (
        f"Invalid nonce: nonce too low {START_MS - two_days} < {START_MS - two_days}"
    )
    assert session.act({"type": "noop"}, nonce=START_MS + 86_400_000)["response"] == (
        f"Invalid nonce: nonce too high {START_MS + 86_400_000} > {START_MS + 86_400_000}"
    )


def test_the_hundred_highest_nonces_are_kept(session: Session) -> None:
    """Once a hundred are kept, a nonce under the lowest of them is too low although it was never used."""
    for step in range(1, NONCES_KEPT + 1):
        assert session.act({"type": "noop"}, nonce=START_MS + 2 * step)["status"] == "ok"
    assert session.act({"type": "noop"}, nonce=START_MS + 3)["status"] == "ok"
    assert session.act({"type": "noop"}, nonce=START_MS + 1)["response"] == (
        f"Invalid nonce: nonce too low {START_MS + 1} < {START_MS + 3}"
    )


def test_expired_action(session: Session) -> None:
    """An action whose time has passed is refused; one whose time has come is still taken."""
    assert session.act(placing(order()), expires_after=START_MS - 1) == {
        "status": "err",
        "response": "Action already expired",
    }
    assert session.mine("openOrders") == []
    assert session.act(placing(order()), expires_after=START_MS)["status"] == "ok"


def test_vaults_are_unknown(session: Session) -> None:
    """A vault or sub-account is refused by its address."""
    assert session.act({"type": "noop"}, vault=STRANGER)["response"] == f"Vault not registered: {STRANGER}"


def approval(session: Session, *, key: str = KEY, agent: str = AGENT, name: str | None = "desk") -> dict[str, Any]:
    """A signed approval of an agent."""
    session.now_ms += 1
    action: dict[str, Any] = {
        "type": "approveAgent",
        "signatureChainId": "0x66eee",
        "hyperliquidChain": "Testnet",
        "agentAddress": agent,
        "nonce": session.now_ms + 10_000_000,
    } | ({"agentName": name} if name is not None else {})
    body = {"action": action, "nonce": action["nonce"], "signature": {"r": "0x1", "s": "0x1", "v": 27}}
    digest = user_signed_digest(read_request(body).action)
    raw = coincurve.PrivateKey(bytes.fromhex(key[2:])).sign_recoverable(digest, hasher=None)
    signature = {"r": "0x" + raw[:32].hex(), "s": "0x" + raw[32:64].hex(), "v": 27 + raw[64]}
    return {**body, "signature": signature}


def test_agents_act_for_their_account_until_revoked(session: Session) -> None:
    """An approved agent's orders are the account's; a revoked agent is a stranger again."""
    assert json.loads(session.post("/exchange", approval(session)).body)["status"] == "ok"
    assert session.info("userRole", user=AGENT) == {"role": "agent", "data": {"user": ACCOUNT}}
    assert session.mine("extraAgents") == [{"name": "desk", "address": AGENT}]
    assert session.act(placing(order()), key=AGENT_KEY)["status"] == "ok"
    assert len(session.mine("openOrders")) == 1
    assert session.info("openOrders", user=AGENT) == []
    session.post("/exchange", approval(session, agent=ZERO_ADDRESS))
    assert session.act(placing(order()), key=AGENT_KEY)["status"] == "err"


def test_agents_approve_nobody(session: Session) -> None:
    """An approval signed by an agent is its own (empty) account's, and refused."""
    session.post("/exchange", approval(session, name=None))
    answer = json.loads(session.post("/exchange", approval(session, key=AGENT_KEY, agent=STRANGER)).body)
    assert answer["response"] == f"Must deposit before performing actions. User: {AGENT}"


def test_a_private_key_of_another_address_is_an_agents() -> None:
    """An account configured with the key of another address has that one as its agent."""
    signers = Signers({ACCOUNT: AGENT_KEY})
    assert signers.principal(AGENT) == ACCOUNT
    assert signers.principal(STRANGER) is None


def test_an_approval_needs_a_signature() -> None:
    """Numbers that no key can have made raise ValueError, which is told as an unreadable signer."""
    body = approval(Session())
    action = read_request(body).action
    with pytest.raises(ValueError, match="v of a signature"):
        recover_user_signed(action, Signature(r="0x1", s="0x1", v=3))
    with pytest.raises(ActionRefused, match="Unable to recover signer"):
        Signers({ACCOUNT: KEY}).authorise(
            read_request({**body, "signature": {"r": "0x0", "s": "0x0", "v": 27}}), START_MS
        )


@needs_recordings
def test_sdk_vectors_recover_their_signer() -> None:
    """Every request that the official SDK builds recovers to its signer, over the server's own reading of it."""
    vectors = json.loads((WIRE / "kat/hyperliquid_sdk_action_vectors.json").read_text())
    for vector in vectors["vectors"]:
        request = read_request(vector["payload"])
        signers = Signers({vectors["address"]: ""})
        assert signers.authorise(request, vectors["frozen_ms"]) == vectors["address"].lower(), vector["description"]
        assert signed_form(request.action) == vector["payload"]["action"]
    assert len(vectors["vectors"]) >= 15


@needs_recordings
def test_ccxt_vectors_recover_their_signer() -> None:
    """Every request that ccxt builds recovers to its signer, but for the time in force that the venue does not have."""
    vectors = json.loads((WIRE / "kat/ccxt_request_vectors.json").read_text())
    owner = json.loads((WIRE / "kat/hyperliquid_sdk_action_vectors.json").read_text())["address"].lower()
    unread = []
    for vector in vectors["hyperliquid"]:
        if not vector["request"]["url"].endswith("/exchange"):
            continue
        try:
            request = read_request(json.loads(vector["request"]["body"]))
        except msgspec.ValidationError:
            unread.append(vector["description"])
            continue
        assert Signers({owner: ""}).authorise(request, vectors["clock_ms"]) == owner, vector["description"]
    assert unread == ["limit FOK"]


@needs_recordings
def test_sdk_session_is_served() -> None:
    """What the official SDK sent in a session of its own is taken: order, cancel, timed cancel and subscription."""
    lines = (WIRE / "client_transcripts/hyperliquid-python-sdk_0.24.0_hyperliquid.jsonl").read_text().splitlines()
    sent = [json.loads(line) for line in lines]
    owner = json.loads((WIRE / "kat/hyperliquid_sdk_action_vectors.json").read_text())["address"]
    session = Session()
    session.exchange.open_account(owner.lower(), Decimal(10_000))
    session.front = HyperliquidFront(session.exchange, accounts={owner: ""}, now_ns=session.now_ns)
    session.front.ws_open(1, "/ws", "")
    served = 0
    for message in sent:
        if message["kind"] == "rest":
            session.now_ms = json.loads(message["body"])["nonce"]
            answer = json.loads(session.post(message["path"], message["body"].encode()).body)
            assert answer["status"] == "ok"
            assert "error" not in json.dumps(answer)
        elif message["kind"] == "ws_in":
            [echo] = session.say(message["data"])
            assert echo["channel"] == "subscriptionResponse"
        else:
            continue
        served += 1
    assert served >= 4
