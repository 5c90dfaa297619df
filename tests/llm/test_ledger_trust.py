"""A ledger or an export from another hand is checked before anything in it is believed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import RowError
from pipeline.llm.answer import MAX_LINE_BYTES
from pipeline.llm.ledger import Ledger, LedgerError
from pipeline.llm.ledger_file import LedgerReader
from pipeline.llm.ledger_transfer import (
    export_answers,
    import_answers,
    ledger_stats,
    prune_answers,
)
from pipeline.workspace import PROJECT
from tests.llm.test_ledger import answer, fill

HEAD = "import sys\nfrom pathlib import Path\npath = Path(sys.argv[1])\n"
READY = "\nprint('ready', flush=True)\nsys.stdin.read()\n"
READERS: list[Callable[[Path], object]] = [
    LedgerReader,
    ledger_stats,
    lambda path: export_answers(path, path.with_name("out.jsonl")),
]


def salvaged(path: Path) -> int:
    return export_answers(path, path.with_name("out.jsonl"), salvage=True)


WRITERS: list[Callable[[Path], object]] = [Ledger, lambda path: prune_answers(path, stage="test")]


def everything(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        path.name: (path.stat().st_mtime_ns, path.read_bytes())
        for path in folder.iterdir()
        if path.is_file() and path.name != "out.jsonl"
    }


def changed(ledger: Path, *statements: str) -> None:
    fill(ledger, 3)
    with closing(sqlite3.connect(ledger, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = DELETE")
        for statement in statements:
            db.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TRIGGER t AFTER INSERT ON answers BEGIN DELETE FROM answers; END",
        "CREATE VIEW v AS SELECT load_extension('x')",
        "CREATE TABLE more (x)",
        "CREATE INDEX extra ON answers (lower(request))",
        "ALTER TABLE answers ADD COLUMN more TEXT",
        "ALTER TABLE answers RENAME COLUMN answer TO reply",
        "DROP TABLE spent",
        "PRAGMA user_version = 0",
        "PRAGMA user_version = -3",
        "PRAGMA application_id = 1",
    ],
)
@pytest.mark.parametrize("use", [*READERS, *WRITERS])
def test_a_database_that_is_no_ledger_is_neither_read_nor_changed(
    ledger: Path, statement: str, use: Callable[[Path], object]
) -> None:
    changed(ledger, statement)
    before = ledger.read_bytes()

    with pytest.raises(LedgerError, match=r"not a ledger's|of another program"):
        use(ledger)
    assert ledger.read_bytes() == before


def a_folder(path: Path) -> None:
    path.mkdir()


def a_fifo(path: Path) -> None:
    os.mkfifo(path)


def a_text(path: Path) -> None:
    path.write_text("key,answer\n" * 500)


def a_link_to_text(path: Path) -> None:
    path.with_name("text").write_text("key,answer\n" * 500)
    path.symlink_to(path.with_name("text"))


def a_link_to_nothing(path: Path) -> None:
    path.symlink_to(path.with_name("nothing"))


def a_link_to_itself(path: Path) -> None:
    path.symlink_to(path)


def a_link_to_a_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize(
    "planted",
    [
        a_folder,
        a_fifo,
        a_text,
        a_link_to_text,
        a_link_to_nothing,
        a_link_to_itself,
        a_link_to_a_device,
    ],
)
@pytest.mark.parametrize("use", [*READERS, *WRITERS])
def test_what_is_no_file_of_ours_is_one_clear_error(
    ledger: Path, planted: Callable[[Path], None], use: Callable[[Path], object]
) -> None:
    planted(ledger)
    names = sorted(ledger.parent.iterdir())

    with pytest.raises(LedgerError, match=r"ledger\.sqlite: .*\n"):
        use(ledger)
    assert sorted(ledger.parent.iterdir()) == names


@pytest.mark.parametrize("use", [*READERS, WRITERS[1]])
def test_a_missing_ledger_is_an_error_and_is_not_made(
    ledger: Path, use: Callable[[Path], object]
) -> None:
    with pytest.raises(LedgerError, match="no such ledger") as caught:
        use(ledger)

    assert caught.value.exit_code == 2
    assert not list(ledger.parent.iterdir())


@pytest.mark.parametrize("use", [*READERS[:2], *WRITERS])
def test_a_path_that_cannot_be_is_one_clear_error(
    ledger: Path, use: Callable[[Path], object]
) -> None:
    ledger.touch()
    for path in (ledger.with_name("x" * 300), ledger / "below"):
        with pytest.raises(LedgerError, match="Check the path"):
            use(path)


@pytest.mark.parametrize("use", READERS)
def test_who_reads_writes_nothing(ledger: Path, use: Callable[[Path], object]) -> None:
    fill(ledger, 20)
    before = everything(ledger.parent)

    use(ledger)

    assert set(before) == {"ledger.sqlite"}
    assert everything(ledger.parent) == before


def kill_a_writer(ledger: Path) -> None:
    """Leave `ledger` as a writer does that was killed, its newest rows beside it."""
    run_until_ready(
        "from tests.llm.test_ledger import fill, Ledger, answer\n"
        "opened = Ledger(path)\n"
        "opened.spent()\n"
        "fill(path, 20)\n",
        ledger,
    )


@pytest.mark.parametrize("use", READERS)
def test_who_reads_after_a_kill_reads_the_newest_rows_and_writes_nothing(
    ledger: Path, use: Callable[[Path], object]
) -> None:
    kill_a_writer(ledger)
    before = everything(ledger.parent)

    use(ledger)

    assert set(before) == {"ledger.sqlite", "ledger.sqlite-shm", "ledger.sqlite-wal"}
    assert everything(ledger.parent) == before
    assert ledger_stats(ledger)[0].calls == 20


@pytest.mark.parametrize("use", [*READERS, salvaged])
def test_who_reads_rows_without_their_index_makes_none(
    ledger: Path, use: Callable[[Path], object], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A ledger copied with its newest rows and without the index that SQLite keeps of them."""
    kill_a_writer(ledger)
    ledger.with_name("ledger.sqlite-shm").unlink()
    before = everything(ledger.parent)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()

    used = use(ledger)

    assert everything(ledger.parent) == before
    assert set(before) == {"ledger.sqlite", "ledger.sqlite-wal"}
    if isinstance(used, LedgerReader):
        used.close()
    assert not list((tmp_path / "temporary").iterdir())
    assert ledger_stats(ledger)[0].calls == 20


