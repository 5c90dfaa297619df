"""The experiments of docs/students.md set parameters that the program understands."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from dvc.utils.hydra import apply_overrides

from pipeline.params import load_params
from pipeline.workspace import PROJECT

RECIPE = (PROJECT / "docs" / "students.md").read_text(encoding="utf-8")
CORPORA = re.findall(r"for corpus in (.*); do", RECIPE)[0].split()
OVERRIDES = re.findall(r'-S "(.*)"', RECIPE)


def test_the_recipe_names_every_corpus() -> None:
    assert list(load_params(PROJECT / "params.yaml").corpora) == CORPORA


@pytest.mark.parametrize("corpus", CORPORA)
def test_each_experiment_trains_one_corpus_and_compares_its_students(
    corpus: str, tmp_path: Path
) -> None:
    path = tmp_path / "params.yaml"
    shutil.copy(PROJECT / "params.yaml", path)

    apply_overrides(path, [one.replace("$corpus", corpus) for one in OVERRIDES])

    params = load_params(path)
    assert params.students == (corpus,)
    assert {name: model.student for name, model in params.models.items()} == {
        "base": "base_model",
        f"sft-{corpus}": f"{corpus}/sft",
        f"dpo-{corpus}": f"{corpus}/dpo",
    }
