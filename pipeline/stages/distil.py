"""Stage `distil`: ask the teacher; the only stage whose answers cost money."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from pydantic import Field

from pipeline.config import Section
from pipeline.corpora.conversation import PromptParams
from pipeline.corpora.drafts import STAGE, Task, read_tasks
from pipeline.corpora.params import Distillation, RespondersParams
from pipeline.declare import In, Item, Key, Metrics, Out, Param, Stage
from pipeline.errors import GateFailedError
from pipeline.llm import Budget, CallRejectedError, Chat, LlmRole
from pipeline.llm.asker import ask_all
from pipeline.llm.budget import Usage, cost_usd
from pipeline.llm.ledger_file import LedgerReader
from pipeline.llm.live import spent_line
from pipeline.llm.open_chat import open_chat
from pipeline.llm.plan import PlanningChat
from pipeline.llm.transport import Count
from pipeline.progress import print_line
from pipeline.prompts.injection import suspected_injections
from pipeline.records import (
    Completion,
    Exchange,
    Lineage,
    Rejection,
    Response,
    SplitAssignment,
    content_id,
)
from pipeline.storage import TableWriter, read_table, together, write_json
from pipeline.strategies import STRATEGIES, OverLong, prompt_id


class DistilParams(Section):
    """Section `distil` of params.yaml."""

    limit: int | None = Field(gt=0, description="train exchanges asked about; null: all")
    over_long: OverLong = "reject"


DAG = Stage(each="distillations")


def run(
    name: Key[str],
    distillation: Item[Distillation],
    params: DistilParams,
    teacher: Annotated[LlmRole, Param("llm.teacher")],
    budget: Annotated[Budget, Param("llm.budget", watched=False)],
    responders: RespondersParams,
    prompt: PromptParams,
    *,
    exchanges: In[Exchange],
    responses: In[Response],
    splits: In[SplitAssignment],
    out: Out[Completion],
    rejections: Out[Rejection],
    metrics: Metrics,
) -> Count:
    """Write one raw completion per exchange, in their order, and what brought none.

    `metrics` says what the answers took, whether they were asked for now or kept in the ledger.

    Raises GateFailedError if not one exchange was answered.
    """
    tasks = read_tasks(
        distillation,
        reference=responders.reference_responder,
        prompt=prompt,
        over_long=params.over_long,
        limit=params.limit,
        exchanges=exchanges,
        responses=responses,
        splits=splits,
    )
    complete = _completing(name, distillation.strategy, teacher, prompt)
    opened = open_chat(teacher, name="teacher", stage=name, budget=budget)
    reasons: Counter[str] = Counter()
    with (
        together(),
        TableWriter(out, Completion) as kept,
        TableWriter(rejections, Rejection) as dropped,
    ):

        def take(row: Completion | Rejection) -> None:
            if isinstance(row, Rejection):
                dropped.write(row)
                reasons[row.reason] += 1
            else:
                kept.write(row)

        total = _count_train(splits, params.limit)
        count = ask_all(opened, tasks, complete, take, stage=name, total=total)
    if not kept.rows:
        why = ", ".join(f"{times} {reason}" for reason, times in reasons.most_common())
        raise GateFailedError(
            f"{out}: the teacher brought not one completion ({why or 'nothing was asked'})\n"
            f"The reasons are in {rejections}."
        )
    write_json(metrics, _figures(name, teacher, count, kept.rows, reasons))
    print_line(f"{name}: {spent_line(count, teacher)}")
    return count


def _completing(
    name: str, strategy: str, teacher: LlmRole, prompt: PromptParams
) -> Callable[[Task | Rejection, Chat], Awaitable[Completion | Rejection]]:
    """Return how a task is asked about."""
    template_ids = prompt_id(strategy, direct=prompt.template)

    async def complete(task: Task | Rejection, chat: Chat) -> Completion | Rejection:
        if isinstance(task, Rejection):
            return task
        try:
            reply = await STRATEGIES[strategy](task.draft, chat)
        except CallRejectedError as error:
            return _rejection(task, name, error)
        return _completion(task, reply.text, reply.request_id, teacher.model, template_ids)

    return complete


def plan_distilling(
    tasks: Iterable[Task | Rejection],
    name: str,
    strategy: str,
    teacher: LlmRole,
    prompt: PromptParams,
    ledger: LedgerReader | None,
) -> PlanningChat:
    """Return the chat that counted what `run` would ask about `tasks`.

    Where the reply to improve is still to be written, one of the usual length stands in.
    """
    planning = PlanningChat(teacher, ledger, reply_words=prompt.mean_words)
    if strategy != "direct":
        tasks = (_answered(task, prompt.mean_words) for task in tasks)
    complete = _completing(name, strategy, teacher, prompt)
    ask_all(nullcontext(planning), tasks, complete, lambda _: None, stage=name)
    return planning


def _answered(task: Task | Rejection, words: int) -> Task | Rejection:
    if isinstance(task, Rejection) or task.draft.response is not None:
        return task
    return replace(task, draft=replace(task.draft, response=" ".join(["word"] * words)))


def _figures(
    name: str, teacher: LlmRole, count: Count, completions: int, reasons: Counter[str]
) -> dict[str, object]:
    """Return the same for the same answers, so that keeping them in the ledger changes nothing."""
    known = count.unmetered == 0
    usage = Usage(count.tokens_in, count.tokens_out)
    return {
        "name": name,
        "model": teacher.model,
        "asked": count.asked,
        "completions": completions,
        "rejections": dict(sorted(reasons.items())),
        "tokens_in": usage.tokens_in if known else None,
        "tokens_out": usage.tokens_out if known else None,
        "usd": cost_usd(teacher, usage) if known else None,
    }


def _count_train(splits: Path, limit: int | None) -> int:
    train = sum(one.split == "train" for one in read_table(splits, SplitAssignment))
    return train if limit is None else min(train, limit)


def _completion(
    task: Task, text: str, request_id: str, model: str, template_ids: str
) -> Completion:
    exchange, parent = task.candidate.exchange, task.parent
    parents = (exchange.id, parent.id) if parent else (exchange.id,)
    texts = [exchange.situation, *(turn.text for turn in exchange.transcript())]
    if parent:
        texts.append(parent.text)
    return Completion(
        id=content_id("completion", *parents, request_id),
        exchange_id=exchange.id,
        improves=parent.id if parent else None,
        text=text,
        lineage=Lineage(
            source=exchange.lineage.source,
            licence=exchange.lineage.licence,
            operation=STAGE,
            parents=parents,
            request_id=request_id,
            model=model,
            teacher_prompt_id=template_ids,
            flags=suspected_injections(texts),
        ),
    )


def _rejection(task: Task, name: str, error: CallRejectedError) -> Rejection:
    exchange, parent = task.candidate.exchange, task.parent
    return Rejection(
        record_id=content_id("completion-row", exchange.id, name, error.request_id),
        stage=STAGE,
        reason=error.reason,
        detail=f"{error.detail} (request {error.request_id})".strip(),
        parents=(exchange.id, *([parent.id] if parent else [])),
    )
