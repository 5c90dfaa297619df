"""Keys of other code than the one at hand are dropped, so that a build writes them anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.code_keys import PACKAGE, code_keys, stage_names
from pipeline.dag.code_file import drop_stale_keys
from pipeline.yaml_files import format_yaml


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pipeline").symlink_to(PACKAGE)
    keys = code_keys(PACKAGE, stage_names())
    (tmp_path / "code.yaml").write_text(format_yaml(keys), encoding="utf-8")
    return tmp_path


def test_keys_of_the_code_at_hand_stay(folder: Path) -> None:
    assert drop_stale_keys(folder) is None
    assert (folder / "code.yaml").is_file()


def test_keys_move_with_what_an_installed_package_adds_and_are_dropped(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.extensions import Distribution

    before = code_keys(PACKAGE, ["audit", "base_model"])
    added = [Distribution("warm-words", "1.0", "0" * 64)]
    monkeypatch.setattr("pipeline.extensions.distributions", lambda: added)
    after = code_keys(PACKAGE, ["audit", "base_model"])

    assert before["audit"] != after["audit"]
    assert before["base_model"] == after["base_model"]
    assert drop_stale_keys(folder) == f"{folder / 'code.yaml'}: keys of other code"
    assert not (folder / "code.yaml").exists()


def test_a_folder_with_a_package_of_its_own_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "pipeline").mkdir()
    (tmp_path / "code.yaml").write_text("audit: other\n", encoding="utf-8")

    assert drop_stale_keys(tmp_path) is None
