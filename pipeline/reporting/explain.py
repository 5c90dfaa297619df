"""The chain from a row of any table back to the raw record, with each decision on the way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import PipelineError
from pipeline.records import Rejection
from pipeline.storage import open_parquet, read_json

if TYPE_CHECKING:
    import pyarrow as pa

EXCERPT_CHARS = 160
# Ids by which one row points to another, where its lineage has no parents.
POINTERS = ("exchange_id", "response_id", "item_id", "chosen_id", "rejected_id", "improves")


class UnknownRowError(PipelineError):
    """No table of the build holds the row that was asked for."""


@dataclass(frozen=True)
class Step:
    """One row on the way; `found_in` are the tables that hold it, `facts` what they say of it."""

    id: str
    found_in: tuple[str, ...]
    facts: dict[str, Any]
    decisions: tuple[str, ...]
    parents: tuple[Step, ...] = field(default=())

    def as_dict(self) -> dict[str, Any]:
        """Return the step and its parents as plain values."""
        return asdict(self)


def explain(row_id: str, folder: Path) -> Step:
    """Walk from `row_id` to the raw records it comes from, in the build under `folder`.

    Rows are found by id alone, whatever the table is called: an id from an export that was renamed
    or shuffled is explained as well. `<id>#<n>` is sentence n of a row, as labels have it. Raises
    UnknownRowError for an id that no table holds.
    """
    if not (folder / "datasets").is_dir():
        raise PipelineError(f"{folder / 'datasets'}: no such folder\nRun `make repro` first.")
    build = _Build(folder)
    step = build.step(row_id.strip().partition("#")[0])
    if step is None:
        raise build.unknown(row_id)
    return step


class _Build:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._known: dict[str, Step | None] = {}

    @cached_property
    def tables(self) -> dict[Path, list[str]]:
        """The columns of each table."""
        paths = sorted((self.folder / "datasets").rglob("*.parquet"))
        return {path: open_parquet(path).schema_arrow.names for path in paths}

    @cached_property
    def _rejections(self) -> list[tuple[Path, pa.Table]]:
        folder = self.folder / "datasets" / "rejections"
        paths = [path for path in self.tables if path.is_relative_to(folder)]
        return [(path, open_parquet(path).read(list(Rejection.model_fields))) for path in paths]

    def unknown(self, row_id: str) -> UnknownRowError:
        """Return the error for an id that is nowhere, with what was searched."""
        with_ids = [path for path, columns in self.tables.items() if "id" in columns]
        rows = sum(open_parquet(path).metadata.num_rows for path in with_ids)
        folders = sorted({path.parent.relative_to(self.folder).as_posix() for path in with_ids})
        dropped = sum(table.num_rows for _, table in self._rejections)
        return UnknownRowError(
            f"row {row_id}: in none of the {len(with_ids)} tables under "
            f"{self.folder / 'datasets'} ({rows:,} rows in {', '.join(folders) or 'none'}; "
            f"{dropped:,} rejections)\nIds look like sft-1f0c…, pair-…, response-…, exchange-…: "
            "copy one from an id column, and name the build that it was exported from with --in."
        )

    def step(self, row_id: str) -> Step | None:
        """Return the step of a row, None if neither a table nor a rejection has it."""
        if row_id not in self._known:
            self._known[row_id] = self._step(row_id)
        return self._known[row_id]

    def _step(self, row_id: str) -> Step | None:
        rows = list(self._rows(row_id))
        if not rows:
            rejections = list(self._rejected(row_id))
            if not rejections:
                return None
            parents = sorted({parent for _, one in rejections for parent in one.parents})
            return Step(
                row_id,
                (),
                {"kept": False},
                tuple(f"{_where(path, one)}: dropped, {_why(one)}" for path, one in rejections),
                self._parents(parents),
            )
        row = rows[0][1]
        lineage = row.get("lineage") or {}
        pointers = [row[name] for name in POINTERS if row.get(name)]
        return Step(
            row_id,
            tuple(path.relative_to(self.folder).as_posix() for path, _ in rows),
            {**_facts(row), **{key: value for key, value in lineage.items() if value}},
            tuple(self._decisions(row)),
            self._parents(lineage.get("parents") or pointers),
        )

    def _parents(self, ids: Sequence[str]) -> tuple[Step, ...]:
        gone = ("its table is not in this build",)
        return tuple(self.step(one) or Step(one, (), {}, gone) for one in dict.fromkeys(ids))

    def _rows(self, row_id: str) -> Iterator[tuple[Path, dict[str, Any]]]:
        for path, columns in self.tables.items():
            if "id" in columns:
                yield from ((path, row) for row in _where_is(path, "id", row_id))

    def _decisions(self, row: dict[str, Any]) -> Iterator[str]:
        if "raw" in row:
            yield from self._decisions_about_exchange(row)
        if row.get("rating"):
            rater = f" by {row['rater']}" if row.get("rater") else ""
            yield f"rated {row['rating']} of 3{rater}"
        if "chosen_rating" in row:
            ratings = [row[f"{side}_rating"] or "by nobody" for side in ("chosen", "rejected")]
            yield f"chosen is rated {ratings[0]}, rejected {ratings[1]}"
        yield from self._labels(row["id"])
        for path, one in self._looked_at(row["id"]):
            yield f"{_where(path, one)}: not taken, {_why(one)} ({one.record_id})"

    def _decisions_about_exchange(self, row: dict[str, Any]) -> Iterator[str]:
        raw = row["raw"]
        ingest = self.folder / "reports" / "metrics" / "ingest.json"
        sha256 = f", sha256 {read_json(ingest)['sha256']}" if ingest.is_file() else ""
        yield f"read from row {raw['row']} of {raw['file']}{sha256}"
        splits = self.folder / "datasets" / "splits.parquet"
        if splits.is_file():
            for one in _where_is(splits, "exchange_id", row["id"]):
                yield f"split {one['split']} by rule {one['rule']}, in group {one['group']}"

    def _labels(self, row_id: str) -> Iterator[str]:
        """Yield what people said of a row, or shall say; never who."""
        for path, columns in self.tables.items():
            if not {"item_id", "question", "values"} <= set(columns):
                continue
            for one in _where_is(path, "item_id", row_id):
                part = "" if one["sentence"] is None else f" of sentence {one['sentence']}"
                values = ", ".join(one["values"])
                yield (
                    f"labelled {one['question']}{part}: {values} ({one['method']}, "
                    f"{one['agreeing']} of {len(one['annotators'])}, round {one['round']})"
                )
        for path, columns in self.tables.items():
            if {"item_id", "rank", "reason"} <= set(columns):
                for one in _where_is(path, "item_id", row_id):
                    yield f"picked for people to label, rank {one['rank']}: {one['reason']}"

    def _rejected(self, row_id: str) -> Iterator[tuple[Path, Rejection]]:
        import pyarrow.compute as pc

        for path, table in self._rejections:
            found = table.filter(pc.equal(table["record_id"], row_id))
            yield from ((path, Rejection.model_validate(one)) for one in found.to_pylist())

    def _looked_at(self, row_id: str) -> Iterator[tuple[Path, Rejection]]:
        """Yield rejections that looked at the row as a part.

        An exchange is part of every decision about its responses, so it counts for responses alone.
        """
        import pyarrow.compute as pc

        if not row_id.startswith("response-"):
            return
        for path, table in self._rejections:
            parents = table["parents"].combine_chunks()
            places = pc.list_parent_indices(parents).filter(pc.equal(parents.flatten(), row_id))
            found = table.take(pc.unique(places))
            yield from ((path, Rejection.model_validate(one)) for one in found.to_pylist())


def _where_is(path: Path, column: str, value: str) -> list[dict[str, Any]]:
    import pyarrow.dataset as ds

    rows: list[dict[str, Any]] = (
        ds.dataset(path).to_table(filter=ds.field(column) == value).to_pylist()
    )
    return rows


def _where(path: Path, rejection: Rejection) -> str:
    stage = rejection.stage
    return stage if path.stem == stage else f"{stage} of {path.stem}"


def _why(rejection: Rejection) -> str:
    detail = f" ({rejection.detail})" if rejection.detail else ""
    return f"{rejection.reason}{detail}"


def _facts(row: dict[str, Any]) -> dict[str, Any]:
    """Return what a person wants to see of a row: short values, texts cut to an excerpt."""
    facts: dict[str, Any] = {}
    for key, value in row.items():
        if key in ("id", "lineage", "raw") or value in (None, [], ""):
            continue
        if isinstance(value, list) and isinstance(value[0], dict):
            facts[key] = _excerpt(value[-1].get("content") or value[-1].get("text") or "")
        else:
            facts[key] = _excerpt(value) if isinstance(value, str) else value
    return facts


def _excerpt(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= EXCERPT_CHARS else f"{flat[: EXCERPT_CHARS - 1]}…"
