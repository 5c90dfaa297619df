"""Many questions at once, answers in the order of the questions, memory for a window of them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from typing import TypeVar

from pipeline.errors import PipelineError

T = TypeVar("T")
R = TypeVar("R")


async def in_order(
    items: Iterable[T], work: Callable[[T], Awaitable[R]], *, window: int
) -> AsyncGenerator[R, None]:
    """Yield `work(item)` for each item in order, with at most `window` of them begun.

    When one fails with a PipelineError, those that have begun are waited for, so that what was paid
    for is kept; then it is raised. Anything else, an interrupt above all, cancels them.
    """
    begun: deque[asyncio.Future[R]] = deque()
    try:
        for item in items:
            begun.append(asyncio.ensure_future(work(item)))
            if len(begun) >= window:
                yield await begun.popleft()
        while begun:
            yield await begun.popleft()
    except PipelineError:
        raise
    except BaseException:
        for task in begun:
            task.cancel()
        raise
    finally:
        await asyncio.gather(*begun, return_exceptions=True)
