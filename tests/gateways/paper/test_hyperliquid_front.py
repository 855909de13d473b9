"""The Hyperliquid paper front over HTTP: questions, signed actions, errors in the venue's words."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import coincurve
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateways.hyperliquid.signing import Signature
from gateways.paper.hyperliquid import HyperliquidFront
from gateways.paper.hyperliquid_actions import plain, read_request, signed_form
from gateways.paper.hyperliquid_records import coarser, direction, wire
from gateways.paper.hyperliquid_signers import (
    NONCES_KEPT,
    ZERO_ADDRESS,
    ActionRefused,
    Signers,
    recover_user_signed,
    user_signed_digest,
)
from gateways.standards import Level
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

WIRE = Path("../shared/wire")
WIRE_IS_ABSENT = "the recorded messages of real clients are not beside the project"
STRANGER = "0x" + "77" * 20


@pytest.fixture
def session() -> Session:
    return Session()


# ----------------------------------------------------------------- questions


def test_place_in_universe_is_asset_index(session: Session) -> None:
    """A contract stands in the universe at its asset index, and what fills the gaps is delisted."""
    universe = session.info("meta")["universe"]
    for contract in session.exchange.contracts.values():
        listed = universe[int(contract.venue_id)]
        assert listed["name"] == contract.ticker
        assert Decimal(1).scaleb(-listed["szDecimals"]) == contract.lot_size
    assert all(one.get("isDelisted") for one in universe if one["name"] not in session.exchange.contracts)


def test_contexts_follow_universe(session: Session) -> None:
    """``metaAndAssetCtxs`` has one context for each contract of the universe, in its order."""
    meta, contexts = session.info("metaAndAssetCtxs")
    assert len(contexts) == len(meta["universe"])
    assert contexts[0]["midPx"] == "60005.0"
    assert contexts[0]["impactPxs"] == ["60000.0", "60010.0"]
    assert contexts[2]["midPx"] is None


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        ("allMids", {"BTC": "60005.0"}),
        ("perpDexs", [None]),
        ("exchangeStatus", {"specialStatuses": None, "time": START_MS}),
        ("candleSnapshot", []),
        ("fundingHistory", []),
    ],
)
def test_market_questions(session: Session, kind: str, answer: object) -> None:
    """Questions about the market have the venue's form."""
    assert session.info(kind) == answer


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        ("openOrders", []),
        ("frontendOpenOrders", []),
        ("historicalOrders", []),
        ("userFills", []),
        ("userFunding", []),
        ("userAbstraction", "disabled"),
        ("userRole", {"role": "user"}),
        ("userRateLimit", {"cumVlm": "0.0", "nRequestsUsed": 0, "nRequestsCap": 10_000, "nRequestsSurplus": 0}),
        ("spotClearinghouseState", {"balances": [
            {"coin": "USDC", "token": 0, "total": "0.0", "hold": "0.0", "entryNtl": "0.0"}
        ]}),
    ],
)  # fmt: skip
def test_account_questions(session: Session, kind: str, answer: object) -> None:
    """Questions about a new account are answered, with its address in whatever case."""
    assert session.info(kind, user=ACCOUNT) == answer
    assert session.info(kind, user="0x" + ACCOUNT[2:].upper()) == answer


def test_stranger_is_empty(session: Session) -> None:
    """An address that nobody opened (an agent's, say) is answered like an empty account, not refused."""
    assert session.info("clearinghouseState", user=STRANGER)["withdrawable"] == "0.0"
    assert session.info("openOrders", user=STRANGER) == []
    assert session.info("orderStatus", user=STRANGER, oid=1) == {"status": "unknownOid"}
    assert session.info("userRole", user=STRANGER) == {"role": "missing"}


def test_book_is_gathered_at_significant_figures(session: Session) -> None:
    """``nSigFigs`` gathers bids down and asks up, and keeps what rests there."""
    session.quote("59980", is_buy=True)
    assert session.info("l2Book", coin="BTC")["levels"][0] == [
        {"px": "60000.0", "sz": "0.5", "n": 1},
        {"px": "59980.0", "sz": "0.5", "n": 1},
    ]
    assert session.info("l2Book", coin="BTC", nSigFigs=3)["levels"] == [
        [{"px": "60000.0", "sz": "0.5", "n": 1}, {"px": "59900.0", "sz": "0.5", "n": 1}],
        [{"px": "60100.0", "sz": "0.5", "n": 1}],
    ]


