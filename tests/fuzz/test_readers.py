"""Whatever is in a file, its reader answers or says what is wrong with it: PipelineError, no more.

Each reader gets INPUTS spoiled files, the same ones every time, in a process with 3 GiB beside its
libraries and 20 seconds for a file.
"""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from pipeline.audit.building import read_table
from pipeline.audit.run import run_audit
from pipeline.audit.settings import AuditSettings
from pipeline.errors import PipelineError
from pipeline.pages import write_page
from pipeline.reporting.audit_page import audit_html
from tests.fuzz.nasty import write_all
from tests.fuzz.readers import READERS

ROOT = Path(__file__).parents[2]
INPUTS = 150


def test_all_readers_together_are_given_5000_spoiled_files() -> None:
    assert INPUTS * len(READERS) >= 5_000


@pytest.mark.slow
@pytest.mark.parametrize("name", READERS)
def test_a_spoiled_file_is_read_or_refused(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.child", name, str(INPUTS)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=1200,
        check=False,
    )

    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["problems"] == []
    assert found["read"] + found["refused"] >= INPUTS * 0.9


@pytest.mark.slow
def test_a_nasty_file_gets_a_whole_audit_or_is_refused(tmp_path: Path) -> None:
    problems = []
    for name, path in write_all(tmp_path).items():
        try:
            result = run_audit(read_table(path), AuditSettings())
            write_page(path.with_suffix(".html"), audit_html(result))
        except PipelineError:
            continue
        problems += [f"{name}: {run.detector} {run}" for run in result.failed]

    assert problems == []


@pytest.mark.slow
@pytest.mark.parametrize("reader", ["source_table_csv", "labels_csv", "long_table_csv", "copy_csv"])
def test_a_nasty_table_is_read_or_refused(tmp_path: Path, reader: str) -> None:
    for path in write_all(tmp_path).values():
        with suppress(PipelineError):
            READERS[reader].read(path.parent)
