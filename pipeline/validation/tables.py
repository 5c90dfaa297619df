"""Which tables a build has, how each is viewed, and the suite it must pass."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel

from pipeline.errors import TableError
from pipeline.records import Exchange, PreferencePair, Response, SFTExample, SplitAssignment
from pipeline.storage import open_parquet
from pipeline.validation import suites, views
from pipeline.validation.suites import Bounds, Suite

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True)
class BuildPaths:
    """Where the tables of a build lie; folders hold one file per corpus."""

    exchanges: Path
    responses: Path
    splits: Path
    sft: Path
    preferences: Path


@dataclass(frozen=True)
class CheckedTable:
    """One table to check: how to look at it and what must hold."""

    name: str
    path: Path
    record_type: type[BaseModel]
    view: Callable[[], DataFrame]
    suite: Suite
    index: str = "id"
    shares: tuple[str, ...] = ()
    corpus: str | None = None


def build_tables(
    paths: BuildPaths, corpora: Collection[str], bounds: Bounds
) -> Iterator[CheckedTable]:
    """Yield the tables of a build: first those that the corpora share, then each corpus's own."""
    answers = sorted(paths.responses.glob("*.parquet"))
    if not answers:
        raise TableError(paths.responses, "no table of responses in it", hint="Run: dvc repro")
    build = _read_build(paths.exchanges, answers, paths.splits)
    yield CheckedTable(
        name="exchanges",
        path=paths.exchanges,
        record_type=Exchange,
        view=partial(views.rows_view, paths.exchanges, views.exchange_row),
        suite=suites.exchange_suite(bounds),
        shares=("sentiment",),
    )
    for path in answers:
        yield CheckedTable(
            name=f"responses/{path.stem}",
            path=path,
            record_type=Response,
            view=partial(views.rows_view, path, partial(views.response_row, build=build)),
            suite=suites.response_suite(bounds),
            shares=("responder", "rating"),
        )
    yield CheckedTable(
        name="splits",
        path=paths.splits,
        record_type=SplitAssignment,
        view=partial(views.split_view, paths.splits, build),
        suite=suites.split_suite(len(build.dialogue_of)),
        index="exchange_id",
        shares=("split",),
    )
    for corpus in corpora:
        yield from _corpus_tables(paths, corpus, bounds, build)


def _corpus_tables(
    paths: BuildPaths, corpus: str, bounds: Bounds, build: views.Build
) -> Iterator[CheckedTable]:
    path = paths.sft / f"{corpus}.parquet"
    yield CheckedTable(
        name=f"sft/{corpus}",
        path=path,
        record_type=SFTExample,
        view=partial(views.rows_view, path, partial(views.sft_row, build=build)),
        suite=suites.sft_suite(bounds),
        corpus=corpus,
    )
    for pair_filter in ("strict", "authors"):
        path = paths.preferences / pair_filter / f"{corpus}.parquet"
        yield CheckedTable(
            name=f"preferences/{pair_filter}/{corpus}",
            path=path,
            record_type=PreferencePair,
            view=partial(views.rows_view, path, partial(views.pair_row, build=build)),
            suite=suites.pair_suite(bounds, strict=pair_filter == "strict"),
            shares=("chosen_is_longer",),
            corpus=corpus,
        )


def _read_build(exchanges: Path, responses: Sequence[Path], splits: Path) -> views.Build:
    exchange_of: dict[str, str] = {}
    for path in responses:
        exchange_of |= _column_map(path, "id", "exchange_id")
    return views.Build(
        dialogue_of=_column_map(exchanges, "id", "dialogue_id"),
        split_of=_column_map(splits, "exchange_id", "split"),
        exchange_of=exchange_of,
    )


def _column_map(path: Path, key: str, value: str) -> dict[str, str]:
    """Return `key` -> `value`; empty where a column is missing, which the schema check reports."""
    file = open_parquet(path)
    if not {key, value} <= set(file.schema_arrow.names):
        return {}
    table = file.read(columns=[key, value])
    return dict(zip(table[key].to_pylist(), table[value].to_pylist(), strict=True))
