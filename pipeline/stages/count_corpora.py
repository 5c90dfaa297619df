"""Stage `count_corpora`: what was built, in numbers."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection
from pathlib import Path
from typing import Any

from pipeline.corpora.preference import FILTERS
from pipeline.declare import Folder, In, Json, Metrics
from pipeline.records import PreferencePair, Rejection, SFTExample
from pipeline.sources.licences import may_be_published, most_restrictive
from pipeline.storage import read_json, read_table, write_json


def run(
    *,
    corpora: Collection[str],
    ingest: In[Json],
    splits: In[Json],
    sft: In[Folder],
    preferences: In[Folder],
    sft_rejections: In[Folder],
    pair_rejections: In[Folder],
    out: Metrics,
) -> None:
    """Write split sizes and, per corpus and filter, rows, pairs and rejections by reason.

    `inverted` counts pairs whose chosen side is rated below the rejected one, `tied` those with
    equal ratings; under `strict` both are 0 and stand among the rejections.
    """
    counts = {}
    for corpus in corpora:
        file = f"{corpus}.parquet"
        shared = _count_sft(sft / file, sft_rejections / file)
        dropped = _by_stage(pair_rejections / file)
        counts[corpus] = {
            name: {
                **shared,
                **_count_pairs(preferences / name / file),
                "rejections": dict(sorted(dropped[f"build_preferences:{name}"].items())),
            }
            for name in FILTERS
        }
    facts = read_json(ingest)
    write_json(
        out,
        {
            "source": facts["source"],
            "sha256": facts["sha256"],
            "splits": read_json(splits),
            "corpora": counts,
        },
    )


def _count_sft(path: Path, rejections: Path) -> dict[str, Any]:
    examples = source_rows = 0
    licences: set[str] = set()
    last: tuple[str, ...] = ()
    for example in read_table(path, SFTExample):
        examples += 1
        licences.add(example.lineage.licence)
        # The examples of one source row follow one another and have the same parents.
        source_rows += example.lineage.parents != last
        last = example.lineage.parents
    licence = most_restrictive(licences) if licences else None
    return {
        "licence": licence,
        "may_be_published": may_be_published(licence) if licence else None,
        "sft_source_rows": source_rows,
        "sft_examples": examples,
        "sft_rejections": dict(sorted(_by_stage(rejections)["build_sft"].items())),
    }


def _count_pairs(path: Path) -> dict[str, int]:
    counts = dict.fromkeys(("pairs", "inverted", "tied"), 0)
    for pair in read_table(path, PreferencePair):
        counts["pairs"] += 1
        if pair.chosen_rating is not None and pair.rejected_rating is not None:
            counts["inverted"] += pair.chosen_rating < pair.rejected_rating
            counts["tied"] += pair.chosen_rating == pair.rejected_rating
    return counts


def _by_stage(path: Path) -> defaultdict[str, Counter[str]]:
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for rejection in read_table(path, Rejection):
        counts[rejection.stage][rejection.reason] += 1
    return counts
