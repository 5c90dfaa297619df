"""Small named records, for tests that need one and do not care which."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.corpora.candidates import Candidate
from pipeline.corpora.conversation import PromptParams
from pipeline.records import (
    Exchange,
    Lineage,
    Message,
    PreferencePair,
    RawLocation,
    Response,
    SFTExample,
    Turn,
)

PROMPT = PromptParams(mean_words=28, max_words=97)
INGESTED = Lineage(source="sample", licence="CC0-1.0", operation="ingest")

LOST_JOB = Exchange(
    id="exchange-lost-job",
    dialogue_id="lost-job",
    emotion="sad",
    situation="The shop that I had worked in for nine years closed last week.",
    utterance="I still wake up at five and get dressed for work.",
    raw=RawLocation(file="examples.jsonl", row=1),
    lineage=INGESTED,
)

LATE_TRAIN = Exchange(
    id="exchange-late-train",
    dialogue_id="late-train",
    emotion="annoyed",
    situation="Third delay this week, and the interview was at nine.",
    history=(
        Turn(role="speaker", text="The train did it again."),
        Turn(role="listener", text="Oh no, today of all days?"),
    ),
    utterance="They had already gone home when I got there.",
    raw=RawLocation(file="examples.jsonl", row=2),
    lineage=INGESTED,
)


def response(
    responder: str, rating: int | None, text: str | None = None, *, exchange: Exchange = LOST_JOB
) -> Response:
    """Return what `responder` answered, rated `rating`."""
    return Response(
        id=f"response-{exchange.dialogue_id}-{responder}",
        exchange_id=exchange.id,
        responder=responder,
        text=text or f"This is what {responder} has to say.",
        rating=rating,
        lineage=INGESTED.model_copy(update={"parents": (exchange.id,)}),
    )


def candidate(ratings: Mapping[str, int | None], *, exchange: Exchange = LOST_JOB) -> Candidate:
    """Return `exchange` with one response per responder in `ratings`."""
    return Candidate(
        exchange, {who: response(who, rating, exchange=exchange) for who, rating in ratings.items()}
    )


def message(role: str, content: str) -> Message:
    """Return one chat message."""
    return Message.model_validate({"role": role, "content": content})


def sft_example(name: str, *messages: Message) -> SFTExample:
    """Return a supervised example with `messages`."""
    return SFTExample(
        id=name,
        messages=messages,
        exchange_id=LOST_JOB.id,
        response_id="response-1",
        lineage=INGESTED,
    )


def pair(chosen: str, rejected: str, **ratings: int) -> PreferencePair:
    """Return a pair of two answers to one prompt."""
    return PreferencePair(
        id="pair-1",
        prompt=(message("user", "I lost my keys."),),
        chosen=(message("assistant", chosen),),
        rejected=(message("assistant", rejected),),
        exchange_id=LOST_JOB.id,
        chosen_id="response-1",
        rejected_id="response-2",
        lineage=INGESTED,
        **ratings,
    )
