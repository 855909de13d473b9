"""The command grammar: what lines mean, that lines and commands are inverse, and what refusals say."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from console.commands import (
    Absent,
    Activate,
    Amend,
    Cancel,
    CancelById,
    Command,
    Disarm,
    Flatten,
    Forfeit,
    HedgeNow,
    LegSpec,
    Panic,
    Pause,
    Place,
    Quit,
    Reconcile,
    Reconnect,
    Reopen,
    Resume,
    RoundUp,
    Sleep,
    Verify,
    WaitIdle,
)
from console.language import GrammarError, complete, field_at, field_column, parse, parse_script_line, render
from console.rows import legs_text
from gateways.standards import PRICE_LEVELS, OrderKind, PriceRule, PriceSide, Side, TimeInForce
from oms.hedge.policy import How, Leg, OnFailure, Policy, Rung

IOC_8BPS = Rung(how=How.IOC, slippage_bps=Decimal(8))
VENUES = {"binance": ["ETHUSDT", "BTCUSDT"], "hyperliquid": ["ETH", "kPEPE"]}

MEANINGS: list[tuple[str, Command]] = [
    (
        "sell 3 binance:SOLUSDT @ queue5 post hedge hyperliquid:SOL market",
        Place(
            side=Side.SELL,
            amount=Decimal(3),
            venue="binance",
            ticker="SOLUSDT",
            price=PriceRule(PriceSide.QUEUE, 5),
            post=True,
            legs=(LegSpec(venue="hyperliquid", ticker="SOL"),),
        ),
    ),
    (
        "buy 0.5 hyperliquid:ETH @ 2431.5 hedge binance:ETHUSDT ioc 8bps hedge x0.5 bybit:ETHUSDT after 250ms",
        Place(
            side=Side.BUY,
            amount=Decimal("0.5"),
            venue="hyperliquid",
            ticker="ETH",
            price=Decimal("2431.5"),
            legs=(
                LegSpec(venue="binance", ticker="ETHUSDT", policy=Policy(rungs=(IOC_8BPS,))),
                LegSpec(venue="bybit", ticker="ETHUSDT", ratio=Decimal("0.5"), policy=Policy(trigger_after_ms=250)),
            ),
        ),
    ),
    (
        (
            "sell 1 binance:ETHUSDT hedge hyperliquid:ETH unwind join 2s then IOC 5ticks then ioc .5bps then market "
            "after 1s above 0.1 worth 25 reduce"
        ),
        Place(
            side=Side.SELL,
            amount=Decimal(1),
            venue="binance",
            ticker="ETHUSDT",
            legs=(
                LegSpec(
                    venue="hyperliquid",
                    ticker="ETH",
                    policy=Policy(
                        rungs=(
                            Rung(how=How.JOIN, for_ms=2000),
                            Rung(how=How.IOC, slippage_ticks=5),
                            Rung(how=How.IOC, slippage_bps=Decimal("0.5")),
                            Rung(),
                        ),
                        trigger_after_ms=1000,
                        above_quantity=Decimal("0.1"),
                        above_value=Decimal(25),
                        reduce_only=True,
                        on_failure=OnFailure.UNWIND,
                    ),
                ),
            ),
        ),
    ),
    (
        "buy 1 binance:ETHUSDT reduce hedge hyperliquid:ETH ioc 0bps hold",
        Place(
            side=Side.BUY,
            amount=Decimal(1),
            venue="binance",
            ticker="ETHUSDT",
            reduce=True,
            legs=(LegSpec(venue="hyperliquid", ticker="ETH", policy=Policy(rungs=(Rung(how=How.IOC),))),),
        ),
    ),
    ("buy 1 binance:ETHUSDT", Place(side=Side.BUY, amount=Decimal(1), venue="binance", ticker="ETHUSDT")),
    ("BUY .5 Binance:ethusdt @ MARKET", Place(side=Side.BUY, amount=Decimal("0.5"), venue="binance", ticker="ethusdt")),
    (
        "sell 1 hyperliquid:kPEPE reduce FOK @0.01",
        Place(
            side=Side.SELL,
            amount=Decimal(1),
            venue="hyperliquid",
            ticker="kPEPE",
            price=Decimal("0.01"),
            reduce=True,
            tif=TimeInForce.FOK,
        ),
    ),
    (
        "buy 1 hyperliquid:xyz:GOLD @ opponent ioc # a ticker with a colon, and a comment",
        Place(
            side=Side.BUY,
            amount=Decimal(1),
            venue="hyperliquid",
            ticker="xyz:GOLD",
            price=PriceRule(PriceSide.OPPONENT, 1),
            tif=TimeInForce.IOC,
        ),
    ),
    ("amend 7F3A amount 2 @ 134.5", Amend(cloid="7f3a", amount=Decimal(2), price=Decimal("134.5"))),
    ("amend 0x7f3a @ 134.5", Amend(cloid="7f3a", price=Decimal("134.5"))),
    ("cancel 7f3a", CancelById("7f3a")),
    ("cancel 1234", CancelById("1234")),
    ("cancel binance:SOLUSDT", Cancel(venue="binance", ticker="SOLUSDT")),
    ("cancel bids binance:SOLUSDT", Cancel(venue="binance", ticker="SOLUSDT", side=Side.BUY)),
    ("cancel offers binance:SOLUSDT", Cancel(venue="binance", ticker="SOLUSDT", side=Side.SELL)),
    ("cancel binance", Cancel(venue="binance")),
    ("cancel all", Cancel()),
    ("flatten hyperliquid:SOL", Flatten(venue="hyperliquid", ticker="SOL")),
    ("flatten hyperliquid", Flatten(venue="hyperliquid")),
    ("flatten all", Flatten()),
    ("panic", Panic()),
    ("disarm", Disarm()),
    ("activate", Activate()),
    ("hedge now hyperliquid:SOL", HedgeNow("hyperliquid", "SOL")),
    ("hedge now a:B because  the Desk  said so # not this", HedgeNow("a", "B", "the Desk said so")),
    ("round up hyperliquid:SOL", RoundUp("hyperliquid", "SOL")),
    ("round up a:B because of @5 or so", RoundUp("a", "B", "of @5 or so")),
    ("reopen -0.25 hyperliquid:SOL", Reopen(amount=Decimal("-0.25"), venue="hyperliquid", ticker="SOL")),
    ("reopen +2 a:B because of ADL", Reopen(amount=Decimal(2), venue="a", ticker="B", reason="of ADL")),
    ("forfeit hyperliquid:SOL", Forfeit(venue="hyperliquid", ticker="SOL")),
    ("forfeit -0.5 a:B because dust", Forfeit(amount=Decimal("-0.5"), venue="a", ticker="B", reason="dust")),
    ("absent 0x7F3A", Absent(cloid="7f3a")),
    ("absent 7f3a confirmed because they say so", Absent(cloid="7f3a", confirmed=True, reason="they say so")),
    ("pause hyperliquid:SOL", Pause("hyperliquid", "SOL")),
    ("pause hyperliquid:SOL because lunch", Pause("hyperliquid", "SOL", "lunch")),
    ("resume hyperliquid:SOL", Resume("hyperliquid", "SOL")),
    ("resume a:B because the margin is there", Resume("a", "B", "the margin is there")),
    ("reconcile", Reconcile()),
    ("reconcile binance", Reconcile("binance")),
    ("reconnect", Reconnect()),
    ("reconnect binance", Reconnect("binance")),
    ("verify", Verify()),
    ("sleep 0.5s", Sleep(500)),
    ("wait idle 10s", WaitIdle(10_000)),
    ("quit", Quit()),
]


@pytest.mark.parametrize(("line", "command"), MEANINGS, ids=[line for line, _ in MEANINGS])
def test_a_line_means_its_command(line: str, command: Command) -> None:
    """Each line of the grammar means exactly one command, keywords in any case, tickers as given."""
    assert parse(line) == command


REFUSALS = [
    ("byu 3 binance:ETHUSDT", 0, "did you mean buy"),
    ("xyzzy", 0, "the commands are buy, sell, amend"),
    ("buy", 3, "the amount"),
    ("buy three binance:ETHUSDT", 4, "'three'"),
    ("buy 3 binance", 6, "VENUE:TICKER"),
    ("buy 3 binance: @ 5", 6, "VENUE:TICKER"),
    ("buy 3", 5, "VENUE:TICKER"),
    ("buy 3 binance:ETHUSDT @", 23, "the price"),
    ("buy 3 binance:ETHUSDT @ queue7", 24, "1, 5, 10 or 20"),
    ("buy 3 binance:ETHUSDT @ -5", 24, "above zero"),
    ("buy 3 binance:ETHUSDT soon", 22, "post, reduce, gtc, ioc, fok, hedge"),
    ("buy 3 binance:ETHUSDT post post", 27, "'post'"),
    ("buy 3 binance:ETHUSDT gtc ioc", 26, "'ioc'"),
    ("buy 3 binance:ETHUSDT hedge", 27, "VENUE:TICKER"),
    ("buy 3 binance:ETHUSDT hedge x0 hyperliquid:ETH", 28, "ratio"),
    ("buy 3 binance:ETHUSDT hedge x1001 hyperliquid:ETH", 28, "at most x1000"),
    ("buy 3 binance:ETHUSDT hedge hyperliquid:ETH post", 44, "before its first hedge"),
    ("buy 3 binance:ETHUSDT hedge hyperliquid:ETH ioc", 47, "8bps"),
    ("buy 3 binance:ETHUSDT hedge hyperliquid:ETH ioc 8", 48, "8bps"),
    ("buy 3 binance:ETHUSDT hedge hyperliquid:ETH ioc 10001bps", 48, "at most 10000bps"),
    ("buy 3 binance:ETHUSDT hedge hyperliquid:ETH after 0.5ms", 50, "whole milliseconds"),
    ("buy 3 binance:ETHUSDT hedge hyperliquid:ETH after 2d", 50, "250ms or 2s"),
    ("buy 3 a:B hedge c:D join 2s", 27, "a joined order may never fill"),
    ("buy 3 a:B hedge c:D join 2s after 1s", 28, "a joined order may never fill"),
    ("buy 3 a:B hedge c:D join 2s then join 1s", 40, "a joined order may never fill"),
    ("buy 3 a:B hedge c:D join 0s then market", 25, "above zero"),
    ("buy 3 a:B hedge c:D join then market", 25, "250ms or 2s"),
    ("buy 3 a:B hedge c:D market then ioc 8bps", 27, "market ends a ladder"),
    ("buy 3 a:B hedge c:D ioc 8bps then", 33, "market, ioc 8bps or join 2s"),
    ("buy 3 a:B hedge c:D ioc 8bps then sell", 34, "market, ioc 8bps or join 2s"),
    ("buy 3 a:B hedge c:D ioc 8bps market", 29, "allowed is then, after, above"),
    ("buy 3 a:B hedge c:D ioc 1.5ticks", 24, "whole ticks"),
    ("buy 3 a:B hedge c:D ioc 10001ticks", 24, "at most 10000ticks"),
    ("buy 3 a:B hedge c:D ioc bps", 24, "plain number"),
    ("buy 3 a:B hedge c:D" + " then".join([" ioc 8bps"] * 6), 85, "at most 5 rungs"),
    ("buy 3 a:B hedge c:D above 0", 26, "must be above zero"),
    ("buy 3 a:B hedge c:D worth much", 26, "plain number"),
    ("buy 3 a:B hedge c:D hold unwind", 25, "'unwind' is not understood here"),
    ("round binance:ETHUSDT", 6, "round up binance:ETHUSDT"),
    ("reopen binance:ETHUSDT", 7, "0.5 or -0.5"),
    ("reopen 0 binance:ETHUSDT", 7, "must not be zero"),
    ("reopen --1 binance:ETHUSDT", 7, "0.5 or -0.5"),
    ("reopen -1", 9, "VENUE:TICKER"),
    ("forfeit all binance:ETHUSDT", 8, "0.5 or -0.5"),
    ("absent binance:ETHUSDT", 7, "4 to 32 hex digits"),
    ("absent 7f3a surely", 12, "confirmed, because or the end"),
    ("pause a:B because", 17, "the reason after because is missing"),
    ("pause a:B because # of this", 17, "the reason after because is missing"),
    ("pause a:B because \x1b[31m", 18, "printable"),
    ("pause a:B because " + "x" * 201, 18, "at most 200 characters"),
    ("amend 7f3 @ 5", 6, "4 to 32 hex digits"),
    ("amend 7f3a", 10, "a new amount, a new price"),
    ("amend 7f3a @ queue5", 13, "plain number"),
    ("cancel", 6, "bids or offers"),
    ("cancel 7f3", 7, "4 to 32 hex digits"),
    ("cancel bids binance", 12, "VENUE:TICKER"),
    ("cancel all now", 11, "the line ends before it"),
    ("flatten", 7, "what to flatten"),
    ("hedge hyperliquid:SOL", 6, "hedge now"),
    ("sleep 25h", 6, "250ms or 2s"),
    ("sleep 90000s", 6, "at most a day"),
    ("wait 10s", 5, "wait idle 10s"),
    ("", 0, "nothing was typed"),
    ("# only a comment", 0, "nothing was typed"),
]


@pytest.mark.parametrize(("line", "caret", "words"), REFUSALS, ids=[line or "blank" for line, _, _ in REFUSALS])
def test_a_refusal_points_at_the_place_and_says_what_is_allowed(line: str, caret: int, words: str) -> None:
    """What is not of the grammar is refused with one sentence and the column it is about."""
    with pytest.raises(GrammarError) as refused:
        parse(line)
    assert (refused.value.caret, "\n" in refused.value.text) == (caret, False)
    assert words in refused.value.text


@pytest.mark.parametrize(
    "amount", ["0", "0.000", "-1", "+1", "nan", "NaN", "inf", "-inf", "1e5", "1_000", "1,000", "1.", "٣", "0x10", "½"]
)
def test_an_amount_is_a_plain_number_above_zero(amount: str) -> None:
    """Zero, signs, exponents, separators, other alphabets and what is not a number are refused at the amount."""
    with pytest.raises(GrammarError) as refused:
        parse(f"buy {amount} binance:ETHUSDT @ 5")
    assert refused.value.caret == 4


@pytest.mark.parametrize("amount", ["1" * 16, "0." + "1" * 13])
def test_an_amount_that_arithmetic_would_round_is_refused(amount: str) -> None:
    """More digits than exact decimal arithmetic holds are refused instead of rounded."""
    with pytest.raises(GrammarError, match="15 digits before the point and 12 after"):
        parse(f"buy {amount} binance:ETHUSDT")


def test_a_ninth_leg_is_refused() -> None:
    """An order has at most eight legs."""
    line = "buy 1 binance:ETHUSDT" + "".join(f" hedge v{number}:ETH" for number in range(9))
    with pytest.raises(GrammarError, match="at most 8 hedge legs") as refused:
        parse(line)
    assert refused.value.caret == line.rindex("hedge")


def test_a_line_longer_than_any_order_is_refused() -> None:
    """A line over two thousand characters is refused without being read."""
    with pytest.raises(GrammarError, match="at most 2000 characters"):
        parse("buy 1 binance:ETHUSDT" + " " * 2000)


@pytest.mark.parametrize("line", ["", "   ", "\n", "# a comment", "   # sell 3 binance:SOLUSDT\n"])
def test_a_script_passes_over_blank_lines_and_comments(line: str) -> None:
    """Blank lines and comments say nothing in a script."""
    assert parse_script_line(line) is None


def test_a_script_line_is_a_line_of_the_grammar() -> None:
    """A script's lines mean what they mean everywhere, and are refused alike."""
    assert parse_script_line("cancel all # now\n") == Cancel()
    with pytest.raises(GrammarError):
        parse_script_line("cancle all\n")


