"""`LedgeredCalls`: look the request up; if it is new, pay for it once and keep the answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Generic, TypeVar

from pipeline.errors import PipelineError
from pipeline.llm.budget import BudgetSpentError, Usage, check_prices, cost_usd, worst_case
from pipeline.llm.chat import CallRejectedError, Request
from pipeline.llm.ledger import Admission, Answer, Ledger, LedgerError, Reservation, Taken, today
from pipeline.llm.rate_limit import AdaptiveSlots, Breaker, Bucket, buckets_of
from pipeline.llm.role import Budget, Role, RoleName
from pipeline.llm.transport import AttemptFailedError, Completion, Count, Transport

R = TypeVar("R", bound=Role)

# The longest pause between two looks at a request that another process pays for.
MOST_LOOK_S = 1.0


class TakenError(Exception):
    """Some of what an attempt would ask is answered, or another process is paying for it."""

    def __init__(self, keys: frozenset[str]) -> None:
        super().__init__(f"{len(keys)} request(s)")
        self.keys = keys


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
        check_prices(role, budget)
        self.role = role
        self.count = Count()
        self._name = name
        self._stage = stage
        self._ledger = ledger
        self._budget = budget
        self._connect = connect
        self._transport: Transport | None = None
        self._connecting = asyncio.Lock()
        # One waits for pace or budget at a time, the others for their turn.
        self._pacing = asyncio.Lock()
        self._slots = AdaptiveSlots(role.in_flight)
        self._breaker = Breaker(role.pace.breaker_failures, role.base_url or role.engine)
        self._paying: dict[str, asyncio.Future[str]] = {}
        self._stopping = asyncio.Event()
        self._error: PipelineError | None = None
        self._settled = asyncio.Event()
        self._reserved = 0

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
            await self._sleep(pause_s)
            pause_s = min(2 * pause_s, MOST_LOOK_S)

    def _held(self) -> frozenset[str]:
        try:
            return self._ledger.held()
        except PipelineError as error:
            raise self._stop(error) from error

    async def _pay(self, request: Request) -> str:
        """Pay for `request`; raises TakenError if another process does or did."""
        try:
            return await self._attempts(request)
        except TakenError:
            raise
        except BaseException:
            with suppress(LedgerError):
                self._ledger.give_up(self._keys(request))
            raise

    async def _attempts(self, request: Request) -> str:
        from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt

        pace = self.role.pace
        try:
            async for attempt in AsyncRetrying(
                stop=stop_after_attempt(pace.max_attempts),
                retry=retry_if_exception(_can_retry),
                wait=_pause_s(pace.max_wait_s),
                sleep=self._sleep,
                reraise=True,
            ):
                with attempt:
                    return await self._attempt(request)
        except AttemptFailedError as error:
            if error.outcome == "connection" and not self._breaker.ever_answered:
                raise self._stop(self._breaker.down(str(error), pace.max_attempts)) from error
            raise CallRejectedError(error.outcome, str(error), request.key) from error
        raise AssertionError("unreachable")

    async def _attempt(self, request: Request) -> str:
        at_most = worst_case(request)
        buckets = buckets_of(self.role, at_most)
        async with self._slots as slot:
            self._check_running()
            transport = await self._connected()
            admission = await self._admit(transport, request, at_most, buckets)
            sent_at = time.monotonic()
            try:
                completion = await transport.send(request)
            except AttemptFailedError as error:
                self._book(admission, error.outcome)
                if error.is_overload:
                    self._slots.struggled(slot)
                try:
                    self._breaker.failed(str(error))
                except PipelineError as down:
                    raise self._stop(down) from error
                raise
            except PipelineError as error:
                self._book(admission, "refused")
                raise self._stop(error) from None
            self._keep(admission, request, completion, time.monotonic() - sent_at, buckets)
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
                        raise self._stop(error) from error
        return self._transport

    async def _admit(
        self,
        transport: Transport,
        request: Request,
        at_most: Usage,
        buckets: tuple[Bucket, ...],
    ) -> Admission:
        """Reserve the worst case and wait for the pace.

        Where a cap in tokens or dollars is only reached by what calls in flight have reserved,
        wait for one of them to be settled, then try again. Raises TakenError if another process
        is paying for it.
        """
        usd = cost_usd(self.role, at_most) or 0.0
        wanted = Reservation(
            request.key,
            self._name,
            self._stage,
            at_most.total,
            usd,
            parts=self._keys(request),
            batches_at=transport.batches_at,
        )
        async with self._pacing:
            admission = await self._reserve(transport, wanted, buckets)
        self._reserved += 1
        return admission

    async def _reserve(
        self, transport: Transport, wanted: Reservation, buckets: tuple[Bucket, ...]
    ) -> Admission:
        while True:
            self._check_running()
            self._settled.clear()
            try:
                await transport.resume()
                sent = transport.sent_attempt(wanted.key)
                if sent is not None:  # a batch of a run that is gone carries it: reserved then
                    return Admission(sent, wanted)
                found = self._ledger.reserve(wanted, budget=self._budget, buckets=buckets)
            except BudgetSpentError as error:
                if self._reserved == 0:
                    raise self._stop(error) from None
                await self._settled.wait()
            except PipelineError as error:
                raise self._stop(error) from error
            else:
                if isinstance(found, Taken):
                    raise TakenError(found.keys)
                if isinstance(found, Admission):
                    self.count.calls += 1
                    transport.note_attempt(wanted.key, found.attempt)
                    return found
                await self._sleep(found)

    def _book(self, admission: Admission, outcome: str) -> None:
        """Settle an attempt without an answer."""
        try:
            self._ledger.settle(admission, outcome)
        except PipelineError as error:
            raise self._stop(error) from error
        finally:
            self._release()

    def _keep(
        self,
        admission: Admission,
        request: Request,
        completion: Completion,
        latency_s: float,
        buckets: tuple[Bucket, ...],
    ) -> None:
        """Commit an answer; only then may anyone see it."""
        usage = completion.usage
        usd = None if usage is None else cost_usd(self.role, usage)
        parts = self._parts(request, completion)
        alone = usage if len(parts) == 1 else None  # how tokens divide among parts is not told
        answers = [
            Answer(
                key=part.key,
                role=self._name,
                stage=self._stage,
                model=self.role.model,
                sample=part.sample,
                request=part.content.decode(),
                answer=raw,
                tokens_in=alone.tokens_in if alone else None,
                tokens_out=alone.tokens_out if alone else None,
                usd=usd if alone else None,
                latency_s=latency_s,
                answered_at=today(),
            )
            for part, raw in parts
        ]
        try:
            self._ledger.settle(
                admission, "answered", usage=usage, usd=usd, answers=answers, buckets=buckets
            )
        except PipelineError as error:
            raise self._stop(error) from error
        finally:
            self._release()
        self.count.answered += 1
        self.count.tokens += usage.total if usage else admission.reservation.tokens
        self.count.usd += usd if usd is not None else admission.reservation.usd

    def _keys(self, request: Request) -> tuple[str, ...]:
        """Return the keys of the requests that `request` asks in one."""
        return (request.key,)

    def _parts(self, request: Request, completion: Completion) -> list[tuple[Request, str]]:
        """Return the requests that an answer answers, each with its raw answer."""
        return [(request, completion.raw)]

    def _release(self) -> None:
        self._reserved -= 1
        self._settled.set()

    def _stop(self, error: PipelineError) -> PipelineError:
        """Send nothing more; return the first error that ended the run."""
        if self._error is None:
            self._error = error
            self._stopping.set()
        self._settled.set()
        return self._error

    def _check_running(self) -> None:
        if self._error is not None:
            raise self._error

    async def _sleep(self, seconds: float) -> None:
        """Sleep, but not past the end of the run."""
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return
        self._check_running()

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
