"""A language model in the role `judge`, asked twice: each reply stands once first, once second.

Two answers that name the same reply are a verdict; two that contradict each other are a tie. An
answer that cannot be read is neither, and its share is reported.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Literal

from pydantic import BaseModel, ConfigDict

from pipeline.evaluation.contests import Contest
from pipeline.evaluation.judges import LOSS, TIE, WIN, Place, Verdict
from pipeline.llm import Budget, CallRejectedError, Chat, LlmRole
from pipeline.llm.asker import Opened, ask_all
from pipeline.llm.ledger_file import LedgerReader
from pipeline.llm.open_chat import open_chat
from pipeline.llm.plan import PlanningChat
from pipeline.llm.structured import ask_structured
from pipeline.prompts import load_template
from pipeline.records import Exchange, Message, Response

TEMPLATE = "judge/better"
STAGE = "evaluate"
ANSWER_WORDS = 5
Preferred = Literal["first", "second", "equal"]


class Judgement(BaseModel):
    """What a judge answers."""

    model_config = ConfigDict(extra="forbid")

    better: Preferred


def judging_prompt(exchange: Exchange, first: Response, second: Response) -> Message:
    """Return the message that shows two replies in this order."""
    text = load_template(TEMPLATE).render(
        context=exchange.situation,
        conversation=exchange.transcript_text(),
        first=first.text,
        second=second.text,
    )
    return Message(role="user", content=text)


async def judge_in_both_orders(contest: Contest, chat: Chat) -> Verdict:
    """Ask both at once and join the answers; one that was refused or cannot be read: no verdict."""
    exchange, ours, theirs = contest.exchange, contest.ours, contest.theirs
    first = asyncio.ensure_future(_ask(exchange, ours, theirs, chat))
    second = asyncio.ensure_future(_ask(exchange, theirs, ours, chat))
    await asyncio.gather(first, second, return_exceptions=True)  # what is paid for is kept
    try:
        return join_orders(first.result(), second.result())
    except CallRejectedError as error:
        return Verdict(None, error.reason)


async def _ask(exchange: Exchange, first: Response, second: Response, chat: Chat) -> Preferred:
    answer, _ = await ask_structured(chat, [judging_prompt(exchange, first, second)], Judgement)
    return answer.better


def join_orders(ours_first: Preferred, ours_second: Preferred) -> Verdict:
    """Return the verdict of two answers: one with ours first, one with ours second."""
    if ours_first == ours_second == "equal":
        return Verdict(TIE, asked_twice=True)
    if ours_first == ours_second:
        place: Place = "first" if ours_first == "first" else "second"
        return Verdict(TIE, "orders disagree", asked_twice=True, favoured=place)
    if "equal" in (ours_first, ours_second):
        return Verdict(TIE, "orders disagree", asked_twice=True)
    return Verdict(WIN if ours_first == "first" else LOSS, asked_twice=True)


class LlmJudge:
    """The model that params.yaml names under `llm.judge`; its answers are kept in the ledger.

    `is_teacher` puts a word into its name: a model favours its own answers, and its students'.
    """

    def __init__(self, role: LlmRole, budget: Budget, *, is_teacher: bool = False) -> None:
        self.name = f"LLM {role.model}" + (" (is the teacher)" if is_teacher else "")
        self._role = role
        self._budget = budget

    def judge(self, contests: Sequence[Contest]) -> list[Verdict]:
        """Ask about each contest in both orders."""
        return _judge(
            contests, open_chat(self._role, name="judge", stage=STAGE, budget=self._budget)
        )


def plan_judging(
    contests: Sequence[Contest], role: LlmRole, *, ledger: LedgerReader | None
) -> PlanningChat:
    """Return what `judge` would ask, without asking; a repair would be one more call."""
    planning = PlanningChat(role, ledger, reply_words=ANSWER_WORDS)
    _judge(contests, nullcontext(planning))
    return planning


def _judge(contests: Sequence[Contest], opened: Opened) -> list[Verdict]:
    verdicts: list[Verdict] = []
    total = len(contests)
    ask_all(opened, contests, judge_in_both_orders, verdicts.append, stage=STAGE, total=total)
    return verdicts
