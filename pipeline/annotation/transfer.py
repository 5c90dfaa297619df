"""Labels as JSON Lines or any long table: in from other tools, out to them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pipeline.annotation.form import questions_of
from pipeline.annotation.items import Item, Kind
from pipeline.annotation.pseudonyms import Pseudonyms
from pipeline.annotation.questions import QUESTIONS
from pipeline.errors import PipelineError, RowError
from pipeline.records import Annotation
from pipeline.sources.rows import column_names, iter_rows
from pipeline.storage import AtomicFile, first_problem

_NEEDED = ("item_id", "annotator", "question", "value")
_EMPTY = (None, "")
_HINT = "Columns are those of a round: see `distillery annotate export`."


def read_labels(path: Path, pseudonym: Pseudonyms, *, guidelines: str) -> Iterator[Annotation]:
    """Yield annotations from a table with item_id, annotator, question and value.

    The other columns of a round are taken where they are there. Names become pseudonyms. Answers to
    our own questions are checked; other questions are taken as they are.
    """
    known = set(Annotation.model_fields)
    # A line of JSON need not name what is empty, so only Parquet is asked for its columns.
    columns = column_names(path) if path.suffix.lower() == ".parquet" else _NEEDED
    for row, values in iter_rows(path, {*_NEEDED, *(known & set(columns))}):
        given = {name: one for name, one in values.items() if name in known and one not in _EMPTY}
        question = QUESTIONS.get(str(given.get("question")))
        if question and question.kind == "rating" and str(given.get("value")).isdecimal():
            given["value"] = int(given["value"])
        try:
            annotation = Annotation.model_validate(
                {"status": "submitted", "guidelines": guidelines, "origin": path.name} | given
            )
            if question and annotation.value is not None:
                question.check(annotation.value)
        except ValidationError as error:
            raise RowError(path, row, first_problem(error), hint=_HINT) from error
        except PipelineError as error:
            raise RowError(path, row, str(error).splitlines()[0], hint=_HINT) from error
        if annotation.role == "annotator":
            name = pseudonym(annotation.annotator)
            annotation = annotation.model_copy(update={"annotator": name})
        yield annotation


def write_labels(path: Path, annotations: Sequence[Annotation]) -> None:
    """Write annotations as JSON Lines, which `read_labels` takes back unchanged."""
    _write(path, (row.model_dump(mode="json", exclude_none=True) for row in annotations))


def write_items(path: Path, items: Sequence[Item], kind: Kind) -> None:
    """Write what annotators would see, and what they are asked, for another tool."""
    asked = [
        {"name": one.name, "title": one.title, "kind": one.kind, "values": one.values}
        for one in questions_of(kind)
    ]
    _write(path, ({"id": item.id, **item.fields, "questions": asked} for item in items))


def _write(path: Path, rows: Iterator[dict[str, Any]]) -> None:
    with AtomicFile(path) as part, part.open("w", encoding="utf-8") as stream:
        for row in rows:
            stream.write(json.dumps(row, ensure_ascii=False) + "\n")
