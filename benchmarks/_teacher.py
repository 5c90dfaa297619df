"""What the teacher benchmarks share: a corpus of any size, and the two clients to compare."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.harness import peak_mib, stopwatch
from pipeline.llm.role import Budget, LlmRole, Pace
from pipeline.llm.transport import Count
from pipeline.records import (
    Exchange,
    Lineage,
    Message,
    RawLocation,
    Response,
    SplitAssignment,
    content_id,
)
from pipeline.storage import write_table

CONCURRENCY = 50
# About the length of a real request with its instructions.
FILLER = "a situation with some words in it, " * 25


def role(url: str, *, timeout_s: float = 120.0, rpm: int | None = None) -> LlmRole:
    """Return a teacher at `url` with a concurrency of 50."""
    pace = Pace(concurrency=CONCURRENCY, timeout_s=timeout_s, rpm=rpm, max_wait_s=1.0)
    return LlmRole(engine="openai", base_url=url, model="mock", max_tokens=200, pace=pace)


def prompt(number: int) -> Message:
    """Return the `number`-th prompt."""
    return Message(role="user", content=f"{FILLER}{number}")


def ask_bare(url: str, calls: str) -> dict[str, float]:
    """Make `calls` calls with AsyncOpenAI and a semaphore; nothing is kept."""
    import openai

    async def run() -> float:
        client = openai.AsyncOpenAI(base_url=url, api_key="none", max_retries=0)
        slots = asyncio.Semaphore(CONCURRENCY)

        async def one(number: int) -> str | None:
            async with slots:
                answer = await client.chat.completions.create(
                    model="mock",
                    messages=[{"role": "user", "content": prompt(number).content}],
                    max_tokens=200,
                    temperature=1.0,
                )
                return answer.choices[0].message.content

        with stopwatch() as seconds:
            await asyncio.gather(*(one(number) for number in range(int(calls))))
        await client.close()
        return seconds()

    return {"seconds": asyncio.run(run()), "peak_mib": peak_mib()}


def ask_ours(url: str, calls: str, ledger: str, warm: str = "") -> dict[str, Any]:
    """Make `calls` calls through the ledger, as the stage does; tell what was asked.

    `warm` imports the client before the clock starts, as the bare loop does.
    """
    import sys

    if warm:
        import openai

        openai.DefaultAsyncHttpxClient()
    from pipeline.llm.open_chat import open_chat
    from pipeline.llm.ordered import in_order

    async def run() -> tuple[float, Count]:
        teacher = role(url)
        opened = open_chat(
            teacher, name="teacher", stage="bench", budget=Budget(), ledger=Path(ledger)
        )
        async with opened as chat:
            with stopwatch() as seconds:

                async def one(number: int) -> str:
                    return (await chat.ask([prompt(number)])).text

                replies = 0
                async for _ in in_order(range(int(calls)), one, window=8 * CONCURRENCY):
                    replies += 1
            assert replies == int(calls)
            return seconds(), chat.count

    seconds, count = asyncio.run(run())
    return {
        "seconds": seconds,
        "peak_mib": peak_mib(),
        "sent": count.calls,
        "cached": count.cached,
        "imported_openai": "openai" in sys.modules,
    }


def first_bare(url: str) -> dict[str, float]:
    """Import the client and make one call."""
    with stopwatch() as seconds:
        ask_bare(url, "1")
    return {"seconds": seconds()}


def first_ours(url: str, ledger: str) -> dict[str, float]:
    """Open ledger and chat and make one call, the client's import included."""
    with stopwatch() as seconds:
        ask_ours(url, "1", ledger)
    return {"seconds": seconds()}


def write_corpus(folder: Path, rows: int) -> None:
    """Write exchanges, rated responses and a split with all on the train side."""

    def exchanges() -> Iterator[Exchange]:
        for number in range(rows):
            yield Exchange(
                id=content_id("exchange", number),
                dialogue_id=str(number),
                situation=f"{FILLER}{number}",
                utterance=f"It happened for the {number}th time.",
                raw=RawLocation(file="made.jsonl", row=number + 1),
                lineage=Lineage(source="made", licence="CC0-1.0", operation="made"),
            )

    write_table(folder / "exchanges.parquet", Exchange, exchanges())
    write_table(
        folder / "source.parquet",
        Response,
        (
            Response(
                id=content_id("response", one.id),
                exchange_id=one.id,
                responder="human",
                text="I see. That is how it goes.",
                rating=2,
                lineage=one.lineage,
            )
            for one in exchanges()
        ),
    )
    write_table(
        folder / "splits.parquet",
        SplitAssignment,
        (
            SplitAssignment(exchange_id=one.id, split="train", group="all", rule="made")
            for one in exchanges()
        ),
    )


def distil(
    url: str, folder: str, out: str, timeout_s: str = "120", rpm: str = ""
) -> dict[str, Any]:
    """Run stage distil, strategy naive, on the corpus in `folder`; its ledger is in `out`."""
    from pipeline.corpora.conversation import PromptParams
    from pipeline.corpora.params import Distillation, RespondersParams
    from pipeline.stages import distil as stage

    os.environ["DISTILLERY_HOME"] = out
    corpus, target = Path(folder), Path(out)
    with stopwatch() as seconds:
        count = stage.run(
            "human-naive",
            Distillation(method="human", strategy="naive", parents="source"),
            stage.DistilParams(limit=None),
            role(url, timeout_s=float(timeout_s), rpm=int(rpm) if rpm else None),
            Budget(),
            RespondersParams(reference_responder="human"),
            PromptParams(mean_words=28, max_words=97),
            exchanges=corpus / "exchanges.parquet",
            responses=corpus / "source.parquet",
            splits=corpus / "splits.parquet",
            out=target / "completions.parquet",
            rejections=target / "rejections.parquet",
            metrics=target / "metrics.json",
        )
    return {"seconds": seconds(), "sent": count.calls, "peak_mib": peak_mib()}
