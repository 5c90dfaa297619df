"""Texts to vectors by any endpoint that speaks the OpenAI protocol, each text paid for once.

Texts travel many to a call, and each is kept in the ledger under the request that would ask for it
alone: a killed run, another batch size or a grown corpus pays for new texts only.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pipeline.errors import PipelineError
from pipeline.llm.answer import MOST_BYTES, read_answers
from pipeline.llm.bookings import TakenError
from pipeline.llm.budget import MOST_TOKENS, Usage
from pipeline.llm.chat import BROKEN, CallRejectedError, Request, embedding_key
from pipeline.llm.ledgered_calls import LedgeredCalls
from pipeline.llm.openai_chat import MAX_DETAIL, OpenAITransport
from pipeline.llm.ordered import in_order
from pipeline.llm.recorded_chat import NotRecordedError
from pipeline.llm.role import EmbedderRole
from pipeline.llm.transport import AttemptFailedError, Completion, Count
from pipeline.llm.vectors import Vector, entries_of, read_vector, vector_of

T = TypeVar("T")

# In an answer: a list of 10,000 numbers, each with a sign, an exponent and 17 digits.
MOST_VECTOR_BYTES = 256 * 2**10


@dataclass(frozen=True)
class Embedded:
    """Vectors by text, all of one length; `rejected` says why a text has none."""

    vectors: Mapping[str, Vector]
    rejected: Mapping[str, str]


class VectorLengthError(PipelineError):
    """The vectors of one model differ in length."""


def build_embedding_request(role: EmbedderRole, texts: Sequence[str]) -> Request:
    """Render the request for `texts`; its key is a hash of model, texts and length asked for."""
    body: dict[str, Any] = {"model": role.model, "input": list(texts)}
    if role.dimensions is not None:
        body["dimensions"] = role.dimensions
    # What OpenAI's own client asks for: a third of the bytes. Endpoints that do not know it send
    # lists of numbers, which are read too.
    body["encoding_format"] = "base64"
    return _rendered(body)


def held_and_missing(
    role: EmbedderRole, requests: Mapping[str, Request], held: Callable[[str], T | None]
) -> tuple[dict[str, T], list[list[str]]]:
    """Return what is `held` of each text by its request's key, and the calls that ask for the rest.

    Texts of like lengths travel together, whatever the order of the rows. What is too large for
    any call is in neither.
    """
    looked_up = {text: held(request.key) for text, request in requests.items()}
    kept = {text: value for text, value in looked_up.items() if value is not None}
    sendable = {text for text, request in requests.items() if len(request.content) <= MOST_BYTES}
    missing = sorted(sendable - kept.keys(), key=lambda text: (len(text), text))
    size = role.texts_per_call
    return kept, [missing[start : start + size] for start in range(0, len(missing), size)]


def _rendered(body: dict[str, Any]) -> Request:
    content = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    return Request(
        content, embedding_key(content), sample=0, turns=len(body["input"]), tokens_out=0
    )


class EmbeddingTransport(OpenAITransport):
    """Sends requests for vectors; an answer without one whole vector per text is a failure."""

    path = "/embeddings"

    @property
    def most_bytes(self) -> int:
        """See `OpenAITransport.most_bytes`."""
        assert isinstance(self.role, EmbedderRole)
        return MOST_BYTES + self.role.texts_per_call * MOST_VECTOR_BYTES

    async def send(self, request: Request) -> Completion:
        """See `OpenAITransport.send`."""
        completion = await super().send(request)
        found, wanted = len(entries_of(completion.raw)), request.turns
        if found != wanted:
            raise AttemptFailedError("malformed", f"{found} vectors for {wanted} texts")
        return completion

    def completion(self, raw: str) -> Completion:
        """Read an answer's body; raises AttemptFailedError if it is no list of vectors."""
        from pipeline.unfolding.limits import PIECE_BYTES
        from pipeline.unfolding.sizes import of_json

        raw = self.redacted(raw)
        if of_json(raw.encode()) > PIECE_BYTES:
            detail = f"takes over {PIECE_BYTES:,} bytes of memory"
            raise AttemptFailedError("too_large", detail, can_retry=False)
        try:
            for entry in entries_of(raw):
                vector_of(entry)
            tokens = (json.loads(raw).get("usage") or {}).get("prompt_tokens")
        except BROKEN as error:
            raise AttemptFailedError("malformed", raw[:MAX_DETAIL]) from error
        usage = None
        if type(tokens) is int and 0 <= tokens <= MOST_TOKENS:
            usage = Usage(tokens, 0)
        return Completion("", "stop", usage, raw)


