"""A student behind OpenAI's chat protocol, on the loopback interface alone."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from pipeline.errors import PipelineError
from pipeline.loopback import LoopbackHandler, LoopbackServer
from pipeline.records import Message
from pipeline.storage import first_problem
from pipeline.student.generate import GenerationParams, Generator, Reply

# Logits divided by less are no longer finite.
LEAST_TEMPERATURE = 1e-3


def _require_finite_logits(temperature: float) -> float:
    if 0 < temperature < LEAST_TEMPERATURE:
        raise ValueError(f"0, or at least {LEAST_TEMPERATURE}")
    return temperature


_Temperature = Annotated[float, Field(ge=0, le=2), AfterValidator(_require_finite_logits)]


class ChatRequest(BaseModel):
    """What a client asks; other fields of the protocol are accepted and without effect."""

    model_config = ConfigDict(extra="ignore")

    messages: tuple[Message, ...] = Field(min_length=1)
    model: str | None = None
    max_tokens: int | None = Field(default=None, ge=1, le=4096)
    temperature: _Temperature | None = None
    top_p: float | None = Field(default=None, gt=0, le=1)
    seed: int = Field(default=0, ge=0, lt=1 << 63)
    n: int = Field(default=1, ge=1, le=16)
    stream: bool = False


class Talker:
    """One loaded model that answers one request at a time, whoever asks."""

    def __init__(
        self, model: Any, tokenizer: Any, params: GenerationParams, *, name: str, context: int
    ) -> None:
        self.name = name
        self.context = context
        self._parts = model, tokenizer
        self._params = params
        self._one_at_a_time = threading.Lock()

    def answer(self, request: ChatRequest) -> list[Reply]:
        """Return `n` replies. Raises PipelineError for what is too long or cannot be done."""
        if request.stream:
            raise PipelineError("stream: true is not served; ask without it")
        if request.messages[-1].role != "user":
            raise PipelineError("messages: the last one must be the user's")
        given = {
            "max_new_tokens": request.max_tokens,
            "temperature": request.temperature,
            "top_p": request.top_p,
        }
        params = self._params.model_copy(
            update={name: value for name, value in given.items() if value is not None}
        )
        with self._one_at_a_time:
            generator = Generator(*self._parts, params)
            if generator.count(request.messages) + params.max_new_tokens > self.context:
                raise PipelineError(
                    f"messages: too long, prompt and max_tokens share {self.context} tokens"
                )
            return generator.replies([request.messages], seed=request.seed, samples=request.n)[0]


def bind(port: int) -> LoopbackServer:
    """Take `port` of 127.0.0.1, 0 for a free one, before anything slow is loaded.

    Who connects now waits until `answer_with` has given the server something to say.
    """
    return LoopbackServer(port, LoopbackHandler)


def answer_with(server: LoopbackServer, talker: Talker) -> None:
    """Let `talker` answer what comes to `server`, until it is interrupted or shut down."""
    server.RequestHandlerClass = partial(_Handler, talker=talker)
    try:
        server.serve_forever()
    finally:
        server.server_close()


class _Handler(LoopbackHandler):
    """OpenAI's chat protocol, as far as it is spoken here."""

    methods = ("GET", "POST")

    def __init__(self, *arguments: Any, talker: Talker) -> None:
        self.talker = talker
        super().__init__(*arguments)

    def do_GET(self) -> None:  # noqa: N802  as the base class calls it
        if self.path == "/health":
            self._answer(200, {"status": "ok"})
        elif self.path == "/v1/models":
            models = [{"id": self.talker.name, "object": "model"}]
            self._answer(200, {"object": "list", "data": models})
        else:
            self.refuse(404, f"{self.path}: not served")

    def do_POST(self) -> None:  # noqa: N802  as the base class calls it
        if self.path != "/v1/chat/completions":
            self.refuse(404, f"{self.path}: not served")
            return
        body = self.read_json_body()
        if body is None:
            return
        try:
            request = ChatRequest.model_validate(json.loads(body))
            self._answer(200, _completion(self.talker, request, self.talker.answer(request)))
        except ValidationError as error:
            self.refuse(400, first_problem(error))
        except (ValueError, RecursionError) as error:
            self.refuse(400, f"not JSON ({error})")
        except PipelineError as error:
            self.refuse(400, str(error))

    def refuse(self, status: int, message: str) -> None:
        self.close_connection = True
        error = {"message": message, "type": "invalid_request_error"}
        self._answer(status, {"error": error})

    def _answer(self, status: int, value: object) -> None:
        self.send(status, "application/json", json.dumps(value, ensure_ascii=False).encode())


def _completion(talker: Talker, request: ChatRequest, replies: Sequence[Reply]) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{uuid.uuid4().hex}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": talker.name,
        "choices": [
            {
                "index": number,
                "message": {"role": "assistant", "content": reply.text},
                "finish_reason": "length" if reply.is_cut else "stop",
            }
            for number, reply in enumerate(replies)
        ],
        "usage": {"completion_tokens": sum(reply.tokens for reply in replies)},
    }