def test_unknown_coin_is_a_null_error(session: Session) -> None:
    """A book of a coin that is not there is HTTP 500 with ``null``."""
    reply = session.post("/info", {"type": "l2Book", "coin": "NOPE"})
    assert (reply.status, reply.body) == (500, b"null")


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/info", b"{", 400),
        ("/info", b"[]", 422),
        ("/info", {"type": "nope"}, 422),
        ("/info", {"type": "openOrders"}, 422),
        ("/info", {"type": "openOrders", "user": "0x12"}, 422),
        ("/info", {"type": "orderStatus", "user": ACCOUNT, "oid": "0x12"}, 422),
        ("/exchange", {}, 422),
        ("/exchange", {"action": {"type": "nope"}, "nonce": 1, "signature": {"r": "0x1", "s": "0x1", "v": 27}}, 422),
        ("/exchange", {"action": {"type": "noop"}, "nonce": 1, "signature": "0x11"}, 422),
        ("/nowhere", {}, 404),
    ],
)
def test_malformed_bodies(session: Session, path: str, body: object, status: int) -> None:
    """What the server does not read is answered in plain text, by its kind of wrong."""
    reply = session.post(path, body)
    assert reply.status == status
    assert reply.headers["content-type"].startswith("text/plain")


def test_only_json_is_read(session: Session) -> None:
    """Another content type is 415, another method 405."""
    assert session.post("/info", {"type": "meta"}, **{"content-type": "text/plain"}).status == 415
    assert session.front.http("GET", "/info", "", {}, b"").status == 405


# ---------------------------------------------------------------- placing


def test_resting_order_is_found_everywhere(session: Session) -> None:
    """A resting order is answered with its oid and found open by oid, by cloid and in the lists."""
    placed = session.place(cloid=CLOID)
    oid = placed["resting"]["oid"]
    assert placed == {"resting": {"oid": oid, "cloid": CLOID}}
    basic = {
        "coin": "BTC",
        "side": "B",
        "limitPx": "50000.0",
        "sz": "0.01",
        "oid": oid,
        "timestamp": START_MS,
        "origSz": "0.01",
        "cloid": CLOID,
    }
    full = {
        **basic,
        "triggerCondition": "N/A",
        "isTrigger": False,
        "triggerPx": "0.0",
        "children": [],
        "isPositionTpsl": False,
        "reduceOnly": False,
        "orderType": "Limit",
        "tif": "Gtc",
    }
    known = {"status": "order", "order": {"order": full, "status": "open", "statusTimestamp": START_MS}}
    assert session.mine("openOrders") == [basic]
    assert session.mine("frontendOpenOrders") == [full]
    assert session.mine("orderStatus", oid=oid) == known
    assert session.mine("orderStatus", oid="0x" + CLOID[2:].upper()) == known
    assert session.mine("historicalOrders") == [known["order"]]
    assert session.mine("orderStatus", oid=oid + 1) == {"status": "unknownOid"}


def test_taker_is_answered_filled(session: Session) -> None:
    """An Ioc that takes is answered with size and average price; its fill says what it did to the position."""
    session.quote("60020", is_buy=False)
    placed = session.place(price="60020", size="0.6", tif="Ioc")
    oid = placed["filled"]["oid"]
    assert placed == {"filled": {"totalSz": "0.6", "avgPx": "60011.666667", "oid": oid}}
    latest, first = session.mine("userFills")
    assert first == {
        "coin": "BTC",
        "px": "60010.0",
        "sz": "0.5",
        "side": "B",
        "time": START_MS,
        "startPosition": "0.0",
        "dir": "Open Long",
        "closedPnl": "0.0",
        "hash": first["hash"],
        "oid": oid,
        "crossed": True,
        "fee": "13.50225",
        "tid": first["tid"],
        "feeToken": "USDC",
        "twapId": None,
    }
    assert (latest["startPosition"], latest["sz"]) == ("0.5", "0.1")
    assert session.mine("userRateLimit")["cumVlm"] == "0.0"
    session.news()
    assert session.mine("userRateLimit") == {
        "cumVlm": "36007.0",
        "nRequestsUsed": 1,
        "nRequestsCap": 46_007,
        "nRequestsSurplus": 0,
    }


