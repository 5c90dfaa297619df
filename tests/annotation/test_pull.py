"""What a pull says and keeps when something is not as it was, on a live server."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.annotation.pull import pull
from pipeline.annotation.push import push
from pipeline.annotation.rounds import merge
from pipeline.annotation.server_client import Address, connect, dataset_name, fetch_records
from pipeline.errors import PipelineError
from tests.annotation.conftest import Local, passwords, sign_in
from tests.annotation.example_round import NAMES, a_push, item

pytestmark = [pytest.mark.argilla, pytest.mark.slow]


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
