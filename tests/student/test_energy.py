from __future__ import annotations

from pathlib import Path

from pipeline.student.energy import joules_between, read_microjoules


def counter(root: Path, package: int, value: str) -> None:
    folder = root / f"intel-rapl:{package}"
    folder.mkdir(exist_ok=True)
    (folder / "energy_uj").write_text(value)


def test_energy_is_the_difference_of_all_packages(tmp_path: Path) -> None:
    counter(tmp_path, 0, "1000000\n")
    counter(tmp_path, 1, "2000000\n")
    before = read_microjoules(tmp_path)
    counter(tmp_path, 0, "3500000\n")

    assert joules_between(before, read_microjoules(tmp_path)) == 2.5


def test_what_cannot_be_known_is_none(tmp_path: Path) -> None:
    assert read_microjoules(tmp_path) is None
    assert joules_between(None, {"a": 1}) is None
    assert joules_between({"a": 5}, {"a": 1}) is None  # the counter went round

    counter(tmp_path, 0, "no number")
    assert read_microjoules(tmp_path) is None
