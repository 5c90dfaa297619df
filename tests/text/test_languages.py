from __future__ import annotations

from pipeline.text.languages import language_of


def test_a_language_is_told_with_its_probability() -> None:
    language, probability = language_of("Ich verstehe, dass dich das sehr traurig macht.")

    assert language == "de"
    assert 0.9 < probability <= 1
