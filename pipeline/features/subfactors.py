"""The scoring paper's subfactors: 15 aspects of empathy, each rated 1 (absent) to 10 (fully there).

There are two sets, V1 and V2, five aspects for each of three dimensions. The names are the paper's;
the definitions are ours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.features.table import FeatureTable


@dataclass(frozen=True)
class Subfactor:
    """One aspect; `definition` completes "How far does the response ..."."""

    name: str
    dimension: str
    definition: str


def _set(dimension: str, **definitions: str) -> tuple[Subfactor, ...]:
    return tuple(Subfactor(name, dimension, text) for name, text in definitions.items())


V1 = (
    *_set(
        "cognitive",
        perspective_taking="look at the event from where the speaker stands",
        recognition_of_thoughts="pick up what the speaker thinks about it",
        understanding_intentions="grasp what the speaker wants or plans",
        contextual_understanding="fit the circumstances that were told",
        inference_accuracy="read between the lines without inventing",
    ),
    *_set(
        "affective",
        emotional_resonance="let the listener be moved by what was said",
        emotional_matching="keep the same emotional key as the speaker",
        emotional_response="answer the feeling and not only the facts",
        emotional_identification="name the feeling, outright or in other words",
        empathic_concern="show that the speaker's state matters to the listener",
    ),
    *_set(
        "compassionate",
        emotional_concern="show care about how the speaker will be",
        motivation_to_help="show a wish to make things better",
        supportive_actions="offer to do something that supports the speaker",
        empathic_responsiveness="turn understanding into an answer that fits the need",
        practical_assistance="give help that the speaker can use",
    ),
)
V2 = (
    *_set(
        "cognitive",
        perspective_taking="stand in the speaker's shoes: speak about the event as it looks to the "
        "one who lived it, and not as it would look to anybody",
        recognition_of_emotions="notice which feelings are there, said or unsaid, and get their "
        "kind and their strength right",
        contextual_awareness="use the particulars of the situation: who was there, what happened, "
        "what is at stake, and not a phrase that fits every story",
        acknowledgement_of_experience="make plain that the speaker was heard, by taking up what "
        "they lived through before anything else",
        clarity="say what it says in plain and connected words, so that someone upset can follow",
    ),
    *_set(
        "affective",
        warmth="sound kind and near: the choice of words would make the speaker feel welcome",
        sympathy="be sorry with the sad or glad with the happy, in its own words",
        emotional_mirroring="keep the mood of the speaker: light where they are light and grave "
        "where they are grave, no louder and no colder",
        validation="treat the feeling as one that a reasonable person may have, without correcting "
        "or shrinking it",
        emotional_resonance="carry a feeling of its own that answers the speaker's, as of someone "
        "who was touched",
    ),
    *_set(
        "compassionate",
        encouragement="strengthen the speaker's belief that they can go on or do well",
        reassurance="ease worry with something that holds, and no empty promise",
        offering_help="offer the listener's own time, ear or hands",
        empowering="leave the speaker with more say over their own matter: their strengths, "
        "their choices",
        assistance="point to a step, a person or a thing that would really help",
    ),
)
SETS: Mapping[str, tuple[Subfactor, ...]] = {"v1": V1, "v2": V2}


def subfactor_table(
    version: str, items: Sequence[tuple[str, Mapping[str, float] | None]]
) -> FeatureTable:
    """Return the ratings of (response id, ratings by name) pairs, `v2_warmth` and so on.

    What was not rated is NaN.
    """
    names = [one.name for one in SETS[version]]
    rows = [[(ratings or {}).get(name, np.nan) for name in names] for _, ratings in items]
    return FeatureTable(
        tuple(one for one, _ in items),
        tuple(f"{version}_{name}" for name in names),
        np.array(rows, dtype=np.float64).reshape(len(items), len(names)),
    )
