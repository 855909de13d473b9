"""The lock, read and judged: every package pinned, hashed, from no address of its own, and as installed.

Pure but for ``installed`` and ``changed``.
"""

import base64
import hashlib
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

_PIN = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)==([0-9][A-Za-z0-9.!+]*)(?: ; (.+))?")
_HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")
UNLOCKED = frozenset({"hedgedesk", "pip"})
"""Installed without being locked: the product itself, and what installs, in an environment that ``venv`` made."""
COPYLEFT = re.compile(r"\b(A?GPL|GNU (Affero )?General Public)", re.IGNORECASE)
"""Licences that a closed or a permissively licensed program cannot be linked with. The Lesser ones can."""


class Pin(NamedTuple):
    """One package of a lock."""

    name: str
    version: str
    marker: str
    hashes: int

    @property
    def applies(self) -> bool:
        """Whether it belongs into this environment."""
        return not self.marker or Marker(self.marker).evaluate()


def read(text: str) -> tuple[list[Pin], list[str]]:
    """The packages of a lock, and what is wrong with its lines, a sentence each."""
    pins: list[Pin] = []
    problems: list[str] = []
    joined = text.replace("\\\n", " ")
    for line in (line.strip() for line in joined.splitlines()):
        if not line or line.startswith("#"):
            continue
        said, *hashes = re.split(r"\s+(?=--hash)", line)
        match = _PIN.fullmatch(said)
        if match is None:
            problems.append(f"{said[:80]!r} pins no version of a package")
            continue
        name, version, marker = canonicalize_name(match[1]), match[2], match[3] or ""
        if not hashes or not all(_HASH.fullmatch(each) for each in hashes):
            problems.append(f"{name} {version} is not hashed, or not by sha256")
        if any((pin.name, pin.marker) == (name, marker) for pin in pins):
            problems.append(f"{name} is locked twice")
        pins.append(Pin(name, version, marker, len(hashes)))
    return pins, problems


def asked_for(project: str, *extras: str) -> list[Requirement]:
    """What a pyproject.toml asks for: to run, to be built, and for these extras."""
    read_in = tomllib.loads(project)
    table = read_in["project"]
    lines = [*table["dependencies"], *read_in["build-system"]["requires"]]
    lines += [line for extra in extras for line in table["optional-dependencies"][extra]]
    return [Requirement(line) for line in lines]


def missing(pins: Iterable[Pin], wanted: Iterable[Requirement]) -> Iterator[str]:
    """What is asked for and not locked, or locked in a version that is not asked for."""
    locked = {pin.name: pin.version for pin in pins}
    for requirement in wanted:
        name = canonicalize_name(requirement.name)
        if name not in locked:
            yield f"{name} is asked for and not locked"
        elif not requirement.specifier.contains(locked[name], prereleases=True):
            yield f"{name} is locked at {locked[name]}, and {requirement.specifier} is asked for"


def different(pins: Iterable[Pin], versions: Mapping[str, str]) -> Iterator[str]:
    """Where what is installed, version by name, is not what is locked."""
    locked = {pin.name: pin.version for pin in pins if pin.applies}
    for name, version in sorted(locked.items()):
        if versions.get(name) != version:
            yield f"{name} is locked at {version}, and {versions.get(name, 'nothing')} is installed"
    for name in sorted(versions.keys() - locked.keys() - UNLOCKED):
        yield f"{name} {versions[name]} is installed and not locked"


def installed() -> dict[str, metadata.Distribution]:
    """The packages of this environment by name."""
    return {canonicalize_name(each.metadata["Name"]): each for each in metadata.distributions()}


def licence(package: metadata.Distribution) -> str:
    """A package's licence in a few words, as it says itself; empty where it does not."""
    said = package.metadata
    classifiers = [each.rpartition(" :: ")[2] for each in said.get_all("Classifier") or () if each.startswith("Lic")]
    named = said["License-Expression"] or ", ".join(each for each in classifiers if each != "OSI Approved")
    first = (said["License"] or "").strip().splitlines()
    return str(named or (first[0] if first else ""))[:60]


def changed(package: metadata.Distribution) -> Iterator[str]:
    """The files of a package that are not those that were installed, by its own record of their hashes."""
    for file in package.files or ():
        if file.hash is not None and file.hash.mode == "sha256":
            path = Path(str(file.locate()))
            digest = hashlib.sha256(path.read_bytes()).digest() if path.is_file() else b""
            if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != file.hash.value:
                yield str(file)
