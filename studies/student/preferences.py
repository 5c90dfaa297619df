"""What each student thinks of held-out pairs: the log-probabilities of both sides.

The pairs of the direct corpora always prefer a teacher to a person, so a student that knows no more
than how teachers write is right in nearly all of them. Beside them stand pairs of two teachers, and
those in which people rated the person higher: both sides of a strict pair anyway, 3 over 1 or 2.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from itertools import permutations
from pathlib import Path
from typing import Any

from pipeline.corpora.candidates import Candidate
from pipeline.corpora.preference import preference_pair, why_no_pair
from pipeline.progress import track
from pipeline.records import PreferencePair
from pipeline.sources import get_source
from pipeline.storage import read_json, write_json
from pipeline.student.adapters import load_model, load_tokenizer
from pipeline.student.encoding import encode_pairs
from pipeline.student.log_probs import answer_log_probs, collate
from pipeline.student.params import Dtype
from pipeline.student.students import Student
from studies.student.corpus import PROMPT, pooled_pairs
from studies.student.split import SEED
from studies.student.teaching import TeachingPlan

BATCH = 8
CORPORA = "teacher over person"
TEACHERS = "teacher over teacher"
PERSON = "person over teacher"
# How many of each kind, at most.
HELD_OUT_PAIRS = {CORPORA: 320, TEACHERS: 200, PERSON: 60}


def score_pairs(
    students: Sequence[Student], held_out: Sequence[Candidate], kept: Path, plan: TeachingPlan
) -> None:
    """Write to `kept` what the trained students think of held-out pairs of each kind."""
    found: dict[str, Any] = read_json(kept) if kept.is_file() else {}
    dialogues = {one.exchange.id: one.exchange.dialogue_id for one in held_out}
    for kind, pairs in held_out_pairs(held_out).items():
        names = [pair.id for pair in pairs]
        if kind not in found or found[kind]["pairs"] != names:
            of = [dialogues[pair.exchange_id] for pair in pairs]
            found[kind] = {"pairs": names, "dialogues": of, "logprobs": {}}
        known = found[kind]["logprobs"]
        for student in students:
            if student.adapters and known.get(student.name, {}).get("of") != student.model_id:
                sums = pair_log_probs(student, pairs, context=plan.context, dtype=plan.dtype)
                known[student.name] = {"of": student.model_id, **sums}
                write_json(kept, found)


def held_out_pairs(held_out: Sequence[Candidate]) -> dict[str, list[PreferencePair]]:
    """Return strict pairs of each kind, drawn by seed."""
    source = get_source("welivita2024")
    person, teachers = source.reference_responder, set(source.teachers.values())
    every = {
        CORPORA: list(pooled_pairs(held_out, "strict")),
        TEACHERS: list(_strict(held_out, teachers, teachers)),
        PERSON: list(_strict(held_out, {person}, teachers)),
    }
    draw = {kind: random.Random(SEED) for kind in every}  # noqa: S311  a sample is no secret
    return {
        kind: draw[kind].sample(pairs, min(HELD_OUT_PAIRS[kind], len(pairs)))
        for kind, pairs in every.items()
    }


def _strict(
    held_out: Iterable[Candidate], better: set[str], worse: set[str]
) -> Iterator[PreferencePair]:
    for one in held_out:
        for chosen, rejected in permutations(one.responses.values(), 2):
            wanted = chosen.responder in better and rejected.responder in worse
            if wanted and why_no_pair(rejected, chosen, "strict") is None:
                yield preference_pair(one, chosen=chosen, rejected=rejected, prompt=PROMPT)


def pair_log_probs(
    student: Student, pairs: Sequence[PreferencePair], *, context: int, dtype: Dtype
) -> dict[str, list[float]]:
    """Return the sums over the tokens of `chosen` and of `rejected`, in the order of `pairs`."""
    import torch

    model: Any = load_model(student.base, student.adapters, dtype=dtype)
    model.eval()
    rows = encode_pairs(pairs, load_tokenizer(student.base), context=context).rows
    order = sorted(range(len(rows)), key=lambda at: rows[at].tokens)
    sums: dict[int, Any] = {}
    starts = range(0, len(order), BATCH)
    for start in track(starts, f"asking {student.name}", total=len(starts)):
        places = order[start : start + BATCH]
        with torch.inference_mode():
            found = answer_log_probs(model, collate([rows[at] for at in places]))
        sums.update(zip(places, found.reshape(2, -1).T.tolist(), strict=True))
    return {
        side: [round(float(sums[at][number]), 4) for at in range(len(rows))]
        for number, side in enumerate(("chosen", "rejected"))
    }
