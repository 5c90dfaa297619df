"""Rounds: a JSON Lines file of annotations each, merged without loss, resolved to final labels."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import PipelineError, RowError
from pipeline.layout import path_of
from pipeline.records import WHOLE_RECORD, Annotation, AnswerValue, FinalLabel
from pipeline.storage import AtomicFile, read_json_lines

FOLDER = path_of("rounds")


def round_path(number: int, folder: Path = FOLDER) -> Path:
    """Return the file of round `number`."""
    return folder / f"{number}.jsonl"


def round_files(folder: Path) -> dict[int, Path]:
    """Return the rounds in `folder` by number, in order; a file of another name is an error."""
    found: dict[int, Path] = {}
    for path in folder.glob("*.jsonl"):
        if not path.stem.isdecimal():
            raise PipelineError(f"{path}: a round is called <number>.jsonl\nRename the file.")
        number = int(path.stem)
        if number in found:
            raise PipelineError(
                f"{path}: round {number} is there twice, as {found[number].name} too\n"
                "Keep one file; `distillery annotate import` adds the labels of the other."
            )
        found[number] = path
    return dict(sorted(found.items()))


def read_round(path: Path) -> list[Annotation]:
    """Read one round; an answer that is there twice is an error with its row."""
    seen: dict[tuple[str, int, str, str, str], int] = {}
    rows = []
    for row, annotation in enumerate(read_json_lines(path, Annotation), start=1):
        earlier = seen.setdefault(annotation.key, row)
        if earlier != row:
            raise RowError(
                path, row, f"the same answer as row {earlier}", hint="Drop one of the two."
            )
        rows.append(annotation)
    return rows


def write_round(path: Path, annotations: Iterable[Annotation]) -> int:
    """Write a round in a stable order, at once or not at all; return the number of rows."""
    with AtomicFile(path) as part:
        return _fill(part, annotations)


def add_to_round(
    path: Path, answers: Sequence[Annotation], *, whole_records: bool = True
) -> tuple[Merged, int]:
    """Merge `answers` into the round at `path`, if there is one; return also its number of rows.

    `whole_records` is as for `merge`.
    Nobody else can write the round between the reading and the writing.
    """
    with AtomicFile(path) as part:
        before = read_round(path) if path.is_file() else []
        merged = merge(before, answers, whole_records=whole_records)
        return merged, _fill(part, merged.annotations)


def _fill(part: Path, annotations: Iterable[Annotation]) -> int:
    rows = sorted(annotations, key=lambda annotation: annotation.key)
    with part.open("w", encoding="utf-8") as stream:
        for row in rows:
            values = row.model_dump(mode="json", exclude_none=True)
            stream.write(json.dumps(values, ensure_ascii=False) + "\n")
    return len(rows)


@dataclass(frozen=True)
class Merged:
    """A round after a pull; `gone` counts answers the server no longer has. They are kept."""

    annotations: tuple[Annotation, ...]
    new: int
    changed: int
    gone: int


def merge(
    old: Sequence[Annotation], pulled: Sequence[Annotation], *, whole_records: bool = True
) -> Merged:
    """Join what a round holds with what a server holds now; pulling twice changes nothing.

    An answer that was revised takes the new value. If an annotator turned a discarded record into
    answers, or the other way round, the old state of that record is replaced as a whole. A server
    always gives whole records; a file, `whole_records` false, may give one question of many, and
    then the answers to the others stay.
    """
    touched = {_record(row) for row in pulled}
    discarded = {_record(row) for row in pulled if row.question == WHOLE_RECORD}
    before = {row.key: row for row in old}
    after = {row.key: row for row in pulled}

    def stays(row: Annotation) -> bool:
        if whole_records or row.question == WHOLE_RECORD:
            return _record(row) not in touched
        return row.key not in after and _record(row) not in discarded

    gone = list(filter(stays, old))
    return Merged(
        annotations=(*gone, *after.values()),
        new=sum(key not in before for key in after),
        changed=sum(key in before and before[key] != row for key, row in after.items()),
        gone=len(gone),
    )


def _record(row: Annotation) -> tuple[str, str, str]:
    return row.item_id, row.annotator, row.role


def resolve(annotations: Sequence[Annotation], number: int) -> Iterator[FinalLabel]:
    """Yield a final label for each unit and question on which there is one.

    The adjudicator's word counts first, then more than half of the annotators, then the corpus's
    own label. Without a majority there is none: that unit waits for `annotate adjudicate`.
    """
    units: defaultdict[tuple[str, int, str], list[Annotation]] = defaultdict(list)
    for row in annotations:
        if row.status == "submitted" and row.question != WHOLE_RECORD:
            units[row.key[:3]].append(row)
    for _, rows in sorted(units.items()):
        if label := _label(rows, number):
            yield label


def _label(rows: Sequence[Annotation], number: int) -> FinalLabel | None:
    by_role = {role: [row for row in rows if row.role == role] for role in _ROLES}
    people = by_role["annotator"]
    if ruled := by_role["adjudicator"]:
        latest = max(ruled, key=lambda row: row.answered_at.timestamp() if row.answered_at else 0)
        return _final(latest.value, people, latest, "adjudicated", number)
    if not people:
        sources = by_role["source"]
        return _final(sources[0].value, sources, sources[0], "source", number)
    (value, votes), *_ = Counter(comparable(row.value) for row in people).most_common(1)
    if 2 * votes <= len(people):
        return None
    winner = next(row for row in people if comparable(row.value) == value)
    method = "sole" if len(people) == 1 else "unanimous" if votes == len(people) else "majority"
    return _final(winner.value, people, winner, method, number)


_ROLES = ("adjudicator", "annotator", "source")


def comparable(value: AnswerValue | None) -> tuple[str, ...]:
    """Return an answer such that equal ones are equal: a set of labels in order, else a text."""
    return tuple(sorted(value)) if isinstance(value, tuple) else (str(value),)


def _final(
    value: AnswerValue | None,
    rows: Sequence[Annotation],
    told: Annotation,
    method: str,
    number: int,
) -> FinalLabel:
    values = comparable(value)
    return FinalLabel.model_validate(
        {
            "item_id": told.item_id,
            "question": told.question,
            "sentence": told.sentence,
            "values": values,
            "method": method,
            "annotators": tuple(sorted({row.annotator for row in (*rows, told)})),
            "agreeing": sum(comparable(row.value) == values for row in rows),
            "guidelines": told.guidelines,
            "round": number,
        }
    )


def disagreements(annotations: Sequence[Annotation]) -> dict[str, tuple[str, ...]]:
    """Return the items on which people differ, with the questions they differ in.

    Only submitted answers of annotators count; items that an adjudicator ruled on are done.
    """
    answers: defaultdict[tuple[str, int, str], set[tuple[str, ...]]] = defaultdict(set)
    ruled = set()
    for row in annotations:
        if row.status != "submitted" or row.question == "comment":
            continue
        if row.role == "adjudicator":
            ruled.add(row.item_id)
        elif row.role == "annotator":
            answers[row.key[:3]].add(comparable(row.value))
    open_items: defaultdict[str, set[str]] = defaultdict(set)
    for (item_id, _, question), given in answers.items():
        if len(given) > 1 and item_id not in ruled:
            open_items[item_id].add(question)
    return {item_id: tuple(sorted(names)) for item_id, names in sorted(open_items.items())}
