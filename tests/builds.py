"""Builds for tests: the stages of dvc.yaml, one after another in this process."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from pipeline.params import Params, load_params
from pipeline.sources import ReadOptions, Source, Sourced, get_source
from pipeline.stages import (
    build_preferences,
    build_sft,
    count_corpora,
    distil,
    ingest,
    parse,
    split,
)
from pipeline.workspace import PROJECT, write_params

MAX_CHARS = 20_000
SAMPLE = PROJECT / "datasets" / "sample" / "exchanges.jsonl"


def params_for(source: str, raw: Path, folder: Path) -> Params:
    """Return the params that `distillery repro` gives a build of `source`, kept in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    write_params(folder / "params.yaml", source=get_source(source), path=raw)
    return load_params(folder / "params.yaml")


def ingest_and_split(params: Params, folder: Path) -> None:
    """Run the first two stages, with outputs under `folder` as dvc.yaml names them."""
    datasets, metrics = folder / "datasets", folder / "reports" / "metrics"
    ingest.run(
        params.ingest,
        exchanges=datasets / "exchanges.parquet",
        responses=datasets / "responses" / "source.parquet",
        rejections=datasets / "rejections" / "ingest.parquet",
        metrics=metrics / "ingest.json",
    )
    split.run(
        params.split,
        seed=params.seed,
        exchanges=datasets / "exchanges.parquet",
        responses=datasets / "responses" / "source.parquet",
        out=datasets / "splits.parquet",
        metrics=metrics / "splits.json",
    )


def build(params: Params, folder: Path) -> Path:
    """Run all stages but the teacher's, with outputs as dvc.yaml names them; return `folder`.

    Corpora whose responses a teacher has yet to write are left out.
    """
    ingest_and_split(params, folder)
    return build_corpora(params, folder)


def distil_all(params: Params, folder: Path) -> None:
    """Run `distil` and `parse` for every distillation; the ledger is where the environment says."""
    datasets = folder / "datasets"
    for name, distillation in params.distillations.items():
        file = f"{name}.parquet"
        parents = datasets / "responses" / f"{distillation.parents}.parquet"
        distil.run(
            name,
            distillation,
            params.distil,
            params.llm.teacher,
            params.llm.budget,
            params.responders,
            params.prompt,
            exchanges=datasets / "exchanges.parquet",
            responses=parents,
            splits=datasets / "splits.parquet",
            out=datasets / "completions" / file,
            rejections=datasets / "rejections" / "distil" / file,
            metrics=folder / "reports" / "metrics" / "distil" / f"{name}.json",
        )
        parse.run(
            name,
            distillation,
            params.responders,
            params.prompt,
            exchanges=datasets / "exchanges.parquet",
            completions=datasets / "completions" / file,
            responses=parents,
            out=datasets / "responses" / file,
            rejections=datasets / "rejections" / "parse" / file,
        )


def build_corpora(params: Params, folder: Path) -> Path:
    """Run the build stages for the corpora whose responses are there; return `folder`."""
    datasets = folder / "datasets"
    corpora = {
        name: datasets / "responses" / f"{corpus.responses}.parquet"
        for name, corpus in params.corpora.items()
    }
    corpora = {name: responses for name, responses in corpora.items() if responses.is_file()}
    for name, responses in corpora.items():
        file, corpus = f"{name}.parquet", params.corpora[name]
        tables = {
            "exchanges": datasets / "exchanges.parquet",
            "responses": responses,
            "splits": datasets / "splits.parquet",
        }
        build_sft.run(
            corpus,
            params.responders,
            params.prompt,
            seed=params.seed,
            **tables,
            out=datasets / "sft" / file,
            rejections=datasets / "rejections" / "sft" / file,
        )
        build_preferences.run(
            corpus,
            params.responders,
            params.prompt,
            seed=params.seed,
            **tables,
            strict=datasets / "preferences" / "strict" / file,
            authors=datasets / "preferences" / "authors" / file,
            rejections=datasets / "rejections" / "preferences" / file,
        )
    count_corpora.run(
        corpora=list(corpora),
        ingest=folder / "reports" / "metrics" / "ingest.json",
        splits=folder / "reports" / "metrics" / "splits.json",
        sft=datasets / "sft",
        preferences=datasets / "preferences",
        sft_rejections=datasets / "rejections" / "sft",
        pair_rejections=datasets / "rejections" / "preferences",
        out=folder / "reports" / "metrics" / "corpora.json",
    )
    return folder


def read(source: Source, path: Path, **options: Any) -> list[Any]:
    """Read the whole raw file with the reader of `source`."""
    return list(source.read(path, ReadOptions(**{"max_chars": MAX_CHARS, **options})))


def kept(items: Iterable[Any]) -> list[Sourced]:
    """Return the exchanges among what a reader yielded."""
    return [item for item in items if isinstance(item, Sourced)]


def write_csv(path: Path, rows: Sequence[Mapping[str, object]]) -> Path:
    """Write `rows` as a CSV file with a header; return the path."""
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def write_jsonl(path: Path, rows: Iterable[Mapping[str, object]]) -> Path:
    """Write `rows` as JSON Lines; return the path."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def edit_params(path: Path, **sections: Mapping[str, object]) -> None:
    """Change keys of the sections that are named, in the params.yaml at `path`."""
    params = yaml.safe_load(path.read_text(encoding="utf-8"))
    for section, values in sections.items():
        params[section] |= values
    path.write_text(yaml.safe_dump(params), encoding="utf-8")
