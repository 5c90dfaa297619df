"""What the reference says is read back whole, or asked again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.student.dpo import REFERENCE, _keep_reference, _read_reference

VALUES = np.arange(6, dtype=np.float32).reshape(2, 3)


def header(text: str) -> bytes:
    return b"\x93NUMPY\x01\x00v\x00" + text.encode().ljust(117) + b"\n"


def npy(path: Path, values: object) -> bytes:
    np.save(path, np.asarray(values, np.float32))
    return path.read_bytes()


def test_what_was_kept_is_read_back(tmp_path: Path) -> None:
    _keep_reference(tmp_path / REFERENCE, VALUES)

    np.testing.assert_array_equal(_read_reference(tmp_path / REFERENCE, (2, 3)), VALUES)


@pytest.mark.parametrize(
    "damaged",
    [
        b"PK\x03\x04" + bytes(100),
        b"PK\x05\x06" + bytes(18),
        header("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 99999999999999), }"),
        header("(" * 117),
        header("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)"),
        header("{'descr': ['<f4'], 'fortran_order': False, 'shape': (2, 3), }"),
        b"",
    ],
)
def test_a_damaged_reference_counts_as_none(tmp_path: Path, damaged: bytes) -> None:
    _keep_reference(tmp_path / REFERENCE, VALUES)
    (tmp_path / REFERENCE).write_bytes(damaged)

    assert _read_reference(tmp_path / REFERENCE, (2, 3)) is None


def test_other_values_than_were_kept_count_as_none(tmp_path: Path) -> None:
    _keep_reference(tmp_path / REFERENCE, VALUES)
    (tmp_path / REFERENCE).write_bytes(npy(tmp_path / "other.npy", np.zeros((2, 3))))

    assert _read_reference(tmp_path / REFERENCE, (2, 3)) is None


@pytest.mark.parametrize(
    "values", [np.full((2, 3), np.nan, np.float32), VALUES[:, :2], VALUES.astype(np.float64)]
)
def test_what_can_be_no_reference_of_these_rows_counts_as_none(
    tmp_path: Path, values: object
) -> None:
    _keep_reference(tmp_path / REFERENCE, values)

    assert _read_reference(tmp_path / REFERENCE, (2, 3)) is None


@pytest.mark.parametrize("mark", ["", "[]", '{"sha256": 1}', None])
def test_a_reference_without_its_hash_counts_as_none(tmp_path: Path, mark: str | None) -> None:
    _keep_reference(tmp_path / REFERENCE, VALUES)
    beside = (tmp_path / REFERENCE).with_suffix(".json")
    beside.unlink()
    if mark is not None:
        beside.write_text(mark)

    assert _read_reference(tmp_path / REFERENCE, (2, 3)) is None
