"""What the mock endpoint answers, how it misbehaves, and what it saw."""

from __future__ import annotations

import base64
import hashlib
import json
import random
from array import array
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.mock_batches import Batches

CLAUSES = (
    "that sounds heavy",
    "I can see why it stays with you",
    "hope must have felt near",
    "your care shows in every line",
    "it makes sense to feel torn",
    "you kept going all the same",
    "nobody should carry that alone",
    "I am glad that you told me",
    "the waiting alone would wear me out",
    "what you did took courage",
    "there is no right way to feel about it",
    "I wonder what tonight will be like",
)


@dataclass
class Behaviour:
    """What the endpoint does; rates are shares of calls, drawn from `seed`."""

    latency_s: float = 0.0
    rate_429: float = 0.0
    retry_after_s: float = 0.05
    rate_500: float = 0.0
    rate_hang: float = 0.0
    rate_malformed: float = 0.0
    rate_drip: float = 0.0
    drip_interval_s: float = 0.2
    seed: int = 0
    status: int | None = None
    status_body: str = "{}"
    content_type: str = "application/json"
    echo_key: bool = False
    finish_reason: str = "stop"
    # Calls whose body holds this text always fail.
    poison: str | None = None
    poison_status: str = "500"
    # With poison_status "packed": what is sent as gzip, with status 200.
    packed: bytes = b""
    # Calls answered with the n-th reply, then the last one for ever; None: words by content.
    replies: list[str] | None = None
    usage: bool = True
    vector_length: int = 8
    vectors_lost: int = 0
    # An endpoint that does not know base64 sends lists of numbers.
    knows_base64: bool = True
    batch_polls: int = 1
    batch_lost_share: float = 0.0
    batch_error_share: float = 0.0


@dataclass
class Tally:
    """What the endpoint saw."""

    calls: int = 0
    answered: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    by_content: Counter[str] = field(default_factory=Counter)
    answered_by_content: Counter[str] = field(default_factory=Counter)
    started_at: list[float] = field(default_factory=list)
    in_flight: int = 0
    peak_in_flight: int = 0


def written_reply(body: bytes) -> str:
    """Return five clauses and a number that depend on `body` alone."""
    digest = hashlib.sha256(body).digest()
    draw = random.Random(digest)
    clauses = draw.sample(CLAUSES, 5)
    return ", ".join(clauses).capitalize() + f", {digest.hex()[:8]}."


class Endpoint:
    """The behaviour and the tally behind all connections."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        self.tally = Tally()
        self.draw = random.Random(behaviour.seed)
        self.batches = Batches(self)
        self.last_headers: dict[str, str] = {}

    def completion(self, body: bytes) -> bytes:
        """Return the body of a chat completion that answers `body`."""
        replies = self.behaviour.replies
        if replies is not None:
            content = replies.pop(0) if len(replies) > 1 else replies[0]
        else:
            content = written_reply(body)
        if self.behaviour.echo_key:
            content += " " + self.last_headers.get("authorization", "")
        request = json.loads(body)
        answer: dict[str, Any] = {
            "id": "chatcmpl-" + hashlib.sha256(body).hexdigest()[:12],
            "object": "chat.completion",
            "created": 1,
            "model": request["model"],
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": content},
                    "finish_reason": self.behaviour.finish_reason,
                }
            ],
        }
        if self.behaviour.usage:
            out = len(content) // 4
            given = len(body) // 4
            answer["usage"] = {
                "prompt_tokens": given,
                "completion_tokens": out,
                "total_tokens": given + out,
            }
        return json.dumps(answer).encode()

    def vectors(self, body: bytes) -> bytes:
        """Return the body of an answer with one vector per text, by the text alone."""
        behaviour, request = self.behaviour, json.loads(body)
        size = request.get("dimensions", behaviour.vector_length)
        data = []
        for index, text in enumerate(request["input"]):
            draw = random.Random(text)
            numbers = array("f", [draw.gauss(0, 1) for _ in range(size)])
            as_text = request.get("encoding_format") == "base64" and behaviour.knows_base64
            vector = base64.b64encode(numbers.tobytes()).decode() if as_text else list(numbers)
            data.append({"object": "embedding", "index": index, "embedding": vector})
        draw.shuffle(data)  # the index tells which is whose
        given = len(body) // 4
        answer: dict[str, Any] = {
            "object": "list",
            "model": request["model"],
            "data": data[: len(data) - behaviour.vectors_lost],
        }
        if behaviour.usage:
            answer["usage"] = {"prompt_tokens": given, "total_tokens": given}
        return json.dumps(answer).encode()

    def fault(self, body: bytes) -> str:
        """Draw what happens to this call: `ok` or the name of a fault."""
        behaviour = self.behaviour
        if behaviour.status is not None:
            return str(behaviour.status)
        if behaviour.poison is not None and behaviour.poison.encode() in body:
            return behaviour.poison_status
        at = self.draw.random()
        for name, share in (
            ("429", behaviour.rate_429),
            ("500", behaviour.rate_500),
            ("hang", behaviour.rate_hang),
            ("malformed", behaviour.rate_malformed),
            ("drip", behaviour.rate_drip),
        ):
            if at < share:
                return name
            at -= share
        return "ok"
