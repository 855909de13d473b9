"""What a desk starts from: the command line over the configuration, its venues, its keys, where its journal goes.

A configuration that is wrong, or keys that are not there, stop the start before anything is connected.
"""

import argparse
import contextlib
import os
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from console.arm_facts import LiveDesk
    from console.concern import Thresholds
    from console.config.model import Profile
    from console.config.reading import Loaded
    from console.papers import PaperSettings
    from console.themes import Rising
    from gateways.venue import Endpoints
    from oms.limits import Limits
    from oms.rehearsal import Readiness


class UsageError(Exception):
    """Bad usage or input: one sentence. Ends the program with 2."""


class Timers(NamedTuple):
    """What the OMS does after how many seconds: compares streams with snapshots, takes an order for UNKNOWN."""

    pending_timeout: float = 5.0
    refresh_orders_snapshot: float = 30.0
    refresh_positions_snapshot: float = 30.0
    dead_man_s: int | None = None
    """Of silence, after which venues cancel our makers; None for never."""
    clock_skew_ms: int | None = 1_000
    """By which a venue's clock and ours may differ while makers are sent; None for any."""

    @classmethod
    def of(cls, profile: "Profile") -> "Timers":
        """As a profile says."""
        refresh = profile.refresh
        return cls(
            refresh.pending_timeout_s, refresh.orders_s, refresh.positions_s, profile.dead_man_s,
            profile.armed_by.clock_skew_ms,
        )  # fmt: skip


DEFAULT_TIMERS = Timers()


class Start(NamedTuple):
    """A desk that may start."""

    endpoints: "Mapping[str, Endpoints]"
    folder: Path
    """Where its journal goes."""
    name: str = "paper"
    """Of the profile."""
    profile: "Profile | None" = None
    """What the configuration says of it; None where nothing is configured."""

    @property
    def timers(self) -> Timers:
        """As the profile says."""
        return DEFAULT_TIMERS if self.profile is None else Timers.of(self.profile)

    @property
    def readiness(self) -> "Readiness":
        """How an engine of its own keeps ready for fills."""
        from oms.rehearsal import Readiness  # noqa: PLC0415  # loaded when used

        said = None if self.profile is None else self.profile.readiness
        real = self.profile is not None and self.profile.kind == "venues"
        return said or (Readiness.POLL if real else Readiness.REHEARSE)

    @property
    def risk(self) -> "Limits | None":
        """The limits of the profile; None where nothing is configured."""
        return None if self.profile is None else self.profile.limits.values()

    @property
    def live(self) -> "LiveDesk | None":
        """What it must be armed by; None on paper."""
        from console.arm_facts import live_desk  # noqa: PLC0415  # loaded when used

        return None if self.profile is None else live_desk(self.name, self.profile, self.endpoints)

    @property
    def thresholds(self) -> "Thresholds":
        """When the console turns what is not hedged amber and red."""
        from console.concern import DEFAULT_THRESHOLDS  # noqa: PLC0415  # loaded when used

        return DEFAULT_THRESHOLDS if self.profile is None else self.profile.unhedged.thresholds

    @property
    def theme(self) -> str | None:
        """As the profile says."""
        return None if self.profile is None else self.profile.theme

    @property
    def rising(self) -> "Rising":
        """The colour of a rise."""
        return "green" if self.profile is None else self.profile.rising


def load_config(arguments: argparse.Namespace) -> "Loaded":
    """The configuration, or its defaults where there is none. Raises UsageError for one that is wrong."""
    from console.config.messages import ConfigError  # noqa: PLC0415  # loaded when used
    from console.config.reading import load  # noqa: PLC0415  # loaded when used

    try:
        return load(arguments.config, arguments.profile, environment=os.environ)
    except ConfigError as error:
        raise UsageError(str(error)) from error


def configured(arguments: argparse.Namespace) -> "Loaded | None":
    """The configuration; None, without the time that reading one takes, where nothing is configured.

    Raises UsageError for one that is wrong.
    """
    from console.folders import config_file, is_configured  # noqa: PLC0415  # loaded when used

    named = arguments.config or arguments.profile
    return load_config(arguments) if named or is_configured(config_file(None, os.environ), os.environ) else None


