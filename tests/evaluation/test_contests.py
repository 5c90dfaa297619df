"""Who meets whose replies, and what models without a thought would say."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import RowError
from pipeline.evaluation.classification import EvaluationError
from pipeline.evaluation.contests import (
    LONGEST,
    SHORTEST,
    TEMPLATE,
    TEMPLATED,
    Contest,
    contest_pairs,
    null_models,
    pair_up,
    read_models,
)
from pipeline.records import Response
from pipeline.storage import write_table
from tests.evaluation.contests import contest, exchange, reply
from tests.examples import LATE_TRAIN, response

FIRST, SECOND = exchange(1), exchange(2)
SHORT = {one.id: reply("short", "Oh no.", one) for one in (FIRST, SECOND)}
LONG = {FIRST.id: reply("long", "That must have been a hard week for you.", FIRST)}


def test_models_meet_on_the_exchanges_that_both_answered() -> None:
    contests = pair_up([FIRST, SECOND], LONG, SHORT, name="long against short")

    assert [one.exchange.id for one in contests] == [FIRST.id]
    assert contests[0].words == (9, 2)


def test_models_that_share_no_exchange_cannot_be_compared() -> None:
    with pytest.raises(EvaluationError, match="long against short: no exchange that both"):
        pair_up([SECOND], LONG, SHORT, name="long against short")


def test_a_contest_has_another_id_when_the_sides_are_changed() -> None:
    here = contest("Oh no.", "Oh dear.")

    assert here.id == contest("Oh no.", "Oh dear.").id
    assert here.id != type(here)(here.exchange, here.theirs, here.ours).id


def test_null_models_take_the_longest_the_shortest_and_one_sentence() -> None:
    nulls = null_models([FIRST, SECOND], [SHORT, LONG])

    assert nulls[LONGEST][FIRST.id] is LONG[FIRST.id]
    assert nulls[SHORTEST][FIRST.id] is SHORT[FIRST.id]
    assert nulls[LONGEST][SECOND.id] is SHORT[SECOND.id]
    assert {one.text for one in nulls[TEMPLATED].values()} == {TEMPLATE}


def test_a_null_model_has_no_reply_where_no_model_has_one() -> None:
    assert null_models([SECOND], [LONG])[LONGEST] == {}


def test_contests_become_pairs_for_people_and_identical_replies_do_not() -> None:
    open_one = contest("Oh no.", "Oh dear.")

    pairs = list(contest_pairs([open_one, contest("Same.", "Same. ", 2)]))

    assert [pair.id for pair in pairs] == [open_one.id]
    assert pairs[0].chosen[0].content == "Oh no."
    assert open_one.exchange.utterance in pairs[0].prompt[0].content


def test_the_pair_of_a_contest_holds_the_turns_before_the_utterance() -> None:
    asked = Contest(
        LATE_TRAIN,
        response("a", None, exchange=LATE_TRAIN),
        response("b", None, exchange=LATE_TRAIN),
    )

    (pair,) = contest_pairs([asked])

    assert [(one.role, one.content) for one in pair.prompt] == [
        ("user", f"{LATE_TRAIN.situation}\nThe train did it again."),
        ("assistant", "Oh no, today of all days?"),
        ("user", LATE_TRAIN.utterance),
    ]


def test_models_are_read_by_file_name(tmp_path: Path) -> None:
    write_table(tmp_path / "base.parquet", Response, SHORT.values())

    write_table(tmp_path / "of-an-earlier-build.parquet", Response, SHORT.values())

    assert read_models(tmp_path, {"base", "sft"}) == {"base": SHORT}


def test_a_folder_without_replies_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="no model's replies"):
        read_models(tmp_path, {"base"})


def test_a_second_reply_to_one_exchange_is_an_error_with_its_row(tmp_path: Path) -> None:
    write_table(tmp_path / "base.parquet", Response, [SHORT[FIRST.id], SHORT[FIRST.id]])

    with pytest.raises(RowError, match=r"base\.parquet row 2: a second reply to exchange-1"):
        read_models(tmp_path, {"base"})
