"""Roles: which model answers as teacher, judge or rater, at what price and at what pace."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from pipeline.config import Section

RoleName = Literal["teacher", "judge", "rater"]
Price = float | Literal["unknown"]

EMBEDDED_MODEL = "SmolLM2-135M-Instruct-Q4_1"


class Pace(Section):
    """How fast a role may ask and how long it tries; changes no answer."""

    concurrency: int = Field(default=8, gt=0, description="calls in flight, at most")
    rpm: int | None = Field(default=None, gt=0, description="attempts per minute; null: no limit")
    tpm: int | None = Field(default=None, gt=0, description="tokens per minute; null: no limit")
    timeout_s: float = Field(default=120.0, gt=0, description="of one attempt, to its last byte")
    max_attempts: int = Field(default=6, gt=0, description="attempts per request")
    max_wait_s: float = Field(default=60.0, ge=0, description="longest pause between attempts")
    breaker_failures: int = Field(
        default=30, gt=0, description="failed attempts in a row that stop the run"
    )


class BatchPace(Section):
    """How `mode: batch` fills and polls the provider's batches."""

    max_rows: int = Field(default=10_000, gt=0, le=50_000, description="requests per batch file")
    poll_s: float = Field(default=30.0, gt=0, description="pause between two looks at a batch")


class LlmRole(Section):
    """One model in one role.

    `embedded` is the small model that this machine serves to itself; `openai` any endpoint that
    speaks the OpenAI chat protocol; `recorded` answers from an exported ledger and from nothing
    else. Prices are US dollars per million tokens: "unknown" is not free, and a run with
    `budget.max_usd` refuses to start on it.
    """

    engine: Literal["embedded", "openai", "recorded"]
    model: str = Field(default=EMBEDDED_MODEL, min_length=1)
    base_url: str | None = None
    # The *name* of an environment variable; the pattern refuses most keys pasted by mistake.
    api_key_env: str | None = Field(default=None, pattern=r"^[A-Z_][A-Z0-9_]*$", max_length=64)
    cassette: Path | None = Field(default=None, description="exported ledger to answer from")
    temperature: float | None = Field(default=1.0, ge=0, le=2, description="null: not sent")
    max_tokens: int = Field(gt=0, description="completion length, tokens")
    # Newer hosted models refuse the old name of the field.
    max_tokens_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    frequency_penalty: float | None = Field(default=None, ge=-2, le=2, description="null: not sent")
    # A reply is one paragraph: a small model that does not know when to end can be cut there.
    stop: tuple[str, ...] = Field(default=(), max_length=4, description="text that ends a reply")
    seed: int | None = None
    price_in: Price = "unknown"
    price_out: Price = "unknown"
    mode: Literal["live", "batch"] = "live"
    allow_insecure: bool = Field(default=False, description="http:// to another machine")
    pace: Pace = Pace()
    batch: BatchPace = BatchPace()

    @field_validator("price_in", "price_out")
    @classmethod
    def _is_a_price(cls, price: Price) -> Price:
        if price != "unknown" and not 0 <= price < float("inf"):
            raise ValueError("a price is 0 or more US dollars per million tokens, or 'unknown'")
        return price

    @model_validator(mode="after")
    def _engine_has_what_it_needs(self) -> Self:
        if self.engine == "openai":
            if self.base_url is None:
                raise ValueError("engine openai needs base_url")
            check_url(self.base_url, allow_insecure=self.allow_insecure)
        if self.engine == "recorded" and self.cassette is None:
            raise ValueError("engine recorded needs cassette, a file of `distillery ledger export`")
        if self.engine != "openai" and self.mode == "batch":
            raise ValueError("mode batch needs engine openai")
        return self

    @property
    def prices(self) -> tuple[float, float] | None:
        """US dollars per million tokens, (in, out); None when either is unknown."""
        if self.price_in == "unknown" or self.price_out == "unknown":
            return None
        return self.price_in, self.price_out

    def is_same_model(self, other: LlmRole) -> bool:
        """Whether both roles are played by one model."""
        return self.model.casefold() == other.model.casefold()


def check_url(base_url: str, *, allow_insecure: bool) -> None:
    """Raise ValueError unless `base_url` may carry a key: https, or http on this machine."""
    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("base_url must be http(s)://host…")
    if parts.username or parts.password or parts.query:
        raise ValueError("base_url must not carry credentials; name a variable in api_key_env")
    if parts.scheme == "http" and not is_loopback(parts.hostname) and not allow_insecure:
        raise ValueError(
            f"base_url is http:// to {parts.hostname}: prompts and key would travel in the clear; "
            "use https:// or set allow_insecure: true"
        )


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Budget(Section):
    """Caps on all that the ledger has seen, not on one run: a killed run does not reset them."""

    max_usd: float | None = Field(default=None, ge=0, description="US dollars")
    max_tokens: int | None = Field(default=None, ge=0, description="prompt and completion tokens")
    max_calls: int | None = Field(default=None, ge=0, description="attempts sent")


class LlmParams(Section):
    """Section `llm` of params.yaml: who answers, and what it may cost."""

    teacher: LlmRole
    judge: LlmRole | None = None
    rater: LlmRole | None = None
    allow_self_judging: bool = False
    budget: Budget = Budget()

    @model_validator(mode="after")
    def _judge_is_not_the_teacher(self) -> Self:
        if self.judges_itself and not self.allow_self_judging:
            raise ValueError(
                f"judge and teacher are both {self.teacher.model}: a model favours its own "
                "answers; choose another judge or set allow_self_judging: true"
            )
        return self

    @property
    def judges_itself(self) -> bool:
        """Whether the judge is the teacher; every report of a judgement must then say so."""
        return self.judge is not None and self.judge.is_same_model(self.teacher)
