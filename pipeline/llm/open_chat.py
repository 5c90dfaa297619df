"""Open a chat or an embedder for a role: the engine, the ledger and the budget joined."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.config import home
from pipeline.llm.ledger import Ledger
from pipeline.llm.ledgered_chat import LedgeredChat
from pipeline.llm.recorded_chat import RecordedChat
from pipeline.llm.role import Budget, EmbedderRole, LlmRole, RoleName
from pipeline.llm.transport import Transport

if TYPE_CHECKING:
    from pipeline.llm.embedder import LedgeredEmbedder, RecordedEmbedder
    from pipeline.llm.local_server import LocalServer


def ledger_path() -> Path:
    """Return where the ledger is."""
    return home() / "ledger.sqlite"


@asynccontextmanager
async def open_chat(
    role: LlmRole, *, name: RoleName, stage: str, budget: Budget, ledger: Path | None = None
) -> AsyncIterator[LedgeredChat | RecordedChat]:
    """Give a chat for `role`; servers and connections start with the first paid call, if any."""
    if role.engine == "recorded":
        assert role.cassette is not None  # the role's own check
        yield RecordedChat(role, role.cassette)
        return
    servers: list[LocalServer] = []

    async def connect() -> Transport:
        from pipeline.llm.openai_chat import OpenAITransport

        if role.engine == "openai":
            assert role.base_url is not None  # the role's own check
            if role.mode == "batch":
                from pipeline.llm.batch_chat import BatchTransport

                return BatchTransport(role, role.base_url, opened)
            return OpenAITransport(role, role.base_url)
        from pipeline.llm.local_server import LocalServer, model_path

        server = await LocalServer.start(
            model_path(home()), log=home() / "local_server.log", parallel=role.pace.concurrency
        )
        servers.append(server)
        return OpenAITransport(role, server.base_url, server=server)

    with Ledger(ledger or ledger_path()) as opened:
        chat = LedgeredChat(
            role, name=name, stage=stage, ledger=opened, budget=budget, connect=connect
        )
        try:
            yield chat
        finally:
            await chat.close()
            for server in servers:
                server.stop()


@asynccontextmanager
async def open_embedder(
    role: EmbedderRole, *, stage: str, budget: Budget, ledger: Path | None = None
) -> AsyncIterator[LedgeredEmbedder | RecordedEmbedder]:
    """Give an embedder for `role`; nothing is connected to before the first paid call."""
    from pipeline.llm.embedder import EmbeddingTransport, LedgeredEmbedder, RecordedEmbedder

    if role.engine == "recorded":
        assert role.cassette is not None  # the role's own check
        yield RecordedEmbedder(role, role.cassette)
        return

    async def connect() -> Transport:
        assert role.base_url is not None  # the role's own check
        return EmbeddingTransport(role, role.base_url)

    with Ledger(ledger or ledger_path()) as opened:
        embedder = LedgeredEmbedder(
            role, name="embedder", stage=stage, ledger=opened, budget=budget, connect=connect
        )
        try:
            yield embedder
        finally:
            await embedder.close()
