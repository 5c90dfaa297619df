"""People and records for the tests of the search engine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from pipeline.annotation.server_client import connect
from tests.annotation.conftest import Annotator, Local, sign_in
from tests.annotation.local_argilla.orders import RECORDS, answers, ids, make, number, ranked

PASSWORD = "a-password-for-tests"


@pytest.fixture(scope="session")
def people(server: Local) -> list[Annotator]:
    import argilla as rg

    client = connect(server.address)
    workspace = client.workspaces(server.address.workspace)
    found = []
    for name in ("eve", "finn"):
        user = rg.User(username=name, first_name=name, password=PASSWORD, client=client)
        user.role = "annotator"
        user.create().add_to_workspace(workspace)
        found.append(sign_in(server, name, PASSWORD))
    return found


@pytest.fixture(scope="session")
def dataset(server: Local, people: list[Annotator]) -> Any:
    """200 records; eve submitted 0-29, finn 0-14, drafted 40-44, discarded 45-49."""
    made = make(server, f"contract-{uuid4().hex[:6]}")
    made.records.log([number(i) for i in range(RECORDS)], batch_size=RECORDS)
    held = ids(made)
    eve, finn = people
    order = {"order": ranked("b", "a", "c")}
    eve.answer_many([(held[f"r{i}"], answers(i, "good") | order, "submitted") for i in range(30)])
    moods = ["bad" if i % 2 else "good" for i in range(15)]
    finn.answer_many(
        [(held[f"r{i}"], answers(i + 1, mood), "submitted") for i, mood in enumerate(moods)]
        + [(held[f"r{i}"], {"mood": "mixed"}, "draft") for i in range(40, 45)]
        + [(held[f"r{i}"], {"mood": "mixed"}, "discarded") for i in range(45, 50)]
    )
    return made


@pytest.fixture
def small(server: Local) -> Iterator[Any]:
    """Ten records of their own for a test that changes things."""
    made = make(server, f"small-{uuid4().hex[:6]}")
    made.records.log([number(i) for i in range(10)], batch_size=10)
    yield made
    made.delete()
