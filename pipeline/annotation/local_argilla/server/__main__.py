"""`python -m server HOME PORT`: serve Argilla on 127.0.0.1 until SIGTERM.

Settings come by environment, secrets from HOME/credentials.json; HOME/server.lock is held as long
as the process lives, whatever ends it.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import IO, Any

from . import holder

HOST = "127.0.0.1"


def main(arguments: list[str]) -> int:
    """Serve, or take jobs from the queue (`work PID`, started by the server itself)."""
    if arguments[0] == "work":
        from . import engine  # noqa: F401  registers itself
        from .queue import reconnect_when_closed, work

        reconnect_when_closed()
        work(int(arguments[1]))
        return 0
    home, port = Path(arguments[0]), int(arguments[1])
    lock = holder.take(home / "server.lock")
    if lock is None:
        sys.stderr.write("another process holds server.lock\n")
        return 1
    with lock:
        holder.note(lock, port=port, ready=False)
        _serve(home, port, lock)
    return 0


def _serve(home: Path, port: int, lock: IO[str]) -> None:
    from .queue import reconnect_when_closed, start_queue

    os.environ["ARGILLA_REDIS_URL"] = start_queue()
    secrets = json.loads((home / "credentials.json").read_text())
    from . import engine, once  # noqa: F401  register themselves

    reconnect_when_closed()
    _migrate()
    asyncio.run(_ensure_owner(secrets))
    import uvicorn
    from argilla_server import app

    class Server(uvicorn.Server):
        """Starts the worker once the page can be used, so that nobody waits for it."""

        worker: subprocess.Popen[bytes] | None = None

        async def startup(self, sockets: Any = None) -> None:
            await super().startup(sockets)
            command = [sys.executable, "-W", "ignore", "-m", "server", "work", str(os.getpid())]
            self.worker = subprocess.Popen(command)  # noqa: ASYNC220  returns at once
            holder.note(lock, port=port, ready=not self.should_exit)

        async def shutdown(self, sockets: Any = None) -> None:
            holder.note(lock, port=port, ready=False)
            if self.worker:
                self.worker.kill()
                self.worker.wait()
            await super().shutdown(sockets)

    Server(
        uvicorn.Config(
            _stay_at_home(app),
            host=HOST,
            port=port,
            log_level="warning",
            # A client that is busy between two requests finds its connection still there.
            timeout_keep_alive=120,
            timeout_graceful_shutdown=3,
        )
    ).run()


# The page would fetch fonts from elsewhere, telling a stranger who annotates when.
_POLICY = b"default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:"


def _stay_at_home(app: Any) -> Any:
    """Return `app` with a policy on every answer that keeps browsers on this server."""

    async def guarded(scope: Any, receive: Any, send: Any) -> None:
        async def send_with_policy(message: Any) -> None:
            if message["type"] == "http.response.start":
                policy = (b"content-security-policy", _POLICY)
                message = {**message, "headers": [*message.get("headers", ()), policy]}
            await send(message)

        await app(scope, receive, send_with_policy)

    return guarded


def _migrate() -> None:
    from alembic import command
    from alembic.config import Config
    from argilla_server.database import ALEMBIC_CONFIG_FILE

    config = Config(ALEMBIC_CONFIG_FILE)
    config.set_main_option("script_location", str(Path(ALEMBIC_CONFIG_FILE).parent / "alembic"))
    command.upgrade(config, "head")


async def _ensure_owner(secrets: dict[str, str]) -> None:
    """Make the owner and the workspace, or give the owner the secrets of the file."""
    from argilla_server.contexts import accounts
    from argilla_server.database import AsyncSessionLocal, async_engine
    from argilla_server.enums import UserRole
    from argilla_server.models import User, Workspace

    async with AsyncSessionLocal() as session:
        name = secrets["username"]
        owner = await User.get_by(session, username=name)
        if owner is None:
            owner = await User.create(
                session,
                first_name=name,
                username=name,
                role=UserRole.owner,
                api_key=secrets["api_key"],
                password_hash=accounts.hash_password(secrets["password"]),
            )
        elif owner.api_key != secrets["api_key"]:
            await owner.update(
                session,
                api_key=secrets["api_key"],
                password_hash=accounts.hash_password(secrets["password"]),
            )
        if await Workspace.get_by(session, name=secrets["workspace"]) is None:
            workspace = await accounts.create_workspace(session, {"name": secrets["workspace"]})
            await accounts.create_workspace_user(
                session, {"workspace_id": workspace.id, "user_id": owner.id}
            )
    await async_engine.dispose()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
