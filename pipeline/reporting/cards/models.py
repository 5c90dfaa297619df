"""Cards of trained models: scorers, students, reward models."""

from __future__ import annotations

from typing import Any

from pipeline import model_cards
from pipeline.layout import place
from pipeline.model_cards import Kind
from pipeline.reporting.cards.rendering import Card, render_card
from pipeline.reporting.facts import Fact, Facts, NotBuilt
from pipeline.sources.licences import may_be_published

SCORER = "datasets/scorer/scorer.json"
SCORER_METRICS = place("train_scorer.metrics")
REWARD = "datasets/reward/reward.json"
REWARD_METRICS = place("train_reward.metrics")
STUDENT_METRICS = "reports/metrics/students"
EVALUATION = place("evaluate.evaluation")
INGEST = place("ingest.metrics")


def build_model_cards(facts: Facts) -> dict[str, Card]:
    """Return the card of each model that is there, by its name."""
    found = {"scorer": _scorer(facts), "reward": _reward(facts)}
    for path in sorted((facts.root / STUDENT_METRICS).glob("*/*.json")):
        found[f"{path.stem}-{path.parent.name}"] = _student(facts, path.parent.name, path.stem)
    return {name: card for name, card in found.items() if card is not None}


def _scorer(facts: Facts) -> Card | None:
    saved, measured = facts.find(SCORER), facts.find(SCORER_METRICS)
    if isinstance(saved, NotBuilt) or isinstance(measured, NotBuilt):
        return None
    return _card(
        "scorer.md.j2", model_cards.SCORER, facts, saved["licence"], saved=saved, measured=measured
    )


def _reward(facts: Facts) -> Card | None:
    saved, measured = facts.find(REWARD), facts.find(REWARD_METRICS)
    if isinstance(saved, NotBuilt) or isinstance(measured, NotBuilt):
        return None
    return _card(
        "reward.md.j2",
        model_cards.REWARD,
        facts,
        saved["licence"],
        saved=saved,
        measured=measured,
        linear=measured.get("linear"),
    )


def _student(facts: Facts, corpus: str, step: str) -> Card | None:
    measured = facts.need(f"{STUDENT_METRICS}/{corpus}/{step}.json")
    adapter = facts.find(f"datasets/students/{corpus}/{step}/adapter.json")
    run = facts.find(f"{place('training')}/{corpus}/{step}/run.json")
    if isinstance(adapter, NotBuilt) or isinstance(run, NotBuilt):
        return None
    evaluation = facts.find(EVALUATION)
    compared = [one for one in evaluation if one["model"].raw == f"{step}-{corpus}"]
    return _card(
        "student.md.j2",
        model_cards.STUDENT,
        facts,
        adapter["licence"],
        name=f"{step}-{corpus}",
        corpus=corpus,
        step=step,
        measured=measured,
        adapter=adapter,
        run=run,
        compared=compared,
    )


def _card(template: str, kind: Kind, facts: Facts, licence: Fact, **variables: Any) -> Card:
    files = sorted({one.origin for one in variables.values() if isinstance(one, Fact)})
    step = (variables["step"],) if "step" in variables else ()
    return render_card(
        template,
        kind.front(str(licence.raw), *step),
        **variables,
        kind=kind,
        ingest=facts.need(INGEST),
        licence=licence,
        may_be_published=may_be_published(str(licence.raw)),
        files=[*files, INGEST],
        command_for=facts.graph.command_for,
    )
