"""`FeatureTable`: named numbers per response; what is missing is NaN, never 0."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipeline.errors import PipelineError, TableError
from pipeline.storage import RERUN, AtomicFile, open_parquet

Array: TypeAlias = NDArray[np.float64]
ID = "response_id"


class FeatureError(PipelineError):
    """Features do not fit together, or not the model that should read them."""


@dataclass(frozen=True)
class FeatureTable:
    """Values (ids, names); a row's id is that of its response. NaN: not known."""

    ids: tuple[str, ...]
    names: tuple[str, ...]
    values: Array

    def __post_init__(self) -> None:
        if self.values.shape != (len(self.ids), len(self.names)):
            raise FeatureError(
                f"feature table: {self.values.shape} values for {len(self.ids)} ids and "
                f"{len(self.names)} names\nEvery id needs one value per name (NaN if unknown)."
            )
        for what, items in (("response", self.ids), ("feature", self.names)):
            if len(set(items)) < len(items):
                twice = next(item for item in items if items.count(item) > 1)
                raise FeatureError(f"feature table: {what} {twice} is there twice\nDrop one.")

    def rows(self, ids: Sequence[str]) -> Self:
        """Return the rows of `ids`, in that order; an unknown id has NaN everywhere."""
        place = {one: number for number, one in enumerate(self.ids)}
        values = np.full((len(ids), len(self.names)), np.nan)
        known = [number for number, one in enumerate(ids) if one in place]
        values[known] = self.values[[place[ids[number]] for number in known]]
        return type(self)(tuple(ids), self.names, values)

    def columns(self, names: Sequence[str]) -> Self:
        """Return the features called `names`, in that order."""
        missing = [name for name in names if name not in self.names]
        if missing:
            raise FeatureError(
                f"feature {missing[0]}: not in the table ({len(missing)} of {len(names)} are not)\n"
                "Run the stage that makes them: dvc repro featurize"
            )
        place = {name: number for number, name in enumerate(self.names)}
        return type(self)(self.ids, tuple(names), self.values[:, [place[name] for name in names]])

    def group(self, *prefixes: str) -> Self:
        """Return the features of the families `prefixes`: those called `<prefix>_...`."""
        starts = tuple(f"{prefix}_" for prefix in prefixes)
        return self.columns([name for name in self.names if name.startswith(starts)])


def join(tables: Sequence[FeatureTable], ids: Sequence[str]) -> FeatureTable:
    """Put tables side by side for `ids`; what a table does not know is NaN."""
    parts = [table.rows(ids) for table in tables]
    return FeatureTable(
        tuple(ids),
        tuple(name for part in parts for name in part.names),
        np.hstack([part.values for part in parts]) if parts else np.empty((len(ids), 0)),
    )


def write_features(path: Path, table: FeatureTable) -> None:
    """Write a table to Parquet, atomically; NaN becomes null."""
    columns = [pa.array(table.ids, pa.string())]
    columns += [pa.array(column, pa.float64(), from_pandas=True) for column in table.values.T]
    with AtomicFile(path) as part:
        pq.write_table(
            pa.table(columns, names=[ID, *table.names]),
            part,
            compression="zstd",
            write_statistics=False,
        )


def read_features(path: Path) -> FeatureTable:
    """Read what `write_features` wrote; null becomes NaN."""
    table = open_parquet(path).read()
    if table.column_names[:1] != [ID]:
        raise TableError(path, f"its first column is not {ID}", hint=RERUN)
    names = table.column_names[1:]
    try:
        columns = [table[name].cast(pa.float64()).fill_null(np.nan).to_numpy() for name in names]
    except pa.ArrowInvalid as error:
        raise TableError(path, f"a feature is no number ({error})", hint=RERUN) from error
    values = np.column_stack(columns) if columns else np.empty((table.num_rows, 0))
    return FeatureTable(tuple(table[ID].to_pylist()), tuple(names), values)
