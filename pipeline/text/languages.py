"""Which language a text is in, by the model in the wheel of py3langid."""

from __future__ import annotations

from functools import cache
from typing import Any


def language_of(text: str) -> tuple[str, float]:
    """Return (ISO 639-1 code, probability 0 to 1)."""
    language, probability = _identifier().classify(text)
    return str(language), float(probability)


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
