"""``hedgedesk check``: the configuration, the keys, the venues and what they allow, without trading.

Every line has a verdict: ``ok``, ``warn`` (it works, but look at it), ``no`` (it will not work so). Real venues are
asked with the keys of a profile that trades on them, and only of such a one.
"""

import asyncio
import importlib
import stat
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from decimal import Decimal
from enum import Enum
from typing import Any

import msgspec

from console.config.accounts import addresses, keys_of, with_keys
from console.config.model import Profile
from console.config.reading import Loaded
from console.config.secrets import KeyStore, SecretError
from console.papers import VENUES
from gateways.errors import VenueError
from gateways.permissions import Nobody, Permissions, unheard
from gateways.router import is_loopback, make_venue
from gateways.venue import Endpoints
from oms.limits import Limit, Limits, Window

ANSWER_S = 10.0
"""How long one venue may take for all that is asked."""


class Verdict(str, Enum):
    """What a line comes to."""

    OK = "ok"
    WARN = "warn"
    NO = "no"


class Finding(msgspec.Struct, frozen=True):
    """One line: what was looked at, what it comes to, a sentence."""

    about: str
    verdict: Verdict
    text: str

    def __str__(self) -> str:
        return f"{self.about:<11} {self.verdict.value:<4} {self.text}"


Ask = Callable[[str, str, Endpoints, Profile], Awaitable[list[Finding]]]
"""Alias, kind, where with which keys, profile: asks a venue and says what was found."""


async def check(
    loaded: Loaded, environment: Mapping[str, str], store: KeyStore | None = None, *, ask: Ask | None = None
) -> list[Finding]:
    """Look at all that a profile needs. Raises nothing of what it finds: it becomes a line."""
    findings = list(_of_file(loaded))
    profile = loaded.profile
    if profile.kind == "paper":
        findings.append(Finding("venues", Verdict.OK, "paper venues of its own: there is nothing to reach"))
    else:
        each = (_of_venue(alias, profile, environment, store, ask or _asked) for alias in profile.venues)
        findings += [finding for found in await asyncio.gather(*each) for finding in found]
    findings += limit_findings(profile)
    return findings


def _of_file(loaded: Loaded) -> Iterator[Finding]:
    where = str(loaded.path) if loaded.found else f"there is no {loaded.path}: the defaults hold"
    yield Finding("config", Verdict.OK, f"{where} (profile {loaded.name}, kind {loaded.profile.kind})")
    if loaded.found:
        mode = stat.S_IMODE(loaded.path.stat().st_mode)
        if mode & 0o022:
            text = (
                f"others may change {loaded.path}, and with it your limits (mode {mode:04o}): chmod 600 {loaded.path}"
            )
            yield Finding("config", Verdict.WARN, text)
    if loaded.profile.keymap:
        from console.keymap import KeymapError, rebound  # noqa: PLC0415  # a screen's, for those who have one

        try:
            rebound(loaded.profile.keymap)
        except KeymapError as error:
            yield Finding("config", Verdict.NO, loaded.sentence(("keymap", error.action), str(error)))


async def _of_venue(
    alias: str, profile: Profile, environment: Mapping[str, str], store: KeyStore | None, ask: Ask
) -> list[Finding]:
    entry = profile.venues[alias]
    place = addresses(entry)
    if profile.kind == "venues":
        try:
            keys = keys_of(alias, entry, environment, store)
        except SecretError as error:
            return [Finding("keys", Verdict.NO, str(error))]
        place = with_keys(place, keys)
        findings = [Finding("keys", Verdict.OK, f"{alias}: {_source(entry.keys)}, fingerprint {keys.fingerprint}")]
    else:
        findings = []
    if profile.kind != "venues" and not all(is_loopback(url) for url in place.urls):
        text = f"{alias} is not on this machine: a profile of this kind has no account there, so it is not asked"
        return [*findings, Finding("reach", Verdict.OK, text)]
    try:
        async with asyncio.timeout(ANSWER_S):
            return [*findings, *await ask(alias, entry.kind, place, profile)]
    except TimeoutError:
        return [*findings, Finding("reach", Verdict.NO, f"{alias}: no answer within {ANSWER_S:g} s")]


def _source(keys: str | None) -> str:
    kind, _, name = (keys or "").partition(":")
    return f"from {kind} {name}"