def test_an_order_is_signed_by_its_side() -> None:
    """A sell becomes a negative amount; a price is a limit, none is a market order, a rule stays a rule."""
    sell = parse("sell 3 binance:SOLUSDT @ 134.5 post reduce")
    assert isinstance(sell, Place)
    order = sell.order("ab" * 16)
    assert (order.amount, order.kind, order.price) == (Decimal(-3), OrderKind.LIMIT, Decimal("134.5"))
    assert (order.post_only, order.reduce_only, order.cloid) == (True, True, "ab" * 16)
    market = parse("buy 3 binance:SOLUSDT")
    assert isinstance(market, Place)
    assert (market.order("").amount, market.order("").kind, market.order("").price) == (3, OrderKind.MARKET, None)
    queue = parse("buy 3 binance:SOLUSDT @ queue5")
    assert isinstance(queue, Place)
    assert (queue.order("").kind, queue.order("").price_rule) == (OrderKind.LIMIT, PriceRule(PriceSide.QUEUE, 5))


def test_a_leg_hedges_the_opposite_way() -> None:
    """A leg's ratio without a sign becomes the engine's negative one; its policy and delay go with it."""
    place = parse("buy 1 binance:ETHUSDT hedge hyperliquid:ETH hedge x0.5 bybit:ETHUSDT ioc 8bps after 250ms")
    assert isinstance(place, Place)
    assert [leg.leg() for leg in place.legs] == [
        Leg(venue="hyperliquid", ticker="ETH", ratio=Decimal(-1)),
        Leg(
            venue="bybit",
            ticker="ETHUSDT",
            ratio=Decimal("-0.5"),
            policy=Policy(rungs=(IOC_8BPS,), trigger_after_ms=250),
        ),
    ]
    assert [LegSpec.of(leg.leg()) for leg in place.legs] == list(place.legs)


