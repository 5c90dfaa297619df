"""What attempts may cost and what they came to, booked in the ledger."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from pipeline.errors import PipelineError
from pipeline.llm.budget import BudgetSpentError, Usage, check_prices, cost_usd
from pipeline.llm.chat import Request
from pipeline.llm.ledger import Admission, Answer, Ledger, Reservation, Taken, today
from pipeline.llm.rate_limit import Bucket
from pipeline.llm.role import Budget, Role, RoleName
from pipeline.llm.run import Run
from pipeline.llm.transport import Count, Transport


class TakenError(Exception):
    """Some of what an attempt would ask is answered, or another process is paying for it."""

    def __init__(self, keys: frozenset[str]) -> None:
        super().__init__(f"{len(keys)} request(s)")
        self.keys = keys


class Bookings:
    """The attempts of one role: reserved before they are sent, settled when they are over."""

    def __init__(
        self, role: Role, *, name: RoleName, stage: str, ledger: Ledger, budget: Budget, run: Run
    ) -> None:
        check_prices(role, budget)
        self.count = Count()
        self._role = role
        self._name = name
        self._stage = stage
        self._ledger = ledger
        self._budget = budget
        self._run = run
        # One waits for pace or budget at a time, the others for their turn.
        self._pacing = asyncio.Lock()
        self._reserved = 0

    async def admit(
        self,
        transport: Transport,
        request: Request,
        keys: tuple[str, ...],
        at_most: Usage,
        buckets: tuple[Bucket, ...],
    ) -> Admission:
        """Reserve the worst case and wait for the pace.

        Where a cap in tokens or dollars is only reached by what calls in flight have reserved,
        wait for one of them to be settled, then try again. Raises TakenError if another process
        is paying for it.
        """
        usd = cost_usd(self._role, at_most) or 0.0
        wanted = Reservation(
            request.key,
            self._name,
            self._stage,
            at_most.total,
            usd,
            parts=keys,
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
            self._run.check()
            self._run.news.clear()
            try:
                await transport.resume()
                sent = transport.sent_attempt(wanted.key)
                if sent is not None:  # a batch of a run that is gone carries it: reserved then
                    return Admission(sent, wanted)
                found = await self._ledger.in_turn(
                    lambda: self._ledger.reserve(wanted, budget=self._budget, buckets=buckets)
                )
            except BudgetSpentError as error:
                if self._reserved == 0:
                    raise self._run.end(error) from None
                await self._run.news.wait()
            except PipelineError as error:
                raise self._run.end(error) from error
            else:
                if isinstance(found, Taken):
                    raise TakenError(found.keys)
                if isinstance(found, Admission):
                    self.count.calls += 1
                    transport.note_attempt(wanted.key, found.attempt)
                    return found
                await self._run.sleep(found)

    async def fail(self, admission: Admission, outcome: str) -> None:
        """Settle an attempt without an answer."""
        try:
            await self._ledger.in_turn(lambda: self._ledger.settle(admission, outcome))
        except PipelineError as error:
            raise self._run.end(error) from error
        finally:
            self._release()

    async def keep(
        self,
        admission: Admission,
        parts: Sequence[tuple[Request, str]],
        usage: Usage | None,
        latency_s: float,
        buckets: tuple[Bucket, ...],
    ) -> None:
        """Commit the answers to the parts of a request; only then may anyone see them."""
        usd = None if usage is None else cost_usd(self._role, usage)
        alone = usage if len(parts) == 1 else None  # how tokens divide among parts is not told
        answers = [
            Answer(
                key=part.key,
                role=self._name,
                stage=self._stage,
                model=self._role.model,
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
            await self._ledger.in_turn(
                lambda: self._ledger.settle(
                    admission, "answered", usage=usage, usd=usd, answers=answers, buckets=buckets
                )
            )
        except PipelineError as error:
            raise self._run.end(error) from error
        finally:
            self._release()
        self.count.answered += 1
        self.count.tokens += usage.total if usage else admission.reservation.tokens
        self.count.usd += usd if usd is not None else admission.reservation.usd

    def _release(self) -> None:
        self._reserved -= 1
        self._run.news.set()
