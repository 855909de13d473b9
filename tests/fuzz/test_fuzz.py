"""Whatever a venue sends, reading it gives events, nothing, or a DecodeError; ``make fuzz`` asks far oftener."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateways.binance.limits import used_of_headers
from gateways.errors import DecodeError
from gateways.standards import QuoteUpdate
from tests.fuzz.damage import Twin, damaged, once_damaged
from tests.fuzz.readers import BrokenPromiseError, _wrong, contracts, examine, readers
from tests.fuzz.seeds import KINDS, WRITTEN, recorded, seeds

EXAMPLES = 300


@pytest.mark.parametrize("kind", KINDS)
def test_undamaged_messages_keep_every_promise(kind: str) -> None:
    """Each of our own messages is read without a DecodeError by decode, and breaks no promise anywhere."""
    decode = readers(kind)["decode"]
    for message in WRITTEN[kind]:
        raw = json.dumps(message).encode()
        examine(kind, raw)
        decode(raw)


DEEP = b"[" * 3_000

FOUND: list[tuple[str, str, bytes]] = [
    ("binance", "decode", b'{"e":"depthUpdate","s":"X","U":1,"u":2,"b":[["0E-1000026","1"]],"a":[]}'),
    ("binance", "decode", b'{"asset":"USDT","balance":"10","availableBalance":"1E+999999"}'),
    ("binance", "decode", b'{"orderId":1,"symbol":"X","status":"NEW","side":"BUY","origQty":"2","executedQty":"-1"}'),
    ("binance", "decode", b'{"e":' + DEEP),
    ("binance", "decode", b'{"stream":"k","data":{"e":' + DEEP),
    ("bybit", "decode", b'{"topic":"publicTrade.X","data":[{"T":1,"s":"","S":"Buy","v":"1","p":"1","i":"t"}]}'),
    ("okx", "decode", json.dumps({"code": "0", "data": [{**WRITTEN["okx"][0]["data"][0], "sz": "-5"}]}).encode()),
    ("okx", "decode", b'{"arg":{"channel":"books"},"data":[{"asks":[],"bids":[["1","1","0","1"]],"ts":"1"}]}'),
    ("hyperliquid", "decode", b'{"channel":"l2Book","data":{"coin":"","levels":[[],[]]}}'),
    ("bybit", "clock", json.dumps({"retCode": 0, "result": {"timeNano": "9" * 5_000}}).encode()),
]
"""Messages that once gave an event with a number, sign or name that cannot be, or another exception."""


@pytest.mark.parametrize(("kind", "reader", "raw"), FOUND)
def test_what_was_found_is_malformed(kind: str, reader: str, raw: bytes) -> None:
    """Absurd exponents, signs where there are none, missing names and deep nesting are DecodeErrors."""
    with pytest.raises(DecodeError):
        readers(kind)[reader](raw)
    examine(kind, raw)


@pytest.mark.parametrize(("kind", "reader", "told"), [("binance", "used", {}), ("bybit", "topic", "not a message")])
def test_helpers_of_decode_bear_deep_nesting(kind: str, reader: str, told: object) -> None:
    """What is only counted by raises nothing at all."""
    assert readers(kind)[reader](b'{"a":' + DEEP) == told


def test_numbers_too_long_to_be_read_are_none() -> None:
    """A count or time of thousands of digits, which Python itself would refuse to read, says nothing."""
    header = {"X-Bapi-Limit": "9" * 5_000, "X-Bapi-Limit-Status": "1", "Timenow": "1"}
    header["X-Bapi-Limit-Reset-Timestamp"] = "9" * 5_000
    reply = json.dumps({"op": "order.create", "retCode": 10006, "header": header}).encode()
    assert readers("bybit")["limits"](reply) is None
    assert readers("bybit")["decode"](reply)[0].retry_after_s is None
    assert used_of_headers({"x-mbx-used-weight-1m": "9" * 5_000, "x-mbx-order-count-10s": "7"}) == {"orders_10s": 7}


def test_executions_of_nothing_give_no_fill() -> None:
    """A fill of size zero books nothing; what stands beside it in the message is read."""
    fill = WRITTEN["hyperliquid"][1]["data"]["fills"][0]
    message = {"channel": "userFills", "data": {"user": "0x", "fills": [{**fill, "sz": "0.0"}, fill]}}
    assert len(readers("hyperliquid")["decode"](json.dumps(message).encode())) == 1
    row = {**WRITTEN["bybit"][1]["data"][0], "execQty": "0"}
    assert readers("bybit")["decode"](json.dumps({**WRITTEN["bybit"][1], "data": [row]}).encode()) == []
    trade = {**WRITTEN["okx"][12]["data"][0], "fillSz": "0"}
    assert readers("okx")["decode"](json.dumps({"code": "0", "data": [trade]}).encode()) == []


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_messages_give_events_or_a_decode_error(kind: str) -> None:
    """Whatever stands in a message, however broken its bytes: events whose numbers are numbers, or a DecodeError."""

    @settings(max_examples=EXAMPLES, deadline=None, database=None)
    @given(damaged(seeds(kind)))
    def check(raw: bytes) -> None:
        examine(kind, raw)

    check()


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_values_are_read_alike_from_bytes_and_parsed(kind: str) -> None:
    """The quick way from bytes and the slow way from values say the same of damage, wrong fields included."""
    decode, slow = readers(kind)["decode"], readers(kind)["decode of values"]

    def told(reader: Any, raw: bytes) -> Any:
        try:
            return reader(raw)
        except DecodeError as error:
            return "malformed", error.field

    @settings(max_examples=EXAMPLES, deadline=None, database=None)
    @given(st.sampled_from(WRITTEN[kind]).flatmap(once_damaged))
    def check(message: Any) -> None:
        try:
            raw = json.dumps(json.loads(json.dumps(message)), separators=(",", ":"), allow_nan=False).encode()
        except ValueError:
            return  # NaN: JSON has no way to write it
        assert told(decode, raw) == told(slow, raw)

    check()


@pytest.mark.parametrize("kind", KINDS)
def test_recorded_messages_are_among_the_seeds(kind: str) -> None:
    """Where the recordings lie beside the project they are damaged too."""
    found = recorded(kind)
    if not found:
        pytest.skip("recorded messages are not beside the project")
    assert len(found) > 50
    assert len(seeds(kind)) == len(found) + len(WRITTEN[kind])


# ------------------------------------------------------------------ the check itself can fail


def test_an_object_can_have_a_name_twice() -> None:
    """Damage can double a key, which no dict can hold otherwise."""
    assert json.dumps({"a": 1, Twin("a"): 2}) == '{"a": 1, "a": 2}'


def test_a_reader_that_raises_anything_else_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A KeyError that escapes is a finding that names the venue, the reader and the bytes."""
    monkeypatch.setattr("tests.fuzz.readers.readers", lambda kind: {"decode": lambda raw: {}["missing"]})
    with pytest.raises(BrokenPromiseError, match=r"okx decode: KeyError.*for b'raw'"):
        examine("okx", b"raw")


@pytest.mark.parametrize(
    ("event", "wrong"),
    [
        (QuoteUpdate(venue="okx", ticker="", bid=None, ask=None), "no ticker"),
        (QuoteUpdate(venue="", ticker="X", bid=None, ask=None), "not the venue's name"),
        (QuoteUpdate(venue="okx", ticker="X", bid=(Decimal("NaN"), Decimal(1)), ask=None), "no number"),  # type: ignore[arg-type]
        (QuoteUpdate(venue="okx", ticker="X", bid=(Decimal("1e99"), Decimal(1)), ask=None), "no number"),  # type: ignore[arg-type]
    ],
)
def test_an_event_that_is_wrong_is_found(event: QuoteUpdate, wrong: str) -> None:
    """Empty names and numbers that are none do not pass."""
    assert wrong in _wrong(event, "okx")


def test_contracts_of_the_seeds_convert_every_size() -> None:
    """No ticker of the seeds is in base units already: a forgotten conversion would show."""
    for kind in KINDS:
        assert contracts(kind)
        assert all(contract.multiplier != 1 for contract in contracts(kind).values())
