"""Scores of responses, with reasons, and with a word where the scorer is out of its depth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from pipeline.features.context import context_tables
from pipeline.features.embeddings import Embedder
from pipeline.features.presence import presence_table
from pipeline.features.table import Array, FeatureTable, join
from pipeline.records import Exchange, NonBlank, Record, Response
from pipeline.scoring.rated import CLASSES, ScoringError
from pipeline.scoring.saved import MARGIN, ScorerFacts, load
from pipeline.scoring.scorer import Scorer, spread

REASONS = 5
# Single numbers of an embedding mean nothing to a reader: they are one reason together.
_TAKEN_TOGETHER = ("response", "exchange", "words")
_LONGEST_LIST = 5
# Families that a response and what it answers give by themselves.
CAN_BE_MADE = frozenset({"text", "words", "length", "MiniLM", "MiniLM exchange", "MITI coded"})


class Reason(Record):
    """What a feature did: the expected rating with it, less that at its training mean."""

    feature: NonBlank
    value: float | None
    effect: float


class Score(Record):
    """A scorer's output for one response.

    `value` is the most probable of 1 to 3 and None where the input is unlike the training data;
    `out_of_range` then names the features that are. Probabilities are given either way.
    """

    id: NonBlank
    value: int | None
    probabilities: dict[str, float]
    reasons: tuple[Reason, ...]
    out_of_range: tuple[str, ...] = ()


def score(scorer: Scorer, facts: ScorerFacts, table: FeatureTable) -> Iterator[Score]:
    """Yield a score per row of `table`, in order."""
    part = table.columns(facts.names)
    chances = spread(scorer.predict_proba(part), scorer.classes_)
    units = _units(facts.names)
    effects = _effects(scorer, facts, part, chances, list(units.values()))
    strange = _strange(facts, part)
    names = list(units)
    for row, one in enumerate(part.ids):
        beyond = tuple(facts.names[place] for place in np.flatnonzero(strange[row])[:_LONGEST_LIST])
        top = np.argsort(-np.abs(effects[row]))[:REASONS]
        yield Score(
            id=one,
            value=None if beyond else CLASSES[int(chances[row].argmax())],
            probabilities={
                str(name): round(float(chance), 4)
                for name, chance in zip(CLASSES, chances[row], strict=True)
            },
            reasons=tuple(
                Reason(
                    feature=names[unit],
                    value=_value(part.values[row], units[names[unit]]),
                    effect=round(float(effects[row, unit]), 4),
                )
                for unit in top
            ),
            out_of_range=beyond,
        )


def _units(names: Sequence[str]) -> dict[str, list[int]]:
    """Return what is explained as one: each feature, but all of an embedding together."""
    units: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        family, _, number = name.rpartition("_")
        together = family in _TAKEN_TOGETHER and number.isdigit()
        units.setdefault(f"{family} embedding" if together else name, []).append(place)
    return units


def _value(row: Array, places: Sequence[int]) -> float | None:
    if len(places) > 1 or np.isnan(row[places[0]]):
        return None
    return round(float(row[places[0]]), 4)


def _effects(
    scorer: Scorer, facts: ScorerFacts, part: FeatureTable, chances: Array, units: list[list[int]]
) -> Array:
    scale = np.array(CLASSES, dtype=np.float64)
    expected, means = chances @ scale, np.array(facts.means)
    effects = np.empty((len(part.ids), len(units)))
    values = part.values.copy()
    for number, places in enumerate(units):
        values[:, places] = means[places]
        usual = spread(scorer.predict_values(values), scorer.classes_)
        effects[:, number] = expected - usual @ scale
        values[:, places] = part.values[:, places]
    return effects


def _strange(facts: ScorerFacts, part: FeatureTable) -> Array:
    """Say which values lie well beyond what training saw; a missing value does not."""
    least, most = np.array(facts.least), np.array(facts.most)
    slack = MARGIN * (most - least)
    with np.errstate(invalid="ignore"):
        return np.asarray((part.values < least - slack) | (part.values > most + slack))


def score_pairs(
    pairs: Sequence[tuple[Exchange, Response]], folder: Path, embedder: Embedder
) -> Iterator[Score]:
    """Yield a score for each (exchange, response), by the scorer saved in `folder`."""
    scorer, facts, table = _prepare(pairs, folder, embedder)
    return score(scorer, facts, table)


def probabilities(
    pairs: Sequence[tuple[Exchange, Response]], folder: Path, embedder: Embedder
) -> Array:
    """Return probabilities (pairs, 3) of 1, 2 and 3 by the scorer saved in `folder`."""
    scorer, _, table = _prepare(pairs, folder, embedder)
    return spread(scorer.predict_proba(table), scorer.classes_)


def expected_ratings(chances: Array) -> Array:
    """Return the expected rating, 1 to 3, of each row of probabilities."""
    return np.asarray(chances @ np.array(CLASSES, dtype=np.float64))


def _prepare(
    pairs: Sequence[tuple[Exchange, Response]], folder: Path, embedder: Embedder
) -> tuple[Scorer, ScorerFacts, FeatureTable]:
    """Return a saved scorer, its facts, and the features that it needs of `pairs`."""
    scorer, facts, coder = load(folder, embedder)
    families = set(facts.features.split("+"))
    if unmade := sorted(families - CAN_BE_MADE):
        raise ScoringError(
            f"{folder}: it reads {', '.join(unmade)}, which text alone does not give\n"
            f"Train one on some of: {', '.join(sorted(CAN_BE_MADE))}"
        )
    embedded = any(name.startswith("MiniLM") for name in families)
    tables = context_tables(pairs, embedder if embedded else None)
    ids = [response.id for _, response in pairs]
    if coder is not None:
        codes = coder.code([response.text for _, response in pairs])
        tables.append(presence_table("coded", list(zip(ids, codes, strict=True))))
    return scorer, facts, join(tables, ids)
