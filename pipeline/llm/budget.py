"""What a call may cost at most, and what it did cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.errors import GateFailedError, PipelineError
from pipeline.llm.chat import Request
from pipeline.llm.role import Budget, Role

# A chat template adds a few tokens around each message; no known one adds more.
TEMPLATE_TOKENS = 16
# No call takes as many; an endpoint that says so counts something else.
MOST_TOKENS = 10**9


class BudgetSpentError(GateFailedError):
    """The next call could pass a cap; nothing more is sent."""


class UnknownPriceError(PipelineError):
    """A cap in dollars cannot be kept without a price."""


@dataclass(frozen=True)
class Spent:
    """All that a ledger has seen; a call without a known end counts at its worst case."""

    calls: int = 0
    tokens: int = 0
    usd: float = 0.0


@dataclass(frozen=True)
class Usage:
    """Tokens of one call, as the endpoint counted them."""

    tokens_in: int
    tokens_out: int

    @property
    def total(self) -> int:
        """Prompt and completion tokens."""
        return self.tokens_in + self.tokens_out


def usage_of(body: Mapping[str, Any]) -> Usage | None:
    """Return what an endpoint's answer says that it took, None where it says nothing usable."""
    usage = body.get("usage")
    if not isinstance(usage, dict):
        return None
    tokens_in, tokens_out = usage.get("prompt_tokens"), usage.get("completion_tokens")
    if type(tokens_in) is not int or type(tokens_out) is not int:
        return None
    whole = 0 <= tokens_in <= MOST_TOKENS and 0 <= tokens_out <= MOST_TOKENS
    return Usage(tokens_in, tokens_out) if whole else None


def worst_case(request: Request) -> Usage:
    """Return an upper bound: every byte of the prompt a token, the reply as long as allowed."""
    around = TEMPLATE_TOKENS * (request.turns + 1)
    return Usage(tokens_in=len(request.content) + around, tokens_out=request.tokens_out)


def cost_usd(role: Role, usage: Usage) -> float | None:
    """Return the price of `usage` in US dollars, None when a price is unknown."""
    if role.prices is None:
        return None
    price_in, price_out = role.prices
    return (usage.tokens_in * price_in + usage.tokens_out * price_out) / 1e6


def check_prices(role: Role, budget: Budget) -> None:
    """Raise UnknownPriceError if `budget` caps dollars and `role` has no price."""
    if budget.max_usd is not None and role.prices is None:
        raise UnknownPriceError(
            f"budget.max_usd is {budget.max_usd} but the price of {role.model} is unknown\n"
            "Set price_in and price_out (US dollars per million tokens) for the role, "
            "or cap max_tokens or max_calls instead."
        )


def broken_cap(budget: Budget, spent: Spent, tokens: int, usd: float) -> str | None:
    """Return the cap that a call of at most `tokens` and `usd` could pass, None if none."""
    if budget.max_calls is not None and spent.calls + 1 > budget.max_calls:
        return "max_calls"
    if budget.max_tokens is not None and spent.tokens + tokens > budget.max_tokens:
        return "max_tokens"
    if budget.max_usd is not None and spent.usd + usd > budget.max_usd:
        return "max_usd"
    return None


def budget_spent(cap: str, budget: Budget, spent: Spent) -> BudgetSpentError:
    """Return the error that says which cap was reached and how to go on."""
    return BudgetSpentError(
        f"budget.{cap} is {getattr(budget, cap)} and the next call could pass it "
        f"(spent so far: {spent.calls} calls, {spent.tokens} tokens, {spent.usd:.4f} USD)\n"
        f"All answers are kept in the ledger. To go on, raise budget.{cap} in params.yaml and run "
        "the same command again: nothing is paid for twice."
    )