def test_fills_by_time_are_inclusive_and_oldest_first(session: Session) -> None:
    """``userFillsByTime`` takes both ends of the time and starts with the oldest."""
    session.place(price="60010", tif="Ioc")
    session.now_ms += 10
    session.place(price="60010", tif="Ioc", size="0.02")
    sizes = [
        [fill["sz"] for fill in session.mine("userFillsByTime", startTime=START_MS + start, endTime=START_MS + end)]
        for start, end in ((0, 10), (1, 10), (0, 9), (11, 20))
    ]
    assert sizes == [["0.01", "0.02"], ["0.02"], ["0.01"], []]


def test_positions_and_margin(session: Session) -> None:
    """``clearinghouseState`` values a short position at the mark; its numbers agree with one another."""
    session.place(buy=False, price="60000", size="0.1", tif="Ioc")
    state = session.mine("clearinghouseState")
    [held] = state["assetPositions"]
    assert held["type"] == "oneWay"
    position = held["position"]
    assert (position["szi"], position["entryPx"], position["unrealizedPnl"]) == ("-0.1", "60000.0", "-0.5")
    summary = {name: Decimal(value) for name, value in state["marginSummary"].items()}
    fee = Decimal("0.00045") * 6000
    assert summary["accountValue"] == Decimal(10_000) - fee - Decimal("0.5")
    assert summary["totalRawUsd"] == summary["accountValue"] + summary["totalNtlPos"]
    assert summary["totalNtlPos"] == Decimal("6000.5")


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"size": "0.0001"}, "Order must have minimum value of $10. asset=0"),
        ({"price": "50000.1"}, "Price must be divisible by tick size. asset=0"),
        ({"size": "0.000001"}, "Order has invalid size."),
        ({"size": "0"}, "Order has zero size."),
        ({"price": "0"}, "Order has invalid price."),
        (
            {"price": "60010", "tif": "Alo"},
            "Post only order would have immediately matched, bbo was 60000@60010. asset=0",
        ),
        ({"size": "10"}, "Insufficient margin to place order. asset=0"),
        ({"reduce": True}, "Reduce only order would increase position. asset=0"),
        ({"tif": "Ioc"}, "Order could not immediately match against any resting orders. asset=0"),
        ({"tif": "FrontendMarket"}, "No liquidity available for market order. asset=0"),
    ],
)  # fmt: skip
def test_refusals_have_the_venues_words(session: Session, fields: dict[str, Any], text: str) -> None:
    """Each refusal of an order is said in the venue's words, and nothing rests after it."""
    assert session.place(**fields) == {"error": text}
    assert session.mine("openOrders") == []


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"price": "60010", "tif": "Alo"}, "badAloPxRejected"),
        ({"tif": "Ioc"}, "iocCancelRejected"),
        ({"tif": "FrontendMarket"}, "marketOrderNoLiquidityRejected"),
        ({"price": "60010", "size": "0.6", "tif": "Ioc"}, "canceled"),
        ({"price": "60010", "tif": "Ioc"}, "filled"),
    ],
)
def test_ended_orders_say_why(session: Session, fields: dict[str, Any], word: str) -> None:
    """An order that ended on arrival is known by its cloid, with the venue's word for how."""
    session.place(cloid=CLOID, **fields)
    assert session.mine("orderStatus", oid=CLOID)["order"]["status"] == word


def test_five_significant_figures(session: Session) -> None:
    """A price has five significant figures, more only as a whole number, and 6 - szDecimals decimals."""
    for price, taken in (("2700.5", True), ("2700.55", False), ("123456", True), ("0.123", False)):
        status = session.place(asset=1, price=price, size="1", buy=False, tif="Alo")
        assert ("resting" in status) is taken, (price, status)


def test_payload_error_is_answered_once(session: Session) -> None:
    """An error that the payload alone gives is answered once for the whole batch, and nothing is placed."""
    batch = placing(order(), order(price="50000.1"), order(price="49000"))
    assert session.statuses(batch) == [{"error": "Price must be divisible by tick size. asset=0"}]
    assert session.mine("openOrders") == []


