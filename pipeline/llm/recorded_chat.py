"""Recorded mode: answers from an exported ledger, and from nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel

from pipeline.errors import PipelineError
from pipeline.llm.answer import read_answers
from pipeline.llm.chat import Reply, build_request, read_reply
from pipeline.llm.role import LlmRole
from pipeline.llm.transport import Count
from pipeline.records import Message


class NotRecordedError(PipelineError):
    """A cassette lacks the answer to a request."""


class RecordedChat:
    """A `Chat` that replays a cassette: a corpus rebuilt with it is byte-identical."""

    def __init__(self, role: LlmRole, cassette: Path) -> None:
        self.role = role
        self.count = Count()
        self._cassette = cassette
        self._answers = {one.key: one.answer for one in read_answers(cassette)}

    async def ask(
        self,
        messages: Sequence[Message],
        *,
        schema: type[BaseModel] | None = None,
        sample: int = 0,
    ) -> Reply:
        """See `Chat.ask`; raises NotRecordedError for a request that was never recorded."""
        request = build_request(self.role, messages, schema=schema, sample=sample)
        self.count.asked += 1
        raw = self._answers.get(request.key)
        if raw is None:
            raise NotRecordedError(
                f"{self._cassette}: no answer to request {request.key} (model {self.role.model}, "
                f"{len(messages)} message(s), sample {sample})\n"
                "Model, sampling, prompts and data must be those of the recording; to ask anew, "
                "set engine embedded or openai."
            )
        self.count.cached += 1
        return read_reply(raw, request.key)

    async def close(self) -> None:
        """Nothing is open."""
