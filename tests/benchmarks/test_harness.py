"""Figures are logged as one JSON line each; a claim without its data is skipped."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import pytest

from benchmarks import __main__ as bench
from benchmarks.harness import Measurement, Skipped, data_folder, in_process, stopwatch

KEYS = {"name", "value", "unit", "rival", "ratio", "rows", "peak_mib"}


def test_a_measurement_is_one_json_line_of_four_digits() -> None:
    line = Measurement("speed", 1234.5678, "rows/s", ratio=0.333333, rows=7).as_json()

    assert "\n" not in line
    assert json.loads(line) == {
        "name": "speed",
        "value": 1235.0,
        "unit": "rows/s",
        "rival": None,
        "ratio": 0.3333,
        "rows": 7,
        "peak_mib": None,
    }


def test_every_line_of_the_log_is_a_measurement() -> None:
    lines = [json.loads(line) for line in bench.LOG.read_text(encoding="utf-8").splitlines()]

    assert lines
    assert all(set(line) - {"note"} == KEYS for line in lines)


def test_every_benchmark_has_a_claim() -> None:
    for name in [*bench.names(), *bench.PARTS]:
        module = importlib.import_module(bench.PARTS.get(name, f"benchmarks.{name}"))
        assert (module.__doc__ or "").startswith("Claim: "), name


def test_a_note_is_part_of_the_line_only_where_there_is_one() -> None:
    line = json.loads(Measurement("speed", 1.0, "rows/s", note="on made rows").as_json())

    assert set(line) == {*KEYS, "note"}


def test_an_unknown_benchmark_is_exit_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main(["nonsense"]) == 2
    assert "error: no benchmark nonsense" in capsys.readouterr().out


def test_without_the_data_a_claim_is_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISTILLERY_DATA", str(tmp_path / "gone"))

    with pytest.raises(Skipped, match="the real data is not here"):
        data_folder()


def test_the_stopwatch_stops_at_the_end_of_the_block() -> None:
    with stopwatch() as seconds:
        pass

    assert seconds() == seconds()


def test_a_function_is_called_in_a_process_of_its_own() -> None:
    assert in_process("os.path", "basename", "/a/b") == "b"
