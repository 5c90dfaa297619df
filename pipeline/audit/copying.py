"""Copies of a file without some of its rows; what is kept stays as it is.

Rows are counted as `pipeline.audit.reading` counts them.
"""

from __future__ import annotations

import csv
import itertools
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.audit.raw_table import RawTable
from pipeline.audit.reading import data_files, leading_out, read_file
from pipeline.audit.row_files import rows_of_document
from pipeline.errors import REFUSALS, PipelineError, TableError
from pipeline.storage import AtomicFile, open_parquet
from pipeline.unfolding.arrow_stream import stream_batches, stream_schema
from pipeline.unfolding.json_text import parse_json, text_lines
from pipeline.unfolding.parquet import DAMAGE


def check_kind(file: Path) -> None:
    """Raise PipelineError if no copy of a file of this kind can be made.

    What a link leads to outside of a folder is no part of a dataset that came from elsewhere, and
    would be handed on with the copy.
    """
    if not file.is_dir() and file.suffix.lower() not in _WRITERS:
        raise PipelineError(
            f"{file}: a cleaned copy can be made of {', '.join(_WRITERS)} and folders of them\n"
            "Convert it first."
        )
    if file.is_dir() and (outside := leading_out(file)):
        raise TableError(
            file,
            f"{outside[0].relative_to(file)} is a link that leads out of the folder; "
            f"{len(outside)} such link(s), none is read",
            hint="Make a folder that holds the files themselves: cp -rL. Then audit that one.",
        )


def copy_rows(file: Path, copy: Path, dropped: set[int]) -> int:
    """Write `file`, a folder too, to `copy` without the rows `dropped`; return how many are left.

    In a folder the rows of its data files count on from one to the next; other files, as those that
    describe a Hugging Face dataset, are copied whole.
    """
    if not file.is_dir():
        return _copy_file(file, copy, dropped)
    data = data_files(file)
    for path in sorted(file.rglob("*")):
        if path.is_file() and path not in data:
            target = copy / path.relative_to(file)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    start = kept = 0
    for path in data:
        table = RawTable()
        read_file(path, table)
        rows = table.rows
        here = {position - start for position in dropped if start <= position < start + rows}
        kept += _copy_file(path, copy / path.relative_to(file), here)
        start += rows
    return kept


def _copy_file(file: Path, copy: Path, dropped: set[int]) -> int:
    try:
        return _WRITERS[file.suffix.lower()](file, copy, dropped)
    except (*DAMAGE, csv.Error) as error:
        if isinstance(error, OSError) and error.errno in REFUSALS:
            raise
        problem = f"no copy can be made ({' '.join(str(error).split())[:200]})"
        raise TableError(
            file, problem, hint="It may be damaged, or of types we cannot write."
        ) from error


def _copy_csv(file: Path, copy: Path, dropped: set[int]) -> int:
    """Copy the cells as they are; only the quoting may differ."""
    with file.open("rb") as stream:
        start = stream.read(4096)
    encoding = "utf-16" if start[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8"
    first = start.decode(encoding, "replace").split("\n")[0]
    delimiter = max(",\t;|", key=first.count) if file.suffix.lower() == ".csv" else "\t"
    kept = 0
    with (
        file.open(encoding=encoding, errors="surrogateescape", newline="") as source,
        AtomicFile(copy) as part,
        part.open("w", encoding=encoding, errors="surrogateescape", newline="") as target,
    ):
        rows = csv.reader(source, delimiter=delimiter)
        writer = csv.writer(target, delimiter=delimiter, lineterminator="\n")
        writer.writerow(next(rows, []))
        for position, fields in enumerate(row for row in rows if row):
            if position not in dropped:
                writer.writerow(fields)
                kept += 1
    return kept


def _copy_json_lines(file: Path, copy: Path, dropped: set[int]) -> int:
    """Copy the lines byte for byte."""
    kept = 0
    with file.open("rb") as source, AtomicFile(copy) as part, part.open("wb") as target:
        for position, line in enumerate(_objects(file, source)):
            if position not in dropped:
                target.write(line)
                kept += 1
    return kept


def _objects(path: Path, stream: BinaryIO) -> Iterator[bytes]:
    for line in text_lines(path, stream):
        try:
            if line.strip() and isinstance(parse_json(path, line, errors="replace"), dict):
                yield line
        except ValueError:
            continue


def _copy_parquet(file: Path, copy: Path, dropped: set[int]) -> int:
    """Copy the rows batch by batch, under the same schema."""
    source = open_parquet(file)
    position = kept = 0
    with (
        AtomicFile(copy) as part,
        pq.ParquetWriter(part, source.schema_arrow, compression="zstd") as target,
    ):
        for batch in source.iter_batches(65536):
            mask = [position + row not in dropped for row in range(batch.num_rows)]
            position += batch.num_rows
            chosen = batch.filter(pa.array(mask))
            target.write_batch(chosen)
            kept += chosen.num_rows
    return kept


def _copy_arrow(file: Path, copy: Path, dropped: set[int]) -> int:
    """Copy the rows of an Arrow stream, as `datasets` saves them, batch by batch."""
    position = kept = 0
    with (
        AtomicFile(copy) as part,
        pa.OSFile(str(part), "wb") as sink,
        pa.ipc.new_stream(sink, stream_schema(file)) as target,
    ):
        for batch in stream_batches(file):
            mask = [position + row not in dropped for row in range(batch.num_rows)]
            position += batch.num_rows
            chosen = batch.filter(pa.array(mask))
            target.write_batch(chosen)
            kept += chosen.num_rows
    return kept


def _copy_json(file: Path, copy: Path, dropped: set[int]) -> int:
    """Copy a document whose rows are in a list, at its top or under its one key with a list."""
    try:
        document = parse_json(file, file.read_bytes(), errors="replace")
    except ValueError:
        return _copy_json_lines(file, copy, dropped)
    rows = rows_of_document(document)
    positions = itertools.count()
    left = [row for row in rows if not isinstance(row, dict) or next(positions) not in dropped]
    if isinstance(document, dict) and any(value is rows for value in document.values()):
        document = {key: left if value is rows else value for key, value in document.items()}
    else:
        document = left
    text = json.dumps(document, ensure_ascii=False)
    with AtomicFile(copy) as part:  # half a character, which JSON can hold as an escape, stays one
        part.write_text(f"{text}\n", encoding="utf-8", errors="backslashreplace")
    return sum(isinstance(row, dict) for row in left)


_WRITERS = {
    ".csv": _copy_csv,
    ".tsv": _copy_csv,
    ".jsonl": _copy_json_lines,
    ".ndjson": _copy_json_lines,
    ".json": _copy_json,
    ".parquet": _copy_parquet,
    ".arrow": _copy_arrow,
}
