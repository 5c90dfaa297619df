"""Stage `rate`: what a rater model says of responses, and whether that may be used."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

from pipeline.config import Section
from pipeline.declare import In, Metrics, Out, Param, Stage
from pipeline.features.model_ratings import exclusion
from pipeline.features.pairs import read_pairs
from pipeline.features.rater import RaterName, rate
from pipeline.features.subfactors import V1
from pipeline.llm import Budget, CallRejectedError, Chat, LlmRole
from pipeline.llm.asker import Opened, ask_all
from pipeline.llm.ledger_file import LedgerReader
from pipeline.llm.live import spent_line
from pipeline.llm.open_chat import open_chat
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
        opened = open_chat(rater, name="rater", stage=STAGE, budget=budget)
        asked, count = _ask_all(params, opened, pairs)
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


def _ask_all(
    params: RateParams, opened: Opened, pairs: Sequence[tuple[Exchange, Response]]
) -> tuple[list[_Asked], Count]:
    questions = [(name, pair) for name in params.raters for pair in pairs]
    asked: list[_Asked] = []
    count = ask_all(opened, questions, _ask, asked.append, stage=STAGE, total=len(questions))
    return asked, count


def plan_rating(
    params: RateParams,
    role: LlmRole,
    *,
    exchanges: Path,
    responses: Path,
    ledger: LedgerReader | None,
) -> PlanningChat:
    """Return the chat that counted what `run` would ask; a repair would be one more call."""
    planning = PlanningChat(role, ledger, reply_words=len(V1))
    _ask_all(params, nullcontext(planning), read_pairs(exchanges, responses)[: params.limit])
    return planning


async def _ask(question: tuple[RaterName, tuple[Exchange, Response]], chat: Chat) -> _Asked:
    name, (exchange, response) = question
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
