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
QUALITIES = (
    "strict_pairs",
    "own_over_misplaced_reply",
    "own_reply_over_echo",
    "longer_of_equals",
)


def judge_table(folder: Path = STUDY) -> str:
    """Return what each judge is worth on replies that people rated, by test set."""
    lines = [
        "| judge | reads | test set | QWK | rank correlation | prefers the better rated % "
        "| the reply that belongs here % | a reply to an echo % | the longer of equals % |",
        "|---|---|---|---:|---:|---|---|---|---|",
    ]
    for name, judge in read_json(folder / "judges.json").items():
        reads = [judge.get("features", "number of words"), judge.get("relevance")]
        for test_set in TEST_SETS:
            one = judge[test_set]
            cells = [_accuracy(one[of]) if of in one else "-" for of in QUALITIES]
            lines.append(
                f"| {name} | {'; '.join(filter(None, reads))} | {test_set} "
                f"| {_number(one.get('qwk'))} | {_number(one.get('spearman'))} "
                f"| {' | '.join(cells)} |"
            )
    return "\n".join(["", *lines, "", ""])


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _accuracy(found: dict[str, Any]) -> str:
    return f"{rate(found['accuracy'], found['ci'])}, n {found['pairs']:,}"


def trial_table(folder: Path = STUDY) -> str:
    """Return what was tried as a judge, on the judges' own dialogues."""
    lines = [
        "| tried | reads | model | relevance | the better rated % | the reply that belongs % "
        "| a reply to an echo % | the longer of equals % |",
        "|---|---|---|---|---:|---:|---:|---:|",
    ]
    for one in read_json(folder / "trials.json"):
        name = f"**{one['judge']}**" if one["chosen"] else one["judge"]
        share = f", {one['belonging']:g} belong" if one.get("relevance") else ""
        cells = " | ".join(f"{100 * one[of]:.1f}" for of in QUALITIES)
        lines.append(
            f"| {name} | {one['features']} | {one['model']} "
            f"| {one.get('relevance') or '-'}{share} | {cells} |"
        )
    return "\n".join(["", *lines, "", ""])


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
        return "\nNot run yet: `python -m studies student --data DIR`.\n\n"
    return "\n".join(["", _table(read_json(folder / "evaluation.json")), ""])


def taught_table(folder: Path = STUDENT) -> str:
    """Return what each student was taught, and where its training ended."""
    lines = [
        "| student | step | rows | learning rate | last loss | right on its pairs % | minutes |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    for name, one in read_json(folder / "training.json")["students"].items():
        last = one["curve"][-1]
        accuracy = f"{100 * last['accuracy']:.0f}" if "accuracy" in last else "-"
        lines.append(
            f"| {name} | {one['kind']} | {one['trained_rows']} "
            f"| {one['params']['learning_rate']:g} | {last['loss']:.2f} | {accuracy} "
            f"| {one['wall_s'] / 60:.0f} |"
        )
    return "\n".join(["", *lines, "", ""])


def reached_table(opponent: str, folder: Path = STUDENT) -> str:
    """Return everyone's win rates over `opponent`, at equal length too, by new and former judges.

    One line per model and test set, one column per judge: the whole replies, then those of equal
    length by the judges of the study alone.
    """
    rows = read_json(folder / "evaluation.json")
    before = read_json(folder / "evaluation_before.json")
    judges = list(dict.fromkeys(row["judge"] for row in rows))
    former = list(dict.fromkeys(row["judge"] for row in before))
    found = {
        (row["model"], row["test_set"], row["judge"], row["length_matched"]): row
        for row in (*rows, *before)
        if row["opponent"] == opponent
    }
    columns = [(judge, False) for judge in judges]
    columns += [(judge, True) for judge in judges]
    columns += [(judge, False) for judge in former]
    heads = [f"{judge}{', equal length' if matched else ''} %" for judge, matched in columns]
    lines = [
        f"| over {opponent} | test set | {' | '.join(heads)} |",
        "|---|---|" + "---|" * len(columns),
    ]
    for model in dict.fromkeys(model for model, *_ in found):
        for test_set in TEST_SETS:
            cells = [found[model, test_set, *column] for column in columns]
            lines.append(
                f"| {model} | {test_set} | "
                + " | ".join(rate(one["win_rate"], one["ci"]) for one in cells)
                + " |"
            )
    return "\n".join(["", *lines, "", ""])


def reply_table(folder: Path = STUDENT) -> str:
    """Return how long everyone's replies are, how varied, and what the audit finds in them."""
    lines = [
        "| replies of | words | different replies % | shared with the utterance % "
        "| warnings per 100 | critical per 100 |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name, one in read_json(folder / "replies.json")["models"].items():
        audit = one["audit"]
        lines.append(
            f"| {name} | {one['words_mean']:.0f} | {100 * one['different_replies']:.0f} "
            f"| {100 * one['overlap_with_utterance']:.0f} "
            f"| {audit['warning_per_100']:.1f} | {audit['critical_per_100']:.1f} |"
        )
    return "\n".join(["", *lines, "", ""])


def pair_filter_table(folder: Path = STUDENT) -> str:
    """Return how often each DPO student prefers the chosen side of held-out strict pairs."""
    if not (folder / "pair_filters.json").is_file():
        return "\nNot run yet: `python -m studies student --data DIR`.\n\n"
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
