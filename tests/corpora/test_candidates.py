"""Exchanges, responses and splits are joined as they stream by."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from pipeline.corpora.candidates import Candidate, read_candidates
from pipeline.errors import TableError
from pipeline.records import Exchange, Response, SplitAssignment, SplitName
from pipeline.storage import write_table
from tests.examples import LATE_TRAIN, LOST_JOB, response

TO_LOST_JOB = [response("human", 3), response("bot", 1)]
TO_LATE_TRAIN = [response("human", 2, exchange=LATE_TRAIN)]


def join(
    folder: Path,
    *,
    exchanges: Sequence[Exchange] = (LOST_JOB, LATE_TRAIN),
    responses: Sequence[Response] = (*TO_LOST_JOB, *TO_LATE_TRAIN),
    splits: Sequence[tuple[Exchange, SplitName]] = ((LOST_JOB, "train"), (LATE_TRAIN, "train")),
    split: SplitName = "train",
) -> list[Candidate]:
    tables = [folder / name for name in ("exchanges", "responses", "splits")]
    write_table(tables[0], Exchange, exchanges)
    write_table(tables[1], Response, responses)
    assigned = [
        SplitAssignment(exchange_id=one.id, split=side, group=one.id, rule="papers")
        for one, side in splits
    ]
    write_table(tables[2], SplitAssignment, assigned)
    return list(read_candidates(*tables, split=split))


def test_each_exchange_has_its_responses_by_responder(tmp_path: Path) -> None:
    first, second = join(tmp_path)

    assert first == Candidate(LOST_JOB, {"human": TO_LOST_JOB[0], "bot": TO_LOST_JOB[1]})
    assert second == Candidate(LATE_TRAIN, {"human": TO_LATE_TRAIN[0]})


@pytest.mark.parametrize("split", ["train", "test"])
def test_only_the_asked_for_split_is_given(tmp_path: Path, split: SplitName) -> None:
    sides = {"train": LOST_JOB, "test": LATE_TRAIN}
    found = join(tmp_path, splits=[(LOST_JOB, "train"), (LATE_TRAIN, "test")], split=split)

    assert [one.exchange for one in found] == [sides[split]]


def test_an_exchange_may_have_no_response(tmp_path: Path) -> None:
    first, second = join(tmp_path, responses=TO_LATE_TRAIN)

    assert first.responses == {}
    assert set(second.responses) == {"human"}


def test_splits_of_other_exchanges_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"splits: does not belong to .*exchange-lost-job is not"):
        join(tmp_path, splits=[(LATE_TRAIN, "train"), (LOST_JOB, "train")])


def test_splits_that_end_too_early_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="exchange-late-train is not next"):
        join(tmp_path, splits=[(LOST_JOB, "train")])


def test_responses_to_other_exchanges_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"responses: answers exchange-lost-job, which is not"):
        join(tmp_path, exchanges=[LATE_TRAIN], splits=[(LATE_TRAIN, "train")])


def test_splits_of_more_exchanges_than_there_are_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="splits: "):
        join(tmp_path, exchanges=[LOST_JOB], responses=TO_LOST_JOB)
