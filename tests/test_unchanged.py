"""The check of a fresh clone's build lets processors round, and nothing else."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from pipeline.features.table import FeatureTable, write_features
from pipeline.workspace import PROJECT

PIPELINE = {
    "stages": {
        "build": {},
        "train": {"foreach": ["a"], "do": {"meta": {"machine_dependent": True}}},
        "select": {},
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
    "select": {
        "cmd": "select",
        "deps": [{"path": "models", "md5": "4"}, {"path": "data/rows", "md5": "1"}],
        "outs": [{"path": "metrics/selection.json", "md5": "5"}],
    },
    "count": {
        "cmd": "count",
        "deps": [{"path": "data/rows", "md5": "1"}],
        "outs": [{"path": "metrics/counts.json", "md5": "6"}],
    },
}


@pytest.fixture
def unchanged(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(PROJECT / ".ci")
    return importlib.import_module("unchanged")


def with_change(stage: str, key: str, at: int, **change: str) -> dict[str, Any]:
    lock = deepcopy(LOCK)
    lock[stage][key][at].update(change)  # type: ignore[index]
    return lock


@pytest.mark.parametrize(
    ("after", "changed"),
    [
        (LOCK, set()),
        (with_change("train@a", "outs", 0, md5="9"), {"dvc.lock"}),
        (with_change("train@a", "outs", 1, md5="9"), {"dvc.lock", "metrics/a.json"}),
        (with_change("select", "deps", 0, md5="9"), {"dvc.lock"}),
    ],
)
def test_hashes_of_trained_numbers_may_move(
    unchanged: Any, after: dict[str, Any], changed: set[str]
) -> None:
    assert list(unchanged.complaints(PIPELINE, LOCK, after, changed)) == []


@pytest.mark.parametrize(
    ("after", "changed", "problem"),
    [
        (with_change("build", "outs", 0, md5="9"), {"dvc.lock"}, "stage build differs"),
        (with_change("count", "outs", 0, md5="9"), {"dvc.lock"}, "stage count differs"),
        (with_change("select", "outs", 0, md5="9"), {"dvc.lock"}, "stage select differs"),
        (LOCK, {"metrics/counts.json"}, "metrics/counts.json: changed"),
        (LOCK, {"metrics/selection.json"}, "metrics/selection.json: changed"),
        (LOCK, {"README.md"}, "README.md: changed"),
        (with_change("select", "deps", 1, md5="9"), {"dvc.lock"}, "stage select differs"),
        (with_change("train@a", "outs", 0, path="b"), {"dvc.lock"}, "stage train@a differs"),
        ({**LOCK, "train@a": {**LOCK["train@a"], "params": {}}}, {"dvc.lock"}, "train@a differs"),
        ({name: LOCK[name] for name in ("build", "count")}, {"dvc.lock"}, "select is only old"),
    ],
)
def test_what_is_read_from_them_and_all_else_may_not(
    unchanged: Any, after: dict[str, Any], changed: set[str], problem: str
) -> None:
    found = list(unchanged.complaints(PIPELINE, LOCK, after, changed))

    assert any(problem in one for one in found), found


def test_our_own_stages_that_embed_train_or_generate_are_marked(unchanged: Any) -> None:
    pipeline = yaml.safe_load((PROJECT / "dvc.yaml").read_text(encoding="utf-8"))
    marked = unchanged.machine_dependent(pipeline, {name: {} for name in pipeline["stages"]})

    assert {"featurize", "train_scorer", "train_reward", "train_sft", "generate"} <= marked
    assert not {"ingest", "split", "build_sft", "audit", "select_annotations"} & marked


Change = Callable[["Build"], None]


class Build:
    """The outputs of stages that train, as a build leaves them; a change is made in place."""

    def __init__(self) -> None:
        random = np.random.default_rng(7)
        self.features = random.normal(size=(40, 384))
        self.ids = [f"response-{number}" for number in range(40)]
        self.coder = random.normal(size=(15, 300))
        self.words = {word: place for place, word in enumerate("abcdefghij")}
        self.reward = random.normal(size=128)
        self.means = {"sentence words": 14.97, "words": 3.47, "negations": 0.016, "hedges": -0.004}
        self.scores = random.random(1000).round(4).tolist()
        self.text = "That sounds hard."
        self.accuracy, self.rows, self.p, self.share = 0.6842, 57, 0.000537, 0.5432

    def write(self) -> None:
        from safetensors.numpy import save_file
        from sklearn.linear_model import LogisticRegression

        from pipeline.scoring.saved import dumped

        for folder in ("models", "metrics"):
            Path(folder).mkdir(exist_ok=True)
        names = tuple(f"response_{number}" for number in range(384))
        write_features(
            Path("features.parquet"), FeatureTable(tuple(self.ids), names, self.features)
        )
        model = LogisticRegression()
        model.coef_ = self.coder
        Path("models/coder.skops").write_bytes(dumped({"words": self.words, "model": model}))
        save_file({"head.direction": self.reward}, "models/reward.safetensors")
        Path("models/scorer.json").write_text(json.dumps({"means": list(self.means.values())}))
        said = [{"text": self.text, "score": score} for score in self.scores]
        Path("said.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in said))
        Path("metrics/a.json").write_text(self.metrics())

    def metrics(self) -> str:
        figures = {"accuracy": self.accuracy, "p": self.p, "share": self.share}
        return json.dumps({"test": self.rows, "tokens_per_s": 58, **figures})


OUTPUTS = ("features.parquet", "models", "said.jsonl", "metrics/a.json")


def complaints_about(change: Change, unchanged: Any) -> list[str]:
    """Return what the check says of a build that is `change` away from the committed one."""
    build = Build()
    build.write()
    in_git = {"metrics/a.json": build.metrics()}
    before = dict.fromkeys(OUTPUTS, "committed")
    accepted = json.loads(json.dumps(unchanged.accept(before, in_git.get)))
    change(build)
    build.write()
    return list(unchanged.moved(before, dict.fromkeys(OUTPUTS, "new"), accepted, in_git.get))


def round_otherwise(build: Build) -> None:
    """As the kernels of torch and OpenBLAS do, ten times as much."""
    random = np.random.default_rng(8)
    build.features += random.normal(size=build.features.shape) * 1e-6
    build.coder += random.normal(size=build.coder.shape) * 1e-5
    build.reward += random.normal(size=build.reward.shape) * 5e-5
    build.scores = [score + 1e-5 for score in build.scores]
    build.means["hedges"] += 1e-6
    build.accuracy, build.p = 0.6843, 0.000538


def test_another_kernels_rounding_passes(
    unchanged: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert complaints_about(round_otherwise, unchanged) == []


def one_coefficient(build: Build) -> None:
    build.coder[3, 17] += 0.3


def one_weight(build: Build) -> None:
    build.reward[5] += 0.05


def one_feature(build: Build) -> None:
    build.features[2, 100] += 0.5


def two_features(build: Build) -> None:
    one, other = build.features[2, 100], build.features[30, 101]
    build.features[2, 100], build.features[30, 101] = other, one


def two_scores(build: Build) -> None:
    """Swap two that random signs, the same for either, would not tell apart."""
    signs = np.random.default_rng(1000).integers(0, 2, (4, 1000))
    alike = np.flatnonzero((signs == signs[:, [0]]).all(axis=0))
    other = max(alike, key=lambda at: abs(build.scores[at] - build.scores[0]))
    build.scores[0], build.scores[other] = build.scores[other], build.scores[0]


def sign_of_a_small_mean(build: Build) -> None:
    build.means["hedges"] *= -1


def p_value(build: Build) -> None:
    build.p = 0.000937


def share_of_one_in_two_thousand(build: Build) -> None:
    build.share += 0.0005


def one_unknown_feature(build: Build) -> None:
    build.features[2, 100] = np.nan


def one_endless_weight(build: Build) -> None:
    build.reward[5] = np.inf


def one_id(build: Build) -> None:
    build.ids[3] = "response-x"


def order_of_ids(build: Build) -> None:
    build.ids[3], build.ids[4] = build.ids[4], build.ids[3]


def one_word(build: Build) -> None:
    build.words["k"] = build.words.pop("j")


def one_text(build: Build) -> None:
    build.text = "That sounds fine."


def one_figure(build: Build) -> None:
    build.accuracy += 1 / 57


def one_count(build: Build) -> None:
    build.rows += 1


def one_dimension(build: Build) -> None:
    build.coder = build.coder.reshape(30, 150)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (one_coefficient, "coder.skops"),
        (one_weight, "reward.safetensors"),
        (one_feature, "features.parquet"),
        (two_features, "features.parquet"),
        (one_unknown_feature, "features.parquet"),
        (one_endless_weight, "reward.safetensors"),
        (two_scores, "said.jsonl"),
        (sign_of_a_small_mean, "scorer.json"),
        (p_value, "a.json: p"),
        (share_of_one_in_two_thousand, "a.json: share"),
        (one_id, "features.parquet"),
        (order_of_ids, "features.parquet"),
        (one_word, "coder.skops"),
        (one_text, "said.jsonl"),
        (one_figure, "a.json: accuracy"),
        (one_count, "a.json: test"),
        (one_dimension, "coder.skops"),
    ],
)
def test_a_real_change_does_not(
    unchanged: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Change, where: str
) -> None:
    monkeypatch.chdir(tmp_path)
    found = complaints_about(change, unchanged)

    assert found
    assert all(where in one for one in found), found


def test_every_number_of_a_long_list_shows(unchanged: Any, tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    values = np.random.default_rng(9).normal(size=6000) * 1e-3
    values[:3000] *= 1e6  # whose size hides nothing of the others
    seen = []
    for change in (0, *range(3400, 6000, 100)):
        moved = values.copy()
        moved[change] += 3e-4 if change else 0
        save_file({"weights": moved}, tmp_path / "one.safetensors")
        seen.append({"one": unchanged.fingerprint(tmp_path / "one.safetensors").popitem()[1]})

    assert all(list(unchanged.apart(seen[0], one)) for one in seen[1:])
    assert list(unchanged.apart(seen[0], seen[0])) == []


def test_what_is_all_zero_may_be_next_to_zero(
    unchanged: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    build = Build()
    build.means = dict.fromkeys(build.means, 0.0)
    build.write()
    accepted = unchanged.accept({"models/scorer.json": "1"}, {}.get)
    build.means = dict.fromkeys(build.means, 1e-17)
    build.write()
    where = {"models/scorer.json": "1"}, {"models/scorer.json": "2"}

    assert list(unchanged.moved(*where, accepted, {}.get)) == []


def test_only_what_is_in_a_folder_of_pages_is_drawn(
    unchanged: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    pages = ["reports/reward/a.json", "reports/rewards.json", "reports/students_of.json"]
    for page in pages:
        Path(page).parent.mkdir(parents=True, exist_ok=True)
        Path(page).write_text("{}")
    accepted = unchanged.accept(dict.fromkeys(pages, "1"), {}.get)

    assert list(accepted["files"]) == pages[1:]


def test_fingerprints_of_another_build_are_refused(
    unchanged: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Build().write()
    accepted = unchanged.accept({"said.jsonl": "1"}, {}.get)

    found = list(unchanged.moved({"said.jsonl": "2"}, {"said.jsonl": "3"}, accepted, {}.get))

    assert [one for one in found if "--accept" in one] == found != []


def test_an_output_that_is_not_there_is_named(
    unchanged: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    found = list(unchanged.moved({"said.jsonl": "1"}, {"said.jsonl": "2"}, {}, {}.get))

    assert found == ["said.jsonl: not there"]


def test_the_committed_fingerprints_are_of_the_committed_lock(unchanged: Any) -> None:
    pipeline = yaml.safe_load((PROJECT / "dvc.yaml").read_text(encoding="utf-8"))
    lock = yaml.safe_load((PROJECT / "dvc.lock").read_text(encoding="utf-8"))["stages"]
    made = unchanged.outputs(lock, unchanged.machine_dependent(pipeline, lock))
    accepted = json.loads((PROJECT / unchanged.FINGERPRINTS).read_text(encoding="utf-8"))

    assert {"datasets/features.parquet", "datasets/scorer"} <= accepted["made_of"].keys()
    assert {path: made.get(path) for path in accepted["made_of"]} == accepted["made_of"]
