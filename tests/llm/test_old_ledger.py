"""A ledger written by commit 50b66dd keeps every answer, and nothing in it is paid for again.

`data/ledger-50b66dd.sqlite` holds what the mock answered to three exchanges of the sample, improved
by `human-naive` and `human-sequential`, and to four texts of the embedder's tests.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipeline.llm.ledger import Ledger
from pipeline.llm.ledger_file import LedgerReader
from pipeline.llm.ledger_schema import APPLICATION_ID, VERSION
from pipeline.llm.ledger_transfer import export_answers, import_answers, ledger_stats
from pipeline.records import Completion
from pipeline.storage import read_table
from tests.builds import distil_all, ingest_and_split
from tests.llm.test_embedder import TEXTS, embedder
from tests.llm.test_embedder import role_at as embedder_at
from tests.stages.test_distil import only, sample_params
from tests.teachers import role_at

OLD = Path(__file__).parent / "data" / "ledger-50b66dd.sqlite"
NOBODY = "http://127.0.0.1:1/v1"


@pytest.fixture
def old(ledger: Path) -> Path:
    """Return a copy of the old ledger."""
    shutil.copy(OLD, ledger)
    return ledger


def kept(path: Path) -> list[tuple[object, ...]]:
    with LedgerReader(path) as ledger:
        return ledger.rows("SELECT * FROM answers ORDER BY id")


def test_it_opens_is_brought_up_to_date_and_keeps_every_answer(old: Path) -> None:
    before, spent = kept(old), ledger_stats(old)
    with Ledger(old) as opened:
        assert opened.rows("PRAGMA user_version") == [(VERSION,)]
        assert opened.rows("PRAGMA application_id") == [(APPLICATION_ID,)]
        assert opened.rows("PRAGMA integrity_check") == [("ok",)]

    assert len(before) == 16
    assert kept(old) == before
    assert ledger_stats(old) == spent


def test_it_is_read_as_it_is(old: Path, tmp_path: Path) -> None:
    assert ledger_stats(old)[0].calls == 13
    assert export_answers(old, tmp_path / "out.jsonl") == 16
    assert import_answers(tmp_path / "new.sqlite", tmp_path / "out.jsonl") == (16, 0)

    assert old.read_bytes() == OLD.read_bytes()
    assert not list(tmp_path.glob("ledger.sqlite-*"))


def test_a_build_from_it_with_unchanged_params_makes_no_call(
    old: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISTILLERY_HOME", str(tmp_path))
    params = only(sample_params(role_at(NOBODY), limit=3), "human-naive", "human-sequential")
    ingest_and_split(params, tmp_path)
    distil_all(params, tmp_path)

    for name in params.distillations:
        completions = tmp_path / "datasets" / "completions" / f"{name}.parquet"
        assert len(list(read_table(completions, Completion))) == 3
    assert ledger_stats(old)[0].calls == 13


async def test_vectors_in_it_are_not_paid_for_again(old: Path) -> None:
    async with embedder(embedder_at(NOBODY), old) as one:
        found = await one.embed(TEXTS[:4])

    assert len(found.vectors) == 4
    assert one.count.calls == 0
