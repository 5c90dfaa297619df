"""The annotation report for people: one page in the look that all pages share."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from pipeline.annotation.indices import miti_style_indices
from pipeline.annotation.questions import QUESTIONS
from pipeline.pages import page_environment
from pipeline.records import Annotation, BehaviourCode

T = TypeVar("T")


@dataclass(frozen=True)
class Bar:
    """One bar of a figure, as wide as its share of the longest."""

    label: str
    total: int
    width: float

    @property
    def segments(self) -> tuple[tuple[str, int, float, float], ...]:
        """The bar's only part: (kind, value, start, width), in percent of the figure."""
        return (("", self.total, 0.0, self.width),)


def annotation_html(report: Mapping[str, Any], annotations: Sequence[Annotation]) -> str:
    """Return the page of the figures of `merge_annotations`; everything from data is escaped."""
    environment = page_environment(Path(__file__).parent / "templates")
    environment.filters["figure"] = _figure
    submitted = [row for row in annotations if row.status == "submitted"]
    return environment.get_template("annotation.html.j2").render(
        report=report,
        agreement=_in_order(report["agreement"]["questions"]),
        titles={name: question.title for name, question in QUESTIONS.items()},
        distributions=_distributions(submitted),
        indices={role: asdict(found) for role, found in _indices(submitted)},
        people={row.annotator for row in annotations if row.role != "source"},
        answers=sum(row.role != "source" for row in submitted),
    )


def _figure(value: float | None, digits: int = 2) -> str:
    """Return a figure; what is undefined says so, and is never 0."""
    return "undefined" if value is None else f"{value:.{digits}f}"


def _in_order(by_question: Mapping[str, T]) -> list[tuple[str, T]]:
    """Return the questions in the order in which people are asked, strange ones last."""
    asked = list(QUESTIONS)
    last = len(asked)
    return sorted(
        by_question.items(), key=lambda one: asked.index(one[0]) if one[0] in asked else last
    )


def _distributions(rows: Iterable[Annotation]) -> list[tuple[str, list[Bar]]]:
    """Return the answers by question, texts left out: ratings in order, others by frequency."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        question = QUESTIONS.get(row.question)
        if row.value is not None and not (question and question.kind == "text"):
            given = row.value if isinstance(row.value, tuple) else (str(row.value),)
            counts[row.question].update(given)
    charts = {
        name: [
            Bar(answer, count, 100 * count / max(found.values()))
            for answer, count in (
                sorted(found.items()) if _is_rating(name) else found.most_common()
            )
        ]
        for name, found in counts.items()
        if found
    }
    return _in_order(charts)


def _is_rating(name: str) -> bool:
    return name in QUESTIONS and QUESTIONS[name].kind == "rating"


def _indices(rows: Iterable[Annotation]) -> Iterable[tuple[str, Any]]:
    codes: defaultdict[str, list[BehaviourCode]] = defaultdict(list)
    for row in rows:
        if row.question == "codes" and isinstance(row.value, tuple):
            codes[row.role] += [BehaviourCode(code) for code in row.value]
    return [(role, miti_style_indices(found)) for role, found in sorted(codes.items())]
