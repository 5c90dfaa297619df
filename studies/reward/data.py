"""The pairs of the study: welivita2024 twice split, hh_rlhf, LLMBar and PandaLM."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.features.embeddings import CachedEmbedder, MiniLm
from pipeline.features.table import Array
from pipeline.records import PreferencePair
from pipeline.reward_model.data import PairRows, indexed
from pipeline.reward_model.encoder import FrozenEncoder, Scaling
from pipeline.reward_model.learning_curve import CurveData
from pipeline.reward_model.texts import Text, TextPair, rated_pairs, text_of, texts_of_pair
from pipeline.sources import ReadOptions, Sourced, get_source
from pipeline.sources.split import SplitItem, papers_split
from studies.reward.preference_sets import read_preference_set

WELIVITA = "welivita2024/dataset.csv"
PAIR_SETS = {
    "hh_rlhf": "hh_rlhf/harmless-base-first1500.jsonl",
    "llmbar": "llmbar",
    "pandalm": "pandalm/testset-v1-first600.json",
}
SEED = 42
TEST_SHARE = 0.2
# Of the dialogues that `papers` trains on, how many settings are chosen on; no reported test pair
# of either split is among them.
CHOOSING_DIALOGUES = 800


@dataclass(frozen=True)
class Texts:
    """Every text once with its features, all pairs, and the group of each text."""

    texts: list[Text]
    raw: Array
    style: int
    pairs: PairRows
    groups: np.ndarray[tuple[int], np.dtype[np.str_]]

    def curve(self, name: str, train: Sequence[str], test: Sequence[str]) -> CurveData:
        """Return the pairs of the groups `train` and `test`; features are scaled by train texts."""
        inside = np.flatnonzero(np.isin(self.groups, list(train)))
        return CurveData(
            name=name,
            features=Scaling.of(self.raw[inside], self.style).apply(self.raw),
            train=self.pairs.take(np.isin(self.pairs.groups, list(train))),
            test=self.pairs.take(np.isin(self.pairs.groups, list(test))),
            unlabelled=inside,
        )


@dataclass(frozen=True)
class Welivita:
    """All its texts, and its dialogues by side."""

    texts: Texts
    papers_train: tuple[str, ...]
    papers_test: tuple[str, ...]
    choosing: tuple[str, ...]
    random_train: tuple[str, ...]
    random_test: tuple[str, ...]


def load_welivita(data: Path) -> Welivita:
    """Read the strict pairs; 9,260 to train and 1,462 to test under `papers`."""
    rows = [
        one
        for one in get_source("welivita2024").read(data / WELIVITA, ReadOptions(max_chars=20_000))
        if isinstance(one, Sourced)
    ]
    pairs = [pair for one in rows for pair in rated_pairs(one.exchange, one.responses)]
    every = [
        (text_of(one.exchange, response), one.exchange.dialogue_id)
        for one in rows
        for response in one.responses
    ]
    sides = papers_split(
        [
            SplitItem(
                exchange_id=one.exchange.id,
                dialogue_id=one.exchange.dialogue_id,
                collection_id=one.exchange.collection_id,
                situation=one.exchange.situation,
                utterance=one.exchange.utterance,
                ratings=tuple(response.rating for response in one.responses),
            )
            for one in rows
        ]
    )
    names = [one.exchange.dialogue_id for one in rows]
    train = tuple(name for name, side in zip(names, sides, strict=True) if side == "train")
    test = tuple(name for name, side in zip(names, sides, strict=True) if side == "test")
    random = np.random.default_rng(SEED)
    choosing = tuple(random.permutation(train)[:CHOOSING_DIALOGUES].tolist())
    rest = random.permutation(sorted(set(names) - set(choosing)))
    held = tuple(rest[: round(TEST_SHARE * len(names))].tolist())
    left = tuple(sorted(set(names) - set(held)))
    return Welivita(_texts(every, pairs), train, test, choosing, left, held)


def load_pair_set(data: Path, name: str) -> CurveData:
    """Read one of the public sets, a fifth of its groups to test on."""
    rows = read_preference_set(name, data / PAIR_SETS[name])
    pairs = [texts_of_pair(row, {}) for row in rows if isinstance(row, PreferencePair)]
    every = [(text, pair.group) for pair in pairs for text in (pair.chosen, pair.rejected)]
    texts = _texts(every, pairs)
    names = np.random.default_rng(SEED).permutation(np.unique(texts.pairs.groups)).tolist()
    held = round(TEST_SHARE * len(names))
    return texts.curve(name, names[held:], names[:held])


def _texts(every: Sequence[tuple[Text, str]], pairs: Sequence[TextPair]) -> Texts:
    found, rows = indexed(pairs)
    group = dict(every)
    judged = set(found)
    found += [text for text in group if text not in judged]
    encoder = FrozenEncoder(CachedEmbedder(MiniLm()))
    return Texts(
        texts=found,
        raw=encoder.encode(found),
        style=encoder.style,
        pairs=rows,
        groups=np.array([group[text] for text in found], dtype=np.str_),
    )
