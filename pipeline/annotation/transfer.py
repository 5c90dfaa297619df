"""Labels as JSON Lines or any long table: in from other tools, out to them."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pipeline.annotation.form import questions_of
from pipeline.annotation.items import Item, Kind
from pipeline.annotation.pseudonyms import Pseudonyms
from pipeline.annotation.questions import QUESTIONS
from pipeline.errors import PipelineError, RowError, TableError, TargetError
from pipeline.records import WHOLE_RECORD, Annotation
from pipeline.sources.rows import column_names, iter_rows
from pipeline.storage import (
    AtomicFile,
    first_problem,
    iter_json_lines,
    read_json_lines,
    require_file,
)

_NEEDED = ("item_id", "annotator", "question", "value")
_EMPTY = (None, "")
_SHOWN = 5
_HINT = "Columns are those of a round: see `distillery annotate export`."


def read_labels(
    path: Path, pseudonym: Pseudonyms, *, guidelines: str, own: Collection[str] = ()
) -> list[Annotation]:
    """Return the annotations of a table with item_id, annotator, question and value.

    The other columns of a round are taken where they are there. Names become pseudonyms. Answers to
    our questions are checked, those to the `own` questions of a person are taken as they are, and
    so are the labels that a corpus came with. Raises TableError, naming the rows, for any other
    question, and where one person gave two answers to one question.
    """
    rows = list(_rows(path, pseudonym, guidelines))
    unknown: dict[str, list[int]] = {}
    for row, annotation in rows:
        asked = annotation.question
        if annotation.role != "source" and asked not in {*QUESTIONS, WHOLE_RECORD, *own}:
            unknown.setdefault(asked, []).append(row)
    if unknown:
        asked = next(iter(unknown))
        near = difflib.get_close_matches(asked.strip().lower(), QUESTIONS, n=1)
        guess = f"Was {near[0]!r} meant? " if near else ""
        raise TableError(
            path,
            f"{len(unknown)} question(s) not of ours: "
            + _some([f"{name!r} in row {_some(at)}" for name, at in unknown.items()], "; "),
            hint=f"{guess}To take in a question of your own, name it: --question {asked!r}",
        )
    return one_answer_each(path, rows)


def one_answer_each(
    path: Path, rows: Iterable[tuple[int, Annotation]], *, counted: str = "row"
) -> list[Annotation]:
    """Return the annotations of numbered rows, one that is there again once.

    Raises TableError where one person gave two answers to one question; `counted` says what the
    numbers are of.
    """
    first: dict[tuple[str, int, str, str, str], tuple[int, Annotation]] = {}
    clashes = []
    for row, annotation in rows:
        earlier, said = first.setdefault(annotation.key, (row, annotation))
        if (said.status, _labels(said)) != (annotation.status, _labels(annotation)):
            clashes.append(f"{row} and {earlier}, {annotation.question} on {annotation.item_id}")
    if clashes:
        raise TableError(
            path,
            f"{len(clashes)} time(s) one person gave two answers to one question: "
            f"{counted} {_some(clashes, '; ')}",
            hint="Keep one of the two; nothing was taken in.",
        )
    return [annotation for _, annotation in first.values()]


def _labels(annotation: Annotation) -> list[str]:
    value = annotation.value
    return sorted(value) if isinstance(value, tuple) else [str(value)]


def _some(found: Sequence[object], between: str = ", ") -> str:
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return between.join(map(str, found[:_SHOWN])) + more


def _rows(path: Path, pseudonym: Pseudonyms, guidelines: str) -> Iterator[tuple[int, Annotation]]:
    known = set(Annotation.model_fields)
    # A file's name may be no UTF-8, and then no record takes it.
    base = {
        "status": "submitted",
        "guidelines": guidelines,
        "origin": path.name.encode("utf-8", "replace").decode(),
    }
    # A line of JSON need not name what is empty, so only Parquet is asked for its columns.
    columns = column_names(path) if path.suffix.lower() == ".parquet" else _NEEDED
    for row, values in iter_rows(path, {*_NEEDED, *(known & set(columns))}):
        given = {name: one for name, one in values.items() if name in known and one not in _EMPTY}
        question = QUESTIONS.get(str(given.get("question")))
        if question and question.kind == "rating" and str(given.get("value")).isdecimal():
            given["value"] = int(given["value"])
        try:
            annotation = Annotation.model_validate(base | given)
            if question and annotation.value is not None:
                question.check(annotation.value)
        except ValidationError as error:
            raise RowError(path, row, first_problem(error), hint=_HINT) from error
        except PipelineError as error:
            raise RowError(path, row, str(error).splitlines()[0], hint=_HINT) from error
        if annotation.role != "source":
            name = pseudonym(annotation.annotator)
            annotation = annotation.model_copy(update={"annotator": name})
        yield row, annotation


def write_labels(path: Path, annotations: Sequence[Annotation]) -> None:
    """Write annotations as JSON Lines, which `read_labels` takes back unchanged.

    Raises TargetError if `path` holds something else, or an answer that is not among them.
    """
    keys = {row.key for row in annotations}
    _require_own(path, lambda: all(row.key in keys for row in read_json_lines(path, Annotation)))
    _write(path, (row.model_dump(mode="json", exclude_none=True) for row in annotations))


def write_items(path: Path, items: Sequence[Item], kind: Kind) -> None:
    """Write what annotators would see, and what they are asked, for another tool.

    Raises TargetError if `path` holds something else.
    """
    wanted = {"id", "questions"}
    _require_own(path, lambda: all(wanted <= row.keys() for _, row in iter_json_lines(path)))
    asked = [
        {"name": one.name, "title": one.title, "kind": one.kind, "values": one.values}
        for one in questions_of(kind)
    ]
    _write(path, ({"id": item.id, **item.fields, "questions": asked} for item in items))


def _require_own(path: Path, is_own: Callable[[], bool]) -> None:
    """Raise TargetError for a file that no export of the same wrote: it is somebody's work."""
    require_file(path)
    if not path.is_file():
        return
    try:
        if is_own():
            return
    except PipelineError:
        pass
    raise TargetError(
        path,
        "holds what this export would not write",
        hint="Nothing is written over: choose another --out, or move the file away.",
    )


def _write(path: Path, rows: Iterator[dict[str, Any]]) -> None:
    with AtomicFile(path) as part, part.open("w", encoding="utf-8") as stream:
        for row in rows:
            stream.write(json.dumps(row, ensure_ascii=False) + "\n")