def test_a_ledger_is_read_in_a_folder_that_nobody_may_write(ledger: Path) -> None:
    fill(ledger, 5)
    ledger.chmod(0o400)
    ledger.parent.chmod(0o500)
    try:
        assert ledger_stats(ledger)[0].calls == 5
    finally:
        ledger.parent.chmod(0o700)


def test_who_reads_while_another_begins_to_write_sees_whole_rows(ledger: Path) -> None:
    fill(ledger, 50)
    with LedgerReader(ledger) as reader:
        assert reader.spent().calls == 50
        fill(ledger, 300, text="x" * 500)

        assert reader.spent().calls == 350
        assert len(reader.rows("SELECT * FROM answers")) == 300


def run_until_ready(code: str, ledger: Path, *arguments: object, then_s: float = 0) -> None:
    """Run `code` in a process that is killed `then_s` after it has printed `ready`."""
    process = subprocess.Popen(
        [sys.executable, "-c", f"{HEAD}{code}{READY}", str(ledger), *map(str, arguments)],
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    time.sleep(then_s)
    process.send_signal(signal.SIGKILL)
    process.communicate()


def tampered(**changes: Any) -> str:
    return json.dumps(answer(7).model_dump() | changes)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (tampered(request='{"messages":[],"seed":8}'), "is not the hash of its request"),
        (tampered(sample=1), "is not the hash of its request"),
        (tampered(role="embedder"), "is not the hash of its request"),
        (tampered(key="0" * 64), "is not the hash of its request"),
        (tampered(usd=-0.1), "usd: "),
        (tampered(usd=float("nan")), "usd: "),
        (tampered(usd=float("inf")), "usd: "),
        (tampered(usd=1e300), "usd: "),
        (tampered(tokens_in=-1), "tokens_in: "),
        (tampered(tokens_out=10**30), "tokens_out: "),
        (tampered(tokens_out=1.5), "tokens_out: "),
        (tampered(latency_s=float("nan")), "latency_s: "),
        (tampered(answered_at=1e12), "answered_at: "),
        (tampered(answered_at=-1), "answered_at: "),
        (tampered(sample=-1), "sample: "),
        (tampered(role="boss"), "role: "),
        (tampered(stage=""), "stage: "),
        (tampered(stage="x" * 2000), "stage: "),
        (tampered(model="a\0b"), "model: holds a NUL"),
        (tampered(answer='{"text": "\ud800"}'), "answer: "),
        (tampered(answer="[]"), "answer is a list"),
        (tampered(answer="no json"), "not an answer"),
        (tampered(answer="[" * 100_000), "not an answer"),
        (tampered(more=1), "more: "),
        ("[" * 100_000, "not an answer"),
        ("[]", "a list, not a JSON object"),
        ("\ufeff{}", "not an answer"),
    ],
)
def test_an_import_says_which_line_is_wrong_and_takes_nothing_over(
    ledger: Path, tmp_path: Path, line: str, problem: str
) -> None:
    export = tmp_path / "export.jsonl"
    lines = [answer(1).model_dump_json(), answer(2).model_dump_json(), "", line]
    export.write_text("\n".join(lines))
    fill(ledger, 1)

    with pytest.raises(RowError, match=f"row 4: .*{problem}"):
        import_answers(ledger, export)
    assert ledger_stats(ledger)[1][0].answers == 1