def test_batch_errors_stand_alone(session: Session) -> None:
    """Any other error stops only its own order of a batch."""
    first, second, third = session.statuses(placing(order(), order(reduce=True), order(price="49000")))
    assert "resting" in first
    assert second == {"error": "Reduce only order would increase position. asset=0"}
    assert [one["oid"] for one in session.mine("openOrders")] == [third["resting"]["oid"], first["resting"]["oid"]]


def test_reduce_only_is_capped(session: Session) -> None:
    """A reduce-only order larger than the position closes it and no more."""
    session.place(price="60010", tif="Ioc")
    placed = session.place(buy=False, price="60000", size="0.5", tif="Ioc", reduce=True)
    assert placed["filled"]["totalSz"] == "0.01"
    assert session.mine("clearinghouseState")["assetPositions"] == []


def test_trigger_orders_are_declined(session: Session) -> None:
    """A stop is read (its signature verifies) and declined in words."""
    stop = {**order(), "t": {"trigger": {"isMarket": True, "triggerPx": "61000", "tpsl": "sl"}}}
    [status] = session.statuses(placing(stop))
    assert "Trigger orders are not offered" in status["error"]


def test_fill_or_kill_is_not_read(session: Session) -> None:
    """There is no Fok: the server does not deserialize it."""
    assert session.post("/exchange", session.signed(placing(order(tif="Fok")))).status == 422


# --------------------------------------------------------------- cancelling


def test_cancels(session: Session) -> None:
    """Orders are cancelled by oid and by cloid; what is not open is an error of its own."""
    oid = session.place()["resting"]["oid"]
    session.place(cloid=CLOID)
    missing = {"error": "Order was never placed, already canceled, or filled. asset=0"}
    by_oid = {"type": "cancel", "cancels": [{"a": 0, "o": oid}, {"a": 0, "o": oid}]}
    by_cloid = {"type": "cancelByCloid", "cancels": [{"asset": 0, "cloid": CLOID}, {"asset": 1, "cloid": CLOID}]}
    assert session.statuses(by_oid) == ["success", missing]
    assert session.statuses(by_cloid) == [
        "success",
        {"error": "Order was never placed, already canceled, or filled. asset=1"},
    ]
    assert session.mine("openOrders") == []


def test_replacement_has_a_new_oid(session: Session) -> None:
    """``batchModify`` cancels the old oid and rests a new one with the cloid that it is given."""
    old = session.place(cloid=CLOID)["resting"]["oid"]
    change = {"oid": CLOID, "order": order(price="50001", size="0.02", cloid=CLOID)}
    [status] = session.statuses({"type": "batchModify", "modifies": [change]})
    new = status["resting"]["oid"]
    assert new != old
    assert status == {"resting": {"oid": new, "cloid": CLOID}}
    assert [(one["oid"], one["sz"]) for one in session.mine("openOrders")] == [(new, "0.02")]
    assert session.mine("orderStatus", oid=old)["order"]["status"] == "canceled"
    assert session.mine("orderStatus", oid=CLOID)["order"]["order"]["oid"] == new


def test_single_replacement_answers_default(session: Session) -> None:
    """``modify`` answers only that it was done, or the error of the whole request."""
    oid = session.place()["resting"]["oid"]
    action = {"type": "modify", "oid": oid, "order": order(price="50001")}
    assert session.act(action) == {"status": "ok", "response": {"type": "default"}}
    assert session.act(action) == {"status": "err", "response": "Cannot modify canceled or filled order"}


def test_replacement_only_rests(session: Session) -> None:
    """A replacement that would take is refused after the old order is gone, even as Gtc."""
    oid = session.place()["resting"]["oid"]
    change = {"oid": oid, "order": order(price="60010")}
    [status] = session.statuses({"type": "batchModify", "modifies": [change]})
    assert status["error"] == (
        "Error placing new order during modify: Post only order would have immediately matched, bbo was 60000@60010"
    )
    assert session.mine("openOrders") == []


def test_replacement_takes_when_told_to(session: Session) -> None:
    """With ``a`` (always place) a replacement may take."""
    oid = session.place()["resting"]["oid"]
    change = {"oid": oid, "order": order(price="60010")}
    [status] = session.statuses({"type": "batchModify", "modifies": [change], "a": True})
    assert status["filled"]["totalSz"] == "0.01"


