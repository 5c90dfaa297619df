"""The comparison table: models against opponents, by every judge, on every test set."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from pipeline.evaluation.classification import EvaluationError
from pipeline.evaluation.contests import NULLS, Contest, Replies, pair_up
from pipeline.evaluation.judge_agreement import JudgeAgreement, agreement
from pipeline.evaluation.judges import Judge, Verdict, judge_all
from pipeline.evaluation.win_rate import (
    Judged,
    length_controlled,
    length_matched,
    position_bias,
    win_rate,
)
from pipeline.progress import track
from pipeline.records import Exchange, NonBlank, Record
from pipeline.statistics.bootstrap import RESAMPLES

BASE = "base"
STUDENTS = ("sft", "dpo")
Share = float
NOT_APPLICABLE = "not applicable"


class ComparisonRow(Record):
    """One win rate of `model` over `opponent`, with what a reviewer asks next.

    `corpus` is what the model was trained on, None for one that was not. `ci` is a 95% bootstrap
    interval by dialogue; `n` counts contests with a verdict. `length_controlled` is the win rate at
    equal length, None where it cannot be estimated. `position_bias` is the share of contests in
    which the place won in both orders. A rate without a contest is None.
    """

    model: NonBlank
    opponent: NonBlank
    corpus: str | None
    judge: NonBlank
    test_set: NonBlank
    length_matched: bool
    win_rate: Share | None = Field(ge=0, le=1)
    ci: tuple[float, float] | None
    n: int = Field(ge=0)
    tie_share: Share | None
    failed_share: Share | None
    position_bias: Share | Literal["not applicable"]
    length_controlled: Share | None
    length_controlled_ci: tuple[float, float] | None


@dataclass(frozen=True)
class Meeting:
    """A model and its opponent; `corpus` is the model's."""

    model: str
    opponent: str
    corpus: str | None = None


@dataclass(frozen=True)
class Options:
    """How win rates are made: `tolerance` is that of equal length, of the longer reply's words."""

    tolerance: float
    seed: int
    resamples: int = RESAMPLES


@dataclass(frozen=True)
class Comparison:
    """The table, how far the judges agree on all contests together, and the contests."""

    rows: list[ComparisonRow]
    agreements: list[JudgeAgreement]
    contests: list[Contest]


def corpus_of(model: str) -> str | None:
    """Return the corpus in a student's name: `dpo-human-naive` was trained on `human-naive`."""
    step, dash, corpus = model.partition("-")
    return corpus if dash and step in STUDENTS else None


def meetings(models: Collection[str], comparators: Collection[str]) -> list[Meeting]:
    """Return who meets whom.

    Everyone meets the base; DPO meets the SFT that it started from; students meet the comparators
    too, which are responders from outside. Raises EvaluationError without a base.
    """
    if BASE not in models:
        raise EvaluationError(
            f"models {', '.join(sorted(models)) or '(none)'}: no {BASE}, which all are compared "
            "with\nGenerate its replies: dvc repro generate@base"
        )
    students = sorted(
        (model for model in models if corpus_of(model)),
        key=lambda model: (corpus_of(model), -STUDENTS.index(model.partition("-")[0])),
    )
    found = [Meeting(one, BASE, corpus_of(one)) for one in students]
    for one in students:
        before = f"sft-{corpus_of(one)}"
        if one.startswith("dpo-") and before in models:
            found.append(Meeting(one, before, corpus_of(one)))
    found += [Meeting(one, other, corpus_of(one)) for one in students for other in comparators]
    return [*found, *(Meeting(one, BASE) for one in (*comparators, *NULLS))]


def all_contests(
    pairs: Sequence[Meeting],
    replies: Mapping[str, Replies],
    test_sets: Mapping[str, Sequence[Exchange]],
) -> dict[tuple[Meeting, str], list[Contest]]:
    """Return the contests of each meeting on each test set."""
    return {
        (pair, test_set): pair_up(
            exchanges,
            replies[pair.model],
            replies[pair.opponent],
            name=f"{pair.model} against {pair.opponent} on {test_set}",
        )
        for pair in pairs
        for test_set, exchanges in test_sets.items()
    }


def compare(
    pairs: Sequence[Meeting],
    replies: Mapping[str, Replies],
    test_sets: Mapping[str, Sequence[Exchange]],
    judges: Sequence[Judge],
    options: Options,
    *,
    beside: Sequence[Judge] = (),
) -> Comparison:
    """Judge all meetings on all test sets; a contest in two test sets is judged once.

    The judges of `beside` have no row: they are there to see who agrees with them. Raises
    EvaluationError if two judges have one name.
    """
    names = [judge.name for judge in (*judges, *beside)]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise EvaluationError(
            f"two judges are called {', '.join(twice)}\nTake one of them out of evaluate.judges."
        )
    contests = all_contests(pairs, replies, test_sets)
    everything = list({one.id: one for found in contests.values() for one in found}.values())
    verdicts = {
        judge.name: judge_all(judge, everything)
        for judge in track([*judges, *beside], "judging", total=len(judges) + len(beside))
    }
    rows = [
        row
        for (pair, test_set), found in contests.items()
        for judge in judges
        for row in _rows(pair, test_set, judge.name, found, verdicts[judge.name], options)
    ]
    dialogues = {contest.id: contest.exchange.dialogue_id for contest in everything}
    agreements = agreement(verdicts, dialogues, seed=options.seed, resamples=options.resamples)
    return Comparison(rows, agreements, everything)


def _rows(
    pair: Meeting,
    test_set: str,
    judge: str,
    contests: Sequence[Contest],
    verdicts: Mapping[str, Verdict],
    options: Options,
) -> list[ComparisonRow]:
    everyone = [Judged.of(contest, verdicts[contest.id]) for contest in contests]
    matched = length_matched(everyone, tolerance=options.tolerance)
    controlled = length_controlled(everyone)
    rows = []
    for is_matched, judged in ((False, everyone), (True, matched)):
        found = win_rate(judged, seed=options.seed, resamples=options.resamples) if judged else None
        bias = position_bias(judged)
        whole = len(judged)
        rows.append(
            ComparisonRow(
                model=pair.model,
                opponent=pair.opponent,
                corpus=pair.corpus,
                judge=judge,
                test_set=test_set,
                length_matched=is_matched,
                win_rate=rounded(found.value) if found else None,
                ci=rounded_ci(found.ci) if found else None,
                n=found.n if found else 0,
                tie_share=rounded(found.ties / found.n) if found and found.n else None,
                failed_share=rounded(found.failed / whole) if found else None,
                position_bias=NOT_APPLICABLE if bias is None else round(bias, 4),
                length_controlled=None if is_matched else rounded(controlled.value),
                length_controlled_ci=None if is_matched else rounded_ci(controlled.ci),
            )
        )
    return rows


def rounded(value: float | None) -> float | None:
    """Return `value` to four digits, as every table of the evaluation has it."""
    return None if value is None else round(value, 4)


def rounded_ci(ends: tuple[float, float] | None) -> tuple[float, float] | None:
    """Return both ends to four digits."""
    return None if ends is None else (round(ends[0], 4), round(ends[1], 4))
