"""Where a desk's journal lies."""

from pathlib import Path

import msgspec
import pytest

from console.folders import desk_folder, locks_folder
from gateways.venue import Endpoints

PLACE = Endpoints(rest="http://127.0.0.1:8001", ws="ws://127.0.0.1:8001", key="k", secret="s")


def test_the_same_accounts_have_the_same_folder(tmp_path: Path) -> None:
    """A desk started again on the same venues finds its journal, in whatever order they are named."""
    one = desk_folder({"a": PLACE, "b": PLACE}, root=tmp_path)
    assert one == desk_folder({"b": PLACE, "a": PLACE}, root=tmp_path)
    assert one.is_relative_to(tmp_path)


@pytest.mark.parametrize("field", ["rest", "key"])
def test_another_account_or_address_has_another_folder(field: str, tmp_path: Path) -> None:
    """Venues started anew, and other accounts, share no journal; the secret is no part of the name."""
    other = msgspec.structs.replace(PLACE, **{field: "http://127.0.0.1:8002"})
    assert desk_folder({"a": PLACE}, root=tmp_path) != desk_folder({"a": other}, root=tmp_path)
    secret = msgspec.structs.replace(PLACE, secret="t")
    assert desk_folder({"a": PLACE}, root=tmp_path) == desk_folder({"a": secret}, root=tmp_path)


def test_without_a_root_it_is_in_the_users_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The user's own state folder is the default."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert desk_folder({"a": PLACE}).is_relative_to(tmp_path)
    assert locks_folder().is_relative_to(tmp_path)