@contextlib.contextmanager
def starting(arguments: argparse.Namespace) -> Iterator[Start]:
    """A desk's start, with the configuration that is there: see ``plan``. Raises UsageError."""
    with plan(arguments, configured(arguments)) as start:
        yield start


def plan(arguments: argparse.Namespace, loaded: "Loaded | None") -> AbstractContextManager[Start]:
    """A desk's start: on running venues, on its profile's, or on paper venues that are started for it and end with it.

    These take their time as the context is entered. Raises UsageError at once, but for what only they can refuse.
    """
    name, profile = ("paper", None) if loaded is None else (loaded.name, loaded.profile)
    if arguments.venues is not None:
        _refuse_own_market(arguments, "--venues")
        if profile is not None and profile.kind != "paper":
            raise UsageError(f"--venues FILE goes with a paper profile: {_named(loaded)} has venues of its own")
        endpoints = load_venues(Path(arguments.venues))
        return contextlib.nullcontext(Start(endpoints, _folder(endpoints, None), name, profile))
    if profile is not None and profile.kind == "venues":
        _refuse_own_market(arguments, "a profile that names its venues")
        endpoints = profile_accounts(loaded)
        return contextlib.nullcontext(Start(endpoints, _folder(endpoints, profile), name, profile))
    if profile is not None and profile.kind == "paper-on-live":
        _refuse_own_market(arguments, "a profile whose market is that of real venues")
    return _on_paper(paper_settings(arguments, profile), name, profile)


def past_desk(arguments: argparse.Namespace, unnamed: str) -> "tuple[Mapping[str, Endpoints], Path]":
    """The venues and the journal of a desk that traded: of --venues FILE, or of a profile that names its venues.

    Raises UsageError: ``unnamed`` where neither says which.
    """
    from oms.segments import segments  # noqa: PLC0415  # loaded when used

    loaded = None if arguments.venues is not None else configured(arguments)
    profile = None if loaded is None else loaded.profile
    if arguments.venues is None and (profile is None or profile.kind != "venues"):
        raise UsageError(unnamed)
    endpoints = load_venues(Path(arguments.venues)) if arguments.venues is not None else profile_accounts(loaded)
    folder = _folder(endpoints, profile)
    if not segments(folder):
        raise UsageError(f"no desk has traded on these venues: there is no journal in {folder}")
    return endpoints, folder


def profile_accounts(loaded: "Loaded | None") -> "dict[str, Endpoints]":
    """The accounts of a profile, with their keys. Raises UsageError for those that cannot be traded."""
    from console.config.accounts import accounts  # noqa: PLC0415  # loaded when used
    from console.config.secrets import SecretError  # noqa: PLC0415  # loaded when used
    from gateways.errors import Denied  # noqa: PLC0415  # loaded when used

    if loaded is None or loaded.profile.kind != "venues":
        raise UsageError(f"{_named(loaded)} has no accounts of its own")
    try:
        return accounts(loaded.profile, os.environ)
    except (SecretError, Denied) as error:
        raise UsageError(f"{_named(loaded)}: {error}") from error


@contextlib.contextmanager
def _on_paper(settings: "PaperSettings", name: str, profile: "Profile | None") -> Iterator[Start]:
    """On paper venues of its own and a folder, both gone at the end. Raises UsageError for what they cannot do."""
    from console.papers import PaperError, PaperProcess  # noqa: PLC0415  # loaded when used

    with terminated_like_interrupted(), TemporaryDirectory(prefix="hedgedesk-") as folder:
        if profile is not None and profile.kind == "paper-on-live":
            settings = on_live_data(profile, settings, Path(folder))
        papers = PaperProcess(settings)
        try:
            endpoints = papers.start()
        except PaperError as error:
            if error.usage:
                raise UsageError(str(error)) from error
            raise
        try:
            yield Start(endpoints, Path(folder), name, profile)
        finally:
            papers.stop()


