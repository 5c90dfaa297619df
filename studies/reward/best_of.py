"""Best of eight: what the reward model picks of a student's samples, against a pick at random.

The reward model learns from the dialogues that students learned from; the judges are scorers of
other dialogues. The samples and the split are read from the student study's work folder.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.evaluation.contests import Contest
from pipeline.evaluation.judges import Judge, judge_all
from pipeline.evaluation.win_rate import Judged, WinRate, length_matched, win_rate
from pipeline.features.embeddings import CachedEmbedder, MiniLm
from pipeline.records import Exchange, Response
from pipeline.reward_model.applying import Ranked, rank
from pipeline.reward_model.encoder import FrozenEncoder
from pipeline.reward_model.model import RewardModel
from pipeline.reward_model.texts import rated_pairs, text_of
from pipeline.sources import ReadOptions, Sourced, get_source
from pipeline.storage import read_json, read_table
from studies.judging import TOLERANCE, open_bench
from studies.judging.dialogues import SEED
from studies.reward.data import WELIVITA

SAMPLES = "best_of_8-dpo.parquet"
DRAWS = 20

Groups = dict[str, list[Ranked]]


def best_of(data: Path, work: Path, head: str) -> dict[str, Any] | None:
    """Return win rates of the pick over a random one by each judge; None without samples."""
    samples = work / "responses" / SAMPLES
    if not samples.is_file():
        return None
    read = get_source("welivita2024").read(data / WELIVITA, ReadOptions(max_chars=20_000))
    dialogues = {one.exchange.dialogue_id: one for one in read if isinstance(one, Sourced)}
    taught = [dialogues[name] for name in read_json(work / "splits.json")["students"]]
    model = _taught(taught, head)
    exchanges = {one.exchange.id: one.exchange for one in dialogues.values()}
    groups: Groups = {}
    for one in rank(model, exchanges, read_table(samples, Response)):
        groups.setdefault(one.response.exchange_id, []).append(one)
    contests = _contests(groups, exchanges)
    return {
        "model": model.facts_.head,
        "taught_dialogues": len(taught),
        "taught_pairs": model.facts_.pairs,
        "dialogues": len(groups),
        "samples": sum(map(len, groups.values())),
        "draws_at_random": DRAWS,
        "words": _words(groups),
        "judges": {judge.name: _judged(judge, contests) for judge in open_bench(data, work).judges},
    }


def _taught(rows: Sequence[Sourced], head: str) -> RewardModel:
    pairs = [pair for one in rows for pair in rated_pairs(one.exchange, one.responses)]
    texts = [text_of(one.exchange, response) for one in rows for response in one.responses]
    return RewardModel(FrozenEncoder(CachedEmbedder(MiniLm())), head).fit(pairs, texts)


def _contests(groups: Groups, exchanges: dict[str, Exchange]) -> list[Contest]:
    """Return the best of each exchange against one drawn at random of all, `DRAWS` times."""
    random = np.random.default_rng(SEED)
    return [
        Contest(exchanges[name], rows[0].response, rows[int(random.integers(len(rows)))].response)
        for _ in range(DRAWS)
        for name, rows in groups.items()
    ]


def _judged(judge: Judge, contests: Sequence[Contest]) -> dict[str, Any]:
    """Return the win rate of the pick, and that over replies of like length alone."""
    verdicts = judge_all(judge, contests)
    judged = [Judged.of(one, verdicts[one.id]) for one in contests]
    alike = length_matched(judged, tolerance=TOLERANCE)
    return {
        "win_rate": _rate(win_rate(judged, seed=SEED)),
        "win_rate_of_like_length": _rate(win_rate(alike, seed=SEED)) if alike else None,
    }


def _rate(found: WinRate) -> dict[str, Any]:
    """Return plain values; a draw of the pick itself is a tie."""
    ends = [round(end, 4) for end in found.ci] if found.ci else None
    value = None if found.value is None else round(found.value, 4)
    return {"value": value, "ci": ends, "contests": found.n, "ties": found.ties}


def _words(groups: Groups) -> dict[str, float]:
    """Return the mean words of the picks and of all samples: whether length is what is liked."""
    best = [len(rows[0].response.text.split()) for rows in groups.values()]
    every = [len(one.response.text.split()) for rows in groups.values() for one in rows]
    return {"picked": round(float(np.mean(best)), 1), "all": round(float(np.mean(every)), 1)}
