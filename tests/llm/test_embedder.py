"""Texts become vectors by an endpoint: each is paid for once, whatever is asked beside it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from pipeline.llm import Budget, EmbedderRole
from pipeline.llm.budget import BudgetSpentError
from pipeline.llm.embedder import LedgeredEmbedder, RecordedEmbedder, VectorLengthError
from pipeline.llm.ledger import Ledger
from pipeline.llm.ledger_transfer import export_answers
from pipeline.llm.open_chat import open_embedder
from pipeline.llm.openai_chat import EndpointRefusedError
from pipeline.llm.plan import plan_embedding
from pipeline.llm.recorded_chat import NotRecordedError
from tests.mock_endpoint import Behaviour, Handle, running

TEXTS = [f"I hear you, number {number}." for number in range(20)]


def role_at(url: str, *, pace: dict[str, Any] | None = None, **changes: Any) -> EmbedderRole:
    values: dict[str, Any] = {
        "engine": "openai",
        "base_url": url,
        "model": "mock-embeddings",
        "texts_per_call": 4,
        "pace": {"concurrency": 4, "timeout_s": 5.0, "max_wait_s": 0.02, **(pace or {})},
        **changes,
    }
    return EmbedderRole.model_validate(values)


@asynccontextmanager
async def embedder(
    role: EmbedderRole, ledger: Path, budget: Budget | None = None
) -> AsyncIterator[LedgeredEmbedder | RecordedEmbedder]:
    async with open_embedder(
        role, stage="featurize", budget=budget or Budget(), ledger=ledger
    ) as one:
        yield one


async def test_texts_travel_together_and_come_back_by_index(endpoint: Handle, ledger: Path) -> None:
    async with embedder(role_at(endpoint.base_url), ledger) as together:
        found = await together.embed([*TEXTS, TEXTS[0]])
    calls = endpoint.tally.calls
    async with embedder(
        role_at(endpoint.base_url, texts_per_call=1), ledger.with_name("b")
    ) as alone:
        one_by_one = await alone.embed(TEXTS)

    assert calls == 5
    assert found.vectors == one_by_one.vectors
    assert {len(vector) for vector in found.vectors.values()} == {8}


async def test_numbers_sent_as_a_list_are_the_same_as_base64(
    endpoint: Handle, ledger: Path
) -> None:
    async with embedder(role_at(endpoint.base_url), ledger) as one:
        short = await one.embed(TEXTS)
    endpoint.behaviour.knows_base64 = False
    async with embedder(role_at(endpoint.base_url), ledger.with_name("b")) as one:
        long = await one.embed(TEXTS)

    assert short.vectors == long.vectors


async def test_a_text_is_paid_for_once_whatever_travels_with_it(
    endpoint: Handle, ledger: Path
) -> None:
    async with embedder(role_at(endpoint.base_url), ledger) as one:
        first = await one.embed(TEXTS[:10])
    calls = endpoint.tally.calls
    async with embedder(role_at(endpoint.base_url, texts_per_call=7), ledger) as one:
        again = await one.embed([*reversed(TEXTS[:10]), "A new one."])

    assert endpoint.tally.calls == calls + 1
    assert one.count.cached == 10
    assert {text: again.vectors[text] for text in TEXTS[:10]} == first.vectors


async def test_a_run_that_is_killed_pays_only_for_what_was_in_flight(
    endpoint: Handle, ledger: Path
) -> None:
    endpoint.behaviour.latency_s = 0.05
    role = role_at(endpoint.base_url, pace={"concurrency": 1})
    async with embedder(role, ledger) as one:
        running_out = asyncio.ensure_future(one.embed(TEXTS))
        while endpoint.tally.answered < 3:
            await asyncio.sleep(0.005)
        running_out.cancel()
        await asyncio.gather(running_out, return_exceptions=True)
    with Ledger(ledger) as opened:
        [(kept,)] = opened.rows("SELECT count(*) FROM answers")
    async with embedder(role, ledger) as one:
        found = await one.embed(TEXTS)

    assert one.count.cached == kept >= 8
    assert len(found.vectors) == len(TEXTS)
    assert endpoint.tally.calls <= 5 + 1


async def test_passing_troubles_are_retried(ledger: Path) -> None:
    behaviour = Behaviour(rate_429=0.2, rate_500=0.1, rate_malformed=0.1, retry_after_s=0, seed=1)
    with running(behaviour) as shaky:
        async with embedder(role_at(shaky.base_url, pace={"max_attempts": 12}), ledger) as one:
            found = await one.embed(TEXTS)

    assert not found.rejected
    assert one.count.calls > 5


async def test_too_few_vectors_are_no_answer(endpoint: Handle, ledger: Path) -> None:
    endpoint.behaviour.vectors_lost = 1
    async with embedder(role_at(endpoint.base_url, pace={"max_attempts": 2}), ledger) as one:
        found = await one.embed(TEXTS[:4])
    with Ledger(ledger) as opened:
        [(kept,)] = opened.rows("SELECT count(*) FROM answers")

    assert set(found.rejected.values()) == {"malformed"}
    assert kept == 0


async def test_a_text_that_the_endpoint_refuses_costs_the_others_nothing(
    endpoint: Handle, ledger: Path
) -> None:
    endpoint.behaviour.poison, endpoint.behaviour.poison_status = "number 7.", "400"
    async with embedder(role_at(endpoint.base_url, texts_per_call=16), ledger) as one:
        found = await one.embed(TEXTS)

    assert found.rejected == {TEXTS[7]: "http_400"}
    assert set(found.vectors) == set(TEXTS) - {TEXTS[7]}


async def test_a_cap_on_calls_holds_for_texts(endpoint: Handle, ledger: Path) -> None:
    async with embedder(role_at(endpoint.base_url), ledger, Budget(max_calls=3)) as one:
        with pytest.raises(BudgetSpentError, match=r"max_calls is 3"):
            await one.embed(TEXTS)

    assert endpoint.tally.calls == 3


async def test_a_wrong_key_ends_the_run(endpoint: Handle, ledger: Path) -> None:
    endpoint.behaviour.status = 401
    async with embedder(role_at(endpoint.base_url), ledger) as one:
        with pytest.raises(EndpointRefusedError, match="HTTP 401"):
            await one.embed(TEXTS)


async def test_shorter_vectors_are_asked_for_and_kept_apart(endpoint: Handle, ledger: Path) -> None:
    async with embedder(role_at(endpoint.base_url), ledger) as one:
        await one.embed(TEXTS[:2])
    async with embedder(role_at(endpoint.base_url, dimensions=3), ledger) as one:
        short = await one.embed(TEXTS[:2])

    assert {len(vector) for vector in short.vectors.values()} == {3}


async def test_vectors_of_two_lengths_under_one_name_are_refused(
    endpoint: Handle, ledger: Path
) -> None:
    async with embedder(role_at(endpoint.base_url), ledger) as one:
        await one.embed(TEXTS[:2])
    endpoint.behaviour.vector_length = 9
    async with embedder(role_at(endpoint.base_url), ledger) as one:
        with pytest.raises(VectorLengthError, match="vectors of 8 and of 9"):
            await one.embed(TEXTS[:4])


async def test_an_exported_ledger_gives_the_same_vectors_and_asks_nobody(
    endpoint: Handle, ledger: Path, tmp_path: Path
) -> None:
    async with embedder(role_at(endpoint.base_url), ledger) as one:
        asked = await one.embed(TEXTS)
    export_answers(ledger, tmp_path / "cassette.jsonl")
    role = role_at(
        endpoint.base_url, engine="recorded", base_url=None, cassette=tmp_path / "cassette.jsonl"
    )
    calls = endpoint.tally.calls

    async with embedder(role, ledger) as recorded:
        assert (await recorded.embed(TEXTS)).vectors == asked.vectors
        with pytest.raises(NotRecordedError, match="no answer to request"):
            await recorded.embed(["Never asked."])
    assert endpoint.tally.calls == calls


async def test_a_cap_in_dollars_counts_prompt_tokens(endpoint: Handle, ledger: Path) -> None:
    role = role_at(endpoint.base_url, price_in=1e6)
    async with embedder(role, ledger) as one:
        await one.embed(TEXTS[:4])
    with Ledger(ledger) as opened:
        spent = opened.spent()

    assert spent.usd == pytest.approx(spent.tokens)
    assert spent.tokens > 0


async def test_a_plan_is_of_the_calls_that_are_then_made(endpoint: Handle, ledger: Path) -> None:
    role = role_at(endpoint.base_url)
    async with embedder(role, ledger) as one:
        await one.embed(TEXTS[:5])
    before = endpoint.tally.calls
    planned = plan_embedding(role, [*TEXTS, TEXTS[0]], Ledger(ledger))

    async with embedder(role, ledger) as one:
        await one.embed(TEXTS)

    assert planned.in_ledger == 5
    assert endpoint.tally.calls - before == planned.calls == 4
    assert planned.tokens_out.high == 0
