"""`Chat`: ask a model, get a reply or a reason why not."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import BaseModel

from pipeline.llm.role import LlmRole
from pipeline.records import Message


@dataclass(frozen=True)
class Reply:
    """What a model said; `request_id` is the ledger key of the call that said it."""

    text: str
    request_id: str
    model: str


class CallRejectedError(Exception):
    """One request got no usable answer; the row becomes a rejection and the run goes on."""

    def __init__(self, reason: str, detail: str, request_id: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
        self.request_id = request_id


class Chat(Protocol):
    """One model in one role."""

    async def ask(
        self,
        messages: Sequence[Message],
        *,
        schema: type[BaseModel] | None = None,
        sample: int = 0,
    ) -> Reply:
        """Return the model's reply to `messages`.

        `schema` asks for JSON of that shape; `sample` tells apart several replies to one prompt.
        Raises CallRejectedError when this request got no usable answer.
        """


@dataclass(frozen=True)
class Request:
    """One call as it is sent, and the key that names it; `tokens_out` bounds what it may bring."""

    content: bytes
    key: str
    sample: int
    turns: int
    tokens_out: int


def build_request(
    role: LlmRole,
    messages: Sequence[Message],
    *,
    schema: type[BaseModel] | None = None,
    sample: int = 0,
) -> Request:
    """Render a request; its key is a hash of all that shapes the answer, the endpoint excepted."""
    body: dict[str, Any] = {
        "model": role.model,
        "messages": [{"role": turn.role, "content": turn.content} for turn in messages],
        role.max_tokens_field: role.max_tokens,
    }
    if role.temperature is not None:
        body["temperature"] = role.temperature
    if role.frequency_penalty is not None:
        body["frequency_penalty"] = role.frequency_penalty
    if role.stop:
        body["stop"] = list(role.stop)
    if role.seed is not None:
        body["seed"] = role.seed + sample
    if schema is not None:
        body["response_format"] = {
            "type": "json_schema",
            "json_schema": {
                "name": schema.__name__,
                "schema": schema.model_json_schema(),
                "strict": True,
            },
        }
    text = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    content = text.encode()
    key = chat_key(content, sample)
    return Request(content, key, sample, turns=len(messages), tokens_out=role.max_tokens)


def chat_key(content: bytes, sample: int) -> str:
    """Return the key of a rendered request to a chat model."""
    return hashlib.sha256(b"%d\n%b" % (sample, content)).hexdigest()


def embedding_key(content: bytes) -> str:
    """Return the key of a rendered request for vectors."""
    return hashlib.sha256(b"embedding\n" + content).hexdigest()


def read_reply(raw: str, key: str) -> Reply:
    """Return the reply in a raw answer; raises CallRejectedError if it was cut or withheld."""
    body = json.loads(raw)
    choice = body["choices"][0]
    finish_reason = choice.get("finish_reason") or "stop"
    text = choice["message"].get("content") or ""
    if finish_reason in ("length", "content_filter"):
        raise CallRejectedError(f"finish_{finish_reason}", text[-80:], key)
    if not text.strip():
        raise CallRejectedError("empty", str(choice["message"].get("refusal") or ""), key)
    return Reply(text=text, request_id=key, model=str(body.get("model", "")))
