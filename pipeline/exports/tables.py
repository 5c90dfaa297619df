"""The tables of a corpus, streamed with the split of each row."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from pipeline.errors import MissingFileError, PipelineError, TableError
from pipeline.progress import track
from pipeline.records import SplitName
from pipeline.storage import RERUN, open_parquet

if TYPE_CHECKING:
    import pyarrow as pa

Kind = Literal["sft", "preferences-strict", "preferences-authors"]
KINDS: tuple[Kind, ...] = get_args(Kind)
SPLITS: tuple[SplitName, ...] = get_args(SplitName)
# About 30 MB of rows: few enough for memory, enough for a row group that compresses well.
BATCH_ROWS = 16_384

_FOLDERS: dict[Kind, str] = {
    "sft": "sft",
    "preferences-strict": "preferences/strict",
    "preferences-authors": "preferences/authors",
}


class UnknownCorpusError(PipelineError):
    """The build has no corpus of that name."""


@dataclass(frozen=True)
class CorpusTable:
    """One table of a corpus."""

    corpus: str
    kind: Kind
    path: Path
    rows: int


def corpus_names(build: Path) -> list[str]:
    """Return the corpora of the build in the folder `build`."""
    folder = build / "datasets" / "sft"
    if not folder.is_dir():
        raise MissingFileError(folder, hint="Run `make repro`, or name the build with --in.")
    return sorted(path.stem for path in folder.glob("*.parquet"))


def corpus_tables(build: Path, corpus: str, kinds: Sequence[Kind]) -> list[CorpusTable]:
    """Return the tables of `corpus` that have rows, of `kinds` or of all kinds.

    Raises PipelineError if there is none, or if a kind that was asked for is empty.
    """
    names = corpus_names(build)
    if corpus not in names:
        near = difflib.get_close_matches(corpus, names, n=1)
        raise UnknownCorpusError(
            f"corpus {corpus!r}: not in {build / 'datasets' / 'sft'}\n"
            + (f"Did you mean {near[0]}? " if near else "")
            + f"There are: {', '.join(names) or 'none'}"
        )
    found = []
    for kind in kinds or KINDS:
        path = build / "datasets" / _FOLDERS[kind] / f"{corpus}.parquet"
        rows = open_parquet(path).metadata.num_rows
        if rows:
            found.append(CorpusTable(corpus, kind, path, rows))
        elif kind in kinds:
            raise TableError(path, "no row in it, nothing to export", hint=_WHY_EMPTY)
    if not found:
        raise PipelineError(f"corpus {corpus}: none of its tables has a row\n{_WHY_EMPTY}")
    return found


_WHY_EMPTY = "The tables under datasets/rejections say why candidates were dropped."


def licences(tables: Iterable[CorpusTable]) -> set[str]:
    """Return the licences of all rows, from that column alone."""
    import pyarrow.compute as pc

    found: set[str] = set()
    for table in tables:
        file = open_parquet(table.path)
        for batch in file.iter_batches(BATCH_ROWS, columns=["lineage.licence"]):
            found.update(pc.unique(pc.struct_field(batch.column(0), "licence")).to_pylist())
    return found


class Splits:
    """Which split an exchange is in, in Arrow's memory: 25 bytes an exchange.

    Corpora hold exchanges in the order of this table, so the next ones are looked for behind the
    last ones first; any other order is found too, only slower.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._table = open_parquet(path).read(["exchange_id", "split"])
        self._start = 0

    def of(self, exchange_ids: pa.Array) -> pa.Array:
        """Return the split of each exchange; raises TableError for one that has none."""
        import pyarrow.compute as pc

        size = 2 * BATCH_ROWS
        while True:
            near = self._table.slice(self._start, size)
            place = pc.index_in(exchange_ids, value_set=near["exchange_id"])
            if not place.null_count:
                self._start += place[-1].as_py()
                return near["split"].take(place).combine_chunks()
            if near.num_rows == self._table.num_rows:
                lost = exchange_ids.filter(pc.is_null(place))[0].as_py()
                raise TableError(self._path, f"exchange {lost} has no split", hint=RERUN)
            if self._start + size >= self._table.num_rows:
                self._start, size = 0, self._table.num_rows
            else:
                size *= 2


def batches(table: CorpusTable, splits: Splits) -> Iterator[tuple[SplitName, pa.RecordBatch]]:
    """Yield (split, rows) in file order, with progress; memory does not grow with the table."""
    import pyarrow as pa
    import pyarrow.compute as pc

    file = open_parquet(table.path)
    total = -(-table.rows // BATCH_ROWS)
    found: Iterable[Any] = file.iter_batches(BATCH_ROWS)
    try:
        for batch in track(found, f"{table.corpus} {table.kind}", total=total):
            sides = splits.of(batch["exchange_id"])
            for name in SPLITS:
                rows = batch.filter(pc.equal(sides, name))
                if rows.num_rows:
                    yield name, rows
    except (pa.ArrowInvalid, KeyError) as error:
        raise TableError(
            table.path, f"damaged, or of another shape ({error})", hint=RERUN
        ) from error
