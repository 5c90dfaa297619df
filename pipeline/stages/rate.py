"""Stage `rate`: what a rater model says of responses, and whether that may be used."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

from pipeline.config import Section
from pipeline.declare import In, Metrics, Out, Param, Stage
from pipeline.features.model_ratings import exclusion
from pipeline.features.pairs import read_pairs
from pipeline.features.rater import RaterName, rate, rating_question
from pipeline.features.subfactors import V1
from pipeline.llm import Budget, CallRejectedError, Chat, LlmRole
from pipeline.llm.ledger_file import LedgerReader
from pipeline.llm.live import live_count, spent_line
from pipeline.llm.open_chat import open_chat
from pipeline.llm.ordered import in_order
from pipeline.llm.plan import PlanningChat
from pipeline.llm.recorded_chat import NotRecordedError
from pipeline.llm.transport import Count
from pipeline.progress import print_line
from pipeline.records import Exchange, ModelRating, Rejection, Response, content_id
from pipeline.storage import write_json, write_table

STAGE = "rate"


class RateParams(Section):
    """Section `rate` of params.yaml: how the `rater` role is asked, and about how many."""

    raters: tuple[RaterName, ...]
    limit: int | None = Field(gt=0, description="responses asked about, in file order; null: all")


@dataclass(frozen=True)
class _Asked:
    """One question about one response: its numbers by aspect, or why there are none."""

    rater: RaterName
    response: Response
    ratings: Mapping[str, float] | None = None
    reason: str = ""
    detail: str = ""


DAG = Stage(reads=("sample_ratings",))


def run(
    params: RateParams,
    rater: Annotated[LlmRole | None, Param("llm.rater")],
    budget: Annotated[Budget, Param("llm.budget", watched=False)],
    *,
    exchanges: In[Exchange],
    responses: In[Response],
    out: Out[ModelRating],
    rejections: Out[Rejection],
    metrics: Metrics,
) -> Count:
    """Write one row per number that the rater gave, marked where it may not be used."""
    pairs = read_pairs(exchanges, responses)[: params.limit]
    asked: list[_Asked] = []
    count = Count()
    if rater is not None:
        asked, count = asyncio.run(_ask_all(params, rater, budget, pairs))
    model = "" if rater is None else rater.model
    why = {
        name: exclusion(model, [one.ratings for one in asked if one.rater == name and one.ratings])
        for name in params.raters
    }
    write_table(out, ModelRating, _rows(asked, model, why))
    write_table(rejections, Rejection, (_rejection(one) for one in asked if one.ratings is None))
    write_json(
        metrics,
        {
            "model": model or None,
            "raters": {name: _described(name, asked, why[name]) for name in params.raters},
        },
    )
    if rater is not None:
        print_line(f"{STAGE}: {spent_line(count, rater)}")
    return count


async def _ask_all(
    params: RateParams,
    role: LlmRole,
    budget: Budget,
    pairs: Sequence[tuple[Exchange, Response]],
) -> tuple[list[_Asked], Count]:
    questions = [(name, pair) for name in params.raters for pair in pairs]
    async with open_chat(role, name="rater", stage=STAGE, budget=budget) as chat:

        async def ask(question: tuple[RaterName, tuple[Exchange, Response]]) -> _Asked:
            name, (exchange, response) = question
            return await _ask(name, exchange, response, chat)

        rows = in_order(questions, ask, window=2 * role.in_flight)
        with live_count(chat.count, role, STAGE, len(questions)) as progress:
            asked = []
            async with aclosing(rows):
                async for row in rows:
                    progress.done += 1
                    asked.append(row)
        return asked, chat.count


def plan_rating(
    params: RateParams,
    role: LlmRole,
    *,
    exchanges: Path,
    responses: Path,
    ledger: LedgerReader | None,
) -> PlanningChat:
    """Return the chat that counted what `run` would ask; a repair would be one more call."""
    chat = PlanningChat(role, ledger, reply_words=len(V1))

    async def ask_all() -> None:
        pairs = read_pairs(exchanges, responses)[: params.limit]
        for name in params.raters:
            for exchange, response in pairs:
                message, schema = rating_question(name, exchange, response)
                with suppress(CallRejectedError):  # it is counted
                    await chat.ask([message], schema=schema)

    asyncio.run(ask_all())
    return chat


async def _ask(name: RaterName, exchange: Exchange, response: Response, chat: Chat) -> _Asked:
    try:
        return _Asked(name, response, await rate(name, exchange, response, chat))
    except CallRejectedError as error:
        return _Asked(name, response, reason=error.reason, detail=error.detail)
    except NotRecordedError:
        # A cassette is of the responses that it was recorded on; others have no rating.
        return _Asked(name, response, reason="not_recorded")


def _rows(
    asked: Sequence[_Asked], model: str, why: Mapping[RaterName, str | None]
) -> Iterator[ModelRating]:
    for one in asked:
        for aspect, value in (one.ratings or {}).items():
            yield ModelRating(
                response_id=one.response.id,
                rater=one.rater,
                model=model,
                aspect=aspect,
                value=int(value),
                excluded=why[one.rater],
            )


def _rejection(one: _Asked) -> Rejection:
    return Rejection(
        record_id=content_id("model-rating", one.response.id, one.rater),
        stage=STAGE,
        reason=one.reason,
        detail=one.detail,
        parents=(one.response.id,),
    )


def _described(name: RaterName, asked: Sequence[_Asked], why: str | None) -> dict[str, object]:
    own = [one for one in asked if one.rater == name]
    values = Counter(int(value) for one in own for value in (one.ratings or {}).values())
    return {
        "asked": len(own),
        "rated": sum(one.ratings is not None for one in own),
        "rejected": dict(sorted(Counter(one.reason for one in own if one.ratings is None).items())),
        "numbers": {str(value): count for value, count in sorted(values.items())},
        "excluded": why,
    }