def test_an_orders_legs_read_back_as_its_legs() -> None:
    """The words that the orders page keeps of an order's legs are those that placed it: a clone hedges alike."""
    line = "buy 1 a:B @ market hedge x0.5 c:D join 2000ms then market reduce hedge e:F ioc 8bps after 250ms"
    place = parse(line)
    assert isinstance(place, Place)
    assert f"buy 1 a:B @ market {legs_text(leg.leg() for leg in place.legs)}" == line


# ------------------------------------------------------------------- properties

amounts = st.decimals(min_value="0.000000000001", max_value=10**15 - 1, places=12).filter(lambda value: value > 0)
venues = st.from_regex(r"[a-z][a-z0-9_-]{0,31}", fullmatch=True)
tickers = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=40).filter(str.isprintable)
cloids = st.from_regex(r"[0-9a-f]{4,32}", fullmatch=True)
times = st.integers(0, 86_400_000)
rules = st.builds(PriceRule, st.sampled_from(PriceSide), st.sampled_from(PRICE_LEVELS))
ratios = st.decimals(min_value="0.000001", max_value=1000, places=6)
slippages = st.decimals(min_value=0, max_value=10_000, places=2)
joins = st.builds(Rung, how=st.just(How.JOIN), for_ms=st.integers(1, 86_400_000))
iocs = st.one_of(
    st.builds(Rung, how=st.just(How.IOC), slippage_bps=slippages),
    st.builds(Rung, how=st.just(How.IOC), slippage_ticks=st.integers(1, 10_000)),
)
ladders = st.tuples(st.lists(joins | iocs, max_size=4), iocs | st.just(Rung())).map(lambda rungs: (*rungs[0], rungs[1]))
policies = st.builds(
    Policy,
    rungs=ladders,
    trigger_after_ms=times,
    above_quantity=st.just(Decimal(0)) | amounts,
    above_value=st.just(Decimal(0)) | amounts,
    reduce_only=st.booleans(),
    on_failure=st.sampled_from(OnFailure),
)
legs = st.builds(LegSpec, venue=venues, ticker=tickers, ratio=ratios, policy=policies)
places = st.builds(
    Place,
    side=st.sampled_from(Side),
    amount=amounts,
    venue=venues,
    ticker=tickers,
    price=st.one_of(st.none(), amounts, rules),
    post=st.booleans(),
    reduce=st.booleans(),
    tif=st.sampled_from(TimeInForce),
    legs=st.lists(legs, max_size=4).map(tuple),
)
amends = st.builds(Amend, cloid=cloids, amount=st.none() | amounts, price=st.none() | amounts).filter(
    lambda amend: amend.amount is not None or amend.price is not None
)
signed = st.one_of(amounts, amounts.map(lambda amount: -amount))
said = st.text(st.characters(categories=["L", "N", "P", "S"], exclude_characters="#"), min_size=1, max_size=20)
reasons = st.lists(said.filter(str.isprintable), max_size=8).map(" ".join)
words_of_scope = ("all", "bids", "offers")
scope_venues = venues.filter(lambda name: name not in words_of_scope and not set(name) <= set("0123456789abcdef"))
commands: st.SearchStrategy[Command] = st.one_of(
    places,
    amends,
    st.builds(CancelById, cloids),
    st.builds(Cancel, venue=scope_venues),
    st.builds(Cancel, venue=venues, ticker=tickers, side=st.none() | st.sampled_from(Side)),
    st.builds(Flatten, venue=scope_venues),
    st.builds(Flatten, venue=venues, ticker=tickers),
    *(st.builds(kind, venues, tickers, reasons) for kind in (HedgeNow, RoundUp, Pause, Resume)),
    st.builds(Reopen, amount=signed, venue=venues, ticker=tickers, reason=reasons),
    st.builds(Forfeit, amount=st.none() | signed, venue=venues, ticker=tickers, reason=reasons),
    st.builds(Absent, cloid=cloids, confirmed=st.booleans(), reason=reasons),
    st.builds(Reconcile, st.none() | venues),
    st.builds(Reconnect, st.none() | venues),
    st.builds(Sleep, times),
    st.builds(WaitIdle, times),
    st.sampled_from([Cancel(), Flatten(), Panic(), Disarm(), Verify(), Quit()]),
)
SPOKEN = """buy sell amend cancel flatten hedge now wait idle all bids @ queue5 market ioc 8bps after 2s x0.5 post
reduce 1 0.5 -1 join then 2ticks above worth hold escalate unwind round up reopen forfeit absent confirmed because
binance:ETHUSDT hyperliquid:ETH binance 7f3a #"""
spoken = st.lists(st.sampled_from(SPOKEN.split()), max_size=12).map(" ".join)


