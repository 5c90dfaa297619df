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

# What reading a stranger's JSON may raise: not JSON, of another shape, too deep or too large.
BROKEN = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    AssertionError,
    RecursionError,
)


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


@dataclass(frozen=True)
class ChatBody:
    """What we read of a chat completion; `text` and the other words are valid text."""

    text: str
    finish_reason: str
    refusal: str
    body: dict[str, Any]


def parse_chat(raw: str) -> ChatBody:
    """Return what a raw answer of a chat model says; raises ValueError if it is none."""
    try:
        body = json.loads(raw)
        choice = body["choices"][0]
        message = choice["message"]
        text = message.get("content") or ""
        finish_reason = choice.get("finish_reason") or "stop"
        refusal = message.get("refusal") or ""
    except BROKEN as error:
        raise ValueError(f"no chat completion ({type(error).__name__} {error})") from error
    if not isinstance(text, str) or not isinstance(finish_reason, str):
        raise ValueError("no chat completion (its content is not text)")
    return ChatBody(valid_text(text), valid_text(finish_reason), valid_text(str(refusal)), body)


def valid_text(text: str) -> str:
    """Join the halves of surrogate pairs; a half alone, which is no text, becomes U+FFFD."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def read_reply(raw: str, key: str) -> Reply:
    """Return the reply in a raw answer.

    Raises CallRejectedError if it was cut or withheld, ValueError if it is no chat completion.
    """
    said = parse_chat(raw)
    if said.finish_reason in ("length", "content_filter"):
        raise CallRejectedError(f"finish_{said.finish_reason}", said.text[-80:], key)
    if not said.text.strip():
        raise CallRejectedError("empty", said.refusal, key)
    model = valid_text(str(said.body.get("model", "")))
    return Reply(text=said.text, request_id=key, model=model)
