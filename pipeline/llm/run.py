"""Whether a run goes on: the first error that ends it, and waits that end with it."""

from __future__ import annotations

import asyncio

from pipeline.errors import PipelineError


class Run:
    """What the calls of one role know of each other: nothing new is sent after an error."""

    def __init__(self) -> None:
        self._error: PipelineError | None = None
        self._ended = asyncio.Event()
        # Set when an attempt is settled, and at the end.
        self.news = asyncio.Event()

    def end(self, error: PipelineError) -> PipelineError:
        """Send nothing more; return the first error that ended the run."""
        if self._error is None:
            self._error = error
            self._ended.set()
        self.news.set()
        return self._error

    def check(self) -> None:
        """Raise the error that ended the run, if one did."""
        if self._error is not None:
            raise self._error

    async def sleep(self, seconds: float) -> None:
        """Sleep, but not past the end of the run."""
        try:
            async with asyncio.timeout(seconds):
                await self._ended.wait()
        except TimeoutError:
            return
        self.check()