def test_a_line_without_an_end_is_not_read_into_memory(ledger: Path, tmp_path: Path) -> None:
    export = tmp_path / "export.jsonl"
    with export.open("wb") as stream:
        stream.truncate(40 * MAX_LINE_BYTES)

    with pytest.raises(RowError, match="row 1: longer than"):
        import_answers(ledger, export)


def test_an_answer_that_is_no_text_is_a_damaged_ledger(ledger: Path) -> None:
    changed(ledger, "UPDATE answers SET answer = x'00ff', latency_s = 'long'")
    with Ledger(ledger) as opened, pytest.raises(LedgerError, match="not a whole ledger"):
        opened.answer_text(answer(1).key)

    with pytest.raises(LedgerError, match=r"not a whole ledger \(answer [0-9a-f]{64}: "):
        export_answers(ledger, ledger.with_name("out.jsonl"))
    assert not ledger.with_name("out.jsonl").exists()


def test_what_was_spent_must_be_numbers(ledger: Path) -> None:
    changed(ledger, "DELETE FROM spent")

    with pytest.raises(LedgerError, match="what was spent"):
        ledger_stats(ledger)


@pytest.mark.parametrize("column", ["role", "stage", "tokens", "usd", "outcome"])
def test_stats_of_values_of_another_kind_are_an_error_or_numbers(ledger: Path, column: str) -> None:
    changed(ledger, f"UPDATE attempts SET {column} = x'ff00'")

    with contextlib.suppress(LedgerError):
        assert ledger_stats(ledger)[1][0].attempts in (0, 3)


def test_salvage_leaves_out_what_does_not_fit_its_request(ledger: Path, tmp_path: Path) -> None:
    changed(ledger, "UPDATE answers SET request = '{}' WHERE id = 2")

    assert export_answers(ledger, tmp_path / "saved.jsonl", salvage=True) == 2


@pytest.mark.slow
@pytest.mark.parametrize("delay_s", [0, 0.005, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3])
def test_a_killed_import_or_prune_leaves_all_or_nothing(
    ledger: Path, tmp_path: Path, delay_s: float
) -> None:
    rows, export = 4_000, tmp_path / "export.jsonl"
    export.write_text("".join(f"{answer(n, 'x' * 999).model_dump_json()}\n" for n in range(rows)))
    fill(ledger, 10)
    begin = "from pipeline.llm.ledger_transfer import *\nprint('ready', flush=True)\n"

    run_until_ready(
        f"{begin}import_answers(path, Path(sys.argv[2]))", ledger, export, then_s=delay_s
    )
    assert whole_with(ledger) in (10, rows)
    import_answers(ledger, export)
    run_until_ready(f"{begin}prune_answers(path, stage='test')", ledger, then_s=delay_s)
    assert whole_with(ledger) in (0, rows)


def whole_with(ledger: Path) -> int:
    """Return how many answers a whole ledger has."""
    with Ledger(ledger) as opened:
        assert opened.rows("PRAGMA integrity_check") == [("ok",)]
        [(count,)] = opened.rows("SELECT count(*) FROM answers")
    return int(str(count))
