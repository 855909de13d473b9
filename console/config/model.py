"""What a configuration says, as validated tables: profiles, each one desk with its venues, limits and habits.

``kind`` of a profile: ``paper`` starts paper venues of its own; ``paper-on-live`` takes the public streams of real
venues and sends its orders to the paper engine; ``venues`` trades on the venues that it names.
"""

import re
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, PlainValidator, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from console.config.limits import LimitsTable
from console.config.messages import looks_secret, nearest
from console.config.numbers import Amount, Whole
from console.config.table import Table
from console.config.unhedged import UnhedgedTable
from console.papers import VENUES
from gateways.profiles import environments
from gateways.router import is_loopback
from oms.limits import Arming
from oms.rehearsal import Readiness

VenueKind = Literal["binance", "bybit", "hyperliquid", "okx"]
ProfileKind = Literal["paper", "paper-on-live", "venues"]
EnvironmentName = Literal["mainnet", "testnet", "demo", "loopback"]

DEFAULT_PROFILE = "paper"

_ALIAS = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_LONG_RUN = re.compile(r"[A-Za-z0-9]{20,}")
"""What names of keys are refused for: it would rather be a key."""
_KEY_SOURCES = (
    (re.compile(r"env:[A-Z][A-Z0-9_]{0,60}"), "env:PREFIX, with PREFIX in capitals"),
    (re.compile(r"keyring:[A-Za-z0-9._-]{1,64}"), "keyring:NAME"),
    (re.compile(r"file:(/|~/).+"), "file:/path/of/the/file"),
)


def wrong(text: str, *key: str) -> PydanticCustomError:
    """The error of a table whose values do not go together, at a key under it."""
    return PydanticCustomError("together", "{text}", {"text": text, "key": key})


def alias(text: str) -> str:
    """A name of a venue, a desk or a profile. Raises ValueError, saying what is allowed."""
    if not _ALIAS.fullmatch(text):
        raise ValueError("must be a name of small letters, digits, - and _, like binance or hyper-2")
    return text


def key_source(value: object) -> str:
    """Where keys are. Raises ValueError, without repeating it, for anything else: it might be a key itself."""
    named = isinstance(value, str) and any(pattern.fullmatch(value) for pattern, _ in _KEY_SOURCES)
    if not named or (not str(value).startswith("file:") and _LONG_RUN.search(str(value))):
        raise ValueError(f"says where the keys are, not what they are: {', '.join(words for _, words in _KEY_SOURCES)}")
    if str(value).startswith("env:HEDGEDESK_") and not str(value).startswith("env:HEDGEDESK_KEYS"):
        raise ValueError("HEDGEDESK_ variables are settings: let the prefix begin with HEDGEDESK_KEYS, or otherwise")
    return str(value)


def _theme(text: str) -> str:
    from console.themes import available  # noqa: PLC0415  # read when a profile names one

    names = [theme.name for theme in available()]
    if text not in names:
        raise ValueError(f"is no theme: {nearest(text, names)}")
    return text


def _address(text: str) -> str:
    place = urlsplit(text)
    if place.scheme not in {"http", "https", "ws", "wss"} or not place.hostname or place.username or place.password:
        raise ValueError("must be an address like http://127.0.0.1:8001, without a user or a password")
    return text


def _absolute(text: str) -> Path:
    path = Path(text).expanduser()
    if not path.is_absolute():
        raise ValueError("must be a whole path, like /home/me/hedgedesk or ~/hedgedesk")
    return path


def _path(value: object) -> Path:
    if not isinstance(value, str) or "\0" in value:
        raise ValueError("must be a path in quotes")
    try:
        return _absolute(value)
    except RuntimeError as error:  # ~somebody who is not there
        raise ValueError(f"is no path: {error}") from error


