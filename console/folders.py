"""Where a desk keeps its journal when its venues outlive it, and where all desks keep their locks."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import platformdirs

from gateways.venue import Endpoints

APP = "hedgedesk"


def desk_folder(endpoints: Mapping[str, Endpoints], *, root: Path | None = None) -> Path:
    """The folder of the desk that trades these accounts at these addresses; the same accounts, the same folder.

    A desk that is started again on the same venues finds its own journal and takes up what was left. Paper venues that
    were started anew have other addresses and know nothing of old orders, so theirs is another folder. It lies under
    ``root`` or, where none is given, the user's state folder.
    """
    accounts = sorted(f"{alias} {place.rest} {place.key}" for alias, place in endpoints.items())
    name = hashlib.sha256("\n".join(accounts).encode()).hexdigest()[:16]
    return (root or platformdirs.user_state_path(APP)) / "desks" / name


def locks_folder(*, root: Path | None = None) -> Path:
    """The folder of the accounts' locks: one for all desks of a user, wherever their journals lie."""
    return (root or platformdirs.user_state_path(APP)) / "locks"
