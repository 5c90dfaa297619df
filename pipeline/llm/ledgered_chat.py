"""`LedgeredChat`: a `Chat` whose every answer is in the ledger."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel

from pipeline.llm.answer import MOST_BYTES
from pipeline.llm.budget import usage_of
from pipeline.llm.chat import CallRejectedError, Reply, build_request, parse_chat, read_reply
from pipeline.llm.ledgered_calls import LedgeredCalls
from pipeline.llm.role import LlmRole
from pipeline.records import Message


class LedgeredChat(LedgeredCalls[LlmRole]):
    """A `Chat` that keeps every answer, stays under the budget and keeps the pace."""

    async def ask(
        self,
        messages: Sequence[Message],
        *,
        schema: type[BaseModel] | None = None,
        sample: int = 0,
    ) -> Reply:
        """See `Chat.ask`."""
        request = build_request(self.role, messages, schema=schema, sample=sample)
        self.count.asked += 1
        raw = self._ledger.answer_text(request.key)
        if raw is None:
            if len(request.content) > MOST_BYTES:
                detail = f"over {MOST_BYTES:,} bytes"
                raise CallRejectedError("request_too_large", detail, request.key)
            raw = await self._pay_once(request)
        else:
            self.count.cached += 1
        with self._ledger.reading(request.key):
            self.count.use(usage_of(parse_chat(raw).body))
            return read_reply(raw, request.key)
