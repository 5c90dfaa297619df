"""Study `student`: two-step students of real dialogues, and what they say.

Half of the dialogues teaches three students: supervised (`sft`), then preferences of strict pairs
(`dpo`) or of the authors' filter (`dpo-authors`), both from the same supervised one and with equal
steps. A fourth, beside the published recipe, prefers among the replies of the supervised one
(`on_policy`). The other half teaches the judges. All work is kept in the study's own folder under a
name that its inputs decide, so that a second run, or one after a kill, does only what is missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.config import home
from pipeline.corpora.candidates import Candidate
from pipeline.llm.local_server import model_path
from pipeline.records import Exchange, PreferencePair
from pipeline.sources import Sourced
from pipeline.stages import base_model
from pipeline.storage import write_json
from pipeline.student.students import Student
from studies.student.corpus import candidates, teachings
from studies.student.judging import judge_students
from studies.student.on_policy import SAMPLES as OWN_SAMPLES
from studies.student.on_policy import (
    best_over_worst,
    describe_pairs,
    own_replies,
    taught_by_the_same,
)
from studies.student.preferences import score_pairs
from studies.student.replies import DECODING, DRAWN, SAMPLES, SAMPLING, write_replies
from studies.student.split import (
    SEED,
    describe_split,
    read_dialogues,
    split_dialogues,
)
from studies.student.teaching import PLAN, STUDENTS, teach_first, teach_second

TEST_SETS = ("papers", "random")
SAMPLED_DIALOGUES = 100
OWN = "dpo-onpolicy"


def work_folder() -> Path:
    """Return where the study keeps its work; nothing in it is in git."""
    return home() / "studies" / "student"


def run(data: Path, scratch: Path) -> dict[str, Any]:
    """Train, generate, score and judge; return the content of the study's files, no texts."""
    del scratch
    work = work_folder()
    dialogues = read_dialogues(data)
    split = split_dialogues(dialogues)
    write_json(work / "splits.json", split)
    base = work / "base"
    if not (base / "base_model.json").is_file():
        base_model.run(base_model.BaseModelParams(), home=home(), out=base)
    half = candidates(dialogues, split["students"])
    taught = teachings(half, examples=PLAN.examples, pairs=PLAN.pairs, seed=SEED)
    cards = {"sft": teach_first(taught.sft, base=base, work=work)}
    students = {
        name: Student(name, base, tuple(work / "models" / one for one in steps))
        for name, steps in STUDENTS.items()
    }
    own = _own_pairs(students["sft"], half, data, work)
    for name, rows in (("dpo", taught.strict), ("dpo-authors", taught.authors), (OWN, own)):
        cards[name] = teach_second(name, rows, base=base, work=work)
    cards[OWN]["own_replies"] = describe_pairs(own)
    _generate(students, dialogues, split, work)
    held_out = candidates(dialogues, [one for name in TEST_SETS for one in split[name]])
    filters = [students[name] for name in ("sft", "dpo", "dpo-authors")]
    score_pairs(filters, held_out, work / "pair_logprobs.json", PLAN)
    return {
        "training.json": {
            "split": describe_split(dialogues, split),
            "embedded_model": model_path(home()).name,
            "students": cards,
            "decoding": DECODING.model_dump(mode="json"),
            "own_replies": {**DRAWN.model_dump(mode="json"), "samples": OWN_SAMPLES},
            "sampling": {**SAMPLING.model_dump(mode="json"), "samples": SAMPLES},
        },
        **judge_students(data, work),
    }


def _own_pairs(
    student: Student, half: Sequence[Candidate], data: Path, work: Path
) -> list[PreferencePair]:
    replies = work / "responses" / f"own_{OWN_SAMPLES}-{student.name}.parquet"
    exchanges = [one.exchange for one in half]
    said = own_replies(student, exchanges, replies, seed=SEED)
    scorers = taught_by_the_same(data, [one.dialogue_id for one in exchanges], work)
    return list(best_over_worst(said, scorers))


def _generate(
    students: dict[str, Student],
    dialogues: list[Sourced],
    split: dict[str, list[str]],
    work: Path,
) -> None:
    """Write what every student says to both test sets, and samples of one to the first."""
    said: dict[str, Exchange] = {one.exchange.dialogue_id: one.exchange for one in dialogues}
    tests = [said[one] for name in TEST_SETS for one in split[name]]
    for name, student in students.items():
        write_replies(student, tests, work / "responses" / f"{name}.parquet", seed=SEED)
    write_replies(
        students["dpo"],
        [said[one] for one in split["papers"][:SAMPLED_DIALOGUES]],
        work / "responses" / f"best_of_{SAMPLES}-dpo.parquet",
        seed=SEED,
        samples=SAMPLES,
        decoding=SAMPLING,
    )
