"""What people label changes what is learned; without a round nothing changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.annotation.final_labels import FinalLabels
from pipeline.annotation.rounds import write_round
from pipeline.features.coder import coded_sentences
from pipeline.records import Annotation, AnswerValue, FinalLabel
from pipeline.stages import merge_annotations
from pipeline.storage import read_table
from pipeline.workspace import PROJECT
from tests.examples import response

GOOD = response("a", 3, "I am sorry. What will you miss?")
POOR = response("b", 1, "It happens.")
NEW = response("c", None, "Nine years is long.")
RESPONSES = [GOOD, POOR, NEW]


def said(item: str, value: AnswerValue, who: str = "a-1", **more: Any) -> Annotation:
    fields = {"question": "empathy", "status": "submitted", "guidelines": "1.0.0", "origin": "test"}
    return Annotation.model_validate(
        {"item_id": item, "annotator": who, "value": value, **fields, **more}
    )


def merged(folder: Path, *rounds: list[Annotation]) -> tuple[FinalLabels, list[FinalLabel]]:
    """Return what the stage makes of `rounds`, as training reads it and as it is."""
    (folder / "rounds").mkdir()
    for number, rows in enumerate(rounds):
        write_round(folder / "rounds" / f"{number}.jsonl", rows)
    labels = folder / "labels.parquet"
    merge_annotations.run(
        merge_annotations.MergeAnnotationsParams(bands="cicchetti", resamples=100),
        rounds=folder / "rounds",
        labels=labels,
        metrics=folder / "metrics.json",
    )
    return FinalLabels.read(labels), list(read_table(labels, FinalLabel))


def test_a_persons_rating_stands_in_place_of_the_sources(tmp_path: Path) -> None:
    people, _ = merged(tmp_path, [said(POOR.id, 2), said(NEW.id, 3), said("elsewhere", 1)])

    assert [people.rate(response).rating for response in RESPONSES] == [3, 2, 3]
    assert people.rate(POOR).rater is None
    assert people.counts(RESPONSES) == {
        "rated_by_people": 2,
        "in_place_of_a_source_rating": 1,
        "coded_by_people": 0,
        "not_in_training": 1,
        "weight": "every response counts once",
    }


def test_what_a_corpus_came_with_changes_nothing(tmp_path: Path) -> None:
    people, labels = merged(tmp_path, [said(GOOD.id, 1, role="source")])

    assert len(labels) == 1
    assert [people.rate(response) for response in RESPONSES] == RESPONSES
    assert FinalLabels.read(None) == people


def test_the_better_side_is_what_people_said_and_not_what_a_corpus_came_with(
    tmp_path: Path,
) -> None:
    better = {"question": "better"}
    people, _ = merged(
        tmp_path,
        [said("p1", "chosen", **better), said("p2", "rejected", role="source", **better)],
    )

    assert people.better == {"p1": "chosen"}


def test_a_disagreement_that_nobody_decided_changes_nothing(tmp_path: Path) -> None:
    people, _ = merged(tmp_path, [said(GOOD.id, 1), said(GOOD.id, 2, "a-2")])

    assert [people.rate(response) for response in RESPONSES] == RESPONSES


def test_a_later_import_of_a_corpus_does_not_replace_what_people_said(tmp_path: Path) -> None:
    people, _ = merged(tmp_path, [said(GOOD.id, 2)], [said(GOOD.id, 1, role="source")])

    assert people.ratings == {GOOD.id: 2}


def test_the_coder_learns_the_sentences_that_people_coded(tmp_path: Path) -> None:
    silver = GOOD.model_copy(update={"codes": ("Other", "Other")})
    coded = [
        said(GOOD.id, ("Support",), question="codes", sentence=0),
        said(GOOD.id, ("Open Question",), question="codes", sentence=1),
    ]
    people, _ = merged(tmp_path, coded)

    rows = list(coded_sentences([("d", silver)], people.codes))

    assert [(row.text, row.code) for row in rows] == [
        ("I am sorry.", "Support"),
        ("What will you miss?", "Open Question"),
    ]
    assert [row.code for row in coded_sentences([("d", silver)])] == [
        "Other",
        "Other",
    ]


STAGES = yaml.safe_load((PROJECT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]


def downstream(dep: str) -> set[str]:
    """Return the stages that a change of `dep` makes DVC run, by the outputs between them."""
    found: set[str] = set()
    changed = {dep}
    while True:
        reached = {
            name
            for name, stage in STAGES.items()
            if any(one in changed for one in stage.get("do", stage).get("deps", ()))
        }
        if reached == found:
            return found
        found = reached
        for name in found:
            stage = STAGES[name].get("do", STAGES[name])
            for out in [*stage.get("outs", ()), *stage.get("metrics", ())]:
                changed.add(out if isinstance(out, str) else next(iter(out)))


def test_a_new_round_reruns_what_learns_from_labels_and_nothing_else() -> None:
    learners = {"featurize", "train_scorer", "suggest_labels", "select_annotations"}

    assert learners <= downstream("annotations/rounds")
    assert not downstream("annotations/rounds") & {"ingest", "split", "distil", "parse", "audit"}


@pytest.mark.parametrize("stage", ["featurize", "train_scorer", "suggest_labels"])
def test_a_stage_that_learns_reads_the_labels(stage: str) -> None:
    assert "--labels datasets/annotations/labels.parquet" in STAGES[stage]["cmd"]
