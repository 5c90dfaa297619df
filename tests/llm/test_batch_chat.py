"""Provider batches: joined by id, found again after a crash, kept in the same ledger."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.llm import Budget, CallRejectedError
from pipeline.llm.batch_chat import BatchTransport
from pipeline.llm.budget import BudgetSpentError
from pipeline.llm.ledger import Ledger
from pipeline.llm.openai_chat import EndpointRefusedError
from tests.mock_endpoint import Handle
from tests.teachers import role_at, said, teacher


def batched(url: str, **changes: Any) -> Any:
    return role_at(url, mode="batch", batch={"poll_s": 0.02, "max_rows": 1000}, **changes)


async def ask_all(chat: Any, count: int) -> list[Any]:
    return await asyncio.gather(
        *(chat.ask(said(number)) for number in range(count)), return_exceptions=True
    )


async def test_a_batch_gives_each_request_its_own_answer(
    endpoint: Handle, ledger: Path, tmp_path: Path
) -> None:
    async with teacher(batched(endpoint.base_url), ledger) as chat:
        together = await ask_all(chat, 40)
    async with teacher(role_at(endpoint.base_url), tmp_path / "live.sqlite") as chat:
        live = await ask_all(chat, 40)

    assert len(endpoint.endpoint.batches.batches) == 1
    assert [reply.request_id for reply in together] == [reply.request_id for reply in live]
    # The mock answers by content; spacing of the JSON differs between file and wire.
    assert len({reply.text for reply in together}) == 40


async def test_batched_answers_are_in_the_ledger_like_any_other(
    endpoint: Handle, ledger: Path
) -> None:
    async with teacher(batched(endpoint.base_url), ledger) as chat:
        first = await ask_all(chat, 10)
    calls = endpoint.tally.calls
    async with teacher(role_at(endpoint.base_url), ledger) as chat:
        again = await ask_all(chat, 10)

    assert again == first
    assert endpoint.tally.calls == calls


async def test_a_request_whose_asker_is_gone_before_it_is_sent_costs_the_others_nothing(
    endpoint: Handle, ledger: Path
) -> None:
    async with teacher(batched(endpoint.base_url), ledger) as chat:
        asked = [asyncio.create_task(chat.ask(said(number))) for number in range(3)]
        await asyncio.sleep(0.1)  # in the queue, the batch not yet sent
        asked[1].cancel()
        replies = await asyncio.gather(*asked, return_exceptions=True)
        again = await chat.ask(said(1))

    assert isinstance(replies[1], asyncio.CancelledError)
    assert [isinstance(reply, BaseException) for reply in replies] == [False, True, False]
    assert again.text
    assert endpoint.tally.calls == 3


async def test_lines_that_fail_are_asked_again(endpoint: Handle, ledger: Path) -> None:
    endpoint.behaviour.batch_error_share = 0.5
    async with teacher(batched(endpoint.base_url, pace={"max_attempts": 30}), ledger) as chat:
        results = await ask_all(chat, 20)

    assert not [one for one in results if isinstance(one, BaseException)]
    assert len(endpoint.endpoint.batches.batches) > 1


async def test_an_expired_batch_keeps_what_was_answered(endpoint: Handle, ledger: Path) -> None:
    endpoint.behaviour.batch_lost_share = 0.5
    async with teacher(batched(endpoint.base_url, pace={"max_attempts": 30}), ledger) as chat:
        results = await ask_all(chat, 20)

    assert not [one for one in results if isinstance(one, BaseException)]
    assert max(endpoint.tally.by_content.values()) == 1


async def test_a_killed_run_finds_its_batch_again(endpoint: Handle, ledger: Path) -> None:
    endpoint.behaviour.batch_polls = 10_000
    async with teacher(batched(endpoint.base_url), ledger) as chat:
        waiting = asyncio.ensure_future(ask_all(chat, 15))
        await asyncio.to_thread(endpoint.endpoint.batches.created.wait, 10)
        await asyncio.sleep(0.1)
        waiting.cancel()
    endpoint.behaviour.batch_polls = 0

    async with teacher(batched(endpoint.base_url), ledger) as chat:
        results = await ask_all(chat, 15)

    assert not [one for one in results if isinstance(one, BaseException)]
    assert len(endpoint.endpoint.batches.batches) == 1
    with Ledger(ledger) as opened:
        assert opened.spent().calls == endpoint.tally.calls == 15
        assert opened.rows("SELECT open FROM batches") == [(0,)]


async def test_a_batch_that_was_created_but_not_noted_is_found_by_its_intent(
    endpoint: Handle, ledger: Path
) -> None:
    endpoint.behaviour.batch_polls = 10_000
    async with teacher(batched(endpoint.base_url), ledger) as chat:
        waiting = asyncio.ensure_future(ask_all(chat, 5))
        await asyncio.to_thread(endpoint.endpoint.batches.created.wait, 10)
        await asyncio.sleep(0.1)
        waiting.cancel()
    with Ledger(ledger) as opened, opened.transaction() as db:
        db.execute("UPDATE batches SET batch = NULL")
    endpoint.behaviour.batch_polls = 0

    async with teacher(batched(endpoint.base_url), ledger) as chat:
        results = await ask_all(chat, 5)

    assert not [one for one in results if isinstance(one, BaseException)]
    assert len(endpoint.endpoint.batches.batches) == 1


async def test_a_batch_the_provider_never_heard_of_is_given_back(
    endpoint: Handle, ledger: Path
) -> None:
    role = batched(endpoint.base_url)
    with Ledger(ledger) as opened, opened.transaction() as db:
        db.execute("INSERT INTO batches VALUES ('lost', ?, NULL, 1, '{}')", (endpoint.base_url,))
    with Ledger(ledger) as opened:
        transport = BatchTransport(role, endpoint.base_url, opened)
        await transport.resume()
        await transport.close()

        assert opened.rows("SELECT open FROM batches") == [(0,)]


async def test_a_cap_on_calls_holds_for_batches(endpoint: Handle, ledger: Path) -> None:
    async with teacher(batched(endpoint.base_url), ledger, Budget(max_calls=7)) as chat:
        results = await ask_all(chat, 20)

    assert endpoint.tally.calls == 7
    assert sum(isinstance(one, BudgetSpentError) for one in results) == 13


async def test_an_endpoint_without_batches_is_named(endpoint: Handle, ledger: Path) -> None:
    role = batched(endpoint.base_url.replace("/v1", "/elsewhere"))
    async with teacher(role, ledger) as chat:
        with pytest.raises(EndpointRefusedError, match="could not be created"):
            await chat.ask(said("Hello"))


def every(value: Any) -> Callable[[Any], Any]:
    return lambda _: value


def having(**changes: Any) -> Callable[[Any], Any]:
    return lambda found: found | changes


@pytest.mark.parametrize(
    ("what", "change"),
    [
        *(("file", every(one)) for one in (None, [], "hello", {})),
        ("file", having(id=5)),
        *(("batch", every(one)) for one in (None, [], "hello", {})),
        ("batch", having(id=None)),
        *(("poll", every(one)) for one in (None, [], "hello", {}, 5)),
        ("poll", having(status=["completed"])),
        ("poll", having(output_file_id=5)),
        ("poll", having(output_file_id=["x"])),
        ("line", every([])),
        ("line", every("hello")),
    ],
)
async def test_a_malformed_batch_ends_the_run_with_one_clear_error(
    endpoint: Handle, ledger: Path, what: str, change: Callable[[Any], Any]
) -> None:
    misanswer(endpoint, what, change)

    async with asyncio.timeout(20), teacher(batched(endpoint.base_url), ledger) as chat:
        results = await ask_all(chat, 3)

    assert {type(one) for one in results} == {EndpointRefusedError}


@pytest.mark.parametrize(
    "change",
    [
        having(response="x"),
        having(response=["x"]),
        having(response={"status_code": "500", "body": {}}),
        having(response={"status_code": 200, "body": []}),
        having(response={"status_code": 200}),
        having(custom_id=None),
        having(custom_id=["x"]),
    ],
)
async def test_a_malformed_line_of_a_batch_is_a_failed_attempt(
    endpoint: Handle, ledger: Path, change: Callable[[Any], Any]
) -> None:
    misanswer(endpoint, "line", change)
    role = batched(endpoint.base_url, pace={"max_attempts": 2})

    async with asyncio.timeout(20), teacher(role, ledger) as chat:
        results = await ask_all(chat, 3)

    assert {type(one) for one in results} == {CallRejectedError}
    assert len(endpoint.endpoint.batches.batches) == 2


async def test_lines_nested_too_deeply_end_the_run_with_one_clear_error(
    endpoint: Handle, ledger: Path
) -> None:
    misanswer(endpoint, "line", having(x="DEEP"))

    async with asyncio.timeout(20), teacher(batched(endpoint.base_url), ledger) as chat:
        results = await ask_all(chat, 3)

    assert {type(one) for one in results} == {EndpointRefusedError}


@pytest.mark.parametrize("metadata", [["x"], "hello", {"intent": ["x"]}])
async def test_a_malformed_list_of_batches_ends_the_run_with_one_clear_error(
    endpoint: Handle, ledger: Path, metadata: Any
) -> None:
    with Ledger(ledger) as opened, opened.transaction() as db:
        db.execute("INSERT INTO batches VALUES ('x', ?, NULL, 1, '{}')", (endpoint.base_url,))
    endpoint.endpoint.batches.batches["b"] = {"id": "b", "metadata": metadata}

    async with asyncio.timeout(20), teacher(batched(endpoint.base_url), ledger) as chat:
        results = await ask_all(chat, 3)

    assert {type(one) for one in results} == {EndpointRefusedError}


@pytest.mark.parametrize("error", [TypeError, AttributeError, RecursionError, LookupError])
async def test_whatever_ends_the_watch_of_a_batch_reaches_all_who_wait(
    endpoint: Handle, ledger: Path, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    async def broken(*_: object) -> None:
        raise error("a bug")

    monkeypatch.setattr(BatchTransport, "_collect", broken)

    async with asyncio.timeout(20), teacher(batched(endpoint.base_url), ledger) as chat:
        results = await ask_all(chat, 3)

    assert {type(one) for one in results} == {error}


def misanswer(endpoint: Handle, what: str, change: Callable[[Any], Any]) -> None:
    """Change what the batch API answers: a `file`, a new `batch`, a `poll` of one, or a `line`."""
    batches = endpoint.endpoint.batches
    handle = batches.handle
    paths = {"POST /v1/files": "file", "POST /v1/batches": "batch"}

    def changed(method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        status, answer = handle(method, path, headers, body)
        asked = paths.get(f"{method} {path}", "line" if path.endswith("/content") else "poll")
        if asked == what:
            lines = [json.dumps(change(json.loads(one))) for one in answer.splitlines()]
            deep = "[" * 100_000 + "]" * 100_000
            answer = "\n".join(lines).replace('"DEEP"', deep).encode()
        return status, answer

    batches.handle = changed  # type: ignore[method-assign]
