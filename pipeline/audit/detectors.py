"""All detectors, in the order in which a report shows them."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from importlib.metadata import EntryPoint

from pipeline.audit import (
    artefacts,
    columns,
    coverage,
    degenerate,
    duplicates,
    empathy,
    encoding,
    labels,
    language,
    leakage,
    miti_inconsistent,
    pairs,
    parroting,
    raters,
    safety,
    semantic,
)
from pipeline.audit.detector import Detector, SkippedError, stamped
from pipeline.audit.result import Detection
from pipeline.audit.settings import AuditSettings
from pipeline.audit.table import AuditTable
from pipeline.extensions import Catalogue, ExtensionError, blamed
from pipeline.names import is_slug, slug_of


def _guarded(entry: EntryPoint, detector: Detector) -> Detector:
    """Return a detector that says whose it is when it breaks or hands back what it must not."""

    def detect(table: AuditTable, settings: AuditSettings) -> Detection:
        with blamed(entry, SkippedError):
            return stamped(entry.name, detector.detect(table, settings))

    return replace(detector, detect=detect)


BUILT_IN = {
    "exact_duplicates": Detector("duplicates", duplicates.exact_duplicates),
    "near_duplicates": Detector("duplicates", duplicates.near_duplicate_texts),
    "semantic_duplicates": Detector("duplicates", semantic.semantic_duplicates),
    "cross_split_leakage": Detector("duplicates", leakage.cross_split),
    "group_leakage": Detector("duplicates", leakage.group_leakage),
    "leakage_against": Detector("duplicates", leakage.leakage_against),
    "encoding_damage": Detector("text integrity", encoding.encoding_damage),
    "empty_text": Detector("text integrity", degenerate.empty_text),
    "wrong_language": Detector("text integrity", language.wrong_language),
    "truncation": Detector("text integrity", degenerate.truncation),
    "repetition": Detector("text integrity", degenerate.repetition),
    "length_outliers": Detector("text integrity", degenerate.length_outliers),
    "refusals": Detector("teacher artefacts", artefacts.refusals),
    "self_reference": Detector("teacher artefacts", artefacts.self_reference),
    "prompt_echo": Detector("teacher artefacts", artefacts.prompt_echo),
    "preambles": Detector("teacher artefacts", artefacts.preambles),
    "stock_openers": Detector("teacher artefacts", artefacts.stock_openers),
    "fabricated_experience": Detector("teacher artefacts", artefacts.fabricated_experience),
    "formatting": Detector("teacher artefacts", artefacts.formatting),
    "parroting": Detector("empathy", parroting.parroting),
    "meaning_drift": Detector("empathy", empathy.meaning_drift),
    "miti_inconsistent": Detector("empathy", miti_inconsistent.miti_inconsistent),
    "question_share": Detector("empathy", empathy.question_share),
    "emotion_mismatch": Detector("empathy", empathy.emotion_mismatch),
    "toxic_positivity": Detector("empathy", empathy.toxic_positivity),
    "empty_sympathy": Detector("empathy", empathy.empty_sympathy),
    "crisis": Detector("safety", safety.crisis),
    "claims": Detector("safety", safety.claims),
    "personal_data": Detector("safety", safety.personal_data),
    "profanity": Detector("safety", safety.profanity),
    "label_conflicts": Detector("labels", labels.label_conflicts),
    "label_noise": Detector("labels", labels.label_noise),
    "class_balance": Detector("labels", labels.class_balance),
    "straight_lining": Detector("labels", raters.straight_lining),
    "rater_severity": Detector("labels", raters.rater_severity),
    "arm_confounding": Detector("labels", raters.arm_confounding),
    "column_copies": Detector("labels", columns.column_copies),
    "codes_fit": Detector("labels", columns.codes_fit),
    "pair_ties": Detector("preference pairs", pairs.pair_ties),
    "pair_inversions": Detector("preference pairs", pairs.pair_inversions),
    "pair_confounds": Detector("preference pairs", pairs.pair_confounds),
    "pair_duplicates": Detector("preference pairs", pairs.pair_duplicates),
    "pair_prompts": Detector("preference pairs", pairs.pair_prompts),
    "coverage_cells": Detector("coverage", coverage.coverage_cells),
    "lexical_diversity": Detector("coverage", coverage.lexical_diversity),
    "readability": Detector("coverage", coverage.readability),
}
DETECTORS = Catalogue("detectors", Detector, BUILT_IN, guard=_guarded)


def all_detectors() -> dict[str, Detector]:
    """Return every detector by name; a broken one of an installed package fails when it is run."""
    detectors = dict(BUILT_IN)
    for entry in DETECTORS.entries():
        name = entry.name
        if name in detectors or not is_slug(name):
            name = slug_of(f"{name}-of-{entry.dist.name if entry.dist else entry.value}")
        try:
            detectors[name] = DETECTORS.load(entry)
        except ExtensionError as error:
            detectors[name] = Detector("installed packages", partial(_fail, error))
    return detectors


def _fail(error: ExtensionError, table: AuditTable, settings: AuditSettings) -> Detection:
    raise error
