"""The chain from a row of any table back to the raw record, with each decision on the way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pipeline.errors import PipelineError
from pipeline.records import Rejection
from pipeline.storage import open_parquet, read_json, read_table

EXCERPT_CHARS = 160


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
    or shuffled is explained as well. Raises UnknownRowError for an id that no table holds.
    """
    if not (folder / "datasets").is_dir():
        raise PipelineError(f"{folder / 'datasets'}: no such folder\nRun `make repro` first.")
    return _Build(folder).step(row_id)


class _Build:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tables = sorted((folder / "datasets").rglob("*.parquet"))

    def step(self, row_id: str) -> Step:
        rows = list(self._rows(row_id))
        if not rows:
            rejections = list(self._rejections(row_id, own=True))
            if not rejections:
                raise UnknownRowError(
                    f"row {row_id}: in none of the {len(self.tables)} tables under "
                    f"{self.folder / 'datasets'}\nIds look like sft-1f0c…, pair-…, response-…, "
                    "exchange-…: copy one from a table's id column."
                )
            parents = {parent for _, one in rejections for parent in one.parents}
            return Step(
                row_id,
                (),
                {"kept": False},
                tuple(f"{_where(path, one)}: dropped, {_why(one)}" for path, one in rejections),
                tuple(self.step(parent) for parent in sorted(parents)),
            )
        row = rows[0][1]
        lineage = row.get("lineage") or {}
        return Step(
            row_id,
            tuple(str(path.relative_to(self.folder)) for path, _ in rows),
            {**_facts(row), **{key: value for key, value in lineage.items() if value}},
            tuple(self._decisions(row)),
            tuple(self.step(parent) for parent in lineage.get("parents") or ()),
        )

    def _rows(self, row_id: str) -> Iterator[tuple[Path, dict[str, Any]]]:
        import pyarrow.dataset as ds

        for path in self.tables:
            if "id" in open_parquet(path).schema_arrow.names:
                found = ds.dataset(path).to_table(filter=ds.field("id") == row_id)
                yield from ((path, row) for row in found.to_pylist())

    def _decisions(self, row: dict[str, Any]) -> Iterator[str]:
        if "raw" in row:
            yield from self._decisions_about_exchange(row)
        if row.get("rating"):
            rater = f" by {row['rater']}" if row.get("rater") else ""
            yield f"rated {row['rating']} of 3{rater}"
        if "chosen_rating" in row:
            yield f"chosen is rated {row['chosen_rating']}, rejected {row['rejected_rating']}"
        for path, one in self._rejections(row["id"], own=False):
            yield f"{_where(path, one)}: not taken, {_why(one)} ({one.record_id})"

    def _decisions_about_exchange(self, row: dict[str, Any]) -> Iterator[str]:
        raw = row["raw"]
        ingest = self.folder / "reports" / "metrics" / "ingest.json"
        sha256 = f", sha256 {read_json(ingest)['sha256']}" if ingest.is_file() else ""
        yield f"read from row {raw['row']} of {raw['file']}{sha256}"
        splits = self.folder / "datasets" / "splits.parquet"
        if splits.is_file():
            import pyarrow.dataset as ds

            found = ds.dataset(splits).to_table(filter=ds.field("exchange_id") == row["id"])
            for one in found.to_pylist():
                yield f"split {one['split']} by rule {one['rule']}, in group {one['group']}"

    def _rejections(self, row_id: str, *, own: bool) -> Iterator[tuple[Path, Rejection]]:
        """Yield rejections of the row itself (`own`), or those that looked at it as a part.

        An exchange is part of every decision about its responses, so for those only its own count.
        """
        if not own and not row_id.startswith("response-"):
            return
        for path in self.tables:
            if path.is_relative_to(self.folder / "datasets" / "rejections"):
                for one in read_table(path, Rejection):
                    if one.record_id == row_id if own else row_id in one.parents:
                        yield path, one


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
