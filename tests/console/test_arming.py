"""Arming on the console: the key, the dialog, the words of the bars; the status of a running desk."""

import asyncio
import os
import stat
from pathlib import Path

import msgspec

from console.arm_facts import live_desk
from console.config.reading import parse
from console.desk import Desk
from console.headless import open_oms
from console.link import Frame, Preview, Reply
from console.screens.arm import ArmDialog, facts_text
from console.status import StatusFile, described, running_desks, status_of
from console.ticket.ticket import Ticket
from console.widgets.banner import MOST_LINES, banner_lines
from gateways.paper.sockets import PaperServer, running
from gateways.venue import Endpoints
from oms.states import Live
from tests.console.pilots import staged
from tests.console.scripted import desk_frame, header
from tests.oms.stub_venue import desk, virtual

FACTS = (("binance", "mainnet, account with the keys 1f2e3d4c"), ("limit", "all venues: daily_loss refused above 500"))
PULLED = "KILL SWITCH, the file /x/panic was touched. Next: see why, remove it; then `activate`"


def frame(**changes: object) -> Frame:
    """A desk at work with a header of its own."""
    return msgspec.structs.replace(desk_frame(), header=header(**changes))


async def test_the_key_opens_a_dialog_with_accounts_and_limits_and_asks_for_the_name() -> None:
    """Nothing is armed by the key; the engine judges what was typed."""
    async with staged(frame(arming="SAFE", desk="main")) as stage:
        stage.link.preview_answers["arm main"] = Preview(ok=True, sentence="arm main", facts=FACTS)
        await stage.press("A")
        await stage.opened(ArmDialog)
        await stage.until(lambda: "1f2e3d4c" in stage.text())
        assert "daily_loss refused above 500" in stage.text()
        assert stage.link.lines == []
        stage.link.replies["arm mian"] = Reply(ok=False, error="'mian' is not this desk's name")
        await stage.press(*"mian", "enter")
        await stage.until(lambda: "is not this desk's name" in stage.text())
        await stage.press(*"main", "enter")
        await stage.on_desk()
        assert stage.link.lines == ["arm mian", "arm main"]


async def test_escape_leaves_the_desk_safe() -> None:
    """Whatever was typed."""
    async with staged(frame(arming="SAFE", desk="main")) as stage:
        await stage.press("A")
        await stage.opened(ArmDialog)
        await stage.press(*"main", "escape")
        await stage.on_desk()
        assert stage.link.lines == []


async def test_a_key_that_repeats_itself_does_not_arm() -> None:
    """The dialog is deaf for a moment."""
    async with staged(frame(arming="SAFE", desk="main")) as stage:
        await stage.press("A")
        await stage.until(lambda: isinstance(stage.app.screen, ArmDialog))
        await stage.press(*"main", "enter")
        assert stage.link.lines == []


async def test_the_key_disarms_at_once() -> None:
    """No question stands before it."""
    async with staged(frame(arming="ARMED", desk="main")) as stage:
        await stage.press("A")
        await stage.until(lambda: stage.link.lines == ["disarm"])


async def test_panic_works_over_the_dialog() -> None:
    """As over every form."""
    async with staged(frame(arming="SAFE", desk="main")) as stage:
        await stage.press("A")
        await stage.opened(ArmDialog)
        await stage.press("f9")
        await stage.until(lambda: stage.link.lines == ["panic"])


async def test_the_states_are_words_of_the_top_bar_and_the_banner_says_why() -> None:
    """The whole reason, and what to do next, also on a small screen; it goes when there is nothing to say."""
    async with staged(frame()) as stage:
        before = stage.app.desk.panes["orders"].size.height
        for arming, words in (("SAFE", "LIVE SAFE"), ("ARMED", "LIVE ARMED"), ("PAPER", "PAPER")):
            for trading in ("ACTIVE", "REDUCING", "HEDGE-ONLY", "HALTED"):
                stage.feed(Frame(header=header(arming=arming, trading=trading, desk="main")))
                assert words in stage.app.desk.state_bar.text
                assert trading in stage.app.desk.state_bar.text
        stage.feed(Frame(header=header(trading="HEDGE-ONLY", because=PULLED)))
        await stage.until(lambda: stage.app.desk.panes["orders"].size.height < before)
        await stage.until(lambda: " ".join(PULLED.split()) in " ".join(stage.text().split()))
        stage.feed(Frame(header=header()))
        await stage.until(lambda: stage.app.desk.panes["orders"].size.height == before)


async def test_a_safe_desk_still_opens_a_filled_ticket() -> None:
    """An order key sends nothing by itself; what the ticket says is the engine's word."""
    async with staged(frame(arming="SAFE", desk="main")) as stage:
        await stage.press("n")
        await stage.opened(Ticket)
        assert stage.link.lines == []


def test_a_banner_takes_few_lines() -> None:
    """However long the reason, and however narrow the screen."""
    assert len(banner_lines("word " * 200, 20)) == MOST_LINES


