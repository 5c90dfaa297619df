"""Keys of other code than the one at hand are dropped, so that a build writes them anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.code_keys import PACKAGE, CodeError, code_keys, stage_names
from pipeline.dag.code_file import RUN_BY_DVC, drop_stale_keys, same_code
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

    before = code_keys(PACKAGE, ["audit", "validate"])
    added = [Distribution("warm-words", "1.0", "0" * 64)]
    monkeypatch.setattr("pipeline.extensions.distributions", lambda: added)
    after = code_keys(PACKAGE, ["audit", "validate"])

    assert before["audit"] != after["audit"]
    assert before["validate"] == after["validate"]
    assert drop_stale_keys(folder) == f"{folder / 'code.yaml'}: keys of other code"
    assert not (folder / "code.yaml").exists()


def test_an_edit_while_a_build_runs_stops_the_stage(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setenv(RUN_BY_DVC, "split")
    keys = folder / "code.yaml"
    with same_code("split"):
        pass
    with (
        pytest.raises(CodeError, match="stage split was changed while the build ran"),
        same_code("split"),
    ):
        keys.write_text(keys.read_text().replace("split: ", "split: f"), encoding="utf-8")
    with pytest.raises(CodeError, match="stage split was changed"), same_code("split"):
        pytest.fail("it must not begin")


def test_who_types_the_command_of_a_stage_has_no_build(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.delenv(RUN_BY_DVC, raising=False)
    (folder / "code.yaml").write_text("split: other\n", encoding="utf-8")

    with same_code("split"):
        pass


def test_a_folder_with_a_package_of_its_own_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "pipeline").mkdir()
    (tmp_path / "code.yaml").write_text("audit: other\n", encoding="utf-8")

    assert drop_stale_keys(tmp_path) is None
