"""Pace: shared buckets, adaptive concurrency, and a breaker for an endpoint that is down.

The buckets live in the ledger, so that every stage and process that shares it shares the limit; a
limiter inside one process, however good, cannot know of the others.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from pipeline.errors import GateFailedError
from pipeline.llm.budget import Usage
from pipeline.llm.role import Role

# A minute's allowance may not be used in its first instant: providers also watch seconds.
BURST_S = 1.0
# No bucket needs longer to fill than after its largest draw; a ledger that says so is wrong.
MOST_LEFT_S = 3600.0
# A date is as far off as the clocks of two machines are apart.
MOST_DATE_WAIT_S = 120.0


class EndpointDownError(GateFailedError):
    """The endpoint fails every call; going on would only wear it down."""


@dataclass(frozen=True)
class Bucket:
    """One attempt's draw on a rate limit, by the generic cell rate algorithm.

    The state is one time of a monotonic clock: when the bucket will be full again. `seconds` is how
    much refilling time this attempt takes, `per_unit_s` that of one unit (a call or a token).
    """

    name: str
    seconds: float
    per_unit_s: float

    def full_at(self, left_s: float, at: float, now: float) -> float:
        """Return the state that was kept as `left_s` seconds to go at the time `at`.

        An `at` that lies ahead is of another run of the machine: nothing has passed since.
        """
        most_s = BURST_S + max(self.seconds, MOST_LEFT_S)
        return now + min(max(0.0, left_s - max(0.0, now - at)), most_s)

    def wait_s(self, full_at: float, now: float) -> float:
        """Return how long the attempt has to wait, 0 if it may start now."""
        return max(0.0, full_at - BURST_S - now)

    def after(self, full_at: float, now: float) -> float:
        """Return the bucket's state after an attempt that starts now."""
        return max(full_at, now) + self.seconds

    def credit_s(self, tokens: int) -> float:
        """Return the refilling time to give back when only `tokens` were used; calls stay spent."""
        if self.name.startswith("tpm"):
            return max(0.0, self.seconds - tokens * self.per_unit_s)
        return 0.0


def buckets_of(role: Role, at_most: Usage) -> tuple[Bucket, ...]:
    """Return the draws of one attempt of `role`, none where no limit is set."""
    endpoint = f"{role.base_url or role.engine} {role.model}"
    found = []
    if role.pace.rpm is not None:
        found.append(Bucket(f"rpm {endpoint}", 60 / role.pace.rpm, 60 / role.pace.rpm))
    if role.pace.tpm is not None:
        per_token_s = 60 / role.pace.tpm
        found.append(Bucket(f"tpm {endpoint}", at_most.total * per_token_s, per_token_s))
    return tuple(found)


class AdaptiveSlots:
    """Concurrency that halves when the endpoint struggles and grows by one per full round."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.limit = float(most)
        self.in_flight = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._cut_at = 0.0

    async def __aenter__(self) -> float:
        """Wait for a slot; return when it was taken, for `struggled`."""
        if self._waiting or self.in_flight >= int(self.limit):
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            try:
                await turn  # whoever wakes us has taken the slot for us
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():
                    self._free()
                raise
        else:
            self.in_flight += 1
        return time.monotonic()

    async def __aexit__(self, *_: object) -> None:
        self._free()

    def _free(self) -> None:
        self.in_flight -= 1
        while self._waiting and self.in_flight < int(self.limit):
            turn = self._waiting.popleft()
            if not turn.done():
                self.in_flight += 1
                turn.set_result(None)

    def went_well(self) -> None:
        """Grow: one more call in flight after `limit` good ones."""
        self.limit = min(float(self.most), self.limit + 1 / self.limit)

    def struggled(self, sent_at: float) -> None:
        """Halve, once for all attempts that were sent before the last cut."""
        if sent_at >= self._cut_at:
            self.limit = max(1.0, self.limit / 2)
            self._cut_at = time.monotonic()


class Breaker:
    """Stops a run after `most` failed attempts in a row."""

    def __init__(self, most: int, endpoint: str) -> None:
        self.most = most
        self.endpoint = endpoint
        self.ever_answered = False
        self._in_a_row = 0

    def answered(self) -> None:
        """Note that the endpoint is alive."""
        self.ever_answered = True
        self._in_a_row = 0

    def failed(self, what: str) -> None:
        """Note a failed attempt; raises EndpointDownError at the `most`-th in a row."""
        self._in_a_row += 1
        if self._in_a_row >= self.most:
            raise self.down(what, self._in_a_row)

    def down(self, what: str, times: int) -> EndpointDownError:
        """Return the error of an endpoint that is down."""
        return EndpointDownError(
            f"{self.endpoint}: {times} failed attempts and no answer between them, the last: {what}"
            "\nCheck that the endpoint is up and the role's base_url and model are right, then run "
            "the same command again: all answers so far are kept."
        )


def retry_after_s(value: str | None, *, date: str | None = None) -> float:
    """Return the seconds that a Retry-After header asks for, 0 where it says nothing sane.

    A time of day is measured from `date`, the answer's own Date header, since our clock and the
    server's may differ; without one no date may ask for more than MOST_DATE_WAIT_S.
    """
    if value is None:
        return 0.0
    try:
        wait_s = float(value)
    except ValueError:
        until, said = _timestamp(value), _timestamp(date)
        if until is None:
            return 0.0
        wait_s = until - said if said is not None else min(until - time.time(), MOST_DATE_WAIT_S)
    return wait_s if 0 <= wait_s < 86_400 else 0.0


def _timestamp(date: str | None) -> float | None:
    try:
        return None if date is None else parsedate_to_datetime(date).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
