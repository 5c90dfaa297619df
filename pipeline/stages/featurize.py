"""Stage `featurize`: responses become named numbers."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

from pydantic import Field

from pipeline.config import Section
from pipeline.features.coder import code_out_of_fold
from pipeline.features.context import context_tables
from pipeline.features.embeddings import CACHE, CachedEmbedder, MiniLm
from pipeline.features.presence import presence_table
from pipeline.features.table import join, write_features
from pipeline.records import Exchange, Response
from pipeline.stages.human_labels import read_human_labels
from pipeline.storage import read_table


class FeaturizeParams(Section):
    """Section `featurize` of params.yaml.

    A response is coded by coders that saw no sentence of its dialogue, in `coder_folds` parts.
    """

    coder_folds: int = Field(ge=2)


def read_pairs(exchanges: Path, responses: Path) -> list[tuple[Exchange, Response]]:
    """Return each response with its exchange, in file order."""
    by_id = {exchange.id: exchange for exchange in read_table(exchanges, Exchange)}
    grouped = groupby(read_table(responses, Response), key=lambda one: one.exchange_id)
    return [(by_id[name], response) for name, group in grouped for response in group]


def run(
    params: FeaturizeParams,
    *,
    seed: int,
    exchanges: Path,
    responses: Path,
    out: Path,
    labels: Path | None = None,
    embeddings: Path = CACHE,
) -> None:
    """Write one row per response: who, length, readable features, embeddings and codes.

    The coder learns from the codes of the source, and from those that people gave (`labels`).
    """
    pairs = read_pairs(exchanges, responses)
    embedder = CachedEmbedder(MiniLm(), embeddings)
    tables = context_tables(pairs, embedder)
    ids = [response.id for _, response in pairs]
    tables.append(presence_table("published", [(one.id, one.codes) for _, one in pairs]))
    coded = list(read_human_labels(labels).coded(pairs))
    if len({row.code for row in coded}) > 1:
        found = code_out_of_fold(
            [(exchange.dialogue_id, response.text) for exchange, response in pairs],
            coded,
            embedder,
            folds=params.coder_folds,
            seed=seed,
        )
        tables.append(presence_table("coded", list(zip(ids, found, strict=True))))
    write_features(out, join(tables, ids))
