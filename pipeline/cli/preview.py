"""`distillery preview`: a few prompts and answers side by side, before the whole is paid for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import BaseModel

    from pipeline.llm import Chat, Reply
    from pipeline.params import Params
    from pipeline.records import Message


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("preview")(preview)


def preview(
    corpus: Annotated[str, typer.Option(help="a name under `distillations` in params.yaml")],
    limit: Annotated[int, typer.Option(min=1, help="exchanges to show")] = 3,
    ask: Annotated[
        bool | None,
        typer.Option(
            "--ask/--no-ask",
            help="call the teacher for these few; else only a teacher that is free is asked",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print the turns as JSON")] = False,
) -> None:
    """Show what is asked about the first exchanges, with the answers.

    Answers go to the ledger, so the real run does not pay for them again. Without --ask a teacher
    that costs money is not called: answers are shown where the ledger has them.
    """
    import asyncio

    from pipeline.cli.console import say_json
    from pipeline.params import load_params

    params = load_params()
    if ask is None:
        ask = params.llm.teacher.prices == (0, 0)
    turns = asyncio.run(_turns(params, corpus, limit, ask=ask))
    if as_json:
        say_json(turns)
    else:
        _show(turns)


class _Watched:
    """A chat that remembers what was said."""

    def __init__(self, chat: Chat) -> None:
        self.turns: list[dict[str, str]] = []
        self._chat = chat

    async def ask(
        self, messages: Sequence[Message], *, schema: type[BaseModel] | None = None, sample: int = 0
    ) -> Reply:
        from pipeline.llm import CallRejectedError

        turn = {"prompt": messages[-1].content, "answer": "(not asked yet: add --ask)"}
        self.turns.append(turn)
        try:
            reply = await self._chat.ask(messages, schema=schema, sample=sample)
        except CallRejectedError as error:
            turn["answer"] = f"(rejected: {error})"
            raise
        turn["answer"] = reply.text
        return reply


class _NotAskedError(Exception):
    """The ledger has no answer and nobody is to be asked."""


class _LedgerOnly:
    """A chat that answers from the ledger and ends the exchange where it cannot."""

    def __init__(self, params: Params) -> None:
        from pipeline.llm.ledger_file import LedgerReader
        from pipeline.llm.open_chat import ledger_path

        self._role = params.llm.teacher
        self._ledger = LedgerReader(ledger_path()) if ledger_path().is_file() else None

    async def ask(
        self, messages: Sequence[Message], *, schema: type[BaseModel] | None = None, sample: int = 0
    ) -> Reply:
        from pipeline.llm.chat import build_request, read_reply

        request = build_request(self._role, messages, schema=schema, sample=sample)
        raw = self._ledger.answer_text(request.key) if self._ledger else None
        if self._ledger is None or raw is None:
            raise _NotAskedError
        with self._ledger.reading(request.key):
            return read_reply(raw, request.key)


async def _turns(params: Params, name: str, limit: int, *, ask: bool) -> list[dict[str, object]]:
    from contextlib import AsyncExitStack, suppress

    from pipeline.cli.plan import read_distillation
    from pipeline.errors import PipelineError
    from pipeline.llm import CallRejectedError
    from pipeline.llm.open_chat import open_chat
    from pipeline.records import Rejection
    from pipeline.strategies import STRATEGIES

    distillation = params.distillation(name)
    strategy = STRATEGIES[distillation.strategy]
    shown: list[dict[str, object]] = []
    async with AsyncExitStack() as stack:
        chat: Chat = _LedgerOnly(params)
        if ask:
            opened = open_chat(
                params.llm.teacher, name="teacher", stage=name, budget=params.llm.budget
            )
            chat = await stack.enter_async_context(opened)
        for task in read_distillation(params, name, limit=limit):
            if isinstance(task, Rejection):
                continue
            if task.draft.response is None and distillation.strategy != "direct":
                raise PipelineError(
                    f"{name}: the replies that it improves are not there yet\n"
                    f"Run `dvc repro parse@{distillation.parents}` first."
                )
            watched = _Watched(chat)
            with suppress(CallRejectedError, _NotAskedError):  # the last turn says so
                await strategy(task.draft, watched)
            shown.append({"exchange": task.candidate.exchange.id, "turns": watched.turns})
    return shown


def _show(exchanges: list[dict[str, object]]) -> None:
    import sys

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(file=sys.stdout)
    for exchange in exchanges:
        table = Table(title=str(exchange["exchange"]), title_justify="left", show_lines=True)
        table.add_column("prompt", ratio=1)
        table.add_column("answer", ratio=1)
        turns = exchange["turns"]
        for turn in turns if isinstance(turns, list) else []:
            # Text, not markup: brackets in a reply stay brackets.
            table.add_row(Text(turn["prompt"]), Text(turn["answer"]))
        console.print(table)
