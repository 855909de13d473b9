"""Paper venues of a process of their own, and a configuration that trades on them as on any other venue."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

START = [sys.executable, "-m", "console"]


class Venues(msgspec.Struct, frozen=True):
    """Running paper venues: what they printed, by alias."""

    endpoints: dict[str, dict[str, Any]]

    def secrets(self) -> set[str]:
        """Every key, secret and passphrase of theirs that nobody may see; a Hyperliquid address is public."""
        held = {
            place[part]
            for alias, place in self.endpoints.items()
            for part in ("key", "secret", "passphrase")
            if place.get(part) and (alias, part) != ("hyperliquid", "key")
        }
        return held | {text.removeprefix("0x") for text in held}

    def variables(self, alias: str) -> dict[str, str]:
        """The keys of one venue as ``env:HEDGEDESK_KEYS_ALIAS`` reads them."""
        prefix, place = f"HEDGEDESK_KEYS_{alias.upper()}", self.endpoints[alias]
        return {f"{prefix}_{part.upper()}": place[part] for part in ("key", "secret", "passphrase") if place.get(part)}

    def key_file(self, alias: str, path: Path) -> str:
        """Write the keys of one venue into a closed file; how a profile names it."""
        place = self.endpoints[alias]
        parts = [f'{part} = "{place[part]}"' for part in ("key", "secret", "passphrase") if place.get(part)]
        path.touch(mode=0o600)
        path.write_text("\n".join(parts), encoding="utf-8")
        return f"file:{path}"

    def profile(self, keys: Mapping[str, str], more: str = "") -> str:
        """A configuration with these venues; ``keys``: where each venue's are."""
        text = ['profile = "loop"', "[profiles.loop]", 'kind = "venues"', more]
        for alias, source in keys.items():
            place = self.endpoints[alias]
            ws = place["ws"]
            named = ", ".join(f'{name} = "{url}"' for name, url in ws.items()) if isinstance(ws, dict) else ""
            text += [f"[profiles.loop.venues.{alias}]", f'kind = "{alias}"', 'environment = "loopback"']
            text += [f'rest = "{place["rest"]}"', f"ws = {{ {named} }}" if named else f'ws = "{ws}"']
            text += [f'keys = "{source}"']
        return "\n".join(text)


@contextmanager
def running(*names: str) -> Iterator[Venues]:
    """Paper venues until the end of the block."""
    command = [*START, "paper", "--seed", "5", "--venues", ",".join(names)]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HEDGEDESK_")}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=clean, start_new_session=True) as papers:  # noqa: S603  # our own program
        try:
            assert papers.stdout is not None
            yield Venues(json.loads(papers.stdout.readline())["venues"])
        finally:
            papers.terminate()