Alias = Annotated[str, AfterValidator(alias)]
Address = Annotated[str, AfterValidator(_address)]
KeySource = Annotated[str, PlainValidator(key_source), WithJsonSchema({"type": "string"})]
Folder = Annotated[Path, PlainValidator(_path), WithJsonSchema({"type": "string"})]


class VenueEntry(Table):
    """One account on one venue."""

    kind: VenueKind
    """Which gateway speaks to it."""
    environment: EnvironmentName | None = None
    """Which of the venue's exchanges, always said but of paper venues. loopback: on this machine, at rest and ws."""
    keys: KeySource | None = None
    """Where its keys are: env:PREFIX, keyring:NAME or file:PATH."""
    rest: Address | None = None
    """HTTP address, with environment loopback."""
    ws: Address | dict[str, Address] | None = None
    """Websocket address, or several by name, with environment loopback."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.environment == "loopback":
            self._check_addresses()
            return self
        if self.rest is not None or self.ws is not None:
            raise wrong("goes with environment loopback: all other addresses are known", "ws" if self.ws else "rest")
        there = environments(self.kind)
        if self.environment is not None and self.environment not in there:
            raise wrong(f"{self.kind} has {', '.join(there)}", "environment")
        return self

    def _check_addresses(self) -> None:
        if self.rest is None or self.ws is None:
            raise wrong("needs rest and ws: where the venue is on this machine", "environment")
        sockets = {"ws": self.ws} if isinstance(self.ws, str) else {f"ws.{name}": url for name, url in self.ws.items()}
        for name, url in {"rest": self.rest, **sockets}.items():
            if not is_loopback(url):
                raise wrong("is not on this machine, as environment loopback says", *name.split(".", 1))


class ArmingTable(Table):
    """When a live desk disarms by itself, and when it asks."""

    idle_minutes: Whole = 15
    """After so long without an act of the operator; 0 never."""
    clock_skew_ms: Whole = 1_000
    """When our clock and a venue's differ by more; 0 for any difference."""
    on_reconnect: bool = False
    """When a venue's private stream is lost and has to be connected again."""
    confirm_above: Amount | None = None
    """Notional, quote units, above which an order that raises risk is asked about."""


class RefreshTable(Table):
    """How often what the streams say is compared with the venues' own snapshots."""

    orders_s: Annotated[Whole, Field(ge=1, le=3_600)] = 30
    """Seconds between two looks at the orders."""
    positions_s: Annotated[Whole, Field(ge=1, le=3_600)] = 30
    """Seconds between two looks at the positions."""
    pending_timeout_s: Annotated[Whole, Field(ge=1, le=60)] = 5
    """Seconds after which an order without an answer counts as UNKNOWN."""


