"""Export, import, prune and stats; recorded mode answers from an export."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.errors import MissingFileError, RowError, TargetError
from pipeline.llm import Budget
from pipeline.llm.ledger import LedgerError
from pipeline.llm.ledger_transfer import (
    export_answers,
    import_answers,
    ledger_stats,
    prune_answers,
)
from pipeline.llm.open_chat import open_chat
from pipeline.llm.recorded_chat import NotRecordedError
from tests.llm.test_ledger import fill
from tests.mock_endpoint import Handle
from tests.teachers import role_at, said, teacher


async def test_a_cassette_gives_the_same_answers_and_asks_nobody(
    endpoint: Handle, ledger: Path, tmp_path: Path
) -> None:
    cassette = tmp_path / "cassette.jsonl"
    async with teacher(role_at(endpoint.base_url), ledger) as chat:
        live = [await chat.ask(said(number)) for number in range(5)]
    assert export_answers(ledger, cassette) == 5

    role = role_at(endpoint.base_url, engine="recorded", cassette=str(cassette))
    async with open_chat(role, name="teacher", stage="test", budget=Budget()) as chat:
        replayed = [await chat.ask(said(number)) for number in range(5)]
        with pytest.raises(NotRecordedError, match=r"no answer to request [0-9a-f]{64}"):
            await chat.ask(said("something new"))

    assert replayed == live
    assert endpoint.tally.calls == 5


async def test_an_export_depends_on_the_answers_alone(
    endpoint: Handle, ledger: Path, tmp_path: Path
) -> None:
    async with teacher(role_at(endpoint.base_url), ledger) as chat:
        for number in range(20):
            await chat.ask(said(number))
    one, other = tmp_path / "one.jsonl", tmp_path / "other.jsonl"
    export_answers(ledger, one)
    copy = tmp_path / "copy.sqlite"

    assert import_answers(copy, one) == (20, 0)
    assert import_answers(copy, one) == (0, 20)
    export_answers(copy, other)
    assert one.read_bytes() == other.read_bytes()
    assert ledger_stats(copy)[0].calls == 0


async def test_pruned_answers_are_gone_and_stay_counted(endpoint: Handle, ledger: Path) -> None:
    async with teacher(role_at(endpoint.base_url), ledger) as chat:
        for number in range(6):
            await chat.ask(said(number))

    assert prune_answers(ledger, older_than_days=1) == 0
    assert prune_answers(ledger, stage="another") == 0
    assert prune_answers(ledger, stage="test") == 6
    assert ledger_stats(ledger)[0].calls == 6


def the_same(ledger: Path) -> Path:
    return ledger.parent / "below" / ".." / ledger.name


def a_link(ledger: Path) -> Path:
    (ledger.parent / "link").symlink_to(ledger.name)
    return ledger.parent / "link"


def a_hard_link(ledger: Path) -> Path:
    os.link(ledger, ledger.parent / "hard")
    return ledger.parent / "hard"


def through_a_linked_folder(ledger: Path) -> Path:
    (ledger.parent / "folder").symlink_to(".")
    return ledger.parent / "folder" / ledger.name


def beside_it(end: str) -> Callable[[Path], Path]:
    return lambda ledger: ledger.with_name(ledger.name + end)


@pytest.mark.parametrize("salvage", [False, True])
@pytest.mark.parametrize(
    "name",
    [
        *(the_same, a_link, a_hard_link, through_a_linked_folder),
        *map(beside_it, ("-wal", "-shm", "-journal")),
    ],
)
def test_an_export_is_never_written_over_its_ledger(
    ledger: Path, name: Callable[[Path], Path], salvage: bool
) -> None:
    fill(ledger, 3)
    (ledger.parent / "below").mkdir()
    out = name(ledger)
    before = {path: path.is_file() and path.read_bytes() for path in ledger.parent.iterdir()}

    with pytest.raises(TargetError, match="a part of the ledger") as caught:
        export_answers(ledger, out, salvage=salvage)

    assert caught.value.exit_code == 2
    assert before == {
        path: path.is_file() and path.read_bytes() for path in ledger.parent.iterdir()
    }


@pytest.mark.parametrize("line", ["{}", "not json", '{"key": "short"}'])
def test_a_line_that_is_no_answer_is_named(tmp_path: Path, ledger: Path, line: str) -> None:
    export = tmp_path / "export.jsonl"
    export.write_text(line + "\n")

    with pytest.raises(RowError, match=r"export\.jsonl row 1"):
        import_answers(ledger, export)


def test_there_is_nothing_to_export_before_anything_was_asked(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="no such ledger"):
        export_answers(tmp_path / "none.sqlite", tmp_path / "out.jsonl")
    with pytest.raises(MissingFileError, match="no such file"):
        import_answers(tmp_path / "ledger.sqlite", tmp_path / "none.jsonl")
    (tmp_path / "half.jsonl").write_text("{")
    with pytest.raises(RowError, match="row 1"):
        import_answers(tmp_path / "ledger.sqlite", tmp_path / "half.jsonl")
    assert {path.name for path in tmp_path.iterdir()} == {"half.jsonl"}
    with pytest.raises(LedgerError, match="no such ledger"):
        ledger_stats(tmp_path / "other.sqlite")
