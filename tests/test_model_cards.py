from __future__ import annotations

import pytest
from huggingface_hub import ModelCard

from pipeline.model_cards import REWARD, SCORER, STUDENT, Kind, model_card
from pipeline.sources.licences import NONE_STATED


@pytest.mark.parametrize("kind", [SCORER, REWARD, STUDENT])
def test_a_card_says_what_the_model_is_for_and_what_it_cannot(kind: Kind) -> None:
    text = model_card(kind, "CC-BY-NC-4.0", {"rows": 4})

    assert ModelCard(text).data.license == "cc-by-nc-4.0"
    assert ModelCard(text).data.pipeline_tag == kind.pipeline_tag
    assert all(f"- {limit}" in text for limit in kind.limits)
    assert "| rows | 4 |" in text


def test_a_model_of_data_without_a_licence_must_not_be_published() -> None:
    text = model_card(STUDENT, NONE_STATED, {})

    assert "do not publish this model" in text
    assert ModelCard(text).data.license_name == "none-stated-do-not-publish"