@pytest.mark.parametrize(
    "wrong",
    [{"buy": False, "price": "70000"}, {"tif": "Ioc"}, {"size": "0.0001"}, {"size": "0.000001"}, {"asset": 1}],
)
def test_impossible_replacement_leaves_the_old_order(session: Session, wrong: dict[str, Any]) -> None:
    """A replacement that could never stand is refused, and the old order still rests."""
    oid = session.place()["resting"]["oid"]
    [status] = session.statuses({"type": "batchModify", "modifies": [{"oid": oid, "order": order(**wrong)}]})
    assert status == {"error": "Attempted to modify to invalid new order"}
    assert [one["oid"] for one in session.mine("openOrders")] == [oid]


def test_timed_cancel(session: Session) -> None:
    """``scheduleCancel`` ends every order at its time, not before, and says so; without a time it is forgotten."""
    oid = session.place()["resting"]["oid"]
    assert session.act({"type": "scheduleCancel", "time": START_MS + 4_999}) == {
        "status": "err",
        "response": "Scheduled cancel time too early, must be at least 5 seconds from now.",
    }
    assert session.act({"type": "scheduleCancel", "time": START_MS + 5_000})["status"] == "ok"
    assert session.act({"type": "scheduleCancel"})["status"] == "ok"
    session.now_ms += 6_000
    session.tick()
    assert len(session.mine("openOrders")) == 1
    session.act({"type": "scheduleCancel", "time": session.now_ms + 5_000})
    session.now_ms += 4_999
    session.tick()
    assert len(session.mine("openOrders")) == 1
    session.now_ms += 1
    session.tick()
    assert session.mine("openOrders") == []
    assert session.mine("orderStatus", oid=oid)["order"]["status"] == "scheduledCancel"


def test_timed_cancel_ten_times_a_day(session: Session) -> None:
    """After ten triggered schedules no more is taken until the next day."""
    for _ in range(10):
        assert session.act({"type": "scheduleCancel", "time": session.now_ms + 5_000})["status"] == "ok"
        session.now_ms += 5_000
        session.tick()
    assert session.act({"type": "scheduleCancel", "time": session.now_ms + 5_000})["status"] == "err"
    session.now_ms += 86_400_000
    assert session.act({"type": "scheduleCancel", "time": session.now_ms + 5_000})["status"] == "ok"


def test_leverage_is_kept_and_shown(session: Session) -> None:
    """``updateLeverage`` shows in the position; beyond the contract's most it is refused."""
    session.place(price="60010", tif="Ioc")
    change = {"type": "updateLeverage", "asset": 0, "isCross": True, "leverage": 3}
    assert session.act(change)["status"] == "ok"
    [held] = session.mine("clearinghouseState")["assetPositions"]
    assert held["position"]["leverage"] == {"type": "cross", "value": 3}
    assert session.act({**change, "leverage": 1000}) == {"status": "err", "response": "Invalid leverage value"}


@pytest.mark.parametrize("action", [{"type": "noop"}, {"type": "setReferrer", "code": "ABC"}])
def test_actions_without_effect(session: Session, action: dict[str, Any]) -> None:
    """A noop and a referrer are taken."""
    assert session.act(action) == {"status": "ok", "response": {"type": "default"}}


# --------------------------------------------------------------- signatures


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


@pytest.mark.skipif(not WIRE.exists(), reason=WIRE_IS_ABSENT)
def test_sdk_vectors_recover_their_signer() -> None:
    """Every request that the official SDK builds recovers to its signer, over the server's own reading of it."""
    vectors = json.loads((WIRE / "kat/hyperliquid_sdk_action_vectors.json").read_text())
    for vector in vectors["vectors"]:
        request = read_request(vector["payload"])
        signers = Signers({vectors["address"]: ""})
        assert signers.authorise(request, vectors["frozen_ms"]) == vectors["address"].lower(), vector["description"]
        assert signed_form(request.action) == vector["payload"]["action"]
    assert len(vectors["vectors"]) >= 15


@pytest.mark.skipif(not WIRE.exists(), reason=WIRE_IS_ABSENT)
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


