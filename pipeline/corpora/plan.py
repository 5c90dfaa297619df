"""The calls that a distillation would make."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace

from pipeline.corpora.drafts import Task
from pipeline.llm import CallRejectedError, LlmRole
from pipeline.llm.ledger_file import LedgerReader
from pipeline.llm.plan import PlanningChat
from pipeline.records import Rejection
from pipeline.strategies import STRATEGIES, Draft


def plan_calls(
    tasks: Iterable[Task | Rejection],
    strategy: str,
    teacher: LlmRole,
    *,
    ledger: LedgerReader | None,
    reply_words: int,
) -> PlanningChat:
    """Return the chat that counted what `strategy` would ask about `tasks`.

    Where the reply to improve is still to be written, one of `reply_words` words stands in.
    """
    chat = PlanningChat(teacher, ledger, reply_words=reply_words)
    ask = STRATEGIES[strategy]

    async def plan(draft: Draft) -> None:
        try:
            await ask(draft, chat)
        except CallRejectedError:
            return  # its call is counted; it would end here

    async def plan_all() -> None:
        for task in tasks:
            if isinstance(task, Task):
                draft = task.draft
                if draft.response is None and strategy != "direct":
                    draft = replace(draft, response=" ".join(["word"] * reply_words))
                await plan(draft)

    asyncio.run(plan_all())
    return chat
