"""The student study's parts: nobody is judged by who was taught by the same dialogue."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
import pytest

from pipeline.features.table import Array
from pipeline.records import Exchange, Response
from pipeline.reporting.student_curves import curves_svg
from pipeline.sources import Sourced
from pipeline.storage import read_json
from pipeline.student.answers import CUT
from pipeline.student.params import TrainingParams
from pipeline.student.run_record import measures, write_record
from pipeline.student.teach import Taught
from pipeline.student.training import StepLog
from studies.student.corpus import candidates, pooled_pairs, teachings
from studies.student.on_policy import best_over_worst, describe_pairs
from studies.student.preferences import CORPORA, PERSON, TEACHERS, held_out_pairs
from studies.student.split import (
    PARTS,
    describe_split,
    read_dialogues,
    split_dialogues,
)
from studies.student.teaching import _once
from tests.examples import LATE_TRAIN, LOST_JOB, candidate, response


@pytest.fixture(scope="module")
def dialogues(data_dir: Path) -> list[Sourced]:
    return read_dialogues(data_dir)


@pytest.fixture(scope="module")
def split(dialogues: list[Sourced]) -> dict[str, list[str]]:
    return split_dialogues(dialogues)


def test_every_dialogue_is_in_one_part(
    dialogues: list[Sourced], split: dict[str, list[str]]
) -> None:
    found = [one for name in PARTS for one in split[name]]

    assert sorted(found) == sorted(one.exchange.dialogue_id for one in dialogues)
    assert [len(split[name]) for name in PARTS] == [250, 250, 750, 750]


def test_the_draws_part_no_linked_dialogues(
    dialogues: list[Sourced], split: dict[str, list[str]]
) -> None:
    """What is left are links to dialogues that the authors' rule took out by label."""
    tasks = {one.exchange.dialogue_id: one.exchange.collection_id for one in dialogues}
    of_task = {
        name: {tasks[one] for one in split[name]} for name in ("random", "students", "judges")
    }

    assert of_task["students"].isdisjoint(of_task["judges"])
    assert of_task["random"].isdisjoint(of_task["students"] | of_task["judges"])
    leaks = describe_split(dialogues, split)["links_to_other_parts"]["papers"]
    assert leaks["exact_text"] == 0


def test_students_learn_from_their_half_alone(
    dialogues: list[Sourced], split: dict[str, list[str]]
) -> None:
    half = candidates(dialogues, split["students"])

    taught = teachings(half, examples=640, pairs=300, seed=42)

    theirs = {one.exchange.id for one in half}
    rows = [*taught.sft, *taught.strict, *taught.authors]
    assert {row.exchange_id for row in rows} <= theirs
    assert [len(part) for part in (taught.sft, taught.strict, taught.authors)] == [640, 300, 300]
    assert len({row.response_id for row in taught.sft}) == 640


def test_strict_pairs_are_those_that_the_ratings_support(
    dialogues: list[Sourced], split: dict[str, list[str]]
) -> None:
    half = candidates(dialogues, split["students"])

    strict, authors = (list(pooled_pairs(half, name)) for name in ("strict", "authors"))

    assert {pair.chosen_rating for pair in strict} == {3}
    assert {pair.rejected_rating for pair in strict} == {1, 2}
    assert {pair.id for pair in strict} < {pair.id for pair in authors}


def taught(loss: float) -> Taught:
    step = StepLog(
        step=1, loss=loss, grad_norm=1.0, learning_rate=1e-4, seconds=2.0, tokens=500, margin=0.25,
        accuracy=0.5,
    )  # fmt: skip
    params = TrainingParams().model_dump(mode="json")
    card = {"kind": "sft", "params": params, "trained_rows": 4, "rejected_rows": {}}
    return Taught(card, (step,), ())


def test_a_training_is_done_once_for_the_same_facts(tmp_path: Path) -> None:
    asked: list[Path] = []

    def train(out: Path) -> Taught:
        asked.append(out)
        return taught(0.7)

    facts = dict(taught(0.7).card)
    first = _once(tmp_path, facts, train)
    again = _once(tmp_path, facts, train)
    _once(tmp_path, {**facts, "kind": "dpo"}, train)

    assert len(asked) == 2
    assert first == again
    assert first["curve"][0]["loss"] == 0.7


def test_the_record_of_a_training_holds_every_step_and_its_figures(tmp_path: Path) -> None:
    write_record(tmp_path, taught(0.6931))

    header, line = (tmp_path / "steps.csv").read_text(encoding="utf-8").splitlines()
    row = dict(zip(header.split(","), line.split(","), strict=True))
    assert (row["loss"], row["margin"], row["tokens_per_s"]) == ("0.6931", "0.25", "250")
    assert curves_svg(tmp_path / "steps.csv").count("<svg") == 1
    assert read_json(tmp_path / "run.json")["kind"] == "sft"
    assert measures(taught(0.6931))["tokens_per_s"] == 250


class Words:
    """Scores a reply by its words; nothing else is asked of a scorer."""

    def rate(self, pairs: Sequence[tuple[Exchange, Response]]) -> Array:
        return np.array([len(one.text.split()) / 10 for _, one in pairs])


def own(texts: Sequence[str], cut: Collection[int] = ()) -> list[tuple[Exchange, Response]]:
    found = []
    for number, text in enumerate(texts):
        one = response("sft", None, text)
        lineage = one.lineage.model_copy(update={"flags": (CUT,) if number in cut else ()})
        found.append((LOST_JOB, one.model_copy(update={"id": f"r{number}", "lineage": lineage})))
    return found


def test_the_best_of_the_own_replies_is_preferred_to_the_worst() -> None:
    said = {LOST_JOB.id: own(["one two", "one", "one two three"])}

    [pair] = best_over_worst(said, [Words()])

    assert (pair.chosen[0].content, pair.rejected[0].content) == ("one two three", "one")
    assert describe_pairs([pair])["chosen_is_longer"] == 1.0


def test_a_reply_that_was_cut_is_never_preferred() -> None:
    said = {LOST_JOB.id: own(["one two", "one", "one two three"], cut=[2])}

    [pair] = best_over_worst(said, [Words()])

    assert pair.chosen[0].content == "one two"


def test_replies_of_like_worth_are_no_pair() -> None:
    said = {LOST_JOB.id: own(["one two", "two one"])}

    assert list(best_over_worst(said, [Words()])) == []


def test_held_out_pairs_are_strict_of_each_kind() -> None:
    held_out = candidate({"human": 2, "chatgpt_empathy": 3, "llama_empathy": 1, "x": 3})
    other = candidate({"human": 3, "chatgpt_empathy": 2, "llama_empathy": 2}, exchange=LATE_TRAIN)

    found = held_out_pairs([held_out, other])

    ratings = {
        kind: sorted((pair.chosen_rating, pair.rejected_rating) for pair in pairs)
        for kind, pairs in found.items()
    }
    assert ratings == {CORPORA: [(3, 2)], TEACHERS: [(3, 1)], PERSON: [(3, 2), (3, 2)]}
