"""One attempt to get an answer: what brings it, what may come back, what is counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from pipeline.llm.budget import Usage
from pipeline.llm.chat import Request


class AttemptFailedError(Exception):
    """One attempt brought no answer.

    `can_retry` tells a passing trouble from a request that the endpoint will never accept;
    `is_overload` from a trouble of the endpoint that fewer calls may ease.
    """

    def __init__(
        self,
        outcome: str,
        detail: str,
        *,
        can_retry: bool = True,
        is_overload: bool = False,
        wait_s: float = 0.0,
    ) -> None:
        super().__init__(f"{outcome}: {detail}" if detail else outcome)
        self.outcome = outcome
        self.can_retry = can_retry
        self.is_overload = is_overload
        self.wait_s = wait_s


def too_large(most_bytes: int) -> AttemptFailedError:
    """Return the failure of an answer that is too long, as another would be, and cost again."""
    return AttemptFailedError("too_large", f"over {most_bytes:,} bytes", can_retry=False)


@dataclass(frozen=True)
class Completion:
    """The part of a chat completion that we read, and its raw text."""

    text: str
    finish_reason: str
    usage: Usage | None
    raw: str


class Transport(Protocol):
    """Sends one attempt."""

    async def send(self, request: Request) -> Completion:
        """Send it; raises AttemptFailedError, or a PipelineError to end the run."""

    @property
    def batches_at(self) -> str | None:
        """The endpoint that takes its requests by batch, None if they are sent live."""

    async def resume(self) -> None:
        """Take up what a process that is gone has left at the provider."""

    def sent_attempt(self, key: str) -> int | None:
        """Return the attempt that already carries a request, None if it is to be sent."""

    def note_attempt(self, key: str, attempt: int) -> None:
        """Remember which attempt a request is sent under."""

    async def close(self) -> None:
        """Close the connections."""


@dataclass
class Count:
    """What one run asked: `cached` were found in the ledger, `calls` are attempts sent.

    `tokens` and `usd` are what this run paid for; `tokens_in` and `tokens_out` are those of every
    answer it used, whoever paid for it, but for the `unmetered` ones that do not say.
    """

    asked: int = 0
    cached: int = 0
    calls: int = 0
    answered: int = 0
    tokens: int = 0
    usd: float = 0.0
    tokens_in: int = 0
    tokens_out: int = 0
    unmetered: int = 0

    def use(self, usage: Usage | None) -> None:
        """Count an answer that was used."""
        if usage is None:
            self.unmetered += 1
        else:
            self.tokens_in += usage.tokens_in
            self.tokens_out += usage.tokens_out