@pytest.mark.skipif(not WIRE.exists(), reason=WIRE_IS_ABSENT)
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


# -------------------------------------------------------------- rate limits


def test_weight_of_a_minute(session: Session) -> None:
    """1,200 of weight a minute, then HTTP 429 until the minute has rolled on."""
    for _ in range(60):
        session.info("meta")
    reply = session.post("/info", {"type": "meta"})
    assert (reply.status, reply.body) == (429, b"null")
    assert session.post("/exchange", session.signed({"type": "noop"})).status == 429
    session.now_ms += 60_000
    assert session.post("/info", {"type": "meta"}).status == 200


def test_actions_weigh_by_forty(session: Session) -> None:
    """An action weighs 1 and one more for every forty items; light questions weigh 2."""
    batch = {"type": "cancel", "cancels": [{"a": 0, "o": 1}] * 79}
    for _ in range(599):
        session.act(batch)
    assert session.info("allMids")
    assert session.post("/info", {"type": "allMids"}).status == 429


# --------------------------------------------------------------- pure parts


@given(st.decimals(allow_nan=False, allow_infinity=False, places=8, min_value=-(10**12), max_value=10**12))
def test_wire_numbers_are_exact(value: Decimal) -> None:
    """A number on the wire is the same number, with a decimal and no trailing zero beyond it."""
    text = wire(value)
    whole, _, fraction = text.partition(".")
    assert Decimal(text) == value
    assert fraction
    assert fraction == "0" or not fraction.endswith("0")
    assert whole not in {"", "-"}


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=0, max_value=10**9))
def test_plain_numbers_are_exact(value: Decimal) -> None:
    """The signed form of a number is the same number, and of that the same text."""
    text = plain(f"{value:f}")
    assert Decimal(text) == value
    assert plain(text) == text


@given(
    st.lists(
        st.tuples(st.integers(1, 10**6), st.integers(1, 10**4)), min_size=1, max_size=30, unique_by=lambda x: x[0]
    ),
    st.integers(2, 5),
    st.booleans(),
)
def test_coarser_books_keep_their_quantity(rows: list[tuple[int, int]], digits: int, is_buy: bool) -> None:
    """A coarser side holds the same quantity at prices no better than those it gathers."""
    levels = tuple(Level(Decimal(price) / 10, Decimal(quantity)) for price, quantity in sorted(rows, reverse=is_buy))
    gathered = coarser(levels, digits, 1, is_buy=is_buy)
    assert sum(level.quantity for level in gathered) == sum(level.quantity for level in levels)
    best, was = gathered[0].price, levels[0].price
    assert best <= was if is_buy else best >= was
    assert len({level.price for level in gathered}) == len(gathered)


@given(st.decimals(-5, 5, places=1), st.decimals(-5, 5, places=1).filter(bool))
def test_direction_names_both_positions(start: Decimal, signed: Decimal) -> None:
    """A fill opens, closes or turns a position as the signs before and after say."""
    end = start + signed
    word = direction(start, signed)
    if start * signed >= 0:
        assert word == ("Open Long" if signed > 0 else "Open Short")
    elif start * end >= 0:
        assert word == ("Close Long" if start > 0 else "Close Short")
    else:
        assert word == ("Long > Short" if start > 0 else "Short > Long")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(
    st.sampled_from(["/info", "/exchange"]),
    st.binary(max_size=40) | _JSON.map(lambda value: json.dumps(value).encode()),
)
def test_no_body_breaks_the_front(path: str, body: bytes) -> None:
    """Whatever is sent is answered with a status of the venue's."""
    reply = _FUZZED.post(path, body)
    _FUZZED.now_ms += 60_000
    assert reply.status in {200, 400, 422, 500}


_FUZZED = Session()


@given(st.dictionaries(st.sampled_from(["a", "b", "p", "s", "r", "t", "c"]), _JSON))
def test_no_order_breaks_the_front(fields: dict[str, Any]) -> None:
    """An order of any shape is read and answered, or not read: never an exception."""
    body = _FUZZED.signed({"type": "noop"})
    body["action"] = placing({**order(), **fields})
    _FUZZED.now_ms += 60_000
    assert _FUZZED.post("/exchange", body).status in {200, 422}
