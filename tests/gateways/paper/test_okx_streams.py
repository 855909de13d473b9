"""What the paper OKX front tells of the market: books and their chain, best prices, trades, tickers, marks."""

import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.gateways.paper.okx_client import MARKET, TICKER, PaperClient

D = Decimal
BOOKS = {"channel": "books", "instId": TICKER}


@pytest.fixture
def client() -> PaperClient:
    """A client of a venue with 25 levels a side around BTC 95,000."""
    made = PaperClient()
    made.ladder()
    return made


class KeptBook:
    """A book kept as the documentation says: each update follows the one before, a size of 0 removes a level."""

    def __init__(self) -> None:
        self.sides: dict[str, dict[str, str]] = {"bids": {}, "asks": {}}
        self.seq = 0

    def take(self, message: Any) -> None:
        (row,) = message["data"]
        if message["action"] == "snapshot":
            assert row["prevSeqId"] == -1
            self.sides = {"bids": {}, "asks": {}}
        else:
            assert row["prevSeqId"] == self.seq
        self.seq = row["seqId"]
        for side, levels in self.sides.items():
            for price, size, _, orders in row[side]:
                assert (size == "0") == (orders == "0")
                levels.pop(price, None)
                if size != "0":
                    levels[price] = size

    def best(self) -> dict[str, list[tuple[str, str]]]:
        bids = sorted(self.sides["bids"].items(), key=lambda level: -D(level[0]))
        return {"bids": bids, "asks": sorted(self.sides["asks"].items(), key=lambda level: D(level[0]))}


def asked(client: PaperClient) -> dict[str, list[tuple[str, str]]]:
    """The book as REST has it now."""
    (row,) = client.public("market/books", instId=TICKER, sz="400")
    return {side: [(level[0], level[1]) for level in row[side]] for side in ("bids", "asks")}


def first_of(client: PaperClient, connection: int, channel: dict[str, str]) -> Any:
    """The first message of a channel after its confirmation."""
    confirmed, first = client.subscribe(connection, channel)
    assert confirmed["event"] == "subscribe"
    assert first["arg"] == channel
    return first


def test_a_kept_book_is_the_venues_book(client: PaperClient) -> None:
    """Snapshot and updates in their chain make the book that REST answers."""
    connection, kept = client.connect(), KeptBook()
    kept.take(first_of(client, connection, BOOKS))
    assert kept.best() == asked(client)
    for price in ("94990", "95010.5", None, "95000.1"):
        client.house(TICKER, is_buy=True, price=price, quantity="0.7")
        client.wait(100)
    for message in client.heard(connection):
        kept.take(message)
    assert kept.best() == asked(client)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(st.booleans(), st.integers(-8, 8), st.integers(1, 80), st.booleans(), st.booleans()), max_size=25
    )
)
def test_every_subscription_has_its_own_whole_chain(steps: list[tuple[bool, int, int, bool, bool]]) -> None:
    """Whatever trades, and whenever a second one joins: both keep the book that REST answers."""
    client = PaperClient()
    client.ladder()
    kept: dict[int, KeptBook] = {}

    def join() -> None:
        connection = client.connect()
        kept[connection] = KeptBook()
        kept[connection].take(first_of(client, connection, BOOKS))

    join()
    for is_buy, ticks, size, ticking, joining in steps:
        price = str(D("95000") + D(ticks) / 10)
        client.house(TICKER, is_buy=is_buy, price=price, quantity=str(D(size) / 100))
        if joining and len(kept) < 3:
            join()
        if ticking:
            client.wait(100)
    client.wait(100)
    for connection, book in kept.items():
        for message in client.heard(connection):
            book.take(message)
        assert book.best() == asked(client)


def test_a_book_without_changes_says_so_after_a_minute(client: PaperClient) -> None:
    """An update that changes nothing, with the sequence where it was."""
    connection = client.connect()
    snapshot = first_of(client, connection, BOOKS)
    for _ in range(6):
        client.say(connection, "ping")
        client.wait(10_000)
    (message,) = client.heard(connection)
    (row,) = message["data"]
    seq = snapshot["data"][0]["seqId"]
    assert (row["asks"], row["bids"], row["prevSeqId"], row["seqId"], row["checksum"]) == ([], [], seq, seq, 0)


def test_books_leave_every_hundred_milliseconds(client: PaperClient) -> None:
    """The changes of a tick are one message; what came back to where it was is told as it is."""
    connection = client.connect()
    first_of(client, connection, BOOKS)
    client.house(TICKER, is_buy=True, price="94990", quantity="0.1")
    client.house(TICKER, is_buy=True, price="94990", quantity="0.1")
    assert client.heard(connection) == []
    client.wait(100)
    (message,) = client.heard(connection)
    assert message["data"][0]["bids"] == [["94990", "20", "0", "1"]]
    client.wait(100)
    assert client.heard(connection) == []


def test_best_prices_are_told_at_once_and_only_when_they_change(client: PaperClient) -> None:
    """``bbo-tbt``: one level a side with its sequence."""
    connection = client.connect()
    channel = {"channel": "bbo-tbt", "instId": TICKER}
    (row,) = first_of(client, connection, channel)["data"]
    assert (row["bids"], row["asks"]) == ([["94999.9", "50", "0", "1"]], [["95000.1", "50", "0", "1"]])
    client.house(TICKER, is_buy=True, price="94990", quantity="0.1")
    assert client.heard(connection) == []
    client.house(TICKER, is_buy=True, price="95000", quantity="0.1")
    (row,) = client.heard(connection, "bbo-tbt")
    assert row["bids"] == [["95000", "10", "0", "1"]]


