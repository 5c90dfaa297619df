"""Stage `featurize`: responses become named numbers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import Field

from pipeline.annotation.final_labels import FinalLabels
from pipeline.config import Section
from pipeline.declare import In, Out, Param, Stage, Table
from pipeline.features.coder import code_out_of_fold, coded_sentences
from pipeline.features.context import context_tables
from pipeline.features.embeddings import (
    CACHE,
    CachedEmbedder,
    MiniLm,
    endpoint_family,
    vector_table,
)
from pipeline.features.pairs import read_pairs
from pipeline.features.presence import presence_table
from pipeline.features.table import join, write_features
from pipeline.llm import Budget, EmbedderRole
from pipeline.llm.embedder import Embedded
from pipeline.llm.ledger_file import LedgerReader
from pipeline.llm.open_chat import open_embedder
from pipeline.llm.plan import Plan, plan_embedding
from pipeline.records import Exchange, FinalLabel, Response

STAGE = "featurize"


class FeaturizeParams(Section):
    """Section `featurize` of params.yaml.

    A response is coded by coders that saw no sentence of its dialogue, in `coder_folds` parts.
    """

    coder_folds: int = Field(ge=2)


async def _embedded(role: EmbedderRole, budget: Budget, texts: Sequence[str]) -> Embedded:
    async with open_embedder(role, stage=STAGE, budget=budget) as embedder:
        return await embedder.embed(texts)


def plan_vectors(
    role: EmbedderRole, *, exchanges: Path, responses: Path, ledger: LedgerReader | None
) -> Plan:
    """Count what `run` would ask of the embedding endpoint."""
    return plan_embedding(
        role, [one.text for _, one in read_pairs(exchanges, responses)], ledger=ledger
    )


DAG = Stage(machine_dependent=True)


def run(
    params: FeaturizeParams,
    endpoint: Annotated[EmbedderRole | None, Param("llm.embedder")],
    budget: Annotated[Budget, Param("llm.budget", watched=False)],
    *,
    seed: int,
    exchanges: In[Exchange],
    responses: In[Response],
    labels: In[FinalLabel],
    out: Out[Table],
    embeddings: Path = CACHE,
) -> None:
    """Write one row per response: who, length, readable features, embeddings and codes.

    The coder learns from the codes of the source, and from those that people gave (`labels`).
    With `endpoint` its vectors of the responses are features too; a text that it will not take has
    none.
    """
    pairs = read_pairs(exchanges, responses)
    embedder = CachedEmbedder(MiniLm(), embeddings)
    tables = context_tables(pairs, embedder)
    ids = [response.id for _, response in pairs]
    if endpoint is not None:
        found = asyncio.run(_embedded(endpoint, budget, [one.text for _, one in pairs]))
        texts = [(one.id, one.text) for _, one in pairs]
        tables.append(vector_table(endpoint_family(endpoint.model), texts, found.vectors))
    tables.append(presence_table("published", [(one.id, one.codes) for _, one in pairs]))
    answers = [(exchange.dialogue_id, response) for exchange, response in pairs]
    coded = list(coded_sentences(answers, FinalLabels.read(labels).codes))
    if len({row.code for row in coded}) > 1:
        codes = code_out_of_fold(
            [(exchange.dialogue_id, response.text) for exchange, response in pairs],
            coded,
            embedder,
            folds=params.coder_folds,
            seed=seed,
        )
        tables.append(presence_table("coded", list(zip(ids, codes, strict=True))))
    write_features(out, join(tables, ids))
