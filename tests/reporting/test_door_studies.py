"""What the studies found on real data stands on the first page beside what was built."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.reporting.doors import METRICS, STUDIES, build, page_of, section

__all__ = ["build"]


def _curve(data: str, model: str, *points: tuple[float, float]) -> list[dict[str, Any]]:
    return [
        {
            "data": data,
            "model": model,
            "fraction": fraction,
            "accuracy": accuracy,
            "ci": [accuracy - 0.05, accuracy + 0.05],
            **({"paired_difference": 0.02} if model != "linear" else {}),
        }
        for fraction, accuracy in points
    ]


def test_learning_curves_are_drawn_and_told(build: Path) -> None:
    rows = _curve("made", "linear", (0.1, 0.5), (1.0, 0.7))
    rows += _curve("made", "prototype", (0.1, 0.55), (1.0, 0.72))
    rows += _curve("one point", "linear", (1.0, 0.7))
    (build / METRICS / "reward_curve.json").write_text(json.dumps(rows))

    shown = section(page_of(build), "reward_models").partition("<h3")[0]

    assert shown.count('role="img"') == 1
    assert shown.count('class="band"') == 2
    assert "prototype" in shown
    assert ">2.0%</data>" in shown
    assert shown.count("<details open>") == 1  # the figures of what is no curve


@pytest.mark.parametrize("name", ["scorers", "students", "reward_models"])
def test_what_a_study_found_is_shown_with_its_command_where_nothing_was_built(
    build: Path, name: str
) -> None:
    shutil.rmtree(build / METRICS)

    shown = section(page_of(build), name)

    built, _, study = shown.partition("Study on real dialogues")
    assert "Not built yet" in built
    assert "missed" in study
    command = {"scorers": "scoring", "students": "student", "reward_models": "reward"}[name]
    assert f"python -m studies {command} --data DIR" in study


def test_a_changed_figure_of_a_study_changes_the_page(build: Path) -> None:
    file = build / STUDIES / "student/evaluation.json"
    rows = json.loads(file.read_text())
    for row in rows:
        row["win_rate"] = 0.1234
    file.write_text(json.dumps(rows))

    assert "12.3%" in section(page_of(build), "students")


def test_a_study_that_was_not_run_or_is_broken_spoils_nothing_else(build: Path) -> None:
    shutil.rmtree(build / STUDIES / "student")
    (build / STUDIES / "scoring/comparisons.json").write_text("{")

    html = page_of(build)

    assert "Not run here" in section(html, "students")
    assert "Cannot be read" in section(html, "scorers")
    assert "81.2%" in section(html, "students")
    assert "Weighted kappa" in section(html, "scorers")
