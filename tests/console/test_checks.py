"""What the console says of an order before it is sent."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.checks import Checked, check_place
from console.commands import Place
from console.language import parse
from gateways.contracts import Contracts, floor_to_step
from gateways.standards import Level, QuoteUpdate, Side
from tests.contracts import HYPERLIQUID_SOL, swap

D = Decimal

BINANCE_SOL = swap("binance", "SOLUSDT", "SOL")
HYPERLIQUID_ETH = msgspec.structs.replace(
    HYPERLIQUID_SOL, ticker="ETH", base="ETH", lot_size=D("0.0001"), min_quantity=D("0.0001")
)
DESK = {
    "binance": Contracts("binance", [BINANCE_SOL]),
    "hyperliquid": Contracts("hyperliquid", [HYPERLIQUID_SOL, HYPERLIQUID_ETH]),
}


def quote(venue: str, ticker: str) -> QuoteUpdate | None:
    """Both SOL contracts at 134.50 to 134.60, ETH unheard."""
    if ticker == "ETH":
        return None
    return QuoteUpdate(venue=venue, ticker=ticker, bid=Level(D("134.50"), D(100)), ask=Level(D("134.60"), D(100)))


def check(line: str) -> Checked:
    """Check the order of one line."""
    return check_place(_place(line), DESK, quote)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (
            "sell 3 binance:SOLUSDT @ 134.65 post hedge hyperliquid:SOL market",
            (
                "sell 3.000 SOLUSDT on binance at 134.65, post-only; each fill buys SOL on hyperliquid at market; "
                "up to 0.07 SOL may wait"
            ),
        ),
        (
            "buy 3 binance:SOLUSDT @ queue5 hedge x0.5 hyperliquid:SOL ioc 8bps after 250ms",
            (
                "buy 3.000 SOLUSDT on binance at queue5; each fill sells 0.5 times its size of SOL on hyperliquid "
                "by IOC within 8 bps, 250 ms later; up to 0.07 SOL may wait"
            ),
        ),
        ("buy 3 binance:SOLUSDT", "buy 3.000 SOLUSDT on binance at market (near 134.60)"),
        (
            "sell 3 binance:SOLUSDT @ opponent reduce ioc",
            "sell 3.000 SOLUSDT on binance at opponent1 (near 134.50), reduce-only, immediate or cancel",
        ),
    ],
)
def test_an_order_that_stands_is_said_in_words(line: str, sentence: str) -> None:
    """The sentence says what is sent, how each fill is hedged, and how much may wait."""
    checked = check(line)
    assert checked.ok
    assert checked.sentence == sentence


@pytest.mark.parametrize(
    ("side", "policy", "words"),
    [
        ("sell", "", "each fill buys SOL on hyperliquid at market; up to 0.07 SOL may wait"),
        ("sell", "ioc 1tick", "each fill buys SOL on hyperliquid by IOC within 1 tick; up to 0.07 SOL may wait"),
        (
            "sell",
            "join 2s then ioc 8bps then market",
            (
                "each fill buys SOL on hyperliquid: joins the bid for 2 s, then ioc within 8 bps, then market; "
                "up to 0.07 SOL may wait"
            ),
        ),
        (
            "buy",
            "join 1500ms then ioc 5ticks after 2s reduce escalate",
            (
                "each fill sells SOL on hyperliquid: joins the ask for 1500 ms, then ioc within 5 ticks, 2 s later, "
                "reduce-only, on failure one more try at market; up to 0.07 SOL may wait"
            ),
        ),
        (
            "buy",
            "market above 0.5 unwind",
            (
                "each fill sells SOL on hyperliquid at market, once 0.5 SOL is due, on failure closed again on "
                "binance; up to 0.49 SOL may wait"
            ),
        ),
        (
            "buy",
            "ioc 0bps worth 30",
            ("each fill sells SOL on hyperliquid by IOC within 0 bps, once 30 USDC is due; up to 0.22 SOL may wait"),
        ),
    ],
)
def test_a_policy_is_said_in_words(side: str, policy: str, words: str) -> None:
    """The sentence says when each fill is hedged, how, in which order, and what follows if that fails."""
    checked = check(f"{side} 3 binance:SOLUSDT @ 134.55 hedge hyperliquid:SOL {policy}")
    assert checked.ok
    assert checked.sentence == f"{side} 3.000 SOLUSDT on binance at 134.55; {words}"


@pytest.mark.parametrize(
    ("price", "notional"),
    [("@ 130", 390), ("@ queue1", "403.50"), ("@ opponent", "403.80"), ("", "403.80")],
)
def test_the_notional_is_at_the_price_that_the_order_would_meet(price: str, notional: object) -> None:
    """A limit is worth its price, a rule and a market order the quote that they would meet."""
    assert check(f"buy 3 binance:SOLUSDT {price}").notional == D(str(notional))


@pytest.mark.parametrize(
    ("line", "field", "words", "pointed"),
    [
        ("sell 3 bnance:SOLUSDT @ 134.65", "venue", "binance", "bnance"),
        ("sell 3 binance:SOLUSD @ 134.65", "ticker", "did you mean SOLUSDT", "SOLUSD"),
        ("sell 3.0005 binance:SOLUSDT @ 134.65", "amount", "3.000 and 3.001", "3.0005"),
        ("sell 0.03 binance:SOLUSDT @ 134.65", "amount", "minimum of 5 USDT", "0.03"),
        ("sell 3 binance:SOLUSDT @ 134.655", "price", "134.65 and 134.66", "134.655"),
        ("sell 3 binance:SOLUSDT post", "post", "market order", "post"),
        ("sell 3 binance:SOLUSDT @ 134.65 post ioc", "post", "post cannot go with ioc", "post"),
        ("sell 3 binance:SOLUSDT fok", "tif", "fok cannot go with a market order", "fok"),
        (
            "sell 3 binance:SOLUSDT @ 134.65 hedge hyperliquid:SOL hedge hyperliquid:SOOL",
            "leg 2 ticker",
            "did you mean SOL",
            "SOOL",
        ),
        ("sell 3 binance:SOLUSDT hedge binance:SOLUSDT", "leg 1 ticker", "own contract", "SOLUSDT"),
    ],
)
def test_an_error_names_its_field_and_points_into_the_line(line: str, field: str, words: str, pointed: str) -> None:
    """A refused order says which field and why, and where in the typed line that field stands."""
    preview = check(line).preview(line)
    assert (preview.ok, preview.field) == (False, field)
    assert words in preview.error
    assert preview.caret is not None
    assert line[preview.caret :].startswith(pointed)


def test_without_a_price_what_waits_for_its_minimum_is_said_to_wait_for_a_quote() -> None:
    """A leg that nobody has quoted yet is not promised to leave nothing over."""
    checked = check_place(_place("sell 0.05 binance:SOLUSDT @ queue1 post hedge hyperliquid:SOL market"), DESK, _silent)
    assert checked.ok
    assert checked.remainder == "hyperliquid:SOL: what is worth less than 10 USDC waits, which needs a quote"


def _place(line: str) -> Place:
    place = parse(line)
    assert isinstance(place, Place)
    return place


def _silent(venue: str, ticker: str) -> None:
    """No contract is quoted."""


def test_a_good_order_previews_with_its_notional_and_remainder() -> None:
    """The preview carries the sentence, the notional and the remainder of each leg."""
    line = "sell 3.007 binance:SOLUSDT @ 134.65 hedge hyperliquid:SOL"
    preview = check(line).preview(line)
    assert (preview.ok, preview.error, preview.caret, preview.notional) == (True, "", None, D("404.89255"))
    assert preview.remainder == (
        "hyperliquid:SOL: 0.007 SOL is off the lot 0.01 and waits, "
        "up to 0.077 SOL waits if the last part filled is under the minimum 0.08 SOL (10 USDC)"
    )


@pytest.mark.parametrize(
    ("line", "warning"),
    [
        ("buy 3 binance:SOLUSDT @ 134.60", "it would cross the spread: 134.60 would meet the ask 134.60"),
        ("sell 3 binance:SOLUSDT @ 134.40", "it would cross the spread: 134.40 would meet the bid 134.50"),
        (
            "buy 3 binance:SOLUSDT @ 134.60 post",
            "post-only at 134.60 would meet the ask 134.60: the venue would refuse it now",
        ),
        ("buy 3 binance:SOLUSDT @ 134.50 ioc", "ioc would not fill now: the ask is 134.60"),
        ("buy 3 binance:SOLUSDT @ 113.00", "the price is 16.0% under the mid 134.550"),
        ("buy 3 hyperliquid:ETH @ 2700", "there is no quote of ETH on hyperliquid now"),
        ("buy 3 binance:SOLUSDT @ 134.50 hedge hyperliquid:ETH", "leg 1: hyperliquid:ETH is ETH, the order is SOL"),
        (
            "buy 0.05 binance:SOLUSDT @ 134.50 hedge hyperliquid:SOL",
            (
                "leg 1: the whole order's hedge of 0.05 SOL on hyperliquid:SOL is under the minimum 0.08 SOL "
                "(10 USDC): nothing is hedged until more fills"
            ),
        ),
        (
            "buy 1 binance:SOLUSDT @ 134.50 hedge hyperliquid:SOL worth 200",
            (
                "leg 1: the whole order's hedge of 1 SOL on hyperliquid:SOL is under the leg's threshold 1.49 SOL "
                "(200 USDC): nothing is hedged until more fills"
            ),
        ),
    ],
)
def test_what_may_surprise_is_warned_of(line: str, warning: str) -> None:
    """An order that stands but may not do what was meant carries exactly that warning."""
    checked = check(line)
    assert (checked.ok, checked.warnings) == (True, (warning,))


def test_an_ordinary_order_has_no_warnings() -> None:
    """A maker inside the market with a hedgeable size is not warned of."""
    assert check("buy 3 binance:SOLUSDT @ 134.50 post hedge hyperliquid:SOL").warnings == ()


@settings(max_examples=200, deadline=None)
@given(
    lots=st.integers(1, 5000),
    ratio=st.sampled_from([D(1), D("0.5"), D("0.333"), D(2)]),
    cuts=st.lists(st.integers(1, 5000), max_size=6),
    threshold=st.sampled_from(["", "above 0.5", "above 0.005", "worth 25", "worth 100 above 0.2"]),
    selling=st.booleans(),
)
def test_no_more_waits_than_was_said(
    lots: int, ratio: Decimal, cuts: list[int], threshold: str, *, selling: bool
) -> None:
    """However the fills come in, hedging each time in whole lots over the minimum leaves at most ``may_wait``."""
    amount = lots * BINANCE_SOL.lot_size
    place = Place(side=Side.SELL if selling else Side.BUY, amount=amount, venue="binance", ticker="SOLUSDT")
    leg = parse(f"buy 1 binance:SOLUSDT hedge x{ratio} hyperliquid:SOL {threshold}")
    assert isinstance(leg, Place)
    free = Contracts("binance", [msgspec.structs.replace(BINANCE_SOL, min_notional=D(0))])
    checked = check_place(msgspec.structs.replace(place, legs=leg.legs), {**DESK, "binance": free}, quote)
    (plan,) = checked.legs
    policy, minimum = leg.legs[0].policy, D(10)
    waiting = D(0)
    ends = sorted({*(cut for cut in cuts if cut < lots), lots})
    for start, end in zip([0, *ends], ends, strict=False):
        waiting += (end - start) * BINANCE_SOL.lot_size * ratio
        send = floor_to_step(waiting, HYPERLIQUID_SOL.lot_size)
        worth = send * D("134.50")
        taken = send > 0 and send >= policy.above_quantity and worth >= max(policy.above_value, minimum)
        waiting -= send if taken else 0
    assert plan.quantity == amount * ratio
    assert plan.off_lot <= waiting <= plan.may_wait
