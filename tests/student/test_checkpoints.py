"""A checkpoint counts once all of it is on the disk; the oldest goes after that."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from pipeline.student.checkpoints import COMPLETE, complete, last_checkpoint

FILES = ("adapter_model.safetensors", "optimizer.pt", "trainer_state.json")


def checkpoint(work: Path, step: int) -> Path:
    folder = work / f"checkpoint-{step}"
    folder.mkdir(parents=True)
    for name in FILES:
        (folder / name).write_text(f"{name} of {step}")
    return folder


def steps_in(work: Path) -> list[str]:
    return sorted(one.name for one in work.iterdir())


def test_all_of_a_checkpoint_is_on_the_disk_before_its_mark_and_the_oldest_goes_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for step in (2, 10):
        complete(checkpoint(tmp_path, step))
    folder = checkpoint(tmp_path, 12)
    synced: list[tuple[str, bool, int]] = []
    plain = os.fsync

    def fsync(descriptor: int) -> None:
        plain(descriptor)
        name = Path(f"/proc/self/fd/{descriptor}").readlink().name
        synced.append((name, (folder / COMPLETE).exists(), len(steps_in(tmp_path))))

    monkeypatch.setattr(os, "fsync", fsync)
    complete(folder)

    before = [name for name, marked, _ in synced if not marked]
    assert before[: len(FILES) + 1] == [*FILES, folder.name]
    assert [name for name, marked, _ in synced if marked][-2:] == [folder.name, tmp_path.name]
    assert {count for _, _, count in synced} == {3}
    assert steps_in(tmp_path) == ["checkpoint-10", "checkpoint-12"]


def test_the_last_one_is_that_of_the_highest_step_and_what_is_newer_but_not_whole_goes(
    tmp_path: Path,
) -> None:
    for step in (8, 10):
        complete(checkpoint(tmp_path, step))
    checkpoint(tmp_path, 12)

    assert last_checkpoint(tmp_path) == tmp_path / "checkpoint-10"
    assert steps_in(tmp_path) == ["checkpoint-10", "checkpoint-8"]


OF_A_STEP_BEFORE = f'{{"../checkpoint-0/a": "{hashlib.sha256(b"x").hexdigest()}"}}'


@pytest.mark.parametrize(
    "mark",
    ["", "{}", "[1]", "{", '{"gone.pt": "0"}', '{"optimizer.pt": [1]}', OF_A_STEP_BEFORE,
     f'{{"{"a" * 300}": "0"}}', '{"a\\u0000": "0"}', '{"\\ud800": "0"}', '{"..": "0"}'],
)  # fmt: skip
def test_a_mark_that_names_no_whole_files_counts_for_nothing(tmp_path: Path, mark: str) -> None:
    (checkpoint(tmp_path, 1) / COMPLETE).write_text(mark)

    (tmp_path / "checkpoint-0").mkdir()
    (tmp_path / "checkpoint-0" / "a").write_text("x")

    assert last_checkpoint(tmp_path) is None
    assert steps_in(tmp_path) == []


def test_a_link_among_the_checkpoints_is_taken_away_and_what_it_leads_to_stays(
    tmp_path: Path,
) -> None:
    elsewhere = checkpoint(tmp_path / "elsewhere", 5)
    complete(elsewhere)
    there = sorted(elsewhere.iterdir())
    work = tmp_path / "work"
    work.mkdir()
    (work / "checkpoint-5").symlink_to(elsewhere)

    assert last_checkpoint(work) is None
    assert not (work / "checkpoint-5").is_symlink()
    assert sorted(elsewhere.iterdir()) == there


def test_a_file_in_a_checkpoints_place_goes_and_what_is_named_otherwise_is_passed_over(
    tmp_path: Path,
) -> None:
    complete(checkpoint(tmp_path, 4))
    (tmp_path / "checkpoint-6").write_text("a file")
    (tmp_path / "checkpoint-²").mkdir()

    assert last_checkpoint(tmp_path) == tmp_path / "checkpoint-4"
    assert steps_in(tmp_path) == ["checkpoint-4", "checkpoint-²"]
