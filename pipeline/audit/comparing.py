"""What got better or worse between two audits."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.audit.finding import Finding
from pipeline.errors import MissingFileError, TableError
from pipeline.storage import read_json, read_table


@dataclass(frozen=True)
class Change:
    """One detector in two audits.

    `old` and `new` count findings by severity; `gone` and `came` are the findings of one audit
    that the other lacks, however many there are of the same. `why` says why the two counts cannot
    be compared, where a detector did not run in both.
    """

    detector: str
    old: dict[str, int]
    new: dict[str, int]
    gone: list[Finding]
    came: list[Finding]
    why: str = ""

    @property
    def verdict(self) -> str:
        """`better`, `worse` or `same`, by the gravest severity that changed; else `changed`."""
        if self.why:
            return "not compared"
        for severity in ("critical", "warning", "info"):
            if self.old[severity] != self.new[severity]:
                return "worse" if self.new[severity] > self.old[severity] else "better"
        return "changed" if self.gone or self.came else "same"

    def as_dict(self) -> dict[str, Any]:
        """Return the change for a script; ids, no text."""
        return {
            "verdict": self.verdict,
            "why": self.why,
            "old": self.old,
            "new": self.new,
            "gone": [list(finding.row_ids) for finding in self.gone],
            "came": [list(finding.row_ids) for finding in self.came],
        }


def compare(old: Path, new: Path) -> list[Change]:
    """Return one change per detector of the two audit folders, in the order of `new`.

    A finding is the same in both if its detector, severity, rows and evidence are: rows of a build
    have ids that follow their content, so an edited row is another row.
    """
    audits = [(_detectors(folder), _findings(folder)) for folder in (old, new)]
    (before, found_before), (after, found_after) = audits
    changes = []
    for name in dict.fromkeys([*after, *before]):
        first, second = found_before.get(name, []), found_after.get(name, [])
        changes.append(
            Change(
                detector=name,
                old=_counts(first),
                new=_counts(second),
                gone=_without(first, second),
                came=_without(second, first),
                why=_why_not(before.get(name), after.get(name)),
            )
        )
    return changes


def _why_not(old: str | None, new: str | None) -> str:
    if old == new and old in ("ok", "skipped"):
        return ""
    return f"{old or 'unknown'} in the old audit, {new or 'unknown'} in the new one"


def _detectors(folder: Path) -> dict[str, str]:
    path = folder / "summary.json"
    if not path.is_file():
        raise MissingFileError(path, hint="Give folders that an audit has written.")
    try:
        return {name: one["status"] for name, one in read_json(path)["detectors"].items()}
    except (KeyError, TypeError, AttributeError) as error:
        raise TableError(path, "not the summary of an audit", hint="Audit again.") from error


def _findings(folder: Path) -> dict[str, list[Finding]]:
    found: dict[str, list[Finding]] = {}
    for finding in read_table(folder / "findings.parquet", Finding):
        found.setdefault(finding.detector, []).append(finding)
    return found


def _without(findings: list[Finding], others: list[Finding]) -> list[Finding]:
    left = Counter(map(_key, others))
    rest = []
    for finding in findings:
        if left[_key(finding)]:
            left[_key(finding)] -= 1
        else:
            rest.append(finding)
    return rest


def _key(finding: Finding) -> tuple[object, ...]:
    return finding.severity, finding.row_ids[:1], finding.responder, finding.evidence


def _counts(findings: list[Finding]) -> dict[str, int]:
    counts = Counter(finding.severity.value for finding in findings)
    return {severity: counts[severity] for severity in ("critical", "warning", "info")}
