"""What base and students say to the two test sets, and several samples for best-of-n."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipeline.records import Exchange, Response
from pipeline.storage import write_table
from pipeline.student.answers import answer_exchanges
from pipeline.student.generate import GenerationParams
from pipeline.student.students import Student
from pipeline.studies.student.corpus import PROMPT

# One decoding for all: greedy, with a penalty on what the reply itself said before.
DECODING = GenerationParams(
    max_new_tokens=70, repetition_penalty=1.15, batch_size=32, dtype="bfloat16"
)
SAMPLING = DECODING.model_copy(update={"temperature": 0.8, "top_p": 0.95})
SAMPLES = 8


def write_replies(
    student: Student, exchanges: Sequence[Exchange], out: Path, *, seed: int, samples: int = 1
) -> bool:
    """Write the student's replies to `out` unless they are there; return whether it had to.

    With several `samples` the replies are drawn, else they are the likeliest ones.
    """
    if out.is_file():
        return False
    decoding = DECODING if samples == 1 else SAMPLING
    rows = answer_exchanges(student, exchanges, PROMPT, decoding, seed=seed, samples=samples)
    write_table(out, Response, (row for row in rows if isinstance(row, Response)))
    return True
