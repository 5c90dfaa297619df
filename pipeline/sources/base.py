"""What every source has: facts about itself, and a reader of its raw file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pipeline.config import Section
from pipeline.errors import RowError
from pipeline.records import Exchange, Rejection, Response
from pipeline.sources.pseudonyms import Raters, raters_of_this_run


class ResponderColumns(Section):
    """The columns of one responder in a wide table; only `text` must be there."""

    text: str
    rating: str | None = None
    rater: str | None = None


class TableColumns(Section):
    """Which column of a person's own table holds what (source `table`).

    `licence` is that of the table itself. Without `dialogue_id` every row is a dialogue of its own.
    """

    utterance: str
    situation: str | None = None
    dialogue_id: str | None = None
    emotion: str | None = None
    responses: dict[str, ResponderColumns]
    licence: str = "none stated"


@dataclass(frozen=True)
class ReadOptions:
    """What a reader is told besides the path.

    `raters` makes the pseudonyms of source `table`; without it they are good for one reading.
    """

    max_chars: int
    columns: TableColumns | None = None
    raters: Raters = field(default_factory=raters_of_this_run)


@dataclass(frozen=True)
class Sourced:
    """One exchange with the responses that its source holds for it."""

    exchange: Exchange
    responses: tuple[Response, ...]


Reader = Callable[[Path, ReadOptions], Iterator[Sourced | Rejection]]


@dataclass(frozen=True)
class Source:
    """A public corpus, or the shape of a person's own.

    `sha256` is that of the file at `url` and binds `distillery fetch` alone; the hash of the file
    that is really read is recorded with the build. `teachers` maps the short name of a direct
    corpus to the responder whose answers it takes. `synthetic` says how much of its text
    a language model wrote. `own` is a person's own data: its raters are known by a secret alone.
    """

    name: str
    title: str
    licence: str
    citation: str
    synthetic: Literal["all", "part", "none", "not stated"]
    read: Reader
    reference_responder: str
    teachers: Mapping[str, str] = field(default_factory=dict)
    split_rule: str = "grouped_random"
    homepage: str | None = None
    url: str | None = None
    sha256: str | None = None
    terms: str = ""
    own: bool = False


def label(value: object) -> str | None:
    """Return a cell that may be empty, or of another type than text, as text or None."""
    return (str(value).strip() or None) if value is not None else None


def read_rating(path: Path, row: int, column: str, value: object) -> int:
    """Return a rating of 1 to 3; "2" and 2.0 are 2. Anything else is a RowError."""
    try:
        number = float(str(value))
    except ValueError:
        number = 0.0
    if number not in (1.0, 2.0, 3.0):
        raise RowError(
            path, row, f"{column} is {value!r}", hint="Ratings are 1 (bad), 2 (okay) or 3 (good)."
        )
    return int(number)


def empty_cell(path: Path, row: int, column: str) -> RowError:
    """Return the error for a cell that must hold something."""
    return RowError(path, row, f"{column} is empty", hint="Fill it in or drop the row.")


# Tab, line feed and carriage return are text; the other control characters are damage.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


def unusable(text: str, max_chars: int) -> tuple[str, str] | None:
    """Return (reason, detail) if `text` must not enter a corpus, else None."""
    if len(text) > max_chars:
        return "too_long", f"{len(text)} characters, at most {max_chars} are taken"
    if found := _CONTROL.search(text):
        return "control_character", f"U+{ord(found.group()):04X} at character {found.start()}"
    if found := _SURROGATE.search(text):
        return "half_a_character", f"lone surrogate at character {found.start()}"
    return None
