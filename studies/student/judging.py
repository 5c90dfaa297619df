"""The judging part of the study `student`: students against base and people, by two judges.

The judges before them, which saw ratings alone, judge the same replies beside
(`evaluation_before.json`), so that what a judge changes is not taken for what a student learned.

It reads what the study left in its work folder: `splits.json`, `responses/<model>.parquet`, and
`pair_logprobs.json`, which may be missing:
`{kind: {"dialogues": [...], "logprobs": {model: {"chosen": [...], "rejected": [...]}}}}`, one entry
per held-out strict pair of that kind. Models whose replies are not there yet are left out.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.audit.settings import AuditSettings
from pipeline.errors import MissingFileError
from pipeline.evaluation.comparison import BASE, Comparison, Meeting, Options, compare
from pipeline.evaluation.contests import NULLS, Replies, by_responder, null_models, read_model
from pipeline.evaluation.judges import longer_judge
from pipeline.evaluation.reply_report import reply_report
from pipeline.scoring.saved import load
from pipeline.storage import read_json
from studies.judging import (
    TEST_SETS,
    TOLERANCE,
    Bench,
    agreement_row,
    describe_judges,
    open_bench,
)
from studies.judging.dialogues import HUMAN, SEED
from studies.judging.judges import BEFORE
from studies.student.preference_accuracy import (
    PairLogProbs,
    accuracy_difference,
    preference_accuracy,
    prefers_chosen,
)
from studies.student.target import student_target

# What each model was taught, on the students' half.
CORPORA = {
    "sft": "direct",
    "dpo": "direct, strict pairs",
    "dpo-authors": "direct, authors' pairs",
    "dpo-onpolicy": "direct, then its own replies",
}
DPO, AUTHORS = "dpo", "dpo-authors"
REFERENCE = "sft"


def judge_students(data: Path, work: Path) -> dict[str, Any]:
    """Return the content of the study's files that judging fills.

    `data` is the folder of the real data, `work` the study's own. Raises MissingFileError without
    the base's replies.
    """
    models = {
        name: read_model(path)
        for name in (BASE, *CORPORA)
        if (path := work / "responses" / f"{name}.parquet").is_file()
    }
    if BASE not in models:
        raise MissingFileError(
            work / "responses" / f"{BASE}.parquet", hint="Write the replies first: study student"
        )
    bench = open_bench(data, work)
    table = _compare(bench, models)
    before = _compare(open_bench(data, work, BEFORE), models)
    rows = [row.model_dump(mode="json") for row in table.rows]
    figures = {
        "evaluation.json": rows,
        "evaluation_before.json": [row.model_dump(mode="json") for row in before.rows],
        "target.json": student_target(rows),
        "judges.json": {
            "judges": describe_judges(bench),
            "agreement": [agreement_row(one) for one in table.agreements],
        },
        "replies.json": _replies(bench, models),
    }
    if (work / "pair_logprobs.json").is_file():
        figures["pair_filters.json"] = compare_filters(read_json(work / "pair_logprobs.json"))
    return figures


def _compare(bench: Bench, models: dict[str, Replies]) -> Comparison:
    outside = by_responder([response for pairs in bench.pairs.values() for _, response in pairs])
    exchanges = [one for name in TEST_SETS for one in bench.exchanges(name)]
    others = [replies for name, replies in {**outside, **models}.items() if name != BASE]
    students = [name for name in CORPORA if name in models]
    wanted = [(name, BASE) for name in (*students, *outside, *NULLS)]
    wanted += [("dpo", "sft"), ("dpo-authors", "sft"), ("dpo-onpolicy", "sft"), (DPO, AUTHORS)]
    wanted += [(name, HUMAN) for name in students]
    everyone = {**outside, **models, **null_models(exchanges, others)}
    return compare(
        [
            Meeting(ours, theirs, CORPORA.get(ours))
            for ours, theirs in wanted
            if ours in everyone and theirs in everyone
        ],
        everyone,
        {name: bench.exchanges(name) for name in TEST_SETS},
        bench.judges,
        Options(TOLERANCE, SEED),
        beside=[longer_judge()],
    )


def _replies(bench: Bench, models: dict[str, Replies]) -> dict[str, Any]:
    """Return measures of replies; the teachers' critical findings are those of the rated models."""
    _, _, coder = load(bench.trained[1].folder, bench.embedder)
    every = [pair for pairs in bench.pairs.values() for pair in pairs]
    outside = by_responder([response for _, response in every])
    taught = [pair for pair in every if pair[1].responder != HUMAN]
    return reply_report(
        [one for name in TEST_SETS for one in bench.exchanges(name)],
        {**models, **outside},
        {"direct": taught},
        coder,
        AuditSettings(),
        corpora=dict.fromkeys(CORPORA, "direct"),
    )


def compare_filters(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return, for each kind of pairs, how often each DPO student prefers the chosen side.

    Also by how much strict is ahead of the authors' filter. All started from the same SFT model,
    which is their reference; `found` is the content of `pair_logprobs.json`.
    """
    return {kind: _filters(one) for kind, one in found.items()}


def _filters(found: dict[str, Any]) -> dict[str, Any]:
    dialogues = list(found["dialogues"])
    sides = {
        name: PairLogProbs(np.array(one["chosen"], float), np.array(one["rejected"], float))
        for name, one in found["logprobs"].items()
    }
    reference = sides[REFERENCE]
    preferred = {
        name: prefers_chosen(one, reference) for name, one in sides.items() if name != REFERENCE
    }
    figures: dict[str, Any] = {
        name: asdict(preference_accuracy(one, dialogues, seed=SEED))
        for name, one in preferred.items()
    }
    if DPO in preferred and AUTHORS in preferred:
        figures["strict less authors"] = asdict(
            accuracy_difference(preferred[DPO], preferred[AUTHORS], dialogues, seed=SEED)
        )
    return figures
