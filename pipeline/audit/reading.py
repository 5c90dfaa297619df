"""Read any dataset file leniently: what cannot be read is noted, and the audit goes on.

`pipeline.sources` refuses a damaged file, because a corpus is built from it; an audit is asked
what is wrong with one. Only a file that is no table at all is an error here.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pipeline.audit.column_files import Decoder, arrow_blocks, parquet_blocks
from pipeline.audit.raw_table import RawTable, shown
from pipeline.audit.row_files import csv_rows, json_document, json_lines
from pipeline.errors import REFUSALS, MissingFileError, TableError, TargetError
from pipeline.storage import MARKER
from pipeline.unfolding import sizes
from pipeline.unfolding.parquet import DAMAGE

MAX_FILE_BYTES = 2 * 1024**3
_PACKED = {".gz", ".bz2", ".xz", ".zip", ".zst"}
# How gzip, bzip2, xz, zip and Zstandard files begin, whatever their names say.
_PACKED_STARTS = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"PK\x03\x04", b"\x28\xb5\x2f\xfd")
SPLIT_COLUMN = "split"
KINDS = ".csv, .tsv, .jsonl, .ndjson, .json, .parquet, .arrow or a Hugging Face dataset folder"
_BY_ROW: dict[str, Callable[[Path, RawTable], Iterator[dict[str, Any]]]] = {
    ".csv": csv_rows,
    ".tsv": csv_rows,
    ".jsonl": json_lines,
    ".ndjson": json_lines,
    ".json": json_document,
}
_BY_BLOCK = {".parquet": parquet_blocks, ".arrow": arrow_blocks}
_SPLITS = ("train", "validation", "valid", "dev", "test")


def dataset_name(path: Path) -> str:
    """Return what a dataset is called: its folder's name, or its file's without the ending."""
    if path.name in ("", ".."):
        path = path.resolve()
    return shown(path.name if path.is_dir() else path.stem) or "root"


def read_raw(path: Path) -> RawTable:
    """Return the table at `path`; a folder's files are joined, each as its split.

    Raises MissingFileError and TableError: unreadable, empty, too large or of no known kind.
    """
    if path.is_dir():
        return _read_folder(path)
    table = RawTable()
    read_file(path, table)
    return _checked(table, path)


def _checked(table: RawTable, path: Path) -> RawTable:
    table.close(path)
    if not table.rows or not table.columns:
        why = f" ({table.notes[0]})" if table.notes else ""
        raise TableError(path, f"no rows{why}", hint="There is nothing to audit in it.")
    for name, values in list(table.columns.items()):
        if all(value is None or value == "" for value in values):
            table.notes.append(f"column {name!r} is empty in every row")
    return table


def read_file(path: Path, table: RawTable, *, split: str | None = None) -> None:
    """Append the rows of one file to `table`, with `split` in a column of its own if given."""
    if not path.is_file():
        raise MissingFileError(path, hint="Check the path.")
    size = path.stat().st_size
    if size == 0:
        raise TableError(path, "the file is empty", hint="Check the path.")
    if size > MAX_FILE_BYTES:
        raise TableError(
            path,
            f"{size / 1024**3:.1f} GiB, at most {MAX_FILE_BYTES // 1024**3} are read",
            hint="Audit a part of it: split the file and audit each piece.",
        )
    kind, decoder = _kind(path), Decoder(table)
    try:
        with path.open("rb") as stream:
            if stream.read(6).startswith(_PACKED_STARTS):
                raise TableError(path, "is a compressed file", hint="Unpack it first.")
        if kind in _BY_ROW:
            for row in _BY_ROW[kind](path, table):
                table.append(row if split is None else {SPLIT_COLUMN: split, **row}, path)
        else:
            for names, batch in _BY_BLOCK[kind](path, table):
                # Rows without a column take no byte in the file, however many it says there are.
                table.check_size(path, more_rows=batch.num_rows)
                columns = list(map(decoder.values, names, batch.columns))
                block = dict(zip(names, columns, strict=True))
                size = sum(map(sizes.of_decoded, batch.columns, columns))
                if split is not None:
                    block = {SPLIT_COLUMN: [split] * batch.num_rows, **block}
                table.extend(block, size, path)
    except (*DAMAGE, csv.Error) as error:
        if isinstance(error, OSError) and error.errno in REFUSALS:
            raise TargetError.of(path, error) from error
        if not table.rows:
            problem = f"cannot be read ({' '.join(str(error).split())[:200]})"
            raise TableError(path, problem, hint="It may be damaged or of another kind.") from error
        table.notes.append(
            f"{shown(path.name)}: damaged after row {table.rows - 1}: the rest is missing"
        )
    decoder.note(shown(path.name))


def _kind(path: Path) -> str:
    kind = path.suffix.lower()
    if kind not in _BY_ROW and kind not in _BY_BLOCK:
        hint = "Unpack it first." if kind in _PACKED else f"Use {KINDS}."
        raise TableError(
            path, f"files of type {path.suffix or '(no ending)'} are not read", hint=hint
        )
    if kind in _BY_BLOCK and shown(path) != str(path):
        raise TableError(
            path,
            "the path is not UTF-8, and no library opens files of this type under such a name",
            hint="Rename it, or the folder that it is in.",
        )
    return kind


def _read_folder(folder: Path) -> RawTable:
    """Join the data files of a Hugging Face folder: `save_to_disk` output, or files by split."""
    table = RawTable()
    for report in sorted(_reports(folder)):
        name = shown(report.relative_to(folder))
        table.notes.append(f"{name}: the report of an earlier audit was left out")
    outside = leading_out(folder)
    for path in data_files(folder):
        if path in outside:
            name = shown(path.relative_to(folder))
            table.notes.append(f"{name}: a link that leads out of the folder was read through")
        read_file(path, table, split=_split_of(path, folder))
    return _checked(table, folder)


def data_files(folder: Path) -> list[Path]:
    """Return the files of `folder` that hold rows, in the order in which they are read.

    Raises TableError if there are none.
    """
    kinds = (".parquet", ".arrow", ".jsonl", ".csv", ".tsv", ".json")
    described = {"dataset_info.json", "state.json", "dataset_dict.json"}
    ours = _reports(folder)
    files = [
        path
        for path in sorted(folder.rglob("*"))
        if path.name not in described and not ours.intersection(path.parents)
    ]
    for kind in kinds:
        chosen = [
            path
            for path in files
            if path.suffix == kind and path.is_file() and not path.name.startswith((".", "cache-"))
        ]
        if chosen:
            return chosen
    raise TableError(folder, "no data file in this folder", hint=f"Use {KINDS}.")


def _reports(folder: Path) -> set[Path]:
    """Return the reports of earlier audits within `folder`."""
    found = (path.parent for path in folder.rglob("findings.parquet"))
    return {path for path in found if path != folder and (path / MARKER).is_file()}


def leading_out(folder: Path) -> list[Path]:
    """Return the links in `folder` that lead out of it, as those of the Hub's cache do."""
    real = os.path.realpath(folder)
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_symlink() and not Path(os.path.realpath(path)).is_relative_to(real)
    ]


def _split_of(path: Path, folder: Path) -> str | None:
    inside = path.relative_to(folder)
    for part in (inside.stem, *inside.parts[:-1]):
        for split in _SPLITS:
            if part == split or part.startswith((f"{split}-", f"{split}_", f"{split}.")):
                return split
    return None