class PaperTable(Table):
    """The market of paper venues."""

    seed: Whole = 7
    """Of the random market."""
    market: Folder | None = None
    """A file of recorded trades (CSV) to replay in its place."""
    ticker: str | None = None
    """The base asset that the recording is of."""
    speed: Amount | None = None
    """How many times faster than recorded."""
    bases: list[str] | None = None
    """With paper-on-live: the base assets that are listed, as in ["BTC", "ETH", "SOL"], which is what is not set."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.market is None) != (self.ticker is None):
            raise wrong("goes with ticker: a recording, and the base asset that it is of", "market")
        if self.speed is not None and (self.market is None or not self.speed):
            raise wrong("is above zero and goes with market: a recording", "speed")
        return self


class Profile(Table):
    """One desk: where it trades, what it may do, how it looks."""

    kind: ProfileKind = "paper"
    """paper, paper-on-live (public streams of real venues, orders to the paper engine) or venues."""
    desk: Alias | None = None
    """The desk's name, typed to arm it; the profile's own name where it is not set."""
    venues: dict[Alias, VenueEntry] = Field(default_factory=dict)
    """The venues by alias, which the command lines use."""
    limits: LimitsTable = LimitsTable()
    """What the desk may do at most."""
    arming: ArmingTable = ArmingTable()
    """When a live desk disarms by itself."""
    refresh: RefreshTable = RefreshTable()
    """How often the streams are checked against snapshots."""
    unhedged: UnhedgedTable = Field(default_factory=UnhedgedTable)
    """When the console turns what is not hedged amber and red."""
    dead_man_s: Annotated[Whole, Field(ge=5, le=300)] | None = None
    """Seconds without a word from us after which venues cancel our makers, where they can."""
    readiness: Readiness | None = None
    """How an engine of its own keeps ready for fills; None: ``poll`` where real money trades, else ``rehearse``."""
    journal_folder: Folder | None = None
    """Where the journal goes; the user's state folder where it is not set."""
    theme: Annotated[str, AfterValidator(_theme)] | None = None
    """Colours of the console."""
    rising: Literal["green", "red"] = "green"
    """The colour of a rise, and of buying."""
    keymap: dict[str, str] = Field(default_factory=dict)
    """Keys by action, in the place of the built-in ones: cancel = "c"."""
    paper: PaperTable = PaperTable()
    """The market of paper venues."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        names = set(self.venues or (VENUES if self.kind == "paper" else ()))
        for alias in self.limits.venue:
            if alias not in names:
                raise wrong(
                    f"there is no such venue in this profile: {nearest(alias, names)}", "limits", "venue", alias
                )
        if self.kind != "paper" and not self.venues:
            raise wrong(f"a profile of this kind, {self.kind}, names its venues in tables of their own", "kind")
        for alias, venue in self.venues.items():
            self._check_venue(alias, venue)
        if self.kind != "venues" and self.journal_folder is not None:
            raise wrong("goes with kind venues: paper venues and their journal end together", "journal_folder")
        if self.kind == "venues" and self.paper != PaperTable():
            raise wrong("goes with kind paper or paper-on-live", "paper")
        if self.kind == "paper-on-live" and self.paper.market is not None:
            raise wrong("goes with kind paper: here the market is that of real venues", "paper", "market")
        if self.kind == "paper" and self.paper.bases is not None:
            raise wrong("goes with kind paper-on-live", "paper", "bases")
        return self

    def _check_venue(self, alias: str, venue: VenueEntry) -> None:
        if self.kind != "paper" and venue.environment is None:
            raise wrong(f"says no environment: it has {', '.join(environments(venue.kind))}", "venues", alias)
        if self.kind == "venues" and venue.keys is None:
            raise wrong(f'has no keys: say where they are, as in keys = "keyring:{alias}"', "venues", alias)
        if self.kind != "venues" and venue.keys is not None:
            raise wrong("goes with kind venues: nothing is sent to a real account here", "venues", alias, "keys")
        if self.kind == "paper" and alias != venue.kind:
            raise wrong(f"a paper venue goes by its kind, {venue.kind}", "venues", alias)

    @property
    def armed_by(self) -> Arming:
        """When the desk disarms and asks, as the engine keeps it."""
        return Arming(
            idle_s=self.arming.idle_minutes * 60 or None,
            clock_skew_ms=self.arming.clock_skew_ms or None,
            on_reconnect=self.arming.on_reconnect,
            confirm_above=self.arming.confirm_above,
        )


class Config(Table):
    """A whole configuration file."""

    profile: Alias = DEFAULT_PROFILE
    """The profile that starts when none is named."""
    profiles: dict[Alias, Profile] = Field(default_factory=dict)
    """The profiles by name. paper is there even when it is not written."""

    def named(self, name: str | None = None) -> tuple[str, Profile]:
        """A profile and its name (None: the one that starts). Raises ValueError with the nearest name."""
        wanted = name or self.profile
        there = {DEFAULT_PROFILE: Profile(), **self.profiles}
        if wanted not in there:
            told = "***" if looks_secret(wanted) else repr(wanted)
            raise ValueError(f"there is no profile {told}: {nearest(wanted, there)}")
        return wanted, there[wanted]
