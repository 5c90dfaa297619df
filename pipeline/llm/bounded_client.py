"""An HTTP client that reads no more of an answer than it may be long, unpacked."""

from __future__ import annotations

from contextlib import aclosing
from typing import Any

import httpx2
import openai

from pipeline.llm.transport import too_large

# Of an answer that says no, only the beginning is ever shown.
MOST_ERROR_BYTES = 64 * 2**10


class BoundedClient(openai.DefaultAsyncHttpxClient):
    """Raises AttemptFailedError for an answer of over `most_bytes`, without the rest of it.

    What is asked for as a stream is the reader's to bound.
    """

    def __init__(self, most_bytes: int, **options: Any) -> None:
        super().__init__(**options)
        self._most_bytes = most_bytes

    async def send(
        self, request: httpx2.Request, *, stream: bool = False, **options: Any
    ) -> httpx2.Response:
        """See `httpx2.AsyncClient.send`."""
        response = await super().send(request, stream=True, **options)
        # JSON is UTF-8 by definition, whatever charset a header names.
        response.encoding = "utf-8"
        try:
            if not response.is_success:
                response._content = (await _beginning(response, MOST_ERROR_BYTES))[
                    :MOST_ERROR_BYTES
                ]
            elif not stream:
                response._content = await _beginning(response, self._most_bytes)
                if len(response._content) > self._most_bytes:
                    raise too_large(self._most_bytes)
        except BaseException:
            await response.aclose()
            raise
        return response


async def _beginning(response: httpx2.Response, most_bytes: int) -> bytes:
    """Return the whole body, or a beginning of it that is longer than `most_bytes`."""
    body = bytearray()
    # It unpacks in pieces of at most a MiB.
    async with aclosing(response.aiter_bytes()) as pieces:
        async for piece in pieces:
            body += piece
            if len(body) > most_bytes:
                break
    return bytes(body)
