"""Two builds in one git and DVC repository: what changed between them, and why."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.records import PreferencePair, SFTExample
from pipeline.reporting.revisions.difference import Compared, Difference, compare
from pipeline.reporting.revisions.page import page_html
from pipeline.reporting.revisions.revision import RevisionError, open_revision
from pipeline.reporting.revisions.text import text_lines
from pipeline.storage import read_table
from pipeline.workspace import PROJECT
from tests.builds import SAMPLE, edit_params
from tests.reporting.builds_in_git import CORPUS, HOSTILE, WHO, commit, edited, run, write

pytestmark = pytest.mark.slow  # a repository is made with git and DVC


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    return [json.loads(line) for line in SAMPLE.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]]) -> Path:
    """Return a repository with three builds: tags `one`, `two` (other rows), `three` (a prompt)."""
    folder = tmp_path_factory.mktemp("repository")
    run(folder, "git", "init", "--quiet")
    run(folder, "dvc", "init", "--quiet")
    shutil.copy(PROJECT / "params.yaml", folder / "params.yaml")
    edit_params(folder / "params.yaml", split={"test_share": 0.0001})
    (folder / ".gitignore").write_text("*.parquet\n")
    run(folder, "git", "add", "--all")
    run(folder, "git", *WHO, "commit", "--quiet", "--message", "Nothing built")
    run(folder, "git", "tag", "zero")
    write(folder, rows)
    passed = {"passed": True, "failed": {"critical": 0, "warning": 0, "info": 1}}
    audit = {f"sft-{CORPUS}": {"critical": 0, "warning": 3, "info": 5, "waived": 0}}
    commit(folder, "One", {"gate": passed, "audit": audit})
    run(folder, "git", "tag", "one")

    write(folder, edited(rows))
    failed = {"passed": False, "failed": {"critical": 2, "warning": 0, "info": 1}}
    worse = {f"sft-{CORPUS}": {"critical": 1, "warning": 1, "info": 5, "waived": 0}}
    commit(folder, "Two", {"gate": failed, "audit": worse})
    run(folder, "git", "tag", "two")

    edit_params(folder / "params.yaml", prompt={"max_words": 96})
    commit(folder, "Three", {"gate": failed, "audit": worse})
    run(folder, "git", "tag", "three")
    return folder


@pytest.fixture(scope="module")
def difference(repository: Path) -> Difference:
    return compare(open_revision(repository, "one"), open_revision(repository, "two"))


def table(difference: Difference, kind: str) -> Compared:
    return next(
        one for one in difference.tables if (one.rows.corpus, one.rows.kind) == (CORPUS, kind)
    )


def why(changes: Any) -> list[str]:
    return sorted(reason for one in changes for reason in one.reasons)


def test_a_dropped_row_says_why_it_is_not_there_any_more(difference: Difference) -> None:
    strict = table(difference, "preferences/strict").rows

    assert why(strict.dropped) == ["exchange is not in the source", "tie"]
    assert all(one.was and one.now is None for one in strict.dropped)


def test_an_added_row_says_why_it_was_not_there_before(difference: Difference) -> None:
    strict = table(difference, "preferences/strict").rows

    assert why(strict.added) == ["exchange is not in the source", "tie"]


def test_a_changed_row_says_what_of_it_and_keeps_its_place(difference: Difference) -> None:
    strict = table(difference, "preferences/strict").rows

    assert why(strict.changed) == [
        "response of listener_b",
        "what was said to the listener",
    ]
    assert all(one.was != one.now for one in strict.changed)


def test_a_rating_that_changed_is_seen_though_the_id_is_the_same(difference: Difference) -> None:
    authors = table(difference, "preferences/authors").rows

    changed = [one for one in authors.changed if one.was == one.now]
    assert why(changed) == ["chosen rating 2 → 3", "chosen rating 3 → 2"]


def test_the_counts_add_up(difference: Difference, repository: Path) -> None:
    for one in difference.tables:
        rows = one.rows
        assert rows.rows_before is not None
        assert rows.rows_after == rows.rows_before - len(rows.dropped) + len(rows.added)
    strict = repository / "datasets/preferences/strict" / f"{CORPUS}.parquet"
    now = {one.id for one in read_table(strict, PreferencePair)}
    assert {one.now for one in table(difference, "preferences/strict").rows.added} <= now


def test_a_table_that_did_not_change_is_said_to_be_the_same(difference: Difference) -> None:
    assert table(difference, "sft").is_same
    assert table(difference, "sft").rows.rows_before == table(difference, "sft").rows.rows_after


def test_gates_and_audit_that_got_worse_are_told_apart_from_better_ones(
    difference: Difference,
) -> None:
    assert [(one.what, one.before, one.after, one.worse) for one in difference.gates] == [
        ("gate", "passed", "failed", True),
        ("failed expectations, critical", "0", "2", True),
    ]
    assert [(one.what, one.before, one.after, one.worse) for one in difference.audit] == [
        ("findings, critical", "0", "1", True),
        ("findings, warning", "3", "1", False),
    ]


def test_the_cause_is_named(difference: Difference, repository: Path) -> None:
    after = compare(open_revision(repository, "two"), open_revision(repository, "three"))

    assert [(one.kind, one.name) for one in difference.causes] == [("input", "raw.jsonl")]
    assert [(one.kind, one.name, one.before, one.after) for one in after.causes] == [
        ("setting", "prompt.max_words", "97", "96")
    ]


def test_another_prompt_changes_every_row_and_no_length(repository: Path) -> None:
    found = compare(open_revision(repository, "two"), open_revision(repository, "three"))

    sft = table(found, "sft")
    path = repository / "datasets/sft" / f"{CORPUS}.parquet"
    assert set(why(sft.rows.changed)) == {"text of messages"}
    assert len(sft.rows.changed) == sum(1 for _ in read_table(path, SFTExample))
    assert sft.shifts == ()


def test_shifts_are_those_of_the_rows(difference: Difference) -> None:
    authors = {one.name: one for one in table(difference, "preferences/authors").shifts}

    assert all(0 <= one.before <= 1 for one in authors.values() if one.is_share)
    assert all(one.before != one.after for one in authors.values())
    emotions = [one for one in authors.values() if one.name.startswith("emotion ")]
    assert sum(one.after - one.before for one in emotions) == pytest.approx(0)


def test_a_revision_compared_with_itself_is_the_same(repository: Path) -> None:
    found = compare(open_revision(repository, "three"), open_revision(repository, None))

    assert all(one.is_same for one in found.tables)
    assert "The corpora, their gates and their audit are the same." in text_lines(found)


def test_the_text_says_first_what_happened(difference: Difference) -> None:
    lines = text_lines(difference)

    assert lines[3].startswith(f"{sum(not t.is_same for t in difference.tables)} of ")
    assert "3 checks are worse" in lines[3]
    assert any("dropped; why: exchange is not in the source (1), tie (1)" in one for one in lines)


def test_the_json_names_every_row(difference: Difference) -> None:
    document = json.loads(json.dumps(difference.as_dict()))

    named = [one["was"] for entry in document["tables"] for one in entry["dropped"]]
    assert len(named) == difference.total("dropped")
    assert document["before"]["name"] == "one"


def test_the_page_is_whole_and_loads_nothing(difference: Difference) -> None:
    html = page_html(difference)

    assert html.rstrip().endswith("</html>")
    assert "http://" not in html.replace("http://www.w3.org", "")
    assert "https://" not in html


def test_a_hostile_name_is_only_text_on_the_page(difference: Difference) -> None:
    hostile = replace(difference, after=replace(difference.after, name=HOSTILE, subject=HOSTILE))

    assert HOSTILE not in page_html(hostile)
    assert "\x1b" not in "".join(
        text_lines(replace(difference, after=replace(difference.after, subject="\x1b[2J")))
    )


@pytest.mark.parametrize("name", ["nowhere", "--help", ""])
def test_an_unknown_revision_is_an_error(repository: Path, name: str) -> None:
    with pytest.raises(RevisionError, match=r"git knows none of that name\nSee `git log"):
        open_revision(repository, name)


def test_a_revision_without_a_build_is_an_error(repository: Path) -> None:
    with pytest.raises(RevisionError, match=r"zero: no dvc\.lock, so nothing was built there"):
        compare(open_revision(repository, "zero"), open_revision(repository, "one"))


def test_a_working_tree_without_a_build_is_told_to_build(repository: Path, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    run(tmp_path, "git", "clone", "--quiet", str(repository), str(clone))

    before = replace(open_revision(clone, "one"), cache=open_revision(repository, "one").cache)
    with pytest.raises(RevisionError, match=r"working tree: not built: .*\nRun: dvc repro"):
        compare(before, open_revision(clone, None))


def test_tables_that_the_cache_lacks_are_named_with_what_gets_them(
    repository: Path, tmp_path: Path
) -> None:
    one = replace(open_revision(repository, "one"), cache=tmp_path)

    with pytest.raises(RevisionError, match=r"one: not in the DVC cache at .*datasets/.* more\n"):
        compare(one, open_revision(repository, "two"))


def test_a_folder_outside_git_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RevisionError, match="Run this in a clone of the project"):
        open_revision(tmp_path, "HEAD")
