"""Stage `describe_corpora`: what is in every corpus, for its card."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.corpora.description import Origins, describe_pairs, describe_sft
from pipeline.corpora.params import Corpus, RespondersParams
from pipeline.corpora.preference import FILTERS
from pipeline.declare import Folder, In, Metrics
from pipeline.records import Exchange, SplitAssignment
from pipeline.storage import write_json


def run(
    corpora: Mapping[str, Corpus],
    responders: RespondersParams,
    *,
    exchanges: In[Exchange],
    responses: In[Folder],
    splits: In[SplitAssignment],
    sft: In[Folder],
    preferences: In[Folder],
    out: Metrics,
) -> None:
    """Write the figures of every corpus; no text of the data."""
    origins = Origins.read(exchanges, splits, sorted(responses.glob("*.parquet")))
    described = {}
    for name, corpus in corpora.items():
        file = f"{name}.parquet"
        described[name] = {
            **corpus.model_dump(mode="json"),
            "tables": {
                "sft": describe_sft(sft / file, origins),
                **{
                    f"preferences_{kept}": describe_pairs(preferences / kept / file, origins)
                    for kept in FILTERS
                },
            },
        }
    write_json(out, {**responders.model_dump(mode="json"), "corpora": described})
