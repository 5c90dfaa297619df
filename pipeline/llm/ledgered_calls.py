"""`LedgeredCalls`: look the request up; if it is new, pay for it once and keep the answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Generic, TypeVar

from pipeline.errors import PipelineError
from pipeline.llm.answer import check_intake
from pipeline.llm.bookings import Bookings, TakenError
from pipeline.llm.budget import worst_case
from pipeline.llm.chat import CallRejectedError, Request
from pipeline.llm.ledger import Ledger, LedgerError
from pipeline.llm.rate_limit import AdaptiveSlots, Breaker, buckets_of
from pipeline.llm.role import Budget, Role, RoleName
from pipeline.llm.run import Run
from pipeline.llm.transport import AttemptFailedError, Completion, Transport

R = TypeVar("R", bound=Role)

# The longest pause between two looks at a request that another process pays for.
MOST_LOOK_S = 1.0


class LedgeredCalls(Generic[R]):
    """Calls of one role: every answer is kept, the budget is not passed and the pace is kept.

    `connect` is called at the first request that the ledger cannot answer. After an error that
    ends the run nothing new is sent, while what is in flight is still answered and kept.
    """

    def __init__(
        self,
        role: R,
        *,
        name: RoleName,
        stage: str,
        ledger: Ledger,
        budget: Budget,
        connect: Callable[[], Awaitable[Transport]],
    ) -> None:
        self.role = role
        self._ledger = ledger
        self._connect = connect
        self._transport: Transport | None = None
        self._connecting = asyncio.Lock()
        self._slots = AdaptiveSlots(role.in_flight)
        self._breaker = Breaker(role.pace.breaker_failures, role.base_url or role.engine)
        self._paying: dict[str, asyncio.Future[str]] = {}
        self._run = Run()
        self._bookings = Bookings(
            role, name=name, stage=stage, ledger=ledger, budget=budget, run=self._run
        )
        self.count = self._bookings.count

    async def _pay_once(self, request: Request) -> str:
        """Pay for `request`, or wait for the twin that is paying for it."""
        twin = self._paying.get(request.key)
        if twin is not None:
            return await asyncio.shield(twin)
        paid: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._paying[request.key] = paid
        try:
            raw = await self._pay_or_wait(request)
        except BaseException as error:
            paid.set_exception(error)
            paid.exception()  # a twin may not exist; nobody else need look
            raise
        else:
            paid.set_result(raw)
            return raw
        finally:
            del self._paying[request.key]

    async def _pay_or_wait(self, request: Request) -> str:
        """Pay for `request`, or take the answer that another process has paid for."""
        while True:
            try:
                return await self._pay(request)
            except TakenError as taken:
                await self._until_free(taken.keys)
                raw = self._ledger.answer_text(request.key)
                if raw is not None:
                    self.count.cached += 1
                    return raw

    async def _until_free(self, keys: frozenset[str]) -> None:
        """Wait until no living process but this one has any of `keys` leased."""
        pause_s = 0.05
        while keys & self._held():
            await self._run.sleep(pause_s)
            pause_s = min(2 * pause_s, MOST_LOOK_S)

    def _held(self) -> frozenset[str]:
        try:
            return self._ledger.held()
        except PipelineError as error:
            raise self._run.end(error) from error

    async def _pay(self, request: Request) -> str:
        """Pay for `request`; raises TakenError if another process does or did."""
        try:
            return await self._attempts(request)
        except TakenError:
            raise
        except Exception:
            with suppress(LedgerError):
                await self._ledger.in_turn(lambda: self._ledger.give_up(self._keys(request)))
            raise

    async def _attempts(self, request: Request) -> str:
        from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt

        pace = self.role.pace
        try:
            async for attempt in AsyncRetrying(
                stop=stop_after_attempt(pace.max_attempts),
                retry=retry_if_exception(_can_retry),
                wait=_pause_s(pace.max_wait_s),
                sleep=self._run.sleep,
                reraise=True,
            ):
                with attempt:
                    return await self._attempt(request)
        except AttemptFailedError as error:
            if error.outcome == "connection" and not self._breaker.ever_answered:
                raise self._run.end(self._breaker.down(str(error), pace.max_attempts)) from error
            raise CallRejectedError(error.outcome, str(error), request.key) from error
        raise AssertionError("unreachable")

    async def _attempt(self, request: Request) -> str:
        at_most = worst_case(request)
        buckets = buckets_of(self.role, at_most)
        async with self._slots as slot:
            self._run.check()
            transport = await self._connected()
            admission = await self._bookings.admit(
                transport, request, self._keys(request), at_most, buckets
            )
            sent_at = time.monotonic()
            try:
                completion = await transport.send(request)
                parts = self._parts(request, completion)
                for _, raw in parts:
                    check_intake(raw)
            except AttemptFailedError as error:
                await self._bookings.fail(admission, error.outcome)
                if error.is_overload:
                    self._slots.struggled(slot)
                try:
                    self._breaker.failed(str(error))
                except PipelineError as down:
                    raise self._run.end(down) from error
                raise
            except PipelineError as error:
                await self._bookings.fail(admission, "refused")
                raise self._run.end(error) from None
            latency_s = time.monotonic() - sent_at
            await self._bookings.keep(admission, parts, completion.usage, latency_s, buckets)
            self._slots.went_well()
            self._breaker.answered()
            return completion.raw

    async def _connected(self) -> Transport:
        if self._transport is None:
            async with self._connecting:
                if self._transport is None:
                    try:
                        self._transport = await self._connect()
                    except PipelineError as error:
                        raise self._run.end(error) from error
        return self._transport

    def _keys(self, request: Request) -> tuple[str, ...]:
        """Return the keys of the requests that `request` asks in one."""
        return (request.key,)

    def _parts(self, request: Request, completion: Completion) -> list[tuple[Request, str]]:
        """Return the requests that an answer answers, each with its raw answer."""
        return [(request, completion.raw)]

    async def close(self) -> None:
        """Close the connection, if there is one."""
        if self._transport is not None:
            await self._transport.close()


def _can_retry(error: BaseException) -> bool:
    return isinstance(error, AttemptFailedError) and error.can_retry


def _pause_s(most_s: float) -> Callable[..., float]:
    """Return tenacity's pause: what Retry-After asks, else exponential with full jitter."""
    from tenacity import RetryCallState, wait_random_exponential

    backoff = wait_random_exponential(multiplier=0.25, max=most_s)

    def pause(state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.wait_s if isinstance(error, AttemptFailedError) else 0.0
        return max(asked, float(backoff(state)))

    return pause
