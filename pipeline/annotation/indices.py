"""MITI-style indices from behaviour codes; an index with nothing to divide by is None, never 0.

The mapping to MITI 4.2.1 and why no competence follows from single replies:
`annotations/guidelines/miti_mapping.md`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.records import TO_MITI_4, BehaviourCode, MitiCode


@dataclass(frozen=True)
class MitiStyleIndices:
    """Counts and indices over the sentences of one or many responses.

    `percent_complex` is 0 to 100; `reflections_per_question` is a ratio. `mi_adherent` lacks
    Seeking Collaboration, which none of the 15 codes stands for, and is thus a lower bound.
    `direct_or_warn` counts the two codes that MITI 4 no longer has.
    """

    sentences: int
    percent_complex: float | None
    reflections_per_question: float | None
    mi_adherent: int
    mi_non_adherent: int
    direct_or_warn: int
    uncoded: int


def miti_style_indices(codes: Iterable[BehaviourCode]) -> MitiStyleIndices:
    """Return the indices of a bag of sentence codes."""
    ours = Counter(codes)
    theirs: Counter[MitiCode] = Counter()
    for code, count in ours.items():
        if mapped := TO_MITI_4[code]:
            theirs[mapped] += count
    reflections = theirs[MitiCode.SIMPLE_REFLECTION] + theirs[MitiCode.COMPLEX_REFLECTION]
    direct_or_warn = ours[BehaviourCode.DIRECT] + ours[BehaviourCode.WARN]
    return MitiStyleIndices(
        sentences=ours.total(),
        percent_complex=_ratio(100 * theirs[MitiCode.COMPLEX_REFLECTION], reflections),
        reflections_per_question=_ratio(reflections, theirs[MitiCode.QUESTION]),
        mi_adherent=(
            theirs[MitiCode.SEEKING_COLLABORATION]
            + theirs[MitiCode.AFFIRM]
            + theirs[MitiCode.EMPHASIZING_AUTONOMY]
        ),
        mi_non_adherent=theirs[MitiCode.CONFRONT] + theirs[MitiCode.PERSUADE],
        direct_or_warn=direct_or_warn,
        uncoded=ours.total() - theirs.total() - direct_or_warn,
    )


def _ratio(above: int, below: int) -> float | None:
    return above / below if below else None
