"""`distillery doctor`: what is missing, and what to type."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.cli import doctor
from tests.cli.command import Cli


def test_every_check_says_what_it_found(project: Path, cli: Cli) -> None:
    code, out, _ = cli("doctor", "--json")

    checks = json.loads(out)
    assert code in (0, 1)
    assert all(check["name"] and check["found"] for check in checks)
    assert all(check["remedy"] for check in checks if not check["ok"])


def test_what_is_needed_and_missing_is_exit_1(
    project: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor.shutil, "which", lambda _: None)

    code, out, _ = cli("doctor")

    assert code == 1
    assert "MISSING  git: not found\n         apt-get install git" in out


def test_what_is_only_for_some_is_absent_and_no_failure() -> None:
    optional = [check for check in doctor.examine() if not check.needed]

    assert {check.name.partition(" ")[0] for check in optional} == {"Chromium", "real"}


def test_raw_data_that_is_not_there_is_missing(project: Path, cli: Cli) -> None:
    (project / "datasets" / "sample" / "exchanges.jsonl").unlink()

    code, out, _ = cli("doctor")

    assert code == 1
    assert "MISSING  raw data" in out


def test_broken_params_are_named(project: Path, cli: Cli) -> None:
    (project / "params.yaml").write_text("seed: 1\n")

    code, out, _ = cli("doctor")

    assert code == 1
    assert "MISSING  params.yaml" in out


def test_another_version_than_pinned_is_named(
    project: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "requirements.lock").write_text("pytest==0.1\nno-such-thing==1.0\n")

    _, out, _ = cli("doctor")

    assert "MISSING  packages of requirements.lock: 0 of 2" in out
    assert "no-such-thing missing" in out


def test_a_local_build_of_a_pinned_version_is_fine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "version", lambda _: "2.13.0+cpu")

    assert doctor._off("torch", "2.13.0") is None


def test_a_lock_file_that_a_killed_dvc_left_is_named_and_mended(project: Path, cli: Cli) -> None:
    left = project / ".dvc" / "tmp" / "rwlock"
    left.parent.mkdir(parents=True)
    left.touch()

    code, out, _ = cli("doctor")
    assert code == 1
    assert "MISSING  DVC's locks: .dvc/tmp/rwlock is 0 bytes of no JSON" in out
    assert "distillery doctor --fix" in out

    code, _, err = cli("doctor", "--fix")
    assert code == 0
    assert "mended: .dvc/tmp/rwlock is 0 bytes" in err
    assert cli("doctor", "--fix")[:2] == (0, "nothing to mend\n")
    assert "ok       DVC's locks: free" in cli("doctor")[1]
