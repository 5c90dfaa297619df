"""`mode: batch`: requests travel as the provider's batch files, cheaper and within a day.

Requests are gathered until nobody adds one, written to a file whose lines carry the ledger key as
custom id, uploaded and polled. Answers are joined by that id, never by order. A batch is noted in
the ledger before it is created and carries the note's name, so a run that was killed at any point
finds its batches again instead of paying for new ones.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Coroutine
from functools import partial
from typing import Any

from pipeline.llm.batch_lines import (
    ENDPOINT,
    MOST_FILE_BYTES,
    MOST_LINE_BYTES,
    key_in,
    line_of,
    lines_of,
    read_line,
)
from pipeline.llm.batch_notes import BatchNotes
from pipeline.llm.chat import Request
from pipeline.llm.ledger import Ledger
from pipeline.llm.openai_chat import MAX_DETAIL, EndpointRefusedError, OpenAITransport
from pipeline.llm.role import LlmRole
from pipeline.llm.transport import AttemptFailedError, Completion, too_large

LINGER_S = 0.25
OVER = ("completed", "failed", "expired", "cancelled")
# Looks at a batch that may fail in a row before the run gives up on the provider.
MAX_FAILED_POLLS = 20
_LATER = "It goes on without us; run the same command later to fetch its answers."


class BatchTransport:
    """Sends requests of one role in batches; each `send` waits for its own answer."""

    def __init__(self, role: LlmRole, base_url: str, ledger: Ledger) -> None:
        self._wire = OpenAITransport(role, base_url)
        self._role = role
        self._ledger = ledger
        self._notes = BatchNotes(ledger, self._wire.base_url)
        self._queue: list[Request] = []
        self._attempts: dict[str, int] = {}
        self._waiting: dict[str, asyncio.Future[Completion]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._flush: asyncio.TimerHandle | None = None
        self._collected: dict[str, list[str]] = {}
        self._error: BaseException | None = None

    @property
    def batches_at(self) -> str | None:
        """The endpoint whose batches this takes up."""
        return self._wire.base_url

    async def resume(self) -> None:
        """Take up the batches that a run left open which is gone."""
        taken = await self._notes.take_open()
        if not taken:
            return
        created = await self._created() if any(batch is None for _, batch, _ in taken) else {}
        for intent, batch, sent in taken:
            name = batch or created.get(intent)
            if name is None:  # the run died before the provider heard of it
                await self._notes.forget(intent, list(sent.values()))
            else:
                for key in sent.keys() - self._waiting.keys():
                    self._attempts[key] = sent[key]
                    self._future(key)
                self._watch(list(sent), self._collect(intent, name, list(sent)))

    async def _created(self) -> dict[str, str]:
        """Return the provider's batches by the intent that they carry."""
        found: dict[str, str] = {}
        with self._wire.refusals("the batches of an earlier run cannot be listed", _LATER):
            async for batch in self._wire.client.batches.list(limit=100):
                intent = (batch.metadata or {}).get("intent")
                if intent:
                    found[intent] = _name(batch)
        return found

    def sent_attempt(self, key: str) -> int | None:
        """Return the attempt that already carries a request, None if it is to be sent."""
        return self._attempts.get(key)

    def note_attempt(self, key: str, attempt: int) -> None:
        """Remember which attempt a request is sent under."""
        self._attempts[key] = attempt

    async def send(self, request: Request) -> Completion:
        """Put `request` into the next batch, unless one carries it already, and wait."""
        if self._error is not None:
            raise self._error
        waiting = self._waiting.get(request.key)
        if waiting is None:
            waiting = self._future(request.key)
            self._queue.append(request)
            self._schedule()
        try:
            return await waiting
        except asyncio.CancelledError:
            self._queue = [queued for queued in self._queue if queued.key != request.key]
            raise
        finally:
            self._waiting.pop(request.key, None)
            self._attempts.pop(request.key, None)

    def _future(self, key: str) -> asyncio.Future[Completion]:
        future: asyncio.Future[Completion] = asyncio.get_running_loop().create_future()
        # A resumed batch may hold requests that nobody asks again.
        future.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._waiting[key] = future
        return future

    def _schedule(self) -> None:
        if self._flush is not None:
            self._flush.cancel()
        full = len(self._queue) >= self._role.batch.max_rows
        loop = asyncio.get_running_loop()
        self._flush = loop.call_later(0 if full else LINGER_S, self._submit)

    def _submit(self) -> None:
        requests, self._queue, self._flush = self._queue, [], None
        # By now: who is cancelled in a moment takes its attempt with it.
        attempts = {request.key: self._attempts[request.key] for request in requests}
        if requests:
            self._watch(list(attempts), self._run(requests, attempts))

    def _watch(self, keys: list[str], work: Coroutine[Any, Any, None]) -> None:
        """Run `work` beside us; whatever error ends it reaches all who wait for `keys`."""

        def ended(task: asyncio.Task[None]) -> None:
            self._tasks.discard(task)
            error = None if task.cancelled() else task.exception()
            if error is not None:
                self._error = error
                for key in keys:
                    self._reject(key, error)

        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(ended)

    async def _run(self, requests: list[Request], attempts: dict[str, int]) -> None:
        intent = uuid.uuid4().hex
        await self._notes.add(intent, attempts)
        lines = b"\n".join(line_of(request) for request in requests)
        hint = "Check that the endpoint has a batch API, or use mode: live; then run again."
        with self._wire.refusals("a batch could not be created", hint):
            file = await self._wire.client.files.create(
                file=("requests.jsonl", lines), purpose="batch"
            )
            batch = await self._wire.client.batches.create(
                input_file_id=_name(file),
                endpoint=ENDPOINT,
                completion_window="24h",
                metadata={"intent": intent},
            )
            name = _name(batch)
        await self._notes.name(intent, name)
        await self._collect(intent, name, list(attempts))

    async def _collect(self, intent: str, name: str, keys: list[str]) -> None:
        """Wait for a batch and hand out its answers; what it lacks may be asked again."""
        status, files = await self._poll(name)
        self._collected[intent] = keys
        for file_id in files:
            await self._read(file_id, keys)
        for key in keys:
            self._reject(key, AttemptFailedError(f"batch_{status}", f"no line in {name}"))
        await asyncio.sleep(0)  # those who waited commit their answers now
        finished = self._finished()
        await self._ledger.in_turn(partial(self._notes.close, finished))
        for one in finished:
            self._collected.pop(one, None)

    def _finished(self) -> list[str]:
        """Return the batches whose answers have all been taken; the next run reads the others.

        Whoever took one is in the ledger's queue by now.
        """
        return [
            intent
            for intent, keys in self._collected.items()
            if not any(key in self._waiting for key in keys)
        ]

    async def _poll(self, name: str) -> tuple[str, list[str]]:
        """Wait until a batch is over; return how it ended and the files of its answers."""
        failed = 0
        while True:
            try:
                with self._wire.refusals(f"batch {name} cannot be looked at", _LATER):
                    batch = await self._wire.client.batches.retrieve(name)
                    status, files = batch.status, (batch.output_file_id, batch.error_file_id)
                    if not isinstance(status, str) or not all(
                        isinstance(one, str | None) for one in files
                    ):
                        raise TypeError(f"no batch in {batch!r}")
                failed = 0
                if status in OVER:
                    return status, [one for one in files if one]
            except EndpointRefusedError:
                failed += 1
                if failed >= MAX_FAILED_POLLS:
                    raise
            await asyncio.sleep(self._role.batch.poll_s)

    async def _read(self, file_id: str, keys: list[str]) -> None:
        """Hand out the answers in a file as they arrive."""
        import openai

        most_bytes = min(len(keys) * MOST_LINE_BYTES, MOST_FILE_BYTES)
        with self._wire.refusals("the answers of a batch cannot be read", _LATER):
            try:
                whole = self._wire.client.files.with_streaming_response.content(file_id)
                async with whole as file:
                    async for line in lines_of(file.iter_bytes(), most_bytes):
                        if len(line) > MOST_LINE_BYTES:
                            self._reject(key_in(line), too_large(MOST_LINE_BYTES))
                        elif (said := read_line(line)) is not None:
                            self._hand_out(said)
                        await asyncio.sleep(0)  # who waited commits it now
            except openai.NotFoundError:
                return  # providers delete old files; what is missing is asked again
            except AttemptFailedError as error:
                for key in keys:
                    self._reject(key, error)

    def _hand_out(self, line: dict[str, Any]) -> None:
        key = str(line.get("custom_id"))
        response = line.get("response")
        if not isinstance(response, dict):  # an error that is no answer of the endpoint
            response = {}
        status = response.get("status_code")
        if not isinstance(status, int):
            status = None
        body = json.dumps(response.get("body"))
        future = self._waiting.get(key)
        if future is None or future.done():
            return
        if status == 200:
            try:
                future.set_result(self._wire.completion(body))
            except AttemptFailedError as error:
                future.set_exception(error)
        else:
            said = self._wire.redacted(body)[:MAX_DETAIL]
            can_retry = status is None or status == 429 or status >= 500
            self._reject(key, AttemptFailedError(f"http_{status}", said, can_retry=can_retry))

    def _reject(self, key: str | None, error: BaseException) -> None:
        future = self._waiting.get(key) if key else None
        if future is not None and not future.done():
            future.set_exception(error)

    async def close(self) -> None:
        """Stop watching; the batches themselves go on and are found again by the next run."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._ledger.try_at_end(partial(self._notes.close, self._finished()))
        await self._wire.close()


def _name(made: Any) -> str:
    """Return the provider's name of a file or batch; raises TypeError if it has none."""
    name = getattr(made, "id", None)
    if not isinstance(name, str) or not name or not name.isprintable():
        raise TypeError(f"no id in {made!r}")
    return name
