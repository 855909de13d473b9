"""The command grammar: what lines mean, that lines and commands are inverse, and what refusals say."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from console.commands import (
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
    Resume,
    Sleep,
    Verify,
    WaitIdle,
)
from console.language import GrammarError, complete, field_column, parse, parse_script_line, render
from gateways.standards import PRICE_LEVELS, OrderKind, PriceRule, PriceSide, Side, TimeInForce
from oms.hedge.policy import How, Leg, Policy, Rung

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
                LegSpec(venue="binance", ticker="ETHUSDT", policy=How.IOC, bps=Decimal(8)),
                LegSpec(venue="bybit", ticker="ETHUSDT", ratio=Decimal("0.5"), after_ms=250),
            ),
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
    ("forfeit hyperliquid:SOL", Forfeit("hyperliquid", "SOL")),
    ("pause hyperliquid:SOL", Pause("hyperliquid", "SOL")),
    ("resume hyperliquid:SOL", Resume("hyperliquid", "SOL")),
    ("reconcile", Reconcile()),
    ("reconcile binance", Reconcile("binance")),
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
            policy=Policy(rungs=(Rung(how=How.IOC, slippage_bps=Decimal(8)),), trigger_after_ms=250),
        ),
    ]


# ------------------------------------------------------------------- properties

amounts = st.decimals(min_value="0.000000000001", max_value=10**15 - 1, places=12).filter(lambda value: value > 0)
venues = st.from_regex(r"[a-z][a-z0-9_-]{0,31}", fullmatch=True)
tickers = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=40).filter(str.isprintable)
cloids = st.from_regex(r"[0-9a-f]{4,32}", fullmatch=True)
times = st.integers(0, 86_400_000)
rules = st.builds(PriceRule, st.sampled_from(PriceSide), st.sampled_from(PRICE_LEVELS))
ratios = st.decimals(min_value="0.000001", max_value=1000, places=6)
slippages = st.decimals(min_value="0.01", max_value=10_000, places=2)
common_leg = {"venue": venues, "ticker": tickers, "ratio": ratios, "after_ms": times}
legs = st.one_of(
    st.builds(LegSpec, **common_leg),
    st.builds(LegSpec, **common_leg, policy=st.just(How.IOC), bps=slippages),
)
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
    legs=st.lists(legs, max_size=8).map(tuple),
)
amends = st.builds(Amend, cloid=cloids, amount=st.none() | amounts, price=st.none() | amounts).filter(
    lambda amend: amend.amount is not None or amend.price is not None
)
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
    *(st.builds(kind, venues, tickers) for kind in (HedgeNow, Forfeit, Pause, Resume)),
    st.builds(Reconcile, st.none() | venues),
    st.builds(Sleep, times),
    st.builds(WaitIdle, times),
    st.sampled_from([Cancel(), Flatten(), Panic(), Disarm(), Verify(), Quit()]),
)
SPOKEN = """buy sell amend cancel flatten hedge now wait idle all bids @ queue5 market ioc 8bps after 2s x0.5 post
reduce 1 0.5 -1 binance:ETHUSDT hyperliquid:ETH binance 7f3a #"""
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


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.text(max_size=80), spoken))
@example("cancel \x00:\x00")
@example("buy 1 a:b hedge x")
@example("@@@")
def test_any_text_is_a_command_or_a_grammar_error(text: str) -> None:
    """No text makes the parser raise anything but GrammarError, with a caret inside the line or at its end."""
    refused = refusal(text)
    if refused is None:
        command = parse(text)
        assert parse(render(command)) == command
    else:
        assert 0 <= refused.caret <= len(text)
        assert refused.text


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
        ("verify now b", []),
        ("# b", []),
    ],
)
def test_completion_is_the_grammar(text: str, lines: list[str]) -> None:
    """Completion offers the verbs, words and contracts that the grammar allows at the place, and nothing else."""
    assert complete(text, VENUES) == lines


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