def test_five_levels_come_whole_every_time(client: PaperClient) -> None:
    """``books5`` needs nothing kept."""
    connection = client.connect()
    first_of(client, connection, {"channel": "books5", "instId": TICKER})
    client.house(TICKER, is_buy=False, price=None, quantity="0.6")
    client.wait(100)
    (row,) = client.heard(connection, "books5")
    assert [len(row[side]) for side in ("bids", "asks")] == [5, 5]
    assert (row["bids"][0][:2], row["instId"]) == (["94999.8", "40"], TICKER)


def test_trades_of_a_taker_at_a_price_are_one(client: PaperClient) -> None:
    """``trades`` counts them together by price, in the taker's direction; ``trades-all`` tells each."""
    client.house(TICKER, is_buy=False, price="95000.1", quantity="0.2")
    trades, every = client.connect(), client.connect("business")
    client.subscribe(trades, {"channel": "trades", "instId": TICKER})
    client.subscribe(every, {"channel": "trades-all", "instId": TICKER})
    client.order(sz="75", **MARKET)
    told = client.heard(trades, "trades")
    assert [(row["px"], row["sz"], row["side"], row["count"]) for row in told] == [
        ("95000.1", "70", "buy", "2"), ("95000.2", "5", "buy", "1"),
    ]  # fmt: skip
    assert [row["sz"] for row in client.heard(every, "trades-all")] == ["50", "20", "5"]


@pytest.mark.parametrize("channel", ["tickers", "mark-price", "funding-rate", "open-interest", "price-limit"])
def test_what_moves_by_itself_is_told_when_it_changes(client: PaperClient, channel: str) -> None:
    """A first message, more when something changed, none when nothing did."""
    connection = client.connect()
    first = first_of(client, connection, {"channel": channel, "instId": TICKER})
    assert first["data"][0]["instId"] == TICKER
    client.wait(10_000)
    client.heard(connection)
    client.say(connection, "ping")
    client.wait(10_000)
    assert client.heard(connection) == []
    client.exchange.set_mark(TICKER, D("96000"))
    client.order(sz="1", **MARKET)
    client.say(connection, "ping")
    client.wait(10_000)
    assert bool(client.heard(connection)) == (channel != "funding-rate")


def test_the_index_is_named_by_its_pair(client: PaperClient) -> None:
    """``index-tickers`` of BTC-USDT follows the mark."""
    connection = client.connect()
    channel = {"channel": "index-tickers", "instId": "BTC-USDT"}
    assert D(first_of(client, connection, channel)["data"][0]["idxPx"]) == client.exchange.mark(TICKER)
    client.exchange.set_mark(TICKER, D("96000"))
    client.wait(1_000)
    assert client.heard(connection, "index-tickers")[0]["idxPx"] == "96000"


def test_a_contract_that_changes_is_told_of(client: PaperClient) -> None:
    """``instruments``: all of them first, then those that changed."""
    connection = client.connect()
    first = first_of(client, connection, {"channel": "instruments", "instType": "SWAP"})
    assert len(first["data"]) == len(client.exchange.contracts)
    client.wait(100)
    assert client.heard(connection) == []
    client.exchange.halt(TICKER)
    client.wait(100)
    assert [(row["instId"], row["state"]) for row in client.heard(connection, "instruments")] == [(TICKER, "suspend")]


def test_a_channel_that_was_left_says_nothing(client: PaperClient) -> None:
    """After unsubscribing, and from an ended connection, no message and no gathering."""
    left, ended = client.connect(), client.connect()
    for connection in (left, ended):
        client.subscribe(connection, BOOKS, {"channel": "tickers", "instId": TICKER})
    client.say(left, {"op": "unsubscribe", "args": [BOOKS, {"channel": "tickers", "instId": TICKER}]})
    client.front.ws_closed(ended)
    client.house(TICKER, is_buy=True, price="94990", quantity="0.1")
    client.wait(1_000)
    assert client.heard(left) == client.heard(ended) == []


def test_subscribing_again_begins_with_a_snapshot(client: PaperClient) -> None:
    """As clients do that lost the chain."""
    connection, kept = client.connect(), KeptBook()
    first_of(client, connection, BOOKS)
    client.say(connection, {"op": "unsubscribe", "args": [BOOKS]})
    client.house(TICKER, is_buy=True, price="94990", quantity="0.1")
    client.wait(100)
    kept.take(first_of(client, connection, BOOKS))
    client.house(TICKER, is_buy=True, price="94991", quantity="0.1")
    client.wait(100)
    for message in client.heard(connection):
        kept.take(message)
    assert kept.best() == asked(client)


def test_fractions_are_texts(client: PaperClient) -> None:
    """No message of the market carries a number with a point that is not in quotes."""
    connection = client.connect()
    channels = ("books", "books5", "bbo-tbt", "trades", "tickers", "mark-price", "open-interest", "price-limit")
    client.subscribe(connection, *({"channel": name, "instId": TICKER} for name in channels))
    for _ in range(5):
        client.house(TICKER, is_buy=True, price=None, quantity="0.3")
        client.wait(100)
    texts = [push.text for push in client.pushes if push.connection == connection]
    assert len(texts) > 20
    assert not any(re.search(r"[:,\[][0-9]+\.[0-9]", text) for text in texts)
