"""What a run would ask and cost, without asking: the same code paths, with no one at the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel

from pipeline.llm.budget import Usage, cost_usd, worst_case
from pipeline.llm.chat import Reply, Request, build_request, read_reply
from pipeline.llm.ledger import Ledger
from pipeline.llm.role import LlmRole
from pipeline.records import Message

# Estimates until the ledger knows better; marked as such wherever they are shown.
BYTES_PER_TOKEN = 4.0
MOST_BYTES_PER_TOKEN = 6.0
TOKENS_PER_WORD = 4 / 3
FEWEST_REPLY_TOKENS = 8
ENOUGH_ANSWERS = 20


@dataclass
class Range:
    """Tokens of all planned calls: low, expected, high; `high` is a bound, not a guess."""

    low: float = 0
    expected: float = 0
    high: float = 0

    def add(self, low: float, expected: float, high: float) -> None:
        """Add one call."""
        self.low += low
        self.expected += expected
        self.high += high


@dataclass(frozen=True)
class Measured:
    """What the ledger's answers of a model say about its tokens; `answers` of them were read."""

    answers: int
    bytes_per_token: float
    reply_tokens: float | None


class PlanningChat:
    """A `Chat` that answers from the ledger or with a stand-in, and counts what it would ask."""

    def __init__(self, role: LlmRole, ledger: Ledger | None, *, reply_words: int) -> None:
        self.role = role
        self.in_ledger = 0
        self.calls = 0
        self.tokens_in = Range()
        self.tokens_out = Range()
        self._ledger = ledger
        self._seen: set[str] = set()
        self._stand_in = " ".join(["word"] * reply_words)
        self._reply_tokens = min(role.max_tokens, reply_words * TOKENS_PER_WORD)
        self.measured = _measured(role, ledger)
        if self.measured.reply_tokens is not None:
            self._reply_tokens = self.measured.reply_tokens

    async def ask(
        self,
        messages: Sequence[Message],
        *,
        schema: type[BaseModel] | None = None,
        sample: int = 0,
    ) -> Reply:
        """See `Chat.ask`; nothing is sent."""
        request = build_request(self.role, messages, schema=schema, sample=sample)
        raw = self._ledger.answer_text(request.key) if self._ledger else None
        if request.key not in self._seen:
            self._seen.add(request.key)
            self._count(request, in_ledger=raw is not None)
        if raw is not None:
            return read_reply(raw, request.key)
        return Reply(text=self._stand_in, request_id=request.key, model=self.role.model)

    def _count(self, request: Request, *, in_ledger: bool) -> None:
        if in_ledger:
            self.in_ledger += 1
            return
        self.calls += 1
        size, at_most = len(request.content), worst_case(request)
        expected = size / self.measured.bytes_per_token
        self.tokens_in.add(size / MOST_BYTES_PER_TOKEN, expected, at_most.tokens_in)
        fewest = min(FEWEST_REPLY_TOKENS, self.role.max_tokens)
        self.tokens_out.add(fewest, self._reply_tokens, at_most.tokens_out)

    def usd(self) -> tuple[float, float, float] | None:
        """Return the cost in US dollars: low, expected, high; None when a price is unknown."""
        if self.role.prices is None:
            return None
        low, expected, high = (
            cost_usd(
                self.role,
                Usage(round(getattr(self.tokens_in, at)), round(getattr(self.tokens_out, at))),
            )
            or 0.0
            for at in ("low", "expected", "high")
        )
        return low, expected, high


def _measured(role: LlmRole, ledger: Ledger | None) -> Measured:
    """Return tokens per byte and per reply of the model's answers, where there are enough."""
    if ledger is not None:
        [(answers, size, tokens_in, tokens_out)] = ledger.rows(
            "SELECT count(*), sum(length(CAST(request AS BLOB))), sum(tokens_in), sum(tokens_out)"
            " FROM answers WHERE model = ? AND tokens_in > 0 AND tokens_out > 0",
            role.model,
        )
        if isinstance(answers, int) and answers >= ENOUGH_ANSWERS:
            return Measured(answers, _float(size) / _float(tokens_in), _float(tokens_out) / answers)
    return Measured(0, BYTES_PER_TOKEN, None)


def _float(value: object) -> float:
    return float(str(value))
