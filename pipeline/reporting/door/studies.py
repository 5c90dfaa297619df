"""What the studies on real dialogues found, for the sections that they belong to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pipeline.reporting.door.contests import interval, meetings
from pipeline.reporting.door.sections import BASE, Known
from pipeline.reporting.facts import Fact, NotBuilt, holding

SCORING = "reports/studies/scoring/comparisons.json"
STUDENT = "reports/studies/student/evaluation.json"
STUDENT_TARGET = "reports/studies/student/target.json"
REWARD = "reports/studies/reward/target.json"
MEASURES = (("accuracy", "accuracy"), ("qwk", "weighted kappa"))
MISMATCH = "reports/studies/reward/mismatch.json"


def scorers(known: Known) -> dict[str, Any]:
    """Return the chosen scorers, what they reached and what was aimed at."""
    found = known.facts.need(SCORING)
    return {
        "files": [SCORING],
        "searched": found["searched"],
        "chosen": [
            (one, [(title, one[name], interval(one[name], "mean")) for name, title in MEASURES])
            for one in found["targets"]
        ],
    }


def students(known: Known) -> dict[str, Any]:
    """Return the student of both steps against the base and against that of the first one."""
    rows = [
        one
        for one in known.facts.need(STUDENT)
        if one["model"].raw == "dpo" and one["opponent"].raw in (BASE, "sft")
    ]
    target = known.facts.find(STUDENT_TARGET)
    return {
        "files": [STUDENT, STUDENT_TARGET],
        "meetings": meetings(rows),
        "target": None if isinstance(target, NotBuilt) else target,
        "met_of": None if isinstance(target, NotBuilt) else _met(target),
    }


def _met(target: Fact) -> dict[str, Any]:
    contests = target["contests"]
    return {"count": holding([one["reached"] for one in contests]), "of": contests.entries}


def reward_models(known: Known) -> dict[str, Any]:
    """Return what prototypes are worth where labels are few, and the published recipe's flaw."""
    target = known.facts.need(REWARD)
    mismatch = known.facts.find(MISMATCH)
    return {
        "files": [REWARD, MISMATCH],
        "target": target,
        "reached": target["reached_with_few"].raw and not target["worse_at_full"].raw,
        "few": [(one, interval(one, "paired_difference", "paired_ci")) for one in target["few"]],
        "mismatch": None if isinstance(mismatch, NotBuilt) else mismatch,
    }


STUDIES: dict[str, Callable[[Known], dict[str, Any]]] = {
    "scorers": scorers,
    "students": students,
    "reward_models": reward_models,
}
