"""Raw rows in the shapes of the public corpora, with texts of our own."""

from __future__ import annotations

from collections.abc import Sequence

STUDY_2024 = ("human", "chatgpt_empathy", "llama_empathy", "gemini_empathy", "mixtral_empathy")
STUDY_2023 = ("human", "chatgpt", "chatgpt_empathy")
UTTERANCES = (
    "My sister moved across the ocean yesterday.",
    "Someone returned the wallet I had given up on!",
    "The doctor wants to run the test once more.",
    "They named the new boat after our grandmother.",
    "Nobody told me that the meeting had been cancelled.",
    "I finally finished the quilt I began in college.",
)


def study_row(
    number: int = 1,
    *,
    responders: Sequence[str] = STUDY_2024,
    ratings: Sequence[int] | None = None,
    **changed: object,
) -> dict[str, object]:
    """Return one wide row of the rated studies; rater ids look like a crowd worker's."""
    row: dict[str, object] = {
        "dialog_id": f"hit:{number}_conv:{number}",
        "emotion": "sad",
        "sentiment": "negative",
        "situation": f"Situation {number}: {UTTERANCES[number % 6][::-1]}",
        "speaker_uttr": UTTERANCES[number % 6],
    }
    for place, who in enumerate(responders):
        row |= {
            f"response_{who}": f"Response number {number} of {who}.",
            f"rating_{who}": ratings[place] if ratings else 1 + (number + place) % 3,
            f"annotator_{who}": f"A2WORKER{number}{who.upper()}",
            f"empathy_propensity_{who}": 40 + place,
        }
        if responders is STUDY_2023:
            row[f"miti_{who}"] = "['Support', 'Open Question']"
    return row | changed


def table_row(number: int = 1, **changed: object) -> dict[str, object]:
    """Return one row of a person's own table."""
    row: dict[str, object] = {
        "id": f"d{number}",
        "utterance": UTTERANCES[number % 6],
        "response_human": f"Response number {number} of a person.",
        "rating_human": 1 + number % 3,
        "annotator_human": f"W{number}@example",
        "response_bot": f"Response number {number} of a bot.",
        "rating_bot": 3,
    }
    return row | changed
