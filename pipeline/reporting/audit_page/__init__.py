"""The audit report: one page that opens from disk and loads nothing.

Everything in it that came from the data is escaped by the template, spelled out where it cannot be
seen, and cut; the page's policy would not let it act anyway.
"""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from pipeline.audit.finding import Finding, Severity
from pipeline.audit.result import AuditResult, DetectorRun, Figure
from pipeline.pages import page_environment, printable

HERE = Path(__file__).parent
SHOWN_PER_DETECTOR = 20
UNFOLDED = 5
NARROWEST = 0.8  # per cent: a thinner bar cannot be seen
SHOWN_WORST = 10
SHOWN_BARS = 40
WEIGHT = {Severity.CRITICAL: 0, Severity.WARNING: 1, Severity.INFO: 2}


@dataclass(frozen=True)
class Item:
    """One finding as shown; `before`, `evidence` and `after` make up the excerpt."""

    number: int
    finding: Finding
    waived: bool
    before: str
    evidence: str
    after: str
    title: str
    explain: str | None


@dataclass(frozen=True)
class Bar:
    """One row of a bar chart; each segment is (severity or "", value, start and width in %)."""

    label: str
    total: float
    segments: list[tuple[str, float, float, float]]


@dataclass(frozen=True)
class FigureTable:
    """Figures as a table: a heading per column, a row per name."""

    heads: list[str]
    rows: list[tuple[str, list[Figure]]]

    @property
    def is_sparse(self) -> bool:
        """Whether most cells are empty: then each row is best seen by itself."""
        cells = [cell for _, row in self.rows for cell in row]
        return len(self.heads) > 6 and sum(cell is None for cell in cells) > len(cells) / 2


@dataclass(frozen=True)
class Measured:
    """A detector's figures: single ones, bar charts by name, tables by name."""

    plain: list[tuple[str, Figure]] = field(default_factory=list)
    bars: list[tuple[str, list[Bar]]] = field(default_factory=list)
    tables: list[tuple[str, FigureTable]] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.plain or self.bars or self.tables)


@dataclass(frozen=True)
class Section:
    """One detector: how it fared, what it measured, its first findings."""

    run: DetectorRun
    title: str
    counts: dict[str, int]
    state: str
    items: list[Item]
    measured: Measured

    @property
    def total(self) -> int:
        """All findings of the detector, shown or not."""
        return sum(self.counts.values())


def audit_html(result: AuditResult, *, kept_in: str | None = None) -> str:
    """Return the page of `result`, whose findings lie beside it or in the folder `kept_in`.

    `kept_in` is a folder of a build: `distillery explain` knows the row ids of its audits.
    """
    ids_are_explained = kept_in is not None
    sections = _sections(result, ids_are_explained)
    items = sorted(
        (item for section in sections for item in section.items if not item.waived),
        key=lambda item: (_order(item.finding), item.number),
    )
    families = [
        (family, list(members))
        for family, members in groupby(sections, key=lambda section: section.run.family)
    ]
    template = page_environment(HERE / "templates", script=HERE / "report.js").get_template(
        "audit.html.j2"
    )
    open_counts = Counter(finding.severity.value for finding in result.open_findings)
    return template.render(
        result=result,
        state=_state(open_counts, failed=bool(result.failed)),
        open=open_counts,
        families=families,
        sections=sections,
        worst=_worst(items),
        affected=len({finding.row_ids[0] for finding in result.findings if finding.row_ids}),
        by_detector=severity_bars(
            (section.title, section.counts) for section in sections if section.total
        ),
        by_responder=severity_bars(_by(result.findings, "responder")),
        by_split=severity_bars(_by(result.findings, "split")),
        kept_in=kept_in,
        shown_per_detector=SHOWN_PER_DETECTOR,
        unfolded=UNFOLDED,
    )


def _sections(result: AuditResult, ids_are_explained: bool) -> list[Section]:
    waived = set(map(id, result.waived))
    by_detector: dict[str, list[Finding]] = {}
    for finding in result.findings:
        by_detector.setdefault(finding.detector, []).append(finding)
    sections, number = [], 0
    for run in result.runs:
        found = sorted(by_detector.get(run.detector, []), key=_order)
        items = []
        for finding in found[:SHOWN_PER_DETECTOR]:
            number += 1
            items.append(_item(number, finding, id(finding) in waived, ids_are_explained))
        counts = result.counts(run.detector)
        still_open = Counter(one.severity.value for one in found if id(one) not in waived)
        state = _state(still_open, failed=run.status == "failed")
        sections.append(
            Section(
                run=run,
                title=_title(run.detector),
                counts=counts,
                state="off" if run.status == "skipped" else state,
                items=items,
                measured=measured(run.figures),
            )
        )
    return sections


