"""The desk's log: one chain of ids from an act to its hedges, bounded, private, without secrets, in nobody's way."""

import io
import json
import logging
import stat
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from console.headless import run_headless
from console.link import Reply
from console.log_records import log, log_unread
from console.logs import LOG, JsonLines, LogFile, Outbox, _Writer, desk_log, logged, secrets_of
from console.starting import Start, UsageError
from gateways.errors import Rejected
from gateways.paper.sockets import PaperServer, running
from gateways.transport.redact import Redactor
from gateways.venue import Endpoints

SECRET = "canary-secret-0123456789"
PLACE = Endpoints(rest="http://127.0.0.1:1", ws="ws://127.0.0.1:1", key="canary-key-0123456789", secret=SECRET)


def lines_of(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def one(lines: list[dict], **fields: object) -> dict:
    [found] = [line for line in lines if fields.items() <= line.items()]
    return found


async def test_ids_lead_from_an_act_to_its_request_its_fills_and_their_hedges(tmp_path: Path) -> None:
    """Command to order by ``act`` and ``cloid``, order to fills by both ids, hedge to maker by ``makers``."""

    async def script() -> AsyncIterator[str]:
        yield "buy 0.01 hyperliquid:ETH @ opponent1 ioc hedge binance:ETHUSDT"
        yield "wait idle 10s"

    folder = tmp_path / "desk"
    async with running(PaperServer(("binance", "hyperliquid"), seed=5)) as server:
        with desk_log(folder, server.endpoints) as path:
            assert await run_headless(server.endpoints, script(), io.StringIO(), folder=folder) == 0
        secrets = [place.secret for place in server.endpoints.values()]
    lines = lines_of(path)
    command = next(line for line in lines if line["event"] == "command" and line["line"].startswith("buy"))
    maker = one(lines, event="reply", act=command["act"], ok=True)["cloid"]
    request = one(lines, event="request", act=command["act"], verb="place")
    assert request["cloids"] == [maker]
    fill = next(line for line in lines if line["event"] == "fill" and line["cloid"] == maker)
    assert fill["oid"] == next(line["oid"] for line in lines if line["event"] == "order" and line.get("oid"))
    hedge = next(line for line in lines if line["event"] == "sent" and maker in line["makers"])["cloid"]
    assert one(lines, event="request", venue="binance", verb="place")["cloids"] == [hedge]
    answer = next(line for line in lines if line["event"] == "fill" and line["cloid"] == hedge)
    assert answer["makers"] == [maker]
    assert answer["trade_id"]
    assert not any(secret in path.read_text() for secret in secrets)


def test_old_files_are_dropped_and_every_file_is_its_owners_alone(tmp_path: Path) -> None:
    """However much is logged: the present file and two old ones, none over its bound, none readable by others."""
    file = LogFile(tmp_path / "log.jsonl", size=2_000, old=2)
    file.setFormatter(JsonLines(Redactor()))
    for number in range(200):
        file.handle(logging.makeLogRecord({"msg": "x" * 50, "levelname": "INFO", "fields": {"number": number}}))
    file.close()
    files = sorted(tmp_path.iterdir())
    assert [each.name for each in files] == ["log.jsonl", "log.jsonl.1", "log.jsonl.2"]
    assert all(each.stat().st_size <= 2_000 for each in files)
    assert {stat.S_IMODE(each.stat().st_mode) for each in files} == {0o600}
    assert lines_of(files[0])[-1]["number"] == 199


def test_who_logs_never_waits_for_the_disk_and_what_is_lost_is_told(tmp_path: Path) -> None:
    """With a disk that hangs the queue fills up and the rest is counted; when it goes on, a line tells how many."""
    gate, stuck = threading.Event(), threading.Event()

    class Hanging(LogFile):
        def emit(self, record: logging.LogRecord) -> None:
            stuck.set()
            gate.wait()
            super().emit(record)

    file = Hanging(tmp_path / "log.jsonl")
    file.setFormatter(JsonLines(Redactor()))
    outbox = Outbox(waiting=3)
    writer = _Writer(outbox, file)
    writer.start()
    outbox.handle(logging.makeLogRecord({"msg": "first", "levelname": "INFO", "fields": {}}))
    assert stuck.wait(10)
    for number in range(10):
        outbox.handle(logging.makeLogRecord({"msg": f"line {number}", "levelname": "INFO", "fields": {}}))
    assert outbox.dropped == 7
    gate.set()
    writer.stop()
    events = [(line["event"], line.get("count")) for line in lines_of(tmp_path / "log.jsonl")]
    assert events == [("first", None), ("lines dropped", 7), ("line 0", None), ("line 1", None), ("line 2", None)]


def test_a_full_disk_is_counted_and_says_nothing_on_the_screen(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A write that fails costs the line alone."""

    class Full(LogFile):
        def format(self, record: logging.LogRecord) -> str:
            raise OSError(28, "No space left on device")

    file = Full(tmp_path / "log.jsonl")
    file.handle(logging.makeLogRecord({"msg": "x", "levelname": "INFO"}))
    file.close()
    assert file.failed == 1
    assert capsys.readouterr() == ("", "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no disk that is always full")
def test_a_disk_that_stays_full_does_not_change_how_a_desk_ends(tmp_path: Path) -> None:
    """What could not be written is not thrown at whoever closes the log, whose end it would become."""
    file = LogFile(tmp_path / "log.jsonl")
    file.stream.close()
    file.stream = Path("/dev/full").open("w", encoding="utf-8")  # noqa: SIM115 - the handler closes it
    file.setFormatter(JsonLines(Redactor()))
    file.handle(logging.makeLogRecord({"msg": "x", "levelname": "INFO", "fields": {}}))
    file.close()
    assert file.failed == 2


def test_secrets_are_cut_wherever_they_stand(tmp_path: Path) -> None:
    """In the desk's fields, in another library's warning, in a traceback; the public address of an account stays."""
    address = "0x" + "ab" * 20
    there = {
        "binance": PLACE,
        "hyperliquid": msgspec.structs.replace(PLACE, key=address, secret="0x" + "cd" * 32),
    }
    with desk_log(tmp_path, there, "debug") as path:
        log("request", sent=f"key={PLACE.key}&signature=abcdef", cloids=[SECRET])
        log("account", address=address)
        logging.getLogger("other").warning("sent %s with %s", SECRET, "cd" * 32)
        try:
            int(SECRET)
        except ValueError:
            logging.getLogger("other").exception("failed")
    text = path.read_text()
    assert SECRET not in text
    assert PLACE.key not in text
    assert "cd" * 32 not in text
    assert "abcdef" not in text
    assert one(lines_of(path), event="account")["address"] == address
    assert len(lines_of(path)) == 4


def test_what_ended_a_desk_is_in_its_log(tmp_path: Path) -> None:
    """What nobody foresaw with where it happened, what is foreseen in its sentence."""
    start = Start({"binance": PLACE}, tmp_path)

    def broken() -> None:
        with logged(start, "info"):
            int(SECRET)

    with pytest.raises(ValueError, match="invalid literal"):
        broken()
    [line] = lines_of(tmp_path / "log.jsonl")
    assert (line["event"], line["level"]) == ("ended by an error", "error")
    assert "in broken" in line["trace"]
    assert SECRET not in str(line)
    with pytest.raises(Rejected), logged(start, "info"):
        raise Rejected("binance", "Invalid API-key", code="-2015")
    line = lines_of(tmp_path / "log.jsonl")[-1]
    assert line["text"] == "binance: Invalid API-key (-2015)"
    assert "trace" not in line


def test_a_log_that_cannot_be_written_stops_the_start(tmp_path: Path) -> None:
    """In one sentence, before anything is connected."""
    (tmp_path / "file").touch()
    with (
        pytest.raises(UsageError, match=r"the log in .* cannot be written"),
        logged(Start({}, tmp_path / "file"), "info"),
    ):
        raise AssertionError("it was not written")


def test_a_line_that_is_no_command_may_be_a_key_and_is_masked(tmp_path: Path) -> None:
    """What somebody pastes into the wrong window is not kept."""
    with desk_log(tmp_path, {}) as path:
        log_unread("buy 9f8e7d6c5b4a39281706 binance:ETHUSDT", Reply(ok=False, error="no '9f8e7d6c5b4a39281706' here"))
    [line] = lines_of(path)
    assert line["line"] == "buy *** binance:ETHUSDT"
    assert "9f8e7d6c" not in line["error"]


@pytest.mark.parametrize(("level", "events"), [("info", ["a", "b"]), ("warning", ["b"]), ("error", [])])
def test_the_level_says_what_is_kept(tmp_path: Path, level: str, events: list[str]) -> None:
    """And after the desk has ended nothing is logged any more."""
    with desk_log(tmp_path, {}, level) as path:
        log("a")
        log("b", logging.WARNING)
    log("c", logging.ERROR)
    assert [line["event"] for line in lines_of(path)] == events
    assert LOG.level == logging.NOTSET


def test_the_key_of_hyperliquid_is_no_secret() -> None:
    """It is the account's address; the key of any other venue is cut."""
    secrets = secrets_of({"mine": msgspec.structs.replace(PLACE, kind="hyperliquid")})
    assert secrets.cut(f"{PLACE.key} {SECRET}") == f"{PLACE.key} ***"
