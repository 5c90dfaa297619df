"""Cards of scorers, students and reward models: filled from measured files, each figure traced."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from huggingface_hub import ModelCard

from pipeline.reporting.cards.models import build_model_cards
from pipeline.workspace import PROJECT
from tests.reporting.tracing import check_traces, facts_of

SCORER = {
    "names": ["a", "b"],
    "temperature": 0.75,
    "embedder": "none",
    "feature_version": "e9d3",
    "seed": 42,
    "licence": "CC0-1.0",
}


@pytest.fixture
def changed(sample_build: Path, tmp_path: Path) -> Path:
    """Return a copy of the sample's reports, to be changed."""
    shutil.copytree(sample_build / "reports", tmp_path / "reports")
    return tmp_path


@pytest.fixture
def scored(changed: Path) -> Path:
    """Return reports with the scorer of the sample."""
    shutil.copy(PROJECT / "reports/metrics/scorer.json", changed / "reports/metrics/scorer.json")
    (changed / "datasets/scorer").mkdir(parents=True)
    (changed / "datasets/scorer/scorer.json").write_text(json.dumps(SCORER))
    return changed


def test_the_hub_reads_the_card_of_the_scorer_and_its_figures_are_traced(scored: Path) -> None:
    card = build_model_cards(facts_of(scored))["scorer"]

    assert ModelCard(card.text).data.license == "cc0-1.0"
    assert "**May be published** under CC0-1.0" in card.text
    assert len(card.traces) > 20
    check_traces(card, scored)


def test_a_model_that_is_not_there_has_no_card(changed: Path) -> None:
    assert build_model_cards(facts_of(changed)) == {}


STUDENT = {
    "reports/metrics/students/x/dpo.json": {
        "steps": 12,
        "trained_rows": 8,
        "loss_first": 0.69315,
        "loss_last": 0.5,
    },
    "datasets/students/x/dpo/adapter.json": {
        "base": "SmolLM2-135M-Instruct",
        "base_sha256": "b179",
        "parents": ["aa"],
        "licence": "none stated",
    },
    "datasets/training/x/dpo/run.json": {
        "adapter_sha256": "cc",
        "data": "dd",
        "rows": 9,
        "seed": 42,
        "device": "cpu",
        "wall_s": 61.5,
        "energy_j": None,
        "params": {"learning_rate": 0.0001},
        "packages": {"trl": "1.16.0"},
    },
    "reports/metrics/evaluation.json": [
        {
            "model": "dpo-x",
            "opponent": "base",
            "judge": "scorer",
            "test_set": "random",
            "length_matched": False,
            "win_rate": 0.625,
            "ci": [0.5, 0.75],
            "n": 19,
        }
    ],
    "datasets/reward/reward.json": {
        "head": "linear",
        "asked_for": "prototype",
        "why": "nine pairs",
        "encoder": "none",
        "pairs": 9,
        "groups": 4,
        "settings": {"l2": 0.1},
        "licence": "CC0-1.0",
    },
    "reports/metrics/reward.json": {
        "prototypes": 0,
        "test_pairs": 5,
        "measures": {"accuracy": 0.6, "calibration_error": 0.1},
    },
}


def test_students_and_reward_models_have_cards_whose_figures_are_traced(changed: Path) -> None:
    for file, facts in STUDENT.items():
        (changed / file).parent.mkdir(parents=True, exist_ok=True)
        (changed / file).write_text(json.dumps(facts))

    cards = build_model_cards(facts_of(changed))

    assert set(cards) == {"reward", "dpo-x"}
    assert "**Do not publish.**" in cards["dpo-x"].text
    assert "| base | scorer | random | no | 62.5% | 50.0% to 75.0% | 19 |" in cards["dpo-x"].text
    assert "it is linear because: nine pairs." in cards["reward"].text
    for card in cards.values():
        assert ModelCard(card.text).data.pipeline_tag
        check_traces(card, changed)
