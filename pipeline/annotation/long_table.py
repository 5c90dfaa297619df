"""Answers from any long table, and from our own rounds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import isfinite, isnan
from pathlib import Path
from typing import Any, cast, get_args

from pipeline.annotation.agreement import GivenAnswer, Options
from pipeline.annotation.bands import BandName
from pipeline.annotation.questions import QUESTIONS
from pipeline.annotation.rounds import read_round, round_files
from pipeline.errors import PipelineError, RowError, TableError
from pipeline.records import WHOLE_RECORD, Annotation
from pipeline.sources.rows import iter_rows
from pipeline.statistics.agreement import Scale
from pipeline.statistics.bootstrap import RESAMPLES

Value = int | float | str | tuple[str, ...]


@dataclass(frozen=True)
class LongColumns:
    """Which column of a long table holds what."""

    item: str = "item"
    annotator: str = "annotator"
    question: str = "question"
    value: str = "value"


def read_long_table(path: Path, columns: LongColumns) -> list[GivenAnswer]:
    """Read a CSV, TSV, JSON Lines or Parquet table of one answer per row.

    A column of numbers is read as numbers. A list (JSON Lines, Parquet) is a set of labels. An
    empty value is a missing answer. One annotator answering twice is an error with both rows, and
    so is an endless number among numbers; neither says who answered.
    """
    names = (columns.item, columns.annotator, columns.question, columns.value)
    seen: dict[tuple[str, str, str], int] = {}
    raw: list[tuple[int, str, str, str, Any]] = []
    worded: set[str] = set()
    for row, values in iter_rows(path, names):
        item, annotator, question = (_name(path, row, values, name) for name in names[:3])
        value = values[columns.value]
        if value is None or value == "" or (isinstance(value, float) and isnan(value)):
            continue
        earlier = seen.setdefault((item, annotator, question), row)
        if earlier != row:
            raise RowError(
                path,
                row,
                f"the same annotator answered {question} on {item} in row {earlier} already",
                hint="Keep one answer per item, annotator and question.",
            )
        raw.append((row, item, annotator, question, value))
        if not _is_number(value):
            worded.add(question)
    if not raw:
        raise TableError(path, "there is no answer in it", hint="A table with rows is needed.")
    for row, item, _, question, value in raw:
        if question not in worded and not isfinite(float(str(value))):
            raise RowError(
                path,
                row,
                f"the answer to {question} on {item} is too large or no number, all others are one",
                hint="Mend it, or leave it empty for a missing answer.",
            )
    return [
        GivenAnswer(item, item, annotator, question, _value(value, numeric=question not in worded))
        for _, item, annotator, question, value in raw
    ]


def _name(path: Path, row: int, values: dict[str, Any], column: str) -> str:
    name = str(values[column] if values[column] is not None else "").strip()
    if not name:
        raise RowError(path, row, f"{column} is empty", hint="Fill it in or drop the row.")
    return name


def _is_number(value: object) -> bool:
    try:
        float(str(value))
    except ValueError:
        return False
    return not isinstance(value, bool)


def _value(value: Any, *, numeric: bool) -> Value:
    if isinstance(value, (list, tuple)):
        return tuple(sorted(str(one) for one in value))
    if numeric:
        number = float(value)
        return int(number) if number.is_integer() else number
    return str(value)


def rounds_answers(folder: Path) -> list[GivenAnswer]:
    """Return the answers of all rounds in `folder`; over time means round by round."""
    return [
        answer
        for number, path in round_files(folder).items()
        for answer in round_answers(read_round(path), period=f"round {number}")
    ]


def report_options(
    scales: Iterable[str], *, ours: bool, bands: BandName = "cicchetti", resamples: int = RESAMPLES
) -> Options:
    """Return how to report; `scales` are QUESTION=SCALE, `ours` adds those of our own questions."""
    known: dict[str, Scale] = {}
    categories: dict[str, tuple[str, ...]] = {}
    for question in QUESTIONS.values() if ours else ():
        if question.scale and question.values:
            known[question.name] = question.scale
            categories[question.name] = question.values
    for told in scales:
        name, _, scale = told.partition("=")
        if scale not in get_args(Scale):
            raise PipelineError(
                f"--scale {told}: not QUESTION=SCALE\nScales are: {', '.join(get_args(Scale))}"
            )
        known[name] = cast("Scale", scale)
    return Options(scales=known, categories=categories, bands=bands, resamples=resamples)


def round_answers(
    annotations: Iterable[Annotation], *, period: str | None = None
) -> Iterator[GivenAnswer]:
    """Yield what people submitted in a round, texts aside; a bootstrap draws whole items.

    A per-sentence answer counts for its sentence. `period` names the round; without it, answers are
    grouped by ISO week.
    """
    for row in annotations:
        known = QUESTIONS.get(row.question)
        if row.status != "submitted" or row.role != "annotator" or row.value is None:
            continue
        if row.question == WHOLE_RECORD or (known and known.scale is None):
            continue
        week = row.answered_at.strftime("%G-W%V") if row.answered_at else None
        yield GivenAnswer(
            row.unit, row.item_id, row.annotator, row.question, row.value, period or week
        )
