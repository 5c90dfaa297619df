"""A small sound build of ten exchanges, and ways to spoil it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.records import (
    Exchange,
    Lineage,
    Message,
    PreferencePair,
    RawLocation,
    Response,
    SFTExample,
    SplitAssignment,
)
from pipeline.storage import write_table
from pipeline.validation.drift import Accepted, Tolerances
from pipeline.validation.run import TableReport, validate_build
from pipeline.validation.suites import Bounds, LengthBounds
from pipeline.validation.tables import BuildPaths

LINEAGE = Lineage(source="made", licence="cc0-1.0", operation="test")
LENGTHS = LengthBounds(min_words=1, max_words=20)
BOUNDS = Bounds(utterance=LENGTHS, response=LENGTHS, emotions=("sad",))
TOLERANCES = Tolerances(least_rows=5, rows=0.1, share=0.1, words=0.1)
SAID = Message(role="user", content="I lost my keys today.")


def exchange(number: int) -> Exchange:
    return Exchange(
        id=f"e{number}",
        dialogue_id=f"d{number}",
        emotion="sad",
        situation="",
        utterance=f"I lost {number} keys today.",
        raw=RawLocation(file="made.csv", row=number + 1),
        lineage=LINEAGE,
    )


def response(number: int, side: str) -> Response:
    return Response(
        id=f"r{number}{side}",
        exchange_id=f"e{number}",
        responder=side,
        text=f"That is {side} and hard for you.",
        rating=3 if side == "good" else 1,
        lineage=LINEAGE,
    )


def answer(text: str) -> tuple[Message, ...]:
    return (Message(role="assistant", content=text),)


def pair(number: int) -> PreferencePair:
    return PreferencePair(
        id=f"p{number}",
        prompt=(SAID,),
        chosen=answer("That is good and hard for you."),
        rejected=answer("Cheer up now."),
        exchange_id=f"e{number}",
        chosen_id=f"r{number}good",
        rejected_id=f"r{number}bad",
        chosen_rating=3,
        rejected_rating=1,
        lineage=LINEAGE,
    )


def example(number: int) -> SFTExample:
    return SFTExample(
        id=f"s{number}",
        messages=(SAID, *answer("That sounds hard.")),
        exchange_id=f"e{number}",
        response_id=f"r{number}good",
        lineage=LINEAGE,
    )


def write_build(folder: Path) -> BuildPaths:
    """Write the build to `folder`."""
    paths = BuildPaths(
        exchanges=folder / "exchanges.parquet",
        responses=folder / "responses",
        splits=folder / "splits.parquet",
        sft=folder / "sft",
        preferences=folder / "preferences",
    )
    numbers = range(10)
    write_table(paths.exchanges, Exchange, map(exchange, numbers))
    write_table(
        paths.responses / "source.parquet",
        Response,
        (response(number, side) for number in numbers for side in ("good", "bad")),
    )
    write_table(
        paths.splits,
        SplitAssignment,
        (
            SplitAssignment(
                exchange_id=f"e{number}",
                split="train" if number < 8 else "test",
                group=f"g{number}",
                rule="grouped_random",
            )
            for number in numbers
        ),
    )
    write_table(paths.sft / "c.parquet", SFTExample, map(example, range(8)))
    for name in ("strict", "authors"):
        write_table(paths.preferences / name / "c.parquet", PreferencePair, map(pair, range(8)))
    return paths


def edit(path: Path, change: Callable[[list[dict[str, Any]]], None]) -> None:
    """Spoil rows behind the records' back, as a bug in a stage would."""
    table = pq.read_table(path)
    rows = table.to_pylist()
    change(rows)
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), path)


def reports(build: BuildPaths, accepted: Accepted | None = None) -> dict[str, TableReport]:
    found = validate_build(
        build,
        ["c"],
        bounds=BOUNDS,
        tolerances=TOLERANCES,
        accepted=accepted or Accepted(),
    )
    return {report.name: report for report in found}


def failures(report: TableReport) -> dict[str, tuple[int | None, tuple[str, ...]]]:
    return {
        check.claim: (check.unexpected, check.row_ids)
        for check in report.checks
        if not check.passed
    }
