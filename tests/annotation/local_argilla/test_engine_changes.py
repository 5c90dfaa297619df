"""What changes on a live server, seen by our search engine at once."""

from __future__ import annotations

import time
from typing import Any
from uuid import uuid4

import pytest

from pipeline.annotation.server_client import connect, fetch_records
from tests.annotation.conftest import Annotator, Local
from tests.annotation.local_argilla.orders import (
    answers,
    found,
    ids,
    make,
    number,
    rest,
    similar,
)

pytestmark = [pytest.mark.argilla, pytest.mark.slow]


def test_an_answer_can_be_changed_and_taken_back(
    server: Local, small: Any, people: list[Annotator]
) -> None:
    eve = people[0]
    held = ids(small)
    eve.answer(held["r1"], answers(1, "good"))
    eve.answer(held["r1"], answers(1, "bad"))
    assert found(small, filter=("mood.response", "==", "bad")) == 1

    owner = connect(server.address)
    answered = next(row for row in fetch_records(owner, small) if row["responses"])
    rest(eve.client, "DELETE", f"/api/v1/responses/{answered['responses'][0]['id']}")

    assert found(small, filter=("response.status", "==", "submitted")) == 0


def test_the_owner_can_answer_in_someones_name(small: Any, people: list[Annotator]) -> None:
    import argilla as rg

    record = number(4)
    record.responses.add(
        rg.Response("stars", 5, user_id=people[1].client.me.id, status="submitted")
    )
    record.responses.add(
        rg.Response("mood", "bad", user_id=people[1].client.me.id, status="submitted")
    )
    small.records.log([record])

    assert found(small, filter=("mood.response", "==", "bad")) == 1


def test_metadata_and_vectors_can_be_added_later(small: Any) -> None:
    import argilla as rg

    small.settings.metadata.add(rg.TermsMetadataProperty(name="late"))
    small.settings.vectors.add(rg.VectorField(name="mood_space", dimensions=3))
    small.settings.update()
    later = []
    for i in range(5):
        record = number(i)
        record.metadata["late"] = "yes"
        record.vectors["mood_space"] = [1.0, 0.5, i / 10]
        later.append(record)
    small.records.log(later, batch_size=5)

    assert found(small, filter=("metadata.late", "==", "yes")) == 5
    assert similar(small, [1.0, 0.5, 0.1], name="mood_space")[0] == "r1"


def test_lowering_what_is_needed_completes_records_by_the_worker(
    server: Local, people: list[Annotator]
) -> None:
    import argilla as rg

    made = make(server, f"needs-{uuid4().hex[:6]}", min_submitted=2)
    made.records.log([number(i) for i in range(5)], batch_size=5)
    made.settings.distribution = rg.TaskDistribution(min_submitted=1)
    made.settings.update()
    people[0].answer(ids(made)["r0"], answers(1, "good"))

    deadline = time.monotonic() + 30
    while found(made, filter=("status", "==", "completed")) != 1:
        assert time.monotonic() < deadline, "the worker did not come to it"
        time.sleep(0.3)
    made.delete()


def test_a_suggestion_and_records_can_be_deleted(server: Local, small: Any) -> None:
    client = connect(server.address)
    path = f"/api/v1/records/{ids(small)['r6']}/suggestions"
    first = rest(client, "GET", path)["items"][0]
    rest(client, "DELETE", f"{path}?ids={first['id']}")
    small.records.delete([one for one in small.records() if one.id in ("r8", "r9")])

    assert len(rest(client, "GET", path)["items"]) == 4
    assert found(small, query="please") == 8


def test_a_dataset_survives_disk(server: Local, small: Any, tmp_path: Any) -> None:
    import argilla as rg

    (tmp_path / "copy").mkdir()
    small.to_disk(str(tmp_path / "copy"))
    copy = rg.Dataset.from_disk(
        str(tmp_path / "copy"),
        name=f"copy-{uuid4().hex[:6]}",
        workspace=server.address.workspace,
        client=connect(server.address),
    )

    assert len(ids(copy)) == 10
    copy.delete()
    assert connect(server.address).datasets(copy.name) is None
