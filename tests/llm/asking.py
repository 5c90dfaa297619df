"""A process that asks: `python -m tests.llm.asking URL LEDGER NUMBERS [MODE]` prints what it paid.

Tests start several of them on one ledger, to kill them or to hold them up.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from pipeline.llm.ordered import in_order
from pipeline.workspace import PROJECT
from tests.teachers import role_at, said, teacher

CONCURRENCY = 8


def start(url: str, ledger: Path, numbers: int, **changes: Any) -> subprocess.Popen[bytes]:
    """Ask the first `numbers` questions in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", __name__, url, str(ledger), str(numbers), json.dumps(changes)],
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        stdout=subprocess.PIPE,
    )


def result(process: subprocess.Popen[bytes], timeout_s: float = 60) -> dict[str, int]:
    """Wait for the process to end well; return what it counted."""
    out, _ = process.communicate(timeout=timeout_s)
    assert process.returncode == 0
    counted: dict[str, int] = json.loads(out)
    return counted


async def ask(url: str, ledger: Path, numbers: int, changes: dict[str, Any]) -> dict[str, int]:
    """Ask as a stage does, in order and with a window."""
    role = role_at(url, **{"pace": {"concurrency": CONCURRENCY}, **changes})
    async with teacher(role, ledger) as chat:

        async def one(number: int) -> str:
            return (await chat.ask(said(number))).text

        answers = [text async for text in in_order(range(numbers), one, window=2 * role.in_flight)]
    return {"answers": len(answers), "calls": chat.count.calls, "cached": chat.count.cached}


if __name__ == "__main__":
    url, ledger, numbers, changes = sys.argv[1:]
    counted = asyncio.run(ask(url, Path(ledger), int(numbers), json.loads(changes)))
    sys.stdout.write(json.dumps(counted))
