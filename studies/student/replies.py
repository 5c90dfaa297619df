"""What base and students say to the two test sets, and several samples for best-of-n."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipeline.records import Exchange, Response
from pipeline.storage import read_table, write_table
from pipeline.student.answers import answer_exchanges, decoding_key
from pipeline.student.generate import GenerationParams
from pipeline.student.students import Student
from studies.student.corpus import PROMPT

# One decoding for all: greedy, with a penalty on what the reply itself said before.
DECODING = GenerationParams(
    max_new_tokens=130, repetition_penalty=1.15, batch_size=32, dtype="bfloat16"
)
DRAWN = DECODING.model_copy(update={"temperature": 0.8, "top_p": 0.95})
# The eight of which the reward model picks one.
SAMPLING = DRAWN.model_copy(update={"max_new_tokens": 70})
SAMPLES = 8


def write_replies(
    student: Student,
    exchanges: Sequence[Exchange],
    out: Path,
    *,
    seed: int,
    samples: int = 1,
    decoding: GenerationParams = DECODING,
) -> bool:
    """Write the student's replies to `out` unless they are there; return whether it had to.

    What `out` holds is kept if the same weights said it with the same decoding and seed.
    """
    asked = f"decoding-{decoding_key(decoding, seed=seed)}"
    if out.is_file() and _of(out) == {(student.model_id, asked)}:
        return False
    rows = answer_exchanges(student, exchanges, PROMPT, decoding, seed=seed, samples=samples)
    write_table(out, Response, (row for row in rows if isinstance(row, Response)))
    return True


def _of(replies: Path) -> set[tuple[str | None, str | None]]:
    """Return which models said what is in the file, and how they were asked."""
    return {(one.lineage.model, one.lineage.request_id) for one in read_table(replies, Response)}
