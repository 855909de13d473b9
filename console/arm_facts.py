"""What makes a profile a live desk, and what an operator is shown before arming it."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from console.check import limit_findings
from console.config.model import Profile
from console.config.secrets import Keys, Secret
from gateways.venue import Endpoints
from oms.states import Live


class LiveDesk(NamedTuple):
    """A desk of real accounts as it starts."""

    live: Live
    facts: tuple[tuple[str, str], ...]
    """Each a word and a sentence."""


def live_desk(name: str, profile: Profile, endpoints: Mapping[str, Endpoints]) -> LiveDesk | None:
    """What a profile's desk must be armed by; None for one on paper. ``name`` is the profile's."""
    if profile.kind != "venues":
        return None
    live = Live(name=profile.desk or name, rules=profile.armed_by)
    return LiveDesk(live, (*_accounts(profile, endpoints), *_limits(profile), *_disarms(profile)))


def _accounts(profile: Profile, endpoints: Mapping[str, Endpoints]) -> Iterator[tuple[str, str]]:
    for alias, entry in profile.venues.items():
        place = endpoints[alias]
        keys = Keys(Secret(place.key), Secret(place.secret), Secret(place.passphrase))
        where = "" if alias == entry.kind else f"{entry.kind} "
        yield alias, f"{where}{entry.environment}, account with the keys {keys.fingerprint} ({entry.keys})"


def _limits(profile: Profile) -> Iterator[tuple[str, str]]:
    told = [finding.text for finding in limit_findings(profile) if not finding.text.endswith(": none")]
    for text in told:
        yield "limit", text
    if not any(" above " in text or " within " in text for text in told):
        yield "limit", "NONE is set: nothing bounds what this desk may do"


def _disarms(profile: Profile) -> Iterator[tuple[str, str]]:
    rules = profile.arming
    ways = [f"{rules.idle_minutes} min without an act of yours"] if rules.idle_minutes else []
    ways += [f"clocks {rules.clock_skew_ms} ms apart"] if rules.clock_skew_ms else []
    ways += ["a private stream is lost"] if rules.on_reconnect else []
    yield "disarms", ", ".join([*ways, "a breached limit", "every start"])
