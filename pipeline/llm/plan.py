"""What a run would ask and cost, without asking: the same code paths, with no one at the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel

from pipeline.llm.budget import Usage, cost_usd, worst_case
from pipeline.llm.chat import (
    CallRejectedError,
    Reply,
    Request,
    build_request,
    read_reply,
)
from pipeline.llm.embedder import build_embedding_request, held_and_missing
from pipeline.llm.ledger_file import LedgerReader
from pipeline.llm.role import EmbedderRole, LlmRole, Role
from pipeline.llm.transport import Count
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


class Plan:
    """What a run would ask of a role: calls, answers that the ledger holds already, tokens."""

    def __init__(self, role: Role, ledger: LedgerReader | None) -> None:
        self.role = role
        self.in_ledger = 0
        self.calls = 0
        self.tokens_in = Range()
        self.tokens_out = Range()
        self.measured = _measured(role, ledger)

    def add(self, request: Request, *, fewest: float = 0, expected: float = 0) -> None:
        """Count a call to be paid for; `fewest` and `expected` are tokens of its reply."""
        self.calls += 1
        size, at_most = len(request.content), worst_case(request)
        likely = size / self.measured.bytes_per_token
        self.tokens_in.add(size / MOST_BYTES_PER_TOKEN, likely, at_most.tokens_in)
        self.tokens_out.add(fewest, expected, at_most.tokens_out)

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


class PlanningChat(Plan):
    """A `Chat` that answers from the ledger or with a stand-in, and counts what it would ask.

    Of a reply with a schema there is no stand-in: its question ends as if it had been rejected.
    """

    role: LlmRole

    def __init__(self, role: LlmRole, ledger: LedgerReader | None, *, reply_words: int) -> None:
        super().__init__(role, ledger)
        self.count = Count()
        self._ledger = ledger
        self._seen: set[str] = set()
        self._stand_in = " ".join(["word"] * reply_words)
        self._fewest = min(FEWEST_REPLY_TOKENS, role.max_tokens)
        self._expected = min(role.max_tokens, reply_words * TOKENS_PER_WORD)
        if self.measured.reply_tokens is not None:
            self._expected = self.measured.reply_tokens

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
            if raw is None:
                self.add(request, fewest=self._fewest, expected=self._expected)
            else:
                self.in_ledger += 1
        if self._ledger and raw is not None:
            with self._ledger.reading(request.key):
                return read_reply(raw, request.key)
        if schema is not None:
            raise CallRejectedError("planned", "nothing was asked", request.key)
        return Reply(text=self._stand_in, request_id=request.key, model=self.role.model)


def plan_embedding(role: EmbedderRole, texts: Sequence[str], ledger: LedgerReader | None) -> Plan:
    """Count what the vectors of `texts` would take; what the ledger holds is counted in texts."""
    plan = Plan(role, ledger)
    requests = {text: build_embedding_request(role, [text]) for text in dict.fromkeys(texts)}
    held = ledger.answer_text if ledger else lambda _: None
    kept, calls = held_and_missing(role, requests, held)
    plan.in_ledger = len(kept)
    for call in calls:
        plan.add(build_embedding_request(role, call))
    return plan


def _measured(role: Role, ledger: LedgerReader | None) -> Measured:
    """Return tokens per byte and per reply of the model's answers, where there are enough."""
    if ledger is not None:
        [(answers, size, tokens_in, tokens_out)] = ledger.rows(
            "SELECT count(*), sum(length(CAST(request AS BLOB))), sum(tokens_in), sum(tokens_out)"
            " FROM answers WHERE model = ? AND tokens_in > 0 AND tokens_out > 0"
            " AND typeof(tokens_in) = 'integer' AND typeof(tokens_out) = 'integer'",
            role.model,
        )
        if isinstance(answers, int) and answers >= ENOUGH_ANSWERS:
            return Measured(answers, _float(size) / _float(tokens_in), _float(tokens_out) / answers)
    return Measured(0, BYTES_PER_TOKEN, None)


def _float(value: object) -> float:
    return float(str(value))
