"""An answer that is too long is its own request's failure; what is kept can be read for ever."""

from __future__ import annotations

import asyncio
import json
import tracemalloc
import zlib
from pathlib import Path
from typing import Any

import pytest

from pipeline.llm import Budget, CallRejectedError, EmbedderRole, batch_chat
from pipeline.llm.answer import MAX_LINE_BYTES, MOST_BYTES
from pipeline.llm.ledger_file import MAX_VALUE_BYTES, LedgerReader
from pipeline.llm.ledger_transfer import export_answers, import_answers
from pipeline.llm.open_chat import open_embedder
from tests.mock_endpoint import Handle
from tests.teachers import role_at, said, teacher

HUGE = 256 * 2**20


def packed(size: int) -> bytes:
    """Return `size` spaces as gzip."""
    packer = zlib.compressobj(1, wbits=31)
    pieces = [packer.compress(b" " * 2**20) for _ in range(size // 2**20)]
    return b"".join([*pieces, packer.flush()])


def outcomes(ledger: Path) -> list[object]:
    with LedgerReader(ledger) as opened:
        return [outcome for (outcome,) in opened.rows("SELECT outcome FROM attempts ORDER BY 1")]


async def ask_all(role: Any, ledger: Path, contents: list[str]) -> list[Any]:
    async with teacher(role, ledger) as chat:
        asked = [chat.ask(said(content)) for content in contents]
        return await asyncio.gather(*asked, return_exceptions=True)


async def embed(endpoint: Handle, ledger: Path, texts: list[str], **changes: Any) -> Any:
    values = {"engine": "openai", "base_url": endpoint.base_url, "model": "m", **changes}
    role = EmbedderRole.model_validate(values)
    async with open_embedder(role, stage="test", budget=Budget(), ledger=ledger) as opened:
        return await opened.embed(texts)


async def test_an_answer_that_unpacks_to_much_more_takes_little_memory_and_costs_no_other(
    endpoint: Handle, ledger: Path
) -> None:
    endpoint.behaviour.poison, endpoint.behaviour.poison_status = "bomb", "packed"
    endpoint.behaviour.packed = packed(HUGE)
    assert len(endpoint.behaviour.packed) < 4 * 2**20

    tracemalloc.start()
    results = await ask_all(role_at(endpoint.base_url), ledger, ["bomb", "one", "two", "three"])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 8 * MOST_BYTES
    assert isinstance(results[0], CallRejectedError)
    assert results[0].reason == "too_large"
    assert not [one for one in results[1:] if isinstance(one, BaseException)]
    assert outcomes(ledger) == ["answered"] * 3 + ["too_large"]
    assert endpoint.tally.calls == 4


async def test_an_endless_error_is_still_the_error_that_its_status_says(
    endpoint: Handle, ledger: Path
) -> None:
    endpoint.behaviour.status, endpoint.behaviour.status_body = 503, "x" * (2 * MOST_BYTES)

    [error] = await ask_all(role_at(endpoint.base_url, pace={"max_attempts": 2}), ledger, ["one"])

    assert isinstance(error, CallRejectedError)
    assert outcomes(ledger) == ["http_503"] * 2


@pytest.mark.parametrize("character", ["x", '\\"', "\\\\", "\\u0001", "é", "\U0001f600"])
@pytest.mark.parametrize("mode", ["live", "batch"])
async def test_what_is_kept_of_the_longest_answers_is_read_exported_and_imported(
    endpoint: Handle, ledger: Path, tmp_path: Path, character: str, mode: str
) -> None:
    """In a batch an answer is written anew, as ASCII."""
    size = len(character.encode() if mode == "live" else json.dumps(character)[1:-1])
    if character.startswith("\\"):
        size = len(character)
    text = character * ((MOST_BYTES - 1000) // size)
    if mode == "live":
        body = '{"model": "m", "choices": [{"message": {"content": "%s"}}]}'
        endpoint.behaviour.status, endpoint.behaviour.status_body = 200, body % text
    else:
        endpoint.behaviour.replies = [json.loads(f'"{text}"')]
    role = role_at(endpoint.base_url, mode=mode, batch={"poll_s": 0.02})

    [first] = await ask_all(role, ledger, ["one"])
    [again] = await ask_all(role_at("http://127.0.0.1:1/v1"), ledger, ["one"])

    assert first == again
    assert first.text == json.loads(f'"{text}"')
    out = tmp_path / "out.jsonl"
    assert export_answers(ledger, out) == 1
    assert import_answers(tmp_path / "other.sqlite", out) == (1, 0)


def test_a_line_and_a_row_hold_the_longest_request_and_answer() -> None:
    fields = 2 * 1000 * 6 + 1000

    assert json.dumps('"' * 1000) == '"' + '\\"' * 1000 + '"'
    assert 2 * 2 * MOST_BYTES + fields < MAX_LINE_BYTES
    assert 2 * MOST_BYTES + fields < MAX_VALUE_BYTES


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        ('{"choices": [{"message": {"content": "%s"}}]}' % ("x" * MOST_BYTES), "too_large"),
        ('{"choices": [{"message": {"content": "x"}}], "x": %s}' % ("[" * 300 + "]" * 300), None),
    ],
    ids=["long", "deep"],
)
async def test_an_answer_that_may_be_refused_when_it_is_read_is_refused_at_once(
    endpoint: Handle, ledger: Path, body: str, outcome: str | None
) -> None:
    endpoint.behaviour.status, endpoint.behaviour.status_body = 200, body
    role = role_at(endpoint.base_url, pace={"max_attempts": 2})

    [error] = await ask_all(role, ledger, ["one"])

    assert isinstance(error, CallRejectedError)
    assert outcomes(ledger) == ([outcome] if outcome else ["malformed"] * 2)


async def test_a_request_that_is_too_long_to_be_kept_is_not_sent(
    endpoint: Handle, ledger: Path
) -> None:
    long = "x" * MOST_BYTES
    [rejected, _] = await ask_all(role_at(endpoint.base_url), ledger, [long, "one"])
    embedded = await embed(endpoint, ledger, [long, "one"])

    assert isinstance(rejected, CallRejectedError)
    assert rejected.reason == embedded.rejected[long] == "request_too_large"
    assert list(embedded.vectors) == ["one"]
    assert endpoint.tally.calls == 2


@pytest.mark.parametrize("length", [8, 8192])
async def test_vectors_of_any_real_length_are_taken_as_lists_of_numbers(
    endpoint: Handle, ledger: Path, length: int
) -> None:
    endpoint.behaviour.vector_length, endpoint.behaviour.knows_base64 = length, False

    embedded = await embed(endpoint, ledger, [str(number) for number in range(64)])

    assert len(embedded.vectors) == 64
    assert endpoint.tally.calls == 1


async def test_vectors_that_are_too_long_are_missing_and_cost_no_other(
    endpoint: Handle, ledger: Path
) -> None:
    endpoint.behaviour.poison, endpoint.behaviour.poison_status = "bomb", "packed"
    endpoint.behaviour.packed = packed(HUGE)

    embedded = await embed(endpoint, ledger, ["one", "two", "bomb", "three"])

    assert embedded.rejected == {"bomb": "too_large"}
    assert set(embedded.vectors) == {"one", "two", "three"}


async def test_a_vector_that_would_take_too_long_a_row_is_missing(
    endpoint: Handle, ledger: Path
) -> None:
    """All vectors of a call may be longer together than one may be alone."""
    entries = [{"index": number, "embedding": [1.0]} for number in range(2)]
    entries[0]["more"] = "x" * MOST_BYTES
    endpoint.behaviour.status, endpoint.behaviour.status_body = 200, json.dumps({"data": entries})

    embedded = await embed(endpoint, ledger, ["one", "two"])

    assert set(embedded.rejected.values()) <= {"too_large", "malformed"}
    assert embedded.vectors == {}
    assert outcomes(ledger)[-1] == "too_large"


async def test_a_line_of_a_batch_that_is_too_long_costs_no_other_line(
    endpoint: Handle, ledger: Path
) -> None:
    endpoint.behaviour.replies = ["x" * (2 * MOST_BYTES), "good"]
    role = role_at(endpoint.base_url, mode="batch", batch={"poll_s": 0.02})

    results = await ask_all(role, ledger, ["one", "two", "three"])

    rejected = [one.reason for one in results if isinstance(one, CallRejectedError)]
    assert rejected == ["too_large"]
    assert outcomes(ledger) == ["answered"] * 2 + ["too_large"]
    assert len(endpoint.endpoint.batches.batches) == 1


async def test_a_file_of_answers_that_is_too_long_keeps_what_came_before(
    endpoint: Handle, ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_chat, "MOST_FILE_BYTES", 300_000)
    endpoint.behaviour.replies = ["x" * 10_000]
    role = role_at(endpoint.base_url, mode="batch", batch={"poll_s": 0.02, "max_rows": 1000})

    results = await ask_all(role, ledger, [str(number) for number in range(40)])

    rejected = [one for one in results if isinstance(one, BaseException)]
    assert {getattr(one, "reason", None) for one in rejected} == {"too_large"}
    assert 10 <= len(rejected) < 30
    assert len(endpoint.endpoint.batches.batches) == 1