async def _asked(alias: str, kind: str, place: Endpoints, profile: Profile) -> list[Finding]:
    try:
        make_venue(alias, place)  # what its gateway needs to be told is there
        session: Any = importlib.import_module(f"gateways.{kind}.session").Session(alias, place)
    except VenueError as error:
        return [Finding("reach", Verdict.NO, str(error))]
    ask = importlib.import_module(f"gateways.{kind}.permissions").permissions
    session.open(unheard, Nobody())
    findings = []
    try:
        await session.synchronize_clock()  # the first answer waits for the connection, and would tell a wrong time
        before = time.monotonic_ns()
        await session.synchronize_clock()
        findings += [_of_reach(alias, before), _of_clock(alias, session.offset_ms, profile)]
        if profile.kind == "venues":  # elsewhere there is no account to ask about
            findings += _of_permissions(alias, await ask(session))
    except VenueError as error:
        about = "permissions" if findings else "reach"
        findings.append(Finding(about, Verdict.NO, session.redactor.cut(str(error))))
    finally:
        await session.close()
    return findings


def _of_reach(alias: str, before_ns: int) -> Finding:
    return Finding("reach", Verdict.OK, f"{alias}: answered in {(time.monotonic_ns() - before_ns) / 1e6:.1f} ms")


def _of_clock(alias: str, offset_ms: int, profile: Profile) -> Finding:
    limit_ms = profile.arming.clock_skew_ms
    text = f"{alias}: {abs(offset_ms)} ms {'ahead of' if offset_ms >= 0 else 'behind'} our clock"
    if limit_ms and abs(offset_ms) > limit_ms:
        return Finding("clock", Verdict.NO, f"{text}, over clock_skew_ms = {limit_ms}: set this machine's clock")
    return Finding("clock", Verdict.OK, text)


def _of_permissions(alias: str, allowed: Permissions) -> Iterator[Finding]:
    if allowed.trade is False:
        yield Finding("permissions", Verdict.NO, f"{alias}: {allowed.note or 'this key may not trade'}")
    elif allowed.trade:
        yield Finding("permissions", Verdict.OK, f"{alias}: the key may trade")
    else:
        yield Finding("permissions", Verdict.OK, f"{alias}: the key is taken; {allowed.note or 'more is not told'}")
    if allowed.withdraw:
        text = allowed.note or "this key may withdraw money: a desk needs no such key, make one that may only trade"
        yield Finding("permissions", Verdict.WARN, f"{alias}: {text}")
    if allowed.bound is False:
        yield Finding(
            "permissions", Verdict.WARN, f"{alias}: the key works from any address: bind it to this machine's"
        )


def limit_findings(profile: Profile) -> Iterator[Finding]:
    """The limits that hold: sums first, then for each contract, those with values of their own by name."""
    limits = profile.limits.values()
    told = {"off": "is sent all the same", "ask": "is asked about", "refuse": "is refused"}[profile.limits.hedgeability]
    yield Finding("limits", Verdict.OK, f"a maker that could not be hedged now {told}")
    yield _limit_line("all venues", limits.desk)
    yield _limit_line("each base asset", limits.net(""))
    for base in limits.bases:
        yield _limit_line(f"net {base}", limits.net(base))
    for alias in profile.venues or VENUES:
        yield _limit_line(f"{alias} in all", limits.venue(alias))
        yield _limit_line(f"{alias}, each contract", limits.of(alias, ""))
        yield from _of_instruments(alias, limits)


def _of_instruments(alias: str, limits: Limits) -> Iterator[Finding]:
    for venue, ticker in limits.instruments:
        if venue == alias:
            yield _limit_line(f"{alias} {ticker}", limits.of(alias, ticker))


def _limit_line(about: str, values: msgspec.Struct) -> Finding:
    told = [f"{name} {_ends(value)}" for name, value in msgspec.structs.asdict(values).items() if value is not None]
    return Finding("limits", Verdict.OK, f"{about}: {', '.join(told) or 'none'}")


def _ends(limit: Limit | Window) -> str:
    parts = [(word, end) for word, end in (("refused", limit.hard), ("asked", limit.soft)) if end is not None]
    under = " within" if isinstance(limit, Window) else " above"
    return " and ".join(f"{word}{under} {_plain(end)}" for word, end in parts)


def _plain(value: Decimal) -> str:
    return f"{value:f}"
