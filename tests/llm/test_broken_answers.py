"""What an endpoint, an export or a ledger of another hand says is no reason to end in a traceback.

A broken answer is a failed attempt where it was asked, and one clear error where it was kept.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import RowError
from pipeline.llm import Budget, CallRejectedError, EmbedderRole
from pipeline.llm.chat import build_request, embedding_key
from pipeline.llm.embedder import build_embedding_request
from pipeline.llm.ledger import LedgerError
from pipeline.llm.ledger_file import LedgerReader
from pipeline.llm.ledger_transfer import export_answers, import_answers
from pipeline.llm.open_chat import open_embedder
from pipeline.llm.plan import PlanningChat
from pipeline.llm.recorded_chat import RecordedChat
from tests.mock_endpoint import Handle
from tests.teachers import role_at, said, teacher

DEEP = "[" * 100_000 + "]" * 100_000
NO_REPLIES = [
    "{}",
    '{"choices": []}',
    '{"choices": {}}',
    '{"choices": [null]}',
    '{"choices": [{"message": null}]}',
    '{"choices": [{"message": {"content": 5}}]}',
    '{"choices": [{"message": {"content": "x"}, "finish_reason": ["length"]}]}',
]
NO_VECTORS = [
    "{}",
    '{"data": []}',
    '{"data": [{"index": Infinity, "embedding": [1]}]}',
    '{"data": [{"index": 0, "embedding": [1' + "0" * 400 + "]}]}",
    '{"data": [{"index": 0, "embedding": null}]}',
    '{"data": [{"index": 0, "embedding": "AAA\u00e9"}]}',
]


def reply(content: str = '"hi"', rest: str = "") -> str:
    choice = '{"index": 0, "message": {"content": ' + content + '}, "finish_reason": "stop"}'
    return '{"model": "m", "choices": [' + choice + "]" + rest + "}"


def embedder_at(url: str) -> EmbedderRole:
    values = {"engine": "openai", "base_url": url, "model": "m"}
    pace = {"max_attempts": 2, "timeout_s": 5.0, "max_wait_s": 0.02}
    return EmbedderRole.model_validate({**values, "pace": pace})


async def ask(endpoint: Handle, ledger: Path) -> Any:
    role = role_at(endpoint.base_url, pace={"max_attempts": 2})
    async with teacher(role, ledger) as chat:
        return await chat.ask(said("hello"))


async def embed(endpoint: Handle, ledger: Path) -> Any:
    role = embedder_at(endpoint.base_url)
    async with open_embedder(role, stage="test", budget=Budget(), ledger=ledger) as opened:
        return await opened.embed(["a"])


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (r'"x \ud800 y"', "x \ufffd y"),
        (r'"x \udc00\ud800 y"', "x \ufffd\ufffd y"),
        (r'"x \ud83d\ude00 y"', "x \U0001f600 y"),
    ],
)
async def test_half_a_surrogate_pair_is_replaced_where_it_is_read_and_kept_as_it_came(
    endpoint: Handle, ledger: Path, content: str, text: str
) -> None:
    endpoint.behaviour.status, endpoint.behaviour.status_body = 200, reply(content)

    first, again = await ask(endpoint, ledger), await ask(endpoint, ledger)

    assert first == again
    assert first.text == text
    assert endpoint.tally.calls == 1
    with LedgerReader(ledger) as opened:
        assert opened.answer_text(first.request_id) == reply(content)
    assert export_answers(ledger, ledger.with_name("out.jsonl")) == 1


async def test_half_a_surrogate_pair_out_of_a_batch_is_kept(endpoint: Handle, ledger: Path) -> None:
    endpoint.behaviour.replies = ["x \ud800 y"]
    role = role_at(endpoint.base_url, mode="batch", batch={"poll_s": 0.02})
    async with teacher(role, ledger) as chat:
        first = await chat.ask(said("hello"))

    assert first.text == "x \ufffd y"
    assert (await ask(endpoint, ledger)).text == first.text
    assert export_answers(ledger, ledger.with_name("out.jsonl")) == 1


async def test_a_line_of_a_batch_ends_at_a_line_feed_alone(endpoint: Handle, ledger: Path) -> None:
    batches = endpoint.endpoint.batches
    finish = batches.finish

    def unescaped(name: str) -> None:
        finish(name)
        out = batches.batches[name]["output_file_id"]
        batches.files[out] = batches.files[out].replace(rb"\u2028", "\u2028".encode())

    batches.finish = unescaped  # type: ignore[method-assign]
    endpoint.behaviour.replies = ["one\u2028two"]
    role = role_at(endpoint.base_url, mode="batch", batch={"poll_s": 0.02})
    async with teacher(role, ledger) as chat:
        assert (await chat.ask(said("hello"))).text == "one\u2028two"


@pytest.mark.parametrize("charset", ["utf-7", "latin-1", "hex", "bz2", "idna", "undefined"])
@pytest.mark.parametrize("status", [200, 400])
async def test_json_is_utf_8_whatever_the_charset_of_its_header(
    endpoint: Handle, ledger: Path, charset: str, status: int
) -> None:
    endpoint.behaviour.content_type = f"application/json; charset={charset}"
    endpoint.behaviour.status, endpoint.behaviour.status_body = status, reply('"x +2AA- é"')

    if status == 200:
        assert (await ask(endpoint, ledger)).text == "x +2AA- é"
    else:
        with pytest.raises(CallRejectedError, match=r"x \+2AA- é"):
            await ask(endpoint, ledger)


@pytest.mark.parametrize(
    "body",
    [
        *NO_REPLIES,
        "no json",
        "[]",
        reply(rest=f', "x": {DEEP}'),
        reply(rest=', "x": ' + "9" * 5000),
    ],
    ids=lambda body: body[:60],
)
async def test_a_broken_answer_is_a_failed_attempt(
    endpoint: Handle, ledger: Path, body: str
) -> None:
    endpoint.behaviour.status, endpoint.behaviour.status_body = 200, body

    with pytest.raises(CallRejectedError, match="malformed"):
        await ask(endpoint, ledger)
    with LedgerReader(ledger) as opened:
        assert opened.rows("SELECT outcome FROM attempts") == [("malformed",)] * 2


async def test_tokens_that_are_no_numbers_are_not_told(endpoint: Handle, ledger: Path) -> None:
    usage = ', "usage": {"prompt_tokens": true, "completion_tokens": true}'
    endpoint.behaviour.status, endpoint.behaviour.status_body = 200, reply(rest=usage)

    assert (await ask(endpoint, ledger)).text == "hi"


@pytest.mark.parametrize(
    "body",
    [
        *NO_VECTORS,
        '{"data": [{"index": 0, "embedding": [1.0]}], "x": ' + DEEP + "}",
        '{"data": [{"index": 0, "embedding": [1.0]}], "usage": [1]}',
    ],
    ids=lambda body: body[:60],
)
async def test_a_broken_vector_is_a_failed_attempt(
    endpoint: Handle, ledger: Path, body: str
) -> None:
    endpoint.behaviour.status, endpoint.behaviour.status_body = 200, body

    assert (await embed(endpoint, ledger)).rejected == {"a": "malformed"}


def line(answer: str, *, vector: bool = False) -> str:
    """Return a line of an export that answers what `ask` or `embed` asks."""
    if vector:
        request = build_embedding_request(embedder_at("http://127.0.0.1:1/v1"), ["a"])
        assert request.key == embedding_key(request.content)
    else:
        request = build_request(role_at("http://127.0.0.1:1/v1"), said("hello"))
    row = {"key": request.key, "request": request.content.decode(), "answer": answer}
    row |= {"role": "embedder" if vector else "teacher", "stage": "test", "model": "m"}
    numbers = {"sample": 0, "tokens_in": 1, "tokens_out": 1, "usd": None}
    return json.dumps({**row, **numbers, "latency_s": 1.0, "answered_at": 1.0}) + "\n"


@pytest.mark.parametrize(
    ("answer", "vector"), [(one, False) for one in NO_REPLIES] + [(one, True) for one in NO_VECTORS]
)
def test_an_answer_that_could_not_be_read_is_neither_imported_nor_replayed(
    ledger: Path, tmp_path: Path, answer: str, vector: bool
) -> None:
    export = tmp_path / "export.jsonl"
    export.write_text(line(answer, vector=vector))

    with pytest.raises(RowError, match=r"export\.jsonl row 1: .*(no chat completion|no vector)"):
        import_answers(ledger, export)
    with pytest.raises(RowError, match="row 1"):
        RecordedChat(role_at("http://127.0.0.1:1/v1"), export)


@pytest.mark.parametrize("answer", [*NO_REPLIES, "no json", "[]", "5", DEEP])
async def test_a_kept_answer_that_cannot_be_read_is_one_clear_error(
    endpoint: Handle, ledger: Path, tmp_path: Path, answer: str
) -> None:
    for text, vector in ((reply(), False), ('{"data":[{"index":0,"embedding":[1]}]}', True)):
        (tmp_path / "export.jsonl").write_text(line(text, vector=vector))
        import_answers(ledger, tmp_path / "export.jsonl")
    with closing(sqlite3.connect(ledger)) as db, db:
        db.execute("UPDATE answers SET answer = ?", (answer,))
    named = r"ledger\.sqlite: the answer to [0-9a-f]{64} cannot be read(.|\n)*ledger prune"

    for asked in (ask, embed):
        with pytest.raises(LedgerError, match=named):
            await asked(endpoint, ledger)
    with LedgerReader(ledger) as opened:
        planning = PlanningChat(role_at(endpoint.base_url), opened, reply_words=3)
        with pytest.raises(LedgerError, match=named):
            await planning.ask(said("hello"))
    assert endpoint.tally.calls == 0
