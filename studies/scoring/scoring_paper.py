"""The files of the scoring paper: subfactor scores of 6,000 responses and the balanced 1,920.

Their rows are named `<dialogue>_type:<responder>`; the texts and ratings are those of welivita2023,
whose response ids they are joined to. Files as of the repository's first commit (062fd10): later
commits hold only pointers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import RowError
from pipeline.records import BehaviourCode
from pipeline.sources.base import read_rating
from pipeline.sources.rows import iter_rows

# The published column names; one has a slip of the pen, which is theirs and not ours.
SUBFACTORS: Mapping[str, str] = {
    "perspective-taking": "perspective_taking",
    "recognition-of-emotions": "recognition_of_emotions",
    "contextual-awareness": "contextual_awareness",
    "acknowledgment-of-speaker-experience": "acknowledgement_of_experience",
    "clarity-of-response": "clarity",
    "warmth-in-tone": "warmth",
    "sympathetic-responses": "sympathy",
    "emotional-mirroring": "emotional_mirroring",
    "validation-of-feelings": "validation",
    "emotional-resonance": "emotional_resonance",
    "encouragement": "encouragement",
    "reassurance": "reassurance",
    "ofereing-help": "offering_help",
    "empowering": "empowering",
    "assistance": "assistance",
}


@dataclass(frozen=True)
class PublishedRow:
    """One response of theirs: its key, rating 1 to 3, and features by our names.

    `subfactors` go from 1 to 10 by the prompt, but the published compassionate ones hold some 0.
    `codes` are presence codes, 0 or 1, and empty in the file that has none.
    """

    dialogue_id: str
    responder: str
    rating: int
    subfactors: Mapping[str, float]
    codes: Mapping[BehaviourCode, float]


def read_published(path: Path, *, coded: bool) -> Iterator[PublishedRow]:
    """Yield the rows of `15v2_w_miti.csv` (`coded`) or `gpt4o-mini-15v2-ratings.csv`."""
    codes = tuple(BehaviourCode) if coded else ()
    for row, values in iter_rows(path, ("dialog-id", "rating", *SUBFACTORS, *codes)):
        dialogue_id, mark, responder = str(values["dialog-id"]).partition("_type:")
        if not mark:
            raise RowError(
                path,
                row,
                f"dialog-id {dialogue_id!r} names no responder",
                hint="Get the file again.",
            )
        yield PublishedRow(
            dialogue_id=dialogue_id,
            responder=responder,
            rating=read_rating(path, row, "rating", values["rating"]),
            subfactors={
                ours: _number(path, row, theirs, values[theirs], most=10)
                for theirs, ours in SUBFACTORS.items()
            },
            codes={code: _number(path, row, code, values[code], most=1) for code in codes},
        )


def _number(path: Path, row: int, column: str, value: object, *, most: int) -> float:
    try:
        number = float(str(value))
    except ValueError:
        number = -1.0
    if not 0 <= number <= most:
        raise RowError(path, row, f"{column} is {value!r}", hint=f"It must be from 0 to {most}.")
    return number
