"""Following a printed figure back to the file that it claims to be from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.reporting.cards import Card
from pipeline.reporting.facts import Facts, How
from pipeline.reporting.stage_graph import read_stage_graph
from pipeline.workspace import PROJECT


def facts_of(folder: Path) -> Facts:
    """Return the figures of a build that lies in `folder`."""
    return Facts(folder, read_stage_graph(PROJECT / "dvc.yaml"))


def look_up(root: Path, place: str) -> Any:
    """Return what stands at `file#/json/pointer`; nothing here is shared with the code it tests."""
    file, _, pointer = place.partition("#")
    value = json.loads((root / file).read_text(encoding="utf-8"))
    for step in pointer.split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        value = value[int(key)] if isinstance(value, list) else value[key]
    return value


def recomputed(root: Path, how: How, places: Sequence[str]) -> Any:
    """Return the figure from its sources."""
    found = [look_up(root, place) for place in places]
    if how == "sum":
        return sum(found)
    if how == "share":
        return sum(found[:-1]) / found[-1] if found[-1] else None
    if how == "holding":
        return sum(one is True for one in found)
    [one] = found
    if how == "name":
        return places[0].rpartition("/")[2].replace("~1", "/").replace("~0", "~")
    return len(one) if how == "count" else one


def check_traces(card: Card, root: Path) -> None:
    """Assert that each figure of `card`, and the text that shows it, is what its sources say."""
    for trace in card.traces:
        value = recomputed(root, trace.figure.how, trace.figure.sources)
        assert trace.figure.value == value, trace
        assert says(trace.text.replace("\\", ""), value), trace


def says(text: str, value: Any) -> bool:
    """Whether `text` is `value` as a person would write it, rounded to the digits it shows."""
    if value is None:
        return text in ("not stated", "none")
    if isinstance(value, bool):
        return text == ("yes" if value else "no")
    if isinstance(value, int | float):
        plain = text.replace(",", "")
        scale = 100 if plain.endswith("%") else 1
        plain = plain.removesuffix("%")
        digits = len(plain.partition(".")[2]) if "e" not in plain else 12
        return abs(float(plain) - scale * value) <= 0.5000001 * 10**-digits
    if isinstance(value, list):
        return text == (", ".join(map(str, value)) or "none")
    flat = " ".join(str(value).split())
    return text == flat[:200] or text.startswith(flat[:200])
