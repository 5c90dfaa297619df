"""How the distribution of a table moved: lengths, emotions, ratings, who wrote it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pipeline.reporting.revisions.rows import Build
from pipeline.statistics.quantiles import quantiles
from pipeline.text.words import count_words

SHOWN = ("p10", "p50", "p90")


@dataclass(frozen=True)
class Tolerances:
    """What is worth a warning: relative for lengths, percentage points / 100 for shares."""

    words: float = 0.15
    share: float = 0.05


@dataclass(frozen=True)
class Shift:
    """One figure before and after; `name` says of what, such as `emotion sad` or `p50 words`."""

    name: str
    before: float
    after: float
    is_share: bool
    notable: bool


def shifts(
    before: tuple[Build, Iterable[dict[str, Any]]],
    after: tuple[Build, Iterable[dict[str, Any]]],
    tolerances: Tolerances,
) -> list[Shift]:
    """Return the figures of a table that are not what they were, the largest changes first."""
    old, new = _figures(*before), _figures(*after)
    found = []
    for name in dict.fromkeys((*old, *new)):
        is_share = not name.endswith(" words")
        if not is_share and (name not in old or name not in new):
            continue
        was, now = old.get(name, 0.0), new.get(name, 0.0)
        if was != now:
            least = tolerances.share if is_share else tolerances.words * was
            found.append(Shift(name, was, now, is_share, abs(now - was) > least))
    return sorted(
        found, key=lambda one: (not one.notable, one.is_share, -abs(one.after - one.before))
    )


def _figures(build: Build, rows: Iterable[dict[str, Any]]) -> dict[str, float]:
    lengths: dict[str, Counter[int]] = {}
    classes: dict[str, Counter[str]] = {}
    count = 0
    for row in rows:
        count += 1
        for side, text in _answers(row):
            lengths.setdefault(side, Counter())[count_words(text)] += 1
        for what, value in _classes(build, row):
            classes.setdefault(what, Counter())[value] += 1
    figures = {
        f"{side}: {name} words": float(value)
        for side, counts in lengths.items()
        for name, value in quantiles(counts).items()
        if name in SHOWN
    }
    for what, values in classes.items():
        figures |= {f"{what} {value}": number / count for value, number in values.items()}
    return figures


def _answers(row: dict[str, Any]) -> Iterable[tuple[str, str]]:
    if "messages" in row:
        yield "response", row["messages"][-1]["content"]
    else:
        yield "chosen", row["chosen"][0]["content"]
        yield "rejected", row["rejected"][0]["content"]


def _classes(build: Build, row: dict[str, Any]) -> Iterable[tuple[str, str]]:
    exchange = build.exchanges.get(row["exchange_id"])
    if exchange is not None and exchange["emotion"]:
        yield "emotion", exchange["emotion"]
    for side in ("response", "chosen", "rejected"):
        response = build.responses.get(row.get(f"{side}_id", ""))
        if response is not None:
            yield f"{side} by", response["responder"]
            yield f"{side} rated", str(response["rating"] or "not")
