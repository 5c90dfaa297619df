"""The server speaks OpenAI's protocol, to many at once, on this machine alone."""

from __future__ import annotations

import http.client
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import PipelineError
from pipeline.student.adapters import load_model, load_tokenizer
from pipeline.student.generate import GenerationParams
from pipeline.student.serve import Talker, answer_with, bind


@pytest.fixture(scope="module")
def url(base: Path) -> Iterator[str]:
    talker = Talker(
        load_model(base, (), dtype="float32"),
        load_tokenizer(base),
        GenerationParams(max_new_tokens=8),
        name="tiny",
        context=64,
    )
    server = bind(0)
    thread = threading.Thread(target=answer_with, args=(server, talker), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join(timeout=10)


def post(url: str, body: bytes, path: str = "/v1/chat/completions") -> tuple[int, dict[str, Any]]:
    json_type = {"Content-Type": "application/json"}
    request = urllib.request.Request(url + path, data=body, headers=json_type)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def ask(text: str, **more: object) -> bytes:
    return json.dumps({"messages": [{"role": "user", "content": text}], **more}).encode()


def test_it_answers_as_the_protocol_says(url: str) -> None:
    status, answer = post(url, ask("hello", model="tiny", max_tokens=5))

    assert status == 200
    assert answer["object"] == "chat.completion"
    assert answer["choices"][0]["message"]["role"] == "assistant"
    assert answer["choices"][0]["finish_reason"] in {"stop", "length"}
    assert answer["usage"]["completion_tokens"] <= 5


def test_it_names_its_model(url: str) -> None:
    with urllib.request.urlopen(f"{url}/v1/models", timeout=10) as answer:
        assert [one["id"] for one in json.loads(answer.read())["data"]] == ["tiny"]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"{", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[]", "valid dictionary"),
        (b"{}", "messages: Field required"),
        (b'{"messages": []}', "messages"),
        (ask("x", max_tokens=0), "max_tokens"),
        (ask("x", temperature=9), "temperature"),
        (ask("x", temperature=1e-40), "temperature"),
        (ask("x", temperature=1e-310), "temperature"),
        (ask("x", seed=2**63), "seed"),
        (ask("x", seed=2**64), "seed"),
        (ask("x", seed=10**30), "seed"),
        (ask("x", stream=True), "stream"),
        (ask("long " * 40), "too long"),
        (b'{"messages": [{"role": "assistant", "content": "x"}]}', "the last one must be"),
        (b'{"messages": [{"role": "wizard", "content": "x"}]}', "role"),
    ],
)
def test_what_it_cannot_answer_is_a_400_that_says_why(url: str, body: bytes, problem: str) -> None:
    status, answer = post(url, body)

    assert status == 400
    assert problem in answer["error"]["message"]


@pytest.mark.parametrize("given", [{"temperature": 1e-3}, {"seed": 2**63 - 1}, {"top_p": 1e-300}])
def test_the_least_and_most_that_it_takes_is_answered(url: str, given: dict[str, float]) -> None:
    assert post(url, ask("x", **{"temperature": 1.0, "max_tokens": 2} | given))[0] == 200


def test_another_path_is_a_404(url: str) -> None:
    assert post(url, ask("x"), path="/v1/embeddings")[0] == 404


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "text/plain"}, 415),
        ({}, 415),
        ({"Content-Type": "application/json", "Origin": "http://evil.example"}, 403),
        ({"Content-Type": "application/json", "Origin": "null"}, 403),
        ({"Content-Type": "application/json", "Host": "evil.example"}, 403),
        ({"Content-Type": "application/json; charset=utf-8"}, 200),
    ],
)
def test_a_page_of_another_site_cannot_make_it_talk(
    url: str, headers: dict[str, str], status: int
) -> None:
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=60)
    connection.request("POST", "/v1/chat/completions", ask("hi", max_tokens=2), headers)
    answer = connection.getresponse()

    assert (answer.status, answer.headers["Content-Type"]) == (status, "application/json")
    assert answer.headers["Access-Control-Allow-Origin"] is None
    assert json.loads(answer.read())
    connection.close()


def test_many_at_once_get_the_answers_that_each_alone_gets(url: str) -> None:
    asked = [ask(f"day {number}", temperature=1.0, seed=number) for number in range(8)]
    alone = [post(url, body)[1]["choices"] for body in asked]

    with ThreadPoolExecutor(8) as pool:
        together = [found[1]["choices"] for found in pool.map(lambda body: post(url, body), asked)]

    assert together == alone


def test_a_port_that_is_taken_is_said_before_anything_is_loaded(url: str) -> None:
    port = int(url.rsplit(":", 1)[1])

    with pytest.raises(PipelineError, match=f"port {port}: cannot be used"):
        bind(port)


def test_who_comes_before_the_model_is_loaded_waits_for_it(base: Path) -> None:
    server = bind(0)
    early = ThreadPoolExecutor(1).submit(
        post, f"http://127.0.0.1:{server.server_port}", ask("hello", max_tokens=2)
    )
    talker = Talker(
        load_model(base, (), dtype="float32"),
        load_tokenizer(base),
        GenerationParams(max_new_tokens=8),
        name="tiny",
        context=64,
    )
    thread = threading.Thread(target=answer_with, args=(server, talker), daemon=True)
    thread.start()

    assert early.result(timeout=60)[0] == 200
    server.shutdown()
    thread.join(timeout=10)
