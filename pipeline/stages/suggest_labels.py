"""Stage `suggest_labels`: what models would answer, for routing and for annotators to start from.

Nothing is proposed by a model that saw the dialogue: a scorer that was trained on a response would
be surer of it than it is, and would repeat its label to whoever is asked for a second one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from pydantic import Field

from pipeline.annotation.final_labels import FinalLabels
from pipeline.config import Section
from pipeline.declare import In, Metrics, Out, Stage, Table
from pipeline.features.coder import coded_sentences, coders_out_of_fold
from pipeline.features.embeddings import CACHE, CachedEmbedder, Embedder, MiniLm
from pipeline.features.pairs import read_pairs
from pipeline.features.table import FeatureTable, read_features
from pipeline.records import (
    Exchange,
    FinalLabel,
    ModelRating,
    Response,
    SplitAssignment,
    Suggestion,
)
from pipeline.scoring.cross_fit import predict_out_of_dialogue
from pipeline.scoring.features import combination
from pipeline.scoring.rated import CLASSES, RatedSet, ScoringError, rated_set
from pipeline.storage import AtomicFile, read_table, write_json
from pipeline.text.sentences import sentence_spans

CODER = "coder"
# The aspect of a rater model that was asked about the whole response, 1 to 3.
WHOLE = "rating"


class SuggestingScorer(Section):
    """One scorer: families of features joined by `+`, and a classifier."""

    features: str
    model: str

    @property
    def agent(self) -> str:
        """The name under which it proposes."""
        return f"scorer {self.model}: {self.features.replace('+', ' and ')}"


class SuggestLabelsParams(Section):
    """Section `suggest_labels` of params.yaml.

    Annotators see what the first scorer proposes, or a rater model where there is none; that the
    others differ is a signal for routing.
    """

    scorers: tuple[SuggestingScorer, ...]
    folds: int = Field(ge=2, description="parts of the dialogues, each left out once")


DAG = Stage(machine_dependent=True)


def run(
    params: SuggestLabelsParams,
    *,
    seed: int,
    exchanges: In[Exchange],
    responses: In[Response],
    features: In[Table],
    splits: In[SplitAssignment],
    labels: In[FinalLabel],
    ratings: In[ModelRating],
    out: Out[Suggestion],
    metrics: Metrics,
    embeddings: Path = CACHE,
) -> None:
    """Write ratings and codes for all train responses as JSON Lines of `Suggestion`.

    A model that there is nothing to train with proposes nothing; the metrics say why.
    """
    train = {one.exchange_id for one in read_table(splits, SplitAssignment) if one.split == "train"}
    pairs = [pair for pair in read_pairs(exchanges, responses) if pair[0].id in train]
    people = FinalLabels.read(labels)
    table = read_features(features)
    rows: list[Suggestion] = []
    missing: dict[str, str] = {}
    for scorer in params.scorers:
        try:
            rated = rated_set((exchange, people.rate(response)) for exchange, response in pairs)
            rows += _ratings(scorer, table, pairs, rated, params.folds, seed)
        except ScoringError as error:
            missing[scorer.agent] = f"not available: {str(error).splitlines()[0]}"
    embedder = CachedEmbedder(MiniLm(), embeddings)
    rows += _rater_models(ratings, {response.id for _, response in pairs})
    rows += _codes(pairs, people, embedder, params.folds, seed)
    with AtomicFile(out) as part, part.open("w", encoding="utf-8") as stream:
        stream.writelines(f"{row.model_dump_json(exclude_none=True)}\n" for row in rows)
    agents = Counter(row.agent for row in rows)
    wanted = dict.fromkeys((CODER, *(one.agent for one in params.scorers)), "not available")
    write_json(metrics, {"responses": len(pairs), "agents": wanted | missing | dict(agents)})


def _ratings(
    scorer: SuggestingScorer,
    table: FeatureTable,
    pairs: Sequence[tuple[Exchange, Response]],
    rated: RatedSet,
    folds: int,
    seed: int,
) -> Iterator[Suggestion]:
    part = combination(table, scorer.features).rows([response.id for _, response in pairs])
    dialogues = np.array([exchange.dialogue_id for exchange, _ in pairs])
    chances = predict_out_of_dialogue(
        part, dialogues, rated, model=scorer.model, folds=folds, seed=seed
    )
    for one, row in zip(part.ids, chances, strict=True):
        best = int(row.argmax())
        yield Suggestion(
            item_id=one,
            question="empathy",
            value=CLASSES[best],
            score=round(float(row[best]), 4),
            probabilities={str(k): round(float(v), 4) for k, v in zip(CLASSES, row, strict=True)},
            agent=scorer.agent,
        )


def _rater_models(ratings: Path, wanted: set[str]) -> Iterator[Suggestion]:
    """Yield what rater models said of whole responses; a rating that means nothing is left out."""
    for one in read_table(ratings, ModelRating):
        if one.aspect == WHOLE and one.excluded is None and one.response_id in wanted:
            yield Suggestion(
                item_id=one.response_id,
                question="empathy",
                value=one.value,
                agent=f"rater {one.model}: {one.rater}",
            )


def _codes(
    pairs: Sequence[tuple[Exchange, Response]],
    people: FinalLabels,
    embedder: Embedder,
    folds: int,
    seed: int,
) -> Iterator[Suggestion]:
    answers = [(exchange.dialogue_id, response) for exchange, response in pairs]
    coded = list(coded_sentences(answers, people.codes))
    if len({row.code for row in coded}) < 2:
        return
    groups = [exchange.dialogue_id for exchange, _ in pairs]
    for coder, places in coders_out_of_fold(groups, coded, embedder, folds=folds, seed=seed):
        for place in places:
            response = pairs[place][1]
            spans = sentence_spans(response.text)
            chances = coder.predict_proba([response.text[start:end] for start, end in spans])
            for sentence, row in enumerate(chances):
                best = int(row.argmax())
                yield Suggestion(
                    item_id=response.id,
                    question="codes",
                    sentence=sentence,
                    value=(coder.codes_[best].value,),
                    score=round(float(row[best]), 4),
                    agent=CODER,
                )