def refusal(line: str) -> GrammarError | None:
    """How the parser refuses a line, None where it takes it."""
    try:
        parse(line)
    except GrammarError as refused:
        return refused
    return None


@settings(max_examples=200, deadline=None)
@given(commands)
def test_lines_and_commands_are_inverse(command: Command) -> None:
    """Reading the canonical line of a command gives the command back."""
    assert parse(render(command)) == command


@settings(max_examples=200, deadline=None)
@given(commands)
def test_commands_survive_serialization(command: Command) -> None:
    """A command can cross a process boundary and come back the same."""
    assert msgspec.json.decode(msgspec.json.encode(command), type=Command) == command


lines = st.one_of(st.text(max_size=80), spoken)


def check_line(text: str) -> None:
    """A text is a command that reads back the same, or a refusal with a caret inside it or at its end."""
    refused = refusal(text)
    if refused is None:
        command = parse(text)
        assert parse(render(command)) == command
    else:
        assert 0 <= refused.caret <= len(text)
        assert refused.text
        assert "\n" not in refused.text


@settings(max_examples=200, deadline=None)
@given(lines)
@example("cancel \x00:\x00")
@example("buy 1 a:b hedge x")
@example("@@@")
def test_any_text_is_a_command_or_a_grammar_error(text: str) -> None:
    """No text makes the parser raise anything but GrammarError, with a caret inside the line or at its end."""
    check_line(text)


