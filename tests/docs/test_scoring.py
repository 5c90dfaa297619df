from __future__ import annotations

from pathlib import Path

from docs.programs.scoring import (
    STUDY,
    chosen_lines,
    rater_lines,
    sample_table,
    scoring_table,
    target_lines,
)
from pipeline.storage import read_json, write_json
from pipeline.workspace import PROJECT

FOLDER = PROJECT / STUDY


def test_the_honest_figures_come_before_the_published_ones() -> None:
    table = scoring_table(FOLDER)

    assert "| 15V2+MITI | RFE k=10, LR | published, best of 30 on the test part | 53.65 " in table
    assert table.count("| honest") == 8
    assert table.rindex("| honest") < table.index("| published")


def test_language_models_that_were_asked_outright_are_quoted_not_reproduced() -> None:
    table = scoring_table(FOLDER)

    assert "| naive prompt | gpt-4o-mini | quoted from the paper | 46.61 " in table
    assert "| tuned on the training part | gpt-4o-mini | quoted from the paper | 54.69 " in table


def test_a_target_that_was_not_reached_is_reported_as_such_with_the_search() -> None:
    comparisons = read_json(FOLDER / "comparisons.json")
    search = read_json(FOLDER / "search.json")
    lines = target_lines(FOLDER)

    assert comparisons["searched"] == len(search) >= 30
    for target in comparisons["targets"].values():
        for metric in ("accuracy", "qwk"):
            measured = target[metric]
            assert measured["reached"] == (measured["mean"] >= measured["target"])
            assert measured["splits"] >= 20
            assert f"{measured['mean']:.3f} ({measured['ci'][0]:.3f} to " in lines
    assert lines.count("less 15V2+MITI: LR") == 4
    assert "on the choosing part" in lines
    assert lines.count("missed") == sum(
        not target[metric]["reached"]
        for target in comparisons["targets"].values()
        for metric in ("accuracy", "qwk")
    )


def test_what_was_chosen_is_one_of_the_search_and_its_parts_are_named() -> None:
    tried = {(row["features"], row["model"]) for row in read_json(FOLDER / "search.json")}
    targets = read_json(FOLDER / "comparisons.json")["targets"]

    for target in targets.values():
        model = "blend" if target["model"].startswith("blend") else target["model"].split(",")[0]
        assert (target["features"], model) in tried
        assert all(f"- {one}" in chosen_lines(FOLDER) for one in target["fitted"])


def test_raters_and_the_effect_of_their_leniency_have_intervals() -> None:
    assert rater_lines(FOLDER).count(" to ") >= 2 + 4


def test_what_the_stage_left_out_is_in_its_table_with_the_reason(tmp_path: Path) -> None:
    row = {"features": "none", "model": "majority", "mean": 0.5, "ci": [0.4, 0.6], "splits": 20}
    left = {"features": "rated naive", "model": "m", "reason": "it says the same of all"}
    write_json(
        tmp_path / "honest.json",
        {"rows": [{**row, "metric": "accuracy"}], "excluded": [left]},
    )

    table = sample_table(tmp_path / "honest.json")

    assert "| none | majority | honest | 50.00 (40.0 to 60.0) |  |" in table
    assert "| rated naive | m | left out: it says the same of all | | |" in table
