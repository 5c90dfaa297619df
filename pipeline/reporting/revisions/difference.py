"""All that changed between two revisions, in the order in which a reader asks for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import PurePosixPath
from typing import Any

from pipeline.layout import place
from pipeline.reporting.revisions.causes import Cause, causes
from pipeline.reporting.revisions.revision import Revision
from pipeline.reporting.revisions.rows import KINDS, Build, RowChange, TableDiff, diff_table
from pipeline.reporting.revisions.shifts import Shift, Tolerances, shifts

SEVERITIES = ("critical", "warning", "info", "waived")


@dataclass(frozen=True)
class Compared:
    """A table with its rows and its distribution compared."""

    rows: TableDiff
    shifts: tuple[Shift, ...]

    @property
    def is_same(self) -> bool:
        """Whether nothing changed."""
        rows = self.rows
        return not (rows.added or rows.dropped or rows.changed or self.shifts) and (
            rows.rows_before == rows.rows_after
        )


@dataclass(frozen=True)
class CheckChange:
    """A figure of a gate or of the audit that is another one; `worse` if people should look."""

    table: str
    what: str
    before: str
    after: str
    worse: bool


@dataclass(frozen=True)
class Difference:
    """What changed from `before` to `after`."""

    before: Revision
    after: Revision
    causes: tuple[Cause, ...]
    tables: tuple[Compared, ...]
    gates: tuple[CheckChange, ...]
    audit: tuple[CheckChange, ...]

    def total(self, what: str) -> int:
        """Return how many rows of all tables were `added`, `dropped` or `changed`."""
        return sum(len(getattr(one.rows, what)) for one in self.tables)

    @property
    def worse(self) -> list[CheckChange]:
        """What a gate or the audit finds worse than before."""
        return [one for one in (*self.gates, *self.audit) if one.worse]

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values, with the ids of all rows."""
        sides = {
            side: {"name": one.name, "commit": one.commit, "subject": one.subject}
            for side, one in (("before", self.before), ("after", self.after))
        }
        return {
            **sides,
            "causes": [asdict(one) for one in self.causes],
            "tables": [
                {**asdict(one.rows), "shifts": [asdict(shift) for shift in one.shifts]}
                for one in self.tables
            ],
            "gates": [asdict(one) for one in self.gates],
            "audit": [asdict(one) for one in self.audit],
        }


def compare(before: Revision, after: Revision) -> Difference:
    """Compare the corpora of two revisions.

    Raises RevisionError if a table that one of them names is not in the DVC cache.
    """
    builds = Build(before), Build(after)
    tolerances = Tolerances(
        **{
            name: after.params[f"expect.tolerances.{name}"]
            for name in ("words", "share")
            if f"expect.tolerances.{name}" in after.params
        }
    )
    tables = tuple(
        _compare_table(*builds, corpus, kind, tolerances)
        for corpus in _corpora(before, after)
        for kind in KINDS
    )
    for revision in (before, after):
        revision.refuse_missing()
    return Difference(
        before,
        after,
        tuple(causes(before, after)),
        tables,
        tuple(_gates(before, after)),
        tuple(_audit(before, after)),
    )


def reasons(changes: tuple[RowChange, ...]) -> list[tuple[str, int]]:
    """Return the reasons of row changes with their numbers, the most frequent first."""
    return Counter(reason for one in changes for reason in one.reasons).most_common()


def _corpora(*revisions: Revision) -> list[str]:
    names = {PurePosixPath(path).stem for one in revisions for path in one.files(place("sft"))}
    return sorted(names)


def _compare_table(
    before: Build, after: Build, corpus: str, kind: str, tolerances: Tolerances
) -> Compared:
    path = f"datasets/{kind}/{corpus}.parquet"
    if before.revision.hash_of(path) == after.revision.hash_of(path):
        rows = len(after.table(kind, corpus) or {})
        return Compared(TableDiff(corpus, kind, rows, rows, (), (), ()), ())
    diff = diff_table(before, after, corpus, kind)
    old, new = before.table(kind, corpus), after.table(kind, corpus)
    if not old or not new:
        return Compared(diff, ())
    found = shifts((before, old.values()), (after, new.values()), tolerances)
    return Compared(diff, tuple(found))


def _gates(before: Revision, after: Revision) -> Iterator[CheckChange]:
    for corpus in _corpora(before, after):
        path = place("validation", key=corpus)
        old, new = before.document(path) or {}, after.document(path) or {}
        was, now = (_verdict(one) for one in (old, new))
        if was != now:
            yield CheckChange(corpus, "gate", was, now, now == "failed")
        for severity in SEVERITIES[:3]:
            counts = [one.get("failed", {}).get(severity, 0) for one in (old, new)]
            if counts[0] != counts[1]:
                worse = severity != "info" and counts[1] > counts[0]
                what = f"failed expectations, {severity}"
                yield CheckChange(corpus, what, str(counts[0]), str(counts[1]), worse)


def _verdict(document: dict[str, Any]) -> str:
    if not document:
        return "not run"
    return "passed" if document["passed"] else "failed"


def _audit(before: Revision, after: Revision) -> Iterator[CheckChange]:
    path = place("audit")
    old, new = before.document(path) or {}, after.document(path) or {}
    for table in sorted({*old, *new}):
        for severity in SEVERITIES:
            counts = [one.get(table, {}).get(severity, 0) for one in (old, new)]
            if counts[0] != counts[1]:
                worse = severity in ("critical", "warning") and counts[1] > counts[0]
                what = f"findings, {severity}"
                yield CheckChange(table, what, str(counts[0]), str(counts[1]), worse)
