"""Judges that rate, count words or ask people."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from pipeline.evaluation.classification import EvaluationError
from pipeline.evaluation.contests import Contest
from pipeline.evaluation.judges import (
    IDENTICAL,
    HumanJudge,
    PointwiseJudge,
    Verdict,
    judge_all,
    longer_judge,
    reward_judge,
)
from pipeline.features.table import Array
from pipeline.records import Exchange, Response
from pipeline.reward_model.texts import Text
from tests.evaluation.contests import contest

RATINGS = {"kind": 2.5, "kinder": 2.56, "plain": 2.45, "odd": float("nan")}


def rate(pairs: Sequence[tuple[Exchange, Response]]) -> Array:
    return np.array([RATINGS[response.text] for _, response in pairs])


@pytest.mark.parametrize(
    ("ours", "theirs", "value"),
    [("kinder", "kind", 1.0), ("kind", "kinder", 0.0), ("kind", "plain", 0.5)],
)
def test_a_rating_must_be_ahead_by_more_than_the_margin(
    ours: str, theirs: str, value: float
) -> None:
    judge = PointwiseJudge("scorer", rate, margin=0.055)

    assert judge.judge([contest(ours, theirs)])[0].value == value


def test_a_reply_without_a_rating_has_no_verdict_and_does_not_lose() -> None:
    judge = PointwiseJudge("scorer", rate, margin=0.05)

    assert judge.judge([contest("odd", "kind")]) == [Verdict(None, "no rating")]


def test_a_pointwise_judge_was_never_asked_twice() -> None:
    verdicts = PointwiseJudge("scorer", rate, margin=0.05).judge([contest("kinder", "plain")])

    assert not verdicts[0].asked_twice


class CountingJudge:
    """Says that ours is better, and keeps what it was asked."""

    name = "counting"

    def __init__(self) -> None:
        self.asked: list[str] = []

    def judge(self, contests: Sequence[Contest]) -> list[Verdict]:
        self.asked += [one.id for one in contests]
        return [Verdict(1.0) for _ in contests]


def test_a_contest_of_two_test_sets_is_judged_once() -> None:
    judge, one = CountingJudge(), contest("kind", "plain")

    assert judge_all(judge, [one, one]) == {one.id: Verdict(1.0)}
    assert judge.asked == [one.id]


def test_identical_replies_tie_without_being_judged() -> None:
    judge, same = CountingJudge(), contest("kind", " kind")

    assert judge_all(judge, [same]) == {same.id: Verdict(0.5, IDENTICAL)}
    assert judge.asked == []


def test_the_counting_judge_wants_more_words_and_ties_on_as_many() -> None:
    verdicts = longer_judge().judge([contest("a b c", "a b"), contest("a b", "b a", 2)])

    assert [one.value for one in verdicts] == [1.0, 0.5]


def test_a_reward_model_reads_the_prompt_that_it_was_trained_with() -> None:
    class Rewards:
        def reward(self, texts: Sequence[Text]) -> Array:
            assert {text.prompt for text in texts} == {contest("kinder", "kind").exchange.utterance}
            return np.array([float(len(text.response)) for text in texts])

    judge = reward_judge(Rewards(), name="reward", margin=1)

    assert judge.judge([contest("kinder", "kind")])[0].value == 1.0


@pytest.mark.parametrize(("said", "value"), [("chosen", 1.0), ("rejected", 0.0), ("equal", 0.5)])
def test_people_judge_by_the_merged_label_of_the_pushed_pair(said: str, value: float) -> None:
    seen, unseen = contest("kind", "plain"), contest("kind", "plain", 2)

    verdicts = HumanJudge({seen.id: said}).judge([seen, unseen])

    assert [one.value for one in verdicts] == [value, None]
    assert verdicts[1].reason == "not labelled"


def test_people_who_saw_none_of_the_contests_are_no_judge() -> None:
    with pytest.raises(EvaluationError, match=r"annotate push --pairs"):
        HumanJudge({"another pair": "chosen"}).judge([contest("kind", "plain")])


def test_a_reply_is_rated_once_however_often_it_competes() -> None:
    rated: list[str] = []

    def counting(pairs: Sequence[tuple[Exchange, Response]]) -> Array:
        rated.extend(response.text for _, response in pairs)
        return rate(pairs)

    judge = PointwiseJudge("scorer", counting, margin=0.05)
    judge.judge([contest("kinder", "kind")])
    judge.judge([contest("kinder", "kind")])

    assert sorted(rated) == ["kind", "kinder"]
