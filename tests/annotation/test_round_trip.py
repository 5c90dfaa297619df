"""From selected items through a real server and back: nothing lost, nothing doubled."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from pipeline.annotation.adjudicate import describe_answers, disputed_items
from pipeline.annotation.items import Item
from pipeline.annotation.local_argilla import process
from pipeline.annotation.pull import progress, pull_round
from pipeline.annotation.push import push
from pipeline.annotation.rounds import disagreements, merge, resolve
from pipeline.annotation.server_client import connect, dataset_name, fetch_records
from pipeline.records import Annotation
from tests.annotation.conftest import Annotator, Local, passwords, sign_in
from tests.annotation.example_round import BOOK, NAMES, a_push, item

pytestmark = [pytest.mark.argilla, pytest.mark.slow]
ITEMS = 500
OVERLAP = 100


def rating(annotator: int, number: int) -> int:
    """Return an answer on which annotators 0 and 1 agree, and 2 differs at every fifth item."""
    return (number + (annotator == 2 and number % 5 == 0)) % 3 + 1


def test_a_round_goes_out_and_comes_home(server: Local, tmp_path: Path) -> None:
    accounts = tmp_path / "accounts.json"
    items = [item(i, wanted=3 if i < OVERLAP else 1, blind=i % 4 == 0) for i in range(ITEMS)]
    wanted = a_push(1, items, ["amy", "ben", "cleo"])

    first = push(server.address, wanted, accounts=accounts)
    again = push(server.address, wanted, accounts=accounts)

    assert (first.added, first.already_there) == (ITEMS, 0)
    assert (again.added, again.already_there) == (0, ITEMS)
    assert first.new_accounts == ("amy", "ben", "cleo")
    assert accounts.stat().st_mode & 0o077 == 0

    people = [sign_in(server, name, key) for name, key in passwords(accounts).items()]
    answered = answer_all(server, people)
    port = server.running.port
    assert process.stop(server.home)
    process.start(server.home, port=port)

    pulled = pull_round(server.address, 1, NAMES)
    assert check_answers(pulled) == answered
    assert pull_round(server.address, 1, NAMES) == pulled
    assert merge(pulled, pulled).new == 0

    shares = progress(server.address, 1)
    assert sum(share.assigned for share in shares.values()) == OVERLAP * 3 + ITEMS - OVERLAP
    assert max(s.assigned for s in shares.values()) - min(s.assigned for s in shares.values()) <= 1
    assert shares["amy"].responses["draft"] == shares["amy"].responses["discarded"] == 1

    check_adjudication(server, tmp_path, items, pulled)


def answer_all(server: Local, people: list[Annotator]) -> dict[str, int]:
    """Let everyone answer what is assigned to them; amy drafts one and discards one."""
    client = connect(server.address)
    dataset = client.datasets(dataset_name(1), workspace=server.address.workspace)
    held = list(fetch_records(client, dataset))
    counts: Counter[str] = Counter()
    for place, person in enumerate(people):
        given = []
        mine = [row for row in held if person.name in row["metadata"]["assigned"]]
        for order, row in enumerate(mine):
            number = int(row["external_id"].split("-")[1])
            odd = person.name == "amy" and number >= OVERLAP
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
    pseudonyms = [NAMES(name) for name in ("amy", "ben", "cleo")]
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
    assert not {"amy", "ben", "cleo"} & {row.annotator for row in pulled}
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
    assert not any("amy" in row["fields"]["answers"].lower().split() for row in held)
    dora.answer_many([(row["id"], {"empathy": 3}, "submitted") for row in held])

    both = pull_round(server.address, 1, NAMES)
    assert disagreements(both) == {}
    labels = {label.item_id: label for label in resolve(both, 1) if label.question == "empathy"}
    ruled = labels["response-0005"]
    assert (ruled.values, ruled.method) == (("3",), "adjudicated")
    assert labels["response-0001"].method == "unanimous"
