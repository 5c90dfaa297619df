"""A build's first page for tests: the figures of the sample, what is changed in them, its HTML."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.dag.signature import stage_paths
from pipeline.reporting.door import door_html
from pipeline.reporting.door.states import State, built_states
from pipeline.reporting.facts import Facts
from pipeline.reporting.stage_graph import read_stage_graph
from pipeline.workspace import PROJECT

METRICS = "reports/metrics"
STUDIES = "reports/studies"
HOSTILE = '"><script>window.ran = true</script> {{ 7 * 7 }} \u202egnorts'
RATED = {
    "model": "dpo",
    "opponent": "base",
    "corpus": "human-sequential",
    "judge": "scorer",
    "test_set": "random",
    "length_matched": False,
    "win_rate": 0.8125,
    "ci": [0.61, 0.93],
    "n": 57,
    "tie_share": 0.1,
    "failed_share": 0.0,
    "position_bias": "not applicable",
    "length_controlled": 0.8,
    "length_controlled_ci": [0.6, 0.9],
}
UNKNOWN = dict.fromkeys(
    ("win_rate", "ci", "tie_share", "failed_share", "length_controlled", "length_controlled_ci")
)
UNRATED = {**RATED, **UNKNOWN, "judge": "reward", "n": 0}
EVALUATION = [
    RATED,
    {**RATED, **UNKNOWN, "length_matched": True, "n": 0},
    UNRATED,
    {**UNRATED, "length_matched": True},
]


@pytest.fixture
def build(tmp_path: Path) -> Path:
    """Return a folder with the figures of the sample that are in git, to be changed."""
    for name in ("dvc.yaml", "params.yaml"):
        shutil.copy(PROJECT / name, tmp_path / name)
    shutil.copytree(PROJECT / METRICS, tmp_path / METRICS)
    shutil.copytree(PROJECT / STUDIES, tmp_path / STUDIES)
    (tmp_path / METRICS / "evaluation.json").write_text(json.dumps(EVALUATION))
    return tmp_path


def params_of(folder: Path) -> dict[str, Any]:
    return dict(yaml.safe_load((folder / "params.yaml").read_text(encoding="utf-8")))


def report_paths(folder: Path) -> dict[str, Path]:
    """Return where the stage `report` writes in a build's folder, by its parameters."""
    return {name: folder / path for name, path in stage_paths("report").items()}


def page_of(folder: Path, states: dict[str, State] | None = None) -> str:
    graph = read_stage_graph(folder / "dvc.yaml")
    params = params_of(folder)
    found = states or built_states(graph, folder)
    return door_html(Facts(folder, graph), params, found, live=states is not None)


def section(html: str, name: str) -> str:
    return html.partition(f'<section class="card" id="{name}"')[2].partition("</section>")[0]


def change(folder: Path, file: str, *path: str, to: object) -> None:
    target = folder / METRICS / file
    document = json.loads(target.read_text())
    inner = document
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = to
    target.write_text(json.dumps(document))
