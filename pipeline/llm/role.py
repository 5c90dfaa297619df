"""Roles: which model answers as teacher, judge or rater or embeds texts, at what price and pace."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from pipeline.addresses import check_url
from pipeline.config import LocalPath, Section

RoleName = Literal["teacher", "judge", "rater", "embedder"]
Price = float | Literal["unknown"]

# Questions begun per call in flight: enough that one slow answer does not hold up the others.
BEGUN_PER_CALL = 8
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


def _is_a_price(price: Price) -> Price:
    if price != "unknown" and not 0 <= price < float("inf"):
        raise ValueError("a price is 0 or more US dollars per million tokens, or 'unknown'")
    return price


class Role(Section):
    """What every role has: a model, who serves it, its price and its pace.

    `embedded` is the small model that this machine serves to itself; `openai` any endpoint that
    speaks the OpenAI protocol; `recorded` answers from an exported ledger and from nothing else.
    Prices are US dollars per million tokens: "unknown" is not free, and a run with
    `budget.max_usd` refuses to start on it.
    """

    engine: Literal["embedded", "openai", "recorded"]
    model: str = Field(min_length=1)
    base_url: str | None = None
    # The *name* of an environment variable; the pattern refuses most keys pasted by mistake.
    api_key_env: str | None = Field(default=None, pattern=r"^[A-Z_][A-Z0-9_]*$", max_length=64)
    cassette: LocalPath | None = Field(default=None, description="exported ledger to answer from")
    price_in: Annotated[Price, AfterValidator(_is_a_price)] = "unknown"
    allow_insecure: bool = Field(default=False, description="http:// to another machine")
    pace: Pace = Pace()

    @model_validator(mode="after")
    def _engine_has_what_it_needs(self) -> Self:
        if self.engine == "openai":
            if self.base_url is None:
                raise ValueError("engine openai needs base_url")
            check_url(
                self.base_url,
                name="base_url",
                key_place="name a variable in api_key_env",
                allowed=self.allow_insecure,
                allow="set allow_insecure: true",
            )
        if self.engine == "recorded" and self.cassette is None:
            raise ValueError("engine recorded needs cassette, a file of `distillery ledger export`")
        return self

    @property
    def prices(self) -> tuple[float, float] | None:
        """US dollars per million tokens, (in, out); None when either is unknown."""
        return None if self.price_in == "unknown" else (self.price_in, 0.0)

    @property
    def in_flight(self) -> int:
        """Attempts under way at once, at most."""
        return self.pace.concurrency

    @property
    def window(self) -> int:
        """Questions begun at once, at most."""
        return BEGUN_PER_CALL * self.pace.concurrency


class LlmRole(Role):
    """One chat model in one role."""

    model: str = Field(default=EMBEDDED_MODEL, min_length=1)
    temperature: float | None = Field(default=1.0, ge=0, le=2, description="null: not sent")
    max_tokens: int = Field(gt=0, description="completion length, tokens")
    # Newer hosted models refuse the old name of the field.
    max_tokens_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    frequency_penalty: float | None = Field(default=None, ge=-2, le=2, description="null: not sent")
    # A reply is one paragraph: a small model that does not know when to end can be cut there.
    stop: tuple[str, ...] = Field(default=(), max_length=4, description="text that ends a reply")
    seed: int | None = None
    price_out: Annotated[Price, AfterValidator(_is_a_price)] = "unknown"
    mode: Literal["live", "batch"] = "live"
    batch: BatchPace = BatchPace()

    @model_validator(mode="after")
    def _batches_are_a_providers(self) -> Self:
        if self.engine != "openai" and self.mode == "batch":
            raise ValueError("mode batch needs engine openai")
        return self

    @property
    def prices(self) -> tuple[float, float] | None:
        """US dollars per million tokens, (in, out); None when either is unknown."""
        if self.price_in == "unknown" or self.price_out == "unknown":
            return None
        return self.price_in, self.price_out

    @property
    def in_flight(self) -> int:
        """Attempts under way at once, at most."""
        return self.batch.max_rows if self.mode == "batch" else self.pace.concurrency

    @property
    def window(self) -> int:
        """Questions begun at once, at most: as many as fill a batch, where batches are sent."""
        return self.batch.max_rows if self.mode == "batch" else super().window

    def is_same_model(self, other: LlmRole) -> bool:
        """Whether both roles are played by one model."""
        return self.model.casefold() == other.model.casefold()


class EmbedderRole(Role):
    """A model that turns texts into vectors, `texts_per_call` of them at once.

    `dimensions` asks for shorter vectors, where the endpoint can make them.
    """

    engine: Literal["openai", "recorded"]
    texts_per_call: int = Field(default=64, gt=0, le=2048)
    dimensions: int | None = Field(default=None, gt=0, description="null: the model's own")


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
    embedder: EmbedderRole | None = None
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
