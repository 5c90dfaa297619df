"""From selected items through a real server and back: nothing lost, nothing doubled."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from pipeline.annotation.adjudicate import describe_answers, disputed_items
from pipeline.annotation.guidelines import load_guidelines
from pipeline.annotation.items import Item
from pipeline.annotation.local_argilla import process
from pipeline.annotation.pseudonyms import Pseudonyms
from pipeline.annotation.pull import progress, pull, pull_round
from pipeline.annotation.push import Push, push
from pipeline.annotation.rounds import disagreements, merge, resolve
from pipeline.annotation.server_client import Address, connect, dataset_name, fetch_records
from pipeline.errors import PipelineError
from pipeline.records import Annotation, Suggestion
from tests.annotation.conftest import ROOT, Annotator, Local, passwords, sign_in

pytestmark = [pytest.mark.argilla, pytest.mark.slow]
BOOK = load_guidelines(ROOT / "annotations" / "guidelines")
NAMES = Pseudonyms(b"a salt for tests")
ITEMS = 500
OVERLAP = 100


def item(number: int, *, wanted: int = 1, blind: bool = False) -> Item:
    name = f"response-{number:04d}"
    return Item(
        id=name,
        fields={
            "situation": f"Situation {number}.",
            "chat": [
                {"role": "speaker", "content": f"Utterance {number}."},
                {"role": "listener", "content": "I am sorry. What happened?"},
            ],
            "response": "I am sorry. What happened?",
        },
        wanted=wanted,
        blind=blind,
        suggestions=(
            Suggestion(item_id=name, question="empathy", value=2, score=0.7, agent="scorer"),
            Suggestion(
                item_id=name, question="codes", sentence=0, value=("Support",), agent="coder"
            ),
        ),
    )


def a_push(number: int, items: list[Item], annotators: list[str], **more: Any) -> Push:
    return Push(
        round_number=number,
        kind="responses",
        items=items,
        annotators=annotators,
        guidelines=BOOK,
        seed=1,
        **more,
    )


def rating(annotator: int, number: int) -> int:
    """Return an answer on which annotators 0 and 1 agree, and 2 differs at every fifth item."""
    return (number + (annotator == 2 and number % 5 == 0)) % 3 + 1


def test_a_round_goes_out_and_comes_home(server: Local, tmp_path: Path) -> None:
    accounts = tmp_path / "accounts.json"
    items = [item(i, wanted=3 if i < OVERLAP else 1, blind=i % 4 == 0) for i in range(ITEMS)]
    wanted = a_push(1, items, ["ann", "ben", "cleo"])

    first = push(server.address, wanted, accounts=accounts)
    again = push(server.address, wanted, accounts=accounts)

    assert (first.added, first.already_there) == (ITEMS, 0)
    assert (again.added, again.already_there) == (0, ITEMS)
    assert first.new_accounts == ("ann", "ben", "cleo")
    assert accounts.stat().st_mode & 0o077 == 0

    people = [sign_in(server, name, key) for name, key in passwords(accounts).items()]
    answered = answer_all(server, people)
    assert process.stop(server.home)
    process.start(server.home, port=server.running.port)

    pulled = pull_round(server.address, 1, NAMES)
    assert check_answers(pulled) == answered
    assert pull_round(server.address, 1, NAMES) == pulled
    assert merge(pulled, pulled).new == 0

    shares = progress(server.address, 1)
    assert sum(share.assigned for share in shares.values()) == OVERLAP * 3 + ITEMS - OVERLAP
    assert max(s.assigned for s in shares.values()) - min(s.assigned for s in shares.values()) <= 1
    assert shares["ann"].responses["draft"] == shares["ann"].responses["discarded"] == 1

    check_adjudication(server, tmp_path, items, pulled)


def answer_all(server: Local, people: list[Annotator]) -> dict[str, int]:
    """Let everyone answer what is assigned to them; ann drafts one and discards one."""
    client = connect(server.address)
    dataset = client.datasets(dataset_name(1), workspace=server.address.workspace)
    held = list(fetch_records(client, dataset))
    counts: Counter[str] = Counter()
    for place, person in enumerate(people):
        given = []
        mine = [row for row in held if person.name in row["metadata"]["assigned"]]
        for order, row in enumerate(mine):
            number = int(row["external_id"].split("-")[1])
            odd = person.name == "ann" and number >= OVERLAP
            status = (
                {0: "draft", 1: "discarded"}.get(counts["odd"], "submitted") if odd else "submitted"
            )
            counts["odd"] += odd
            values: dict[str, Any] = {"empathy": rating(place, number), "safety": ["none"]}
            values["codes"] = [{"start": 0, "end": 11, "label": "Support"}]
            given.append((row["id"], values, status))
            counts[status] += 1
            del order
        for start in range(0, len(given), 100):
            person.answer_many(given[start : start + 100])
    return {status: counts[status] for status in ("submitted", "draft", "discarded")}


def check_answers(pulled: list[Annotation]) -> dict[str, int]:
    """Check every pulled rating; return how many responses there are by status."""
    assert len({row.key for row in pulled}) == len(pulled)
    pseudonyms = [NAMES(name) for name in ("ann", "ben", "cleo")]
    ratings = [row for row in pulled if row.question == "empathy"]
    for row in ratings:
        number = int(row.item_id.split("-")[1])
        assert row.value == rating(pseudonyms.index(row.annotator), number)
        assert row.suggestion == 2
        assert row.suggestion_shown == bool(number % 4)
        assert row.guidelines == BOOK.version
        assert row.answered_at is not None
    codes = [row for row in pulled if row.question == "codes"]
    assert {(row.sentence, row.value) for row in codes} == {(0, ("Support",)), (1, ())}
    assert not {"ann", "ben", "cleo"} & {row.annotator for row in pulled}
    return dict(Counter(row.status for row in ratings))


def check_adjudication(
    server: Local, tmp_path: Path, items: list[Item], pulled: list[Annotation]
) -> None:
    disputed = disputed_items(items, pulled)
    assert {one.id for one in disputed} == {f"response-{i:04d}" for i in range(0, OVERLAP, 5)}
    accounts = tmp_path / "adjudicator.json"
    wanted = a_push(1, disputed, ["dora"], adjudication=True, answers=describe_answers(pulled))
    assert push(server.address, wanted, accounts=accounts).added == OVERLAP // 5

    dora = sign_in(server, "dora", passwords(accounts)["dora"])
    client = connect(server.address)
    name = dataset_name(1, adjudication=True)
    dataset = client.datasets(name, workspace=server.address.workspace)
    held = list(fetch_records(client, dataset))
    assert all("Annotator C" in row["fields"]["answers"] for row in held)
    assert not any("ann" in row["fields"]["answers"].lower().split() for row in held)
    dora.answer_many([(row["id"], {"empathy": 3}, "submitted") for row in held])

    both = pull_round(server.address, 1, NAMES)
    assert disagreements(both) == {}
    labels = {label.item_id: label for label in resolve(both, 1) if label.question == "empathy"}
    ruled = labels["response-0005"]
    assert (ruled.values, ruled.method) == (("3",), "adjudicated")
    assert labels["response-0001"].method == "unanimous"


KILLED = """
import sys, os, signal
from pathlib import Path
from pipeline.annotation import push as module
from pipeline.annotation.server_client import Address
from tests.annotation.test_round_trip import a_push, item
import argilla
log = argilla.Dataset.records.fget
done = []
module.BATCH = 40
true_record = module.record
def record(*args, **kwargs):
    done.append(1)
    if len(done) > 100:
        os.kill(os.getpid(), signal.SIGKILL)
    return true_record(*args, **kwargs)
