"""Whatever arrives, decode gives events or a DecodeError."""

import json
from contextlib import suppress
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gateways.contracts import Contracts
from gateways.errors import DecodeError
from gateways.hyperliquid.decode import decode
from gateways.standards import Event
from tests.gateways.hyperliquid.stream_messages import account, fill, order, order_updates, post, user_fills

CHANNELS = ["orderUpdates", "userFills", "user", "l2Book", "bbo", "trades", "activeAssetCtx", "webData2", "post", "x"]
SEEDS = [
    order_updates(),
    user_fills(fill()),
    post("action", {"status": "err", "response": "no"}),
    account(),
    {"status": "ok", "response": {"type": "order", "data": {"statuses": [{"resting": {"oid": 1}}]}}},
    {"status": "order", "order": {"order": order(), "status": "open", "statusTimestamp": 1}},
    [{"universe": [{"name": "ETH", "szDecimals": 4}]}, [{"markPx": "1"}]],
    [{"universe": [{"name": "ETH", "szDecimals": 4}], "collateralToken": 0}],
    [fill()],
    [order()],
    [{"order": order(), "status": "open", "statusTimestamp": 1}],
    {"channel": "allDexsAssetCtxs", "data": {"ctxs": [["", [{"markPx": "1"}]]]}},
    {"channel": "l2Book", "data": {"coin": "ETH", "time": 5, "levels": [[{"px": "1", "sz": "1"}], []]}},
    {"channel": "bbo", "data": {"coin": "ETH", "time": 5, "bbo": [{"px": "1", "sz": "1"}, None]}},
]
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)


@st.composite
def damaged(draw: st.DrawFn) -> Any:
    """A good message with one value anywhere in it replaced or removed."""
    message = json.loads(json.dumps(draw(st.sampled_from(SEEDS))))
    node = message
    while True:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        key = draw(st.sampled_from(keys))
        if isinstance(node[key], dict | list) and node[key] and draw(st.booleans()):
            node = node[key]
            continue
        if draw(st.booleans()):
            node[key] = draw(values)
        else:
            del node[key]
        return message


EVENTS = tuple(Event.__args__)  # type: ignore[attr-defined]


def decodes_or_says_why(raw: Any) -> None:
    """Decode; anything but events and DecodeError fails the test."""
    with suppress(DecodeError):
        assert all(isinstance(event, EVENTS) for event in decode(raw, Contracts("hl")))


@settings(max_examples=600, deadline=None)
@given(message=damaged() | values | st.fixed_dictionaries({"channel": st.sampled_from(CHANNELS), "data": values}))
def test_any_json_decodes_or_is_a_decode_error(message: Any) -> None:
    """Whatever JSON arrives, parsed or as text, nothing else than events or a DecodeError comes out."""
    decodes_or_says_why(message)
    decodes_or_says_why(json.dumps(message))


@settings(deadline=None)
@given(raw=st.binary(max_size=200) | st.text(max_size=200))
def test_any_bytes_decode_or_are_a_decode_error(raw: bytes | str) -> None:
    """Whatever bytes arrive, nothing else than events or a DecodeError comes out."""
    decodes_or_says_why(raw)