def test_facts_name_each_word_once() -> None:
    """The sentences of one stand under each other."""
    assert facts_text((("a", "1"), ("a", "2"), ("bb", "3")), 60) == "a   1\n    2\nbb  3"


# ------------------------------------------------------------------ the engine's end

PROFILE = """
[profiles.live]
kind = "venues"
desk = "main"
arming = { idle_minutes = 3, on_reconnect = true }
limits.desk.daily_loss = 500
[profiles.live.venues.binance]
kind = "binance"
environment = "testnet"
keys = "env:MY"
[profiles.bare]
kind = "venues"
venues.binance = { kind = "binance", environment = "testnet", keys = "env:MY" }
"""
PLACE = Endpoints(rest="https://x", ws="wss://x", key="canary-key", secret="canary-secret")


def test_a_profile_that_trades_is_a_live_desk_and_its_facts_hold_no_key() -> None:
    """Its name, when it disarms, its accounts and limits; that none is set is said too."""
    config = parse(PROFILE, Path("config.toml"), environment={}).config
    made = live_desk("live", config.profiles["live"], {"binance": PLACE})
    assert made is not None
    assert (made.live.name, made.live.rules.idle_s, made.live.rules.on_reconnect) == ("main", 180, True)
    text = facts_text(made.facts, 200)
    assert "testnet" in text
    assert "daily_loss refused above 500" in text
    assert "canary" not in text
    bare = live_desk("bare", config.profiles["bare"], {"binance": PLACE})
    assert bare is not None
    assert bare.live.name == "bare"
    assert "NONE is set" in facts_text(bare.facts, 200)
    assert live_desk("paper", config.named("paper")[1], {}) is None


@virtual
async def test_the_lines_of_the_grammar_change_the_states() -> None:
    """Each says how the desk stands; a preview of arming shows the facts and arms nothing."""
    async with desk(live=Live(name="main")) as made:
        line = Desk(made.oms, FACTS)
        assert line.preview("arm main").facts == FACTS
        assert not line.preview("arm other").ok
        assert "LIVE SAFE" in line.preview("buy 1 a:X @ 99").warnings[0]
        told = [await line.line(text) for text in ("buy 1 a:X @ 99", "arm main", "buy 1 a:X @ 99", "reducing", "halt")]
        assert [reply.ok for reply in told] == [False, True, True, True, True]
        assert [("LIVE ARMED ACTIVE" in told[1].text), "LIVE ARMED REDUCING" in told[3].text] == [True, True]
        assert "LIVE SAFE HALTED" in told[4].text
        refused = await line.line("arm mian")
        assert (refused.ok, refused.field) == (False, "name")
        active = await line.line("activate")
        assert "LIVE SAFE" in active.text


@virtual
async def test_acts_of_the_operator_are_not_idleness() -> None:
    """A command counts, whatever it does; the screen's own questions do not."""
    async with desk(live=Live(name="main")) as made:
        line = Desk(made.oms)
        await made.until(lambda: made.loop.time() > 1)
        before = made.oms.state._touched_ns
        line.preview("cancel all")
        assert made.oms.state._touched_ns == before
        await line.line("reconcile")
        assert made.oms.state._touched_ns > before


def touch(path: str) -> None:
    """As the shell's command does."""
    Path(path).touch()


async def test_a_running_desk_tells_its_status_and_one_that_has_ended_does_not(tmp_path: Path) -> None:
    """Its states, and the file whose touch stops it, which then does; nobody else can read it."""
    locks, desks = tmp_path / "locks", tmp_path / "running"
    async with running(PaperServer(["binance", "hyperliquid"], seed=5)) as server:
        async with open_oms(server.endpoints, tmp_path / "desk", locks=locks) as oms:
            (status,) = running_desks(desks)
            assert (status.pid, status.desk, status.arming, status.trading) == (os.getpid(), "paper", "PAPER", "ACTIVE")
            assert {stat.S_IMODE(path.stat().st_mode) for path in desks.iterdir()} == {0o600}
            text = "\n".join(described(status, oms.clock.now_ns()))
            assert f"touch {status.kill_file}" in text
            assert "PAPER, ACTIVE" in text
            touch(status.kill_file)
            async with asyncio.timeout(5):
                while running_desks(desks)[0].trading != "HEDGE-ONLY":
                    await asyncio.sleep(0.01)
        assert running_desks(desks) == []


@virtual
async def test_what_a_crash_left_is_no_running_desk(tmp_path: Path) -> None:
    """Its lock is free; the file is removed."""
    async with desk() as made:
        file = StatusFile(tmp_path)
        file.write(status_of(made.oms, tmp_path))
        assert len(running_desks(tmp_path)) == 1
        os.close(file._file)
        assert file.path.exists()
        assert running_desks(tmp_path) == []
        assert not file.path.exists()
