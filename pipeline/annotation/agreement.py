"""Agreement between annotators: per question, per code, per pair of annotators, over time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from pipeline.annotation.bands import SOURCES, BandName, band
from pipeline.statistics.agreement import (
    Counts,
    Scale,
    cohen_kappa,
    gwet_ac,
    icc_2_1,
    krippendorff_alpha,
    raw_agreement,
)
from pipeline.statistics.bootstrap import RESAMPLES, Floats, Statistic, interval

UNDEFINED = "undefined: fewer than two shared items, or no variation"


@dataclass(frozen=True)
class GivenAnswer:
    """One row of a long table. `unit` is what is compared, `cluster` what is drawn by a bootstrap.

    `value` is a number, a text, or a set of labels; `period` groups answers over time.
    """

    unit: str
    cluster: str
    annotator: str
    question: str
    value: int | float | str | tuple[str, ...]
    period: str | None = None


@dataclass(frozen=True)
class Options:
    """How a report is made; `scales` and `categories` are by question, where they are known."""

    scales: dict[str, Scale]
    categories: dict[str, tuple[str, ...]]
    bands: BandName = "cicchetti"
    resamples: int = RESAMPLES
    seed: int = 0


def agreement_report(answers: Iterable[GivenAnswer], options: Options) -> dict[str, Any]:
    """Return every coefficient with its interval; an undefined one is None with the reason."""
    by_question: defaultdict[str, list[GivenAnswer]] = defaultdict(list)
    for answer in answers:
        by_question[answer.question].append(answer)
    return {
        "bands": SOURCES[options.bands],
        "interval": f"95% bootstrap by item, {options.resamples} resamples",
        "questions": {
            name: _question(rows, name, options) for name, rows in sorted(by_question.items())
        },
    }


def live_alpha(answers: Iterable[GivenAnswer]) -> dict[str, float | None]:
    """Return alpha alone, by question: quick enough to ask while people work."""
    report = agreement_report(answers, Options(scales={}, categories={}, resamples=1))
    return {
        name: facts["overall"]["krippendorff_alpha"]["value"]
        for name, facts in report["questions"].items()
        if "overall" in facts
    }


def _question(rows: Sequence[GivenAnswer], name: str, options: Options) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "units": len({row.unit for row in rows}),
        "annotators": len({row.annotator for row in rows}),
        "answers": len(rows),
    }
    if any(isinstance(row.value, tuple) for row in rows):
        return facts | {"codes": _per_code(rows, name, options)}
    scale = options.scales.get(name) or _guess_scale(rows)
    matrix = _matrix(rows, options.categories.get(name), scale)
    facts |= {"scale": scale, "overall": _coefficients(matrix, options)}
    facts["pairs"] = _pairs(matrix, options)
    if periods := _periods(rows, scale, options.categories.get(name), options):
        facts["over_time"] = periods
    return facts


def _per_code(rows: Sequence[GivenAnswer], name: str, options: Options) -> dict[str, Any]:
    """Ask of each code whether it was given, and how often each item has it."""
    sets = [(row, row.value if isinstance(row.value, tuple) else (str(row.value),)) for row in rows]
    codes = options.categories.get(name) or tuple(
        sorted({code for _, given in sets for code in given})
    )
    report = {}
    for code in codes:
        given = [
            GivenAnswer(row.unit, row.cluster, row.annotator, name, int(code in labels), row.period)
            for row, labels in sets
        ]
        matrix = _matrix(given, ("0", "1"), "nominal")
        report[code] = {
            "given": sum(int(row.value) for row in given if not isinstance(row.value, tuple)),
            "overall": _coefficients(matrix, options),
            "pairs": _pairs(matrix, options),
            "counts_icc_2_1": _count_icc(given, options),
        }
    return report


@dataclass(frozen=True)
class _Matrix:
    """Ratings as numbers of categories, items x raters, -1 where there is none."""

    codes: Counts
    clusters: tuple[str, ...]
    annotators: tuple[str, ...]
    values: Floats
    scale: Scale


def _matrix(
    rows: Sequence[GivenAnswer], categories: tuple[str, ...] | None, scale: Scale
) -> _Matrix:
    if categories is None:
        found = {row.value for row in rows}
        categories = tuple(str(value) for value in sorted(found, key=_order))
    number = {category: index for index, category in enumerate(categories)}
    clusters = {row.unit: row.cluster for row in rows}
    units = {unit: index for index, unit in enumerate(clusters)}
    annotators = tuple(sorted({row.annotator for row in rows}))
    columns = {name: index for index, name in enumerate(annotators)}
    codes = np.full((len(units), len(annotators)), -1, dtype=np.int64)
    for row in rows:
        codes[units[row.unit], columns[row.annotator]] = number[str(row.value)]
    values = np.arange(len(categories), dtype=float)
    if scale == "interval":
        values = np.array([float(category) for category in categories])
    return _Matrix(codes, tuple(clusters.values()), annotators, values, scale)


def _order(value: Any) -> tuple[int, float, str]:
    return (0, float(value), "") if isinstance(value, (int, float)) else (1, 0.0, str(value))


def _guess_scale(rows: Sequence[GivenAnswer]) -> Scale:
    return "ordinal" if all(isinstance(row.value, (int, float)) for row in rows) else "nominal"


def _coefficients(matrix: _Matrix, options: Options) -> dict[str, Any]:
    size = len(matrix.values)
    made: dict[str, Callable[[], Statistic]] = {
        "agreement": lambda: raw_agreement(matrix.codes, size),
        "krippendorff_alpha": lambda: krippendorff_alpha(matrix.codes, matrix.values, matrix.scale),
        "gwet_ac1": lambda: gwet_ac(matrix.codes, size, "identity"),
    }
    if matrix.scale != "nominal":
        made["gwet_ac2_quadratic"] = lambda: gwet_ac(matrix.codes, size, "quadratic")
    complete = np.asarray((matrix.codes >= 0).all(axis=1))
    if matrix.scale == "interval":
        made["icc_2_1"] = lambda: icc_2_1(matrix.values[matrix.codes[complete]])
    kept = {
        name: [cluster for cluster, whole in zip(matrix.clusters, complete, strict=True) if whole]
        if name == "icc_2_1"
        else matrix.clusters
        for name in made
    }
    found = {name: _estimate(make(), kept[name], options) for name, make in made.items()}
    # The bands are for coefficients that are corrected for chance.
    found["agreement"]["band"] = None
    return found


def _estimate(statistic: Statistic, clusters: Sequence[str], options: Options) -> dict[str, Any]:
    value = statistic.estimate()
    if value is None:
        return {"value": None, "reason": UNDEFINED}
    limits = interval(statistic, seed=options.seed, clusters=clusters, resamples=options.resamples)
    low, high = limits or (None, None)
    return {"value": value, "low": low, "high": high, "band": band(value, options.bands)}


def _pairs(matrix: _Matrix, options: Options) -> list[dict[str, Any]]:
    size = len(matrix.values)
    report = []
    for left, right in combinations(range(len(matrix.annotators)), 2):
        codes = matrix.codes[:, [left, right]]
        shared = np.asarray((codes >= 0).all(axis=1))
        clusters = [name for name, both in zip(matrix.clusters, shared, strict=True) if both]
        row: dict[str, Any] = {
            "annotators": [matrix.annotators[left], matrix.annotators[right]],
            "units": int(shared.sum()),
            "cohen_kappa": _estimate(cohen_kappa(codes, size, "identity"), clusters, options),
        }
        if matrix.scale != "nominal":
            quadratic = cohen_kappa(codes, size, "quadratic")
            row["weighted_kappa_quadratic"] = _estimate(quadratic, clusters, options)
        report.append(row)
    return report


def _count_icc(given: Sequence[GivenAnswer], options: Options) -> dict[str, Any]:
    """Return ICC(2,1) of how often a code was given per item, over items that all coded."""
    totals: defaultdict[str, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in given:
        if not isinstance(row.value, tuple):
            totals[row.cluster][row.annotator] += int(row.value)
    annotators = sorted({row.annotator for row in given})
    whole = {item: counts for item, counts in totals.items() if len(counts) == len(annotators)}
    table = np.array([[counts[name] for name in annotators] for counts in whole.values()], float)
    statistic = icc_2_1(table.reshape(len(whole), len(annotators)))
    return _estimate(statistic, list(whole), options)


def _periods(
    rows: Sequence[GivenAnswer], scale: Scale, categories: tuple[str, ...] | None, options: Options
) -> dict[str, Any]:
    periods = sorted({row.period for row in rows if row.period})
    if len(periods) < 2:
        return {}
    report = {}
    for period in periods:
        matrix = _matrix([row for row in rows if row.period == period], categories, scale)
        alpha = krippendorff_alpha(matrix.codes, matrix.values, scale)
        report[period] = {"krippendorff_alpha": _estimate(alpha, matrix.clusters, options)}
    return report
