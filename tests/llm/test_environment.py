"""What the environment of a run says to other programs does not reach an endpoint or a user."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pipeline.llm import Budget
from pipeline.llm.open_chat import open_embedder
from pipeline.llm.openai_chat import EndpointRefusedError
from pipeline.llm.role import EmbedderRole
from tests.teachers import role_at, said, teacher

Seen = list[dict[str, str]]


@pytest.fixture
def seen() -> Seen:
    return []


@pytest.fixture
def url(seen: Seen) -> Iterator[str]:
    """An endpoint that notes the headers it is sent."""
    message = {"role": "assistant", "content": "I hear you."}
    choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
    body = json.dumps({"choices": choices, "data": [{"index": 0, "embedding": [1.0]}]}).encode()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            seen.append({name.lower(): value for name, value in self.headers.items()})
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()


async def test_an_endpoint_is_sent_nothing_that_is_meant_for_another(
    url: str, seen: Seen, ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("API_KEY", "ADMIN_KEY", "ORG_ID", "PROJECT_ID", "WEBHOOK_SECRET"):
        monkeypatch.setenv(f"OPENAI_{name}", f"canary-{name}")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Other: canary\nAuthorization: Bearer canary")
    monkeypatch.setenv("TEACHER_KEY", "sk-teacher-1")
    async with teacher(role_at(url, api_key_env="TEACHER_KEY"), ledger) as chat:
        await chat.ask(said("hello"))
    async with teacher(role_at(url), ledger.with_name("other.sqlite")) as chat:
        await chat.ask(said("hello"))
    role = EmbedderRole.model_validate({"engine": "openai", "base_url": url, "model": "m"})
    async with open_embedder(role, stage="test", budget=Budget(), ledger=ledger) as embedder:
        await embedder.embed(["hello"])

    assert "canary" not in str(seen)
    assert [one["authorization"] for one in seen] == [
        "Bearer sk-teacher-1",
        "Bearer none",
        "Bearer none",
    ]
    assert [name for one in seen for name in one if name.startswith("openai-")] == []


@pytest.mark.parametrize(
    "proxy",
    [
        "foo://me:CANARY@127.0.0.1:9",
        "http://me:CANARY@127.0.0.1:99999",
        "http://me:CANARY@127.0.0.1:port",
        "http://me:CANARY@[bad:1",
        "http://me:CANARY@",
        "socks5://me:CANARY@127.0.0.1:9",
    ],
)
@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "ALL_PROXY", "http_proxy"])
async def test_a_proxy_that_cannot_be_used_is_one_error_without_its_password(
    ledger: Path, monkeypatch: pytest.MonkeyPatch, variable: str, proxy: str
) -> None:
    monkeypatch.setenv(variable, proxy)
    role = role_at("https://teacher.invalid/v1")

    async with teacher(role, ledger) as chat:
        with pytest.raises(EndpointRefusedError, match="of the environment cannot be used") as told:
            await chat.ask(said("hello"))
    assert "CANARY" not in str(told.value)


async def test_no_proxy_stands_between_this_machine_and_itself(
    url: str, ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "foo://me:CANARY@127.0.0.1:99999")

    async with teacher(role_at(url), ledger) as chat:
        assert (await chat.ask(said("hello"))).text == "I hear you."
