"""Licences of the packages that are installed with this one, for THIRD_PARTY.md.

A licence is what the package's own metadata say: the SPDX expression, else the licence field, else
the licence file that came with it, else the classifier. What none of them settles, or settles
wrongly, is looked up by a person and kept in `REVIEWED` with its source.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from email.message import Message
from importlib import metadata
from pathlib import Path
from typing import cast

from pipeline.errors import PipelineError

UNKNOWN = "unknown"
COPYLEFT = re.compile(r"^A?GPL-")
CONDITIONS = re.compile(r"\b(A?GPL|LGPL|MPL|EPL)-")

# name: (SPDX expression, where a person read it)
REVIEWED: dict[str, tuple[str, str]] = {
    "antlr4-python3-runtime": (
        "BSD-3-Clause",
        "https://github.com/antlr/antlr4/blob/4.9.3/LICENSE.txt",
    ),
    "asyncssh": ("EPL-2.0 OR GPL-2.0-or-later", "its METADATA"),
    "grandalf": ("EPL-1.0 OR GPL-2.0-only", "its LICENSE, which offers either"),
    "mlcroissant": (
        "Apache-2.0",
        "the package states none; https://github.com/mlcommons/croissant/blob/main/LICENSE",
    ),
    "ply": ("BSD-3-Clause", "the head of its yacc.py"),
    "pygit2": (
        "GPL-2.0-only WITH GCC-exception-2.0",
        "its COPYING, which lets anything link to it unchanged",
    ),
    "python-dateutil": ("Apache-2.0 OR BSD-3-Clause", "its LICENSE, which offers either"),
    # Wheels for other platforms state it otherwise.
    "torch": ("BSD-3-Clause", "https://github.com/pytorch/pytorch/blob/main/LICENSE"),
}

_FIELDS = {
    "apache": "Apache-2.0",
    "apache 2.0": "Apache-2.0",
    "apache 2.0 license": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "bsd 2-clause license": "BSD-2-Clause",
    "2-clause bsd": "BSD-2-Clause",
    "gpl-3.0": "GPL-3.0-only",
    "isc license": "ISC",
    "mit license": "MIT",
    "new bsd": "BSD-3-Clause",
    "psfl": "PSF-2.0",
}
_CLASSIFIERS = {
    "Apache Software License": "Apache-2.0",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
# What only this licence's text says, the more particular one first.
_TEXTS = (
    ("apache license version 2.0", "Apache-2.0"),
    ("mozilla public license version 2.0", "MPL-2.0"),
    ("permission is hereby granted, free of charge", "MIT"),
    ("neither the name", "BSD-3-Clause"),
    ("may be used to endorse or promote products", "BSD-3-Clause"),
    ("redistributions in binary form must reproduce", "BSD-2-Clause"),
)
_SPDX = re.compile(
    r"^\(?(MIT|MIT-0|MIT-CMU|Apache-2\.0|BSD-[23]-Clause|MPL-2\.0|PSF-2\.0|ISC|ZPL-2\.1|0BSD|Zlib|"
    r"CC0-1\.0|CNRI-Python|Unlicense|[AL]?GPL-[23]\.0-(only|or-later))\)?$"
)
_WORDS = re.compile(r"\s+(?:AND|OR)\s+")


class NotInstalledError(PipelineError):
    """A package that the project names is not installed."""


@dataclass(frozen=True)
class Package:
    """One installed package; `stated` says what its licence was read from."""

    name: str
    version: str
    licence: str
    stated: str
    homepage: str


def pinned(lock: Path) -> dict[str, str]:
    """Return the version of each package of requirements.lock, by normalised name."""
    lines = (line.split("#")[0].strip() for line in lock.read_text(encoding="utf-8").splitlines())
    pairs = (line.partition("==") for line in lines if "==" in line)
    return {normalised(name): version.split(";")[0].strip() for name, _, version in pairs}


def normalised(name: str) -> str:
    """Return a package's name as the index compares it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name.strip()).lower()


def closure(project: Path) -> set[str]:
    """Return what the dependencies of pyproject.toml need on this platform, themselves included."""
    return set(wanted_by(project))


def wanted_by(project: Path) -> dict[str, set[str]]:
    """Return each package of the closure with those that ask for it; none: we do, by name."""
    from packaging.requirements import Requirement

    declared = tomllib.loads(project.read_text(encoding="utf-8"))["project"]["dependencies"]
    waiting = [(Requirement(one), "") for one in declared]
    seen: set[tuple[str, str]] = set()
    found: dict[str, set[str]] = {}
    while waiting:
        requirement, asker = waiting.pop()
        name = normalised(requirement.name)
        found.setdefault(name, set()).update({asker} - {"", name})
        for extra in ("", *requirement.extras):
            if (name, extra) in seen:
                continue
            seen.add((name, extra))
            for line in _distribution(name).requires or []:
                needed = Requirement(line)
                if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                    waiting.append((needed, name))
    return found


