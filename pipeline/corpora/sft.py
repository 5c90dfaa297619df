"""Supervised examples of the direct method (Xie et al. 2025, method 1)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.corpora.candidates import Candidate
from pipeline.corpora.conversation import PromptParams, answer, prompt_messages
from pipeline.records import Lineage, Rejection, Response, SFTExample, content_id

GOOD = 3
STAGE = "build_sft"


def direct_examples(
    candidate: Candidate, *, reference: str, teachers: Sequence[str], prompt: PromptParams
) -> Iterator[SFTExample | Rejection]:
    """Yield two examples per teacher where reference and teacher are both rated good.

    The prompt is the same; one example answers it with the reference response, the other with the
    teacher's. With several teachers the reference response therefore comes back for each of them,
    as in the published corpora.
    """
    for teacher in teachers:
        source_id = content_id("sft-row", candidate.exchange.id, reference, teacher)
        sides = candidate.responses.get(reference), candidate.responses.get(teacher)
        reason = _why_not(*sides)
        if reason:
            yield Rejection(
                record_id=source_id,
                stage=STAGE,
                reason=reason,
                detail=f"{reference} against {teacher}",
                parents=(candidate.exchange.id, *(side.id for side in sides if side)),
            )
            continue
        good = [side for side in sides if side is not None]
        for response in good:
            yield sft_example(candidate, response, parents=good, prompt=prompt)


def reference_examples(
    candidate: Candidate, *, reference: str, prompt: PromptParams
) -> Iterator[SFTExample | Rejection]:
    """Yield the reference response, if it is rated good or not rated at all."""
    response = candidate.responses.get(reference)
    if response is None or response.rating not in (None, GOOD):
        yield Rejection(
            record_id=content_id("sft-row", candidate.exchange.id, reference),
            stage=STAGE,
            reason="no_reference_response" if response is None else "reference_not_good",
            parents=(candidate.exchange.id, *([response.id] if response else [])),
        )
    else:
        yield sft_example(candidate, response, parents=[response], prompt=prompt)


def sft_example(
    candidate: Candidate,
    target: Response,
    *,
    parents: Sequence[Response],
    prompt: PromptParams,
    operation: str = STAGE,
) -> SFTExample:
    """Return the example that answers the exchange with `target`.

    `parents` are the responses that the decision to take it looked at, `target` among them.
    """
    exchange = candidate.exchange
    ids = tuple(parent.id for parent in parents)
    return SFTExample(
        id=content_id("sft", exchange.id, prompt.prompt_id, target.id, *ids),
        messages=(*prompt_messages(exchange, prompt), answer(target.text)),
        exchange_id=exchange.id,
        response_id=target.id,
        lineage=Lineage(
            source=exchange.lineage.source,
            licence=exchange.lineage.licence,
            operation=operation,
            parents=(exchange.id, *ids),
            prompt_id=prompt.prompt_id,
            request_id=target.lineage.request_id,
            model=target.lineage.model,
            teacher_prompt_id=target.lineage.teacher_prompt_id,
            flags=target.lineage.flags,
        ),
    )


def _why_not(reference: Response | None, teacher: Response | None) -> str | None:
    if reference is None or reference.rating is None:
        return "reference_not_rated"
    if teacher is None or teacher.rating is None:
        return "teacher_not_rated"
    if reference.rating != GOOD:
        return "reference_not_good"
    if teacher.rating != GOOD:
        return "teacher_not_good"
    return None
