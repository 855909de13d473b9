"""The accounts of a profile: where its venues are, with the keys that their sources hold."""

from collections.abc import Mapping

import msgspec

from console.config.model import Profile, VenueEntry
from console.config.secrets import Keys, KeyStore, SecretError, find_keys
from gateways.profiles import endpoints
from gateways.venue import Endpoints


def addresses(entry: VenueEntry) -> Endpoints:
    """Where a venue is, without keys."""
    if entry.environment == "loopback" and entry.rest is not None and entry.ws is not None:
        return Endpoints(rest=entry.rest, ws=entry.ws, kind=entry.kind)
    return endpoints(entry.kind, entry.environment or "")


def keys_of(alias: str, entry: VenueEntry, environment: Mapping[str, str], store: KeyStore | None = None) -> Keys:
    """The keys of a venue. Raises SecretError, naming the venue."""
    try:
        return find_keys(entry.keys or "", environment, store)
    except SecretError as error:
        raise SecretError(f"{alias}: {error}") from None


def with_keys(place: Endpoints, keys: Keys) -> Endpoints:
    """Where a venue is, and who we are there."""
    return msgspec.structs.replace(
        place, key=keys.key.reveal(), secret=keys.secret.reveal(), passphrase=keys.passphrase.reveal()
    )


def accounts(profile: Profile, environment: Mapping[str, str], store: KeyStore | None = None) -> dict[str, Endpoints]:
    """Every account of a profile by alias. Raises SecretError for keys that are not there."""
    return {
        alias: with_keys(addresses(entry), keys_of(alias, entry, environment, store))
        for alias, entry in profile.venues.items()
    }
