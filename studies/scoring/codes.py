"""The sentence coder on real data: how good it is, and what it makes of the copied column."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.features.coder import (
    BehaviourCoder,
    CodedSentence,
    code_out_of_fold,
    coded_sentences,
)
from pipeline.features.embeddings import Embedder
from pipeline.features.presence import presence_table
from pipeline.features.table import Array, FeatureTable
from pipeline.records import BehaviourCode
from pipeline.statistics.calibration import BINS
from pipeline.text.sentences import split_sentences
from studies.scoring.data import COPIED, RatedData
from studies.scoring.mi_sentences import TO_ANNOMI, read_annomi, read_mi_strategy

MI_STRATEGY = "mi_strategy/CC_Augmented.csv"
ANNOMI = "annomi/annomi_single_annotator.csv"
HELD_OUT_SHARE = 0.2
# A code of fewer sentences is reported apart.
MIN_ROWS = 20
FOLDS = 5


@dataclass(frozen=True)
class Coding:
    """Figures of the coder, and its codes as features of all responses."""

    figures: dict[str, Any]
    tables: list[FeatureTable]


def code_all(data: RatedData, folder: Path, embedder: Embedder, *, seed: int) -> Coding:
    """Train on silver sentences, test, and code every response by coders that did not see it."""
    silver = list(
        coded_sentences(
            (one.dialogue_id, two) for one, two in data.pairs if _is_coded(two.responder)
        )
    )
    strategy = [
        CodedSentence(one.text, BehaviourCode(one.code), one.conversation)
        for one in read_mi_strategy(folder / MI_STRATEGY)
    ]
    figures = {
        "sentence_splitting": _splitting(data),
        "silver_sentences": len(silver),
        "mi_strategy_posts": len(strategy),
        "codes_apart": [str(code) for code in rare_codes(silver)],
        "min_rows": MIN_ROWS,
        **_held_out(silver, strategy, embedder, seed=seed),
        "annomi": _annomi(silver + strategy, folder, embedder, seed=seed),
    }
    found = code_out_of_fold(
        [(one.dialogue_id, two.text) for one, two in data.pairs],
        silver + strategy,
        embedder,
        folds=FOLDS,
        seed=seed,
    )
    ids = [two.id for _, two in data.pairs]
    recoded = [
        ours if two.responder == COPIED else two.codes
        for ours, (_, two) in zip(found, data.pairs, strict=True)
    ]
    figures["recoding"] = _recoding(data, found)
    return Coding(
        figures,
        [
            presence_table("coded", list(zip(ids, found, strict=True))),
            presence_table("recoded", list(zip(ids, recoded, strict=True))),
        ],
    )


def _is_coded(responder: str) -> bool:
    return responder in ("human", "chatgpt")


def _splitting(data: RatedData) -> dict[str, float]:
    """Return the share of responses whose sentences are as many as their codes."""
    met: dict[str, list[bool]] = {}
    for _, one in data.pairs:
        if one.codes is not None:
            met.setdefault(one.responder, []).append(
                len(split_sentences(one.text)) == len(one.codes)
            )
    return {name: round(float(np.mean(hits)), 4) for name, hits in met.items()}


def _held_out(
    silver: Sequence[CodedSentence],
    strategy: Sequence[CodedSentence],
    embedder: Embedder,
    *,
    seed: int,
) -> dict[str, Any]:
    names = sorted({row.group for row in silver})
    chosen = np.random.default_rng((seed, 1)).permutation(names)
    held = set(chosen[: int(HELD_OUT_SHARE * len(names))].tolist())
    tested = [row for row in silver if row.group in held]
    learnt = [row for row in silver if row.group not in held]
    return {
        "held_out": {
            name: _measure(BehaviourCoder(embedder, seed=seed).fit(rows), tested)
            for name, rows in (
                ("silver alone", learnt),
                ("with mi_strategy", learnt + list(strategy)),
            )
        }
    }


def _measure(coder: BehaviourCoder, tested: Sequence[CodedSentence]) -> dict[str, Any]:
    from sklearn.metrics import f1_score

    truth = [row.code.value for row in tested]
    chances = coder.predict_proba([row.text for row in tested])
    found = [coder.codes_[place].value for place in chances.argmax(axis=1)]
    each = f1_score(truth, found, labels=list(BehaviourCode), average=None, zero_division=0)
    counts = Counter(truth)
    return {
        "sentences": len(tested),
        "dialogues": len({row.group for row in tested}),
        "accuracy": _share(truth, found),
        "macro_f1": round(float(f1_score(truth, found, average="macro", zero_division=0)), 4),
        "calibration_error": _calibration(chances, truth, found),
        "codes": {
            code.value: {"sentences": counts[code.value], "f1": round(float(score), 4)}
            for code, score in zip(BehaviourCode, each, strict=True)
        },
    }


def _share(truth: Sequence[str], found: Sequence[str]) -> float:
    return round(float(np.mean(np.array(truth) == np.array(found))), 4)


def _calibration(chances: Array, truth: Sequence[str], found: Sequence[str]) -> float:
    confidence, right = chances.max(axis=1), np.array(truth) == np.array(found)
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = [abs(float((confidence[bins == one] - right[bins == one]).sum())) for one in range(BINS)]
    return round(sum(gaps) / len(truth), 4)


def _annomi(
    rows: Sequence[CodedSentence], folder: Path, embedder: Embedder, *, seed: int
) -> dict[str, Any]:
    """Return agreement with AnnoMI's main behaviour of a turn, through `TO_ANNOMI`.

    A turn's code is the one of most probability, averaged over its sentences.
    """
    from sklearn.metrics import f1_score

    coder = BehaviourCoder(embedder, seed=seed).fit(rows)
    turns = list(read_annomi(folder / ANNOMI))
    names = sorted(set(TO_ANNOMI.values()))
    to_name = np.zeros((len(coder.codes_), len(names)))
    for place, code in enumerate(coder.codes_):
        to_name[place, names.index(TO_ANNOMI[code])] = 1.0
    parts = [split_sentences(turn.text) for turn in turns]
    chances = coder.predict_proba([sentence for part in parts for sentence in part]) @ to_name
    ends = np.cumsum([len(part) for part in parts])[:-1]
    found = [names[int(one.mean(axis=0).argmax())] for one in np.split(chances, ends)]
    truth = [turn.code for turn in turns]
    named = [place for place, name in enumerate(truth) if name != "other"]
    each = f1_score(truth, found, labels=names, average=None, zero_division=0)
    return {
        "mapping": {code.value: name for code, name in TO_ANNOMI.items()},
        "turns": len(turns),
        "accuracy": _share(truth, found),
        "majority_accuracy": round(max(Counter(truth).values()) / len(truth), 4),
        "macro_f1": round(float(np.mean(each)), 4),
        "accuracy_without_other": _share(
            [truth[place] for place in named], [found[place] for place in named]
        ),
        "f1": {name: round(float(score), 4) for name, score in zip(names, each, strict=True)},
    }


def _recoding(data: RatedData, found: Sequence[tuple[BehaviourCode, ...]]) -> dict[str, Any]:
    """Return how the copied column differs from our codes of the texts it stands beside."""
    published: Counter[str] = Counter()
    ours: Counter[str] = Counter()
    same = total = 0
    for codes, (_, one) in zip(found, data.pairs, strict=True):
        if one.responder == COPIED and one.codes is not None:
            total += 1
            same += set(codes) == set(one.codes)
            published.update(str(code) for code in set(one.codes))
            ours.update(str(code) for code in set(codes))
    rows = [data.pairs[place][1].responder for place in data.balanced]
    return {
        "responses": total,
        "share_of_balanced_rows_with_another_texts_codes": round(rows.count(COPIED) / len(rows), 4),
        "same_set_of_codes": round(same / total, 4) if total else None,
        "presence": {
            code.value: {
                "published": round(published[code.value] / max(total, 1), 4),
                "ours": round(ours[code.value] / max(total, 1), 4),
            }
            for code in BehaviourCode
        },
    }


def rare_codes(rows: Sequence[CodedSentence]) -> tuple[BehaviourCode, ...]:
    """Return the codes with fewer than `MIN_ROWS` rows."""
    counts = Counter(row.code for row in rows)
    return tuple(code for code in BehaviourCode if counts[code] < MIN_ROWS)
