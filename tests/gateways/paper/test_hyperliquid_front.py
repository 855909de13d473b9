"""The Hyperliquid paper front over HTTP: questions, malformed bodies, rate limits, numbers."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateways.paper.hyperliquid.actions import plain
from gateways.paper.hyperliquid.records import coarser, direction, wire
from gateways.standards import Level
from tests.gateways.paper.hyperliquid_session import (
    ACCOUNT,
    START_MS,
    Session,
    order,
    placing,
)

STRANGER = "0x" + "77" * 20


@pytest.fixture
def session() -> Session:
    return Session()


# ------------------------------------------------------------ questions


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


# ------------------------------------------------------------ rate limits


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


# ------------------------------------------------------------ pure parts


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
