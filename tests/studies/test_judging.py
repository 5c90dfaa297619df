"""The judges of the student study: no circle, no shared feature, and what they are worth."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import MissingFileError
from pipeline.evaluation.judges import longer_judge
from pipeline.features.table import Array
from pipeline.records import Exchange, Response
from pipeline.scoring.features import FAMILIES
from pipeline.storage import read_json
from studies import judging
from studies.judging import rating_judge
from studies.judging.judges import PLANS, JudgePlan, halves, train_judge
from studies.judging.quality import (
    echo_contests,
    equal_contests,
    pair_quality,
    ranking,
    rating_quality,
    shuffled_contests,
    strict_contests,
)
from tests.evaluation.contests import exchange
from tests.examples import response

KIND = "I am so sorry. You must feel lost without your mornings at the shop. Do you want to talk?"
CURT = "Get over it."
PLAIN = "That is what happens to shops. There will be other work."


class NoEmbedder:
    """Is asked for nothing by features that need no embedding."""

    name = "none"

    def embed(self, texts: Sequence[str]) -> Array:
        raise AssertionError(f"asked to embed {len(texts)} texts")


def rated(number: int) -> list[tuple[Exchange, Response]]:
    to = exchange(number)
    said = {"kind": (KIND, 3), "plain": (PLAIN, 2), "curt": (CURT, 1)}
    return [
        (to, response(who, rating, f"{text} {number}", exchange=to))
        for who, (text, rating) in said.items()
    ]


def test_the_judges_share_no_family_of_features() -> None:
    first, second = (set(plan.features.split("+")) for plan in PLANS)

    assert not first & second
    assert not {FAMILIES[one] for one in first} & {FAMILIES[one] for one in second}
    assert len({plan.relevance for plan in PLANS}) == 2


def test_halves_keep_a_collection_task_together() -> None:
    dialogues = [(f"d{number}", f"task{number // 3}") for number in range(60)]

    first, second = halves(dialogues, seed=1)

    assert first | second == {name for name, _ in dialogues}
    assert abs(len(first) - len(second)) <= 3
    tasks = [{dict(dialogues)[name] for name in half} for half in (first, second)]
    assert not tasks[0] & tasks[1]


def test_another_seed_parts_otherwise() -> None:
    dialogues = [(f"d{number}", f"d{number}") for number in range(60)]

    assert halves(dialogues, seed=1) != halves(dialogues, seed=2)


def test_a_trained_judge_prefers_what_people_rated_higher_and_is_kept(tmp_path: Path) -> None:
    plan = JudgePlan("judge", "text", "ordinal")
    pairs = [pair for number in range(30) for pair in rated(number)]
    unseen = strict_contests(rated(99))

    judge = train_judge(plan, pairs, [], tmp_path / "judge", NoEmbedder(), seed=1).judge
    written = (tmp_path / "judge" / "scorer.skops").stat().st_mtime_ns
    again = train_judge(plan, pairs, [], tmp_path / "judge", NoEmbedder(), seed=1).judge

    assert pair_quality(judge, unseen, seed=0)["accuracy"] == 1.0
    assert again.judge(unseen) == judge.judge(unseen)
    assert (tmp_path / "judge" / "scorer.skops").stat().st_mtime_ns == written


def test_a_judge_of_other_training_is_trained_anew(tmp_path: Path) -> None:
    plan = JudgePlan("judge", "text", "ordinal")
    pairs = [pair for number in range(30) for pair in rated(number)]
    train_judge(plan, pairs[:60], [], tmp_path, NoEmbedder(), seed=1)
    before = (tmp_path / "scorer.json").read_bytes()

    train_judge(plan, pairs, [], tmp_path, NoEmbedder(), seed=1)

    assert (tmp_path / "scorer.json").read_bytes() != before


def test_strict_contests_put_the_better_rated_reply_first_and_leave_ties_out() -> None:
    to = exchange(1)
    replies = [
        (to, response(who, rating, exchange=to))
        for who, rating in zip("abc", (2, 3, 2), strict=True)
    ]

    contests = strict_contests(replies)

    assert [(one.ours.rating, one.theirs.rating) for one in contests] == [(3, 2), (3, 2)]


def test_ratings_themselves_are_a_judge_that_is_always_right() -> None:
    assert pair_quality(rating_judge(), strict_contests(rated(1)), seed=0)["accuracy"] == 1.0


def test_the_ratings_have_no_verdict_on_what_nobody_rated() -> None:
    to = exchange(1)
    [contest] = shuffled_contests([to], {to.id: response("student", None, exchange=to)})

    assert rating_judge().judge([contest])[0].value is None


def test_a_misplaced_reply_is_another_dialogues() -> None:
    exchanges = [exchange(number) for number in range(3)]
    replies = {one.id: response("a", 2, f"To {one.id}.", exchange=one) for one in exchanges}

    contests = shuffled_contests(exchanges, replies)

    assert [one.ours.text for one in contests] == [f"To {one.id}." for one in exchanges]
    assert all(one.ours.text != one.theirs.text for one in contests)
    assert all(one.theirs.exchange_id == one.exchange.id for one in contests)


def test_a_judge_can_be_taught_that_what_misses_is_rated_1(tmp_path: Path) -> None:
    plan = JudgePlan("judge", "text", "ordinal", missing=("misplaced", "echoes"))
    pairs = [pair for number in range(30) for pair in rated(number)]

    trained = train_judge(plan, pairs, [], tmp_path, NoEmbedder(), seed=1)

    assert read_json(tmp_path / "scorer.json")["trained_on"] == 90 + 90 + 30
    assert trained.probabilities(pairs).shape == (90, 3)


def test_of_equally_rated_replies_the_longer_one_is_ours() -> None:
    to = exchange(1)
    said = {"a": (2, "Two words"), "b": (2, "Here are four words"), "c": (3, "One")}
    replies = [(to, response(who, *one, exchange=to)) for who, one in said.items()]

    [contest] = equal_contests(replies)

    assert contest.words == (4, 2)


def test_an_echo_contest_sets_a_reply_against_the_speakers_own_words() -> None:
    to = exchange(1)

    [contest] = echo_contests([to, exchange(2)], {to.id: response("a", 2, "Oh.", exchange=to)})

    assert (contest.ours.text, contest.theirs.text) == ("Oh.", to.utterance)


def test_a_judge_that_expects_what_people_gave_ranks_as_they_do() -> None:
    pairs = [pair for number in range(4) for pair in rated(number)]

    found = ranking(pairs, np.array([float(one.rating or 0) for _, one in pairs]))

    assert (found.kendall, found.spearman) == (1.0, 1.0)
    assert found.rated == {"curt": 1.0, "kind": 3.0, "plain": 2.0}


def test_quality_of_ratings_is_that_of_the_most_probable_one() -> None:
    pairs = rated(1)
    chances = np.array([[0.1, 0.2, 0.7], [0.1, 0.8, 0.1], [0.2, 0.5, 0.3]])

    found = rating_quality(pairs, chances)

    assert (found["responses"], found["accuracy"]) == (3, pytest.approx(0.6667))


def test_counting_words_knows_nothing_of_places() -> None:
    exchanges = [exchange(number) for number in range(2)]
    replies = {
        one.id: response("a", 2, f"Same length {n}.", exchange=one)
        for n, one in enumerate(exchanges)
    }

    assert (
        pair_quality(longer_judge(), shuffled_contests(exchanges, replies), seed=0)["accuracy"]
        == 0.5
    )


def test_without_a_split_the_study_says_what_to_run_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISTILLERY_HOME", str(tmp_path))

    with pytest.raises(MissingFileError, match="python -m studies student"):
        judging.run(tmp_path, tmp_path)
