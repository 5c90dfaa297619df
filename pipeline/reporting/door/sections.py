"""What each section of the page shows, read from the files of the build."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.layout import place
from pipeline.reporting.built_pages import maker_of
from pipeline.reporting.cards.corpus import (
    ANNOTATIONS,
    AUDIT,
    COUNTS,
    INGEST,
    METHODS,
    alphas,
    audit_names,
)
from pipeline.reporting.door.contests import Interval, interval, meetings
from pipeline.reporting.door.curve import Curve, Measured, curve
from pipeline.reporting.door.states import State
from pipeline.reporting.facts import (
    Fact,
    Facts,
    Figure,
    NotBuilt,
    NotBuiltError,
    number,
    text_of,
    total,
)

SCORER = place("train_scorer.metrics")
SELECTION = place("select_annotations.metrics")
EVALUATION = place("evaluate.evaluation")
BASE = "base"
STUDENTS = "reports/metrics/students"
REWARD = place("train_reward.metrics")
CURVE = place("reward_curve.metrics")


@dataclass(frozen=True)
class Known:
    """What the sections are made from."""

    facts: Facts
    params: Mapping[str, Any]
    states: Mapping[str, State]

    def command(self, file: str) -> str:
        """Return what makes `file`."""
        return self.facts.graph.command_for(file)

    def page(self, file: str) -> str | None:
        """Return the address of a file under reports/, from the page; None if none can be made."""
        root = self.facts.root
        there = (root / file).is_file() or maker_of(root, file) is not None
        return file.removeprefix("reports/") if there else None

    def there(self, files: Sequence[str]) -> list[str]:
        """Return those of `files` that the build has."""
        return [file for file in files if self.page(file)]


def corpora(known: Known) -> dict[str, Any]:
    """Return the source and one row per corpus."""
    facts = known.facts
    counts = facts.need(COUNTS)["corpora"]
    described = known.params.get("corpora", {})
    return {
        "files": [INGEST, COUNTS],
        "ingest": facts.need(INGEST),
        "splits": facts.need(COUNTS)["splits"],
        "corpora": [
            {
                "name": one.called,
                "strict": one["strict"],
                "authors": one["authors"],
                "method": METHODS.get(str(described.get(one.pointer[-1], {}).get("method")), "–"),
                "teachers": [
                    text_of(str(label))
                    for label in described.get(one.pointer[-1], {}).get("teachers", ())
                ],
                "card": known.page(f"reports/cards/{one.pointer[-1]}.md"),
            }
            for one in counts
        ],
    }


@dataclass(frozen=True)
class Light:
    """A traffic light of one audited table; `fact` its counts, None if it was not audited."""

    state: str
    word: str
    fact: Fact | None = None
    page: str | None = None


def gates(known: Known) -> dict[str, Any]:
    """Return for each corpus the verdict of its gate and the lights of its audits."""
    facts = known.facts
    audit = facts.find(AUDIT)
    names = [one.called for one in facts.need(COUNTS)["corpora"]]
    verdicts = [facts.find(place("validation", key=one.value)) for one in names]
    return {
        "files": [AUDIT, place("expectations")],
        "rows": [
            (name, verdict, _verdict(verdict), [_light(known, audit, one) for one in tables])
            for name, verdict in zip(names, verdicts, strict=True)
            for tables in [audit_names(str(name.value))]
        ],
        "source": _light(known, audit, "source"),
        "waived": total([one["waived"] for one in audit]) if audit else None,
        "validation": known.page(place("report.validation")),
    }


def _verdict(verdict: Fact | NotBuilt) -> Light:
    if isinstance(verdict, NotBuilt):
        return Light("off", "not run")
    if not verdict["passed"].raw:
        return Light("critical", "failed")
    loud = verdict["failed"]["warning"].raw
    return Light("warning" if loud else "good", "passed, with warnings" if loud else "passed")


def _light(known: Known, audit: Fact | NotBuilt, table: str) -> Light:
    found = None if isinstance(audit, NotBuilt) else audit.get(table)
    if found is None:
        return Light("off", "not audited")
    page = known.page(f"{place('report.audits')}/{table}/index.html")
    if found["failed_detectors"].raw:
        return Light("critical", "a detector failed", found, page)
    if number(found["critical"]) > number(found["waived"]):
        return Light("critical", "critical", found, page)
    if found["critical"].raw:
        return Light("warning", "waived", found, page)
    if found["warning"].raw:
        return Light("warning", "warnings", found, page)
    return Light("good", "clear", found, page)


def annotation(known: Known) -> dict[str, Any]:
    """Return progress, agreement and what is to be labelled next."""
    facts = known.facts
    report = facts.need(ANNOTATIONS)
    return {
        "files": [ANNOTATIONS, SELECTION],
        "report": report,
        "alphas": alphas(report),
        "selection": facts.find(SELECTION),
        "page": known.page(place("report.annotation")),
    }


@dataclass(frozen=True)
class Scored:
    """A model with its measures, None where it has none of that name."""

    name: str
    measures: list[Fact | None]


MEASURES = ("accuracy", "macro_f1", "qwk", "calibration_error")


def scorers(known: Known) -> dict[str, Any]:
    """Return the scorer beside the nulls that it must beat."""
    found = known.facts.need(SCORER)
    rows = [Scored("scorer", _measures(found["scorer"]))]
    rows += [Scored(f"null: {one.pointer[-1]}", _measures(one)) for one in found["nulls"]]
    return {
        "files": [SCORER],
        "scorer": found,
        "rows": rows,
        "card": known.page("reports/cards/models/scorer.md"),
    }


def _measures(model: Fact) -> list[Fact | None]:
    found = [model.get(name) for name in MEASURES]
    for one in found:
        if one is not None:
            number(one)
    return found


def students(known: Known) -> dict[str, Any]:
    """Return every training of a student, and every comparison with an opponent."""
    files = student_files(known)
    evaluation = known.facts.find(EVALUATION)
    if isinstance(evaluation, NotBuilt) and not files:
        raise NotBuiltError(evaluation.file, evaluation.command)
    # What a training brought; outside comparators and nulls are on the page of comparisons.
    own = [
        one
        for one in evaluation
        if one["model"].raw in files and one["opponent"].raw in {*files, BASE}
    ]
    return {
        "files": [EVALUATION, *files.values()],
        "trained": [
            (name, known.page(f"reports/cards/models/{name}.md"), known.facts.need(file))
            for name, file in files.items()
        ],
        "meetings": meetings(own or evaluation),
        "page": known.page(f"{place('report.comparison')}/index.html"),
    }


def student_files(known: Known) -> dict[str, str]:
    """Return the name of each training of a student with the file of its measures.

    Only of students that params name: git keeps the measures of others too.
    """
    folder = known.facts.root / STUDENTS
    named = known.params.get("students") or ()
    return {
        f"{path.stem}-{path.parent.name}": f"{STUDENTS}/{path.parent.name}/{path.name}"
        for path in sorted(folder.glob("*/*.json"))
        if path.parent.name in named
    }


def reward_models(known: Known) -> dict[str, Any]:
    """Return the reward model in use, and the learning curves, one drawing per data set."""
    used, found = known.facts.find(REWARD), known.facts.find(CURVE)
    if isinstance(used, NotBuilt) and isinstance(found, NotBuilt):
        raise NotBuiltError(found.file, found.command)
    by_data: dict[str, list[tuple[Fact, Interval | None]]] = {}
    for one in found:
        by_data.setdefault(str(one["data"].raw), []).append((one, interval(one, "accuracy")))
    return {
        "files": [REWARD, CURVE],
        "used": used,
        "linear": used.get("linear") if isinstance(used, Fact) else None,
        "by_data": [(rows[0][0]["data"].figure, rows, _curve(rows)) for rows in by_data.values()],
        "card": known.page("reports/cards/models/reward.md"),
    }


def _curve(rows: Sequence[tuple[Fact, Interval | None]]) -> Curve | None:
    series: dict[str, list[tuple[float, Measured]]] = {}
    for one, right in rows:
        if right is not None:
            name = str(one["model"].raw)
            series.setdefault(name, []).append((number(one["fraction"]), right))
    return curve(series)


def calls(known: Known) -> dict[str, Any]:
    """Return what was asked of teachers, and what it cost."""
    names = known.params.get("distillations", {})
    files = [place("distil.metrics", key=name) for name in names]
    found = [known.facts.find(file) for file in files]
    there = [one for one in found if isinstance(one, Fact)]
    return {"files": files[:1], "rows": there, "asked": bool(names), "sums": _sums(there)}


def _sums(rows: Sequence[Fact]) -> dict[str, Figure]:
    return {
        name: total([row[name] for row in rows])
        for name in ("asked", "completions", "tokens_in", "tokens_out", "usd")
        if rows and all(row[name].raw is not None for row in rows)
    }


SECTIONS: dict[str, tuple[str, Callable[[Known], dict[str, Any]]]] = {
    "corpora": ("Corpora", corpora),
    "gates": ("Gates and audit", gates),
    "annotation": ("Annotation", annotation),
    "scorers": ("Scorers", scorers),
    "students": ("Students", students),
    "reward_models": ("Reward models", reward_models),
    "calls": ("Calls and cost", calls),
}
