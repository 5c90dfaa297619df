"""The annotation report as one HTML file that loads nothing from elsewhere."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pipeline.annotation.indices import miti_style_indices
from pipeline.annotation.questions import QUESTIONS
from pipeline.records import Annotation, BehaviourCode

TEMPLATE = Path(__file__).with_name("page.html")


def render_page(report: dict[str, Any], annotations: Sequence[Annotation]) -> str:
    """Return the page. Everything from data is escaped."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.filters["number"] = _number
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    submitted = [row for row in annotations if row.status == "submitted"]
    return template.render(
        report=report,
        titles={name: question.title for name, question in QUESTIONS.items()},
        distributions=_distributions(submitted),
        indices={role: asdict(found) for role, found in _indices(submitted)},
    )


def _number(value: float | None, digits: int = 2) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _distributions(rows: Iterable[Annotation]) -> dict[str, list[tuple[str, int, float]]]:
    """Return (answer, count, share of the largest) by question, texts left out."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        question = QUESTIONS.get(row.question)
        if row.value is not None and not (question and question.kind == "text"):
            given = row.value if isinstance(row.value, tuple) else (str(row.value),)
            counts[row.question].update(given)
    return {
        question: [
            (answer, count, count / max(found.values())) for answer, count in found.most_common()
        ]
        for question, found in sorted(counts.items())
        if found
    }


def _indices(rows: Iterable[Annotation]) -> Iterable[tuple[str, Any]]:
    codes: defaultdict[str, list[BehaviourCode]] = defaultdict(list)
    for row in rows:
        if row.question == "codes" and isinstance(row.value, tuple):
            codes[row.role] += [BehaviourCode(code) for code in row.value]
    return [(role, miti_style_indices(found)) for role, found in sorted(codes.items())]