def _title(detector: str) -> str:
    return detector.replace("_", " ").capitalize().replace("Miti", "MITI")


def _order(finding: Finding) -> tuple[int, float]:
    return WEIGHT[finding.severity], -(finding.score or 0.0)


def _state(counts: Counter[str], *, failed: bool) -> str:
    if failed or counts["critical"]:
        return "critical"
    return "warning" if counts["warning"] else "good"


def _worst(items: Sequence[Item]) -> list[Item]:
    """Return the first findings by severity, one of each detector."""
    first: dict[str, Item] = {}
    for item in items:
        if item.finding.severity is not Severity.INFO:
            first.setdefault(item.finding.detector, item)
    return list(first.values())[:SHOWN_WORST]


def _item(number: int, finding: Finding, waived: bool, ids_are_explained: bool) -> Item:
    excerpt = finding.excerpt or finding.evidence
    start = excerpt.find(finding.evidence) if finding.evidence else -1
    if start < 0:
        before, evidence, after = excerpt, "", ""
        if finding.evidence:
            before, evidence = f"{excerpt}\n", finding.evidence
    else:
        end = start + len(finding.evidence)
        before, evidence, after = excerpt[:start], finding.evidence, excerpt[end:]
    explain = None
    if ids_are_explained and finding.row_ids and printable(finding.row_ids[0]).isprintable():
        explain = f"distillery explain {shlex.quote(finding.row_ids[0])}"
    return Item(number, finding, waived, before, evidence, after, _title(finding.detector), explain)


def _by(findings: Iterable[Finding], part: str) -> list[tuple[str, dict[str, int]]]:
    """Return the findings by severity for each value of `part`; [] unless it tells some apart."""
    counts: dict[str, Counter[str]] = {}
    for finding in findings:
        if name := getattr(finding, part):
            counts.setdefault(str(name), Counter())[finding.severity.value] += 1
    return sorted((name, dict(one)) for name, one in counts.items()) if len(counts) > 1 else []


def severity_bars(counted: Iterable[tuple[str, dict[str, int]]]) -> list[Bar]:
    """Return stacked bars, critical first, scaled to the largest total."""
    rows = [(label, counts) for label, counts in counted]
    most = max((sum(counts.values()) for _, counts in rows), default=0)
    bars = []
    for label, counts in rows:
        segments, start = [], 0.0
        for severity in WEIGHT:
            if value := counts.get(severity.value, 0):
                width = max(100 * value / most, NARROWEST)
                segments.append((severity.value, float(value), start, width))
                start += width
        bars.append(Bar(label, sum(counts.values()), segments))
    return sorted(bars, key=lambda bar: -bar.total)[:SHOWN_BARS]


def measured(figures: dict[str, Figure]) -> Measured:
    """Sort a detector's figures by how they are best seen."""
    found = Measured()
    for name, value in figures.items():
        label = name.replace("_", " ")
        if not isinstance(value, dict):
            found.plain.append((label, value))
        elif value and all(isinstance(one, dict) for one in value.values()):
            table = _table(value)
            if table.is_sparse:
                charts = ((row, _numbers(one)) for row, one in value.items())  # type: ignore[arg-type]
                found.bars.extend((f"{label}: {row}", _bars(one)) for row, one in charts if one)
            else:
                found.tables.append((label, table))
        elif numbers := _numbers(value):
            if any(numbers.values()):
                found.bars.append((label, _bars(numbers)))
            else:
                found.plain.append((label, f"none: {', '.join(numbers)}"))
        elif value:
            found.plain.extend((f"{label}: {key}", one) for key, one in value.items())
    return found


def _numbers(values: dict[str, Figure]) -> dict[str, float]:
    """Return `values` if there are several and all are numbers of one sign, else nothing."""
    numbers = {
        key: float(one)
        for key, one in values.items()
        if isinstance(one, int | float) and not isinstance(one, bool) and one >= 0
    }
    return numbers if len(numbers) == len(values) > 1 else {}


def _bars(numbers: dict[str, float]) -> list[Bar]:
    most = max(numbers.values()) or 1.0
    return [
        Bar(label, value, [("", value, 0.0, 100 * value / most)])
        for label, value in list(numbers.items())[:SHOWN_BARS]
    ]


def _table(values: dict[str, Figure]) -> FigureTable:
    rows = {name: one for name, one in values.items() if isinstance(one, dict)}
    heads = list(dict.fromkeys(key for one in rows.values() for key in one))
    return FigureTable(
        heads=[head.replace("_", " ") for head in heads],
        rows=[
            (name, [one.get(head) for head in heads])
            for name, one in list(rows.items())[:SHOWN_BARS]
        ],
    )
