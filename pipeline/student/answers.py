"""A student's replies as responses, so that whatever reads a teacher's reads a student's too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.corpora.conversation import PromptParams, prompt_messages
from pipeline.records import Exchange, Lineage, Rejection, Response, content_id
from pipeline.sources.licences import most_restrictive
from pipeline.student.adapters import content_key, load_model, load_tokenizer
from pipeline.student.generate import GenerationParams, Generator, Reply
from pipeline.student.students import Student

STAGE = "generate"
CUT = "cut_at_length_cap"


def answer_exchanges(
    student: Student,
    exchanges: Sequence[Exchange],
    prompt: PromptParams,
    params: GenerationParams,
    *,
    seed: int,
    samples: int = 1,
) -> Iterator[Response | Rejection]:
    """Yield the student's replies to all exchanges, in order; an empty reply is a rejection."""
    generator = Generator(
        load_model(student.base, student.adapters, dtype=params.dtype),
        load_tokenizer(student.base),
        params,
    )
    conversations = [prompt_messages(one, prompt) for one in exchanges]
    replies = generator.replies(conversations, seed=seed, samples=samples)
    decoding = decoding_key(params, seed=seed)
    for exchange, found in zip(exchanges, replies, strict=True):
        for number, reply in enumerate(found):
            yield _row(student, exchange, reply, number, decoding, prompt.prompt_id)


def decoding_key(params: GenerationParams, *, seed: int) -> str:
    """Return what the request of a reply is called in its lineage, after `decoding-`."""
    return content_key(params.model_dump(mode="json", exclude={"device", "batch_size"}), seed)


def _row(
    student: Student,
    exchange: Exchange,
    reply: Reply,
    number: int,
    decoding: str,
    prompt_id: str,
) -> Response | Rejection:
    model = student.model_id
    row_id = content_id("response", exchange.id, model, prompt_id, decoding, number, reply.text)
    if not reply.text:
        return Rejection(
            record_id=row_id,
            stage=STAGE,
            reason="empty_reply",
            detail=f"{student.name}, reply {number + 1}",
            parents=(exchange.id,),
        )
    return Response(
        id=row_id,
        exchange_id=exchange.id,
        responder=student.name,
        text=reply.text,
        lineage=Lineage(
            source=exchange.lineage.source,
            licence=most_restrictive({exchange.lineage.licence, student.licence}),
            operation=STAGE,
            parents=(exchange.id,),
            prompt_id=prompt_id,
            request_id=f"decoding-{decoding}",
            model=model,
            flags=(CUT,) if reply.is_cut else (),
        ),
    )
