"""Typed tables: Parquet between stages, JSON Lines where people read.

Reading and writing go by batch, so memory does not grow with the table.
"""

from __future__ import annotations

import hashlib
import json
import types
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, Generic, Literal, Self, TypeVar, Union, get_args, get_origin

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, TypeAdapter, ValidationError

from pipeline.errors import MissingFileError, RowError, TableError
from pipeline.storage.files import AtomicFile
from pipeline.unfolding.json_text import parse_json, text_lines
from pipeline.unfolding.parquet import DAMAGE, BoundedParquet

BATCH_ROWS = 2048
RERUN = "Re-run the stage that wrote this file: dvc repro --force --single-item <stage>"

R = TypeVar("R", bound=BaseModel)
T = TypeVar("T")

_SCALARS: dict[type, pa.DataType] = {
    str: pa.string(),
    int: pa.int64(),
    float: pa.float64(),
    bool: pa.bool_(),
}


def arrow_schema(record_type: type[BaseModel]) -> pa.Schema:
    """Return the Arrow schema of a record type; nested records become structs."""
    return pa.schema(
        [
            pa.field(name, _arrow_type(field.annotation))
            for name, field in record_type.model_fields.items()
        ]
    )


def _arrow_type(annotation: Any) -> pa.DataType:
    origin = get_origin(annotation)
    if origin in (Union, types.UnionType):
        inner = [arg for arg in get_args(annotation) if arg is not type(None)]
        if len(inner) == 1:
            return _arrow_type(inner[0])
    if origin is tuple:
        return pa.list_(_arrow_type(get_args(annotation)[0]))
    if origin is Literal:
        return pa.string()
    if isinstance(annotation, type):
        if issubclass(annotation, BaseModel):
            return pa.struct(list(arrow_schema(annotation)))
        if issubclass(annotation, Enum):
            return pa.string()
        if annotation in _SCALARS:
            return _SCALARS[annotation]
    if hasattr(annotation, "__metadata__"):  # Annotated[...]
        return _arrow_type(get_args(annotation)[0])
    raise TypeError(f"no Arrow type for {annotation!r}")


class TableWriter(Generic[R]):
    """Write records to a Parquet file by batch; the file appears when the block ends well."""

    def __init__(self, path: Path, record_type: type[R]) -> None:
        self.rows = 0
        self._atomic = AtomicFile(path)
        self._schema = arrow_schema(record_type)
        self._pending: list[dict[str, Any]] = []

    def __enter__(self) -> Self:
        part = self._atomic.__enter__()
        try:
            self._writer = pq.ParquetWriter(
                part, self._schema, compression="zstd", write_statistics=False
            )
        except BaseException as error:
            self._atomic.__exit__(type(error), error, error.__traceback__)
            raise
        return self

    def write(self, record: R) -> None:
        """Add one row."""
        self._pending.append(record.model_dump(mode="json"))
        self.rows += 1
        if len(self._pending) >= BATCH_ROWS:
            self._flush()

    def _flush(self) -> None:
        if self._pending:
            self._writer.write_table(pa.Table.from_pylist(self._pending, schema=self._schema))
            self._pending.clear()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: object
    ) -> None:
        try:
            if kind is None:
                self._flush()
            self._writer.close()
        except BaseException as other:
            self._atomic.__exit__(type(other), other, other.__traceback__)
            raise
        self._atomic.__exit__(kind, error, at)


def write_table(path: Path, record_type: type[R], records: Iterable[R]) -> int:
    """Write all of `records` to `path` at once or not at all; return the number of rows."""
    with TableWriter(path, record_type) as table:
        for record in records:
            table.write(record)
        return table.rows


def open_parquet(path: Path) -> BoundedParquet:
    """Open a Parquet file, or say what is wrong with it; what it unfolds to is bounded."""
    if not path.is_file():
        raise MissingFileError(path, hint="Check the path, or run the stage that writes it.")
    try:
        return BoundedParquet(path)
    except DAMAGE as error:
        raise TableError(
            path,
            f"not a whole Parquet file ({str(error).splitlines()[0]})",
            hint="It may be half-written or of another format: write it again.",
        ) from error


def read_table(path: Path, record_type: type[R]) -> Iterator[R]:
    """Yield the records of a Parquet file in file order, a batch at a time.

    Raises TableError for a file of another shape and RowError for a row that is not a valid
    `record_type`.
    """
    file = open_parquet(path)
    wanted = set(record_type.model_fields)
    missing = sorted(wanted - set(file.schema_arrow.names))
    if missing:
        raise TableError(path, f"no column {', '.join(missing)}", hint=RERUN)
    for row, values in enumerate(file.rows(BATCH_ROWS, list(record_type.model_fields)), start=1):
        yield _validated(record_type, values, path, row)


def count_rows(path: Path) -> int:
    """Return the number of rows of a Parquet file, from its footer."""
    return int(open_parquet(path).metadata.num_rows)


def read_json_lines(path: Path, record_type: type[R]) -> Iterator[R]:
    """Yield the records of a JSON Lines file, in file order."""
    for row, values in iter_json_lines(path):
        yield _validated(record_type, values, path, row)


def iter_json_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (line number from 1, object) of a JSON Lines file; blank lines are passed over."""
    if not path.is_file():
        raise MissingFileError(path, hint="Check the path.")
    hint = "Each line must be one JSON object in UTF-8."
    with path.open("rb") as stream:
        for row, line in enumerate(text_lines(path, stream), start=1):
            if not line.strip():
                continue
            try:
                values = parse_json(path, line)
            except UnicodeDecodeError as error:
                raise RowError(path, row, "not UTF-8 text", hint=hint) from error
            except ValueError as error:
                raise RowError(path, row, f"not JSON ({error})", hint=hint) from error
            if not isinstance(values, dict):
                raise RowError(path, row, f"a {type(values).__name__}, not an object", hint=hint)
            yield row, values


def _validated(record_type: type[R], values: Mapping[str, Any], path: Path, row: int) -> R:
    try:
        return record_type.model_validate(values)
    except ValidationError as error:
        raise RowError(
            path, row, f"not a valid {record_type.__name__}: {first_problem(error)}", hint=RERUN
        ) from error


def first_problem(error: ValidationError) -> str:
    """Return pydantic's first complaint on one line: `field: what is wrong`."""
    problem = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in problem["loc"])
    what = str(problem["msg"]).removeprefix("Value error, ")
    return f"{where}: {what}" if where else what


def write_json(path: Path, value: object) -> None:
    """Write `value` as indented JSON, atomically and with a final newline."""
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    with AtomicFile(path) as part:
        part.write_text(text + "\n", encoding="utf-8")


def read_json(path: Path) -> Any:
    """Read one JSON file, or say what is wrong with it."""
    if not path.is_file():
        raise MissingFileError(path, hint="Check the path, or run the stage that writes it.")
    try:
        return parse_json(path, path.read_bytes())
    except ValueError as error:
        raise TableError(path, f"not JSON ({error})", hint="Write it again.") from error


def read_json_as(path: Path, kind: type[T], *, hint: str = RERUN) -> T:
    """Read a JSON file that must be a `kind`: a record, or any type that pydantic checks."""
    if not path.is_file():
        raise MissingFileError(path, hint=hint)
    try:
        return TypeAdapter(kind).validate_python(read_json(path))
    except ValidationError as error:
        raise TableError(
            path, f"not as it was written: {first_problem(error)}", hint=hint
        ) from error


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hex."""
    if not path.is_file():
        raise MissingFileError(path, hint="Check the path.")
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
