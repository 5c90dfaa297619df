"""The check of a fresh clone's build lets trained weights differ, and nothing else."""

from __future__ import annotations

import importlib.util
from copy import deepcopy
from typing import Any

import pytest

from pipeline.workspace import PROJECT

PIPELINE = {
    "stages": {
        "build": {},
        "train": {"foreach": ["a"], "do": {"meta": {"machine_dependent": True}}},
        "evaluate": {},
        "count": {},
    }
}
LOCK = {
    "build": {"cmd": "build", "outs": [{"path": "data/rows", "md5": "1"}]},
    "train@a": {
        "cmd": "train",
        "params": {"params.yaml": {"train.rate": 1}},
        "deps": [{"path": "data/rows", "md5": "1"}],
        "outs": [{"path": "models/a", "md5": "2"}, {"path": "metrics/a.json", "md5": "3"}],
    },
    "evaluate": {
        "cmd": "evaluate",
        "deps": [{"path": "models", "md5": "4"}, {"path": "data/rows", "md5": "1"}],
        "outs": [{"path": "metrics/evaluation.json", "md5": "5"}],
    },
    "count": {
        "cmd": "count",
        "deps": [{"path": "data/rows", "md5": "1"}],
        "outs": [{"path": "metrics/counts.json", "md5": "6"}],
    },
}


@pytest.fixture(scope="module")
def unchanged() -> Any:
    spec = importlib.util.spec_from_file_location("unchanged", PROJECT / ".ci" / "unchanged.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def moved(stage: str, key: str, at: int, **change: str) -> dict[str, Any]:
    lock = deepcopy(LOCK)
    lock[stage][key][at].update(change)  # type: ignore[index]
    return lock


def test_what_is_built_from_trained_weights_depends_on_the_machine_too(unchanged: Any) -> None:
    assert unchanged.machine_dependent(PIPELINE, LOCK) == {"train@a", "evaluate"}


@pytest.mark.parametrize(
    ("after", "changed"),
    [
        (LOCK, set()),
        (moved("train@a", "outs", 0, md5="9"), {"dvc.lock"}),
        (moved("train@a", "outs", 1, md5="9"), {"dvc.lock", "metrics/a.json"}),
        (moved("evaluate", "deps", 0, md5="9"), {"dvc.lock", "metrics/evaluation.json"}),
    ],
)
def test_hashes_of_trained_weights_may_move(
    unchanged: Any, after: dict[str, Any], changed: set[str]
) -> None:
    assert unchanged.complaints(PIPELINE, LOCK, after, changed) == []


@pytest.mark.parametrize(
    ("after", "changed", "problem"),
    [
        (moved("build", "outs", 0, md5="9"), {"dvc.lock"}, "stage build differs"),
        (moved("count", "outs", 0, md5="9"), {"dvc.lock"}, "stage count differs"),
        (LOCK, {"metrics/counts.json"}, "metrics/counts.json: changed"),
        (LOCK, {"README.md"}, "README.md: changed"),
        (moved("evaluate", "deps", 1, md5="9"), {"dvc.lock"}, "stage evaluate differs in more"),
        (moved("train@a", "outs", 0, path="b"), {"dvc.lock"}, "stage train@a differs in more"),
        ({**LOCK, "train@a": {**LOCK["train@a"], "params": {}}}, {"dvc.lock"}, "train@a differs"),
        ({name: LOCK[name] for name in ("build", "count")}, {"dvc.lock"}, "evaluate is only old"),
    ],
)
def test_nothing_else_may(
    unchanged: Any, after: dict[str, Any], changed: set[str], problem: str
) -> None:
    found = unchanged.complaints(PIPELINE, LOCK, after, changed)

    assert any(problem in one for one in found), found


def test_our_own_training_stages_are_marked(unchanged: Any) -> None:
    import yaml

    pipeline = yaml.safe_load((PROJECT / "dvc.yaml").read_text(encoding="utf-8"))
    lock = {f"{name}@x": {} for name in ("train_sft", "train_dpo", "generate", "split")}

    assert unchanged.machine_dependent(pipeline, lock) == lock.keys() - {"split@x"}