def on_live_data(profile: "Profile", settings: "PaperSettings", folder: Path) -> "PaperSettings":
    """Paper venues whose market is that of the profile's venues; where those are is written to ``folder``."""
    import msgspec  # noqa: PLC0415  # loaded when used

    from console.config.accounts import addresses  # noqa: PLC0415  # loaded when used
    from oms.private_files import write_file  # noqa: PLC0415  # loaded when used

    file = folder / "live-data.json"
    places = {alias: addresses(entry) for alias, entry in profile.venues.items()}
    write_file(file, msgspec.json.encode({"venues": places}).decode())
    return msgspec.structs.replace(settings, live_data=file, bases=tuple(profile.paper.bases or ()))


@contextlib.contextmanager
def terminated_like_interrupted() -> Iterator[None]:
    """Let SIGTERM and a closed terminal unwind like ctrl+c: the paper venues and their journal go with the desk.

    Signals are the main thread's: another one's desk goes with what that unwinds.
    """
    from console.script import stop_signals  # noqa: PLC0415  # loaded when used

    numbers = stop_signals() if threading.current_thread() is threading.main_thread() else ()
    before = [signal.signal(number, signal.default_int_handler) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def load_venues(path: Path) -> "dict[str, Endpoints]":
    """The venues of a file that ``hedgedesk paper`` printed. Raises UsageError."""
    from gateways.errors import VenueError  # noqa: PLC0415  # loaded when used
    from gateways.router import load_endpoints  # noqa: PLC0415  # loaded when used

    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the venues file {path} cannot be read: {error}") from error
    try:
        return load_endpoints(text)
    except (VenueError, ValueError) as error:
        raise UsageError(f"the venues file {path} is not what hedgedesk paper prints: {error}") from error


def paper_settings(arguments: argparse.Namespace, profile: "Profile | None" = None) -> "PaperSettings":
    """Which paper venues, on what market: as the command line says, else as the profile does. Raises UsageError."""
    from console.papers import SEED, VENUES, PaperSettings  # noqa: PLC0415  # loaded when used

    table = None if profile is None else profile.paper
    market = None if arguments.market is None else Path(arguments.market)
    if market is None and (arguments.ticker is not None or arguments.speed is not None):
        raise UsageError("--ticker and --speed go with --market FILE: they say what the recording is of")
    ticker, speed = arguments.ticker, arguments.speed
    if market is not None and ticker is None:
        raise UsageError(f"--market {market} needs --ticker T: which base asset the recording is of, like FXS")
    if market is None and table is not None:
        market, ticker, speed = table.market, table.ticker, table.speed
    if market is not None and not market.is_file():
        raise UsageError(f"the market file {market} is not there")
    seed = arguments.seed if arguments.seed is not None else SEED if table is None else table.seed
    live_data = getattr(arguments, "live_data", None)
    if live_data is not None and (market is not None or arguments.names is not None):
        raise UsageError("--live-data FILE names the venues and is their market: no --venues, no --market beside it")
    names = getattr(arguments, "names", None) or (tuple(profile.venues) if profile is not None else ())
    return PaperSettings(
        venues=names or VENUES,
        seed=seed,
        market=market,
        ticker=ticker,
        speed=Decimal(1) if speed is None else speed,
        live_data=None if live_data is None else Path(live_data),
        bases=tuple(base.upper() for base in getattr(arguments, "bases", None) or ()),
    )


def _refuse_own_market(arguments: argparse.Namespace, beside: str) -> None:
    for option in ("seed", "market", "ticker", "speed"):
        if getattr(arguments, option) is not None:
            raise UsageError(f"--{option} is for the desk's own paper venues: it cannot go with {beside}")


def _folder(endpoints: "Mapping[str, Endpoints]", profile: "Profile | None") -> Path:
    from console.folders import desk_folder  # noqa: PLC0415  # loaded when used

    return (profile and profile.journal_folder) or desk_folder(endpoints)


def _named(loaded: "Loaded | None") -> str:
    return "the profile" if loaded is None else f"the profile {loaded.name}"
