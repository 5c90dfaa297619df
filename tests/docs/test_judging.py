"""The study's tables: who was reached, by which judge, and what was tried."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from docs.programs.judging import pair_filter_table, reached_table, trial_table
from pipeline.storage import write_json


def row(judge: str, *, matched: bool, rate: float, opponent: str = "base") -> list[dict[str, Any]]:
    return [
        {
            "model": "sft",
            "opponent": opponent,
            "judge": judge,
            "test_set": test_set,
            "length_matched": matched,
            "win_rate": rate,
            "ci": None,
        }
        for test_set in ("papers", "random")
    ]


def test_win_rates_of_one_opponent_stand_side_by_side_by_judge(tmp_path: Path) -> None:
    found = row("judge 1", matched=False, rate=0.9) + row("judge 1", matched=True, rate=0.8)
    found += row("judge 1", matched=False, rate=0.1, opponent="human")
    write_json(tmp_path / "evaluation.json", found)
    write_json(tmp_path / "evaluation_before.json", row("former", matched=False, rate=0.7))

    table = reached_table("base", tmp_path)

    assert "| over base | test set | judge 1 % | judge 1, equal length % | former % |" in table
    assert "| sft | papers | 90.0 | 80.0 | 70.0 |" in table
    assert "10.0" not in table


def test_the_chosen_judge_is_marked_among_those_tried(tmp_path: Path) -> None:
    one = {
        "judge": "a",
        "features": "text",
        "model": "boosting",
        "relevance": "shared words",
        "belonging": 0.9,
        "chosen": True,
        "strict_pairs": 0.5,
        "own_over_misplaced_reply": 0.9,
        "own_reply_over_echo": 1.0,
        "longer_of_equals": 0.5,
    }
    write_json(tmp_path / "trials.json", [one, {**one, "judge": "b", "chosen": False}])

    table = trial_table(tmp_path)

    assert "| **a** | text | boosting | shared words, 0.9 belong | 50.0 | 90.0 | 100.0 |" in table
    assert "| b |" in table


def test_each_kind_of_pairs_has_its_lines(tmp_path: Path) -> None:
    write_json(
        tmp_path / "pair_filters.json",
        {"teacher over teacher": {"dpo": {"value": 0.5, "ci": [0.4, 0.6], "pairs": 320}}},
    )

    assert "| teacher over teacher | dpo | 320 | 50.0 (40.0 to 60.0) |" in pair_filter_table(
        tmp_path
    )