@settings(max_examples=200, deadline=None)
@given(spoken)
def test_what_completion_offers_the_grammar_takes_so_far(text: str) -> None:
    """A completed word is never the one that the parser refuses."""
    for line in complete(text, VENUES):
        refused = refusal(line)
        word = line.rstrip().rfind(" ") + 1
        assert refused is None or line.endswith(":") or refused.caret > word, (line, refused.text)


# ------------------------------------------------------------------- completion


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("b", ["buy "]),
        ("CANC", ["cancel "]),
        ("buy 1 bi", ["buy 1 binance:"]),
        ("buy 1 binance:e", ["buy 1 binance:ETHUSDT "]),
        ("buy 1 hyperliquid:K", ["buy 1 hyperliquid:kPEPE "]),
        (
            "buy 1 binance:ETHUSDT @op",
            [f"buy 1 binance:ETHUSDT @opponent{n} " for n in (1, 5, 10, 20)] + ["buy 1 binance:ETHUSDT @opponent "],
        ),
        ("buy 1 binance:ETHUSDT post r", ["buy 1 binance:ETHUSDT post reduce "]),
        ("buy 1 binance:ETHUSDT hedge hyperliquid:E", ["buy 1 binance:ETHUSDT hedge hyperliquid:ETH "]),
        ("flatten h", ["flatten hyperliquid:", "flatten hyperliquid "]),
        ("reconcile b", ["reconcile binance "]),
        ("wait ", ["wait idle "]),
        ("buy nonsense bi", []),
        ("buy 1 a:B hedge c:D m", ["buy 1 a:B hedge c:D market "]),
        ("buy 1 a:B hedge c:D join 2s ", ["buy 1 a:B hedge c:D join 2s then "]),
        (
            "buy 1 a:B hedge c:D join 2s then ",
            [f"buy 1 a:B hedge c:D join 2s then {how} " for how in ("market", "ioc", "join")],
        ),
        ("buy 1 a:B hedge c:D ioc 8bps a", [f"buy 1 a:B hedge c:D ioc 8bps {word} " for word in ("after", "above")]),
        ("buy 1 a:B hedge c:D market un", ["buy 1 a:B hedge c:D market unwind "]),
        ("forfeit hy", ["forfeit hyperliquid:"]),
        ("round ", ["round up "]),
        ("absent 7f3a c", ["absent 7f3a confirmed "]),
        ("pause a:B b", ["pause a:B because "]),
        ("pause a:B because b", []),
        ("verify now b", []),
        ("# b", []),
    ],
)
def test_completion_is_the_grammar(text: str, lines: list[str]) -> None:
    """Completion offers the verbs, words and contracts that the grammar allows at the place, and nothing else."""
    assert complete(text, VENUES) == lines


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("buy three binance:ETHUSDT", "amount"),
        ("buy 3 binance", "venue"),
        ("buy 3 binance:ETHUSDT @ queue7", "price"),
        ("buy 3 binance:ETHUSDT @ 5 hedge x0 a:B", "leg 1 ratio"),
        ("buy 3 binance:ETHUSDT @ 5 hedge a:B hedge c:D ioc 8", "leg 2 policy"),
        ("buy 3 binance:ETHUSDT @ 5 hedge a:B join 2s", "leg 1 policy"),
        ("buy 3 binance:ETHUSDT @ 5 hedge a:B above much", "leg 1 above"),
        ("byu 3 binance:ETHUSDT", ""),
    ],
)
def test_a_refusal_is_about_the_field_where_its_caret_stands(line: str, field: str) -> None:
    """A form can show what the grammar says beside the field that it is about."""
    with pytest.raises(GrammarError) as refused:
        parse(line)
    assert field_at(line, refused.value.caret) == field


@pytest.mark.parametrize(
    ("field", "column"),
    [
        ("amount", 4),
        ("venue", 8),
        ("ticker", 16),
        ("price", 26),
        ("leg 1 ratio", 41),
        ("leg 1 ticker", 58),
        ("tif", None),
    ],
)
def test_a_checked_field_is_found_in_its_line(field: str, column: int | None) -> None:
    """What a check names can be pointed at in the line that was typed."""
    line = "buy 0.5 binance:ETHUSDT @ 2431.5 hedge   x0.5 hyperliquid:ETH"
    assert field_column(line, field) == column
