from __future__ import annotations

import numpy as np
import pytest

from pipeline.features.coder import (
    BehaviourCoder,
    CodedSentence,
    code_out_of_fold,
    coded_sentences,
)
from pipeline.features.presence import presence_table
from pipeline.features.table import FeatureError
from pipeline.records import BehaviourCode
from tests.examples import response
from tests.features.test_embeddings import LetterCounter

OPEN, SUPPORT = BehaviourCode.OPEN_QUESTION, BehaviourCode.SUPPORT
ROWS = [
    CodedSentence(text, code, f"d{number}")
    for number in range(12)
    for text, code in (("What happened then?", OPEN), ("I am here for you.", SUPPORT))
]


def test_each_sentence_gets_a_code_with_probabilities_that_sum_to_one() -> None:
    coder = BehaviourCoder(LetterCounter(), seed=0).fit(ROWS)

    assert coder.code(["I am here for you. What happened?", ""]) == [(SUPPORT, OPEN), ()]
    np.testing.assert_allclose(coder.predict_proba(["What then?"]).sum(axis=1), 1)


def test_out_of_fold_a_dialogues_own_sentences_teach_nothing() -> None:
    odd = CodedSentence("Zebras!", BehaviourCode.OTHER, "odd")

    (codes,) = code_out_of_fold(
        [("odd", "Zebras!")], [*ROWS, odd], LetterCounter(), folds=1, seed=0
    )

    assert BehaviourCode.OTHER not in codes


def test_a_coder_needs_two_codes_to_learn_from() -> None:
    with pytest.raises(FeatureError, match=r"with 1 code\(s\)"):
        BehaviourCoder(LetterCounter(), seed=0).fit([row for row in ROWS if row.code == OPEN])


def test_a_response_whose_codes_do_not_fit_its_sentences_teaches_nothing() -> None:
    fits = response("a", 2, "Oh. Why?").model_copy(update={"codes": (SUPPORT, OPEN)})
    off = response("b", 2, "Oh. Why?").model_copy(update={"codes": (SUPPORT,)})

    assert [row.text for row in coded_sentences([("d", fits), ("d", off)])] == ["Oh.", "Why?"]


def test_what_nobody_coded_is_missing_and_not_fifteen_zeros() -> None:
    table = presence_table("published", [("a", (OPEN, OPEN)), ("b", None)])
    row = dict(zip(table.names, table.values[0], strict=True))

    assert row["published_open_question"] == 1
    assert row["published_support"] == 0
    assert np.isnan(table.values[1]).all()
