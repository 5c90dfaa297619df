"""The provider's batches in flight, as the ledger notes them."""

from __future__ import annotations

import json
from functools import partial

from pydantic import TypeAdapter, ValidationError

from pipeline.llm.ledger import Ledger
from pipeline.llm.ledger_file import not_whole

_LEFT_OPEN = (
    "SELECT intent, batch, attempts FROM batches WHERE open AND endpoint = ? AND NOT EXISTS"
    " (SELECT 1 FROM leases JOIN owners ON owners.id = leases.owner WHERE leases.key = intent)"
)


class BatchNotes:
    """The notes of batches at one endpoint; a note's name, `intent`, is on its batch."""

    def __init__(self, ledger: Ledger, endpoint: str) -> None:
        self._ledger = ledger
        self._endpoint = endpoint

    async def take_open(self) -> list[tuple[str, str | None, dict[str, int]]]:
        """Lease open batches that no living process has: intent, name if known, attempts by key."""
        taken = []
        for intent, batch, attempts in self._ledger.rows(_LEFT_OPEN, self._endpoint):
            sent = self._attempts_of(attempts)
            take = partial(self._ledger.leases.take_batch, str(intent), list(sent))
            if await self._ledger.in_turn(take):  # no other process was faster
                taken.append((str(intent), None if batch is None else str(batch), sent))
        return taken

    def _attempts_of(self, noted: object) -> dict[str, int]:
        """Return the attempts that a batch was noted with, by key."""
        try:
            return TypeAdapter(dict[str, int]).validate_json(str(noted))
        except ValidationError as error:
            raise not_whole(self._ledger.path, "the attempts of a batch are no JSON") from error

    async def add(self, intent: str, attempts: dict[str, int]) -> None:
        """Note a batch that is about to be created, and lease all that it will carry."""

        def add() -> None:
            with self._ledger.transaction() as db:
                db.execute(
                    "INSERT INTO batches VALUES (?, ?, NULL, 1, ?)",
                    (intent, self._endpoint, json.dumps(attempts)),
                )
                self._ledger.leases.take([intent, *attempts], intent)

        await self._ledger.in_turn(add)

    async def name(self, intent: str, batch: str) -> None:
        """Note what the provider calls a batch."""

        def name() -> None:
            with self._ledger.transaction() as db:
                db.execute("UPDATE batches SET batch = ? WHERE intent = ?", (batch, intent))

        await self._ledger.in_turn(name)

    async def forget(self, intent: str, attempts: list[int]) -> None:
        """Close a batch that the provider never heard of, and give back its attempts."""

        def forget() -> None:
            self.close([intent])
            self._ledger.withdraw(attempts)

        await self._ledger.in_turn(forget)

    def close(self, intents: list[str]) -> None:
        """Close batches, within a transaction."""
        with self._ledger.transaction() as db:
            for intent in intents:
                db.execute("UPDATE batches SET open = 0 WHERE intent = ?", (intent,))
                self._ledger.leases.end_batch(intent)