module.record = record
module.push(Address(*sys.argv[1:4]), a_push(2, [item(i) for i in range(150)], ["ann"]),
            accounts=Path(sys.argv[4]))
"""


def test_a_killed_push_is_completed_by_the_next(server: Local, tmp_path: Path) -> None:
    at, accounts = server.address, tmp_path / "accounts.json"
    command = [sys.executable, "-c", KILLED, at.url, at.api_key, at.workspace, str(accounts)]
    done = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": str(ROOT)}, cwd=ROOT, check=False, timeout=120
    )
    assert done.returncode == -signal.SIGKILL

    rest = push(at, a_push(2, [item(i) for i in range(150)], ["ann"]), accounts=accounts)

    assert (rest.added, rest.already_there) == (70, 80)
    client = connect(at)
    held = list(fetch_records(client, client.datasets(dataset_name(2), workspace=at.workspace)))
    assert len({row["external_id"] for row in held}) == len(held) == 150


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


def test_a_dataset_of_another_schema_is_not_read(
    server: Local, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    push(server.address, a_push(5, [item(1)], ["ann"]), accounts=tmp_path / "accounts.json")
    monkeypatch.setattr("pipeline.annotation.server_client.SCHEMA", 2)

    with pytest.raises(PipelineError, match="has schema 1, not 2"):
        pull(server.address, 5, NAMES)


def test_what_was_pulled_stays_when_its_annotator_leaves(server: Local, tmp_path: Path) -> None:
    accounts = tmp_path / "accounts.json"
    push(server.address, a_push(6, [item(1)], ["gone"]), accounts=accounts)
    client = connect(server.address)
    dataset = client.datasets(dataset_name(6), workspace=server.address.workspace)
    (held,) = fetch_records(client, dataset)
    sign_in(server, "gone", passwords(accounts)["gone"]).answer(held["id"], {"empathy": 1})
    before = pull(server.address, 6, NAMES)
    client.users("gone").delete()

    merged = merge(before, pull(server.address, 6, NAMES))

    assert merged.annotations == tuple(before)
    assert merged.gone == 1


def test_a_wrong_key_and_a_dead_server_are_said_plainly(server: Local) -> None:
    with pytest.raises(PipelineError, match="the key is refused"):
        pull(Address(server.running.url, "not-the-key", "distillery"), 1, NAMES)
    with pytest.raises(PipelineError, match="the server does not answer"):
        pull(Address("http://127.0.0.1:9", "any-key", "distillery"), 1, NAMES)


def test_a_missing_round_names_what_there_is(server: Local) -> None:
    with pytest.raises(PipelineError, match="no dataset empathy-round-99 in workspace"):
        pull(server.address, 99, NAMES)


def test_the_server_listens_on_loopback_alone(server: Local) -> None:
    listening = subprocess.run(
        ["ss", "-ltnpH"], capture_output=True, text=True, check=False, timeout=20
    ).stdout
    mine = [line for line in listening.splitlines() if f"pid={server.running.pid}," in line]
    if not mine:
        pytest.skip("ss does not show processes here")

    assert all(line.split()[3].startswith("127.0.0.1:") for line in mine)


def test_the_queue_hangs_up_without_its_password(server: Local) -> None:
    import socket

    listening = subprocess.run(
        ["ss", "-ltnpH"], capture_output=True, text=True, check=False, timeout=20
    ).stdout
    ports = [
        int(line.split()[3].rsplit(":", 1)[1])
        for line in listening.splitlines()
        if f"pid={server.running.pid}," in line
    ]
    queues = [port for port in ports if port != server.running.port]
    if not queues:
        pytest.skip("ss does not show processes here")
    with socket.create_connection(("127.0.0.1", queues[0]), timeout=20) as stranger:
        stranger.sendall(b"*1\r\n$4\r\nPING\r\n")
        try:
            reply = stranger.recv(100)
        except ConnectionResetError:
            reply = b""

    assert reply == b""
