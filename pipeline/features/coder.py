"""The sentence coder: which of the 15 behaviour codes a sentence has, with probabilities.

Word n-grams, a MiniLM embedding and three cues (asks, exclaims, length) go into a multinomial
logistic regression. It learns from whatever coded sentences it is given; the public ones are
silver: a published classifier set them, and was right in about 7 of 10 sentences.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Self

import numpy as np

from pipeline.features.embeddings import Embedder
from pipeline.features.table import Array, FeatureError
from pipeline.records import BehaviourCode, Response
from pipeline.statistics.calibration import best_temperature
from pipeline.statistics.splits import fold_of_groups, held_out
from pipeline.text.sentences import asks, split_sentences
from pipeline.text.words import count_words

EMBEDDING_WEIGHT = 3.0
CALIBRATION_SHARE = 0.2
_TOKENS = r"[\w']+|[?!]"
_TEMPERATURES = np.exp(np.linspace(np.log(0.3), np.log(3), 61))


@dataclass(frozen=True)
class CodedSentence:
    """One sentence with its code; `group` names the dialogue it is from."""

    text: str
    code: BehaviourCode
    group: str


def coded_sentences(
    responses: Iterable[tuple[str, Response]],
    by_people: Mapping[str, Mapping[int, Sequence[BehaviourCode]]] = MappingProxyType({}),
) -> Iterator[CodedSentence]:
    """Yield the coded sentences of (dialogue id, response) pairs.

    Of a response that people coded (`by_people`: by response id and sentence from 0), those are the
    codes that they agreed on. Of others it is left out if its sentences and codes differ in number:
    which code is whose is not known.
    """
    for group, response in responses:
        sentences = split_sentences(response.text)
        codes = by_people.get(response.id)
        if codes is None:
            fits = response.codes is not None and len(sentences) == len(response.codes)
            codes = {place: (code,) for place, code in enumerate(response.codes or ()) if fits}
        for place in sorted(codes):
            for code in codes[place] if place < len(sentences) else ():
                yield CodedSentence(sentences[place], code, group)


class BehaviourCoder:
    """A sentence classifier for the codes that it was shown."""

    def __init__(self, embedder: Embedder, *, seed: int, penalty: float = 3.0) -> None:
        self.embedder = embedder
        self.seed = seed
        self.penalty = penalty

    def fit(self, rows: Sequence[CodedSentence], *, calibrated: bool = True) -> Self:
        """Fit, and set the temperature of the probabilities on groups that were held out.

        `calibrated=False` leaves that out: it moves no label and costs a second fit.
        """
        codes = sorted({row.code for row in rows})
        if len(codes) < 2:
            raise FeatureError(
                f"coder: {len(rows)} sentences with {len(codes)} code(s)\n"
                "At least two codes are needed to learn from."
            )
        held = held_out([row.group for row in rows], CALIBRATION_SHARE, self.seed)
        kept = [row for row, out in zip(rows, held, strict=True) if not out]
        self.temperature_ = 1.0
        if calibrated and held.any() and len({row.code for row in kept}) > 1:
            self._fit(kept)
            self.temperature_ = self._best_temperature(
                [row for row, out in zip(rows, held, strict=True) if out]
            )
        self._fit(rows)
        return self

    def _fit(self, rows: Sequence[CodedSentence]) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression

        texts = [row.text for row in rows]
        self.words_ = TfidfVectorizer(
            ngram_range=(1, 2),
            min_df=2 if len(rows) > 200 else 1,
            sublinear_tf=True,
            token_pattern=_TOKENS,
        ).fit(texts)
        self.model_ = LogisticRegression(
            C=self.penalty, max_iter=200, tol=1e-3, random_state=self.seed
        )
        self.model_.fit(self._features(texts), [row.code.value for row in rows])
        self.codes_ = tuple(BehaviourCode(name) for name in self.model_.classes_)

    def restore(
        self, words: Any, model: Any, *, codes: tuple[BehaviourCode, ...], temperature: float
    ) -> Self:
        """Take what was learned before."""
        self.words_, self.model_ = words, model
        self.codes_, self.temperature_ = codes, temperature
        return self

    def predict_proba(self, sentences: Sequence[str]) -> Array:
        """Return (sentences, codes) probabilities in the order of `codes_`."""
        from scipy.special import softmax

        if not sentences:
            return np.empty((0, len(self.codes_)))
        return np.asarray(softmax(self._scores(sentences) / self.temperature_, axis=1))

    def predict(self, sentences: Sequence[str]) -> list[BehaviourCode]:
        """Return the most probable code of each sentence."""
        return [self.codes_[place] for place in self.predict_proba(sentences).argmax(axis=1)]

    def code(self, texts: Sequence[str]) -> list[tuple[BehaviourCode, ...]]:
        """Return one code per sentence of each text."""
        parts = [split_sentences(text) for text in texts]
        found = iter(self.predict([sentence for part in parts for sentence in part]))
        return [tuple(next(found) for _ in part) for part in parts]

    def _scores(self, sentences: Sequence[str]) -> Array:
        chances = self.model_.predict_proba(self._features(sentences))
        return np.asarray(np.log(np.clip(chances, 1e-9, 1)))

    def _features(self, texts: Sequence[str]) -> Any:
        from scipy.sparse import csr_matrix, hstack

        dense = np.hstack([EMBEDDING_WEIGHT * self.embedder.embed(texts), _cues(texts)])
        return hstack([self.words_.transform(texts), csr_matrix(dense)]).tocsr()

    def _best_temperature(self, held: Sequence[CodedSentence]) -> float:
        known = [row for row in held if row.code in self.codes_]
        if not known:
            return 1.0
        scores = self._scores([row.text for row in known])
        truth = np.array([self.codes_.index(row.code) for row in known])
        return best_temperature(scores, truth, _TEMPERATURES)


def _cues(texts: Sequence[str]) -> Array:
    return np.array(
        [[asks(text), text[-3:].count("!") > 0, count_words(text) / 20] for text in texts],
        dtype=np.float64,
    )


def code_out_of_fold(
    rows: Sequence[tuple[str, str]],
    coded: Sequence[CodedSentence],
    embedder: Embedder,
    *,
    folds: int,
    seed: int,
) -> list[tuple[BehaviourCode, ...]]:
    """Code (group, text) pairs with coders that saw no sentence of the same group."""
    groups = [group for group, _ in rows]
    found: dict[int, tuple[BehaviourCode, ...]] = {}
    for coder, places in coders_out_of_fold(groups, coded, embedder, folds=folds, seed=seed):
        found |= dict(zip(places, coder.code([rows[place][1] for place in places]), strict=True))
    return [found[number] for number in range(len(rows))]


def coders_out_of_fold(
    groups: Sequence[str],
    coded: Sequence[CodedSentence],
    embedder: Embedder,
    *,
    folds: int,
    seed: int,
) -> Iterator[tuple[BehaviourCoder, list[int]]]:
    """Yield a coder per fold, not calibrated, and the places in `groups` that it saw nothing of."""
    fold_of = fold_of_groups(groups, folds, seed)
    for fold in sorted(set(fold_of.values())):
        coder = BehaviourCoder(embedder, seed=seed)
        coder.fit([row for row in coded if fold_of.get(row.group) != fold], calibrated=False)
        yield coder, [place for place, group in enumerate(groups) if fold_of[group] == fold]
