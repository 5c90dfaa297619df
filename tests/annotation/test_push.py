"""What a push does when it was cut short, or meets something else, on a live server."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipeline.annotation.form import record
from pipeline.annotation.items import Item
from pipeline.annotation.local_argilla import process
from pipeline.annotation.pull import pull
from pipeline.annotation.push import push
from pipeline.annotation.server_client import connect, dataset_name, fetch_records, find_dataset
from pipeline.errors import PipelineError
from tests.annotation.conftest import ROOT, Local, passwords, sign_in
from tests.annotation.example_round import NAMES, a_push, item

pytestmark = [pytest.mark.argilla, pytest.mark.slow]


# Pushes 150 items, 40 to a request, and kills itself before the nth request of a kind.
KILLED = """
import os, signal, sys
from pathlib import Path
import httpx
from pipeline.annotation import push as module
from pipeline.annotation.server_client import Address
from tests.annotation.example_round import a_push, item
number, last, nth, url, key, workspace, accounts = sys.argv[1:]
sent = []
send = httpx.Client.send
def counted(client, request, **more):
    sent.append(f"{request.method} {request.url.path.rsplit('/', 1)[-1]}")
    if sent.count(last) == int(nth):
        os.kill(os.getpid(), signal.SIGKILL)
    return send(client, request, **more)
httpx.Client.send = counted
module.BATCH = 40
module.push(Address(url, key, workspace),
            a_push(int(number), [item(i) for i in range(150)], [f"kim{number}"]),
            accounts=Path(accounts))
"""


@pytest.mark.parametrize(
    ("number", "last", "nth", "there"),
    [
        (21, "POST users", 2, 0),  # the account is made, and no member of the workspace yet
        (22, "POST questions", 3, 0),
        (23, "GET vectors-settings", 1, 0),  # published, and not marked as ours yet
        (24, "PUT bulk", 3, 80),
    ],
)
def test_a_killed_push_is_completed_by_the_next(
    server: Local, tmp_path: Path, number: int, last: str, nth: int, there: int
) -> None:
    at, accounts = server.address, tmp_path / "accounts.json"
    told = [str(number), last, str(nth), at.url, at.api_key, at.workspace, str(accounts)]
    done = subprocess.run(
        [sys.executable, "-c", KILLED, *told],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        check=False,
        timeout=120,
    )
    assert done.returncode == -signal.SIGKILL

    wanted = a_push(number, [item(i) for i in range(150)], [f"kim{number}"])
    rest = push(at, wanted, accounts=accounts)

    assert sign_in(server, f"kim{number}", passwords(accounts)[f"kim{number}"])
    assert (rest.added, rest.already_there) == (150 - there, there)
    assert sorted(row["external_id"] for row in records(server, number)) == [
        item(i).id for i in range(150)
    ]


def records(server: Local, number: int) -> list[dict[str, Any]]:
    client = connect(server.address)
    dataset = find_dataset(client, server.address, dataset_name(number))
    return list(fetch_records(client, dataset))


def test_another_text_under_a_known_id_is_refused(server: Local, tmp_path: Path) -> None:
    accounts = tmp_path / "accounts.json"
    push(server.address, a_push(3, [item(1)], ["ann"]), accounts=accounts)
    changed = Item(id=item(1).id, fields=item(1).fields | {"situation": "Another one."})

    with pytest.raises(PipelineError, match="has another text than here"):
        push(server.address, a_push(3, [changed], ["ann"]), accounts=accounts)


def test_somebody_elses_dataset_is_left_alone(server: Local, tmp_path: Path) -> None:
    import argilla as rg

    form = rg.Settings(
        fields=[rg.TextField(name="text")], questions=[rg.TextQuestion(name="thought")]
    )
    theirs = rg.Dataset(
        name=dataset_name(4),
        workspace=server.address.workspace,
        settings=form,
        client=connect(server.address),
    ).create()
    theirs.records.log([rg.Record(fields={"text": "theirs"})])

    with pytest.raises(PipelineError, match="was not made by `distillery annotate push`"):
        pull(server.address, 4, NAMES)
    with pytest.raises(PipelineError, match="not made by this program"):
        push(server.address, a_push(4, [item(1)], ["ann"]), accounts=tmp_path / "a.json")
    assert len(list(theirs.records())) == 1


def test_a_server_that_dies_in_a_push_keeps_what_it_had_and_gets_the_rest(
    server: Local, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = a_push(25, [item(i) for i in range(90)], ["ann"])
    first = server.running
    made: list[str] = []

    def dying(one: Item, **more: Any) -> Any:
        made.append(one.id)
        if len(made) == 70:
            os.kill(first.pid, signal.SIGKILL)
        return record(one, **more)

    monkeypatch.setattr("pipeline.annotation.push.BATCH", 30)
    monkeypatch.setattr("pipeline.annotation.push.record", dying)
    with pytest.raises(PipelineError, match="the server does not answer"):
        push(server.address, wanted, accounts=tmp_path / "accounts.json")
    process.start(server.home, port=first.port)

    rest = push(server.address, wanted, accounts=tmp_path / "accounts.json")

    assert (rest.added, rest.already_there) == (30, 60)
    assert len(records(server, 25)) == 90


def test_a_note_that_somebody_erased_is_put_back_and_answers_stay(
    server: Local, tmp_path: Path
) -> None:
    import argilla as rg

    accounts = tmp_path / "accounts.json"
    wanted = a_push(26, [item(1), item(2)], ["lea"])
    push(server.address, wanted, accounts=accounts)
    lea = sign_in(server, "lea", passwords(accounts)["lea"])
    lea.answer_many([(row["id"], {"empathy": 3}, "submitted") for row in records(server, 26)])
    before = pull(server.address, 26, NAMES)
    dataset = find_dataset(connect(server.address), server.address, dataset_name(26))
    dataset.records.log([rg.Record(id=item(1).id, fields=item(1).fields)])

    with pytest.raises(PipelineError, match=r"response-0001 .* has lost what this program noted"):
        pull(server.address, 26, NAMES)
    assert push(server.address, wanted, accounts=accounts).restored == 1
    assert pull(server.address, 26, NAMES) == before