class LedgeredEmbedder(LedgeredCalls[EmbedderRole]):
    """Vectors of texts, each kept in the ledger, under the budget and at the pace of the role."""

    async def embed(self, texts: Sequence[str]) -> Embedded:
        """Return the vectors of `texts`; what the endpoint will not take is named with a reason.

        A call that is refused is sent again in halves, so that one text does not cost the others
        theirs.
        """
        role = self.role
        wanted = {text: build_embedding_request(role, [text]) for text in dict.fromkeys(texts)}
        vectors, calls = held_and_missing(role, wanted, self._kept)
        self.count.asked += len(wanted)
        self.count.cached += len(vectors)
        asked = {text for call in calls for text in call}
        too_large = wanted.keys() - vectors.keys() - asked
        rejected = dict.fromkeys(too_large, "request_too_large")

        async def pay(part: list[str]) -> None:
            try:
                raw = await self._pay(build_embedding_request(role, part))
            except TakenError as taken:
                theirs = [text for text in part if wanted[text].key in taken.keys]
                ours = [text for text in part if wanted[text].key not in taken.keys]
                await asyncio.gather(*([pay(ours)] if ours else []), wait(theirs, taken.keys))
            except CallRejectedError as error:
                if len(part) == 1:
                    rejected[part[0]] = error.reason
                    return
                middle = len(part) // 2
                await asyncio.gather(pay(part[:middle]), pay(part[middle:]))
            else:
                entries = map(vector_of, entries_of(raw))
                vectors.update(zip(part, entries, strict=True))

        async def wait(part: list[str], keys: frozenset[str]) -> None:
            await self._until_free(keys)
            left = []
            for text in part:
                vector = self._kept(wanted[text].key)
                if vector is None:
                    left.append(text)
                else:
                    vectors[text] = vector
                    self.count.cached += 1
            if left:
                await pay(left)

        async for _ in in_order(calls, pay, window=role.window):
            pass
        return _checked(vectors, rejected, role.model)

    def _kept(self, key: str) -> Vector | None:
        """Return the vector that the ledger has, None if it has none."""
        raw = self._ledger.answer_text(key)
        if raw is None:
            return None
        with self._ledger.reading(key):
            return read_vector(raw)

    def _keys(self, request: Request) -> tuple[str, ...]:
        asked = json.loads(request.content)
        return tuple(_rendered(asked | {"input": [text]}).key for text in asked["input"])

    def _parts(self, request: Request, completion: Completion) -> list[tuple[Request, str]]:
        try:
            return list(_alone(request, completion.raw))
        except RecursionError as error:
            raise AttemptFailedError("malformed", "nested too deeply") from error


class RecordedEmbedder:
    """Vectors out of an exported ledger, and from nothing else."""

    def __init__(self, role: EmbedderRole, cassette: Path) -> None:
        self.role = role
        self.count = Count()
        self._cassette = cassette
        self._answers = {answer.key: answer.answer for answer in read_answers(cassette)}

    async def embed(self, texts: Sequence[str]) -> Embedded:
        """Return the recorded vectors; raises NotRecordedError for a text that was never asked."""
        vectors = {}
        for text in dict.fromkeys(texts):
            key = build_embedding_request(self.role, [text]).key
            if key not in self._answers:
                raise NotRecordedError(
                    f"{self._cassette}: no answer to request {key} (model {self.role.model})\n"
                    "Model, dimensions and texts must be those of the recording; to ask anew, set "
                    "engine openai."
                )
            vectors[text] = read_vector(self._answers[key])
        self.count.asked = self.count.cached = len(vectors)
        return _checked(vectors, {}, self.role.model)


def _alone(request: Request, raw: str) -> Iterator[tuple[Request, str]]:
    """Yield each text's own request, with the answer that it would have got."""
    asked, answered = json.loads(request.content), json.loads(raw)
    for text, entry in zip(asked["input"], entries_of(raw), strict=True):
        answer = {"model": answered.get("model"), "data": [{**entry, "index": 0}]}
        yield _rendered(asked | {"input": [text]}), json.dumps(answer)


def _checked(vectors: dict[str, Vector], rejected: dict[str, str], model: str) -> Embedded:
    lengths = sorted({len(vector) for vector in vectors.values()})
    if len(lengths) > 1:
        raise VectorLengthError(
            f"{model}: vectors of {lengths[0]} and of {lengths[-1]} numbers under one name\n"
            "Give each model its own name, and drop the old answers: "
            "distillery ledger prune --stage featurize"
        )
    return Embedded(vectors, rejected)
