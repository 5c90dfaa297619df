"""The lines of a provider's batch files: answers are read as they arrive, each bounded."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from typing import Any, Final

from pipeline.llm.answer import MOST_BYTES
from pipeline.llm.chat import Request
from pipeline.llm.transport import too_large

ENDPOINT: Final = "/v1/chat/completions"
# An answer, and what the provider says around it.
MOST_LINE_BYTES = MOST_BYTES + 64 * 2**10
MOST_FILE_BYTES = 8 * 2**30
_CUSTOM_ID = re.compile(rb'"custom_id"\s*:\s*"([0-9a-f]{64})"')


def line_of(request: Request) -> bytes:
    """Return the line that asks for `request`."""
    head = {"custom_id": request.key, "method": "POST", "url": ENDPOINT}
    return json.dumps(head)[:-1].encode() + b', "body": ' + request.content + b"}"


async def lines_of(pieces: AsyncIterator[bytes], most_bytes: int) -> AsyncIterator[bytes]:
    """Yield the lines of a file, of one that is over MOST_LINE_BYTES a beginning that is, too.

    Raises AttemptFailedError where the file is over `most_bytes`.
    """
    line, size = bytearray(), 0
    async for piece in pieces:
        size += len(piece)
        if size > most_bytes:
            raise too_large(most_bytes)
        *ends, rest = piece.split(b"\n")
        for end in ends:
            line += end[: MOST_LINE_BYTES + 1 - len(line)]
            yield bytes(line)
            line.clear()
        line += rest[: MOST_LINE_BYTES + 1 - len(line)]
    yield bytes(line)


def read_line(line: bytes) -> dict[str, Any] | None:
    """Return what a line says, None of an empty one; raises ValueError if it is no object."""
    if not line.strip():
        return None
    value = json.loads(line.decode(errors="replace"))
    if not isinstance(value, dict):
        raise ValueError("a line is no object")
    return value


def key_in(line: bytes) -> str | None:
    """Return whom the beginning of a line answers, None if it does not say."""
    found = _CUSTOM_ID.search(line)
    return None if found is None else found[1].decode()
