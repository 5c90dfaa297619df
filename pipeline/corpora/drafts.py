"""What a teacher is asked to do, exchange by exchange."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from pipeline.corpora.candidates import Candidate, read_candidates
from pipeline.corpora.conversation import PromptParams, prompt_messages
from pipeline.corpora.params import Distillation
from pipeline.records import Rejection, Response, content_id
from pipeline.strategies import Draft, OverLong

STAGE = "distil"


@dataclass(frozen=True)
class Task:
    """One draft with the rows it comes from."""

    candidate: Candidate
    parent: Response | None
    draft: Draft


def read_tasks(
    distillation: Distillation,
    *,
    reference: str,
    prompt: PromptParams,
    over_long: OverLong,
    limit: int | None,
    exchanges: Path,
    responses: Path,
    splits: Path,
) -> Iterator[Task | Rejection]:
    """Yield what to ask about the first `limit` train exchanges, all of them if None.

    An exchange without the response that is to be improved is a rejection.
    """
    responder = distillation.parent_responder(reference)
    for candidate in islice(read_candidates(exchanges, responses, splits), limit):
        parent = candidate.responses.get(responder) if responder else None
        if responder is not None and parent is None:
            yield Rejection(
                record_id=content_id("completion-row", candidate.exchange.id, responder),
                stage=STAGE,
                reason="nothing_to_improve",
                detail=f"no response by {responder}",
                parents=(candidate.exchange.id,),
            )
            continue
        draft = Draft(
            exchange=candidate.exchange,
            prompt=prompt_messages(candidate.exchange, prompt),
            response=parent.text if parent else None,
            mean_words=prompt.mean_words,
            max_words=prompt.max_words,
            over_long=over_long,
        )
        yield Task(candidate, parent, draft)
