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
    name: detector
    for module in (
        duplicates,
        semantic,
        leakage,
        encoding,
        degenerate,
        language,
        artefacts,
        parroting,
        empathy,
        miti_inconsistent,
        safety,
        labels,
        raters,
        columns,
        pairs,
        coverage,
    )
    for name, detector in module.DETECTORS.items()
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
    families = list(dict.fromkeys(detector.family for detector in detectors.values()))
    return dict(sorted(detectors.items(), key=lambda named: families.index(named[1].family)))


def _fail(error: ExtensionError, table: AuditTable, settings: AuditSettings) -> Detection:
    raise error
