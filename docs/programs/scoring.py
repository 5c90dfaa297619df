"""The study `scoring`, and what the stages measured, in a few lines for people."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.layout import place
from pipeline.storage import read_json

STUDY = Path("reports/studies/scoring")
SAMPLE = Path(place("evaluate_scorers.out", key="honest"))
# On both parts, so it tells how hard they are.
PLAIN = ("15V2", "LR")
HEAD = (
    "",
    "| features | model | protocol | accuracy % (95% interval) | QWK |",
    "|---|---|---|---|---:|",
)


def scoring_table(folder: Path = STUDY) -> str:
    """Return the honest figures, the chosen scorers and the published ones as a Markdown table."""
    published = read_json(folder / "published.json")
    honest = read_json(folder / "honest.json")
    chosen = read_json(folder / "comparisons.json")["targets"]
    best = max(
        (row for row in _of(published, "accuracy") if not row.get("quoted")),
        key=lambda row: row["mean"],
    )
    lines = [
        *HEAD,
        *(
            _line(honest, features, model, "honest")
            for features, model in (
                ("none", "majority"),
                ("type", "LR"),
                ("length", "LR"),
                ("15V2+MITI", "LR"),
                ("15V2+MITI", "MLP"),
                ("15V2+MITI", "LR, nested RFE"),
            )
        ),
        *(
            _line(honest, one["features"], one["model"], f"honest; chosen {name}")
            for name, one in chosen.items()
        ),
        _line(published, "15V2+MITI", "LR", "published"),
        _line(published, best["features"], best["model"], "published, best of 30 on the test part"),
        *(
            _line(published, row["features"], row["model"], "quoted from the paper")
            for row in _of(published, "accuracy")
            if row.get("quoted")
        ),
        "",
        "",
    ]
    return "\n".join(lines)


def sample_table(path: Path = SAMPLE) -> str:
    """Return what the stage `evaluate_scorers` measured last, with what it left out and why."""
    figures = read_json(path)
    tried = dict.fromkeys((row["features"], row["model"]) for row in figures["rows"])
    lines = [
        *HEAD,
        *(_line(figures["rows"], features, model, "honest") for features, model in tried),
        *(
            f"| {one['features']} | {one['model']} | left out: {one['reason']} | | |"
            for one in figures["excluded"]
        ),
        "",
        "",
    ]
    return "\n".join(lines)


def target_lines(folder: Path = STUDY) -> str:
    """Return what was aimed at, what was reached, and what that is beside the paper's method."""
    comparisons = read_json(folder / "comparisons.json")
    lines = [""]
    for name, target in comparisons["targets"].items():
        for metric in ("accuracy", "qwk"):
            one = target[metric]
            said = "reached" if one["reached"] else "missed"
            low, high = one["ci"]
            lines.append(
                f"- chosen {name}, {metric}: {one['mean']:.3f} ({low:.3f} to {high:.3f}), target "
                f"{one['target']:.2f}: {said} after {comparisons['searched']} tried configurations"
            )
        lines += [
            f"- the same less {one['other']}, {one['metric']}: {_difference(one)}"
            for one in target["against the paper's method"]
        ]
    [tried] = [row for row in read_json(folder / "search.json") if _is_plain(row)]
    reported = _found(read_json(folder / "honest.json"), *PLAIN)
    lines.append(
        f"- how unlike the two parts are: {PLAIN[0]} with {PLAIN[1]} has accuracy "
        f"{tried['accuracy']:.3f} and qwk {tried['qwk']:.3f} on the choosing part, "
        f"{reported['accuracy']['mean']:.3f} and {reported['qwk']['mean']:.3f} on the reported one"
    )
    return "\n".join([*lines, "", ""])


def _is_plain(row: dict[str, Any]) -> bool:
    same = (row["features"], row["model"]) == PLAIN
    return same and (row["pool"], row["raters"]) == ("balanced", "none")


def chosen_lines(folder: Path = STUDY) -> str:
    """Return what the chosen scorers are made of; a blend is the geometric mean of its parts."""
    lines = [""]
    for name, target in read_json(folder / "comparisons.json")["targets"].items():
        lines += [f"Chosen {name}: {target['model']}", ""]
        lines += [f"- {one}" for one in target["fitted"]]
        lines.append("")
    return "\n".join([*lines, ""])


def rater_lines(folder: Path = STUDY) -> str:
    """Return how much raters differ, and what taking that out of training does."""
    raters = read_json(folder / "raters.json")
    lines = [""]
    for name, one in raters.items():
        slope = one["rating_points_per_teq_point"]
        told = "unknown"
        if slope is not None:
            told = f"{slope['mean']:.4f} ({slope['ci'][0]:.4f} to {slope['ci'][1]:.4f})"
        lines.append(
            f"- {one['ratings']} ratings of {one['raters']} raters, {name} fixed: "
            f"{100 * one['share_between_raters']:.1f}% of what is left is between raters; "
            f"rating points per point of the questionnaire: {told}"
        )
    effects = read_json(folder / "comparisons.json")["leniency taken out less left in"]
    lines += [
        f"- {one['ours']}, less the same with leniency left in: {one['metric']} {_difference(one)}"
        for one in effects
    ]
    return "\n".join([*lines, "", ""])


def _difference(one: dict[str, Any]) -> str:
    low, high = one["ci"]
    return f"{one['mean']:+.4f} ({low:+.4f} to {high:+.4f})"


def _found(rows: list[dict[str, Any]], features: str, model: str) -> dict[str, Any]:
    return {
        row["metric"]: row for row in rows if (row["features"], row["model"]) == (features, model)
    }


def _of(rows: list[dict[str, Any]], metric: str) -> list[dict[str, Any]]:
    return [row for row in rows if row["metric"] == metric]


def _line(rows: list[dict[str, Any]], features: str, model: str, protocol: str) -> str:
    found = _found(rows, features, model)
    right = found["accuracy"]
    low, high = right["ci"]
    kappa = f"{found['qwk']['mean']:.2f}" if "qwk" in found else ""
    return (
        f"| {features} | {model} | {protocol} | {100 * right['mean']:.2f} "
        f"({100 * low:.1f} to {100 * high:.1f}) | {kappa} |"
    )
