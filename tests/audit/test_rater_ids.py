"""An audit names raters by pseudonyms that lead back to nobody."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.audit.building import read_table
from pipeline.audit.run import run_audit
from pipeline.audit.settings import AuditSettings
from pipeline.sources.pseudonyms import Raters, load_secret
from tests.cli.command import distillery

IDS = [f"AWORKER{number}ID" for number in range(12)]


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a file in which every rater but one says 3 of all, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DISTILLERY_HOME", raising=False)
    rows: list[dict[str, Any]] = [
        {
            "text": f"I hear you, that is number {row} of the hard days.",
            "rating": 3 if rater else 1 + row % 2,
            "rater": name,
        }
        for row in range(10)
        for rater, name in enumerate(IDS)
    ]
    path = tmp_path / "mine.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


def raters_of(path: Path) -> list[str]:
    return list(dict.fromkeys(str(text.rater) for text in read_table(path).texts))


def test_no_output_of_an_audit_holds_a_rater_id(file: Path) -> None:
    clusters = {one.cluster for one in run_audit(read_table(file), AuditSettings()).findings}
    done = distillery("audit", str(file), "--out", "out", cwd=file.parent)

    said = [path.read_bytes() for path in (file.parent / "out").rglob("*") if path.is_file()]
    assert any(str(one).startswith("rater-r-") for one in clusters)
    assert len(said) >= 2
    for text in (*said, done.stdout.encode(), done.stderr.encode()):
        assert not [name for name in IDS if name.encode() in text]


def test_without_a_secret_pseudonyms_are_good_for_one_audit_and_none_is_made(file: Path) -> None:
    first, second = raters_of(file), raters_of(file)

    assert len(first) == len(IDS)
    assert not set(first) & set(second)
    assert not (file.parent / ".distillery").exists()


def test_with_the_secret_they_are_those_of_a_build_whatever_the_order(file: Path) -> None:
    expected = [Raters(load_secret()).pseudonym(name) for name in IDS]

    assert raters_of(file) == expected
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join(reversed(lines)))
    assert raters_of(file) == expected[::-1]
