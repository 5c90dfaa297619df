"""Presidio's pattern recognisers without the rest of it.

Importing `presidio_analyzer` as a package loads spaCy and torch (540 MiB, 8 s), which patterns do
not need. Its modules are therefore loaded below a bare package that has the same path and only
the names that recognisers import. Nothing is downloaded: the recognisers' own public suffix list
is the one that tldextract ships.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

_PACKAGE = "presidio_analyzer"
_BASE = (
    ("analysis_explanation", "AnalysisExplanation"),
    ("recognizer_result", "RecognizerResult"),
    ("entity_recognizer", "EntityRecognizer"),
    ("local_recognizer", "LocalRecognizer"),
    ("pattern", "Pattern"),
    ("pattern_recognizer", "PatternRecognizer"),
)
_RECOGNIZERS = (
    ("generic.email_recognizer", "EmailRecognizer"),
    ("generic.phone_recognizer", "PhoneRecognizer"),
    ("generic.credit_card_recognizer", "CreditCardRecognizer"),
    ("generic.iban_recognizer", "IbanRecognizer"),
    ("generic.ip_recognizer", "IpRecognizer"),
    ("country_specific.us.us_ssn_recognizer", "UsSsnRecognizer"),
)


@cache
def pattern_recognizers() -> list[Any]:
    """Return one recogniser per kind of personal data, ready to `analyze`."""
    _set_offline_suffixes()
    if _PACKAGE not in sys.modules:
        _lay_bare_package()
    found = []
    for module, name in _RECOGNIZERS:
        kind = getattr(importlib.import_module(f"{_PACKAGE}.predefined_recognizers.{module}"), name)
        regions = {"supported_regions": ("US", "GB")} if name == "PhoneRecognizer" else {}
        found.append(kind(**regions))
    return found


def _lay_bare_package() -> None:
    spec = importlib.util.find_spec(_PACKAGE)
    assert spec is not None
    root = Path(str(spec.origin)).parent
    package = _bare(_PACKAGE, root)
    engine = _bare(f"{_PACKAGE}.nlp_engine", root / "nlp_engine")
    # Recognisers name this type in annotations only.
    engine.NlpArtifacts = type("NlpArtifacts", (), {})  # type: ignore[attr-defined]
    recognizers = f"{_PACKAGE}.predefined_recognizers"
    for name in ("", ".generic", ".country_specific", ".country_specific.us"):
        _bare(recognizers + name, root / "predefined_recognizers" / name[1:].replace(".", "/"))
    for module, name in _BASE:
        setattr(package, name, getattr(importlib.import_module(f"{_PACKAGE}.{module}"), name))


def _bare(name: str, folder: Path) -> ModuleType:
    module = ModuleType(name)
    module.__path__ = [str(folder)]
    sys.modules[name] = module
    return module


def _set_offline_suffixes() -> None:
    import tldextract

    offline = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
    tldextract.extract = offline  # type: ignore[assignment]
