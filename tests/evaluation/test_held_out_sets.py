"""Two test sets, none of them with a training exchange."""

from __future__ import annotations

import pytest

from pipeline.evaluation.classification import EvaluationError
from pipeline.evaluation.test_sets import held_out_sets
from pipeline.records import SplitAssignment, SplitName
from tests.evaluation.contests import exchange
from tests.examples import response

HARD, EASY, TAUGHT = exchange(1), exchange(2), exchange(3)
RATED = [response("a", 3, exchange=EASY), response("b", 3, exchange=EASY)]
RATED += [response("a", 3, exchange=HARD), response("b", 1, exchange=HARD)]


def side(name: str, split: SplitName, rule: str = "grouped_random") -> SplitAssignment:
    return SplitAssignment(exchange_id=name, split=split, group=name, rule=rule)


SPLITS = [side(HARD.id, "test"), side(EASY.id, "test"), side(TAUGHT.id, "train")]


def test_the_papers_set_is_the_hard_part_of_what_was_held_out() -> None:
    found = held_out_sets([HARD, EASY, TAUGHT], SPLITS, RATED)

    assert found == {"papers": [HARD], "random": [HARD, EASY]}


def test_the_authors_rule_holds_nothing_out_by_chance() -> None:
    found = held_out_sets([HARD, EASY], [side(HARD.id, "test", "papers")], RATED)

    assert found == {"papers": [HARD]}


def test_without_a_held_out_exchange_there_is_no_evaluation() -> None:
    with pytest.raises(EvaluationError, match="no exchange is held out"):
        held_out_sets([TAUGHT], SPLITS, RATED)
