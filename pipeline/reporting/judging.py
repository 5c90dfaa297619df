"""The study `judging`, and the student study's table, in a few lines for docs/evaluation.md."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.evaluation.comparison import ComparisonRow
from pipeline.reporting.comparison import agreement_table, comparison_table, rate
from pipeline.storage import read_json

STUDY = Path("reports/studies/judging")
STUDENT = Path("reports/studies/student")
TEST_SETS = ("papers", "random")


def judge_table(folder: Path = STUDY) -> str:
    """Return what each judge is worth on replies that people rated, by test set."""
    lines = [
        "| judge | reads | test set | QWK | rank correlation | prefers the better rated % "
        "| prefers the reply that belongs here % |",
        "|---|---|---|---:|---:|---|---|",
    ]
    for name, judge in read_json(folder / "judges.json").items():
        for test_set in TEST_SETS:
            one = judge[test_set]
            own = one.get("own_over_misplaced_reply")
            lines.append(
                f"| {name} | {judge.get('features', 'number of words')} | {test_set} "
                f"| {_number(one.get('qwk'))} | {_number(one.get('spearman'))} "
                f"| {_accuracy(one['strict_pairs'])} | {_accuracy(own) if own else '-'} |"
            )
    return "\n".join(["", *lines, "", ""])


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _accuracy(found: dict[str, Any]) -> str:
    return f"{rate(found['accuracy'], found['ci'])}, n {found['pairs']:,}"


def responder_table(folder: Path = STUDY) -> str:
    """Return mean ratings by responder, people's and each judge's, and the rank correlations."""
    lines = []
    for test_set, judges in read_json(folder / "responders.json").items():
        names = list(judges)
        rated = judges[names[0]]["rated"]
        lines += [
            "",
            f"| responder, test set {test_set} | rated by people | "
            + " | ".join(f"expected by {name}" for name in names)
            + " |",
            "|---|---:|" + "---:|" * len(names),
        ]
        for responder in sorted(rated, key=lambda one: -rated[one]):
            cells = " | ".join(f"{judges[name]['judged'][responder]:.2f}" for name in names)
            lines.append(f"| {responder} | {rated[responder]:.2f} | {cells} |")
        for label, measure in (("Kendall's tau", "kendall"), ("Spearman's rho", "spearman")):
            cells = " | ".join(f"{judges[name][measure]:.2f}" for name in names)
            lines.append(f"| {label} | | {cells} |")
    return "\n".join([*lines, "", ""])


def responders_over_people(folder: Path = STUDY) -> str:
    """Return the rated responders and the null models over people's replies, by every judge."""
    rows = read_json(folder / "comparison.json")
    agreements = read_json(folder / "agreement.json")
    return "\n".join(["", _table(rows), agreement_table(agreements), ""])


def student_table(folder: Path = STUDENT) -> str:
    """Return the student study's comparison table, or that it was not run yet."""
    if not (folder / "evaluation.json").is_file():
        return "\nNot run yet: `distillery study student --data DIR`.\n\n"
    return "\n".join(["", _table(read_json(folder / "evaluation.json")), ""])


def pair_filter_table(folder: Path = STUDENT) -> str:
    """Return how often each DPO student prefers the chosen side of held-out strict pairs."""
    if not (folder / "pair_filters.json").is_file():
        return "\nNot run yet: `distillery study student --data DIR`.\n\n"
    lines = [
        "| held-out pairs | student | pairs | prefers the chosen side % (95% interval) |",
        "|---|---|---:|---|",
    ]
    for kind, students in read_json(folder / "pair_filters.json").items():
        for name, one in students.items():
            lines.append(
                f"| {kind} | {name} | {one.get('pairs', '')} | {rate(one['value'], one['ci'])} |"
            )
    return "\n".join(["", *lines, "", ""])


def _table(rows: list[dict[str, Any]]) -> str:
    return comparison_table([ComparisonRow.model_validate(row) for row in rows])
