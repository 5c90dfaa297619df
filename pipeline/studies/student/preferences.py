"""What each student thinks of held-out pairs: the log-probabilities of both sides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline.progress import track
from pipeline.records import PreferencePair
from pipeline.student.adapters import load_model, load_tokenizer
from pipeline.student.encoding import encode_pairs
from pipeline.student.log_probs import answer_log_probs, collate
from pipeline.student.params import Dtype
from pipeline.student.students import Student

BATCH = 8


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
