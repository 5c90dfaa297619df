"""`Detector`: one check of a table, and what every check hands back."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

from pipeline.audit.finding import Finding
from pipeline.audit.result import Detection
from pipeline.audit.settings import AuditSettings
from pipeline.audit.table import AuditTable


class SkippedError(Exception):
    """A detector has nothing to look at in this table; the message says what is missing."""


Detect: TypeAlias = Callable[[AuditTable, AuditSettings], Detection]


@dataclass(frozen=True)
class Detector:
    """A check; `family` is the heading under which a report shows it."""

    family: str
    detect: Detect


def stamped(name: str, detection: Detection) -> Detection:
    """Return what the detector `name` handed back, with its name on each finding.

    Raises TypeError for anything but a detection whose figures can be written, and ValueError for
    a finding under another name.
    """
    if not isinstance(detection, Detection):
        raise TypeError(f"a {type(detection).__name__} was handed back, and no Detection")
    for finding in detection.findings:
        if not isinstance(finding, Finding):
            raise TypeError(f"a {type(finding).__name__} among the findings")
        if finding.detector not in ("", name):
            raise ValueError(f"a finding under the name of another detector, {finding.detector!r}")
    json.dumps(detection.figures, allow_nan=False)
    findings = [finding.model_copy(update={"detector": name}) for finding in detection.findings]
    return replace(detection, findings=findings)
