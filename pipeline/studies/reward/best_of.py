"""Best of eight: what the reward model picks of a student's samples, against a pick at random.

The reward model learns from the dialogues that students learned from; the judges are scorers of
other dialogues, which the student study trained. Both parts are read from its work folder.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.features.embeddings import CachedEmbedder, MiniLm
from pipeline.features.table import Array
from pipeline.llm.open_chat import home
from pipeline.records import Exchange, Response
from pipeline.reward_model.applying import Ranked, rank
from pipeline.reward_model.encoder import FrozenEncoder
from pipeline.reward_model.learning_curve import interval
from pipeline.reward_model.model import RewardModel
from pipeline.reward_model.texts import rated_pairs, text_of
from pipeline.scoring.predict import score_pairs
from pipeline.sources import ReadOptions, Sourced, get_source
from pipeline.storage import read_json, read_table
from pipeline.studies.reward.data import WELIVITA

SAMPLES = "best_of_8-dpo.parquet"
# Replies are of like length if the longer one has at most this much more, of its words.
TOLERANCE = 0.2
# Ratings that a judge tells apart by less than this are a tie.
MARGIN = 0.05
DRAWS = 20


def work_folder() -> Path:
    """Return where the student study leaves its split, samples and judges."""
    return home() / "studies" / "student"


def best_of(data: Path, work: Path, head: str) -> dict[str, Any] | None:
    """Return win rates of the pick over a random one by each judge; None without samples."""
    samples, splits = work / "responses" / SAMPLES, work / "splits.json"
    judges = sorted(one for one in (work / "judges").glob("*") if one.is_dir())
    if not samples.is_file() or not splits.is_file() or not judges:
        return None
    read = get_source("welivita2024").read(data / WELIVITA, ReadOptions(max_chars=20_000))
    dialogues = {one.exchange.dialogue_id: one for one in read if isinstance(one, Sourced)}
    model = _taught([dialogues[name] for name in read_json(splits)["students"]], head)
    exchanges = {one.exchange.id: one.exchange for one in dialogues.values()}
    ranked = list(rank(model, exchanges, read_table(samples, Response)))
    groups: dict[str, list[Ranked]] = {}
    for one in ranked:
        groups.setdefault(one.response.exchange_id, []).append(one)
    pairs = [(exchanges[one.response.exchange_id], one.response) for one in ranked]
    return {
        "model": model.facts_.head,
        "taught_pairs": model.facts_.pairs,
        "dialogues": len(groups),
        "samples": len(ranked),
        "draws_at_random": DRAWS,
        "words": _words(groups),
        "judges": {folder.name: _judged(groups, _ratings(pairs, folder)) for folder in judges},
    }


def _taught(rows: Sequence[Sourced], head: str) -> RewardModel:
    pairs = [pair for one in rows for pair in rated_pairs(one.exchange, one.responses)]
    texts = [text_of(one.exchange, response) for one in rows for response in one.responses]
    return RewardModel(FrozenEncoder(CachedEmbedder(MiniLm())), head).fit(pairs, texts)


def _ratings(pairs: list[tuple[Exchange, Response]], folder: Path) -> dict[str, float]:
    """Return the expected rating of each response, 1 to 3."""
    found = score_pairs(pairs, folder, CachedEmbedder(MiniLm()))
    return {
        one.id: sum(float(rating) * chance for rating, chance in one.probabilities.items())
        for one in found
    }


def _judged(groups: dict[str, list[Ranked]], ratings: dict[str, float]) -> dict[str, Any]:
    """Compare the first of each exchange with one drawn at random, again and again."""
    random = np.random.default_rng(0)
    names = list(groups)
    wins, alike, gains = [], [], []
    for _ in range(DRAWS):
        drawn = [groups[name][int(random.integers(len(groups[name])))].response for name in names]
        best = [groups[name][0].response for name in names]
        ahead = np.array(
            [ratings[one.id] - ratings[two.id] for one, two in zip(best, drawn, strict=True)]
        )
        wins.append(np.where(np.abs(ahead) <= MARGIN, 0.5, ahead > 0))
        gains.append(ahead)
        alike.append([_of_like_length(one, two) for one, two in zip(best, drawn, strict=True)])
    matched = np.array(alike)
    kept = [number for number in range(len(names)) if matched[:, number].any()]
    return {
        "win_rate": _share(np.array(wins), names),
        "rating_gain": _share(np.array(gains), names),
        "win_rate_of_like_length": _share(
            np.array([_mean(np.array(wins)[:, one], matched[:, one]) for one in kept])[None, :],
            [names[one] for one in kept],
        ),
    }


def _mean(values: Array, which: Array) -> float:
    return float(values[which].mean())


def _share(values: Array, names: Sequence[str]) -> dict[str, Any]:
    low, high = interval(values, names)
    return {
        "value": round(float(values.mean()), 4),
        "ci": [round(low, 4), round(high, 4)],
        "dialogues": len(names),
    }


def _of_like_length(one: Response, two: Response) -> bool:
    counts = sorted((len(one.text.split()), len(two.text.split())))
    return counts[1] - counts[0] <= TOLERANCE * counts[1]


def _words(groups: dict[str, list[Ranked]]) -> dict[str, float]:
    """Return the mean words of the picks and of all samples: whether length is what is liked."""
    best = [len(rows[0].response.text.split()) for rows in groups.values()]
    every = [len(one.response.text.split()) for rows in groups.values() for one in rows]
    return {"picked": round(float(np.mean(best)), 1), "all": round(float(np.mean(every)), 1)}
