"""A call is made once, kept, counted and capped, whatever the endpoint does."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import OfflineError, PipelineError
from pipeline.llm import Budget, CallRejectedError
from pipeline.llm.budget import BudgetSpentError
from pipeline.llm.ledger import Ledger
from pipeline.llm.openai_chat import EndpointRefusedError
from pipeline.llm.rate_limit import EndpointDownError
from tests.mock_endpoint import Behaviour, Handle, running
from tests.teachers import role_at, said, teacher


async def ask_all(chat: Any, numbers: range) -> list[Any]:
    return await asyncio.gather(
        *(chat.ask(said(number)) for number in numbers), return_exceptions=True
    )


def outcomes(ledger: Path) -> dict[str, int]:
    with Ledger(ledger) as opened:
        rows = opened.rows("SELECT coalesce(outcome, 'none'), count(*) FROM attempts GROUP BY 1")
    return {str(name): int(str(count)) for name, count in rows}


async def test_the_second_run_pays_for_nothing(endpoint: Handle, ledger: Path) -> None:
    async with teacher(role_at(endpoint.base_url), ledger) as chat:
        first = await ask_all(chat, range(20))
    async with teacher(role_at("http://127.0.0.1:1/v1"), ledger) as chat:
        second = await ask_all(chat, range(20))

    assert first == second
    assert endpoint.tally.calls == 20
    assert chat.count.cached == 20


async def test_twins_asked_at_once_are_paid_for_once(endpoint: Handle, ledger: Path) -> None:
    endpoint.behaviour.latency_s = 0.02
    async with teacher(role_at(endpoint.base_url), ledger) as chat:
        replies = await asyncio.gather(*(chat.ask(said("same")) for _ in range(10)))

    assert endpoint.tally.calls == 1
    assert len({reply.text for reply in replies}) == 1


async def test_a_twin_gets_the_same_rejection(endpoint: Handle, ledger: Path) -> None:
    endpoint.behaviour.status = 400
    endpoint.behaviour.latency_s = 0.02
    async with teacher(role_at(endpoint.base_url), ledger) as chat:
        results = await asyncio.gather(
            *(chat.ask(said("same")) for _ in range(3)), return_exceptions=True
        )

    assert endpoint.tally.calls == 1
    assert [type(one) for one in results] == [CallRejectedError] * 3


async def test_passing_troubles_are_retried_and_every_attempt_is_kept(
    ledger: Path,
) -> None:
    behaviour = Behaviour(
        rate_429=0.1, rate_500=0.05, rate_hang=0.02, rate_malformed=0.05, retry_after_s=0.01, seed=1
    )
    with running(behaviour) as endpoint:
        role = role_at(endpoint.base_url, pace={"timeout_s": 1.5, "max_attempts": 10})
        async with teacher(role, ledger) as chat:
            results = await ask_all(chat, range(150))

    assert not [one for one in results if isinstance(one, BaseException)]
    kept = outcomes(ledger)
    assert sum(kept.values()) == chat.count.calls >= endpoint.tally.calls
    assert kept["answered"] == 150
    assert kept["http_429"] == endpoint.tally.statuses["429"]
    assert kept["malformed"] == endpoint.tally.statuses["malformed"]
    assert kept["timeout"] >= endpoint.tally.statuses["hang"] > 0


async def test_one_poisoned_row_stops_nobody(endpoint: Handle, ledger: Path) -> None:
    endpoint.behaviour.poison = "poison"
    role = role_at(endpoint.base_url, pace={"max_attempts": 3})
    async with teacher(role, ledger) as chat:
        with pytest.raises(CallRejectedError, match="http_500"):
            await chat.ask(said("poison"))
        rest = await ask_all(chat, range(10))

    assert not [one for one in rest if isinstance(one, BaseException)]
    assert endpoint.tally.calls == 3 + 10


async def test_a_request_that_is_refused_for_good_is_not_retried(
    endpoint: Handle, ledger: Path
) -> None:
    endpoint.behaviour.status = 400
    async with teacher(role_at(endpoint.base_url), ledger) as chat:
        with pytest.raises(CallRejectedError, match="http_400"):
            await chat.ask(said("Hello"))

    assert endpoint.tally.calls == 1


async def test_a_slow_drip_meets_the_timeout(endpoint: Handle, ledger: Path) -> None:
    endpoint.behaviour.rate_drip = 1.0
    endpoint.behaviour.drip_interval_s = 0.05
    role = role_at(endpoint.base_url, pace={"timeout_s": 0.3, "max_attempts": 1})
    begun = time.monotonic()
    async with teacher(role, ledger) as chat:
        with pytest.raises(CallRejectedError, match="timeout"):
            await chat.ask(said("Hello"))

    assert time.monotonic() - begun < 3


async def test_retry_after_is_waited_for(endpoint: Handle, ledger: Path) -> None:
    endpoint.behaviour.rate_429 = 1.0
    endpoint.behaviour.retry_after_s = 0.4
    role = role_at(endpoint.base_url, pace={"max_attempts": 2})
    async with teacher(role, ledger) as chat:
        with pytest.raises(CallRejectedError, match="http_429"):
            await chat.ask(said("Hello"))

    first, second = endpoint.tally.started_at
    assert second - first >= 0.4


@pytest.mark.parametrize("concurrency", [1, 50])
async def test_a_cap_on_calls_is_met_exactly(
    endpoint: Handle, ledger: Path, concurrency: int
) -> None:
    endpoint.behaviour.latency_s = 0.005
    role = role_at(endpoint.base_url, pace={"concurrency": concurrency})
    async with teacher(role, ledger, Budget(max_calls=100)) as chat:
        results = await ask_all(chat, range(150))

    answered = [one for one in results if not isinstance(one, BaseException)]
    assert endpoint.tally.calls == 100
    assert len(answered) == 100
    [error] = {str(one) for one in results if isinstance(one, BudgetSpentError)}
    assert "raise budget.max_calls in params.yaml" in error
    assert BudgetSpentError.exit_code == 1


async def test_a_run_goes_on_when_the_cap_is_raised(endpoint: Handle, ledger: Path) -> None:
    async with teacher(role_at(endpoint.base_url), ledger, Budget(max_calls=5)) as chat:
        await ask_all(chat, range(12))
    async with teacher(role_at(endpoint.base_url), ledger, Budget(max_calls=12)) as chat:
        results = await ask_all(chat, range(12))

    assert not [one for one in results if isinstance(one, BaseException)]
    assert endpoint.tally.calls == 12


@pytest.mark.parametrize(("cap", "most"), [("max_usd", 0.006), ("max_tokens", 2_000)])
async def test_a_cap_is_never_passed_and_what_was_only_reserved_comes_back(
    endpoint: Handle, ledger: Path, cap: str, most: float
) -> None:
    role = role_at(endpoint.base_url, price_in=1.0, price_out=10.0)
    async with teacher(role, ledger, Budget(**{cap: most})) as chat:
        results = await ask_all(chat, range(200))

    with Ledger(ledger) as opened:
        spent = opened.spent()
    assert getattr(spent, cap.removeprefix("max_")) <= most
    stopped = [one for one in results if isinstance(one, BudgetSpentError)]
    assert endpoint.tally.calls == 200 - len(stopped)
    # Each reserved several times what it cost: without giving back, the first few were the last.
    assert endpoint.tally.calls > endpoint.tally.peak_in_flight


async def test_a_wrong_key_ends_the_run_at_once(
    endpoint: Handle, ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEACHER_KEY", "sk-wrong")
    endpoint.behaviour.status = 401
    role = role_at(endpoint.base_url, api_key_env="TEACHER_KEY", pace={"concurrency": 2})
    async with teacher(role, ledger) as chat:
        results = await ask_all(chat, range(50))

    assert endpoint.tally.calls <= 2
    assert {type(one) for one in results} == {EndpointRefusedError}
    assert "refused $TEACHER_KEY (HTTP 401)" in str(results[0])


@pytest.mark.parametrize("status", [404, 307])
async def test_an_unknown_model_ends_the_run_and_says_what_to_check(
    endpoint: Handle, ledger: Path, status: int
) -> None:
    endpoint.behaviour.status = status
    async with teacher(role_at(endpoint.base_url), ledger) as chat:
        with pytest.raises(EndpointRefusedError, match=r"no model mock or no such path[\s\S]*/v1"):
            await chat.ask(said("Hello"))


async def test_a_missing_key_is_named_before_anything_is_sent(
    endpoint: Handle, ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TEACHER_KEY", raising=False)
    async with teacher(role_at(endpoint.base_url, api_key_env="TEACHER_KEY"), ledger) as chat:
        with pytest.raises(EndpointRefusedError, match="variable TEACHER_KEY is not set"):
            await chat.ask(said("Hello"))

    assert endpoint.tally.calls == 0


async def test_an_unreachable_host_is_an_error_that_names_it(ledger: Path) -> None:
    role = role_at("http://127.0.0.1:1/v1", pace={"max_attempts": 2})
    async with teacher(role, ledger) as chat:
        with pytest.raises(EndpointDownError, match=r"127\.0\.0\.1:1/v1: 2 failed attempts"):
            await chat.ask(said("Hello"))


async def test_an_endpoint_that_only_fails_stops_the_run(endpoint: Handle, ledger: Path) -> None:
    endpoint.behaviour.status = 503
    role = role_at(endpoint.base_url, pace={"breaker_failures": 12, "max_attempts": 50})
    async with teacher(role, ledger) as chat:
        results = await ask_all(chat, range(30))

    assert {type(one) for one in results} == {EndpointDownError}
    assert endpoint.tally.calls <= 12 + 8


async def test_the_rate_holds_for_all_who_share_a_ledger(endpoint: Handle, ledger: Path) -> None:
    role = role_at(endpoint.base_url, pace={"rpm": 1200, "concurrency": 50})
    async with teacher(role, ledger) as one, teacher(role, ledger) as other:
        await asyncio.gather(ask_all(one, range(25)), ask_all(other, range(25, 50)))

    with Ledger(ledger) as opened:
        [(first, last)] = opened.rows("SELECT min(started_at), max(started_at) FROM attempts")
    # 20 a second, and one second's worth at once.
    assert float(str(last)) - float(str(first)) >= (50 - 21) / 20 - 0.01
    assert endpoint.tally.calls == 50


async def test_offline_means_offline(ledger: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISTILLERY_OFFLINE", "1")
    async with teacher(role_at("https://api.example.org/v1"), ledger) as chat:
        with pytest.raises(OfflineError, match=r"api\.example\.org"):
            await chat.ask(said("Hello"))


async def test_an_answer_without_usage_counts_at_its_worst_case(
    endpoint: Handle, ledger: Path
) -> None:
    endpoint.behaviour.usage = False
    async with teacher(role_at(endpoint.base_url), ledger) as chat:
        await chat.ask(said("Hello"))

    with Ledger(ledger) as opened:
        spent = opened.spent()
        [(reserved,)] = opened.rows("SELECT tokens FROM attempts")
    assert spent.tokens == reserved
    assert spent.tokens > 100


async def test_no_ledger_means_no_run(endpoint: Handle, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(PipelineError, match="Check the path"):
        async with teacher(role_at(endpoint.base_url), tmp_path / "file" / "ledger.sqlite"):
            pass
