"""YAML, read and written by one library and one set of rules: YAML 1.2, as DVC reads it.

`no` is a name, a repeated key is an error. What is nested too deeply, grows by its aliases, has a
tag or asks for other rules is refused before anything is made of it.
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.emitter import RoundTripEmitter
from ruamel.yaml.error import YAMLError
from ruamel.yaml.representer import RoundTripRepresenter
from ruamel.yaml.scalarstring import FoldedScalarString

from pipeline.errors import MissingFileError, TableError

MAX_DEPTH = 100
MAX_NODES = 1_000_000
MAX_DIGITS = 1000
WIDTH = 110
_TEXT = "tag:yaml.org,2002:str"
# What YAML 1.1, which other programs read, takes for a truth value or a number.
_ELSEWHERE = re.compile(r"(?i)y|n|yes|no|on|off|[-+]?[0-9][0-9_:.]*")
# A number that Python reads at any length, and then cannot write.
_BASED = re.compile(r"[-+]?0[box][0-9a-fA-F_]+")


class NotYamlError(TableError):
    """A file is not the YAML that is read here."""

    def __init__(self, path: Path, problem: str) -> None:
        self.problem = problem
        super().__init__(path, f"not YAML: {problem}", hint="Mend it.")


def read_yaml(path: Path) -> Any:
    """Return what the file holds, as plain values."""
    if not path.is_file():
        raise MissingFileError(path, hint="Check the path.")
    return parse_yaml(path.read_bytes(), path)


def parse_yaml(content: str | bytes, path: Path) -> Any:
    """Return what `content` says, as plain values; `path` is where it is from, for the message."""
    return _load(YAML(typ="safe"), content, path)


def parse_to_edit(content: str | bytes, path: Path) -> Any:
    """Return what `content` says with its comments, to be changed and given to `format_yaml`."""
    reader = YAML()
    reader.preserve_quotes = True
    return _load(reader, content, path)


def format_yaml(values: object) -> str:
    """Return `values` as YAML, with the comments they came with."""
    writer = YAML()
    writer.default_flow_style = False
    writer.width = WIDTH
    writer.indent(mapping=2, sequence=4, offset=2)
    writer.Representer = _Representer
    writer.Emitter = _Emitter
    stream = io.StringIO()
    writer.dump(values, stream)
    return stream.getvalue()


def inline(value: dict[str, Any] | list[Any]) -> Any:
    """Return `value` to be written on one line, in brackets."""
    nodes = CommentedMap(value) if isinstance(value, dict) else CommentedSeq(value)
    nodes.fa.set_flow_style()
    return nodes


def folded(parts: Sequence[str]) -> Any:
    """Return one text of `parts`, joined by spaces, to be written with a part on each line."""
    text = FoldedScalarString(" ".join(parts))
    ends = accumulate(len(part) + 1 for part in parts[:-1])
    text.fold_pos = [end - 1 for end in ends]
    return text


def _load(reader: YAML, content: str | bytes, path: Path) -> Any:
    try:
        text = content.decode("utf-8") if isinstance(content, bytes) else content
        _refuse_excess(text, path)
        return reader.load(text)
    # ValueError: not UTF-8, no such date, a huge number. TypeError: a key that is a list or a map.
    except (YAMLError, ValueError, TypeError) as error:
        raise NotYamlError(path, " ".join(str(error).split())) from error


def _refuse_excess(text: str, path: Path) -> None:
    """Raise NotYamlError for what is too deep, too many or of a foreign tag, from events alone.

    Both parsers recurse over what they build: 20,000 brackets end one of them, 200,000 the process.
    """
    open_nodes: list[tuple[str | None, int]] = []  # anchor, and the nodes before it
    sizes: dict[str, int] = {}
    nodes = 0
    for event in YAML(typ="safe").parse(text):
        kind, anchor = type(event).__name__, getattr(event, "anchor", None)
        if kind in ("MappingEndEvent", "SequenceEndEvent"):
            name, before = open_nodes.pop()
            if name is not None:
                sizes[name] = nodes - before
            continue
        if kind == "AliasEvent":
            if anchor not in sizes:
                raise NotYamlError(path, f"*{anchor} stands for nothing whole before it")
            nodes += sizes[anchor]
        elif kind in ("MappingStartEvent", "SequenceStartEvent", "ScalarEvent"):
            nodes += 1
            if kind != "ScalarEvent":
                open_nodes.append((anchor, nodes - 1))
            elif anchor is not None:
                sizes[anchor] = 1
            _refuse_foreign(event, path)
        elif kind == "DocumentStartEvent" and event.version is not None:
            raise NotYamlError(path, "a line %YAML is not read")
        if len(open_nodes) > MAX_DEPTH:
            raise NotYamlError(path, f"nested more than {MAX_DEPTH} deep")
        if nodes > MAX_NODES:
            raise NotYamlError(path, f"more than {MAX_NODES:,} values")


def _refuse_foreign(event: Any, path: Path) -> None:
    if (tag := event.tag) is not None and str(tag) != _TEXT:
        raise NotYamlError(path, f"the tag {tag} is not read")
    value = getattr(event, "value", "")
    if len(value) > MAX_DIGITS and event.implicit[0] and _BASED.fullmatch(value):
        raise NotYamlError(path, f"a number of more than {MAX_DIGITS} digits")


class _Emitter(RoundTripEmitter):
    """Writes a text on one line: of what is folded, not all comes back."""

    def process_scalar(self) -> None:
        width, self.best_width = self.best_width, sys.maxsize
        super().process_scalar()
        self.best_width = width


class _Representer(RoundTripRepresenter):
    """Writes a text in quotes where another program's rules would not take it for one."""


def _represent_text(representer: RoundTripRepresenter, text: str) -> Any:
    style = "'" if _ELSEWHERE.fullmatch(text) else None
    if not text.isprintable():  # only double quotes keep each line break as it is
        style = '"'
    return representer.represent_scalar(_TEXT, text, style=style)


def _represent_nothing(representer: RoundTripRepresenter, _: None) -> Any:
    return representer.represent_scalar("tag:yaml.org,2002:null", "null")


_Representer.add_representer(str, _represent_text)
_Representer.add_representer(type(None), _represent_nothing)
