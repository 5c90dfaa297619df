"""Preference pairs of the direct method, with the paper's filter and with that of its code.

Meant is: rejected is a reference response rated 1 or 2, chosen is a teacher's rated 3 (`strict`).
The published code lets every reference rated 2 through, whatever the teacher's rating, because in
`(h == 2) | (h == 1) & (t == 3)` the `&` binds first (`authors`): a fifth to a quarter of its pairs
are ties or point the wrong way.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from pipeline.corpora.candidates import Candidate
from pipeline.corpora.conversation import PromptParams, answer, prompt_messages
from pipeline.records import Lineage, PreferencePair, Rejection, Response, content_id

GOOD = 3
STAGE = "build_preferences"
PairFilter = Literal["strict", "authors"]
FILTERS: tuple[PairFilter, ...] = ("strict", "authors")


def direct_pairs(
    candidate: Candidate,
    *,
    reference: str,
    teachers: Sequence[str],
    pair_filter: PairFilter,
    prompt: PromptParams,
) -> Iterator[PreferencePair | Rejection]:
    """Yield for each teacher the pair `teacher over reference`, or why there is none."""
    for teacher in teachers:
        rejected, chosen = candidate.responses.get(reference), candidate.responses.get(teacher)
        reason = why_no_pair(rejected, chosen, pair_filter)
        if reason is None and rejected is not None and chosen is not None:
            yield preference_pair(candidate, chosen=chosen, rejected=rejected, prompt=prompt)
        else:
            sides = [side for side in (chosen, rejected) if side is not None]
            yield Rejection(
                record_id=content_id("pair-row", candidate.exchange.id, teacher, reference),
                stage=f"{STAGE}:{pair_filter}",
                reason=str(reason),
                detail=", ".join(f"{one.responder} rated {one.rating}" for one in sides),
                parents=(candidate.exchange.id, *(side.id for side in sides)),
            )


def why_no_pair(
    rejected: Response | None, chosen: Response | None, pair_filter: PairFilter
) -> str | None:
    """Return the reason why these two make no pair, or None if they do."""
    if rejected is None or rejected.rating is None:
        return "reference_not_rated"
    if chosen is None or chosen.rating is None:
        return "teacher_not_rated"
    if rejected.text.strip() == chosen.text.strip():
        return "identical_sides"
    if rejected.rating == GOOD:
        return "reference_is_good"
    if pair_filter == "authors":
        taken = rejected.rating == GOOD - 1 or chosen.rating == GOOD
        return None if taken else "teacher_not_good"
    if chosen.rating == rejected.rating:
        return "tie"
    if chosen.rating < rejected.rating:
        return "inverted"
    return None if chosen.rating == GOOD else "teacher_not_good"


def preference_pair(
    candidate: Candidate,
    *,
    chosen: Response,
    rejected: Response,
    prompt: PromptParams,
    operation: str = STAGE,
) -> PreferencePair:
    """Return the pair with the exchange's conversation as its explicit prompt."""
    exchange = candidate.exchange
    return PreferencePair(
        id=content_id("pair", exchange.id, prompt.prompt_id, chosen.id, rejected.id),
        prompt=prompt_messages(exchange, prompt),
        chosen=(answer(chosen.text),),
        rejected=(answer(rejected.text),),
        exchange_id=exchange.id,
        chosen_id=chosen.id,
        rejected_id=rejected.id,
        chosen_rating=chosen.rating,
        rejected_rating=rejected.rating,
        lineage=Lineage(
            source=exchange.lineage.source,
            licence=exchange.lineage.licence,
            operation=operation,
            parents=(exchange.id, chosen.id, rejected.id),
            prompt_id=prompt.prompt_id,
            request_id=chosen.lineage.request_id,
            model=chosen.lineage.model,
            teacher_prompt_id=chosen.lineage.teacher_prompt_id,
            flags=chosen.lineage.flags,
        ),
    )
