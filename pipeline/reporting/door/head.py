"""The head of the page: one sentence, and the figures that people ask for first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.errors import PipelineError
from pipeline.layout import place
from pipeline.reporting.cards.corpus import ANNOTATIONS, AUDIT, COUNTS, INGEST
from pipeline.reporting.door.sections import BASE, EVALUATION, SCORER, Known, student_files
from pipeline.reporting.facts import (
    NotBuilt,
    NotBuiltError,
    fixed,
    holding,
    number,
    percent,
    total,
)


@dataclass(frozen=True)
class Verdict:
    """The one sentence; `state` is the class of its light."""

    state: str
    text: str
    reasons: Sequence[str] = ()


@dataclass(frozen=True)
class Tile:
    """One figure with what it is out of."""

    label: str
    value: Any
    note: str = ""
    of: Any = None


def verdict(known: Known, broken: Iterable[str]) -> Verdict:
    """Return the worst that is known of the build."""
    bad = [f"the section “{title}” cannot be read" for title in broken]
    bad += [f"stage {name} failed" for name, one in known.states.items() if one.kind == "failed"]
    bad += [f"the gate of {name} failed" for name in _failed_gates(known)]
    bad += [f"the audit of {name} has open critical findings" for name in _critical_audits(known)]
    if bad:
        return Verdict("critical", "Do not train on this build yet", bad)
    late = [name for name, one in known.states.items() if one.light == "warning"]
    if late:
        return Verdict("warning", "Not all of this build is up to date", [", ".join(late)])
    if not any(one.light == "good" for one in known.states.values()):
        return Verdict("warning", "Nothing is built yet", ["type: make repro"])
    if not _gates(known):
        return Verdict("warning", "No gate has looked at this build", ["type: dvc repro validate"])
    return Verdict("good", "Every gate that was run has passed, and nothing critical is open")


def _failed_gates(known: Known) -> list[str]:
    return [name for name, passed in _gates(known) if passed is False]


def _gates(known: Known) -> list[tuple[str, Any]]:
    try:
        names = [one.pointer[-1] for one in known.facts.need(COUNTS)["corpora"]]
        found = [(n, known.facts.find(place("validation", key=n))) for n in names]
        return [(name, one["passed"].raw) for name, one in found if not isinstance(one, NotBuilt)]
    except PipelineError:  # its section says what is wrong
        return []


def _critical_audits(known: Known) -> list[str]:
    try:
        found = known.facts.find(AUDIT)
        return [
            one.pointer[-1]
            for one in found
            if number(one["critical"]) > number(one["waived"]) or one["failed_detectors"].raw
        ]
    except PipelineError:  # its section says what is wrong
        return []


def tiles(known: Known) -> list[Tile]:
    """Return the figures that can be read."""
    found = []
    for make in (_exchanges, _gates_passed, _critical, _labels, _scorer, _student):
        try:
            found.append(make(known))
        except PipelineError:  # its section says what is wrong
            continue
    return found


def _exchanges(known: Known) -> Tile:
    return Tile("Exchanges", known.facts.need(INGEST)["exchanges"], "read from the source")


def _gates_passed(known: Known) -> Tile:
    names = [one.pointer[-1] for one in known.facts.need(COUNTS)["corpora"]]
    verdicts = [known.facts.find(place("validation", key=name)) for name in names]
    passed = holding([one["passed"] for one in verdicts if not isinstance(one, NotBuilt)])
    return Tile("Gates passed", passed, "corpora", known.facts.need(COUNTS)["corpora"].entries)


def _critical(known: Known) -> Tile:
    audit = known.facts.need(AUDIT)
    found = total([one["critical"] for one in audit])
    waived = found.value == total([one["waived"] for one in audit]).value > 0
    return Tile("Critical findings", found, "all of them waived" if waived else "of the audit")


def _labels(known: Known) -> Tile:
    report = known.facts.need(ANNOTATIONS)
    return Tile("Labels", total(list(report["final_labels"])), "final")


def _scorer(known: Known) -> Tile:
    return Tile("Scorer", fixed(known.facts.need(SCORER)["scorer"]["qwk"]), "weighted kappa")


def _student(known: Known) -> Tile:
    names = student_files(known)
    rates = [
        one
        for one in known.facts.need(EVALUATION)
        if one["opponent"].raw == BASE and not one["length_matched"].raw and one["win_rate"].raw
    ]
    own = [one for one in rates if one["model"].raw in names] or rates
    if not own:
        raise NotBuiltError(EVALUATION, known.command(EVALUATION))
    last_step = [one for one in own if str(one["model"].raw).startswith("dpo")] or own
    widest = max(last_step, key=lambda one: number(one["n"]))
    return Tile("Student", percent(widest["win_rate"]), "won against its base")
