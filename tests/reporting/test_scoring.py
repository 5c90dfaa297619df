from __future__ import annotations

from pipeline.reporting.scoring import STUDY, scoring_table
from pipeline.storage import read_json
from pipeline.workspace import PROJECT


def test_the_table_has_the_headline_and_what_it_is_worth() -> None:
    table = scoring_table(PROJECT / STUDY)

    assert "| 15V2+MITI | RFE k=10, LR | published, best of 30 on the test part | 53.65 " in table
    assert table.count("| honest") == 7


def test_a_target_that_was_not_reached_is_reported_as_such_with_the_search() -> None:
    comparisons = read_json(PROJECT / STUDY / "comparisons.json")
    search = read_json(PROJECT / STUDY / "search.json")

    assert comparisons["searched"] == len(search) >= 30
    for target in comparisons["targets"].values():
        for metric in ("accuracy", "qwk"):
            measured = target[metric]
            assert measured["reached"] == (measured["mean"] >= measured["target"])
            assert measured["splits"] >= 20
