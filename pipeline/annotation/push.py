"""Send items to people. A push that was cut short is completed by the next one."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.annotation.assignment import assign
from pipeline.annotation.form import note, questions_of, record, settings
from pipeline.annotation.guidelines import Guidelines
from pipeline.annotation.items import Item, Kind
from pipeline.annotation.server_client import (
    Address,
    connect,
    dataset_name,
    fetch_records,
    find_dataset,
    find_workspace,
    mark,
    plain_errors,
    read_mark,
)
from pipeline.errors import PipelineError
from pipeline.progress import track
from pipeline.storage import AtomicFile

BATCH = 200
ACCOUNTS_FILE = Path(".distillery/annotation/accounts.json")


@dataclass(frozen=True)
class Push:
    """What one round's push is made of; `answers` is shown with an item, for adjudication."""

    round_number: int
    kind: Kind
    items: Sequence[Item]
    annotators: Sequence[str]
    guidelines: Guidelines
    seed: int
    adjudication: bool = False
    answers: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Pushed:
    """What came of it: records added now, records that were there, annotators made now.

    Of those that were there, `restored` had lost what this program had noted on them.
    """

    dataset: str
    added: int
    already_there: int
    restored: int
    new_accounts: tuple[str, ...]


def push(address: Address, wanted: Push, *, accounts: Path = ACCOUNTS_FILE) -> Pushed:
    """Create the dataset and add the items that are not in it; what is there stays untouched.

    Records that annotators work on are never overwritten, so a push can be repeated at any time.
    A record that somebody logged anew without our note gets the note back; answers stay with it.
    """
    name = dataset_name(wanted.round_number, adjudication=wanted.adjudication)
    assigned = assign(wanted.items, wanted.annotators, seed=wanted.seed)
    answers = wanted.answers or {}
    with plain_errors(address.url):
        client = connect(address)
        workspace = _workspace(client, address.workspace)
        made = _ensure_accounts(client, workspace, wanted.annotators, accounts)
        dataset = _ensure_dataset(client, address, name, wanted)
        there = {row["external_id"]: row for row in fetch_records(client, dataset)}
        _require_same_items(address, name, there, wanted)
        new = [item for item in wanted.items if item.id not in there]
        lost = [item for item in wanted.items if item.id in there and not note(there[item.id])]
        due = [*new, *lost]
        batches = [due[start : start + BATCH] for start in range(0, len(due), BATCH)]
        for batch in track(batches, f"pushing to {name}"):
            dataset.records.log(
                [
                    record(
                        item,
                        assigned=assigned[item.id],
                        guidelines=wanted.guidelines.version,
                        answers=answers.get(item.id),
                    )
                    for item in batch
                ],
                batch_size=BATCH,
            )
    return Pushed(name, len(new), len(there), len(lost), tuple(made))


def _workspace(client: Any, name: str) -> Any:
    import argilla as rg

    return find_workspace(client, name) or rg.Workspace(name=name, client=client).create()


def _ensure_accounts(client: Any, workspace: Any, names: Sequence[str], path: Path) -> list[str]:
    """Give each annotator an account in the workspace; new ones get random passwords in `path`."""
    import argilla as rg

    users = {user.username: user for user in client.users}
    members = {user.username for user in workspace.users}
    made: dict[str, str] = {}
    for name in dict.fromkeys(names):
        if name not in users:
            made[name] = secrets.token_urlsafe(12)
            user = rg.User(
                username=name,
                first_name=name,
                role="annotator",
                password=made[name],
                client=client,
            )
            # Written before the account exists: a kill in between costs nothing.
            _keep_passwords(path, {name: made[name]})
            users[name] = user.create()
        if name not in members and users[name].role == "annotator":
            users[name].add_to_workspace(workspace)
    return list(made)


def _keep_passwords(path: Path, made: dict[str, str]) -> None:
    with AtomicFile(path, mode=0o600) as part:
        known = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        part.write_text(json.dumps(known | made, indent=2), encoding="utf-8")


def _ensure_dataset(client: Any, address: Address, name: str, wanted: Push) -> Any:
    import argilla as rg

    dataset = find_dataset(client, address, name)
    if dataset is not None and read_mark(client, dataset) is None:
        _require_leftover(client, address, dataset)
        dataset.delete()
        dataset = None
    if dataset is None:
        most = max((item.wanted for item in wanted.items), default=1)
        made = rg.Dataset(
            name=name,
            workspace=address.workspace,
            settings=settings(
                wanted.kind, wanted.guidelines.shown(wanted.kind), min_submitted=most
            ),
            client=client,
        )
        dataset = made.create()
        mark(client, dataset, wanted.kind, wanted.round_number)
    _require_same_form(address, name, dataset, wanted.kind)
    return dataset


def _require_leftover(client: Any, address: Address, dataset: Any) -> None:
    """Tell what a killed push left (no record yet) from a dataset of somebody else."""
    reply = client.http_client.get(f"/api/v1/datasets/{dataset.id}")
    draft = reply.json()["status"] == "draft"
    if not draft and next(fetch_records(client, dataset), None) is not None:
        raise PipelineError(
            f"{address.url}: dataset {dataset.name} is there and not made by this program\n"
            "It is left alone. Choose another --round."
        )


def _require_same_form(address: Address, name: str, dataset: Any, kind: Kind) -> None:
    asked = {question.name for question in dataset.settings.questions}
    if asked != {question.name for question in questions_of(kind)}:
        raise PipelineError(
            f"{address.url}: dataset {name} asks {', '.join(sorted(asked))}, not what items of "
            f"kind {kind} are asked\nPush them as another --round."
        )


def _require_same_items(
    address: Address, name: str, there: Mapping[str, dict[str, Any]], wanted: Push
) -> None:
    for item in wanted.items:
        held = there.get(item.id)
        if held and any(held["fields"].get(key) != value for key, value in item.fields.items()):
            raise PipelineError(
                f"{address.url}: {item.id} in {name} has another text than here\n"
                "Annotators answered that text; push the new one as another --round."
            )