def packages(names: Iterable[str], versions: Mapping[str, str]) -> list[Package]:
    """Return the packages of those names, by name, with the pinned versions."""
    found = []
    for name in sorted(names):
        distribution = _distribution(name)
        licence, stated = licence_of(name, distribution)
        found.append(
            Package(
                name, versions.get(name, "not pinned"), licence, stated, _homepage(distribution)
            )
        )
    return found


def licence_of(name: str, distribution: metadata.Distribution) -> tuple[str, str]:
    """Return (SPDX expression or `unknown`, what says so)."""
    if name in REVIEWED:
        licence, source = REVIEWED[name]
        return licence, f"reviewed: {source}"
    about = _about(distribution)
    if expression := about.get("License-Expression"):
        return str(expression), "expression"
    field = " ".join(str(about.get("License") or "").split())
    if field.lower() in _FIELDS:
        return _FIELDS[field.lower()], "field"
    if field and all(_SPDX.match(word) for word in _WORDS.split(field)):
        return field, "field"
    stated = [one.split(" :: ")[-1] for one in about.get_all("Classifier") or []]
    says_bsd = "BSD" in f"{field} {stated}"
    for text in _licence_texts(distribution):
        flat = " ".join(text.lower().replace("license, version", "license version").split())
        for mark, licence in _TEXTS:
            # The file of a package often quotes the licence of a part as well.
            if mark in flat and (licence.startswith("BSD") or not says_bsd):
                return licence, "licence file"
    known = sorted({_CLASSIFIERS[one] for one in stated if one in _CLASSIFIERS})
    return (" OR ".join(known), "classifier") if known else (UNKNOWN, "nothing")


def _licence_texts(distribution: metadata.Distribution) -> Iterator[str]:
    for file in distribution.files or ():
        if ".dist-info" in str(file) and re.match(r"(?i)(licen[cs]e|copying)", file.name):
            yield file.read_text()


def _distribution(name: str) -> metadata.Distribution:
    try:
        return metadata.distribution(name)
    except metadata.PackageNotFoundError as error:
        raise NotInstalledError(f"{name}: not installed\nRun `make venv`.") from error


def _about(distribution: metadata.Distribution) -> Message:
    # What it is in Python 3.11, though the protocol that it is typed as promises less.
    return cast("Message", distribution.metadata)


def _homepage(distribution: metadata.Distribution) -> str:
    about = _about(distribution)
    pairs = [str(one).partition(", ") for one in about.get_all("Project-URL") or []]
    urls = {label.strip().lower(): url.strip() for label, _, url in pairs}
    wanted = ("homepage", "home", "repository", "source", "source code", "github", "documentation")
    found = [urls[label] for label in wanted if label in urls]
    return next(iter(found), str(about.get("Home-page") or "") or next(iter(urls.values()), ""))


def needs_copyleft(expression: str) -> bool:
    """Whether there is no way to take the licence but under the GPL or the AGPL.

    A choice (`OR`) needs it only if both sides do, and `WITH` an exception is no GPL that reaches
    further than the package itself.
    """
    tokens = re.findall(r"[()]|[^\s()]+", expression)
    place = 0

    def alternatives() -> bool:
        nonlocal place
        value = parts()
        while place < len(tokens) and tokens[place] == "OR":
            place += 1
            other = parts()
            value = value and other
        return value

    def parts() -> bool:
        nonlocal place
        value = one()
        while place < len(tokens) and tokens[place] == "AND":
            place += 1
            other = one()
            value = value or other
        return value

    def one() -> bool:
        nonlocal place
        word = tokens[place]
        place += 1
        if word == "(":
            value = alternatives()
            place += 1
            return value
        if tokens[place : place + 1] == ["WITH"]:
            place += 2
            return False
        return COPYLEFT.match(word) is not None

    return alternatives()


def third_party(root: Path) -> str:
    """Return the generated part of THIRD_PARTY.md as Markdown."""
    versions = pinned(root / "requirements.lock")
    askers = wanted_by(root / "pyproject.toml")
    needed = packages(askers, versions)
    extra = [one for one in packages(set(versions) - set(askers), versions) if _conditional(one)]
    return "\n\n".join(
        [
            f"## Needed at run time: {len(needed)} packages",
            _table(needed),
            "### Of these, with conditions to know of",
            _asked_for(filter(_conditional, needed), askers),
            "## For development and tests alone, with conditions to know of",
            _table(extra),
        ]
    )


def _conditional(package: Package) -> bool:
    return package.licence == UNKNOWN or CONDITIONS.search(package.licence) is not None


def _table(found: Iterable[Package]) -> str:
    rows = [
        f"| {one.name} | {one.version} | {one.licence} | {one.stated} | {one.homepage} |"
        for one in found
    ]
    return "\n".join(
        ["| package | version | licence | stated by | homepage |", "|---|---|---|---|---|", *rows]
    )


def _asked_for(found: Iterable[Package], askers: Mapping[str, set[str]]) -> str:
    rows = [
        f"| {one.name} | {one.licence} | {', '.join(sorted(askers[one.name])) or 'us'} |"
        for one in found
    ]
    return "\n".join(["| package | licence | asked for by |", "|---|---|---|", *rows])
